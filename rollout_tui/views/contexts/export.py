"""The whole context of a call as Markdown, for people and other models, or as JSON, for programs. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import msgspec
from msgspec import Struct

from reducer import ObjectRef
from reducer.model import ConversationItem, InferenceCall
from reducer.schemas.v1 import ADDITIONAL_TOOLS
from reducer.wire.json_text import is_valid
from rollout_tui.insight.agents.sent_texts import sent_text
from rollout_tui.insight.certainty import (
    MARK,
    NOT_RECORDED,
    certainty_of,
    data_of,
    is_context_rebuilt,
    is_item_rebuilt,
    marked,
)
from rollout_tui.insight.failures.definition import failure_of
from rollout_tui.insight.failures.words import verdict
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.items.blobs import without_data_urls
from rollout_tui.insight.items.sections import TextSection
from rollout_tui.insight.items.texts import call_name, item_label
from rollout_tui.safe_text import safe_block, safe_text
from rollout_tui.texts.json_index import JsonIndex
from rollout_tui.texts.json_value import JsonValues
from rollout_tui.texts.short_forms import moment, plural
from rollout_tui.texts.written_json import formatted_json
from rollout_tui.views.detail.object_facts import item_sections, sent_section

_TICKS = re.compile("`+")
_INSTRUCTIONS, _TOOLS = "instructions", "tools"


class RequestTexts(Struct, frozen=True):
    """What a model received beside the items of its context.

    Attributes:
        instructions: the text; None where the request has none, or could not be read.
        tools: the definitions of its tools, as they are written in the request; None likewise.
        missing: why no request tells of them; empty where one could. Then the instructions are rebuilt.
    """

    instructions: str | None = None
    tools: bytes | None = None
    missing: str = ""


def request_texts(payload: bytes) -> RequestTexts:
    """Take instructions and tools out of a raw request.

    Args:
        payload: the request; one that is no JSON object has neither.
    """
    index = JsonIndex(payload).build_all()
    if index.problem:
        return RequestTexts()
    values = JsonValues(index)
    instructions, tools = values.find_path([_INSTRUCTIONS]), values.find_path([_TOOLS])
    if tools is None:
        tools = _tools_in_input(values)
    return RequestTexts(
        values.text(instructions) if instructions is not None and values.is_string(instructions) else None,
        None if tools is None else values.value_bytes(tools),
    )


def _tools_in_input(values: JsonValues) -> int | None:
    """The tools of a request over a WebSocket: an element of its input, which is no item, holds them."""
    elements = values.find_path(["input"])
    for place in range(0 if elements is None else values.index.child_count(elements) or 0):
        kind = values.find_path(["input", place, "type"])
        if kind is not None and values.text(kind) == ADDITIONAL_TOOLS:
            return values.find_path(["input", place, _TOOLS])
    return None


def context_markdown(
    index: TraceIndex, call: InferenceCall, parts: RequestTexts, read: Callable[[TextSection], str]
) -> str:
    """The context of a call as a Markdown document.

    Everything that comes from the bundle went through the sanitiser. It stands in fenced code blocks whose
    fences are longer than any row of backticks in them, or in code spans: none of it can become markup.

    Args:
        index: the graph.
        call: the call.
        parts: what its request says beside the items.
        read: gives the text of a section of an item, reading its payload if need be.
    """
    place, total = index.place_of_call(call) + 1, len(index.contents[call.thread_id].calls)
    lines = [f"# Context of call {place} of {total}, {code_span(index.thread_path(call.thread_id))}", ""]
    lines += [f"- {name}: {value}" for name, value in _facts(index, call)]
    if parts.instructions is not None:
        lines += ["", f"## {marked('Instructions', bool(parts.missing))}", "", *fenced(parts.instructions)]
    if parts.tools is not None:
        lines += ["", "## Tools", "", *fenced(_indented(parts.tools), "json")]
    elif parts.missing:
        lines += ["", f"## Tools: {parts.missing}"]
    received = marked(plural(len(call.request_item_ids), "item"), is_context_rebuilt(index, call))
    lines += ["", f"## Received: {received}"]
    for number, item in enumerate(index.items(call.request_item_ids), 1):
        lines += _item_lines(index, item, number, read)
    answered = len(call.response_item_ids)
    lines += ["", f"## Answered: {plural(answered, 'item') if answered else 'no answer was recorded'}"]
    for number, item in enumerate(index.items(call.response_item_ids), 1):
        lines += _item_lines(index, item, number, read)
    return "\n".join(lines) + "\n"


def _facts(index: TraceIndex, call: InferenceCall) -> list[tuple[str, str]]:
    """What the call is, and what it cost."""
    ref = ObjectRef("InferenceCall", call.inference_call_id)
    facts = [
        ("call", code_span(call.inference_call_id)),
        ("model", f"{code_span(call.model)} of {code_span(call.provider_name)}"),
        ("started", f"{moment(call.execution.started_at_unix_ms)}, seq {call.execution.started_seq}"),
        ("status", call.execution.status),
    ]
    known = certainty_of(index, ref)
    facts += [("rebuilt", f"{MARK} {words}") for words in known.rebuilt]
    facts += [(NOT_RECORDED, words) for words in known.not_recorded]
    failure = failure_of(index, ref)
    if failure is not None:
        facts[3] = ("status", f"{verdict(failure)}, {code_span(failure.cause)}")
    if call.usage is not None:
        usage = call.usage
        facts.append(("tokens in", f"{usage.input_tokens:,}, of them {usage.cached_input_tokens:,} cached"))
        reasoning = f"{usage.reasoning_output_tokens:,} reasoning"
        facts.append(("tokens out", f"{usage.output_tokens:,}, of them {reasoning}"))
    return facts


def _item_lines(
    index: TraceIndex, item: ConversationItem, number: int, read: Callable[[TextSection], str]
) -> list[str]:
    """One item: who says it, and each of its parts in a block of its own."""
    words = [code_span(item_label(item))]
    name = call_name(index, item)
    if name:
        words.append(code_span(name))
    if item.agent_message is not None:
        words.append(f"from {code_span(item.agent_message.author)}")
    if item.channel is not None:
        words.append(f"({item.channel})")
    if is_item_rebuilt(index, item):
        words.insert(0, MARK)
    lines = ["", f"### {number}. {' '.join(words)}", "", f"{code_span(item.item_id)}"]
    sections = item_sections(index, item, title="item")
    for section in sections:
        language = "" if section.language == "text" else section.language
        lines += ["", code_span(section.heading)] if section.heading else []
        lines += ["", *fenced(without_data_urls(read(section)), language)]
    return lines if sections else [*lines, "", "(empty)"]


def fenced(text: str, language: str = "") -> list[str]:
    """A text as a fenced code block that it cannot end.

    Args:
        text: any text; it is sanitised line by line.
        language: what it is, in letters; from this program, not from a bundle.
    """
    safe = safe_block(text)
    longest = max((len(ticks) for ticks in _TICKS.findall(safe)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}{language}", *safe.removesuffix("\n").split("\n"), fence]


def code_span(text: str) -> str:
    """One line of text as a code span that it cannot end."""
    safe = safe_text(text)
    if not safe.strip():
        return "` `"
    longest = max((len(ticks) for ticks in _TICKS.findall(safe)), default=0)
    ticks = "`" * (longest + 1)
    pad = " " if safe.startswith("`") or safe.endswith("`") else ""
    return f"{ticks}{pad}{safe}{pad}{ticks}"


def context_json(
    index: TraceIndex, call: InferenceCall, parts: RequestTexts, read: Callable[[TextSection], str]
) -> bytes:
    """The context of a call as JSON; the arguments are those of `context_data`.

    Control characters are escaped, as JSON demands; nothing else is changed.
    """
    return formatted_json(context_data(index, call, parts, read))


def context_data(
    index: TraceIndex, call: InferenceCall, parts: RequestTexts, read: Callable[[TextSection], str]
) -> dict[str, Any]:
    """The context of a call: items as they stand in `state.json`, instructions and tools as sent.

    Beside the items stands what the senders of encrypted ones had, by the id of the item.

    Args:
        index: the graph.
        call: the call.
        parts: what its request says beside the items.
        read: gives the text of a section of an item, reading its payload if need be.
    """
    document: dict[str, Any] = {
        "agent_path": index.thread_path(call.thread_id),
        "call_number": index.place_of_call(call) + 1,
        "inference_call": call,
        **data_of(index, ObjectRef("InferenceCall", call.inference_call_id)),
        "instructions": None if parts.instructions is None else _encodable(parts.instructions),
        "tools": None if parts.tools is None else _as_written(parts.tools),
        "received": [index.reduction.written(item) for item in index.items(call.request_item_ids)],
        "answered": [index.reduction.written(item) for item in index.items(call.response_item_ids)],
        "sent": {
            item.item_id: sent.data(read(sent_section(index, sent, "item")))
            for item in index.items(call.request_item_ids)
            if (sent := sent_text(index, item)) is not None
        },
    }
    if index.reduction.rebuilt_from is not None:
        document["rebuilt_items"] = [
            item.item_id for item in index.items(call.request_item_ids) if is_item_rebuilt(index, item)
        ]
    return document


def _as_written(data: bytes) -> msgspec.Raw | str:
    """A JSON text to be put into another one; as a string, should it be none after all."""
    return msgspec.Raw(data) if is_valid(data) else data.decode("utf-8", "backslashreplace")


def _encodable(text: str) -> str:
    """The text with a replacement mark for each half of a surrogate pair, which no UTF-8 text can hold."""
    return text.encode("utf-8", "replace").decode()


def _indented(data: bytes) -> str:
    """A JSON text with line ends and indents."""
    with suppress(msgspec.DecodeError):  # what this parser refuses is shown as it is written
        data = msgspec.json.format(data, indent=2)
    return data.decode("utf-8", "backslashreplace")
