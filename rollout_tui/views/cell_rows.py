"""How a code cell, its steps, and what the model saw of it look in a row."""

from __future__ import annotations

from reducer import ObjectRef
from rollout_tui import glyphs
from rollout_tui.insight.cells.steps import CellSteps, LaneMark, Step, StepKind
from rollout_tui.insight.cells.what_was_seen import Seen, SeenRow
from rollout_tui.insight.failures.definition import failure_of
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.tools.words import cell_words, tool_label, tool_words
from rollout_tui.lines.rows import Row
from rollout_tui.lines.spans import Piece, Span, StyleName, drop_to_fit, span
from rollout_tui.texts.short_forms import clock, duration, one_line, plural, window_ms
from rollout_tui.views.failure_spans import verdict_span
from rollout_tui.views.status import status_span

STEP_MAIN = 34
"""Cells of a step that come before how long it took: where it is, its kind, the beginning of its words."""

HEADER_WORDS = 40
"""Characters of what a cell ran in the line above its steps."""

_KIND_STYLES: dict[StepKind, StyleName] = {
    "started": "strong",
    "call": "accent",
    "result": "text",
    "yield": "special",
    "response": "special",
    "wait": "special",
    "waited": "special",
    "ended": "strong",
    "turn end": "warn",
    "no end": "warn",
}
_SEEN_WORDS: dict[Seen, tuple[str, StyleName]] = {
    "seen": ("saw", "good"),
    "part": ("saw part of", "warn"),
    "unseen": ("did not see", "bad"),
    "unknown": ("perhaps saw", "muted"),
    "empty": ("no text in", "muted"),
}


def elapsed(ms: int | None) -> str:
    """The time since a cell started: `+274ms`, `+1.25s`, `+8m15s`; empty without one.

    Args:
        ms: milliseconds; clocks may go backwards, so they may be negative.
    """
    if ms is None:
        return ""
    sign = "-" if ms < 0 else "+"
    if abs(ms) < 1000:
        return f"{sign}{abs(ms)}ms"
    return f"{sign}{abs(ms) / 1000:.2f}s" if abs(ms) < 59_995 else f"{sign}{duration(abs(ms))}"


def step_row(step: Step, lanes: int) -> Row:
    """The row of a step; its key is its place.

    Args:
        step: the step.
        lanes: how many nested calls at once are drawn side by side.
    """
    seq = "" if step.seq is None else str(step.seq)
    label = f"{step.kind:<9}"
    tail: tuple[Span, ...] = ()
    verdict: Span | None = None
    if step.status is not None:
        verdict = status_span(step.status) if step.failure is None else verdict_span(step.failure)
        tail = (verdict, span(f"{elapsed(step.took_ms).removeprefix('+'):>6}", "muted"))
    return Row(
        key=step.place,
        spans=(
            span(f"{seq:>4} {elapsed(step.since_ms):>8} ", "muted"),
            span("".join(_lane_mark(mark) for mark in step.lanes[:lanes]) + " ", "accent"),
            span(label, _KIND_STYLES[step.kind]),
            span(step.words),
        ),
        tail=tail,
        verdict=verdict,
        min_main=STEP_MAIN,
    )


def _lane_mark(mark: LaneMark) -> str:
    marks = glyphs.active()
    return {"begin": marks.branch, "open": marks.trunk, "end": marks.last_branch, "": " "}[mark]


def lanes_drawn(steps: CellSteps) -> int:
    """How many lanes the rows of a cell need."""
    return max(
        (place + 1 for step in steps.steps for place, mark in enumerate(step.lanes) if mark), default=0
    )


def step_facts(index: TraceIndex, step: Step) -> list[Span]:
    """Where and when a step was, and which nested calls were open."""
    if step.seq is None or step.at_unix_ms is None:
        return [span("not in the log", "muted")]
    spans = [span(f"seq {step.seq}  {clock(step.at_unix_ms)}  {elapsed(step.since_ms)}", "muted")]
    if step.open_count:
        names = "; ".join(f"{tool_label(index, call)} {tool_words(index, call)}" for call in step.open_calls)
        spans += [span(f"  {step.open_count} open: ", "accent"), span(one_line(names))]
    return spans


def cell_header(
    index: TraceIndex, steps: CellSteps, place: int, total: int, width: int | None = None
) -> list[Span]:
    """What a cell is, in a line.

    Args:
        index: the graph.
        steps: the cell.
        place: which cell of the bundle it is, from 0.
        total: how many there are.
        width: cells there are; None for as many as are wanted.
    """
    cell = steps.cell
    turn = index.trace.codex_turns.get(cell.codex_turn_id)
    number = "" if turn is None else f"  turn {index.turn_number(turn.codex_turn_id)}"
    failure = failure_of(index, ObjectRef("CodeCell", cell.code_cell_id))
    state = [status_span(cell.execution.status), span(f" {cell.runtime_status}")]
    verdict = state if failure is None else [verdict_span(failure)]
    calls = plural(len(steps.calls), "nested call")
    at_once = f", {steps.most_open} at once" if steps.most_open > 1 else ""
    waits = plural(len(cell.wait_tool_call_ids), "wait") if cell.wait_tool_call_ids else ""
    pieces = [
        Piece(0, [span(f" exec cell {place + 1} of {total}", "strong")]),
        Piece(1, [span(f"  {index.thread_path(cell.thread_id)}", "link")]),
        Piece(2, [span(f"  {one_line(cell_words(index, cell), HEADER_WORDS)}", "text")]),
        Piece(5, [span(number, "muted")]),
        Piece(0, [span("  "), *verdict]),
        Piece(3, [span(f"  {duration(window_ms(cell.execution))}", "muted")]),
        Piece(4, [span("  ".join(filter(None, (f"  {calls}{at_once}", waits))), "muted")]),
    ]
    return drop_to_fit(pieces, width)


def site_words(step: Step, source: str) -> str:
    """Where in the source the call of a step stands, or why nobody knows."""
    if step.site is not None:
        return f"line {source.count(chr(10), 0, step.site.start) + 1}"
    return f"not known: {step.doubt}" if step.doubt else ""


def seen_row(numbered: tuple[int, SeenRow]) -> Row:
    """The row of something that the model saw or did not see; its key is its place."""
    place, entry = numbered
    marks = glyphs.active()
    mark = {"seen": marks.kept, "part": marks.added, "unseen": marks.dropped}.get(entry.seen, marks.unknown)
    words, style = _SEEN_WORDS[entry.seen]
    tail = () if entry.by_call is None else (span(f"call {entry.by_call}", "muted"),)
    return Row(
        key=place,
        spans=(
            span(f"{mark} {words:<12}", style),
            span(one_line(entry.what, 60)),
            span(f"  {entry.words}", "muted"),
        ),
        tail=tail,
    )
