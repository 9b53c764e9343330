"""The run at a glance: what was asked, how it ended, what failed, and what became of each agent."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Literal

import orjson
from msgspec import Struct

from reducer import BundleError, EventRecord, ObjectRef
from reducer.model import InferenceCall, RootOrigin, SpawnedOrigin, TextPart, Thread
from reducer.wire.payload_refs import PayloadRef
from rollout_tui.insight.agents.delivery import Answer, DeliveryView, Sent, delivery_view
from rollout_tui.insight.agents.links import AgentLinks
from rollout_tui.insight.agents.names import agent_label
from rollout_tui.insight.compaction.steps import thread_steps
from rollout_tui.insight.contexts.item_signs import is_put_in
from rollout_tui.insight.failures.definition import Failure, failure_of, failures
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.timing.clock import Clock
from rollout_tui.insight.timing.lanes import Lane, lane_in_sum
from rollout_tui.insight.timing.waiting import Unended, unended
from rollout_tui.insight.tokens.sums import (
    AgentTokens,
    TokenSum,
    most_and_last,
    parent_of,
    tokens_by_agent,
)

Read = Callable[[PayloadRef], Any]
"""Gives a payload parsed; None where it cannot be read."""

Outcome = Literal["answered", "no answer", "failed", "aborted", "never ended", "running", "nothing began"]
"""How a run came out: by the last turn of its root, or by what the log says of the session."""


class Task(Struct, frozen=True):
    """What an agent was to do.

    Attributes:
        text: in plain text; empty where nothing of it can be read. It is evidence.
        seq: when it was sent; None for what a user typed, which has no event of its own.
        sender: the path of the agent that sent it; empty for a user.
        is_rebuilt: whether it is what the sender wrote, because the copy of the agent is encrypted.
        source: the tool call that sent it in words, such as `call 3 of /root`, if it is rebuilt.
        is_cut: whether it goes on behind what the trace keeps in the graph.
        bytes: size of what is encrypted of it; 0 if nothing is.
        ref: the item that brought it, or the tool call that sent it.
    """

    text: str
    seq: int | None
    sender: str
    is_rebuilt: bool
    source: str
    is_cut: bool
    bytes: int
    ref: ObjectRef | None


class Seen(Struct, frozen=True):
    """Whether a call saw something.

    Attributes:
        call: the first call that did; None if none did.
        number: which call of its agent that is, from 1.
        missing: why none did; empty if one did, or if nothing was to be seen.
    """

    call: InferenceCall | None = None
    number: int | None = None
    missing: str = ""


class AgentSummary(Struct, frozen=True):
    """What is to be known of an agent at first.

    Attributes:
        thread_id: the agent.
        path: its path.
        label: that, and what tells it from others with the same path. Evidence, like the path.
        depth: how deep it stands in the tree of agents.
        parent_id: the agent that started it, if it is in the bundle.
        is_helper: whether codex started it for itself, such as a reviewer.
        model: the model that most of its calls went to.
        tasks: how many tasks it was sent; what a user typed counts as one.
        task: the first of them.
        task_seen: which call saw that.
        turns: how many turns it had.
        answered: how many of them came to an answer.
        no_answer: why the last one came to none; empty if it did.
        answer: the item with the answer of the last turn that came to one.
        answer_seen: which call of the agent above saw that.
        answers_to_user: whether its answers go to the user.
        lane: what it did for how long, without the moments.
        tokens: those of its calls.
        tokens_with_children: those of its calls and of all that it started.
        context_now: tokens of the context of its last call that tells them.
        context_most: tokens of its largest context.
        failures: how many things failed in it.
        compactions: how often its history was compacted.
        failure: its verdict, if it failed itself.
        doing: what it is doing as far as the log goes, if that has no end.
    """

    thread_id: str
    path: str
    label: str
    depth: int
    parent_id: str | None
    is_helper: bool
    model: str | None
    tasks: int
    task: Task | None
    task_seen: Seen
    turns: int
    answered: int
    no_answer: str
    answer: ObjectRef | None
    answer_seen: Seen
    answers_to_user: bool
    lane: Lane
    tokens: TokenSum
    tokens_with_children: TokenSum
    context_now: int | None
    context_most: int | None
    failures: int
    compactions: int
    failure: Failure | None
    doing: Unended | None


class RunSummary(Struct, frozen=True):
    """A run at a glance.

    Attributes:
        asked: what the user asked for.
        model: the model of the root.
        directory: where the root worked; empty if that cannot be read. Evidence, like the model.
        started_by: the program that started it, such as `exec` or `cli`; empty if not told.
        codex_version: the version of codex; empty where the recording does not have it: only sessions do.
        started_at_unix_ms: when it began.
        ms: how long the log goes on, in milliseconds.
        is_over: whether the log says that the session has ended.
        outcome: how it came out.
        cause: why it failed; empty if it did not.
        failures: what failed, the newest first.
        agents: the agents, a parent before its children.
        tokens: those of all calls.
        compactions: how many histories were compacted.
        clock: the clock of the run.
    """

    asked: Task | None
    model: str | None
    directory: str
    started_by: str
    codex_version: str
    started_at_unix_ms: int
    ms: int
    is_over: bool
    outcome: Outcome
    cause: str
    failures: list[Failure]
    agents: list[AgentSummary]
    tokens: TokenSum
    compactions: int
    clock: Clock


def run_summary(links: AgentLinks, read: Read) -> RunSummary:
    """Sum up a run.

    Args:
        links: the graph, with what went between its agents.
        read: reads the metadata of the root; nothing else is read.
    """
    index = links.index
    clock = Clock(index.reduction.provenance.events)
    failed = failures(index)
    agents = agent_summaries(links, clock, failed)
    root = next((one for one in agents if one.thread_id == index.trace.root_thread_id), None)
    told = _metadata(index, read)
    outcome, cause = _outcome(index, root)
    return RunSummary(
        None if root is None else root.task,
        (None if root is None else root.model) or _text(told, "model") or None,
        _text(told, "cwd"),
        _started_by(told),
        _text(told, "cli_version"),
        index.trace.started_at_unix_ms,
        clock.between(clock.first_seq, clock.last_seq),
        index.is_over,
        outcome,
        cause,
        failed[::-1],
        agents,
        sum((one.tokens for one in agents), TokenSum()),
        sum(one.compactions for one in agents),
        clock,
    )


def agent_summaries(links: AgentLinks, clock: Clock, failed: list[Failure]) -> list[AgentSummary]:
    """All agents, a parent before its children.

    Args:
        links: the graph, with what went between its agents.
        clock: that of its log.
        failed: what failed in it.
    """
    index = links.index
    tokens = tokens_by_agent(index)
    failed_of = Counter(one.thread_id for one in failed)
    doing = {one.thread_id: one for one in unended(index, clock)}
    return [
        _summary(
            links,
            thread,
            lane_in_sum(index, thread, clock),
            tokens[thread.thread_id],
            failed_of[thread.thread_id],
            doing.get(thread.thread_id),
        )
        for thread in index.threads
    ]


def _summary(
    links: AgentLinks, thread: Thread, lane: Lane, tokens: AgentTokens, failed: int, doing: Unended | None
) -> AgentSummary:
    index, id_ = links.index, thread.thread_id
    contents, view = index.contents[id_], delivery_view(links, thread)
    most, now = most_and_last(contents.calls)
    tasks, task, task_seen = _task_of(links, view)
    last, answer = view.answers[-1] if view.answers else None, _last_answer(view)
    return AgentSummary(
        thread_id=id_,
        path=thread.agent_path,
        label=agent_label(index, id_),
        depth=index.depth[id_],
        parent_id=parent_of(index, id_),
        is_helper=_is_helper(thread),
        model=_model(thread, contents.calls),
        tasks=tasks,
        task=task,
        task_seen=task_seen,
        turns=len(contents.turns),
        answered=sum(one.item is not None for one in view.answers),
        no_answer=_why_none(index, last),
        answer=_answer_ref(answer),
        answer_seen=Seen() if answer is None else _seen(index, answer.seen_by, answer.missing),
        answers_to_user=isinstance(thread.origin, RootOrigin),
        lane=lane,
        tokens=tokens.own,
        tokens_with_children=tokens.with_children,
        context_now=now,
        context_most=most,
        failures=failed,
        compactions=sum(step.replaced_history for step in thread_steps(index, id_)),
        failure=failure_of(index, ObjectRef("Thread", id_)),
        doing=doing,
    )


def _last_answer(view: DeliveryView) -> Answer | None:
    return next((one for one in reversed(view.answers) if one.item is not None), None)


def _answer_ref(answer: Answer | None) -> ObjectRef | None:
    return (
        None if answer is None or answer.item is None else ObjectRef("ConversationItem", answer.item.item_id)
    )


def _why_none(index: TraceIndex, last: Answer | None) -> str:
    if last is None:
        return "it had no turn" if index.is_over else "it has had no turn, as far as the log goes"
    return "" if last.item is not None else last.no_answer or ""


def _seen(index: TraceIndex, call: InferenceCall | None, missing: str | None) -> Seen:
    return Seen(call, None if call is None else index.place_of_call(call) + 1, missing or "")


def _is_helper(thread: Thread) -> bool:
    origin = thread.origin
    return isinstance(origin, SpawnedOrigin) and origin.agent_role in HELPER_ROLES


_IMAGE_TAG = re.compile(r"\s*</?image\b[^>]*>\s*")
"""What codex puts around an image in a message of the user."""

_PROJECT_DOCS = "# AGENTS.md "
"""How codex begins what it tells of a project in the name of the user, without a tag around it."""

HELPER_ROLES = frozenset({"review", "reviewer", "guardian", "memory"})
"""Agents that Codex starts for its own purposes."""


def _model(thread: Thread, calls: Sequence[InferenceCall]) -> str | None:
    """The model that most calls of an agent went to, or else the one that it was started with."""
    used = Counter(call.model for call in calls)
    return used.most_common(1)[0][0] if used else thread.default_model


# Tasks


def _task_of(links: AgentLinks, view: DeliveryView) -> tuple[int, Task | None, Seen]:
    """How many tasks an agent was sent, the first of them, and which call saw that."""
    index, sent = links.index, [one for one in view.sent if one.kind == "task"]
    if sent:
        return len(sent), _sent_task(sent[0]), _seen(index, sent[0].seen_by, sent[0].missing)
    asked = asked_by_user(index, view.thread.thread_id)
    if asked is None:
        is_root = isinstance(view.thread.origin, RootOrigin)
        return 0, None, Seen(missing="" if is_root else "none was recorded")
    return 1, asked, _seen(index, index.contents[view.thread.thread_id].calls[0], None)


def _sent_task(sent: Sent) -> Task:
    message, rebuilt = sent.message, sent.message.sent
    ref = sent.source if sent.item is None else ObjectRef("ConversationItem", sent.item.item_id)
    text = message.text if rebuilt is None else rebuilt.text
    source = "" if rebuilt is None else rebuilt.source
    is_cut = rebuilt is not None and rebuilt.is_cut
    return Task(text, sent.seq, sent.sender, rebuilt is not None, source, is_cut, message.bytes, ref)


def asked_by_user(index: TraceIndex, thread_id: str) -> Task | None:
    """What the user asked of an agent: the last message in its first call that codex did not put in."""
    calls = index.contents[thread_id].calls
    for item in reversed(index.items(calls[0].request_item_ids) if calls else []):
        is_said = item.kind == "message" and item.role == "user" and item.agent_message is None
        if not is_said or is_put_in(item):
            continue
        texts = [part.text for part in item.body.parts if isinstance(part, TextPart)]
        text = "\n".join(text for text in texts if not _IMAGE_TAG.fullmatch(text)).strip()
        if text.startswith(_PROJECT_DOCS):
            continue
        return Task(text, None, "", False, "", False, 0, ObjectRef("ConversationItem", item.item_id))
    return None


# How it came out


def _outcome(index: TraceIndex, root: AgentSummary | None) -> tuple[Outcome, str]:
    if root is None or not root.turns:
        return "nothing began", ""
    if root.doing is not None and not index.is_over:
        return "running", ""
    failure = root.failure
    if failure is not None:
        return failure.manner, failure.cause
    if index.trace.status in ("failed", "aborted"):
        return ("failed" if index.trace.status == "failed" else "aborted"), "the log says so of the session"
    return ("no answer", root.no_answer) if root.no_answer else ("answered", "")


def _metadata(index: TraceIndex, read: Read) -> dict[str, Any]:
    """What was told of the root when it started; empty where that is lost or cannot be read."""
    events = index.reduction.provenance.of("Thread", index.trace.root_thread_id)[:1]
    if not events:
        return {}
    refs = [ref for ref in events[0].payloads if not ref.is_lost]
    value = read(refs[0]) if refs else None
    if index.reduction.rebuilt_from == "session":
        value = _told_by_line(index, events[0])
    return value if isinstance(value, dict) else {}


def _told_by_line(index: TraceIndex, event: EventRecord) -> Any:
    """What the record of a session says that a thread began with."""
    try:
        record = orjson.loads(index.reduction.recording.read_line(event.offset, event.file))
    except (BundleError, orjson.JSONDecodeError):
        return None
    return record.get("payload") if isinstance(record, dict) else None


def _started_by(told: dict[str, Any]) -> str:
    source = told.get("session_source", told.get("source"))
    if isinstance(source, dict):
        source = next(iter(source), "")
    return source if isinstance(source, str) else ""


def _text(value: dict[str, Any], key: str) -> str:
    found = value.get(key)
    return found if isinstance(found, str) else ""
