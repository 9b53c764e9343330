"""Objects of the graph in a few words."""

from __future__ import annotations

from msgspec import Struct

from reducer.model import (
    CodeCell,
    CompactionRequest,
    ConversationItem,
    InferenceCall,
    RolloutTrace,
    TerminalOperation,
    Thread,
    ToolCall,
    Turn,
)

Running = Thread | Turn | InferenceCall | ToolCall | CodeCell | TerminalOperation | CompactionRequest
"""What begins and ends. Terminal sessions have no end in the format."""


def name_of(target: Struct) -> str:
    """What an object is called, such as `tool call exec-1 (write_stdin)`."""
    if isinstance(target, Thread):
        return f"thread {target.thread_id} ({target.agent_path})"
    if isinstance(target, ToolCall):
        return f"tool call {target.tool_call_id} ({type(target.kind).__struct_config__.tag})"
    if isinstance(target, TerminalOperation):
        return f"{target.operation_id} ({target.kind})"
    if isinstance(target, ConversationItem):
        return f"{target.item_id} ({target.role} {target.kind})"
    if isinstance(target, CodeCell):
        return target.code_cell_id
    if isinstance(target, InferenceCall):
        return f"inference call {target.inference_call_id}"
    if isinstance(target, Turn):
        return f"turn {target.codex_turn_id}"
    if isinstance(target, CompactionRequest):
        return f"compaction request {target.compaction_request_id}"
    return type(target).__name__


def running_objects(trace: RolloutTrace) -> list[Running]:
    """Everything that begins and ends, in order of its kinds and of the log."""
    objects: list[Running] = []
    for kind in (
        trace.threads,
        trace.codex_turns,
        trace.inference_calls,
        trace.tool_calls,
        trace.code_cells,
        trace.terminal_operations,
        trace.compaction_requests,
    ):
        objects += sorted(kind.values(), key=lambda one: one.execution.started_seq)
    return objects
