"""The inference calls of a thread, found again from what they left: items, tokens, or a turn that failed.

Codex writes down what came of a call, not that it was made. Where it notes the tokens of each response on its
own, that closes a call; before, the order of the items does, and the counts of tokens.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from reducer.model import Usage
from reducer.sessions.call_objects import Call, CallObjects, read_usage
from reducer.sessions.contexts import Contexts
from reducer.sessions.counts import Counts, Unexplained
from reducer.sessions.fields import mapping, text
from reducer.sessions.graph import SessionGraph
from reducer.sessions.headers import Header
from reducer.sessions.history import History
from reducer.sessions.lines import Record
from reducer.sessions.seen_items import SeenItems
from reducer.sessions.turns import TurnState
from reducer.wire.events import ExecutionStatus


class Summary(Struct, frozen=True):
    """What the call left that made a summary of the history.

    Attributes:
        usage: its tokens; None if they are not known.
        item_ids: the items of its response.
    """

    usage: Usage | None
    item_ids: list[str]


class Calls:
    """The calls of one file. Everything is told to it in the order of the records.

    Attributes:
        turn: the turn that is going on.
    """

    def __init__(
        self, graph: SessionGraph, contexts: Contexts, history: History, header: Header, file_id: str
    ) -> None:
        self.turn: TurnState | None = None
        self._objects = CallObjects(graph, contexts, history, header, file_id)
        self._counts = Counts()
        self._receiving: Call | None = None
        """The call that the next item of a model belongs to."""
        self._unbilled: Call | None = None
        """The last call, as long as its tokens are not known."""
        self._cut: Call | None = None
        """The last call, if its request ended without a response; what comes next tells why."""
        self._is_interrupted = False
        self._last: Call | None = None
        self._has_failed = False
        """Whether a call failed since the last item that a call answers."""
        self._loose: Call | None = None
        self._empty: Record | None = None
        self._has_summary = False
        self._is_behind_compaction = False
        self._asking: Record | None = None
        """The last record, if it is an item that a call answers."""
        self._of_compactions: set[str] = set()

    @property
    def provider(self) -> str:
        """Which provider answers."""
        return self._objects.header.provider

    # What is told

    def turn_started(self, record: Record, turn: TurnState) -> None:
        """A turn begins; if the one before has no end, nothing more can come of its calls."""
        self._flush_empty()
        for call in (self._unbilled, self._cut):
            if call is not None:
                self._fail(call, record, "aborted")
        self._forget_open()
        self._asking = None
        self._has_failed = False
        self._counts.drop()
        self.turn = turn

    def model_item(self, record: Record, sampled_through: int | None) -> Call | None:
        """An item is about to be recorded that a model made.

        Returns:
            The call whose response it is in; None outside of turns.
        """
        turn = self.turn
        if turn is None:
            return None
        self._flush_empty()
        call = self._receiving
        if call is None or _differs(call.sampled_through, sampled_through):
            call = self._open(record, turn, sampled_through)
        self._counts.is_last = self._is_behind_compaction = False
        self._loose = None
        return call

    def _open(self, record: Record, turn: TurnState, sampled_through: int | None) -> Call:
        before = self._unbilled or self._cut
        if before is not None:
            self._fail(before, record, "cancelled" if self._is_interrupted else "failed")
        if not turn.counts_responses:
            for one in self._counts.call_begins():
                self._infer(one, "failed")
        seen = self._objects.seen(record, turn, sampled_through)
        call = self._make(record, turn, seen, sampled_through)
        call.after_loose = self._loose
        self._forget_open()
        self._receiving = self._unbilled = call
        return call

    def add(self, call: Call, item_id: str, said: str | None) -> None:
        """The item is in the graph now."""
        # A new list: copies of the graph share those that a bundle gives whole.
        call.object.response_item_ids = [*call.object.response_item_ids, item_id]
        self._objects.touch(call)
        self._asking = None
        if said is not None:
            call.last_text = said

    def summary_item(self) -> None:
        """The item that a compaction gave comes next; what request was counted before it was its own."""
        self._has_summary = True
        if self._loose is not None:
            self._take_back(self._loose)
            self._loose = None
        self._counts.drop()

    def other_item(self, record: Record, *, is_output: bool, asks: bool) -> None:
        """An item was recorded that no model made.

        Args:
            record: that has it.
            is_output: whether a tool gave it.
            asks: whether a model is to answer it: nobody answers a note that a turn was interrupted.
        """
        self._flush_empty()
        turn = self.turn
        if not is_output and asks:
            self._interrupt(record, counts_responses=turn is not None and turn.counts_responses)
        if turn is None or not turn.counts_responses:
            self._receiving = None
        if asks:
            self._counts.is_last = self._is_behind_compaction = False
            self._loose = None
            self._asking = record
            self._has_failed = False

    def _interrupt(self, record: Record, *, counts_responses: bool) -> None:
        """Somebody spoke: whoever was speaking did not come to an end."""
        if self._cut is not None:
            self._fail(self._cut, record, "cancelled")
            self._cut = None
        elif self._loose is not None:
            self._objects.end(self._loose, record, "cancelled")
        elif self._unbilled is not None and counts_responses:
            self._is_interrupted = True
            if self._unbilled.sampled_through is None:
                self._receiving = None

    def usage(self, record: Record, payload: dict[str, Any]) -> bool:
        """The tokens of a response were noted.

        Returns:
            Whether it is the response to a compaction.
        """
        self._flush_empty()
        if self.turn is not None:
            self.turn.counts_responses = True
        response_id = text(payload, "response_id")
        if self._has_summary or (response_id is not None and response_id in self._of_compactions):
            return True
        if self._unbilled is None:
            self._empty = record  # it may be that of a compaction, which is recorded next
        else:
            self._complete(self._unbilled, record, response_id, mapping(payload, "usage"))
        return False

    def token_count(self, record: Record, payload: dict[str, Any]) -> None:
        """Tokens were counted, which codex does at the end of each request."""
        info = mapping(payload, "info")
        changed = self._counts.changes(info.get("total_token_usage"))
        behind, self._is_behind_compaction = self._is_behind_compaction, False
        turn = self.turn
        if turn is None or (behind and not changed):
            return
        if changed:
            self._counted(record, turn, mapping(info, "last_token_usage"))
        elif self._unbilled is not None:
            self._mark_cut(self._unbilled)
            self._unbilled.cut_at = record
            self._cut, self._unbilled, self._receiving = self._unbilled, None, None
            self._counts.is_last = None
        elif self._empty is None:
            self._unexplained(record, turn)

    def _counted(self, record: Record, turn: TurnState, last: dict[str, Any]) -> None:
        if turn.counts_responses:
            return
        self._receiving = None
        if self._unbilled is not None:
            self._complete(self._unbilled, record, None, last)

    def _unexplained(self, record: Record, turn: TurnState) -> None:
        """No response came between this count and the one before."""
        counts = self._counts
        counts.is_last = True
        if not turn.has_settings:
            return
        one = Unexplained(record, turn, self._seen(record, turn))
        if turn.counts_responses or counts.style == "end":
            self._loose = self._infer(one, "failed")
        else:
            counts.keep(one)

    def turn_ended(
        self, record: Record, turn_id: str, status: ExecutionStatus, payload: dict[str, Any]
    ) -> None:
        """The turn ends; what is still open in it ended as it did."""
        turn = self.turn
        if turn is None or turn.turn_id != turn_id:
            return
        self._flush_empty()
        if status == "completed" and not turn.tells_errors and payload.get("last_agent_message") is None:
            status = "failed"  # it said nothing: codex did not tell failures yet
        for one in self._counts.turn_ends(well=status == "completed"):
            self._infer(one, status)
        self._end_open(record, status)
        if status == "failed" and self._may_have_failed(turn, payload):
            self._infer(Unexplained(record, turn, self._seen(record, turn)), "failed")
        self.turn = None

    def _end_open(self, record: Record, status: ExecutionStatus) -> None:
        call = self._unbilled
        if call is not None and status == "completed":
            # The turn went on to its end, so the response was there; only its tokens are not.
            self._objects.end(call, record, "completed")
            self._objects.note(call, rebuilt=("status",), not_recorded=("usage",))
        elif call is not None:
            self._fail(call, record, status)
        if self._cut is not None:
            self._fail(self._cut, record, "failed" if status == "completed" else status)
        if self._loose is not None and status == "cancelled":
            self._objects.end(self._loose, record, "cancelled")
        self._forget_open()

    def _may_have_failed(self, turn: TurnState, payload: dict[str, Any]) -> bool:
        """Whether a turn that failed must have made a call that left nothing."""
        if not turn.has_settings:
            return False
        error = mapping(payload, "error")
        if error:
            said = text(error, "message") or ""
            return not turn.failures and not (said.startswith("Error running") and "compact" in said)
        return self._asking is not None and not self._has_failed

    def counted_before(self, payload: dict[str, Any]) -> None:
        """Tokens were counted in what was copied; only changes from that on matter."""
        self._counts.changes(mapping(payload, "info").get("total_token_usage"))

    def compacted(self, response_id: str | None, message: str) -> Summary:
        """The history is about to be replaced; the call that gave the new one is no inference.

        Args:
            response_id: of that call's response, where it is told.
            message: what it gave, behind an introduction; empty where the provider sealed it.

        Returns:
            What that call left, as far as it stood somewhere else so far.
        """
        usage, item_ids = None, []
        empty, self._empty = self._empty, None
        if empty is not None and response_id in (None, text(empty.payload, "response_id")):
            usage = read_usage(mapping(empty.payload, "usage"))
        elif empty is not None:
            self._infer_empty(empty)
        if response_id is not None:
            self._of_compactions.add(response_id)
        call = None if self._has_summary or self._asking is not None else self._last
        if call is not None and usage is None and _made_summary(call, response_id, message):
            usage, item_ids = call.object.usage, call.object.response_item_ids
            self._take_back(call)
            if call.after_loose is not None:
                self._take_back(call.after_loose)
        elif self._loose is not None and message:
            self._take_back(self._loose)
        self._forget_open()
        self._counts.drop()
        self._last = None
        self._has_summary = False
        self._is_behind_compaction = True
        return Summary(usage, item_ids)

    # How calls begin and end

    def _seen(self, record: Record, turn: TurnState) -> SeenItems:
        """What a call would see now."""
        return self._objects.seen(record, turn, None)

    def _make(
        self, record: Record, turn: TurnState, seen: SeenItems, sampled_through: int | None = None
    ) -> Call:
        asked = None if self._asking is None else self._asking.at_unix_ms
        self._last = self._objects.make(record, turn, seen, asked, sampled_through)
        return self._last

    def _infer(self, one: Unexplained, status: ExecutionStatus) -> Call:
        """There must have been a call that left nothing."""
        call = self._make(one.record, one.turn, one.seen)
        call.is_cut = self._has_failed = True
        one.turn.failures += 1
        self._objects.end(call, one.record, status)
        self._objects.note(call, not_recorded=("response", "error", "usage"), inferred=True)
        return call

    def _infer_empty(self, record: Record) -> None:
        """Tokens of a response in which there was no item."""
        if self.turn is not None:
            call = self._make(record, self.turn, self._seen(record, self.turn))
            self._complete(
                call, record, text(record.payload, "response_id"), mapping(record.payload, "usage")
            )

    def _flush_empty(self) -> None:
        """Tokens that were noted last are not those of a compaction."""
        empty, self._empty = self._empty, None
        if empty is not None:
            self._infer_empty(empty)

    def _complete(self, call: Call, record: Record, response_id: str | None, usage: dict[str, Any]) -> None:
        self._objects.complete(call, record, response_id, usage)
        self._forget_open()

    def _mark_cut(self, call: Call) -> None:
        """The request of a call ended without a whole response."""
        if not call.is_cut and self.turn is not None:
            self.turn.failures += 1
        call.is_cut = self._has_failed = True

    def _fail(self, call: Call, record: Record, status: ExecutionStatus) -> None:
        """A call has no tokens, and now it is known how it ended."""
        self._mark_cut(call)
        self._objects.end(call, call.cut_at or record, status)
        self._objects.note(call, rebuilt=("status",), not_recorded=("usage", "error"))

    def _forget_open(self) -> None:
        self._receiving = self._unbilled = self._cut = self._loose = None
        self._is_interrupted = False

    def _take_back(self, call: Call) -> None:
        if self._objects.take_back(call) and call.is_cut and self.turn is not None:
            self.turn.failures -= 1


def _differs(one: int | None, other: int | None) -> bool:
    return one is not None and other is not None and one != other


def _made_summary(call: Call, response_id: str | None, message: str) -> bool:
    if response_id is not None and call.object.response_id is not None:
        return call.object.response_id == response_id
    return bool(call.last_text) and message.endswith(call.last_text or "")
