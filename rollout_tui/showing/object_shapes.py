"""The documents of lists and of single objects, as declared types."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

from reducer import Problem
from reducer.model import (
    CodeCell,
    Compaction,
    CompactionRequest,
    ConversationItem,
    InferenceCall,
    InteractionEdge,
    Thread,
    ToolCall,
    Turn,
)
from rollout_tui.insight.cells.steps import StepKind
from rollout_tui.insight.compaction.steps import Outcome as CompactionOutcome
from rollout_tui.insight.compaction.verdicts import Basis, Verdict
from rollout_tui.insight.items.prompts import Prompt
from rollout_tui.showing.answer_shapes import FailureData
from rollout_tui.showing.shapes import Certain, Document, Ref

# Lists


class Listed(Certain):
    """An element of a list."""

    number: int
    id: str
    title: str | None
    verdict: str | None


class ListedTurn(Listed):
    """A turn."""

    object: Turn


class ListedCall(Listed):
    """An inference call."""

    object: InferenceCall


class ListedTool(Listed):
    """A tool call."""

    object: ToolCall


class ListedCell(Listed):
    """A code cell."""

    object: CodeCell


class ListedItem(Listed):
    """A conversation item."""

    object: ConversationItem


class ListedEdge(Listed):
    """An interaction edge."""

    object: InteractionEdge


class ListedProblem(Listed):
    """A problem of the recording."""

    object: Problem | None


class ListedThread(TypedDict):
    """An agent."""

    thread: Thread
    turns: int
    calls: int
    tokens: int


class ListedCompaction(TypedDict):
    """A compaction."""

    number: int
    thread_id: str
    seq: int
    outcome: CompactionOutcome


class PayloadData(TypedDict):
    """A payload, and where it is."""

    raw_payload_id: str
    kind: str
    path: str


class CutPayload(PayloadData):
    """A payload that a limit of the recorder cut."""

    lost: str | None


class Threads(Document):
    """`threads`."""

    threads: list[ListedThread]


class Turns(Document):
    """`turns`."""

    turns: list[ListedTurn]


class Calls(Document):
    """`calls`."""

    calls: list[ListedCall]


class Tools(Document):
    """`tools`."""

    tools: list[ListedTool]


class Cells(Document):
    """`cells`."""

    cells: list[ListedCell]


class Compactions(Document):
    """`compactions`."""

    compactions: list[ListedCompaction]


class Items(Document):
    """`items`."""

    items: list[ListedItem]


class Edges(Document):
    """`edges`."""

    edges: list[ListedEdge]


class Failures(Document):
    """`failures`: of the session, of agents as a whole, and each."""

    session: str | None
    agents: list[FailureData]
    failures: list[FailureData]


class Problems(Document):
    """`problems`."""

    problems: list[ListedProblem]
    cut_payloads: list[CutPayload]


# One thing


class FactData(TypedDict):
    """A fact; what it says is a text of ours that may quote the recording."""

    name: str
    value: str
    link: Ref | None


class TextData(TypedDict):
    """A text of an object."""

    heading: str
    text: str


class NamedPayload(PayloadData):
    """A payload of an object."""

    name: str


class OutputData(TypedDict):
    """What an output of a tool tells."""

    verdict: str | None
    exit_code: int | None
    state: str | None
    original_tokens: int | None
    shown_tokens_estimate: int
    is_cut: bool
    line: str


class SentData(TypedDict):
    """What the sender of an encrypted text had."""

    text: str
    source: str
    is_rebuilt: bool
    tool_call_id: str
    inference_call_id: str | None


class Described(Document, Certain):
    """An object with its facts and its texts."""

    type: str
    id: str
    title: str
    facts: list[FactData]
    texts: list[TextData]
    payloads: list[NamedPayload]


class TurnDocument(Described):
    """`turn N`."""

    object: Turn


class ToolDocument(Described):
    """`tool N`."""

    object: ToolCall


class EdgeDocument(Described):
    """`edge N`."""

    object: InteractionEdge
    first_seen_by: str | None
    output: NotRequired[OutputData]
    sent: NotRequired[SentData]


class ItemDocument(Described):
    """`item N`."""

    object: ConversationItem
    output: NotRequired[OutputData]
    sent: NotRequired[SentData]


class EventDocument(Described):
    """`seq N`, `line N`, `problem N`: what is no object of the graph."""

    object: Any


class SentToAgent(TypedDict):
    """A task or message for an agent."""

    kind: str
    seq: int
    sender: str
    contents: str
    text: str | None
    rebuilt: SentData | None
    item_id: str | None
    first_seen_by: str | None
    missing: str | None


class ThreadDocument(Described):
    """`agent NAME`."""

    object: Thread
    sent: NotRequired[list[SentToAgent]]


class CallDocument(Document, Certain):
    """`call N`: its context."""

    agent_path: str
    call_number: int
    inference_call: InferenceCall
    instructions: str | None
    tools: Any
    received: list[ConversationItem]
    answered: list[ConversationItem]
    sent: dict[str, SentData]
    rebuilt_items: NotRequired[list[str]]


class PromptDocument(Document):
    """`prompt N`: what codex prepared for a call."""

    type: Literal["Prompt"]
    prompt: Prompt


class JudgedItem(TypedDict):
    """What became of an item at a compaction."""

    item_id: str
    verdict: Verdict
    because: Basis
    is_judged: bool
    partner: int | None


class CompactionDocument(Document):
    """`compaction N`: its states."""

    number: int
    thread_id: str
    outcome: CompactionOutcome
    start_seq: int
    seq: int
    compaction: Compaction | None
    requests: list[CompactionRequest]
    last_call_before: str | None
    first_call_after: str | None
    before: list[JudgedItem]
    after: list[JudgedItem]
    first_call_context: list[JudgedItem]
    gone_for_good: list[str]


class StepData(TypedDict):
    """A step of a code cell."""

    kind: StepKind
    seq: int | None
    since_ms: int | None
    took_ms: int | None
    status: str | None
    verdict: str | None
    tool_call_id: str | None
    words: str
    texts: list[TextData]


class SeenOfCell(TypedDict):
    """What the model saw of a cell."""

    seen: str
    what: str
    words: str
    first_seen_by_call: int | None


class CellDocument(Document, Certain):
    """`cell N`: its script, its steps, and what was seen of it."""

    number: int
    type: str
    id: str
    object: CodeCell
    steps: list[StepData]
    seen: list[SeenOfCell]


class PayloadDocument(Document):
    """`payload N`; with --content it is the payload itself, or its text where that is no JSON."""

    raw_payload_id: str
    problem: str | None
    kind: NotRequired[str]
    path: NotRequired[str]
    bytes: NotRequired[int]
    sha256: NotRequired[str]
    text: NotRequired[str]
