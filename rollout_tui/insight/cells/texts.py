"""The texts of a code cell: what its script sent, received and put out, and what the model was shown of it.

Nothing here reads a file. A text that stands in a payload is a section with the reference to the payload and
the function that takes the text out of it.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from reducer import ObjectRef
from reducer.model import CodeCell, ConversationItem, InferenceCall, Part, SummaryPart, TextPart, ToolCall
from reducer.wire.events import ApplyPatch, GenericSummary
from reducer.wire.json_text import JsonDocument, JsonError
from rollout_tui import glyphs
from rollout_tui.insight.certainty import NOT_RECORDED
from rollout_tui.insight.contexts.item_signs import same_text_key
from rollout_tui.insight.evidence import item_json, pretty
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.items.sections import TextSection
from rollout_tui.insight.items.texts import part_words
from rollout_tui.insight.output.outputs import read_output
from rollout_tui.texts.short_forms import duration, size
from rollout_tui.texts.syntax import Language

SHOWN = "shown to the model"
UNSEEN = "for the model, but no call saw it"
HANDED_BACK = "handed back, but no call of the model has seen it"

_HEADER = re.compile(r"Script ([a-z]+)[^\n]*\n(?:Wall time [^\n]*\n)?(?:Output:\n?)?")
"""What Codex puts before the output of a script."""
_THROWN = re.compile(r"^Script error:\n(.+)", re.MULTILINE)
_STATES = {
    "running": "still running",
    "completed": "the script is done",
    "failed": "failed",
    "terminated": "terminated",
}


def argument_sections(index: TraceIndex, call: ToolCall) -> tuple[TextSection, ...]:
    """The arguments of a call as they were sent."""
    language: Language = "diff" if isinstance(call.kind, ApplyPatch) else "json"
    payload = index.trace.raw_payloads.get(call.raw_invocation_payload_id or "")
    preview = call.summary.input_preview if isinstance(call.summary, GenericSummary) else None
    lost = f"(only the beginning is known)\n{preview}" if preview else "(the log does not have them)"
    if payload is None and index.reduction.rebuilt_from is not None:
        lost = f"({NOT_RECORDED})"
    return (TextSection("arguments, as sent", language, lost, payload, sent_arguments),)


def result_sections(index: TraceIndex, call: ToolCall) -> tuple[TextSection, ...]:
    """The result of a nested call as its script received it."""
    payload = index.trace.raw_payloads.get(call.raw_result_payload_id or "")
    missing = "(nothing)" if index.reduction.rebuilt_from is None else f"({NOT_RECORDED})"
    return (TextSection("result, as the script received it", "text", missing, payload, received_text),)


def output_sections(index: TraceIndex, payload_id: str | None) -> tuple[TextSection, ...]:
    """What a script put out, from its first response or its end."""
    payload = index.trace.raw_payloads.get(payload_id or "")
    if payload is None:
        return ()
    return (TextSection("put out by the script", "text", None, payload, put_out),)


def shown_sections(
    index: TraceIndex, items: Sequence[ConversationItem], call: ToolCall | None
) -> tuple[TextSection, ...]:
    """What the model was shown: the output items of a call, or else its result, which nobody saw."""
    if items:
        return tuple(_shown_section(index, item) for item in items)
    payload = index.trace.raw_payloads.get(call.raw_result_payload_id or "") if call is not None else None
    if payload is None:
        return (TextSection(SHOWN, "text", "(nothing: the log has no output for the model)"),)
    return (TextSection(HANDED_BACK, "text", None, payload, handed_back),)


def _shown_section(index: TraceIndex, item: ConversationItem) -> TextSection:
    call = first_call_that_saw(index, item)
    if call is None:
        heading = f"for the model, but {unseen_words(index, item)}"
        return TextSection(UNSEEN, "text", item_text(item), heading=heading)
    heading = f"{SHOWN}, first in call {index.place_of_call(call) + 1}"
    return TextSection(SHOWN, "text", item_text(item), heading=heading)


# Items


def exec_call(index: TraceIndex, cell: CodeCell) -> ToolCall | None:
    """The `exec` call that started a cell, if it was recorded."""
    ref = index.entry_of_cell(cell)
    return index.trace.tool_calls.get(ref.id) if ref.type == "ToolCall" else None


def exec_items(index: TraceIndex, cell: CodeCell) -> list[ConversationItem]:
    """The outputs of a cell's `exec` call as its own agent saw them: notifications, and the answer."""
    return _own_items(index, cell.output_item_ids, cell.thread_id)


