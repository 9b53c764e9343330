"""What is said of a run and of its agents at a glance: outcome, tasks, answers, waits, what was forgotten."""

from __future__ import annotations

from msgspec.structs import replace

from rollout_tui import glyphs
from rollout_tui.insight.agents.names import agent_label
from rollout_tui.insight.agents.table import AgentSummary, Outcome, RunSummary, Seen, Task
from rollout_tui.insight.agents.waits import WaitEnd
from rollout_tui.insight.compaction.forgotten import Forgotten
from rollout_tui.insight.failures.words import verdict
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.timing.clock import Clock
from rollout_tui.insight.timing.waiting import Wait
from rollout_tui.insight.tokens.sums import TokenSum
from rollout_tui.insight.tools.words import wait_end_words
from rollout_tui.texts.short_forms import count, duration, one_line, plural, size
from rollout_tui.views.naming import named, percent

_OUTCOMES: dict[Outcome, str] = {
    "answered": "ended with an answer",
    "no answer": "ended without an answer",
    "failed": "failed",
    "aborted": "was aborted",
    "never ended": "never ended",
    "running": "still runs, as far as the log goes",
    "nothing began": "nothing began",
}


def outcome_words(run: RunSummary) -> str:
    """How a run came out, in one line: how it ended, after what time, with how many failures."""
    words = [f"{_OUTCOMES[run.outcome]}, after {duration(run.ms)}"]
    if run.cause:
        words[0] += f": {run.cause}"
    doing = next((one.doing for one in run.agents if one.doing is not None), None)
    if doing is not None and not run.is_over:
        words.append(f"since seq {doing.seq}, {duration(doing.ms)} before the end of the log, something runs")
    words.append(plural(len(run.failures), "failure"))
    if run.compactions:
        words.append(plural(run.compactions, "compaction"))
    most = max((one.context_most or 0 for one in run.agents), default=0)
    if most:
        words.append(f"context {count(most)} tok at most")
    return "; ".join(words)


def tokens_words(tokens: TokenSum) -> str:
    """`107k in (71% cached), 9.8k out (2.2k reasoning), 28 calls`, and of how many calls none were told."""
    if not tokens.is_told:
        return f"not recorded, {plural(tokens.calls, 'call')}"
    thought = f" ({count(tokens.reasoning)} reasoning)" if tokens.reasoning else ""
    cached = f" ({percent(tokens.cached, tokens.input)} cached)" if tokens.input else ""
    words = f"{count(tokens.input)} in{cached}, {count(tokens.output)} out{thought}"
    words += f", {plural(tokens.calls, 'call')}"
    return words + (f", {tokens.untold} of them without figures" if tokens.untold else "")


def clock_words(clock: Clock) -> str:
    """Where clocks contradict the order of the log; empty if they do not."""
    steps = clock.back_steps
    if not steps:
        return ""
    worst = max(steps, key=lambda one: one.ms)
    return (
        f"clocks go back {plural(len(steps), 'time')} against the order of the log, at most by "
        f"{worst.ms:,} ms at seq {worst.seq}; the order counts"
    )


def agent_name(one: AgentSummary) -> str:
    """An agent in the tree: the leaf of its path, as deep as it stands."""
    leaf = "/" + one.label.rsplit("/", 1)[-1] if one.depth else one.label
    return "  " * min(20, one.depth) + leaf


def task_words(task: Task | None, limit: int) -> str:
    """A task in a row: what its sender wrote behind `≈`, where the copy of the agent is encrypted."""
    if task is None:
        return "none was recorded"
    marks = glyphs.active()
    if not task.text and task.bytes:
        return f"encrypted, {size(task.bytes)}"
    text = one_line(task.text, limit)
    more = marks.ellipsis if task.is_cut or len(one_line(task.text, limit + 1)) > limit else ""
    return f"{marks.about + ' ' if task.is_rebuilt else ''}{text}{more}"


def seen_words(seen: Seen, is_any: bool) -> str:
    """`call 3`, `never`, or nothing where there was nothing to see."""
    if seen.number is not None:
        return f"call {seen.number}"
    return "never" if is_any else ""


def answer_words(one: AgentSummary) -> str:
    """Whether an agent answered: `yes`, `1 of 2`, or the verdict of what it did instead."""
    if one.answered == one.turns and one.turns:
        return "yes"
    none = "none" if one.failure is None else f"none {verdict(one.failure)}"
    return f"{one.answered} of {one.turns}" if one.answered else none


def answer_seen_words(one: AgentSummary) -> str:
    """Who saw the last answer of an agent: `the user`, `call 7`, or `never`."""
    if one.answer is None:
        return ""
    if one.answers_to_user:
        return "the user"
    return seen_words(one.answer_seen, is_any=True)


def agent_notes(index: TraceIndex, one: AgentSummary) -> list[str]:
    """What a row of the table has no room for: why something is missing, and what is rebuilt."""
    notes = []
    if one.task is not None and one.task.is_rebuilt:
        words = f"{one.label}: its copy of the task is encrypted ({size(one.task.bytes)}); this is what"
        notes.append(f"{words} {one.task.sender} wrote in {one.task.source}, seq {one.task.seq}")
    if one.task_seen.missing:
        notes.append(f"{one.label}: no call saw its task: {one.task_seen.missing}")
    if one.no_answer:
        notes.append(f"{one.label}: no answer: {one.no_answer}")
    if one.answer is not None and not one.answers_to_user and one.answer_seen.missing:
        notes.append(f"{one.label}: its answer was not seen: {one.answer_seen.missing}")
    if one.doing is not None:
        since = f"since seq {one.doing.seq}, {duration(one.doing.ms)} before the end of the log"
        ends = "never ended" if index.is_over else "has not ended"
        notes.append(f"{one.label}: {named(index, one.doing.ref)} {ends}, {since}")
    return notes


def gone_words(index: TraceIndex, one: Forgotten) -> str:
    """What a compaction took away: `seq 307 of /root: 2 files, 5 commands; read again: src/a.py`."""
    gone = [
        plural(len(one.files), "file") if one.files else "",
        plural(len(one.commands), "command") if one.commands else "",
        plural(len(one.messages), "agent message") if one.messages else "",
    ]
    words = f"seq {one.seq} of {agent_label(index, one.thread_id)}: {', '.join(filter(None, gone))}"
    again = ", ".join(dict.fromkeys(read.path for read in one.again))
    return f"{words}; read again: {again}" if again else words


def target_words(index: TraceIndex, wait: Wait) -> str:
    """For what or whom a tool call waited."""
    if wait.kind == "wait for agent":
        return f"for {wait.target or 'any agent'}"
    return "for the user" if wait.kind == "wait for person" else named(index, wait.ref)


def wait_words(index: TraceIndex, wait: Wait) -> str:
    """What ended a wait: `ended by /root/alpha's result`, `timed out`, `never ended`."""
    end = wait.end
    if end is None:
        return "never ended" if wait.last_seq is None else wait.status
    told = "" if end.is_told else ", by the order of the log"
    sender = _sender(index, end)
    words = wait_end_words(replace(end, sender=sender))
    return f"ended by {words}{told}" if sender else words


def _sender(index: TraceIndex, end: WaitEnd) -> str:
    """The agent that ended a wait, told from others with the same path."""
    turn = None if end.ref is None else index.trace.codex_turns.get(end.ref.id)
    thread_id = turn.thread_id if turn is not None else end.ref.id if end.ref is not None else ""
    return agent_label(index, thread_id) if thread_id in index.trace.threads else end.sender
