"""Makes large trace bundles, through the recorder: sessions in which each request repeats the conversation.

Run it as `python -m tests.benchmarks.generate /tmp/bundle --calls 1000 --output-bytes 700`.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from reducer.recorder import (
    Ids,
    SessionMetadata,
    SessionTrace,
    ThreadTrace,
    TokenUsage,
    ToolInvocation,
    TraceWriter,
    TurnTrace,
    direct_response,
)

MODEL = "gpt-bench"
TOOLS_BYTES = 9_000
"""Size of the tool definitions that every request ends with."""

TOOLS = 30

Item = dict[str, Any]


@dataclass(frozen=True)
class Shape:
    """What a generated bundle holds.

    Attributes:
        calls: inference calls of every agent.
        output_bytes: characters of tool output that one call leaves in the conversation.
        agents: threads; all but the first are children of the first.
        compactions: how often the history of the first agent is compacted.
        calls_per_turn: calls between two messages of the user.
        schema: the trace schema.
    """

    calls: int
    output_bytes: int = 700
    agents: int = 1
    compactions: int = 0
    calls_per_turn: int = 20
    schema: Literal[1, 2] = 2


class Conversation:
    """One thread being recorded, with the history that its next request repeats."""

    def __init__(self, thread: ThreadTrace, shape: Shape, seed: int) -> None:
        self.thread = thread
        self.history: list[Item] = []
        self._shape = shape
        self._random = random.Random(seed)
        self._words = [f"{self._random.choice('bcdfgklmnprst')}{number}" for number in range(997)]
        self._name = thread.thread_id[:4]
        self._made = 0
        self._tools = [
            {"type": "function", "name": f"tool_{number}", "description": self.text(TOOLS_BYTES // TOOLS)}
            for number in range(TOOLS)
        ]

    def text(self, size: int) -> str:
        """Words, as many as make this number of characters."""
        return " ".join(self._random.choices(self._words, k=size // 5 + 1))[:size]

    def run(self) -> Iterator[None]:
        """Record the whole conversation; yields after every call, so that several can take turns."""
        every = max(1, self._shape.calls // (self._shape.compactions + 1))
        turn: TurnTrace | None = None
        for number in range(self._shape.calls):
            if turn is None or number % self._shape.calls_per_turn == 0:
                if turn is not None:
                    turn.end()
                turn = self.thread.start_turn(f"{self._name}-turn-{number}")
                self._add(turn, _message(self._next("msg"), "user", self.text(200)))
            if self._shape.compactions and number and number % every == 0:
                self._compact(turn)
            self._call(turn)
            yield
        if turn is not None:
            turn.end()

    def _next(self, kind: str) -> str:
        self._made += 1
        return f"{kind}_{self._name}_{self._made:07d}"

    def _add(self, turn: TurnTrace, item: Item) -> None:
        self.history.append(item)
        turn.accept_item(item)

    def _request(self) -> dict[str, Any]:
        return {
            "model": MODEL,
            "stream": True,
            "input": self.history,
            "tools": self._tools,
            "tool_choice": "auto",
            "prompt_cache_key": self.thread.thread_id,
        }

    def _call(self, turn: TurnTrace) -> None:
        """One inference call that reasons and asks for a command, and the command."""
        call = turn.start_inference(model=MODEL, provider_name="bench", request=self._request())
        call_id = self._next("call")
        arguments = json.dumps({"cmd": f"rg {self._random.choice(self._words)}", "yield_time_ms": 1000})
        answer = [
            {"type": "reasoning", "id": self._next("rs"), "summary": [], "encrypted_content": self.text(300)},
            {
                "type": "function_call",
                "id": self._next("fc"),
                "name": "exec_command",
                "arguments": arguments,
                "call_id": call_id,
            },
        ]
        tokens = sum(len(str(item)) for item in self.history[-4:]) + len(self.history) * 200
        usage = TokenUsage(input_tokens=tokens, output_tokens=120, total_tokens=tokens + 120)
        call.complete(answer, response_id=self._next("resp"), token_usage=usage)
        for item in answer:
            self._add(turn, item)
        self._command(turn, call_id, arguments)

    def _command(self, turn: TurnTrace, call_id: str, arguments: str) -> None:
        output = self.text(self._shape.output_bytes)
        tool = turn.start_tool_call(call_id, ToolInvocation.function("exec_command", arguments))
        begun = {"call_id": call_id, "process_id": call_id, "command": ["bash", "-lc", "rg"], "cwd": "/w"}
        tool.start_runtime(begun)
        tool.end_runtime({**begun, "aggregated_output": output, "exit_code": 0, "status": "completed"})
        item = {"type": "function_call_output", "id": self._next("fco"), "call_id": call_id, "output": output}
        tool.end(direct_response(item))
        self._add(turn, item)

    def _compact(self, turn: TurnTrace) -> None:
        compaction = turn.start_compaction(self._next("compaction"))
        request = compaction.start_request(model=MODEL, provider_name="bench", request=self._request())
        summary = {"type": "compaction", "id": self._next("cmp"), "encrypted_content": self.text(2_000)}
        request.complete([summary])
        asked = [item for item in self.history if item.get("role") == "user"]
        replacement = [*asked[-10:], summary]
        compaction.install(self.history, replacement)
        self.history = replacement


def _message(item_id: str, role: str, text: str) -> Item:
    return {"type": "message", "id": item_id, "role": role, "content": [{"type": "input_text", "text": text}]}


def generate(directory: Path, shape: Shape, *, seed: int = 1) -> Path:
    """Write a bundle of this shape; the same shape and seed give the same conversation.

    Args:
        directory: where the bundle is to be; what is there is removed.
        shape: what it holds.
        seed: of the texts.
    """
    shutil.rmtree(directory, ignore_errors=True)
    metadata = SessionMetadata(thread_id=f"{0:04d}-bench", cwd="/w", model=MODEL)
    sink = TraceWriter(directory, trace_id="bench", root_thread_id=metadata.thread_id, schema=shape.schema)
    session = SessionTrace(sink, "bench", metadata, Ids())
    numbers = range(1, shape.agents)
    children = [session.root.spawn(f"{number:04d}-bench", f"agent_{number}") for number in numbers]
    threads = [session.root, *children]
    running = [
        Conversation(thread, shape, seed * 1000 + number).run() for number, thread in enumerate(threads)
    ]
    while running:
        running = [one for one in running if next(one, running) is not running]
    for thread in threads:
        thread.end()
    session.end()
    session.complete()
    return directory


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--calls", type=int, default=100)
    parser.add_argument("--output-bytes", type=int, default=700)
    parser.add_argument("--agents", type=int, default=1)
    parser.add_argument("--compactions", type=int, default=0)
    parser.add_argument("--schema", type=int, choices=(1, 2), default=2)
    arguments = vars(parser.parse_args())
    directory = arguments.pop("directory")
    generate(directory, Shape(**arguments))


if __name__ == "__main__":
    main()
