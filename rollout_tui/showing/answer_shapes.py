"""The documents of answers about a run, as declared types."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from rollout_tui.insight.agents.table import Outcome
from rollout_tui.insight.agents.waits import Kind as WaitEnd
from rollout_tui.insight.failures.definition import Manner
from rollout_tui.insight.timing.lanes import Kind
from rollout_tui.insight.tokens.filling import GroupKind
from rollout_tui.showing.shapes import Agent, Certain, Document, Ref


class Answer(Document):
    """What is told of a run."""

    rebuilt_from: str | None


class Stretch(TypedDict):
    """How sure it is how long something in a session took."""

    certainty: NotRequired[Literal["exact", "rebuilt"]]


class Missing(TypedDict):
    """Which keys are null because nothing tells what they are, and why."""

    not_recorded: NotRequired[list[str]]


class Tokens(Missing):
    """Tokens as the provider counted them; null if none of the calls tells any."""

    calls: int
    calls_without_figures: int
    input: int | None
    cached: int | None
    new: int | None
    output: int | None
    reasoning: int | None


class BackStep(TypedDict):
    """A place where the clock went back."""

    seq: int
    ms: int


class Clocked(Answer):
    """What is told of time."""

    first_seq: int
    last_seq: int
    ms: int
    clock_goes_back: list[BackStep]


class FailureData(Ref, Agent):
    """A failure and its cause."""

    seq: int
    manner: Manner
    verdict: str
    cause: str


class TaskData(TypedDict):
    """A task as its sender wrote it."""

    text: str
    is_rebuilt: bool
    is_cut: bool
    encrypted_bytes: int
    sender: str | None
    source: str | None
    seq: int | None
    object: Ref | None


class SeenData(TypedDict):
    """The call that saw something first, or why none did."""

    call: int | None
    inference_call_id: str | None
    missing: str | None


class UnendedData(Agent):
    """What has no end."""

    object: Ref | None
    seq: int
    ms: int


class AgentData(Agent, Certain):
    """An agent at a glance."""

    parent_thread_id: str | None
    is_helper: bool
    model: str | None
    tasks: int
    task: TaskData | None
    task_seen: SeenData
    turns: int
    answered_turns: int
    no_answer: str | None
    answer: Ref | None
    answers_to_user: bool
    answer_seen: SeenData
    active_ms: int
    waiting_ms: int
    idle_ms: int
    span_ms: int
    tokens: Tokens
    tokens_with_children: Tokens
    context_now: int | None
    context_most: int | None
    failures: int
    compactions: int
    verdict: str | None
    doing: UnendedData | None


class FileRead(TypedDict):
    """A file, and what read it."""

    path: str
    read_by: Ref | None


class ReadAgain(TypedDict):
    """A file that was read again."""

    path: str
    first: Ref | None
    again: Ref | None


class ForgottenData(Agent):
    """What a compaction took away."""

    object: Ref | None
    seq: int
    files: list[FileRead]
    commands: list[Ref | None]
    messages: list[Ref | None]
    read_again: list[ReadAgain]


class Summary(Answer, Missing):
    """`summary`: the run at a glance."""

    asked: TaskData | None
    model: str | None
    directory: str
    started_by: str
    codex_version: str | None
    trace_schema: int
    started_at_unix_ms: int
    ms: int
    is_over: bool
    outcome: Outcome
    cause: str
    tokens: Tokens
    compactions: int
    clock_goes_back: list[BackStep]
    failures: list[FailureData]
    agents: list[AgentData]
    forgotten: list[ForgottenData]


class TokensOfAgent(Agent, Certain):
    """Tokens of an agent."""

    tokens: Tokens
    with_children: Tokens
    by_model: dict[str, Tokens]
    cost: float | None
    context_now: int | None
    context_most: int | None
    context_window: int | None


class TokensOfTurn(Agent, Certain):
    """Tokens of a turn."""

    object: Ref | None
    number: int | None
    tokens: Tokens
    cost: float | None


class CacheBreakData(TypedDict):
    """Where the cache of the provider broke, and why."""

    lost: int
    cause: str
    item: int | None
    before: str | None
    now: str | None
    object: Ref | None
    since_ms: int | None


class TokensOfCall(Agent, Certain):
    """Tokens of a call."""

    object: Ref | None
    number: int
    seq: int
    model: str
    items: int
    tokens: Tokens
    is_compacted: bool
    cost: float | None
    cache_break: CacheBreakData | None


class TokensOfTool(Missing):
    """What fills contexts, by tool or sort of item."""

    kind: GroupKind
    tool: str | None
    what: str | None
    items: int
    tool_calls: int
    tokens_estimate: float | None
    paid_estimate: float | None
    largest: Ref | None


class TokensOfItem(Agent, Missing):
    """What fills contexts, by item."""

    object: Ref | None
    kind: GroupKind
    tool: str | None
    what: str | None
    calls: int
    calls_without_figures: int
    tokens_estimate: float | None
    paid_estimate: float | None
    is_short: bool


class Repeat(TypedDict):
    """Tool calls that are the same."""

    calls: list[Ref | None]
    agents: list[Agent]
    is_same_result: bool | None


class ReadAgainBy(Agent):
    """A file that was read again after a compaction took it away."""

    path: str
    first: Ref | None
    again: Ref | None
    compaction: Ref | None


class RateLimit(TypedDict):
    """How much of a budget of the account was used, as it was told last."""

    used_percent: float
    window_minutes: int | None
    resets_at_unix_s: int | None


class TokensAnswer(Answer):
    """`tokens`: where they went; by what was asked for, or by all but turns."""

    tokens: Tokens
    agents: list[Agent]
    rate_limits: list[RateLimit]
    by_agent: NotRequired[list[TokensOfAgent]]
    by_turn: NotRequired[list[TokensOfTurn]]
    by_call: NotRequired[list[TokensOfCall]]
    by_tool: NotRequired[list[TokensOfTool]]
    by_item: NotRequired[list[TokensOfItem]]
    by_repeat: NotRequired[list[Repeat]]
    read_again: NotRequired[list[ReadAgainBy]]


class Segment(Stretch):
    """What an agent did, from one event to another."""

    kind: Kind
    first_seq: int
    last_seq: int
    ms: int
    object: Ref | None


class LaneData(Agent, Certain):
    """The time of an agent."""

    active_ms: int
    waiting_ms: int
    idle_ms: int
    span_ms: int
    ms_by_kind: dict[str, int]
    segments: list[Segment]


class TimeAnswer(Clocked):
    """`time`: what each agent did, and for how long."""

    agents: list[LaneData]


class EndOfWait(TypedDict):
    """What ended a wait."""

    kind: WaitEnd
    sender: str
    object: Ref | None
    is_told: bool


class WaitData(Agent, Stretch):
    """A wait."""

    object: Ref | None
    kind: str
    target: str | None
    seq: int
    last_seq: int
    ms: int
    status: str
    ended_by: EndOfWait | None


class WaitsAnswer(Clocked):
    """`waits`: who waited for whom, the longest first, and what never ended."""

    is_over: bool
    waits: list[WaitData]
    never_ended: list[UnendedData]


class AgentTime(Agent):
    """A share of the critical path."""

    ms: int


class LinkData(Agent, Stretch):
    """A link of the critical path."""

    kind: Kind
    object: Ref | None
    first_seq: int
    last_seq: int
    ms: int


class PathAnswer(Clocked):
    """`path`: what the end of the run had to wait for."""

    ms_by_kind: dict[str, int]
    ms_by_agent: list[AgentTime]
    links: list[LinkData]


class CallRun(TypedDict):
    """Calls from one number to another."""

    first_call: int
    last_call: int


class EndOfSight(TypedDict):
    """What ended that something was seen."""

    words: str
    object: Ref | None
    is_removed: bool
    is_judged: bool


class Sight(Agent, Certain):
    """Which calls of an agent saw something."""

    calls: int
    items: list[Ref | None]
    runs: list[CallRun]
    first: Ref | None
    last: Ref | None
    unseen: str | None
    ended_by: EndOfSight | None


class SeenAnswer(Answer):
    """`seen`: which calls saw it."""

    what: str
    agents: list[Sight]
