"""What a model saw and said, in plain words: inference calls, items, compactions."""

from __future__ import annotations

from msgspec.structs import replace

from reducer import ObjectRef
from reducer.model import (
    AgentMessage,
    CellProducer,
    CompactionProducer,
    EncodedPart,
    InferenceCall,
    InferenceProducer,
    PayloadRefPart,
    Producer,
)
from reducer.wire.payload_refs import ShardRef
from rollout_tui.insight.agents.sent_texts import sent_text
from rollout_tui.insight.compaction.rewrites import rewrite_between, unseen_outputs
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.items.captures import lost_words
from rollout_tui.insight.items.prompts import ReadJson, has_prompt, prompt_of
from rollout_tui.insight.items.sections import TextSection
from rollout_tui.insight.items.texts import call_name, item_label, part_label, rebuilt_words
from rollout_tui.insight.items.titles import item_words
from rollout_tui.insight.tools.words import cell_words
from rollout_tui.texts.short_forms import clock, one_line, plural
from rollout_tui.views.detail.facts import Detail, Evidence, titled
from rollout_tui.views.detail.object_facts import (
    add_item,
    add_thread,
    add_tool,
    add_window,
    item_sections,
    sealed_words,
)
from rollout_tui.views.prompts import prompt_text


def describe_inference_call(index: TraceIndex, ref: ObjectRef) -> Detail | None:
    """An inference call: its cost, its answer, what the answer started."""
    call = index.trace.inference_calls.get(ref.id)
    if call is None:
        return None
    place, total = index.place_of_call(call) + 1, len(index.contents[call.thread_id].calls)
    detail = titled(ref, f"call {place} of {total}, {index.thread_path(call.thread_id)}")
    add_thread(detail, index, call.thread_id, call.codex_turn_id)
    add_window(detail, index, call.execution)
    for event in index.events_of(ref):
        if event.note is not None:
            detail.add("because", event.note, style="bad")
    detail.add("model", f"{call.model}  ({call.provider_name})")
    if call.usage is not None:
        usage = call.usage
        detail.add("tokens in", f"{usage.input_tokens:,}, of them {usage.cached_input_tokens:,} cached")
        reasoning = f"{usage.reasoning_output_tokens:,} reasoning"
        detail.add("tokens out", f"{usage.output_tokens:,}, of them {reasoning}")
        written = usage.cache_write_input_tokens
        detail.add("cache written", f"{written:,}" if written else None)
    else:
        detail.add("tokens", "not told")
    detail.add("received", plural(len(call.request_item_ids), "item"))
    for item_id in call.response_item_ids:
        add_item(detail, index, "answered", item_id)
    for tool_call_id in call.tool_call_ids_started_by_response:
        add_tool(detail, index, "started", tool_call_id)
    detail.add("response id", call.response_id)
    detail.add("upstream id", call.upstream_request_id)
    detail.add("call id", call.inference_call_id)
    for item in index.items(call.response_item_ids):
        heading = f"{item_label(item)} {call_name(index, item)}".strip()
        detail.texts += [
            replace(section, heading=heading) for section in item_sections(index, item, title="answer")
        ]
    detail.add_payload(index, "request", call.raw_request_payload_id)
    detail.add_payload(index, "response", call.raw_response_payload_id)
    _add_prompt(detail, index, call)
    return detail


def _add_prompt(detail: Detail, index: TraceIndex, call: InferenceCall) -> None:
    """Add what codex prepared for a call, and the context that stands for a request that does not say it."""
    if not has_prompt(call):
        return

    def compute(read: ReadJson) -> str:
        prompt = prompt_of(index.trace, call, index.previous_call(call), read)
        return "" if prompt is None else prompt_text(prompt)

    detail.texts.append(TextSection("prompt", compute=compute))
    for event in index.reduction.provenance.of("InferenceCall", call.inference_call_id)[:1]:
        for ref in event.payloads:
            if ref.kind.type == "prepared_prompt":
                parts = len(ref.parts) if isinstance(ref, ShardRef) else 0
                link = ObjectRef("Payload", ref.raw_payload_id)
                detail.add("prompt", f"{ref.raw_payload_id}, {plural(parts, 'part')}", link)
                detail.payloads.append(Evidence("prompt payload", ref))
            elif ref.kind.type == "warmup_context":
                words = "what the model saw: the request continues a warm-up that was not recorded"
                detail.add(
                    "warm-up context",
                    f"{ref.raw_payload_id}, {words}",
                    ObjectRef("Payload", ref.raw_payload_id),
                )
                detail.payloads.append(Evidence("warm-up context", ref))


