"""Facts and texts that the details of several types of object have in common."""

from __future__ import annotations

from reducer import ObjectRef
from reducer.model import (
    CodePart,
    CompactionProducer,
    ConversationItem,
    EncodedPart,
    ExecutionWindow,
    InferenceProducer,
    JsonPart,
    PayloadRefPart,
    SummaryPart,
    TextPart,
)
from reducer.model.objects import RefType
from rollout_tui.insight.agents.sent_texts import SentText, sent_in, sent_text
from rollout_tui.insight.contexts.request_parts import blob_words
from rollout_tui.insight.evidence import find_content, find_item, item_json
from rollout_tui.insight.failures.definition import failure_of
from rollout_tui.insight.failures.words import verdict
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.items.sections import TextSection
from rollout_tui.insight.items.texts import item_label, part_label, tool_name
from rollout_tui.insight.items.titles import item_words
from rollout_tui.insight.tools.words import tool_label, tool_words
from rollout_tui.texts.short_forms import clock, duration, size, window_ms
from rollout_tui.views.detail.facts import Detail
from rollout_tui.views.detail.readable import readable
from rollout_tui.views.failure_spans import STYLES
from rollout_tui.views.status import STATUS_STYLES

_MODEL_REQUESTS: frozenset[RefType] = frozenset({"InferenceCall", "CompactionRequest"})


def add_window(
    detail: Detail, index: TraceIndex, window: ExecutionWindow, judged: ObjectRef | None = None
) -> None:
    """Say when something ran, how it ended, and why it failed if it did.

    Args:
        detail: that of the object.
        index: the graph.
        window: when it ran.
        judged: what has the verdict, such as the tool call of a terminal operation; by default the object.
    """
    failure = failure_of(index, judged or detail.ref)
    if window.status == "running" and index.is_over:
        detail.add("state", "running when the recording ended", style="warn")
    elif failure is None or failure.verdict == window.status:
        detail.add("state", window.status, style=STATUS_STYLES[window.status])
    else:
        words = f"{verdict(failure)}  (the log says {window.status})"
        detail.add("state", words, style=STYLES[failure.manner])
    # Of a request to a model the facts have the whole error.
    if failure is not None and detail.ref.type not in _MODEL_REQUESTS:
        detail.add("failure", f"{verdict(failure)}  {failure.cause}", style=STYLES[failure.manner])
    detail.add("started", f"{clock(window.started_at_unix_ms)}  seq {window.started_seq}")
    if window.ended_at_unix_ms is not None:
        took = duration(window_ms(window))
        detail.add("ended", f"{clock(window.ended_at_unix_ms)}  seq {window.ended_seq}  after {took}")


def add_thread(detail: Detail, index: TraceIndex, thread_id: str, turn_id: str | None = None) -> None:
    """Say to which agent and turn something belongs."""
    detail.add("agent", index.thread_path(thread_id), ObjectRef("Thread", thread_id))
    turn = index.trace.codex_turns.get(turn_id or "")
    if turn is not None:
        detail.add(
            "turn",
            f"{index.turn_number(turn.codex_turn_id)}  {turn_id}",
            ObjectRef("Turn", turn.codex_turn_id),
        )


def add_item(detail: Detail, index: TraceIndex, name: str, item_id: str) -> None:
    """Name a conversation item, with a link to it."""
    item = index.trace.conversation_items.get(item_id)
    if item is not None:
        words = f"{item_label(item)}  {item_words(index, item)}"
        detail.add(name, words, ObjectRef("ConversationItem", item_id))


def add_tool(detail: Detail, index: TraceIndex, name: str, tool_call_id: str) -> None:
    """Name a tool call, with a link to it."""
    call = index.trace.tool_calls.get(tool_call_id)
    if call is not None:
        words = f"{tool_label(index, call)}  {tool_words(index, call)}"
        detail.add(name, words, ObjectRef("ToolCall", tool_call_id))


