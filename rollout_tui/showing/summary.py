"""A run at a glance, as a document: what was asked, how it ended, what failed, and each agent."""

from __future__ import annotations

from typing import Any

from rollout_tui.insight.agents.links import AgentLinks
from rollout_tui.insight.agents.names import agent_label
from rollout_tui.insight.agents.table import AgentSummary, RunSummary, Seen, Task
from rollout_tui.insight.certainty import figures_data, is_stretch_rebuilt, marked, rebuilt_figures
from rollout_tui.insight.compaction.forgotten import Forgotten
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.overview import overview_of
from rollout_tui.insight.timing.waiting import Wait
from rollout_tui.session import Session
from rollout_tui.showing.document import Document, Section
from rollout_tui.showing.failures import failure_data
from rollout_tui.showing.naming import agent_data, encodable, ref_data, unended_data
from rollout_tui.showing.tables import table
from rollout_tui.showing.token_data import missing_data, tokens_data
from rollout_tui.texts.short_forms import count, duration, moment, one_line, plural
from rollout_tui.views.failure_rows import failure_row
from rollout_tui.views.figures import context_size, figure
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

TASK_WORDS = 60
"""Characters of a task in the table of agents."""


def summary_document(session: Session, links: AgentLinks) -> Document:
    """The run at a glance.

    Args:
        session: reads the metadata of the root.
        links: the graph, with what went between its agents.
    """
    found = overview_of(links, session.json)
    index, run, gone = links.index, found.run, found.forgotten
    document = Document("no task was recorded" if run.asked is None else one_line(run.asked.text))
    document.facts = _facts(index, run)
    if run.failures:
        rows = [failure_row(index, one) for one in run.failures]
        document.add_rows(f"{plural(len(rows), 'failure')}, newest first", rows, "failures")
    agents = table([_task_row(one) for one in run.agents], _TASK_HEADING)
    document.sections.append(Section(plural(len(run.agents), "agent"), agents, "agents", head=1))
    figures = table([_figures_row(index, one) for one in run.agents], _FIGURES_HEADING, right=range(1, 13))
    document.sections.append(Section("time, calls, tokens, contexts", figures, "figures", head=1))
    notes = [words for one in run.agents for words in agent_notes(index, one)]
    if notes:
        document.add_text("of these", "\n".join(notes))
    _add_waits(document, index, found.waits)
    if gone:
        document.add_text("what compactions took away", "\n".join(gone_words(index, one) for one in gone))
    document.data = _data(index, run, gone)
    return document


def _facts(index: TraceIndex, run: RunSummary) -> list[tuple[str, str]]:
    told = [
        ("outcome", outcome_words(run)),
        ("model", run.model or ""),
        ("directory", run.directory),
        ("started", " ".join(filter(None, (moment(run.started_at_unix_ms), _by(run))))),
        ("codex", run.codex_version or f"its version is not told; trace schema {index.trace.schema_version}"),
        ("tokens", tokens_words(run.tokens)),
        ("clocks", clock_words(run.clock)),
    ]
    return [(name, value) for name, value in told if value]


def _by(run: RunSummary) -> str:
    return f"by {run.started_by}" if run.started_by else ""


# Agents

_TASK_HEADING = ("agent", "task", "task seen", "answer", "answer seen")
_FIGURES_HEADING = (
    "agent", "active", "waiting", "idle", "calls", "in", "cached", "out", "in all", "context", "most",
    "failed", "compacted",
)  # fmt: skip


def _task_row(one: AgentSummary) -> list[str]:
    return [
        agent_name(one),
        task_words(one.task, TASK_WORDS),
        seen_words(one.task_seen, one.task is not None),
        answer_words(one),
        answer_seen_words(one),
    ]


def _figures_row(index: TraceIndex, one: AgentSummary) -> list[str]:
    rebuilt = rebuilt_figures(index, one.thread_id)
    lane, tokens, whole = one.lane, one.tokens, one.tokens_with_children
    has_children = whole.calls != tokens.calls
    return [
        agent_name(one),
        marked(duration(lane.active_ms), "active_ms" in rebuilt),
        marked(duration(lane.waiting_ms), "waiting_ms" in rebuilt),
        marked(duration(lane.idle_ms), "idle_ms" in rebuilt),
        marked(str(tokens.calls), "calls" in rebuilt),
        figure(tokens, count(tokens.input)),
        figure(tokens, percent(tokens.cached, tokens.input)),
        figure(tokens, count(tokens.output)),
        figure(whole, count(whole.input)) if has_children else "",
        *(context_size(size, tokens) for size in (one.context_now, one.context_most)),
        marked(str(one.failures) if one.failures else "", "failures" in rebuilt),
        str(one.compactions) if one.compactions else "",
    ]


