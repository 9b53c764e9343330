"""Where a jump leads, and what is to be said if that is not just what was asked for. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import Literal

from msgspec import Struct

from reducer import EventRecord, ObjectRef
from reducer.model.objects import GraphType
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.timeline.entries import Entry
from rollout_tui.insight.type_names import TYPE_NAMES
from rollout_tui.language.commands import GoToNumber
from rollout_tui.texts.short_forms import plural
from rollout_tui.views.timeline import Timelines

GONE = "not in what is shown now"
"""What is said of something that another view of the bundle had."""

_OF_KIND: tuple[tuple[str, frozenset[GraphType]], ...] = (
    ("inference_", frozenset({"InferenceCall"})),
    ("tool_call_", frozenset({"ToolCall"})),
    ("mcp_tool_call_", frozenset({"ToolCall"})),
    ("stdin_", frozenset({"ToolCall"})),
    ("code_cell_wait_", frozenset({"ToolCall"})),
    ("code_cell_", frozenset({"CodeCell"})),
    ("compaction_request_", frozenset({"CompactionRequest"})),
    ("compaction_", frozenset({"Compaction"})),
    ("codex_turn_", frozenset({"Turn"})),
    ("history_item_", frozenset({"ConversationItem", "InteractionEdge"})),
)
"""By the beginning of its kind: of what an event tells, among all the objects that it concerns."""

_NONE: frozenset[GraphType] = frozenset()


class Landing(Struct, frozen=True):
    """Where the jump to an event ends.

    Attributes:
        entry: the entry of the timeline; None where there is none at all.
        is_its_own: whether that stands for the event, or for what the event tells of.
        is_missing: whether there is no such event at all; then the entry is the nearest.
        words: a sentence about it; empty if the event began what the entry stands for.
    """

    entry: Entry | None
    is_its_own: bool
    words: str = ""
    is_missing: bool = False


def landing_at(timelines: Timelines, seq: int, thread_id: str | None) -> Landing:
    """Where a sequence number leads.

    Args:
        timelines: the view.
        seq: the sequence number.
        thread_id: the agent whose timeline is shown: there the nearest is looked for if the log names none.
    """
    index, everything = timelines.index, timelines.tree(None).values
    event = index.event_at(seq) if index.has_happened(seq) else None
    place = bisect_left(everything, seq + 1, key=_seq)
    begun = everything[bisect_left(everything, seq, key=_seq) : place]
    if begun:
        own = [entry for entry in begun if event is None or entry.thread_id == event.thread_id]
        return Landing((own or begun)[-1], is_its_own=True)
    if event is None:
        nearest = _last_before(timelines, seq, thread_id)
        return Landing(nearest, is_its_own=False, words=no_event_words(index, seq), is_missing=True)
    about = _entry_about(timelines, event)
    what = event_words(event)
    if about is not None:
        words = f"seq {seq}, {what}: it is of this entry, seq {about.seq}"
        return Landing(about, is_its_own=True, words=words)
    nearest = _last_before(timelines, seq, event.thread_id or thread_id)
    words = f"seq {seq}, {what}: it has no entry"
    if nearest is not None:
        words += f"; this is the {'last one before' if nearest.seq <= seq else 'first one after'} it"
    return Landing(nearest, is_its_own=False, words=words)


def _seq(entry: Entry) -> int:
    return entry.seq


def _entry_about(timelines: Timelines, event: EventRecord) -> Entry | None:
    """The entry of the object of which an event tells."""
    index, everything = timelines.index, timelines.tree(None)
    types = next((types for kind, types in _OF_KIND if event.kind.startswith(kind)), _NONE)
    for ref in index.reduction.provenance.objects_of(event) if types else ():
        if ref.type in types and index.has(ref):
            place = everything.find(ref_with_entry(index, ref))
            if place is not None:
                return everything.values[place]
    return None


def ref_with_entry(index: TraceIndex, ref: ObjectRef) -> ObjectRef:
    """What has the entry of an object: a tool call stands for the cell that it began, and for operations."""
    if ref.type == "CodeCell":
        return index.entry_of_cell(index.trace.code_cells[ref.id])
    if ref.type == "TerminalOperation":
        return ObjectRef("ToolCall", index.trace.terminal_operations[ref.id].tool_call_id)
    return ref


def _last_before(timelines: Timelines, seq: int, thread_id: str | None) -> Entry | None:
    """The last entry of an agent at or before a sequence number, or else its first one; of all if unknown."""
    known = thread_id if thread_id in timelines.index.trace.threads else None
    of_agent = timelines.tree(known).values
    entries: Sequence[Entry] = of_agent or timelines.tree(None).values
    before = last_before(timelines, seq, lambda entry: not of_agent or known in (None, entry.thread_id))
    return before or next(iter(entries), None)


def last_before(timelines: Timelines, seq: int, is_wanted: Callable[[Entry], bool]) -> Entry | None:
    """The last entry at or before a sequence number among those wanted; the first of several of one number.

    Args:
        timelines: the view.
        seq: the sequence number.
        is_wanted: whether an entry is looked for; asked of the last ones first.
    """
    everything, found = timelines.tree(None).values, None
    for place in range(bisect_left(everything, seq + 1, key=_seq) - 1, -1, -1):
        entry = everything[place]
        if found is not None and entry.seq != found.seq:
            break
        if is_wanted(entry):
            found = entry
    return found


def event_words(event: EventRecord) -> str:
    """The kind of an event, and of a protocol event its type."""
    is_typed = event.kind == "protocol_event_observed" and event.note
    return f"{event.kind} {event.note}" if is_typed else event.kind


def no_event_words(index: TraceIndex, seq: int) -> str:
    """Why there is no event with a sequence number."""
    events = index.reduction.provenance.events
    if not events or not index.has_happened(events[0].seq):
        return "no event of the log could be applied"
    first, last = events[0].seq, index.last_seq
    if first <= seq <= last:
        return f"there is no seq {seq}: it is missing from the log, or could not be applied"
    return f"there is no seq {seq}: what is shown goes from {first} to {last}"


def gone_words(ref: ObjectRef) -> str:
    """That an object is not there, though it was somewhere."""
    name = TYPE_NAMES[ref.type].word
    return f"this {name} is {GONE}" if ref.type == "Problem" else f"{name} {ref.id} is {GONE}"


def missing_words(index: TraceIndex, thread_id: str, wanted: GoToNumber) -> str:
    """Why a number means nothing, and how many there are.

    Args:
        index: the graph.
        thread_id: the agent whose calls and turns were counted.
        wanted: what was counted, and which one.
    """
    what, number = wanted.what, wanted.number
    if what == "seq":
        return no_event_words(index, number)
    if what == "call" or what == "turn":
        path = index.thread_path(thread_id)
        return f"there is no {what} {number} of {path}: {_count(index, thread_id, what)}"
    if what == "item":
        have = plural(len(index.trace.conversation_items), "item")
        return f"there is no item {number}: the bundle has {have}"
    if what == "payload":
        return f"there is no payload {number}: no event that was applied refers to one"
    return f"there is no event on line {number}: it is blank, was refused, or is not in the log"


def _count(index: TraceIndex, thread_id: str, what: Literal["call", "turn"]) -> str:
    contents = index.contents.get(thread_id)
    if contents is None:
        return f"it has no {what}s"
    counted = len(contents.calls if what == "call" else contents.turns)
    return f"it has {plural(counted, what) if counted else f'no {what}s'}"