def edge_words(index: TraceIndex, edge_id: str) -> str:
    """Between which agents an edge leads."""
    edge = index.trace.interaction_edges[edge_id]
    ends = [index.thread_of_anchor(anchor) for anchor in (edge.source, edge.target)]
    return " to ".join("?" if end is None else index.thread_path(end) for end in ends)


def item_sections(index: TraceIndex, item: ConversationItem, title: str = "") -> list[TextSection]:
    """The texts of an item; JSON is read from its payload, since the graph keeps only its beginning."""
    name = title or item_label(item)
    call = index.tool_of_item(item)
    if not title and call is not None:
        name = f"{name} {tool_name(index, call)}"
    sections = []
    for part in item.body.parts:
        if isinstance(part, TextPart):
            language = "diff" if part.text.startswith("*** Begin Patch") else "text"
            sections.append(TextSection(name, "diff" if language == "diff" else "text", part.text))
        elif isinstance(part, SummaryPart):
            sections.append(TextSection(name, "text", part.text))
        elif isinstance(part, CodePart):
            sections.append(TextSection(name, "javascript", part.source))
        elif isinstance(part, EncodedPart):
            sections.append(TextSection(name, "text", f"({sealed_words(index, item, part)})"))
        elif isinstance(part, JsonPart):
            payload = index.trace.raw_payloads.get(part.raw_payload_id)
            sections.append(_json_section(name, item, part, payload is None, index))
        else:
            sections.append(_content_section(name, item, part, index))
    sent = sent_text(index, item)
    return sections if sent is None else [*sections, sent_section(index, sent, name)]


def sent_section(index: TraceIndex, sent: SentText, title: str) -> TextSection:
    """What the sender of an encrypted message had, from the arguments of its tool call."""
    payload = index.trace.raw_payloads.get(sent.tool_call.raw_invocation_payload_id or "")
    heading = f"rebuilt from {sent.source}: what its sender had, what arrived is encrypted"
    return TextSection(title, "text", sent.text, payload, sent_in, heading=heading)


def sealed_words(index: TraceIndex, item: ConversationItem, part: EncodedPart) -> str:
    """How large encrypted content is, and where it came from; only the provider can read it."""
    origin = ""
    if item.agent_message is not None:
        origin = f", sent by {item.agent_message.author}"
    for producer in item.produced_by:
        if (
            isinstance(producer, InferenceProducer)
            and producer.inference_call_id in index.trace.inference_calls
        ):
            call = index.trace.inference_calls[producer.inference_call_id]
            origin = f", from the answer of call {index.place_of_call(call) + 1}"
        elif isinstance(producer, CompactionProducer):
            origin = ", put there by a compaction"
    return f"encrypted, {size(len(part.value))}{origin}; only the provider can read it"


def _content_section(
    name: str, item: ConversationItem, part: PayloadRefPart, index: TraceIndex
) -> TextSection:
    """Content that is no text, such as an image: what it is, how large, and all else that is said of it."""
    words = f"({part_label(part)}, in {part.raw_payload_id})"

    def extract(payload: object) -> str | None:
        element = find_content(payload, item, part)
        if element is None:
            return None
        blob = blob_words(element)
        return f"({part_label(part)}: {blob})" if blob else f"{words}\n{readable(element)}"

    payload = index.trace.raw_payloads.get(part.raw_payload_id)
    return TextSection(name, "text", words, payload, None if payload is None else extract)


def _json_section(
    name: str, item: ConversationItem, part: JsonPart, lost: bool, index: TraceIndex
) -> TextSection:
    if lost:
        return TextSection(name, "json", part.summary)

    def extract(payload: object) -> str | None:
        found = find_item(payload, item)
        return None if found is None else readable(item_json(found[1]))

    return TextSection(name, "json", part.summary, index.trace.raw_payloads[part.raw_payload_id], extract)