def describe_item(index: TraceIndex, ref: ObjectRef) -> Detail | None:
    """A conversation item: who made it, where it was first seen, what it says."""
    item = index.trace.conversation_items.get(ref.id)
    if item is None:
        return None
    detail = titled(ref, f"{item_label(item)}  {one_line(item_words(index, item), 120)}")
    detail.add("role", item.role)
    detail.add("kind", item.kind)
    detail.add("channel", item.channel)
    _agent_message(detail, item.agent_message)
    add_thread(detail, index, item.thread_id, item.codex_turn_id)
    detail.add("first seen", clock(item.first_seen_at_unix_ms))
    if item.accepted_seq is not None:
        words = f"{clock(item.accepted_at_unix_ms or 0)}  seq {item.accepted_seq}"
        detail.add("accepted", words, ObjectRef("Event", str(item.accepted_seq)))
    elif not index.tells_end:
        detail.add("accepted", "schema 1 does not record what was accepted into the history")
    for producer in item.produced_by:
        _producer_fact(detail, index, producer)
    call = index.tool_of_item(item)
    if call is not None:
        add_tool(detail, index, "tool call", call.tool_call_id)
    for part in item.body.parts:
        if isinstance(part, EncodedPart):
            detail.add("encrypted", sealed_words(index, item, part).removeprefix("encrypted, "))
        elif isinstance(part, PayloadRefPart):
            _add_content(detail, index, part)
    sent = sent_text(index, item)
    if sent is not None:
        link = ObjectRef("ToolCall", sent.tool_call.tool_call_id)
        detail.add("sender had", rebuilt_words(sent), link)
    detail.add("call id", item.call_id)
    detail.add("responses id", item.responses_item_id)
    detail.add("item id", item.item_id)
    detail.texts = item_sections(index, item)
    for event in index.events_of(ref)[:1]:
        for payload in event.payloads:
            name = payload.kind.type.replace("_", " ")
            detail.add_payload(index, name, payload.raw_payload_id, item)
    return detail


def _add_content(detail: Detail, index: TraceIndex, part: PayloadRefPart) -> None:
    """Name content that stands in a payload; of one that a limit cut say how much, and lead to it."""
    words = f"{part_label(part)}, in {part.raw_payload_id}"
    payload = index.trace.raw_payloads.get(part.raw_payload_id)
    lost = None if payload is None else lost_words(payload)
    link = None if payload is None else ObjectRef("Payload", payload.raw_payload_id)
    detail.add("holds", words if lost is None else f"{words}, {lost}", link)


def _agent_message(detail: Detail, message: AgentMessage | None) -> None:
    if message is not None:
        detail.add("author", message.author)
        detail.add("recipient", message.recipient)


def _producer_fact(detail: Detail, index: TraceIndex, producer: Producer) -> None:
    if isinstance(producer, InferenceProducer):
        call = index.trace.inference_calls.get(producer.inference_call_id)
        words = "?" if call is None else f"call {index.place_of_call(call) + 1}"
        detail.add("made by", words, ObjectRef("InferenceCall", producer.inference_call_id))
    elif isinstance(producer, CellProducer):
        cell = index.trace.code_cells.get(producer.code_cell_id)
        words = producer.code_cell_id if cell is None else f"exec  {cell_words(index, cell)}"
        detail.add("made by", words, ObjectRef("CodeCell", producer.code_cell_id))
    elif isinstance(producer, CompactionProducer):
        detail.add("made by", "a compaction", ObjectRef("Compaction", producer.compaction_id))
    else:
        add_tool(detail, index, "made by", producer.tool_call_id)


