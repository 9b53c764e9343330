"""What a reader of the graph has to do without when something in the log could not be applied."""

from __future__ import annotations

_LOST_BY_KIND = {
    "rollout_started": "The ids of the session are those of the manifest.",
    "rollout_ended": "The session looks as if it were still running.",
    "recording_completed": "The recording looks unfinished.",
    "thread_started": "The agent's thread and all it did are missing.",
    "thread_ended": "The thread looks as if it were still running.",
    "thread_resumed": "The thread looks as if it had stayed ended.",
    "codex_turn_started": "The turn and all that happened in it are missing.",
    "codex_turn_ended": "The turn looks as if it were still running.",
    "history_item_accepted": "The item does not tell when it was accepted into the history.",
    "inference_started": "The inference call, what it showed the model and what it answered are missing.",
    "inference_completed": "The answer of the inference call is missing.",
    "inference_failed": "The inference call looks as if it had not failed.",
    "inference_cancelled": "The inference call looks as if it had not been cancelled.",
    "tool_call_started": "The tool call and all that came of it are missing.",
    "mcp_tool_call_correlation_assigned": "The tool call does not tell its id with the MCP server.",
    "stdin_target_resolved": "The write may be shown with another terminal than the one it went to.",
    "tool_call_runtime_started": "What the runtime was asked to do for the tool call is missing.",
    "tool_call_runtime_ended": "What the runtime did for the tool call is missing.",
    "tool_call_ended": "The tool call looks as if it were still running.",
    "code_cell_started": "The code cell and its links to nested tool calls are missing.",
    "code_cell_initial_response": "The first answer of the code cell is missing.",
    "code_cell_ended": "The code cell looks as if it were still running.",
    "code_cell_wait_target_resolved": "The wait does not lead to the code cell that it waited for.",
    "compaction_request_started": "The compaction request is missing.",
    "compaction_request_completed": "The compaction request looks as if it were still running.",
    "compaction_request_failed": "The compaction request looks as if it were still running.",
    "compaction_installed": "The compaction is missing; the next request is compared with the old history.",
    "agent_result_observed": "The edge by which the child's result reached its parent is missing.",
    "protocol_event_observed": "The protocol event is missing.",
}

NOT_APPLIED = "Whatever the line said is missing from the graph."
DONE_WITHOUT = "The event was applied without this payload, as if the recorder had left it out."
STILL_APPLIED = "The event was applied all the same."
SKIPPED_REPEAT = "The event was not applied a second time."
LOST_EVENTS = "What the missing events said is missing from the graph; the events after them were applied."
PAYLOAD_UNUSABLE = "The graph does not need it, but this evidence cannot be shown."
SHARD_UNUSABLE = "What the graph needs of it was read as far as it goes; other evidence in it is lost."
EDGE_LEFT_OUT = "The edge from the parent to the child's thread is missing."


def consequence_of_losing(kind: str) -> str:
    """What is missing when an event of this kind was not applied.

    Args:
        kind: the `type` of the event.
    """
    return _LOST_BY_KIND.get(kind, NOT_APPLIED)
