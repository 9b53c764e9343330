"""The graph that a session is read into, and what every rule needs to write to it."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET, structs

from reducer.certainty import Certainties
from reducer.errors import Problem
from reducer.ids import Ids
from reducer.model import (
    Body,
    ConversationItem,
    ExecutionWindow,
    Producer,
    RolloutTrace,
)
from reducer.model.objects import OBJECTS, GraphType, ObjectRef
from reducer.rules.normalize import NormalItem
from reducer.sessions.far_texts import FarTexts
from reducer.sessions.headers import Header
from reducer.sessions.items import ItemForm
from reducer.sessions.line_refs import LineRefs
from reducer.sessions.lines import Record, SessionLine
from reducer.sessions.packed import PackedTable
from reducer.sessions.packing import Packings
from reducer.wire.events import ExecutionStatus
from reducer.wire.payload_refs import ShardedKindName

MAX_AT_HAND = 1024
"""Objects that are held as they are; if there are more, all are packed."""


class SessionGraph:
    """The graph as far as it was read. A rule that changes an object asks the graph for it at each record.

    Attributes:
        trace: the graph; `schema_version` says in whose form it is.
        problems: what was wrong so far.
        certainty: what of the objects is not exact.
        far: reads the long texts, which stay in their files.
        lines: the lines that objects refer to.
        touched: the objects that the record which is being read made or changed, in order.
        inherited: for each item that a thread took over from another one, the item of that thread.
    """

    def __init__(self, root_thread_id: str, started_at_unix_ms: int, far: FarTexts) -> None:
        self.far = far
        self.trace = RolloutTrace(
            schema_version=3,
            trace_id=root_thread_id,
            rollout_id=root_thread_id,
            started_at_unix_ms=started_at_unix_ms,
            root_thread_id=root_thread_id,
            recording_complete=UNSET,
            recording_status="unclosed",
        )
        packings, trace = Packings(far), self.trace
        trace.conversation_items = items = PackedTable(packings.items)
        trace.inference_calls = calls = PackedTable(packings.calls)
        trace.tool_calls = tools = PackedTable(packings.tools)
        trace.terminal_sessions = sessions = PackedTable(packings.sessions)
        trace.terminal_operations = operations = PackedTable(packings.operations)
        trace.raw_payloads = self.lines = LineRefs()
        self._packed: dict[GraphType, PackedTable[Any]] = {
            "ConversationItem": items,
            "InferenceCall": calls,
            "ToolCall": tools,
            "TerminalSession": sessions,
            "TerminalOperation": operations,
        }
        self.problems: list[Problem] = []
        self.certainty = Certainties()
        self.touched: dict[ObjectRef, None] = {}
        self.inherited: dict[str, str] = {}
        self._items = 0

    def touch(self, type_: GraphType, object_id: str) -> None:
        """Note that the record which is being read concerns an object."""
        self.touched[ObjectRef(type_, object_id)] = None
        table = self._packed.get(type_)
        if table is not None:
            table.note(object_id)

    @property
    def ids(self) -> dict[GraphType, Ids]:
        """The ids of all objects of which there are very many, by their type."""
        return {type_: table.ids for type_, table in self._packed.items()}

    def settle(self) -> None:
        """Pack objects, if many are at hand: between two records, when no rule has one."""
        for table in self._packed.values():
            if table.at_hand > MAX_AT_HAND:
                table.settle()

    def view(self) -> RolloutTrace:
        """The graph whose very many objects do not change any more; the others are those of this one."""
        maps = {OBJECTS[type_].map: table.view() for type_, table in self._packed.items()}
        return structs.replace(self.trace, raw_payloads=self.lines.view(), **maps)

    def begins(self, header: Header) -> None:
        """A thread says when it began; the first one's beginning is that of the session."""
        started = header.started_at_unix_ms
        if header.thread_id == self.trace.root_thread_id and started is not None:
            self.trace.started_at_unix_ms = self.trace.started_at_unix_ms or started

    def next_payload_id(self, record: Record) -> str:
        """The id under which the line of a record is in the graph, or would be if something needed it."""
        return record.payload_id or f"raw_payload:{len(self.trace.raw_payloads) + 1}"

    def payload(self, record: Record, kind: ShardedKindName) -> str:
        """The id under which the line of a record is in the graph, from now on."""
        if record.payload_id is None:
            record.payload_id = self.lines.add(record.line, kind)
        return record.payload_id

    def normal(
        self, form: ItemForm, record: Record, path: tuple[str | int, ...], value: object
    ) -> NormalItem:
        """An item of a record in the form in which models get it; its line is kept if the item refers to it.

        Raises:
            Inconsistent: it is not of a known form.
        """
        normal = form.normal(record, self.next_payload_id(record), path, value)
        normal = self.far.normal(normal, record, path, is_lite=form.is_lite)
        if any(getattr(part, "raw_payload_id", None) is not None for part in normal.parts):
            self.payload(record, "model_item")
        return normal

    def item(
        self,
        normal: NormalItem,
        record: Record,
        thread_id: str,
        turn_id: str | None,
        produced_by: tuple[Producer, ...] = (),
    ) -> ConversationItem:
        """Make an item of what a record holds."""
        return self.add_item(
            ConversationItem(
                item_id=self.next_item_id(),
                responses_item_id=normal.responses_item_id,
                accepted_at_unix_ms=self.time(record),
                accepted_seq=record.seq,
                thread_id=thread_id,
                codex_turn_id=turn_id,
                first_seen_at_unix_ms=self.time(record),
                role=normal.role,
                channel=normal.channel,
                kind=normal.kind,
                agent_message=normal.agent_message,
                body=Body(normal.parts),
                call_id=normal.call_id,
                produced_by=[*produced_by],
            )
        )

    def add_item(self, item: ConversationItem) -> ConversationItem:
        """Put an item into the graph and the list of its thread."""
        self.trace.conversation_items[item.item_id] = item
        self.touch("ConversationItem", item.item_id)
        thread = self.trace.threads.get(item.thread_id)
        if thread is not None:
            thread.conversation_item_ids.append(item.item_id)
        return item

    def next_item_id(self) -> str:
        """Items count from 1 through the run, in order of creation."""
        self._items += 1
        return f"conversation_item:{self._items}"

    def time(self, record: Record) -> int:
        """When a record was written; the beginning of the session, if neither it nor one before says."""
        return self.trace.started_at_unix_ms if record.at_unix_ms is None else record.at_unix_ms

    def opened(self, record: Record, at_unix_ms: int | None = None) -> ExecutionWindow:
        """The window that begins at a record."""
        return ExecutionWindow(self.time(record) if at_unix_ms is None else at_unix_ms, record.seq)

    def closed(
        self,
        window: ExecutionWindow,
        record: Record,
        status: ExecutionStatus,
        at_unix_ms: int | None = None,
    ) -> ExecutionWindow:
        """The same window, ended at a record."""
        ended = self.time(record) if at_unix_ms is None else at_unix_ms
        return ExecutionWindow(window.started_at_unix_ms, window.started_seq, ended, record.seq, status)

    def report(
        self, reason: str, consequence: str, line: SessionLine, record: Record | None = None, **more: str
    ) -> None:
        """Note that something is wrong at a line."""
        self.problems.append(
            Problem(
                file=line.file,
                line=line.number,
                seq=None if record is None or not record.seq else record.seq,
                event=None if record is None else record.name,
                reason=reason,
                consequence=consequence,
                thread_id=more.get("thread_id"),
            )
        )

    def report_file(self, file: str, reason: str, consequence: str) -> None:
        """Note that something is wrong with a file as a whole."""
        self.problems.append(Problem(file=file, reason=reason, consequence=consequence))
