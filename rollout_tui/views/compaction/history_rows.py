"""The lines of the four states of a compaction, and how a line becomes a row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import NamedTuple

from reducer.model import ConversationItem, TextPart
from rollout_tui import glyphs
from rollout_tui.insight.compaction.steps import CompactionStep, StepView
from rollout_tui.insight.compaction.verdicts import Judged
from rollout_tui.insight.contexts.item_signs import SUMMARY_OPENING, summary_sign
from rollout_tui.insight.contexts.item_sizes import item_size, total_size
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.items.texts import item_label
from rollout_tui.insight.items.titles import item_words
from rollout_tui.lines.rows import Row
from rollout_tui.lines.spans import Span, span
from rollout_tui.texts.short_forms import count, first_line, plural
from rollout_tui.views.compaction.verdict_words import verdict_mark
from rollout_tui.views.contexts.context_rows import rebuilt_spans
from rollout_tui.views.contexts.size_table import at_least

WORD_WIDTH = 56
"""Cells from which a row has room for the word of a verdict beside its mark."""

CHARACTERS_WIDTH = 75
"""Cells from which a row has room for the number of characters."""


class State(IntEnum):
    """The states of a compaction in the order in which they are stepped through."""

    LAST_CALL = 1
    REQUEST = 2
    CHECKPOINT = 3
    FIRST_CALL = 4


STATE_NAMES = {
    State.LAST_CALL: "last call before",
    State.REQUEST: "request",
    State.CHECKPOINT: "checkpoint",
    State.FIRST_CALL: "first call after",
}


def states_of(step: CompactionStep) -> list[State]:
    """The states that stepping goes through: a compaction without a recorded request has no second one."""
    return [state for state in State if state is not State.REQUEST or step.requests]


class Line(NamedTuple):
    """One line of a list: an item, with a verdict or without, or a rule between parts of the list."""

    place: int
    item_id: str | None = None
    judged: Judged | None = None
    rule: str = ""


def last_call_lines(view: StepView) -> list[Line]:
    """What the last call before saw, what it answered, and what came between it and the compaction."""
    call = view.step.last_before
    if call is None:
        return []
    lines = _items(call.request_item_ids)
    answered = len(call.response_item_ids)
    _rule(lines, f"answered with {plural(answered, 'item')}" if answered else "no answer was recorded")
    lines += _items(call.response_item_ids, len(lines))
    if view.step.earlier_seq is not None:
        _rule(
            lines, f"the compaction at seq {view.step.earlier_seq} replaced this, and no call saw the result"
        )
    elif view.step.compaction is not None:
        known = {item.item_id for item in view.last_context}
        added = [item.item_id for item in view.before if item.item_id not in known]
        if added:
            _rule(lines, f"added before the compaction: {plural(len(added), 'item')}")
            lines += _items(added, len(lines))
    return lines


def column_lines(judged: Iterable[Judged]) -> list[Line]:
    """One history of a checkpoint."""
    return [Line(place, one.item_id, one) for place, one in enumerate(judged)]


def first_call_lines(view: StepView) -> list[Line]:
    """What the first call after saw, where each item comes from, and what the model never saw again."""
    found = view.aftermath
    if found is None:
        return []
    lines = column_lines(found.after)
    gone = found.gone
    if not gone:
        _rule(lines, "nothing is gone: every item before came back, as it was or in another form")
        return lines
    ids = {one.item_id for one in gone}
    total = total_size(item for item in view.all_before if item.item_id in ids)
    size = f"{at_least(total)}{total.characters:,} characters"
    _rule(lines, f"gone for good: {plural(total.items, 'item')}, {size}")
    return lines + [Line(len(lines) + place, one.item_id, one) for place, one in enumerate(gone)]


def _items(item_ids: Sequence[str], first: int = 0) -> list[Line]:
    return [Line(first + place, item_id) for place, item_id in enumerate(item_ids)]


def _rule(lines: list[Line], words: str) -> None:
    lines.append(Line(len(lines), rule=words))


class HistoryRows:
    """Makes the row of a line."""

    def __init__(self, index: TraceIndex, width: int) -> None:
        """Remember what rows are made from.

        Args:
            index: the graph.
            width: cells of a row. In few of them the verdict is a mark, without its word, and the number of
                characters is left out.
        """
        self._index = index
        self._with_word = width >= WORD_WIDTH
        self._with_characters = width >= CHARACTERS_WIDTH

    def row(self, line: Line) -> Row:
        """Verdict, what the item is, the first line of what it says, and at the right its characters."""
        if line.item_id is None:
            return Row(line.place, (span(f"{glyphs.active().rule * 2} {line.rule}", "muted"),))
        item = self._index.trace.conversation_items[line.item_id]
        label = self._label(item, line.judged)
        words = span(_words(self._index, item))
        return Row(
            line.place,
            (
                *self._verdict(line.judged),
                *rebuilt_spans(self._index, item),
                span(f"{label:<10}", "accent"),
                words,
            ),
            tail=(span(_characters(item), "muted"),) if self._with_characters else (),
        )

    def _verdict(self, judged: Judged | None) -> tuple[Span, ...]:
        if judged is None:
            return (span(" "),)
        mark, style = verdict_mark(judged.verdict)
        doubt = glyphs.active().unknown if judged.is_judged else " "
        word = f"{judged.verdict:<13}" if self._with_word else ""
        return (span(f"{mark}{doubt} {word}", style),)

    def _label(self, item: ConversationItem, judged: Judged | None) -> str:
        sign = summary_sign(item) if judged is None else judged.summary
        return item_label(item) if sign is None else "summary"


def _words(index: TraceIndex, item: ConversationItem) -> str:
    """The first line of an item; of a summary in plain text, the first one after the usual opening."""
    part = item.body.parts[0] if item.body.parts else None
    if isinstance(part, TextPart) and part.text.startswith(SUMMARY_OPENING):
        opening, _newline, summary = part.text.partition("\n")
        return first_line(summary) or first_line(opening)
    return item_words(index, item)


def _characters(item: ConversationItem) -> str:
    """The characters of an item that can be read, in eight cells; blank where all of it is encrypted."""
    total = item_size(item)
    if total.encrypted and not total.characters:
        return ""
    return f"{f'{at_least(total)}{count(total.characters)} ch':>8}"