def call_items(index: TraceIndex, call: ToolCall) -> list[ConversationItem]:
    """The outputs of a call as its own agent saw them."""
    return _own_items(index, call.model_visible_output_item_ids, call.thread_id)


def _own_items(index: TraceIndex, item_ids: Iterable[str], thread_id: str) -> list[ConversationItem]:
    """Items of one agent, without those that repeat another: a forked or compacted history has copies."""
    own = [item for item in index.items(item_ids) if item.thread_id == thread_id]
    return list({same_text_key(item): item for item in reversed(own)}.values())[::-1]


def item_text(item: ConversationItem) -> str:
    """The text of an item; what is no text is named in its place."""
    return "\n".join(part_text(part).removesuffix("\n") for part in item.body.parts) or "(empty)"


def part_text(part: Part) -> str:
    """The text of a part of an item; what is no text is named."""
    return part.text if isinstance(part, TextPart | SummaryPart) else part_words(part)


def first_call_that_saw(index: TraceIndex, item: ConversationItem) -> InferenceCall | None:
    """The first call of an item's agent whose request holds it; None if no call ever saw it."""
    made = index.first_seq(ObjectRef("ConversationItem", item.item_id))
    contents = index.contents.get(item.thread_id)
    if made is None or contents is None:
        return None
    first = bisect_left(contents.calls, made, key=lambda call: call.execution.started_seq)
    return next((call for call in contents.calls[first:] if item.item_id in call.request_item_ids), None)


def unseen_words(index: TraceIndex, item: ConversationItem) -> str:
    """Why no call saw an item."""
    made = index.reduction.provenance.of("ConversationItem", item.item_id)[:1]
    if made and made[0].kind == "compaction_installed":
        return "a compaction took it before any call saw it"
    return "no call of the model saw it"


def output_words(items: Sequence[ConversationItem]) -> str:
    """What outputs of a script say, in a line: its state, and the line that tells most."""
    texts = [part_text(part) for item in items for part in item.body.parts]
    header = next(filter(None, map(_HEADER.match, texts)), None)
    state = "" if header is None else _STATES.get(header[1], header[1])
    return ": ".join(filter(None, (state, read_output(texts).line)))


def body_words(items: Sequence[ConversationItem]) -> str:
    """The first line that a script put out, without the state of the script."""
    words = output_words(items)
    return next(
        (words.removeprefix(f"{state}: ") for state in _STATES.values() if words.startswith(state + ": ")), ""
    )


def error_words(items: Sequence[ConversationItem]) -> str:
    """The first line of what a script threw, as the model was shown it."""
    found = next(filter(None, (_THROWN.search(item_text(item)) for item in items)), None)
    return "" if found is None else found[1]


def wait_words(call: ToolCall) -> str:
    """What a wait asks for: to see more of the script, for how long at most, or its end."""
    preview = call.summary.input_preview if isinstance(call.summary, GenericSummary) else None
    try:
        asked = JsonDocument((preview or "").encode()).value
    except (JsonError, UnicodeEncodeError):
        return ""
    if not isinstance(asked, dict):
        return ""
    limit = asked.get("yield_time_ms")
    if asked.get("terminate") is True:
        return "resumed, to end it"
    return f"resumed, {duration(limit)} at most" if isinstance(limit, int) else "resumed"


# Payloads


def sent_arguments(payload: Any) -> str | None:
    """The arguments in a tool invocation."""
    body = payload.get("payload") if isinstance(payload, dict) else None
    return readable(item_json(body)) if isinstance(body, dict) else None


def received(payload: Any) -> tuple[bool, Any] | None:
    """What a script received from a tool result: whether it was thrown into it, and the value or error."""
    if isinstance(payload, dict) and payload.get("type") == "error":
        return True, payload.get("error")
    if isinstance(payload, dict) and payload.get("type") == "code_mode_response":
        return False, payload.get("value")
    return None


def received_text(payload: Any) -> str | None:
    """What a script received from a tool result, for reading."""
    result = received(payload)
    if result is None:
        return pretty(payload)
    thrown, value = result
    return f"(thrown into the script)\n{readable(value)}" if thrown else readable(value)


