"""The time of a run as rows: a lane for each agent, the critical path, waits, what never ended, sums."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from functools import partial
from typing import NamedTuple

from reducer import ObjectRef
from rollout_tui import glyphs
from rollout_tui.insight.agents.links import AgentLinks
from rollout_tui.insight.agents.names import agent_label
from rollout_tui.insight.certainty import MARK
from rollout_tui.insight.failures.words import verdict
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.timing.columns import LaneTimes, Mark
from rollout_tui.insight.timing.lanes import KINDS, Segment
from rollout_tui.insight.timing.path import Part, parts_of
from rollout_tui.insight.timing.run_time import RunTime, run_time
from rollout_tui.insight.timing.waiting import Unended, Wait
from rollout_tui.lines.rows import Row
from rollout_tui.lines.spans import Piece, Span, StyleName, span
from rollout_tui.texts.short_forms import clock, duration, one_line, plural
from rollout_tui.views.answer_rows import AnswerRow, AnyRow, LaterRow
from rollout_tui.views.failure_rows import failed_words
from rollout_tui.views.naming import named, percent
from rollout_tui.views.summary_words import clock_words, target_words, wait_words
from rollout_tui.views.time_lanes import MEANINGS, STYLES, compaction_mark, padded, picture, time_label
from rollout_tui.views.time_look import TimeLook, leads_to

APPROVALS = "approvals are not recorded: what a tool call waits for one counts as the tool's"
REBUILT = f"{MARK} rebuilt from a session file: what was recorded last before a call stands for its begin"
MOST_DEPTH = 8
_KEPT = 24
"""Cells that what happened keeps before the columns at its right go."""


class TimeAnswer(NamedTuple):
    """What the screen tells.

    Attributes:
        graph: the graph.
        time: where its time went.
        names: the agents as a tree, by thread id.
        labels: each agent told from all others, by thread id.
        parts: the critical path in parts.
    """

    graph: TraceIndex
    time: RunTime
    names: dict[str, tuple[Span, ...]]
    labels: dict[str, str]
    parts: list[Part]


def time_answer(links: AgentLinks) -> TimeAnswer:
    """Look at the time of a run; as slow as the run is long."""
    index, time = links.index, run_time(links)
    labels = {id_: agent_label(index, id_) for id_ in time.lanes}
    names = {id_: _name(label, index.depth.get(id_, 0)) for id_, label in labels.items()}
    return TimeAnswer(index, time, names, labels, parts_of(time.path))


def _name(label: str, depth: int) -> tuple[Span, ...]:
    """An agent in the tree: the leaf of its path, as deep as it stands."""
    leaf = "/" + label.rsplit("/", 1)[-1] if depth else label
    return span("  " * min(MOST_DEPTH, depth)), span(leaf, "link")


def lane_rows(found: TimeAnswer, look: TimeLook, name_cells: int) -> list[AnyRow]:
    """What each agent did, as a picture in as many columns as there is room for; each leads to the spot.

    Args:
        found: what is told.
        look: where the reader is.
        name_cells: cells of the names of agents.
    """

    def lane(thread_id: str) -> Row:
        columns = found.time.lanes[thread_id].columns(look.window, look.columns)
        spans = (*padded(found.names[thread_id], name_cells), *picture(columns, look.column))
        return Row(("lane", thread_id), spans)

    return [LaterRow(("lane", id_), partial(lane, id_), look.here(id_).ref, id_) for id_ in found.time.lanes]


def rows_below(found: TimeAnswer) -> list[AnyRow]:
    """What stands below the lanes: critical path, waits, what has no end, sums, what is not told."""
    rows: list[AnyRow] = [*_path(found), *_waits(found), *_unended(found), *_sums(found)]
    notes = [clock_words(found.time.clock), APPROVALS]
    notes += [REBUILT] if found.graph.reduction.rebuilt_from is not None else []
    rows.append(_plain(("blank", "notes"), span("")))
    rows += [_plain(("note", place), span(f" {one}", "muted")) for place, one in enumerate(notes) if one]
    return rows


# What the end had to wait for


def _path(found: TimeAnswer) -> Iterator[AnyRow]:
    path = found.time.path
    kinds = ", ".join(
        f"{MEANINGS[kind]} {duration(ms)} ({percent(ms, path.ms)})"
        for kind, ms in path.times.most_common()
        if ms
    )
    yield from _heading("Critical path", f"{duration(path.ms)}: {kinds or 'nothing took any time'}")
    for part in found.parts:
        first = part.links[0]
        lane = found.time.lanes[first.thread_id]
        ref = first.ref or leads_to(lane, lane.segment_of(first.first_seq))
        yield LaterRow(_link_key(part), partial(_part, found, part), ref, first.thread_id)


def _link_key(part: Part) -> tuple[str, int]:
    return "link", part.links[0].first_seq


def _part(found: TimeAnswer, part: Part) -> Row:
    first, last, whole = part.links[0], part.links[-1], found.time.path.ms
    what = plural(len(part.links), "short link") if part.is_short else MEANINGS[first.kind]
    name = "" if part.is_short or first.kind in ("between", "idle") else named(found.graph, first.ref)
    spans = (
        span(f"{duration(part.ms):>7} {percent(part.ms, whole):>4}  "),
        span(f"{found.labels[first.thread_id]}  ", "link"),
        span(f"{what}  ", "muted" if part.is_short else STYLES[first.kind]),
        span(name),
    )
    where = f"seq {first.first_seq} {glyphs.active().becomes} {last.last_seq}"
    return Row(_link_key(part), spans, (span(where, "muted"),), min_main=_KEPT)


# Waits


def _waits(found: TimeAnswer) -> Iterator[AnyRow]:
    waits = found.time.waits
    longest = ", the longest first" if len(waits) > 1 else ""
    told = f"{len(waits)}, {duration(sum(one.ms for one in waits))} in all{longest}" if waits else "none"
    yield from _heading("Waits", told)
    for one in waits:
        key = ("wait", one.seq, one.ref)
        yield LaterRow(key, partial(_wait, found, key, one), one.ref, one.thread_id)


def _wait(found: TimeAnswer, key: Hashable, one: Wait) -> Row:
    words = span(f"{target_words(found.graph, one)}  {wait_words(found.graph, one)}")
    return _since(found, key, one.ms, one.thread_id, one.seq, words)


def _unended(found: TimeAnswer) -> Iterator[AnyRow]:
    unended = found.time.unended
    if unended:
        words = "Never ended" if found.graph.is_over else "Not ended, as far as the log goes"
        yield from _heading(words, str(len(unended)))
    for one in unended:
        key = ("open", one.seq, one.ref)
        yield LaterRow(key, partial(_open, found, key, one), one.ref, one.thread_id)


def _open(found: TimeAnswer, key: Hashable, one: Unended) -> Row:
    return _since(found, key, one.ms, one.thread_id, one.seq, span(named(found.graph, one.ref), "warn"))


def _since(found: TimeAnswer, key: Hashable, ms: int, thread_id: str, seq: int, words: Span) -> Row:
    """For how long, who, what; and since when."""
    agent = span(f"{found.labels.get(thread_id, thread_id)}  ", "link")
    where = span(f"seq {seq}", "muted")
    return Row(key, (span(f"{duration(ms):>7}  "), agent, words), (where,), min_main=_KEPT)


# Sums


def _sums(found: TimeAnswer) -> Iterator[AnyRow]:
    """Of each agent the same figures as `show BUNDLE time`."""
    yield _plain(("blank", "sums"), span(""))
    heads = tuple(_cell(name, name, "muted") for name in _SUMS)
    yield AnswerRow(Row(("head", "sums"), (span("How long", "strong"),), heads))
    for id_ in found.time.lanes:
        yield LaterRow(("sum", id_), partial(_sum, found, id_), ObjectRef("Thread", id_), id_)


_SUMS = ("active", "waiting", "idle", "span", *(MEANINGS[kind] for kind in KINDS[:-1]))


def _sum(found: TimeAnswer, thread_id: str) -> Row:
    lane = found.time.lanes[thread_id].lane
    whole = map(duration, (lane.active_ms, lane.waiting_ms, lane.idle_ms, lane.span_ms))
    kinds = (duration(lane.times[kind]) if lane.times[kind] else "" for kind in KINDS[:-1])
    tail = tuple(_cell(name, words) for name, words in zip(_SUMS, (*whole, *kinds), strict=True))
    return Row(("sum", thread_id), found.names[thread_id], tail)


def _cell(name: str, words: str, style: StyleName = "text") -> Span:
    return span(f"{words:>{max(7, len(name))}}", style)


def _plain(key: Hashable, *spans: Span) -> AnswerRow:
    return AnswerRow(Row(key, spans))


def _heading(words: str, more: str) -> Iterator[AnswerRow]:
    yield _plain(("blank", words), span(""))
    yield _plain(("head", words), span(words, "strong"), span(f"  {more}", "muted"))


# The spot


def spot_lines(found: TimeAnswer, look: TimeLook, thread_id: str) -> list[list[Piece]]:
    """What is at the spot of an agent, in two lines: first what counts there, then what else there is."""
    lane, here = found.time.lanes[thread_id], look.here(thread_id)
    step = max(1, look.window.ms // look.columns)
    at = time_label(look.spot.at - found.time.whole.begin, step)
    pieces = [
        Piece(0, [span(f" {at}", "strong")]),
        Piece(6, [span(f"  {clock(look.spot.at)}", "muted")]),
        Piece(3, [span(f"  {found.labels[thread_id]}", "link")]),
    ]
    first = [one for one in here.marks[:1] if one.ref == here.ref]
    pieces += [Piece(0, [span("  "), _mark_span(found, one)]) for one in first]
    if here.segment is None:
        words = "had not begun" if look.spot.at < lane.begin else "had ended"
        pieces.append(Piece(0, [span(f"  {words}", "muted")]))
    else:
        pieces += _segment_pieces(found, lane, here.segment, step, behind=bool(first))
    causes = [one.failure.cause for one in first if one.failure is not None and one.failure.cause]
    more = [span(f"  {one_line(cause)}", "bad") for cause in causes]
    for one in here.marks[len(first) :]:
        more += [span("  "), _mark_span(found, one)]
    more += [span(f"  {words}", "warn") for words in _clock_steps(found, here.segment)]
    more += [span(f"  {here.others} more in this column", "muted")] if here.others else []
    return [pieces, [Piece(place, [one]) for place, one in enumerate(more)]]


def _segment_pieces(
    found: TimeAnswer, lane: LaneTimes, one: Segment, step: int, *, behind: bool
) -> list[Piece]:
    """What an agent did: what, how long, from when to when, from which event to which."""
    first, step = lane.begin_of(one) - found.time.whole.begin, min(step, max(1, one.ms))
    arrow, later = glyphs.active().becomes, 2 if behind else 0
    name = "" if one.kind in ("between", "idle") else f"  {named(found.graph, one.ref)}"
    return [
        Piece(later, [span(f"  {MEANINGS[one.kind]}", STYLES[one.kind]), span(f"  {duration(one.ms)}")]),
        Piece(4, [span(f"  {time_label(first, step)} {arrow} {time_label(first + one.ms, step)}")]),
        Piece(1 + later, [span(f"  seq {one.first_seq} {arrow} {one.last_seq}", "muted")]),
        Piece(5, [span(name)]),
    ]


def _clock_steps(found: TimeAnswer, one: Segment | None) -> list[str]:
    """Where a clock contradicts the order within a stretch: the first time."""
    steps = found.time.clock.back_steps if one is not None else []
    within = (step for step in steps if one is not None and one.first_seq < step.seq <= one.last_seq)
    first = next(within, None)
    return (
        [] if first is None else [f"the clock went back {first.ms:,} ms at seq {first.seq}; the order counts"]
    )


def _mark_span(found: TimeAnswer, mark: Mark) -> Span:
    if mark.failure is None:
        return span(f"{compaction_mark()} compaction seq {mark.seq}", "strong")
    return span(f"{verdict(mark.failure)} {failed_words(found.graph, mark.ref)}  seq {mark.seq}", "bad")