def describe_compaction(index: TraceIndex, ref: ObjectRef) -> Detail | None:
    """A compaction that was installed."""
    compaction = index.trace.compactions.get(ref.id)
    if compaction is None:
        return None
    before, after = compaction.input_item_ids, compaction.replacement_item_ids
    detail = titled(ref, f"compaction  {len(before)} to {plural(len(after), 'item')}")
    add_thread(detail, index, compaction.thread_id, compaction.codex_turn_id)
    detail.add("installed", clock(compaction.installed_at_unix_ms))
    for request_id in compaction.request_ids:
        request = index.trace.compaction_requests.get(request_id)
        words = request_id if request is None else f"by {request.model}, seq {request.execution.started_seq}"
        detail.add("request", words, ObjectRef("CompactionRequest", request_id))
    detail.add("before", plural(len(before), "item"))
    for item_id in after:
        add_item(detail, index, "after", item_id)
    detail.add("compaction id", compaction.compaction_id)
    for item in index.items(after):
        detail.texts += item_sections(index, item)
    for event in index.events_of(ref)[:1]:
        for payload in event.payloads:
            detail.add_payload(index, "checkpoint", payload.raw_payload_id)
    return detail


def describe_rewrite(index: TraceIndex, ref: ObjectRef) -> Detail | None:
    """A history that was rewritten between two calls, told from their requests alone.

    Args:
        index: the graph.
        ref: `Rewrite` with the id of the later call.
    """
    call = index.trace.inference_calls.get(ref.id)
    before = None if call is None else index.previous_call(call)
    found = None if call is None or before is None else rewrite_between(index, before, call)
    if call is None or before is None or found is None:
        return None
    sizes = (len(before.request_item_ids), len(call.request_item_ids))
    detail = titled(ref, f"history rewritten: {found.kind}, {sizes[0]} to {plural(sizes[1], 'item')}")
    add_thread(detail, index, call.thread_id, call.codex_turn_id)
    detail.add(
        "inferred", f"no event says that the history was {found.kind}: the requests show it", None, "warn"
    )
    detail.add("shared", f"both requests begin with the same {plural(found.shared, 'item')}")
    for name, one in (("call before", before), ("call after", call)):
        words = f"call {index.place_of_call(one) + 1}, seq {one.execution.started_seq}, "
        words += plural(len(one.request_item_ids), "item")
        detail.add(name, words, ObjectRef("InferenceCall", one.inference_call_id))
    for item_id in found.summary_ids:
        add_item(detail, index, "summary (?)", item_id)
    lost = unseen_outputs(index, found)
    if lost:
        detail.add(
            "never sent", f"the output of {plural(lost, 'tool call')} reached no request", None, "warn"
        )
    detail.add_payload(index, "request before", before.raw_request_payload_id)
    detail.add_payload(index, "request after", call.raw_request_payload_id)
    return detail


def describe_compaction_request(index: TraceIndex, ref: ObjectRef) -> Detail | None:
    """A request to compact a history."""
    request = index.trace.compaction_requests.get(ref.id)
    if request is None:
        return None
    detail = titled(ref, f"compaction request to {request.model}")
    add_thread(detail, index, request.thread_id, request.codex_turn_id)
    add_window(detail, index, request.execution)
    for event in index.events_of(ref):
        if event.note is not None:
            detail.add("because", event.note, style="bad")
    detail.add("model", f"{request.model}  ({request.provider_name})")
    if request.compaction_id in index.trace.compactions:
        made = index.trace.compactions[request.compaction_id]
        words = f"{len(made.input_item_ids)} to {plural(len(made.replacement_item_ids), 'item')}"
        detail.add("compaction", words, ObjectRef("Compaction", request.compaction_id))
    else:
        detail.add("compaction", "never installed", style="warn")
    detail.add("request id", request.compaction_request_id)
    detail.add_payload(index, "request", request.raw_request_payload_id)
    detail.add_payload(index, "response", request.raw_response_payload_id)
    return detail