def handed_back(payload: Any) -> str | None:
    """The output in the result of a call of the model."""
    if isinstance(payload, dict) and payload.get("type") == "error":
        return readable(payload.get("error"))
    item = payload.get("response_item") if isinstance(payload, dict) else None
    output = item.get("output") if isinstance(item, dict) else None
    if isinstance(output, list):
        return "\n".join(map(_content_text, output))
    return None if output is None else readable(output)


def put_out(payload: Any) -> str | None:
    """What a script put out up to a response: its texts one by one, what it threw, how long it lay ready."""
    body = _response_body(payload)
    if body is None:
        return _recorded_output(payload)
    items = body.get("content_items")
    texts = [_content_text(item) for item in items] if isinstance(items, list) else []
    if len(texts) > 1:
        texts = [_headed(f"{place} of {len(texts)}", text) for place, text in enumerate(texts, start=1)]
    thrown = thrown_text(payload)
    if thrown is not None and not any(thrown in text for text in texts):
        texts.append(_headed("thrown", thrown))
    delay = _milliseconds(body.get("result_buffered_for"))
    if delay is not None:
        texts.append(
            _headed("runtime", f"The result lay ready for {duration(delay)} before it was asked for.")
        )
    return "\n".join(texts) or "(nothing)"


def _recorded_output(payload: Any) -> str | None:
    """The output that a record of a session is, which is what the model was shown of it."""
    record = payload.get("payload") if isinstance(payload, dict) else None
    output = record.get("output") if isinstance(record, dict) else None
    if isinstance(output, list):
        return "\n".join(map(_content_text, output))
    return None if output is None else readable(output)


def thrown_text(payload: Any) -> str | None:
    """What a script threw, from its end."""
    body = _response_body(payload)
    error = None if body is None else body.get("error_text")
    return error if isinstance(error, str) else None


def _response_body(payload: Any) -> dict[str, Any] | None:
    """What stands in `response` of a cell's payload, under the name of its state."""
    response = payload.get("response") if isinstance(payload, dict) else None
    bodies = list(response.values()) if isinstance(response, dict) else []
    return bodies[0] if len(bodies) == 1 and isinstance(bodies[0], dict) else None


def _content_text(item: Any) -> str:
    """A piece of output: its text, or what it is and how large."""
    if not isinstance(item, dict):
        return readable(item)
    if isinstance(item.get("text"), str):
        return str(item["text"]).removesuffix("\n")
    url = item.get("image_url")
    if isinstance(url, str):
        kind, _comma, data = url.partition(",")
        return f"({kind.removeprefix('data:').split(';')[0][:40] or 'image'}, {size(len(data) * 3 // 4)})"
    return readable(item)


def _milliseconds(value: Any) -> int | None:
    """A duration of the runtime in ms."""
    if not isinstance(value, dict):
        return None
    seconds, nanos = value.get("secs"), value.get("nanos")
    if not isinstance(seconds, int) or not isinstance(nanos, int):
        return None
    return seconds * 1000 + nanos // 1_000_000


def _headed(title: str, text: str) -> str:
    rule = glyphs.active().rule * 2
    return f"{rule} {title} {rule}\n{text}"


def readable(value: Any) -> str:
    """A value for reading: as JSON, but texts of several lines below it as they are."""
    if not isinstance(value, dict):
        return pretty(value)
    below = {key: text for key, text in value.items() if isinstance(text, str) and "\n" in text.rstrip("\n")}
    if not below:
        return pretty(value)
    rest = {key: text for key, text in value.items() if key not in below}
    blocks = [_headed(key, text.removesuffix("\n")) for key, text in below.items()]
    return "\n".join([*([pretty(rest)] if rest else []), *blocks])


def strings_in(value: Any, skip: frozenset[str] = frozenset()) -> list[str]:
    """Every text in a JSON value, in order, without those under the keys of `skip`."""
    found: list[str] = []
    stack = [value]
    while stack:
        one = stack.pop()
        if isinstance(one, str):
            found.append(one)
        elif isinstance(one, list):
            stack.extend(reversed(one))
        elif isinstance(one, dict):
            stack.extend(entry for key, entry in reversed(one.items()) if key not in skip)
    return found


def json_in(text: str) -> Any:
    """The JSON object or array that a text is; None for any other text."""
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        return orjson.loads(text)
    except (orjson.JSONDecodeError, UnicodeEncodeError):
        return None
