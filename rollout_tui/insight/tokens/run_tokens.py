"""All that there is to tell of the tokens of a run, found out once, and parts of it: some of its agents."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from reducer import ObjectRef
from reducer.wire.payload_refs import PayloadRef
from rollout_tui.insight.agents.links import AgentLinks
from rollout_tui.insight.compaction.forgotten import forgotten
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.tokens.contexts import CallContext, call_contexts
from rollout_tui.insight.tokens.filling import Filling, GroupFilling, by_group, filling
from rollout_tui.insight.tokens.limits import Limits, ReadEvent, limits_of
from rollout_tui.insight.tokens.repeats import Repeat, repeats
from rollout_tui.insight.tokens.sums import (
    AgentTokens,
    TokenSum,
    TurnTokens,
    most_and_last,
    tokens_by_agent,
    tokens_by_turn,
)

Read = Callable[[PayloadRef], Any]
"""Gives a payload parsed; None where it cannot be read."""


@dataclass(frozen=True, slots=True)
class ReadTwice:
    """A file that was read again because a compaction had taken away what was read of it.

    Attributes:
        thread_id: the agent.
        path: as the command names it. Evidence.
        first: the tool call that read it before.
        again: the tool call that read it again.
        compaction: what took it away.
        seq: when that was.
    """

    thread_id: str
    path: str
    first: ObjectRef
    again: ObjectRef
    compaction: ObjectRef
    seq: int


@dataclass(frozen=True, slots=True)
class ContextSize:
    """How large the contexts of an agent are, in tokens; None where none were told.

    Attributes:
        now: that of its last call that tells it.
        most: the largest.
    """

    now: int | None
    most: int | None


@dataclass(frozen=True)
class RunTokens:
    """The tokens of a run, agent by agent.

    Attributes:
        index: the graph.
        agents: what each agent took, a parent before its children.
        contexts: the size of the contexts of each.
        turns: what each turn took, agent by agent.
        calls: the contexts of the calls of each agent, in order.
        fillings: what filled the contexts, what made most first.
        repeats: what was done more than once.
        again: the files that were read again.
        limits: how much a context may hold, and how much of a budget is used.
    """

    index: TraceIndex
    agents: dict[str, AgentTokens]
    contexts: dict[str, ContextSize]
    turns: list[TurnTokens]
    calls: dict[str, list[CallContext]]
    fillings: list[Filling]
    repeats: list[Repeat]
    again: list[ReadTwice]
    limits: Limits = field(default_factory=Limits)

    def below(self, thread_id: str) -> list[str]:
        """An agent and all that it started, directly or not."""
        return with_children(self.index, thread_id)

    def part(self, thread_ids: Sequence[str]) -> TokensPart:
        """What there is to tell of some agents."""
        return TokensPart(self, tuple(thread_ids))


@dataclass(frozen=True)
class TokensPart:
    """What there is to tell of some agents of a run.

    Attributes:
        run: the run.
        thread_ids: the agents.
    """

    run: RunTokens
    thread_ids: tuple[str, ...]

    @cached_property
    def _wanted(self) -> frozenset[str]:
        return frozenset(self.thread_ids)

    @cached_property
    def whole(self) -> TokenSum:
        """The tokens of all of them."""
        return sum((self.run.agents[id_].own for id_ in self.thread_ids), TokenSum())

    @cached_property
    def by_model(self) -> dict[str, TokenSum]:
        """The same by model."""
        return by_model_of(self.run.agents[id_] for id_ in self.thread_ids)

    @cached_property
    def turns(self) -> list[TurnTokens]:
        """Their turns."""
        return [one for one in self.run.turns if one.thread_id in self._wanted]

    @cached_property
    def calls(self) -> list[CallContext]:
        """Their calls, agent by agent."""
        return [call for id_ in self.thread_ids for call in self.run.calls[id_]]

    @cached_property
    def breaks(self) -> list[CallContext]:
        """Those of them at which the cache broke."""
        return [call for call in self.calls if call.cache_break is not None]

    @cached_property
    def fillings(self) -> list[Filling]:
        """What filled their contexts."""
        return [one for one in self.run.fillings if one.thread_id in self._wanted]

    @cached_property
    def groups(self) -> list[GroupFilling]:
        """The same by groups."""
        return by_group(self.run.index, self.fillings)

    @cached_property
    def repeats(self) -> list[Repeat]:
        """What one of them did more than once, or did as another agent had done it."""
        return [one for one in self.run.repeats if self._wanted.intersection(one.agents)]

    @cached_property
    def again(self) -> list[ReadTwice]:
        """The files that they read again."""
        return [one for one in self.run.again if one.thread_id in self._wanted]


def run_tokens(links: AgentLinks, read: Read, read_event: ReadEvent) -> RunTokens:
    """Find out where the tokens of a run went.

    Args:
        links: the graph.
        read: reads requests, as far as they are needed.
        read_event: reads events that tell of limits.
    """
    index = links.index
    ids = [thread.thread_id for thread in index.threads]
    again = [
        ReadTwice(gone.thread_id, one.path, one.first, one.again, gone.ref, gone.seq)
        for gone in forgotten(links.sightings)
        for one in gone.again
    ]
    return RunTokens(
        index,
        tokens_by_agent(index),
        {id_: context_size(index, id_) for id_ in ids},
        tokens_by_turn(index, ids),
        {id_: call_contexts(index, id_, read) for id_ in ids},
        filling(links.sightings, ids, read),
        repeats(index, read),
        again,
        limits_of(index, read_event),
    )


def context_size(index: TraceIndex, thread_id: str) -> ContextSize:
    """How large the contexts of an agent are."""
    most, now = most_and_last(index.contents[thread_id].calls)
    return ContextSize(now, most)


def by_model_of(agents: Iterable[AgentTokens]) -> dict[str, TokenSum]:
    """The tokens of several agents by model."""
    found: dict[str, TokenSum] = {}
    for one in agents:
        for model, tokens in one.by_model.items():
            found[model] = found.get(model, TokenSum()) + tokens
    return found


def with_children(index: TraceIndex, thread_id: str) -> list[str]:
    """An agent and all below it: they stand behind it in the list, deeper than it."""
    ids = [thread.thread_id for thread in index.threads]
    place = ids.index(thread_id)
    found = [thread_id]
    for id_ in ids[place + 1 :]:
        if index.depth[id_] <= index.depth[thread_id]:
            break
        found.append(id_)
    return found
