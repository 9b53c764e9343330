"""The overview of a run as rows: outcome, failures, agents, waits, compactions; each leads to its place."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from msgspec.structs import replace

from reducer import ObjectRef
from rollout_tui import glyphs
from rollout_tui.insight.agents.names import agent_label
from rollout_tui.insight.agents.table import AgentSummary, Outcome
from rollout_tui.insight.certainty import is_stretch_rebuilt, marked, rebuilt_figures
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.overview import Overview
from rollout_tui.insight.timing.waiting import Wait
from rollout_tui.lines.rows import Row
from rollout_tui.lines.spans import Span, StyleName, span
from rollout_tui.texts.short_forms import count, duration, moment, one_line, plural
from rollout_tui.views.answer_rows import AnswerRow
from rollout_tui.views.failure_rows import failure_row
from rollout_tui.views.figures import figure
from rollout_tui.views.naming import percent
from rollout_tui.views.summary_words import (
    agent_name,
    agent_notes,
    answer_seen_words,
    answer_words,
    clock_words,
    gone_words,
    outcome_words,
    seen_words,
    target_words,
    task_words,
    tokens_words,
    wait_words,
)

TASK_LENGTH = 400
"""Characters of a task in its row, which cuts it where it ends."""

MAIN = 30
"""Cells that name and task of an agent keep before columns are left out."""

MOST_FAILURES = 12
"""Failures that are told; `i` lists all."""

_COLUMNS = (("answer", 13), ("✗", 3), ("seen", 8), ("seen by", 9), ("active", 7), ("waiting", 7),
            ("in", 6), ("cached", 6), ("out", 6))  # fmt: skip
"""Columns of an agent, the most important first: those behind go first where there is no room."""

_NUMBERS = frozenset({"✗", "active", "waiting", "in", "cached", "out"})
_STYLES: dict[Outcome, StyleName] = {
    "answered": "good",
    "no answer": "warn",
    "failed": "bad",
    "aborted": "warn",
    "never ended": "warn",
    "running": "accent",
    "nothing began": "muted",
}


def overview_rows(index: TraceIndex, found: Overview, *, is_narrow: bool) -> list[AnswerRow]:
    """The overview, row by row.

    Args:
        index: the graph.
        found: what there is to tell.
        is_narrow: whether to leave out blanks that only set columns.
    """
    told = (*_of_run(found), *_failures(index, found, is_narrow=is_narrow), *_agents(index, found))
    counts: dict[ObjectRef | None, int] = defaultdict(int)
    rows = []
    for one in (*told, *_behind(index, found)):
        # A row is the same when the run grows if it leads to the same object, and is as far behind.
        rows.append(one._replace(row=replace(one.row, key=(one.ref, counts[one.ref]))))
        counts[one.ref] += 1
    return rows


def _line(*spans: Span, ref: ObjectRef | None = None) -> AnswerRow:
    return AnswerRow(Row(0, spans), ref)


def _heading(words: str, more: str = "") -> Iterator[AnswerRow]:
    yield _line(span(""))
    yield _line(span(words, "strong"), span(f"  {more}" if more else "", "muted"))


def _of_run(found: Overview) -> Iterator[AnswerRow]:
    run = found.run
    asked = "no task was recorded" if run.asked is None else one_line(run.asked.text, TASK_LENGTH)
    yield _line(span(asked, "accent"), ref=None if run.asked is None else run.asked.ref)
    style = _STYLES[run.outcome]
    # An answer is no success while something failed on the way to it.
    yield _line(span(outcome_words(run), "text" if style == "good" and run.failures else style))
    yield _line(span(tokens_words(run.tokens)))
    version = f"codex {run.codex_version}" if run.codex_version else ""
    about = (run.model or "", run.directory, version, run.started_by, moment(run.started_at_unix_ms))
    yield _line(span("  ".join(filter(None, about)), "muted"))
    if run.clock.back_steps:
        yield _line(span(clock_words(run.clock), "warn"))


def _failures(index: TraceIndex, found: Overview, *, is_narrow: bool) -> Iterator[AnswerRow]:
    failures = found.run.failures
    if not failures:
        return
    shown = failures[:MOST_FAILURES]
    more = f", {len(shown)} of them here, i lists all" if len(shown) < len(failures) else ""
    yield from _heading(plural(len(failures), "failure"), f"newest first{more}")
    for one in shown:
        yield AnswerRow(failure_row(index, one, is_narrow=is_narrow), one.ref)


# Agents


def _agents(index: TraceIndex, found: Overview) -> Iterator[AnswerRow]:
    agents = found.run.agents
    yield _line(span(""))
    yield AnswerRow(Row(0, (span(plural(len(agents), "agent"), "strong"),), _heads(), min_main=MAIN))
    width = max((len(agent_name(one)) for one in agents), default=0)
    for one in agents:
        yield AnswerRow(_agent_row(index, one, min(width, MAIN)), ObjectRef("Thread", one.thread_id))
    for one in agents:
        ref = ObjectRef("Thread", one.thread_id)
        for note in agent_notes(index, one):
            yield _line(span(f"  {note}", "muted"), ref=ref)


def _heads() -> tuple[Span, ...]:
    failed = glyphs.active().failed
    return tuple(span(_in_column(failed if name == "✗" else name, name), "muted") for name, _ in _COLUMNS)


def _in_column(text: str, name: str) -> str:
    width = dict(_COLUMNS)[name]
    return f"{text:>{width}}" if name in _NUMBERS else f"{text:<{width}}"


def _agent_row(index: TraceIndex, one: AgentSummary, width: int) -> Row:
    """Name and task, and at the right whether it answered, and what it took."""
    words, rebuilt = answer_words(one), rebuilt_figures(index, one.thread_id)
    values = {
        "answer": words,
        "✗": marked(str(one.failures) if one.failures else "", "failures" in rebuilt),
        "seen": seen_words(one.task_seen, one.task is not None),
        "seen by": answer_seen_words(one),
        "active": marked(duration(one.lane.active_ms), "active_ms" in rebuilt),
        "waiting": marked(duration(one.lane.waiting_ms), "waiting_ms" in rebuilt),
        "in": figure(one.tokens, count(one.tokens.input)),
        "cached": figure(one.tokens, percent(one.tokens.cached, one.tokens.input)),
        "out": figure(one.tokens, count(one.tokens.output)),
    }
    bad = {"answer": words != "yes", "✗": bool(one.failures), "seen": one.task_seen.missing != ""}
    tail = tuple(
        span(_in_column(values[name], name), "warn" if bad.get(name) else "text") for name, _ in _COLUMNS
    )
    name = span(f"{agent_name(one):<{width}}  ", "link")
    task = span(task_words(one.task, TASK_LENGTH), "warn" if one.task is None else "text")
    return Row(0, (name, task), tail, verdict=tail[0], min_main=MAIN)


# What is behind it


def _took(index: TraceIndex, wait: Wait) -> str:
    return marked(duration(wait.ms), is_stretch_rebuilt(index, wait.thread_id, wait.ref))


def _behind(index: TraceIndex, found: Overview) -> Iterator[AnswerRow]:
    if found.waits:
        yield from _heading("Waits", "the longest first; show BUNDLE waits lists all")
    for wait in found.waits:
        words = f"{target_words(index, wait)}  {wait_words(index, wait)}"
        yield _line(
            span(f"{_took(index, wait):>7}  ", "strong"),
            span(f"{agent_label(index, wait.thread_id)}  ", "link"),
            span(words),
            span(f"  seq {wait.seq}", "muted"),
            ref=wait.ref,
        )
    if found.forgotten:
        yield from _heading("What compactions took away")
    for gone in found.forgotten:
        yield _line(span(f"  {gone_words(index, gone)}"), ref=gone.ref)
