"""What a bundle says, read from its log and payloads alone: nothing of the program takes part in it.

The rules are those of the documentation of the answers, applied in the most simple way: whatever can be
counted event by event is counted event by event.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from shard_reading import all_records

ENDS = {
    "inference_completed": "inference_call_id",
    "inference_failed": "inference_call_id",
    "inference_cancelled": "inference_call_id",
    "compaction_request_completed": "compaction_request_id",
    "compaction_request_failed": "compaction_request_id",
    "codex_turn_ended": "codex_turn_id",
    "tool_call_ended": "tool_call_id",
}
STARTS = {
    "inference_started": "inference_call_id",
    "compaction_request_started": "compaction_request_id",
    "codex_turn_started": "codex_turn_id",
    "tool_call_started": "tool_call_id",
}
ORDER = ("model", "tool", "wait for tool", "wait for person", "wait for agent", "script", "between")
"""What counts of several things that run: the first of these."""


@dataclass
class Window:
    """Something that ran."""

    kind: str
    id: str
    thread: str
    turn: str | None
    first: int
    last: int | None
    event: dict[str, Any]


@dataclass
class OwnReading:
    """A bundle by its events.

    Attributes:
        events: the log, parsed.
        times: when each event happened, by its sequence number.
    """

    bundle: Path
    events: list[dict[str, Any]] = field(init=False)
    times: dict[int, int] = field(init=False)

    def __post_init__(self) -> None:
        lines = (self.bundle / "trace.jsonl").read_text().splitlines()
        self.events = [json.loads(line) for line in lines]
        self.times = {event["seq"]: event["wall_time_unix_ms"] for event in self.events}
        is_sharded = any((self.bundle / "payloads").glob("*.zst"))
        self._records = all_records(self.bundle) if is_sharded else {}
        ended = [event["payload"] for event in self.events if "response_payload" in event["payload"]]
        self._responses = {
            one["inference_call_id"]: one["response_payload"] for one in ended if "inference_call_id" in one
        }
        self._begun = {
            body["inference_call_id"]: event["seq"] for event, body in self.bodies("inference_started")
        }

    def payload(self, ref: dict[str, Any] | None) -> Any:
        """A payload, parsed; None for one that was cut or is not there."""
        if ref is None or "capture" in ref:
            return None
        if "path" in ref:
            return json.loads((self.bundle / ref["path"]).read_bytes())
        return json.loads(self._joined(ref))

    def _joined(self, ref: dict[str, Any]) -> bytes:
        """A payload put together from its parts, with an object in the place of each that was cut."""
        if "capture" in ref:
            return b'{"cut": true}'
        data = self._records[ref["shard"], ref["raw_payload_id"]]
        if not ref.get("parts"):
            return data
        first, *rest = json.loads(data)
        texts = map(self._joined, ref["parts"])
        return first.encode() + b"".join(t + f.encode() for t, f in zip(texts, rest, strict=True))

    def bodies(self, kind: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        """The events of a kind, each with its body."""
        return ((one, one["payload"]) for one in self.events if one["payload"]["type"] == kind)

    @property
    def threads(self) -> dict[str, str]:
        """The paths of the agents by thread id."""
        return {body["thread_id"]: body["agent_path"] for _, body in self.bodies("thread_started")}

    # Calls and tokens

    def calls(self, thread: str) -> list[dict[str, Any]]:
        """The bodies of the starts of the calls of an agent, in order."""
        return [body for _, body in self.bodies("inference_started") if body["thread_id"] == thread]

    def usage(self, call_id: str) -> dict[str, int] | None:
        """What the provider said of the tokens of a call."""
        response = self.response(call_id)
        return None if response is None else response.get("token_usage")

    def response(self, call_id: str) -> Any:
        """What a call gave; None if it gave nothing, or that was cut."""
        return self.payload(self._responses.get(call_id))

    def seq_of_call(self, body: dict[str, Any]) -> int:
        """The event with which a call began."""
        return self._begun[body["inference_call_id"]]

    def tokens(self, threads: list[str]) -> dict[str, int | None]:
        """Tokens of all calls of some agents."""
        return self.tokens_of([body for one in threads for body in self.calls(one)])

    def tokens_of(self, calls: list[dict[str, Any]]) -> dict[str, int | None]:
        """Tokens of some calls; None where none of them tells any."""
        told = [self.usage(body["inference_call_id"]) for body in calls]
        known = [one for one in told if one is not None]

        def summed(name: str) -> int | None:
            return sum(one[name] for one in known) if known or not told else None

        whole, cached = summed("input_tokens"), summed("cached_input_tokens")
        return {
            "calls": len(told),
            "calls_without_figures": len(told) - len(known),
            "input": whole,
            "cached": cached,
            "new": None if whole is None or cached is None else whole - cached,
            "output": summed("output_tokens"),
            "reasoning": summed("reasoning_output_tokens"),
        }

    def below(self, thread: str) -> list[str]:
        """An agent and all whose paths are below its own."""
        paths = self.threads
        return [one for one, path in paths.items() if f"{path}/".startswith(f"{paths[thread]}/")]

    def request_input(self, body: dict[str, Any]) -> list[Any] | None:
        """The items of a request, as it was sent, as far as it was not cut; None if nothing is left."""
        request = self.payload(body["request_payload"])
        return None if request is None else request["input"]

    def is_whole(self, body: dict[str, Any]) -> bool:
        """Whether a request has all of its items: none was cut, and none was sent with a call before it."""
        if '"capture"' in json.dumps(body["request_payload"]):
            return False
        return "previous_response_id" not in self.payload(body["request_payload"])

    # Time

    def windows(self) -> list[Window]:
        """All that ran, with the event that ended it if there is one."""
        found: dict[tuple[str, str], Window] = {}
        cells = {body["model_visible_call_id"] for _, body in self.bodies("code_cell_started")}
        for event in self.events:
            body = event["payload"]
            if (name := STARTS.get(body["type"])) is not None:
                kind, thread = self._kind(body, cells), body.get("thread_id") or event["thread_id"]
                turn = (
                    None if name == "codex_turn_id" else body.get("codex_turn_id") or event["codex_turn_id"]
                )
                window = Window(kind, body[name], thread, turn, event["seq"], None, event)
                found[name, body[name]] = window
            elif (name := ENDS.get(body["type"])) is not None and (name, body[name]) in found:
                found[name, body[name]].last = event["seq"]
        return list(found.values())

    def _kind(self, body: dict[str, Any], cells: set[str]) -> str:
        if body["type"] == "codex_turn_started":
            return "between"
        if body["type"] != "tool_call_started":
            return "model"
        kind = body["kind"]
        if kind["type"] == "wait_agent":
            return "wait for agent"
        if kind["type"] == "write_stdin":
            invocation = self.payload(body["invocation_payload"])
            arguments = {} if invocation is None else json.loads(invocation["payload"]["arguments"])
            return "tool" if arguments.get("chars") else "wait for tool"
        if kind == {"type": "other", "name": "wait"}:
            return "wait for tool"
        return "script" if body["model_visible_call_id"] in cells else "tool"

    def times_of(self, thread: str) -> dict[str, int]:
        """Milliseconds of each kind of an agent, from its start to its end."""
        first = next(one["seq"] for one, body in self.bodies("thread_started") if body["thread_id"] == thread)
        ends = [one["seq"] for one, body in self.bodies("thread_ended") if body["thread_id"] == thread]
        last = ends[-1] if ends else self.events[-1]["seq"]
        windows = [one for one in self.windows() if one.thread == thread]
        turn_ends = {one.id: one.last for one in windows if one.kind == "between"}
        found: dict[str, int] = defaultdict(int)
        for begin, end in pairwise(seq for seq in sorted(self.times) if first <= seq <= last):
            running = set()
            for one in windows:
                until = one.last or turn_ends.get(one.turn or "") or last
                if one.first <= begin and end <= until:
                    running.add(one.kind)
            kind = next((one for one in ORDER if one in running), "idle")
            found["tool" if kind == "script" else kind] += self.times[end] - self.times[begin]
        return found


def strings(value: Any) -> Iterator[str]:
    """All strings in a value, those in JSON that is a string, too; not what is encrypted."""
    if isinstance(value, str):
        yield value
        if value.startswith(("{", "[")):
            try:
                yield from strings(json.loads(value))
            except json.JSONDecodeError:
                return
    elif isinstance(value, dict):
        for key, one in value.items():
            if key not in ("encrypted_content", "image_url"):
                yield from strings(one)
    elif isinstance(value, list):
        for one in value:
            yield from strings(one)
