"""All that there is to tell of the tokens of a run, found out once, and parts of it: some of its agents."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from itertools import takewhile
from typing import Any

from msgspec import Struct

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


class ReadTwice(Struct, frozen=True):
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


class ContextSize(Struct, frozen=True):
    """How large the contexts of an agent are, in tokens; None where none were told.

    Attributes:
        now: that of its last call that tells it.
        most: the largest.
    """

    now: int | None
    most: int | None


class RunTokens:
    """The tokens of a run, agent by agent; each answer is found out when it is asked for first, and once.

    Attributes:
        index: the graph.
    """

    def __init__(self, links: AgentLinks, read: Read, read_event: ReadEvent) -> None:
        """Prepare to tell.

        Args:
            links: the graph.
            read: reads requests, as far as they are needed.
            read_event: reads events that tell of limits.
        """
        self.index = links.index
        self._links, self._read, self._read_event = links, read, read_event
        self._ids = [thread.thread_id for thread in links.index.threads]

    @cached_property
    def agents(self) -> dict[str, AgentTokens]:
        """What each agent took, a parent before its children."""
        return tokens_by_agent(self.index)

    @cached_property
    def contexts(self) -> dict[str, ContextSize]:
        """The size of the contexts of each."""
        return {id_: _context_size(self.index, id_) for id_ in self._ids}

    @cached_property
    def turns(self) -> list[TurnTokens]:
        """What each turn took, agent by agent."""
        return tokens_by_turn(self.index, self._ids)

    @cached_property
    def calls(self) -> dict[str, list[CallContext]]:
        """The contexts of the calls of each agent, in order."""
        return {id_: call_contexts(self.index, id_, self._read) for id_ in self._ids}

    @cached_property
    def fillings(self) -> list[Filling]:
        """What filled the contexts, what made most first."""
        return filling(self._links.sightings, self._ids, self._read)

    @cached_property
    def repeats(self) -> list[Repeat]:
        """What was done more than once."""
        return repeats(self.index, self._read)

    @cached_property
    def again(self) -> list[ReadTwice]:
        """The files that were read again."""
        return [
            ReadTwice(gone.thread_id, one.path, one.first, one.again, gone.ref, gone.seq)
            for gone in forgotten(self._links.sightings)
            for one in gone.again
        ]

    @cached_property
    def limits(self) -> Limits:
        """How much a context may hold, and how much of a budget is used."""
        return limits_of(self.index, self._read_event)

    def below(self, thread_id: str) -> list[str]:
        """An agent and all that it started, directly or not: they stand behind it, deeper than it."""
        depth, place = self.index.depth, self._ids.index(thread_id)
        deeper = takewhile(lambda one: depth[one] > depth[thread_id], self._ids[place + 1 :])
        return [thread_id, *deeper]

    def part(self, thread_ids: Sequence[str]) -> TokensPart:
        """What there is to tell of some agents."""
        return TokensPart(self, tuple(thread_ids))


class TokensPart(Struct, frozen=True, dict=True):
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
    """All there is to tell of the tokens of a run, found out now: nobody waits for it later.

    Args:
        links: the graph.
        read: reads requests, as far as they are needed.
        read_event: reads events that tell of limits.
    """
    found = RunTokens(links, read, read_event)
    for name, value in vars(RunTokens).items():
        if isinstance(value, cached_property):
            getattr(found, name)
    return found


def _context_size(index: TraceIndex, thread_id: str) -> ContextSize:
    most, now = most_and_last(index.contents[thread_id].calls)
    return ContextSize(now, most)


def by_model_of(agents: Iterable[AgentTokens]) -> dict[str, TokenSum]:
    """The tokens of several agents by model."""
    found: dict[str, TokenSum] = {}
    for one in agents:
        for model, tokens in one.by_model.items():
            found[model] = found.get(model, TokenSum()) + tokens
    return found
