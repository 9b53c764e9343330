"""What ended a wait for agents.

Codex before multi-agent v2 names in the result of a wait the agents that came to an end. Later a result says
only that something came, or that the time was over. What came is the first message of another agent that the
next call of the model is shown and the call before was not; before there is such a call, the first result
that was reported to the agent since its last call. Of a wait within a script the graph has no result: what
ended it is then the first of the agents that it names whose turn came to an end.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import Literal

from msgspec import Struct

from reducer import ObjectRef
from reducer.model import ToolCall
from reducer.wire.events import GenericSummary, WaitAgent
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.lookups import started_seq
from rollout_tui.insight.tools.results import result_texts, timed_out

Kind = Literal["result", "message", "timeout", "interrupted", "aborted"]

_INTERRUPTED = re.compile(r'"message"\s*:\s*"Wait interrupted')
_ABORTED = re.compile(r"aborted\b")
_ENDED = re.compile(
    r'"([^"\\]{1,200})"\s*:\s*(?:\{\s*"(?:completed|errored)"|"(?:shutdown|not_found|interrupted)")'
)
"""An agent that came to an end, by its id, in the result of a wait of codex before multi-agent v2."""

_TARGETS = re.compile(r'"targets"\s*:\s*\[([^\]]*)')
_LOOKED_AT = 20_000


class WaitEnd(Struct, frozen=True):
    """How a wait ended.

    Attributes:
        kind: what came, or why nothing did.
        sender: path of the agent that it came from; empty where none did. It is evidence.
        ref: the item or the agent that it leads to, if there is one.
        is_told: whether the result of the wait names the agent; if not, it follows from the order of the log.
    """

    kind: Kind
    sender: str = ""
    ref: ObjectRef | None = None
    is_told: bool = True


def wait_end(index: TraceIndex, call: ToolCall) -> WaitEnd | None:
    """What ended a wait for agents; None for other calls, while it waits, and where nothing tells it."""
    if not isinstance(call.kind, WaitAgent):
        return None
    texts = [text[:_LOOKED_AT] for text in result_texts(index, call)]
    if call.execution.status in ("aborted", "cancelled") or any(map(_ABORTED.match, texts)):
        return WaitEnd("aborted")
    ended = call.execution.ended_seq
    if call.execution.status != "completed" or ended is None:
        return None
    if timed_out(index, call):
        return WaitEnd("timeout")
    if any(map(_INTERRUPTED.search, texts)):
        return WaitEnd("interrupted")
    named = (found[1] for text in texts for found in _ENDED.finditer(text))
    thread_id = next((one for one in named if one in index.trace.threads), None)
    if thread_id is not None:
        return WaitEnd("result", index.thread_path(thread_id), ObjectRef("Thread", thread_id))
    targets = wait_targets(call)
    if targets:  # messages are for those that wait for any agent
        return _target_ended(index, targets, call.execution.started_seq, ended)
    return _shown_next(index, call, ended) or _reported(index, call, ended)


def wait_targets(call: ToolCall) -> list[str]:
    """The ids of the agents that a wait names, as it did before v2, as far as the trace keeps them."""
    preview = call.summary.input_preview if isinstance(call.summary, GenericSummary) else None
    named = _TARGETS.search(preview or "")
    return [] if named is None else re.findall(r'"([^"\\]+)"', named[1])


def _target_ended(index: TraceIndex, targets: list[str], started: int, ended: int) -> WaitEnd | None:
    """The first turn of the agents that came to an end during a wait, or else the last one before it."""
    turns = [turn for one in targets if one in index.contents for turn in index.contents[one].turns]
    ends = {turn.execution.ended_seq: turn for turn in turns}
    during = [seq for seq in ends if seq is not None and started <= seq <= ended]
    before = [seq for seq in ends if seq is not None and seq < started]
    if not during and not before:
        return None
    turn = ends[min(during) if during else max(before)]
    ref = ObjectRef("Turn", turn.codex_turn_id)
    return WaitEnd("result", index.thread_path(turn.thread_id), ref, is_told=False)


def _shown_next(index: TraceIndex, wait: ToolCall, ended: int) -> WaitEnd | None:
    """The first message of another agent that the call after a wait is the first to be shown."""
    calls = index.contents[wait.thread_id].calls
    place = bisect_right(calls, ended, key=started_seq)
    if place == len(calls):
        return None
    known = set(calls[place - 1].request_item_ids) if place else set()
    for item in index.items(one for one in calls[place].request_item_ids if one not in known):
        if item.agent_message is None:
            continue
        edge = index.edge_to.get(item.item_id)
        kind: Kind = "message" if edge is not None and edge.kind != "agent_result" else "result"
        ref = ObjectRef("ConversationItem", item.item_id)
        return WaitEnd(kind, item.agent_message.author, ref, is_told=False)
    return None


def _reported(index: TraceIndex, wait: ToolCall, ended: int) -> WaitEnd | None:
    """The first result that was reported to an agent since its last call before a wait."""
    asked = index.call_at(wait.thread_id, wait.execution.started_seq)
    since = wait.execution.started_seq if asked is None else asked.execution.started_seq
    for seq, turn in index.results_for(wait.thread_id):
        if since < seq <= ended:
            ref = ObjectRef("Turn", turn.codex_turn_id)
            return WaitEnd("result", index.thread_path(turn.thread_id), ref, is_told=False)
    return None