# What is behind it


def _add_waits(document: Document, index: TraceIndex, longest: list[Wait]) -> None:
    rows = [
        [
            marked(duration(one.ms), is_stretch_rebuilt(index, one.thread_id, one.ref)),
            f"seq {one.seq}",
            agent_label(index, one.thread_id),
            target_words(index, one),
            wait_words(index, one),
        ]
        for one in longest
    ]
    if rows:
        document.sections.append(Section("the longest waits", table(rows, right=(0,))))


# The same for programs


def _data(index: TraceIndex, run: RunSummary, gone: list[Forgotten]) -> dict[str, Any]:
    return {
        "asked": _task_data(run.asked),
        "model": None if run.model is None else encodable(run.model),
        "directory": encodable(run.directory),
        "started_by": encodable(run.started_by),
        "codex_version": encodable(run.codex_version) or None,
        "trace_schema": index.trace.schema_version,
        "started_at_unix_ms": run.started_at_unix_ms,
        "ms": run.ms,
        "is_over": run.is_over,
        "outcome": run.outcome,
        "cause": encodable(run.cause),
        "tokens": tokens_data(run.tokens),
        "compactions": run.compactions,
        "clock_goes_back": [{"seq": one.seq, "ms": one.ms} for one in run.clock.back_steps],
        "failures": [failure_data(index, one) for one in run.failures],
        "agents": [_agent_data(index, one) for one in run.agents],
        "forgotten": [_gone_data(index, one) for one in gone],
        **missing_data(model=run.model, codex_version=run.codex_version or None),
    }


def _task_data(task: Task | None) -> dict[str, Any] | None:
    if task is None:
        return None
    return {
        "text": encodable(task.text),
        "is_rebuilt": task.is_rebuilt,
        "is_cut": task.is_cut,
        "encrypted_bytes": task.bytes,
        "sender": encodable(task.sender) or None,
        "source": encodable(task.source) or None,
        "seq": task.seq,
        "object": ref_data(task.ref),
    }


def _seen_data(seen: Seen) -> dict[str, Any]:
    return {
        "call": seen.number,
        "inference_call_id": None if seen.call is None else seen.call.inference_call_id,
        "missing": encodable(seen.missing) or None,
    }


def _agent_data(index: TraceIndex, one: AgentSummary) -> dict[str, Any]:
    lane = one.lane
    return {
        "thread_id": encodable(one.thread_id),
        "agent": encodable(one.path),
        "parent_thread_id": one.parent_id,
        "is_helper": one.is_helper,
        "model": None if one.model is None else encodable(one.model),
        "tasks": one.tasks,
        "task": _task_data(one.task),
        "task_seen": _seen_data(one.task_seen),
        "turns": one.turns,
        "answered_turns": one.answered,
        "no_answer": encodable(one.no_answer) or None,
        "answer": ref_data(one.answer),
        "answers_to_user": one.answers_to_user,
        "answer_seen": _seen_data(one.answer_seen),
        "active_ms": lane.active_ms,
        "waiting_ms": lane.waiting_ms,
        "idle_ms": lane.idle_ms,
        "span_ms": lane.span_ms,
        "tokens": tokens_data(one.tokens),
        "tokens_with_children": tokens_data(one.tokens_with_children),
        "context_now": one.context_now,
        "context_most": one.context_most,
        "failures": one.failures,
        "compactions": one.compactions,
        "verdict": None if one.failure is None else one.failure.verdict,
        "doing": None if one.doing is None else unended_data(index, one.doing),
        **missing_data(model=one.model, context_now=one.context_now, context_most=one.context_most),
        **figures_data(index, one.thread_id),
    }


def _gone_data(index: TraceIndex, one: Forgotten) -> dict[str, Any]:
    return {
        "object": ref_data(one.ref),
        **agent_data(index, one.thread_id),
        "seq": one.seq,
        "files": [{"path": encodable(path), "read_by": ref_data(ref)} for path, ref in one.files.items()],
        "commands": [ref_data(ref) for ref in one.commands],
        "messages": [ref_data(ref) for ref in one.messages],
        "read_again": [
            {"path": encodable(again.path), "first": ref_data(again.first), "again": ref_data(again.again)}
            for again in one.again
        ],
    }
