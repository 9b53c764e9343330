"""What codex prepared for a call, and how that differs from what went over the wire.

A prepared prompt is what codex made the request from: base instructions, tools, and each item of the history.
The request is what the provider was sent. Both are evidence; the graph is made from the request.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import orjson
from msgspec import Struct, field

from reducer.model import InferenceCall, RolloutTrace
from reducer.rules.normalize import PASSTHROUGH_KEY
from reducer.wire.json_text import HOLE_KEY
from reducer.wire.payload_refs import PayloadRef, ShardRef
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.lookups import started_seq
from rollout_tui.texts.short_forms import plural

ReadJson = Callable[[PayloadRef], Any]
"""Gives a payload as parsed JSON; None where it cannot be read."""

_OF_ITEMS = frozenset({"input", "tools"})


class PromptItem(Struct, frozen=True):
    """An item of a prompt.

    Attributes:
        place: where it stands, from 1.
        kind: its `type`, for messages with the role.
        bytes: size of its JSON.
        raw_payload_id: the payload that holds it, shared by all prompts that have it; None where it has none.
        is_new: whether the prompt before it of the same thread lacked it.
        in_request: whether the request has it, too; None where the request only goes on from another one.
        lost: why nothing more can be said of it, if a limit of the recorder cut it.
    """

    place: int
    kind: str
    bytes: int
    raw_payload_id: str | None
    is_new: bool
    in_request: bool | None
    lost: bool = False


class Prompt(Struct):
    """The prepared prompt of a call.

    Attributes:
        inference_call_id: the call.
        raw_payload_id: the payload.
        base_instructions: their text; None where there are none.
        provenance: where the base instructions come from, as codex says it.
        tools: names and sizes in bytes, in order.
        settings: all else that the prompt says, as JSON by key.
        items: its items in order.
        continues: id of the response that the request goes on from, if it does.
        differences: what is only in the prompt or only in the request.
        lost: why there is nothing to show, if a limit of the recorder cut the prompt, or it cannot be read.
    """

    inference_call_id: str
    raw_payload_id: str
    base_instructions: str | None = None
    provenance: str | None = None
    tools: list[tuple[str, int]] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    items: list[PromptItem] = field(default_factory=list)
    continues: str | None = None
    differences: list[str] = field(default_factory=list)
    lost: str | None = None


def has_prompt(call: InferenceCall) -> bool:
    """Whether a prepared prompt was recorded for a call; before schema 3 none is."""
    return isinstance(call.prepared_prompt_payload_id, str)


def prompt_of(
    trace: RolloutTrace, call: InferenceCall, before: InferenceCall | None, read: ReadJson
) -> Prompt | None:
    """The prepared prompt of a call; None where none was recorded.

    Args:
        trace: the graph.
        call: the call.
        before: the call of the same thread before it.
        read: reads payloads; may take long.
    """
    ref = _prompt_ref(trace, call)
    if ref is None:
        return None
    prompt = Prompt(call.inference_call_id, ref.raw_payload_id)
    value = None if ref.is_lost else read(ref)
    if not isinstance(value, dict):
        unread = "it cannot be read, or is no JSON object"
        prompt.lost = "a limit of the recorder cut it" if ref.is_lost else unread
        return prompt
    request_ref = trace.raw_payloads.get(call.raw_request_payload_id)
    request = None if request_ref is None or request_ref.is_lost else read(request_ref)
    instructions = value.get("base_instructions")
    if isinstance(instructions, dict):
        text, provenance = instructions.get("text"), instructions.get("provenance")
        prompt.base_instructions = text if isinstance(text, str) else None
        prompt.provenance = None if provenance is None else _compact(provenance).decode()
    prompt.tools = [(_tool_name(tool), len(_compact(tool))) for tool in _list(value, "tools")]
    prompt.settings = {key: one for key, one in value.items() if key not in {*_OF_ITEMS, "base_instructions"}}
    if isinstance(request, dict):
        _compare(prompt, value, request)
        continues = request.get("previous_response_id")
        prompt.continues = continues if isinstance(continues, str) else None
    else:
        prompt.differences.append("the request cannot be compared: a limit of the recorder cut it")
    prompt.items = _items(trace, ref, value, request, before)
    return prompt


def calls_with_part(index: TraceIndex, raw_payload_id: str) -> list[str]:
    """The ids of the calls whose prompts have a payload as a part, at any depth, in order of the log."""
    found = []
    for thread_id, place in index.lookups.calls_carrying(raw_payload_id):
        calls = index.contents[thread_id].calls if thread_id in index.contents else []
        if place < len(calls) and has_prompt(calls[place]):
            found.append(calls[place])
    return [call.inference_call_id for call in sorted(found, key=started_seq)]


def _prompt_ref(trace: RolloutTrace, call: InferenceCall) -> PayloadRef | None:
    payload_id = call.prepared_prompt_payload_id
    return trace.raw_payloads.get(payload_id) if isinstance(payload_id, str) else None


def _items(
    trace: RolloutTrace, ref: PayloadRef, prompt: dict[str, Any], request: Any, before: InferenceCall | None
) -> list[PromptItem]:
    elements = _list(prompt, "input")
    parts = ref.parts if isinstance(ref, ShardRef) and len(ref.parts) == len(elements) else ()
    earlier = None if before is None else _prompt_ref(trace, before)
    known = {part.raw_payload_id for part in earlier.parts} if isinstance(earlier, ShardRef) else set()
    is_whole = isinstance(request, dict) and "previous_response_id" not in request
    sent = Counter(map(_as_sent, _list(request, "input"))) if is_whole else Counter()
    items = []
    for place, element in enumerate(elements):
        payload_id = parts[place].raw_payload_id if parts else None
        key = _as_sent(element)
        in_request = sent[key] > 0 if is_whole else None
        sent[key] -= 1
        lost = _is_hole(element)
        if lost:
            payload_id = element[HOLE_KEY]
        items.append(
            PromptItem(
                place + 1,
                "cut by the recorder's limit" if lost else _kind(element),
                len(_compact(element)),
                payload_id,
                payload_id not in known if parts else False,
                None if lost else in_request,
                lost,
            )
        )
    return items


def _compare(prompt: Prompt, prepared: dict[str, Any], request: dict[str, Any]) -> None:
    """Say what only one of the two has; metadata that is never sent is not told of each item."""
    only_sent = sorted(request.keys() - prepared.keys())
    only_prepared = sorted(prepared.keys() - request.keys())
    differences = [f"only in the request: {', '.join(only_sent)}"] if only_sent else []
    if only_prepared:
        differences.append(f"only in the prompt: {', '.join(only_prepared)}")
    ours, theirs = _list(prepared, "tools"), _list(request, "tools")
    if [*map(_compact, ours)] != [*map(_compact, theirs)]:
        differences.append(_tool_difference([*map(_tool_name, ours)], [*map(_tool_name, theirs)]))
    if "previous_response_id" in request:
        own = len(_list(request, "input"))
        last = "item is the last one" if own == 1 else f"items are the last {own}"
        differences.append(f"the request goes on from another response; its own {last}")
    else:
        differences += _item_differences(prompt, _list(prepared, "input"), _list(request, "input"))
    if any(isinstance(item, dict) and PASSTHROUGH_KEY in item for item in _list(prepared, "input")):
        differences.append(f"items of the prompt carry {PASSTHROUGH_KEY}, which is not sent; not compared")
    prompt.differences = differences


def _item_differences(prompt: Prompt, prepared: list[Any], sent: list[Any]) -> list[str]:
    cut = max(sum(map(_is_hole, prepared)), sum(map(_is_hole, sent)))
    prepared = [item for item in prepared if not _is_hole(item)]
    ours, theirs = Counter(map(_as_sent, prepared)), Counter(map(_as_sent, sent))
    found = []
    for name, items, others in (("request", sent, ours), ("prompt", prepared, theirs)):
        left = Counter(others)
        for place, item in enumerate(items, 1):
            left[_as_sent(item)] -= 1
            if left[_as_sent(item)] >= 0 or _is_hole(item):
                continue
            what = f"{_kind(item)}, {len(_compact(item)):,} B"
            if prompt.base_instructions and _texts(item) == [prompt.base_instructions]:
                what += ", which is the base instructions"
            found.append(f"only in the {name}: item {place}, {what}")
    if cut:
        were = "was" if cut == 1 else "were"
        found.append(f"{plural(cut, 'item')} {were} cut by the recorder's limit; not compared")
    return found


def _tool_difference(prepared: list[str], sent: list[str]) -> str:
    more, fewer = Counter(sent) - Counter(prepared), Counter(prepared) - Counter(sent)
    if not more and not fewer:
        return "the tools have the same names, but are defined or ordered differently"
    only = [f"only in the request {', '.join(more)}"] if more else []
    only += [f"only in the prompt {', '.join(fewer)}"] if fewer else []
    return f"tools: {'; '.join(only)}"


def _as_sent(item: Any) -> bytes:
    """An item without what is not sent of it, and without its id, which not every provider is sent."""
    if not isinstance(item, dict):
        return _compact(item)
    return _compact(
        {key: one for key, one in item.items() if key not in (PASSTHROUGH_KEY, "id") and one is not None}
    )


def _is_hole(item: Any) -> bool:
    """Whether a limit of the recorder cut an item as a whole."""
    return isinstance(item, dict) and [*item] == [HOLE_KEY]


def _texts(item: Any) -> list[Any]:
    return [one.get("text") for one in _list(item, "content") if isinstance(one, dict)]


def _kind(item: Any) -> str:
    if not isinstance(item, dict):
        return "no object"
    kind, role = item.get("type"), item.get("role")
    name = kind if isinstance(kind, str) else "without type"
    return f"{role} {name}" if isinstance(role, str) else name


def _tool_name(tool: Any) -> str:
    name = tool.get("name", tool.get("type")) if isinstance(tool, dict) else None
    return name if isinstance(name, str) else "?"


def _list(value: Any, key: str) -> list[Any]:
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, list) else []


def _compact(value: Any) -> bytes:
    return orjson.dumps(value, default=str, option=orjson.OPT_SORT_KEYS)
