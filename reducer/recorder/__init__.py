"""The recorder: writes trace bundles as codex does, for host programs of any kind.

A host calls `start_session` once and goes on from there:

    session = start_session(SessionMetadata(thread_id=..., cwd=..., model=...))
    turn = session.root.start_turn(turn_id)
    call = turn.start_inference(model=..., provider_name=..., request=body)
    call.complete(output_items, response_id=...)
    turn.end()
    session.root.end()
    session.end()
    session.complete()

The bundle is one of trace schema 3 unless the host asks for an older one. `Limits` bound what is recorded.
Nothing is recorded unless the environment variable `CODEX_ROLLOUT_TRACE_ROOT` names a directory. A recording
that fails costs one warning through `logging` and never an exception.
"""

from reducer.recorder.cells import CodeCellTrace
from reducer.recorder.compaction import CompactionRequestTrace, CompactionTrace
from reducer.recorder.inference import InferenceTrace, TokenUsage
from reducer.recorder.metadata import SessionMetadata
from reducer.recorder.payload_writers import Limits
from reducer.recorder.prompts import prepared_prompt
from reducer.recorder.scope import Ids
from reducer.recorder.session import TRACE_ROOT_VARIABLE, SessionTrace, start_session
from reducer.recorder.threads import ThreadTrace, TurnTrace
from reducer.recorder.tools import (
    ToolCallTrace,
    ToolInvocation,
    code_mode_response,
    direct_response,
    error_response,
    tool_kind,
)
from reducer.recorder.writer import NullWriter, TraceSink, TraceWriter

__all__ = [
    "TRACE_ROOT_VARIABLE",
    "CodeCellTrace",
    "CompactionRequestTrace",
    "CompactionTrace",
    "Ids",
    "InferenceTrace",
    "Limits",
    "NullWriter",
    "SessionMetadata",
    "SessionTrace",
    "ThreadTrace",
    "TokenUsage",
    "ToolCallTrace",
    "ToolInvocation",
    "TraceSink",
    "TraceWriter",
    "TurnTrace",
    "code_mode_response",
    "direct_response",
    "error_response",
    "prepared_prompt",
    "start_session",
    "tool_kind",
]
