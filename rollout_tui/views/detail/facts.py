"""The object under the cursor: its fields in plain words, its links, its texts, its payloads."""

from __future__ import annotations

from msgspec import Struct, field

from reducer import EventRecord, ObjectRef
from reducer.model import ConversationItem
from reducer.wire.payload_refs import PayloadRef
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.items.sections import TextSection
from rollout_tui.insight.problems.line import LinePlace
from rollout_tui.lines.rows import Row
from rollout_tui.lines.spans import StyleName, span
from rollout_tui.safe_text import SafeText, safe_text
from rollout_tui.texts.short_forms import plural


class Fact(Struct, frozen=True):
    """A field of an object, and where `enter` on it leads, if anywhere."""

    name: str
    value: str
    link: ObjectRef | None = None
    style: StyleName = "text"


class Evidence(Struct, frozen=True):
    """A payload of an object.

    Attributes:
        name: what it is to the object, such as `request` or `result`.
        ref: where it is.
        item: the item to look for in it, when the payload holds more than the object.
    """

    name: str
    ref: PayloadRef
    item: ConversationItem | None = None


class Detail(Struct):
    """All that the detail pane shows of one object.

    Attributes:
        ref: the object.
        title: what it is, in a few words.
        facts: the rows of the Object tab.
        texts: the sections of the Text tab.
        payloads: what the Raw tab offers.
        log_line: the log line to show as raw evidence where there is no payload.
    """

    ref: ObjectRef
    title: SafeText
    facts: list[Fact] = field(default_factory=list)
    texts: list[TextSection] = field(default_factory=list)
    payloads: list[Evidence] = field(default_factory=list)
    log_line: LinePlace | None = None

    def add(self, name: str, value: object, link: ObjectRef | None = None, style: StyleName = "text") -> None:
        """Add a fact, unless it has no value."""
        if value is not None and value != "":
            self.facts.append(Fact(name, str(value), link, style))

    def add_payload(
        self, index: TraceIndex, name: str, payload_id: str | None, item: ConversationItem | None = None
    ) -> None:
        """Add a payload by its id, if there is one."""
        ref = None if payload_id is None else index.trace.raw_payloads.get(payload_id)
        if ref is not None:
            self.payloads.append(Evidence(name, ref, item))


class FactRow(Struct, frozen=True):
    """A fact in its place among the rows of the Object tab."""

    place: int
    fact: Fact


NAME_WIDTH = 15


def fact_row(numbered: FactRow) -> Row:
    """The row of a fact; one that leads somewhere says so."""
    fact = numbered.fact
    style: StyleName = "link" if fact.link is not None else fact.style
    return Row(
        key=numbered.place,
        spans=(span(f"{fact.name:<{NAME_WIDTH}} ", "muted"), span(fact.value, style)),
    )


def titled(ref: ObjectRef, title: str) -> Detail:
    """A detail that has only its title yet."""
    return Detail(ref, safe_text(title))


def add_trail(detail: Detail, events: list[EventRecord]) -> None:
    """Say which events of the log the object comes from; show the first as raw evidence."""
    if not events:
        return
    made, *later = events
    if detail.ref.type != "Event":
        _add_event(detail, "made by", made)
    for event in later[:_LATER_EVENTS]:
        _add_event(detail, "then", event)
    if len(later) > _LATER_EVENTS:
        detail.add("", f"and {plural(len(later) - _LATER_EVENTS, 'event')} more")
    detail.log_line = LinePlace(made.offset, made.file)


def _add_event(detail: Detail, name: str, event: EventRecord) -> None:
    """Name an event of the log, with a link to it."""
    words = f"seq {event.seq}, {event.kind}, line {event.line}"
    detail.add(name, words, ObjectRef("Event", str(event.seq)))


_LATER_EVENTS = 12
"""Events that a detail lists by name; most objects have fewer, some have hundreds."""
