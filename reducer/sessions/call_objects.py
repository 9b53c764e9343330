"""Inference calls as objects of the graph: made, completed, ended, taken back."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from reducer.certainty import LIST_INCOMPLETE, LIST_REBUILT, START
from reducer.model import InferenceCall, InferenceProducer, Usage
from reducer.sessions.contexts import Contexts
from reducer.sessions.fields import number
from reducer.sessions.graph import SessionGraph
from reducer.sessions.headers import Header
from reducer.sessions.history import History
from reducer.sessions.lines import Record
from reducer.sessions.seen_items import SeenItems
from reducer.sessions.turns import TurnState
from reducer.wire.events import ExecutionStatus

_NOT_RECORDED = ("request (tools, parameters, headers)", "upstream_request_id")
_PROVIDER = "provider_name (codex keeps its id)"


class Call(Struct):
    """A call while it is read.

    Attributes:
        call_id: of the call.
        calls: those of the graph.
        sampled_through: the last position of the history that it had seen, where codex tells it.
        last_text: the text of the last message in its response.
        is_cut: whether its request ended without a whole response.
        cut_at: the record that says so, if one does before the turn goes on or ends.
        after_loose: the call without any trace that was inferred directly before it.
    """

    call_id: str
    calls: dict[str, InferenceCall]
    sampled_through: int | None = None
    last_text: str | None = None
    is_cut: bool = False
    cut_at: Record | None = None
    after_loose: Call | None = None

    @property
    def object(self) -> InferenceCall:
        """The call in the graph. Whoever has it longer than a record does not change the graph by it."""
        return self.calls[self.call_id]


class CallObjects:
    """The calls of one file in the graph."""

    def __init__(
        self, graph: SessionGraph, contexts: Contexts, history: History, header: Header, file_id: str
    ) -> None:
        self.header = header
        self._graph = graph
        self._contexts = contexts
        self._history = history
        self._file_id = file_id
        self._made = 0

    def seen(self, record: Record, turn: TurnState, sampled_through: int | None) -> SeenItems:
        """The items that a call of a turn has in its input, as the history stands."""
        instructed_by = self.header if turn.sends_base else None
        return self._contexts.seen(record, turn.turn_id, self._history, sampled_through, instructed_by)

    def make(
        self,
        record: Record,
        turn: TurnState,
        seen: SeenItems,
        asked_at_unix_ms: int | None,
        sampled_through: int | None = None,
    ) -> Call:
        """Make a call.

        Args:
            record: at which it became known.
            turn: that made it.
            seen: ids of the items in its input.
            asked_at_unix_ms: when the last of them was recorded; None if that is not known.
            sampled_through: as in `Call`.
        """
        self._made += 1
        call_id = f"{self._file_id}:call:{self._made}"
        made = InferenceCall(
            inference_call_id=call_id,
            thread_id=self.header.thread_id,
            codex_turn_id=turn.turn_id,
            execution=self._graph.opened(record, asked_at_unix_ms),
            model=turn.model,
            provider_name=self.header.provider,
            response_id=None,
            upstream_request_id=None,
            request_item_ids=seen,
            response_item_ids=[],
            tool_call_ids_started_by_response=[],
            usage=None,
            raw_request_payload_id="",
        )
        self._graph.trace.inference_calls[call_id] = made
        call = Call(call_id, self._graph.trace.inference_calls, sampled_through)
        rebuilt = [START, _PROVIDER]
        if not self._history.is_whole:
            rebuilt.append(LIST_INCOMPLETE)
        elif sampled_through is None:
            rebuilt.append(LIST_REBUILT)
        self.note(call, rebuilt=tuple(rebuilt), not_recorded=_NOT_RECORDED)
        self.touch(call)
        return call

    def complete(self, call: Call, record: Record, response_id: str | None, usage: dict[str, Any]) -> None:
        """A call has its whole response."""
        call.object.response_id = response_id
        call.object.usage = read_usage(usage)
        self.end(call, record, "completed")
        if response_id is None:
            self.note(call, not_recorded=("response_id",))

    def end(self, call: Call, record: Record, status: ExecutionStatus) -> None:
        """A call has ended."""
        call.object.execution = self._graph.closed(call.object.execution, record, status)
        self.touch(call)

    def touch(self, call: Call) -> None:
        """Note that the record which is being read concerns a call."""
        self._graph.touch("InferenceCall", call.call_id)

    def note(
        self,
        call: Call,
        rebuilt: tuple[str, ...] = (),
        not_recorded: tuple[str, ...] = (),
        *,
        inferred: bool = False,
    ) -> None:
        """Note what is not exact about a call."""
        self._graph.certainty.note(
            call.call_id, rebuilt=rebuilt, not_recorded=not_recorded, inferred=inferred
        )

    def take_back(self, call: Call) -> bool:
        """What was taken for a call was the making of a summary; say whether it was in the graph."""
        trace, call_id = self._graph.trace, call.call_id
        taken = trace.inference_calls.pop(call_id, None)
        if taken is None:
            return False
        self.touch(call)
        self._graph.certainty.forget(call_id)
        producer = InferenceProducer(call_id)
        for item_id in taken.response_item_ids:
            item = trace.conversation_items[item_id]
            item.produced_by = [one for one in item.produced_by if one != producer]
            self._graph.touch("ConversationItem", item_id)
        return True


def read_usage(value: dict[str, Any]) -> Usage | None:
    """Counts of tokens; what is not told is 0. None if nothing is told."""
    if not value:
        return None
    return Usage(
        number(value, "input_tokens") or 0,
        number(value, "cached_input_tokens") or 0,
        number(value, "cache_write_input_tokens") or 0,
        number(value, "output_tokens") or 0,
        number(value, "reasoning_output_tokens") or 0,
    )
