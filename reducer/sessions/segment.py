"""One session file: what each of its records means for its thread."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from typing import Any

from reducer.errors import NotApplicable
from reducer.model import AgentMessage, ConversationItem, InferenceProducer, ToolCall
from reducer.rules.normalize import NormalItem
from reducer.sessions.calls import Calls
from reducer.sessions.compactions import Compactions
from reducer.sessions.fields import number, text
from reducer.sessions.headers import Header, is_older, read_header
from reducer.sessions.history import History
from reducer.sessions.items import (
    NOT_IN_LISTS,
    ItemForm,
    entry_for,
    first_text,
    is_model_made,
    is_note,
    is_output,
    letter,
    mail_in,
    output_text,
    texts_of,
    turn_of,
)
from reducer.sessions.lines import Record
from reducer.sessions.notes import Notes
from reducer.sessions.shared import Shared, ThreadParts
from reducer.sessions.tools import Asked, asked_by
from reducer.wire.events import AssignAgentTask, CloseAgent, ExecutionStatus, SendMessage, SpawnAgent

ITEM_LEFT_OUT = "The item is missing in the contexts of the calls that follow."


BaseOf = Callable[["Segment", Record], None]
"""Gives a file the history that it goes on from, when its first record is read."""


class Segment:
    """One file of a thread, read record by record.

    Attributes:
        file: its path.
        file_id: what other files call it by.
        header: what its first record says; None before that.
        history: the list of the thread as it stands in this file.
        form: in which the model gets items.
    """

    def __init__(self, shared: Shared, file: str, file_id: str, begin: BaseOf) -> None:
        self.file = file
        self.file_id = file_id
        self.header: Header | None = None
        self.history = History()
        self.form = ItemForm()
        self._shared = shared
        self._graph = shared.graph
        self._begin = begin
        self._is_own = True
        self._copied_from: str | None = None
        self._task_next: bool | None = None
        self._first_ordinal: int | None = None
        self._ends = array("Q")
        self._calls: Calls
        self._compactions: Compactions
        self._parts: ThreadParts
        self._notes: Notes

    @property
    def thread_id(self) -> str:
        """The thread; empty before its first record."""
        return "" if self.header is None else self.header.thread_id

    def end_of(self, ordinal: int) -> int | None:
        """Where the record before a number ends in the file, in bytes; None if it was not read."""
        if self._first_ordinal is None or not 0 < ordinal - self._first_ordinal <= len(self._ends):
            return None
        return self._ends[ordinal - self._first_ordinal - 1]

    def feed(self, record: Record) -> None:
        """Read the next record."""
        if record.ordinal is not None:
            self._first_ordinal = record.ordinal if self._first_ordinal is None else self._first_ordinal
            self._ends.append(record.line.offset + record.line.size)
        self._shared.drift.note(record)
        if record.type == "session_meta":
            self._session_meta(record)
        elif self.header is not None:
            self._own_begins(record)
            handler = self._HANDLERS.get(record.type)
            if handler is not None:
                handler(self, record)
            self._shared.threads.spoke(self.thread_id, record)

    # Whose records

    def _session_meta(self, record: Record) -> None:
        header = read_header(record.payload)
        if self.header is not None:
            if header is not None and header.thread_id != self.thread_id:
                self._copied_from = header.thread_id
                self._is_own = False
            return
        if header is None:
            self._graph.report("the session names no thread", "The file is not read.", record.line, record)
            return
        self.header = header
        shared = self._shared
        self._graph.begins(header)
        shared.threads.thread_with(header, record)
        parts = shared.parts.get(header.thread_id)
        if parts is None:
            parts = shared.parts[header.thread_id] = ThreadParts.of(self._graph, header.thread_id)
        self._parts = parts
        self._notes = Notes(shared, parts, header.thread_id)
        self._calls = Calls(self._graph, parts.contexts, self.history, header, self.file_id)
        self._compactions = Compactions(self._graph, header.thread_id, self.file_id, shared.compaction_calls)
        shared.agents.thread_began(record, header)
        if header.base is not None:
            self._begin(self, record)
        else:
            self._copied_from = header.forked_from_id
            self._is_own = header.forked_from_id is None and header.parent_id is None

    def _own_begins(self, record: Record) -> None:
        """What a file copies from another thread ends where its first own turn begins."""
        header = self.header
        if self._is_own or header is None:
            return
        if header.own_from_ordinal is not None and record.ordinal is not None:
            self._is_own = record.ordinal >= header.own_from_ordinal
        elif record.type == "event_msg" and record.kind in _TURN_STARTS:
            turn_id = text(record.payload, "turn_id")
            self._is_own = turn_id is None or not is_older(turn_id, header.thread_id)

    # Items

    def _response_item(self, record: Record) -> None:
        payload = record.payload
        type_ = text(payload, "type")
        if type_ in NOT_IN_LISTS:
            self.form.is_lite = self.form.is_lite or type_ == "additional_tools"
            return
        try:
            normal = self._graph.normal(self.form, record, ("payload",), payload)
        except NotApplicable as error:
            self._graph.report(str(error), ITEM_LEFT_OUT, record.line, record, thread_id=self.thread_id)
            return
        sequence = number(record.metadata, "history_sequence")
        if not self._is_own:
            self._inherit(record, normal, payload, sequence)
            return
        turn = self._calls.turn
        named = turn_of(payload)
        belongs = turn is not None and named in (None, turn.turn_id)
        if turn is not None and belongs:
            turn.tells_errors = turn.tells_errors or named is not None
            self._shared.threads.has_items(turn.turn_id, self.thread_id)
        turn_id = named if named is not None else None if turn is None else turn.turn_id
        if record.metadata.get("compaction_output") is True:
            self._summary_item(record, normal, turn_id, sequence)
        elif belongs and is_model_made(payload):
            self._model_item(record, normal, turn_id, sequence)
        else:
            self._other_item(record, normal, turn_id, sequence)

    def _inherit(
        self, record: Record, normal: NormalItem, payload: dict[str, Any], sequence: int | None
    ) -> None:
        item = self._graph.item(normal, record, self.thread_id, turn_of(payload))
        self._graph.inherited[item.item_id] = self._copied_from or ""
        self.history.append(entry_for(item.item_id, payload, record, sequence))

    def _summary_item(
        self, record: Record, normal: NormalItem, turn_id: str | None, sequence: int | None
    ) -> None:
        self._calls.summary_item()
        item = self._graph.item(normal, record, self.thread_id, turn_id)
        self._compactions.summary(item.item_id)
        self.history.append(entry_for(item.item_id, record.payload, record, sequence))

    def _model_item(
        self, record: Record, normal: NormalItem, turn_id: str | None, sequence: int | None
    ) -> None:
        payload = record.payload
        call = self._calls.model_item(record, number(record.metadata, "sampled_through_sequence"))
        item = self._graph.item(normal, record, self.thread_id, turn_id)
        self.history.append(entry_for(item.item_id, payload, record, sequence))
        if call is None:
            return
        item.produced_by.append(InferenceProducer(call.call_id))
        said = "\n".join(texts_of(payload)) if normal.kind == "message" else None
        self._calls.add(call, item.item_id, said)
        if said is not None and turn_id is not None:
            self._shared.agents.said(turn_id, item.item_id)
        asked = asked_by(payload)
        if asked is not None:
            tool = self._parts.tools.called(record, asked, item, turn_id, call.object)
            self._called(record, asked, item, turn_id, tool)

    def _called(
        self, record: Record, asked: Asked, item: ConversationItem, turn_id: str | None, tool: ToolCall
    ) -> None:
        if isinstance(tool.kind, (SpawnAgent, SendMessage, AssignAgentTask, CloseAgent)):
            self._parts.arguments[asked.call_id] = asked.value
        if asked.namespace is not None:
            return
        if asked.name == "exec" and item.kind == "custom_tool_call":
            self._parts.cells.started(record, asked, item, turn_id or "", tool)
        elif asked.name == "wait":
            self._parts.cells.waited(asked, tool)
        elif asked.name == "update_plan":
            self._parts.contexts.plans()

    def _other_item(
        self, record: Record, normal: NormalItem, turn_id: str | None, sequence: int | None
    ) -> None:
        payload = record.payload
        self._calls.other_item(record, is_output=is_output(payload), asks=not is_note(payload))
        item = self._graph.item(normal, record, self.thread_id, turn_id)
        self.history.append(entry_for(item.item_id, payload, record, sequence))
        if is_output(payload):
            self._answered(record, item, payload)
        elif normal.agent_message is not None:
            said = next(iter(texts_of(payload)), "")
            task, self._task_next = self._task_next, None
            is_task = task if task is not None else said.startswith("Message Type: NEW_TASK")
            self._arrived(record, item, normal.agent_message, said, is_task=is_task)
        else:
            self._letter_in(record, item, payload)

    def _answered(self, record: Record, item: ConversationItem, payload: dict[str, Any]) -> None:
        call_id = text(payload, "call_id")
        if call_id is None:
            return
        said = output_text(payload)
        tool = self._parts.tools.answered(record, call_id, item, said)
        self._parts.cells.answered(record, call_id, item, first_text(payload))
        arguments = self._parts.arguments.pop(call_id, None)
        if tool is not None and arguments is not None:
            self._shared.agents.answered(record, tool, arguments, said)

    def _letter_in(self, record: Record, item: ConversationItem, payload: dict[str, Any]) -> None:
        mail = mail_in(payload) if text(payload, "role") == "assistant" else None
        if mail is not None:
            item.agent_message = between = AgentMessage(
                text(mail, "author") or "", text(mail, "recipient") or ""
            )
            said = text(mail, "content") or ""
            self._arrived(record, item, between, said, is_task=mail.get("trigger_turn") is True)

    def _arrived(
        self, record: Record, item: ConversationItem, mail: AgentMessage, said: str, *, is_task: bool
    ) -> None:
        self._shared.agents.arrived(record, self.thread_id, item, mail, said, is_task=is_task)

    def _letter(self, record: Record) -> None:
        payload = record.payload
        has_header = self.header is not None and self.header.session_id is not None
        normal = letter(payload, has_header=has_header)
        if not self._is_own:
            self._inherit(record, normal, payload, None)
            return
        self._calls.other_item(record, is_output=False, asks=True)
        turn_id = None if self._calls.turn is None else self._calls.turn.turn_id
        item = self._graph.item(normal, record, self.thread_id, turn_id)
        self.history.append(entry_for(item.item_id, payload, record, None))
        if normal.agent_message is not None:
            said = text(payload, "content") or ""
            is_task = payload.get("trigger_turn") is True
            self._arrived(record, item, normal.agent_message, said, is_task=is_task)

    def _letter_metadata(self, record: Record) -> None:
        trigger = record.payload.get("trigger_turn")
        self._task_next = trigger if isinstance(trigger, bool) and self._is_own else None

    # Everything else

    def _compacted(self, record: Record) -> None:
        if self._is_own:
            self._compactions.installed(record, self.history, self.form, self._calls)
            return
        entries = self._compactions.replacement(record, self.history, self.form, ())
        for entry in entries:
            self._graph.inherited.setdefault(entry.item_id, self._copied_from or "")
        self.history.replace(record.ordinal, entries)

    def _turn_context(self, record: Record) -> None:
        model = text(record.payload, "model")
        turn = self._calls.turn
        if not self._is_own or turn is None:
            return
        named = text(record.payload, "turn_id")
        if named not in (None, turn.turn_id):
            return
        turn.has_settings = True
        turn.model = model or turn.model
        if text(record.payload, "root_turn_id") is not None:
            turn.counts_responses = turn.tells_errors = True
        thread = self._graph.trace.threads[self.thread_id]
        if thread.default_model is None and model is not None:
            thread.default_model = model
            self._graph.touch("Thread", self.thread_id)

    def _usage(self, record: Record) -> None:
        if self._is_own and self._calls.usage(record, record.payload):
            self._compactions.answered(record.payload)

    def _event(self, record: Record) -> None:
        handler = self._EVENTS.get(record.kind or "")
        if handler is not None:
            handler(self, record, record.payload)

    def _turn_started(self, record: Record, payload: dict[str, Any]) -> None:
        if self._is_own:
            turn = self._shared.threads.start(self.thread_id, record, payload)
            if turn is not None:
                self._calls.turn_started(record, turn)

    def _turn_completed(self, record: Record, payload: dict[str, Any]) -> None:
        failed = bool(payload.get("error"))
        self._turn_ended(record, payload, failed=failed, aborted=False)

    def _turn_aborted(self, record: Record, payload: dict[str, Any]) -> None:
        self._turn_ended(record, payload, failed=False, aborted=True)

    def _turn_ended(self, record: Record, payload: dict[str, Any], *, failed: bool, aborted: bool) -> None:
        turn_id = text(payload, "turn_id")
        if not self._is_own or turn_id is None:
            return
        status: ExecutionStatus = "cancelled" if aborted else "failed" if failed else "completed"
        if self._shared.threads.end(self.thread_id, turn_id, record, status):
            self._shared.agents.turn_ended(self.thread_id, turn_id)
        self._calls.turn_ended(record, turn_id, status, payload)
        if aborted:
            self._parts.cells.turn_interrupted(record, turn_id)

    def _token_count(self, record: Record, payload: dict[str, Any]) -> None:
        if self._is_own:
            self._calls.token_count(record, payload)
        else:
            self._calls.counted_before(payload)

    def _rolled_back(self, record: Record, payload: dict[str, Any]) -> None:
        self.history.roll_back(number(payload, "num_turns") or 0)

    def _noted(self, record: Record, payload: dict[str, Any]) -> None:
        if self._is_own:
            self._notes.read(record, payload)

    _HANDLERS: dict[str, Callable[[Segment, Record], None]] = {
        "response_item": _response_item,
        "inter_agent_communication": _letter,
        "inter_agent_communication_metadata": _letter_metadata,
        "compacted": _compacted,
        "turn_context": _turn_context,
        "token_usage_record": _usage,
        "event_msg": _event,
    }
    _EVENTS: dict[str, Callable[[Segment, Record, dict[str, Any]], None]] = {
        "task_started": _turn_started,
        "turn_started": _turn_started,
        "task_complete": _turn_completed,
        "turn_complete": _turn_completed,
        "turn_aborted": _turn_aborted,
        "token_count": _token_count,
        "thread_rolled_back": _rolled_back,
        **dict.fromkeys(Notes.KINDS, _noted),
    }


_TURN_STARTS = frozenset({"task_started", "turn_started"})
