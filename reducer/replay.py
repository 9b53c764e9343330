"""Replay: events go in one at a time, the graph grows, and what is wrong becomes a list of problems."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import orjson
from msgspec import UNSET, structs

from reducer.changes import GraphWork, Handlers
from reducer.consequences import (
    DONE_WITHOUT,
    EDGE_LEFT_OUT,
    NOT_APPLIED,
    PAYLOAD_UNUSABLE,
    SHARD_UNUSABLE,
    STILL_APPLIED,
    consequence_of_losing,
)
from reducer.errors import Inconsistent, Malformed, NotApplicable, Problem, Refused, UnreadablePayload
from reducer.log_order import EnvelopeFault, LogOrder, place_fault
from reducer.model import RolloutTrace
from reducer.model.objects import ObjectRef
from reducer.provenance import Provenance, named_thread, payload_refs
from reducer.rules.agents import Agents
from reducer.rules.code_cells import CodeCells
from reducer.rules.compaction import Compactions
from reducer.rules.conversation import Conversation
from reducer.rules.inference import Inference, ResponseIndex
from reducer.rules.items import ItemStore
from reducer.rules.references import References
from reducer.rules.request_sharing import RequestSharing, Unsettled
from reducer.rules.terminals import Terminals
from reducer.rules.threads import Threads
from reducer.rules.tools import Tools
from reducer.schemas import SCHEMAS, Schema
from reducer.schemas.choice import schema_of, unknown_schema
from reducer.schemas.v1 import (
    CodexTurnEnded,
    OtherEvent,
    ProtocolEventObserved,
)
from reducer.schemas.v2 import (
    RecordingCompleted,
    ThreadResumed,
)
from reducer.storage.bundle import Bundle, LogLine
from reducer.storage.final_check import payload_faults
from reducer.storage.payloads import Payloads
from reducer.wire.events import RawEvent
from reducer.wire.json_grammar import Step
from reducer.wire.json_text import JsonError, refuse_excess
from reducer.wire.log import decode_loosely, is_blank
from reducer.wire.payload_refs import PayloadRef, ShardRef, read_ref
from reducer.wire.shared_parts import SharedParts
from reducer.wire.typed_json import dig

if TYPE_CHECKING:
    from reducer.storage.shard import Shard


class Replay:
    """Builds the graph of one bundle from its log, line by line.

    Lenient by default: what is wrong becomes a `Problem`, leaves nothing half-made, and replay goes on.
    Strict: the first problem is raised as `Refused`.

    Attributes:
        problems: what was wrong so far, in the order in which it was found.
        provenance: which events concern which objects.
    """

    def __init__(self, bundle: Bundle, *, strict: bool = False) -> None:
        """Begin an empty graph with the ids and the start time of the bundle's manifest.

        Raises:
            Refused: strict, and the manifest claims a schema that is not known.
        """
        manifest = bundle.manifest
        self.problems: list[Problem] = []
        self.provenance = Provenance()
        self._strict = strict
        self._manifest = manifest
        known = schema_of(bundle)
        self._schema = schema = known or unknown_schema(manifest.schema_version)
        self._work = GraphWork(
            RolloutTrace(
                schema_version=schema.version,
                trace_id=manifest.trace_id,
                rollout_id=manifest.rollout_id,
                started_at_unix_ms=manifest.started_at_unix_ms,
                root_thread_id=manifest.root_thread_id,
                recording_complete=False if schema.tells_recording == "completion" else UNSET,
                recording_status="unclosed" if schema.tells_recording == "status" else UNSET,
            ),
            schema,
        )
        self._store = bundle.open_payloads(strict=strict)
        self._payloads = Payloads(self._store)
        self._lines = SharedParts(schema.line)
        self._order = LogOrder()
        self._said_at_end: set[Problem] = set()
        self._wire()
        self._handlers = self._handlers_by_event()
        if known is None:
            self._report(_unknown_schema(manifest.schema_version))
        elif manifest.schema_version not in SCHEMAS and (schema.checks_envelopes or not strict):
            self._report(_foreign_schema(manifest.schema_version, schema))

    def _wire(self) -> None:
        """Make the modules that know the rules, each with those it builds upon."""
        work, payloads = self._work, self._payloads
        self._references = References(work)
        if issubclass(work.schema.ref, ShardRef):
            self._store.shards.before_eviction = self._verify_ahead
        items = ItemStore(work)
        answers = ResponseIndex(work)
        self._threads = threads = Threads(work, payloads)
        self._agents = agents = Agents(work, payloads, threads, items)
        self._cells = cells = CodeCells(work, threads, items)
        self._terminals = terminals = Terminals(work, payloads)
        self._tools = tools = Tools(work, payloads, threads, items, answers, cells, terminals, agents)
        self._conversation = conversation = Conversation(
            work,
            payloads,
            items,
            on_item_seen=(tools.item_seen, cells.item_seen, agents.item_seen),
            on_list_mapped=cells.start_queued,
            on_item_announced=agents.item_seen,
            on_items_moved=agents.items_moved,
            producers_of=tools.producers_of,
        )
        self._unsettled = Unsettled(work)
        sharing = RequestSharing(work, payloads, items, self._unsettled)
        self._inference = Inference(work, payloads, threads, items, conversation, answers, sharing)
        self._compactions = Compactions(work, payloads, threads, items, conversation)

    def _handlers_by_event(self) -> Handlers:
        return {
            **self._threads.handlers(),
            **self._conversation.handlers(),
            **self._inference.handlers(),
            **self._tools.handlers(),
            **self._cells.handlers(),
            **self._compactions.handlers(),
            **self._agents.handlers(),
            ThreadResumed: self._thread_resumed,
            CodexTurnEnded: self._turn_ended,
            ProtocolEventObserved: _only_evidence,
            OtherEvent: _refuse_other,
        }

    def _turn_ended(self, raw: RawEvent, event: CodexTurnEnded) -> None:
        turn = self._threads.codex_turn_ended(raw, event)
        self._cells.turn_ended(raw, turn, event.status)
        self._inference.turn_ended(raw, turn, event.status)

    def _thread_resumed(self, raw: RawEvent, event: ThreadResumed) -> None:
        self._threads.thread_resumed(raw, event)
        self._cells.thread_resumed(event.thread_id)
        self._terminals.thread_resumed(event.thread_id)

    # One line at a time

    def feed(self, line: LogLine) -> list[ObjectRef]:
        """Apply one line of the log; blank lines are nothing.

        Returns:
            The objects that the event made or changed.

        Raises:
            Refused: strict, and something about the line is wrong.
        """
        if is_blank(line.data):
            return []
        if not self._schema.events:
            self._keep_unknown(line)
            return []
        try:
            raw = self._lines.decode(line.data)
        except Malformed as error:
            self._malformed(line, str(error))
            return []
        if not self._accept_envelope(raw, line):
            return []
        return self._apply(raw, line)

    def _keep_unknown(self, line: LogLine) -> None:
        """Keep what can be told of an event of no known schema: that it is there, and its payloads."""
        try:
            raw = decode_loosely(line.data)
        except Malformed as error:
            self._malformed(line, str(error))
            return
        refs = [ref for ref in map(read_ref, raw.payload.values()) if ref is not None]
        for ref in refs:
            self._work.trace.raw_payloads[ref.raw_payload_id] = ref
        self.provenance.record_unknown(raw, line, refs)

    def _malformed(self, line: LogLine, reason: str) -> None:
        seq, kind = _what_can_be_told(line.data)
        if not line.ended:
            reason = f"the log ends in the middle of this line ({reason})"
        self._report(
            Problem(
                line=line.number,
                seq=seq,
                event=kind,
                reason=reason,
                consequence=NOT_APPLIED if kind is None else consequence_of_losing(kind),
                reference_says=self._said_of_malformed(line),
            )
        )
        # A number out of a broken line is worth believing only when it is the one to be expected.
        if seq == self._order.expected:
            self._order.place(seq)
        else:
            self._order.place_unreadable()

    def _said_of_malformed(self, line: LogLine) -> str:
        """What the reference says: a line that is not UTF-8 it cannot even read."""
        if not _is_utf8(line.data):
            return f"read trace event line {line.number}"
        return _AFTER_END if self._work.trace.is_recorded_whole else f"parse trace event line {line.number}"

    def _accept_envelope(self, raw: RawEvent, line: LogLine) -> bool:
        """Check end of recording, schema, order and rollout; say whether the event is to be applied.

        Where the schema does not ask for these, they are worth a remark, but not for strict replay. Only
        that a bundle of schema 1 has events of schema 2 refuses it: the reference for the latter would.
        """
        schema = self._schema
        if self._work.trace.is_recorded_whole:
            reason = "the recording was completed before this event"
            self._report_event(raw, line.number, reason, STILL_APPLIED, _AFTER_END)
        if raw.schema_version not in (schema.version, self._manifest.schema_version):
            self._report_mix(raw, line)
        for fault in self._envelope_faults(raw):
            if schema.checks_envelopes:
                self._report_event(raw, line.number, fault.reason, fault.consequence, fault.reference_says)
                if not fault.applied:
                    return False
            elif not self._strict:
                consequence = fault.consequence if fault.applied else STILL_APPLIED
                self._report_event(raw, line.number, fault.reason, consequence, None)
        return True

    def _report_mix(self, raw: RawEvent, line: LogLine) -> None:
        claimed, own = self._manifest.schema_version, self._schema
        later = SCHEMAS.get(raw.schema_version)
        says = None
        if later is not None and later.version > own.version and not self._is_begun(own):
            says = _refused_by(later, claimed)
        elif own.refuses_event is not None:
            says = own.refuses_event.format(raw.schema_version, line.number)
        if says is not None or not self._strict:
            reason = f"an event of trace schema {raw.schema_version} in a bundle of schema {claimed}"
            self._report_event(raw, line.number, reason, STILL_APPLIED, says)

    def _is_begun(self, schema: Schema) -> bool:
        """Whether events came before, in a schema whose reference compares numbers."""
        return schema.checks_envelopes and bool(self.provenance.events)

    def _envelope_faults(self, raw: RawEvent) -> Iterator[EnvelopeFault]:
        fault = place_fault(self._order, raw.seq)
        if fault is not None:
            yield fault
        if raw.rollout_id != self._manifest.rollout_id:
            yield EnvelopeFault(
                f"the event belongs to rollout {raw.rollout_id}, the bundle to {self._manifest.rollout_id}",
                "trace event belongs to another rollout",
                consequence_of_losing(raw.payload.name_of_type),
                applied=False,
            )

    def _apply(self, raw: RawEvent, line: LogLine) -> list[ObjectRef]:
        work = self._work
        work.line_number = line.number
        refs = payload_refs(raw.payload)
        try:
            conflicts = self._handle(raw, line, refs)
        except NotApplicable as error:
            late = work.late_failures[:1]
            work.changes.roll_back()
            if self._strict and late:
                self._report_lost(late[0].raw, late[0].line, late[0].error)
            if self._does_without(error):
                self._report_event(raw, line.number, str(error), DONE_WITHOUT, error.reference_says)
                return self._apply(raw, line)
            self._report_lost(raw, line.number, error)
            return []
        touched, concerned = work.changes.commit()
        affected = [*concerned, *touched]
        self._unsettled.note(affected)
        self.provenance.record(raw, line, refs, affected)
        for conflict in conflicts:
            self._report_event(raw, line.number, str(conflict), STILL_APPLIED, conflict.reference_says)
        failures, work.late_failures = work.late_failures, []
        for failure in failures:
            self._report_lost(failure.raw, failure.line, failure.error)
        return touched

    def _handle(self, raw: RawEvent, line: LogLine, refs: list[PayloadRef]) -> list[Inconsistent]:
        """Record the references of an event and let its module apply it; gives contradicting references."""
        conflicts = [*self._references.record(refs)]
        if conflicts and self._strict:
            raise conflicts[0]
        # Only a line that was itself written to its end says that the recording was.
        if line.ended or not isinstance(raw.payload, RecordingCompleted):
            self._handlers[type(raw.payload)](raw, raw.payload)
        return conflicts

    def _does_without(self, error: NotApplicable) -> bool:
        """Whether an event can be applied once more without the payload that could not be read."""
        if self._strict or not self._schema.may_lose_payloads or not isinstance(error, UnreadablePayload):
            return False
        return error.raw_payload_id is not None and self._payloads.give_up(error.raw_payload_id)

    def _report_lost(self, raw: RawEvent, line: int, error: NotApplicable) -> None:
        consequence = consequence_of_losing(raw.payload.name_of_type)
        self._report_event(raw, line, str(error), consequence, error.reference_says)

    def _report_event(
        self, raw: RawEvent, line: int, reason: str, consequence: str, reference_says: str | None
    ) -> None:
        self._report(
            Problem(
                line=line,
                seq=raw.seq,
                event=raw.payload.name_of_type,
                thread_id=named_thread(raw),
                reason=reason,
                consequence=consequence,
                reference_says=reference_says,
            )
        )

    def _report(self, problem: Problem) -> None:
        if self._strict:
            raise Refused(problem)
        self.problems.append(problem)

    # The graph

    def graph(self) -> RolloutTrace:
        """The graph as if the log ended here; its objects go on changing when more lines are fed.

        Raises:
            Refused: strict, and an undelivered spawn contradicts another edge.
        """
        trace = self._work.trace
        edges, conflicts = self._agents.edges_at_end()
        for conflict in conflicts:
            self._report_at_end(
                Problem(
                    reason=str(conflict), consequence=EDGE_LEFT_OUT, reference_says=conflict.reference_says
                )
            )
        return structs.replace(trace, interaction_edges=edges)

    def verify_payloads(self, step: Step | None = None) -> None:
        """Check that every payload the log refers to is readable JSON, in order of payload id.

        Strict replay does so only where the schema wants it.

        Args:
            step: called now and then, within large payloads, too; what it raises ends the check.

        Raises:
            Refused: strict, and one is not.
        """
        refused = self._schema.checks_unused_payloads
        if not self._schema.events or (self._strict and not refused):
            return
        trace = self._work.trace
        refs = trace.raw_payloads.values()
        is_closed = bool(trace.is_recorded_whole)
        for fault in payload_faults(refs, self._store, self._payloads, is_closed=is_closed, step=step):
            self._report_at_end(
                Problem(
                    reason=str(fault.error),
                    consequence=SHARD_UNUSABLE if fault.raw_payload_id is None else PAYLOAD_UNUSABLE,
                    raw_payload_id=fault.raw_payload_id,
                    reference_says=fault.error.reference_says if refused else None,
                )
            )

    def _verify_ahead(self, shard: Shard) -> None:
        """Look at records for the last check before their shard is forgotten, not to decode it twice."""
        self._payloads.verify_ahead(self._references.of_shard(shard.number), shard.records)

    def _report_at_end(self, problem: Problem) -> None:
        """Report a problem that is looked for whenever the log may have ended, but only once."""
        if problem not in self._said_at_end:
            self._said_at_end.add(problem)
            self._report(problem)


def _only_evidence(raw: RawEvent, event: ProtocolEventObserved) -> None:
    """A protocol event is kept as evidence; the graph does not interpret it."""


def _refuse_other(raw: RawEvent, event: OtherEvent) -> None:
    raise Inconsistent(
        "events of kind other have no meaning in the graph", "raw trace event has no reducer implementation"
    )


def _known_schemas() -> str:
    *others, last = map(str, sorted(SCHEMAS))
    return f"{', '.join(others)} and {last}"


def _unknown_schema(version: int) -> Problem:
    return Problem(
        reason=f"trace schema {version} is not one this program knows ({_known_schemas()})",
        consequence=(
            "There is no graph of it, but its events and payloads can be read as they are. A later version "
            "of this program may know it; the codex that recorded it does."
        ),
        in_manifest=True,
    )


def _foreign_schema(version: int, schema: Schema) -> Problem:
    return Problem(
        reason=f"trace schema {version} is not one this program knows ({_known_schemas()})",
        consequence=f"The bundle is read as one of schema {schema.version}, as its events say.",
        reference_says=_refused_by(schema, version),
        in_manifest=True,
    )


def _refused_by(schema: Schema, version: int) -> str | None:
    """What the reference for a schema says of a manifest with another number."""
    return None if schema.refuses_manifest is None else schema.refuses_manifest.format(version)


_AFTER_END = "trace event after recording completed"
"""What the reference says of any line after the end of the recording that is text."""


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


_SEQ_OF_BROKEN_LINE = re.compile(rb'\s*\{"schema_version":\d+,"seq":(\d{1,20}),')
_KIND_OF_BROKEN_LINE = re.compile(rb'"payload":\{"type":"([a-z_]+)"')


def _what_can_be_told(data: bytes) -> tuple[int | None, str | None]:
    """Sequence number and kind of a line that is not a valid event, as far as it still tells them."""
    try:
        refuse_excess(data)
        value = orjson.loads(data)
    except (JsonError, orjson.JSONDecodeError):
        found, kind = _SEQ_OF_BROKEN_LINE.match(data), _KIND_OF_BROKEN_LINE.search(data)
        return None if found is None else int(found[1]), None if kind is None else kind[1].decode()
    seq, name = dig(value, "seq"), dig(value, "payload", "type")
    sound = isinstance(seq, int) and not isinstance(seq, bool) and seq >= 0
    return seq if sound else None, name if isinstance(name, str) else None
