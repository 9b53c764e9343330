"""Where the objects of the graph come from: beside the graph, not part of it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from functools import cache

from msgspec import Struct, structs

from reducer.model.objects import GraphType, ObjectRef
from reducer.storage.bundle import LogLine
from reducer.wire.events import Event, RawEvent
from reducer.wire.log import LooseEvent
from reducer.wire.payload_refs import PayloadRef


class EventRecord(Struct, frozen=True):
    """One event of the log, without its body.

    Attributes:
        seq: sequence number.
        line: physical line of `trace.jsonl`, from 1.
        offset: where that line begins, in bytes.
        at_unix_ms: wall-clock time of the event.
        kind: kind of the event, such as `inference_started`.
        thread_id: the thread that its body names, or else its envelope.
        codex_turn_id: the turn that its body names, or else its envelope.
        payloads: the payload references it carries.
        note: what it says besides, such as the type of a protocol event or the reason of a failure.
        file: the log file in which the line stands; empty where a recording has but one.
    """

    seq: int
    line: int
    offset: int
    at_unix_ms: int
    kind: str
    thread_id: str | None
    codex_turn_id: str | None
    payloads: tuple[PayloadRef, ...] = ()
    note: str | None = None
    file: str = ""


class Provenance:
    """Which events made and touched each object, and which payloads they carried."""

    def __init__(self) -> None:
        self._recorded: list[EventRecord] = []
        self._trails: dict[ObjectRef, list[int]] = {}

    @property
    def events(self) -> Sequence[EventRecord]:
        """Every applied event, in the order of the log."""
        return self._recorded

    def record(
        self, raw: RawEvent, line: LogLine, payloads: Sequence[PayloadRef], touched: Sequence[ObjectRef]
    ) -> None:
        """Note an applied event, the payloads it carries, and the objects it made, changed or prepared."""
        position = len(self._recorded)
        self._recorded.append(
            EventRecord(
                raw.seq,
                line.number,
                line.offset,
                raw.wall_time_unix_ms,
                raw.payload.name_of_type,
                named_thread(raw),
                _named(raw.payload, "turn") or raw.codex_turn_id,
                tuple(payloads),
                _note(raw.payload),
            )
        )
        for ref in touched:
            trail = self._trails.get(ref)
            if trail is None:
                self._trails[ref] = [position]
            elif trail[-1] != position:
                trail.append(position)

    def record_unknown(self, raw: LooseEvent, line: LogLine, payloads: Sequence[PayloadRef]) -> None:
        """Note an event of a schema that is not known, and the payloads it seems to carry."""
        self._recorded.append(
            EventRecord(
                raw.seq,
                line.number,
                line.offset,
                raw.wall_time_unix_ms,
                raw.kind,
                _told(raw.payload, _OWN_FIELDS["thread"]) or raw.thread_id,
                _told(raw.payload, _OWN_FIELDS["turn"]) or raw.codex_turn_id,
                tuple(payloads),
            )
        )

    def evidence_of(self, event: EventRecord) -> tuple[PayloadRef, ...]:
        """What holds the texts that came with an event, for whoever looks for one."""
        return event.payloads

    def objects_of(self, event: EventRecord) -> list[ObjectRef]:
        """The objects that an event concerns, the eldest first; this looks through all that are older."""
        position = bisect_left(self.events, event.offset, key=lambda one: one.offset)
        found = []
        for ref, trail in [*self._trails.items()]:  # another thread may be at it
            if trail[0] > position:
                break  # trails are in the order in which they began
            place = bisect_left(trail, position)
            if place < len(trail) and trail[place] == position:
                found.append(ref)
        return found

    def of(self, type_: GraphType, object_id: str) -> list[EventRecord]:
        """The events that concern an object; the first one made it, or asked for it to be made.

        Args:
            type_: name of the object's type, such as `ToolCall`.
            object_id: its id in the graph.
        """
        return [self.events[position] for position in self._trails.get(ObjectRef(type_, object_id), ())]


_OWN_FIELDS = {
    "thread": ("thread_id", "child_thread_id"),
    "turn": ("codex_turn_id", "child_codex_turn_id"),
}
"""Fields of a body that say of whom an event tells; a result is its child's, whoever gets it."""


def named_thread(raw: RawEvent) -> str | None:
    """The thread of which an event tells: its body knows better than its envelope, which need not say."""
    return _named(raw.payload, "thread") or raw.thread_id


def _named(event: Event, what: str) -> str | None:
    name = _own_field(type(event), what)
    return None if name is None else getattr(event, name)


@cache
def _own_field(type_: type[Event], what: str) -> str | None:
    return next((name for name in _OWN_FIELDS[what] if name in type_.__struct_fields__), None)


def _told(body: Mapping[str, object], names: Sequence[str]) -> str | None:
    return next((told for name in names if isinstance(told := body.get(name), str)), None)


def payload_refs(event: Event) -> list[PayloadRef]:
    """The payload references that an event carries, in the order of its fields."""
    refs: list[PayloadRef] = []
    for value in structs.astuple(event):
        if isinstance(value, PayloadRef):
            refs.append(value)
        elif isinstance(value, list):
            refs.extend(entry for entry in value if isinstance(entry, PayloadRef))
    return refs


def _note(event: Event) -> str | None:
    name = _field_of_note(type(event))
    return None if name is None else getattr(event, name)


@cache
def _field_of_note(type_: type[Event]) -> str | None:
    return next((name for name in ("event_type", "error", "reason") if name in type_.__struct_fields__), None)
