"""Tokens as the provider told them, summed up: by call, turn, agent, and agent with children."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from msgspec import Struct

from reducer import ObjectRef
from reducer.model import InferenceCall, SpawnedOrigin
from rollout_tui.insight.index import TraceIndex


class TokenSum(Struct, frozen=True):
    """Tokens of some inference calls, exact.

    Attributes:
        calls: how many calls they are.
        untold: those of them of which no tokens were told: failed ones, and those that a limit cut.
        input: tokens that went in, cached ones included.
        cached: those of them that the provider had cached.
        output: tokens that came out, those of reasoning included.
        reasoning: those of them that were reasoning.
    """

    calls: int = 0
    untold: int = 0
    input: int = 0
    cached: int = 0
    output: int = 0
    reasoning: int = 0

    @property
    def new(self) -> int:
        """Tokens that went in and were not cached."""
        return self.input - self.cached

    @property
    def is_told(self) -> bool:
        """Whether there are figures. No calls take 0 tokens; what untold ones took is not known."""
        return self.untold < self.calls or not self.calls

    def __add__(self, other: TokenSum) -> TokenSum:
        return TokenSum(
            self.calls + other.calls,
            self.untold + other.untold,
            self.input + other.input,
            self.cached + other.cached,
            self.output + other.output,
            self.reasoning + other.reasoning,
        )


def tokens_of(call: InferenceCall) -> TokenSum:
    """The tokens of one call."""
    usage = call.usage
    if usage is None:
        return TokenSum(calls=1, untold=1)
    return TokenSum(
        1,
        0,
        usage.input_tokens,
        usage.cached_input_tokens,
        usage.output_tokens,
        usage.reasoning_output_tokens,
    )


def sum_of(calls: Iterable[InferenceCall]) -> TokenSum:
    """The tokens of some calls."""
    return sum(map(tokens_of, calls), TokenSum())


class AgentTokens(Struct, frozen=True):
    """The tokens of an agent.

    Attributes:
        thread_id: the agent.
        own: those of its calls.
        with_children: those of its calls and of all that it started, directly or not.
        by_model: those of its calls, by model.
    """

    thread_id: str
    own: TokenSum
    with_children: TokenSum
    by_model: dict[str, TokenSum]


def tokens_by_agent(index: TraceIndex) -> dict[str, AgentTokens]:
    """The tokens of all agents by thread id, a parent before its children."""
    own: dict[str, TokenSum] = {}
    models: dict[str, dict[str, TokenSum]] = {}
    for thread in index.threads:
        calls = index.contents[thread.thread_id].calls
        told: dict[str, TokenSum] = {}
        for call in calls:
            told[call.model] = told.get(call.model, TokenSum()) + tokens_of(call)
        models[thread.thread_id] = told
        own[thread.thread_id] = sum(told.values(), TokenSum())
    whole = dict(own)
    for thread in reversed(index.threads):
        parent = parent_of(index, thread.thread_id)
        if parent is not None:
            whole[parent] += whole[thread.thread_id]
    return {id_: AgentTokens(id_, own[id_], whole[id_], models[id_]) for id_ in own}


def parent_of(index: TraceIndex, thread_id: str) -> str | None:
    """The agent that started an agent, if the tree of agents has it above that one."""
    origin = index.trace.threads[thread_id].origin
    if not isinstance(origin, SpawnedOrigin) or origin.parent_thread_id not in index.depth:
        return None
    is_below = index.depth[origin.parent_thread_id] < index.depth[thread_id]
    return origin.parent_thread_id if is_below else None


class TurnTokens(Struct, frozen=True):
    """The tokens of a turn.

    Attributes:
        ref: the turn.
        thread_id: its agent.
        number: which turn of the agent it is, from 1.
        tokens: those of its calls.
        by_model: the same, by model.
    """

    ref: ObjectRef
    thread_id: str
    number: int | None
    tokens: TokenSum
    by_model: dict[str, TokenSum]


def tokens_by_turn(index: TraceIndex, thread_ids: Iterable[str]) -> list[TurnTokens]:
    """The tokens of the turns of some agents, in order; calls of an unknown turn count as one."""
    found = []
    for thread_id in thread_ids:
        turns: dict[str, dict[str, TokenSum]] = {
            turn.codex_turn_id: {} for turn in index.contents[thread_id].turns
        }
        for call in index.contents[thread_id].calls:
            told = turns.setdefault(call.codex_turn_id, {})
            told[call.model] = told.get(call.model, TokenSum()) + tokens_of(call)
        for turn_id, told in turns.items():
            number = index.turn_number(turn_id)
            tokens = sum(told.values(), TokenSum())
            found.append(TurnTokens(ObjectRef("Turn", turn_id), thread_id, number, tokens, told))
    return found


def most_and_last(calls: Iterable[InferenceCall]) -> tuple[int | None, int | None]:
    """The largest context of some calls in order, and that of the last of them that tells one: tokens in."""
    sizes = [call.usage.input_tokens for call in calls if call.usage is not None]
    return (max(sizes), sizes[-1]) if sizes else (None, None)


def models_of(told: Iterable[dict[str, TokenSum]]) -> Counter[str]:
    """How many calls went to which model."""
    counted: Counter[str] = Counter()
    for one in told:
        for model, tokens in one.items():
            counted[model] += tokens.calls
    return counted
