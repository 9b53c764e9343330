"""Figures of the answers, counted by their rules from what `own_reading` has read: no views, no graph."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any, NamedTuple

from own_reading import OwnReading, strings

JSON_KEPT = 240
"""Bytes that the graph keeps of a JSON value; the rest of arguments is not counted."""

ENVELOPE = 650
"""Bytes of encrypted content that are no text."""

SMALLEST_CACHED = 1024
"""Tokens from which a provider caches."""


# What failed


def failed_seqs(reading: OwnReading) -> set[int]:
    """The events with which began what failed, was ended, or never ended although the run is over."""
    found, starts, tools, cells = set(), {}, {}, {}
    codes: dict[str, int] = {}
    is_over = any(reading.bodies("rollout_ended"))
    open_: set[str] = set()
    for event in reading.events:
        body, seq = event["payload"], event["seq"]
        kind, _, what = body["type"].rpartition("_")
        if kind in ("inference", "compaction_request", "codex_turn", "tool_call"):
            name = {"inference": "inference_call_id", "codex_turn": "codex_turn_id"}.get(kind, f"{kind}_id")
            if what == "started":
                starts[body[name]] = seq
                open_.add(body[name])
            else:
                open_.discard(body[name])
                if what in ("failed", "cancelled") or body.get("status", "completed") != "completed":
                    found.add(starts[body[name]])
        if body["type"] == "tool_call_started":
            tools[body["tool_call_id"]] = body
        elif body["type"] == "code_cell_started":
            cells[body["runtime_cell_id"]] = body["model_visible_call_id"]
        elif body["type"] == "code_cell_ended":
            call = cells.pop(body["runtime_cell_id"])
            if body["status"] != "completed":
                found.add(starts[call])
        elif body["type"] == "tool_call_runtime_ended":
            told = reading.payload(body["runtime_payload"])
            codes[body["tool_call_id"]] = (told or {}).get("exit_code") or 0
        elif body["type"] == "tool_call_ended" and _timed_out(reading, tools[body["tool_call_id"]], body):
            found.add(starts[body["tool_call_id"]])
    # A write to a terminal tells the exit status of somebody else's process.
    found |= {
        starts[call] for call, code in codes.items() if code and tools[call]["kind"]["type"] == "exec_command"
    }
    if is_over:
        found |= {starts[one] for one in (*open_, *cells.values())}
    return found


def _timed_out(reading: OwnReading, begun: dict[str, Any], ended: dict[str, Any]) -> bool:
    """Whether an agent waited for others in vain."""
    result = reading.payload(ended["result_payload"]) if begun["kind"]["type"] == "wait_agent" else None
    return any('"timed_out":true' in text for text in strings(result))


# Tokens


class Carried(NamedTuple):
    """What stood in requests: in how many, of how many of these tokens were told, and how many it made."""

    calls: int
    told: int
    paid: float


def carried(reading: OwnReading, thread: str) -> list[Carried]:
    """Each item of the requests of an agent, and what stands before them; a compaction makes all new."""
    installed = [
        event["seq"] for event, _ in reading.bodies("compaction_installed") if event["thread_id"] == thread
    ]
    before = _before(reading, thread)
    calls: Counter[Any] = Counter()
    told: Counter[Any] = Counter()
    paid: dict[Any, float] = defaultdict(float)
    for call in reading.calls(thread):
        history = sum(seq < reading.seq_of_call(call) for seq in installed)
        usage = reading.usage(call["inference_call_id"])
        weights = {(history, _key(item)): weight(item) for item in reading.request_input(call) or ()}
        weights["before"] = before
        whole = sum(weights.values())
        for key, one in weights.items():
            calls[key] += 1
            told[key] += usage is not None
            paid[key] += 0 if usage is None else usage["input_tokens"] * one / whole
    return sorted(Carried(calls[key], told[key], paid[key]) for key in calls)


def weight(item: dict[str, Any]) -> int:
    """About how many tokens an item is: four characters each, and four bytes of what is encrypted."""
    characters = sum(map(len, _texts(item)))
    sealed = [item, *(part for part in item.get("content") or () if isinstance(part, dict))]
    encrypted = sum(len(one.get("encrypted_content") or "") for one in sealed)
    return _quarter(characters) + _quarter(max(0, encrypted * 3 // 4 - ENVELOPE))


def _texts(item: dict[str, Any]) -> Iterator[str]:
    if item["type"] == "function_call":
        yield _kept(item["arguments"])
    for key in ("content", "summary", "output", "input"):
        told = item.get(key)
        if isinstance(told, str):
            yield told
        else:
            yield from (part["text"] for part in told or () if "text" in part)


def _kept(arguments: str) -> str:
    """What the graph keeps of arguments: compact JSON, or the text itself as a JSON string."""
    try:
        value = json.loads(arguments)
    except json.JSONDecodeError:
        value = arguments
    compact = json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
    if len(compact) <= JSON_KEPT:
        return compact.decode()
    return compact[:JSON_KEPT].decode(errors="ignore") + "..."


def _before(reading: OwnReading, thread: str) -> int:
    """What stands before the items of the first request."""
    request = reading.payload(reading.calls(thread)[0]["request_payload"])
    tools = request.get("tools")
    defined = "" if tools is None else json.dumps(tools, separators=(",", ":"), ensure_ascii=False)
    return _quarter(len(request.get("instructions") or "") + len(defined.encode()))


def _key(item: dict[str, Any]) -> str:
    told = {name: one for name, one in item.items() if name != "internal_chat_message_metadata_passthrough"}
    return item.get("id") or json.dumps(told, sort_keys=True)


def _quarter(number: int) -> int:
    return -(-number // 4)


class Break(NamedTuple):
    """Where the cache broke: at which call, how much was not cached, and how long after the call before."""

    number: int
    lost: int
    since_ms: int


def cache_breaks(reading: OwnReading, thread: str) -> list[Break]:
    """Calls of which less was cached than of the call before, or nothing though it was large enough."""
    calls = reading.calls(thread)
    told = [(number, call, reading.usage(call["inference_call_id"])) for number, call in enumerate(calls, 1)]
    known = [(number, call, usage) for number, call, usage in told if usage is not None]
    if not any(usage["cached_input_tokens"] for _, _, usage in known):
        return []
    ends = {one.id: one.last for one in reading.windows()}
    found = []
    for (_, before, old), (number, call, new) in pairwise(known):
        cached = new["cached_input_tokens"]
        lost = min(old["input_tokens"], new["input_tokens"]) - cached
        is_large = cached == 0 and old["input_tokens"] >= SMALLEST_CACHED
        if lost > 0 and (cached < old["cached_input_tokens"] or is_large):
            ended = reading.times[ends[before["inference_call_id"]] or 0]
            found.append(Break(number, lost, reading.times[reading.seq_of_call(call)] - ended))
    return found


# What was done more than once, and what was forgotten


def repeated(reading: OwnReading) -> set[frozenset[str]]:
    """Tool calls with the same command in the same directory, the same script, or the same arguments."""
    groups: dict[str, set[str]] = defaultdict(set)
    waiting = {one.id for one in reading.windows() if one.kind.startswith("wait")}
    scripts = {
        body["model_visible_call_id"]: body["source_js"] for _, body in reading.bodies("code_cell_started")
    }
    ran = {
        body["tool_call_id"]: reading.payload(body["runtime_payload"])
        for _, body in reading.bodies("tool_call_runtime_started")
    }
    for _, body in reading.bodies("tool_call_started"):
        id_, kind = body["tool_call_id"], body["kind"]["type"]
        if id_ in waiting or kind == "write_stdin":
            continue
        asked = (reading.payload(body["invocation_payload"]) or {}).get("payload")
        if kind == "exec_command" and ran.get(id_):
            asked = (ran[id_]["command"], ran[id_]["cwd"])
        elif body["model_visible_call_id"] in scripts:
            asked = scripts[body["model_visible_call_id"]]
        name = (body["summary"] or {}).get("label") if kind != "exec_command" else ""
        groups[json.dumps([name, asked or id_], sort_keys=True)].add(id_)
    return {frozenset(same) for same in groups.values() if len(same) > 1}


def shown_by(reading: OwnReading) -> dict[str, str]:
    """Of each tool call the one whose output shows what it gave: itself, or what ran its script."""
    cells, found = {}, {}
    for event in reading.events:
        body = event["payload"]
        if body["type"] == "code_cell_started":
            cells[body["runtime_cell_id"]] = body["model_visible_call_id"]
        elif body["type"] == "tool_call_started":
            by_model = body["requester"]["type"] == "model"
            asked_by = (
                body["model_visible_call_id"] if by_model else cells[body["requester"]["runtime_cell_id"]]
            )
            found[body["tool_call_id"]] = asked_by
    return found


def outputs_in(reading: OwnReading, call: dict[str, Any]) -> set[str]:
    """The tool calls whose outputs stand in a request."""
    items: Iterable[dict[str, Any]] = reading.request_input(call) or ()
    return {one["call_id"] for one in items if one.get("type", "").endswith("_output")}
