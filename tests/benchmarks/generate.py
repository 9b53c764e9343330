"""Makes large trace bundles, through the recorder: sessions in which each request repeats the conversation.

Run it as `python -m tests.benchmarks.generate /tmp/bundle --schema 3 --calls 1000 --output-bytes 1000`.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from reducer.recorder import (
    Ids,
    InferenceTrace,
    SessionMetadata,
    SessionTrace,
    ThreadTrace,
    TokenUsage,
    ToolInvocation,
    TraceWriter,
    TurnTrace,
    direct_response,
    prepared_prompt,
)
from reducer.recorder.writer import SchemaNumber
from reducer.schemas import SCHEMAS

MODEL = "gpt-bench"
TOOLS_BYTES = 9_000
"""Size of the tool definitions that every request ends with."""

TOOLS = 30

ENVIRONMENT_BYTES = 6_000
"""Size of the messages about skills and surroundings that a conversation begins with."""

CALLS_PER_REASONING = 7
LINE_BYTES = 60

Item = dict[str, Any]


@dataclass(frozen=True)
class Shape:
    """What a generated bundle holds.

    Attributes:
        calls: inference calls of every agent.
        output_bytes: characters of tool output that one call leaves in the conversation.
        agents: threads; all but the first are children of the first.
        compactions: how often the history of the first agent is compacted.
        calls_per_turn: calls between two messages of the user; the last of them answers the user.
        instructions_bytes: characters of the base instructions, with which every request begins.
        incremental: requests hold only what is new since the response before, as those over a WebSocket do.
        schema: the trace schema.
    """

    calls: int
    output_bytes: int = 700
    agents: int = 1
    compactions: int = 0
    calls_per_turn: int = 20
    instructions_bytes: int = 20_000
    incremental: bool = False
    schema: SchemaNumber = 2


class Conversation:
    """One thread being recorded, with the history that its next request repeats."""

    def __init__(self, session: SessionTrace, thread: ThreadTrace, shape: Shape, seed: int) -> None:
        self.thread = thread
        self.history: list[Item] = []
        self._session = session
        self._shape = shape
        self._random = random.Random(seed)
        self._words = [f"{self._random.choice('bcdfgklmnprst')}{number}" for number in range(997)]
        self._name = thread.thread_id[:4]
        self._made = 0
        self._kept: dict[str, Item] = {}
        self._instructions = self.text(shape.instructions_bytes)
        # Only schema 3 can tell what a response that was not recorded, that of the warm-up, was about.
        self._continues = self._next("resp") if shape.incremental and shape.schema == 3 else None
        self._sent = 0
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
        for first in range(0, self._shape.calls, self._shape.calls_per_turn):
            numbers = range(first, min(first + self._shape.calls_per_turn, self._shape.calls))
            turn = self._start_turn(first)
            for number in numbers:
                if self._shape.compactions and number and number % every == 0:
                    self._compact(turn)
                self._call(turn, number, is_last=number == numbers[-1])
                yield
            self._observe("turn_complete", {"type": "task_complete", "turn_id": turn.codex_turn_id})
            turn.end()

    def _start_turn(self, number: int) -> TurnTrace:
        turn = self.thread.start_turn(f"{self._name}-turn-{number}")
        self._observe("turn_started", {"type": "task_started", "turn_id": turn.codex_turn_id})
        if number == 0:
            for role in ("developer", "user"):
                self._add(turn, _message(self._next("msg"), role, self.text(ENVIRONMENT_BYTES // 2)))
        self._add(turn, _message(self._next("msg"), "user", self.text(200)))
        return turn

    def _observe(self, event_type: str, event: dict[str, Any]) -> None:
        self._session.observe_protocol_event(event_type, {**event, "model_context_window": 258400})

    def _next(self, kind: str) -> str:
        self._made += 1
        return f"{kind}_{self._name}_{self._made:07d}"

    def _add(self, turn: TurnTrace, item: Item) -> None:
        """An item enters the history; as codex keeps it, it tells its turn, which the wire form does not."""
        kept = {**item, "internal_chat_message_metadata_passthrough": {"turn_id": turn.codex_turn_id}}
        self._kept[item["id"]] = kept
        self.history.append(item)
        turn.accept_item(kept)

    def _whole_input(self) -> list[Item]:
        if not self._instructions:
            return self.history
        return [_message(f"msg_{self._name}_base", "developer", self._instructions), *self.history]

    def _request(self, items: list[Item]) -> dict[str, Any]:
        return {
            "model": MODEL,
            "stream": True,
            "input": items,
            "tools": self._tools,
            "tool_choice": "auto",
            "prompt_cache_key": self.thread.thread_id,
        }

    def _start_inference(self, turn: TurnTrace) -> InferenceTrace:
        if self._continues is None:
            request = self._request(self._whole_input())
        else:
            request = self._request(self.history[self._sent :])
            request["previous_response_id"] = self._continues
        is_after_warmup = self._continues is not None and self._sent == 0
        return turn.start_inference(
            model=MODEL,
            provider_name="bench",
            request=request,
            prompt=prepared_prompt(
                [self._kept[item["id"]] for item in self.history],
                tools=self._tools,
                base_instructions=self._instructions,
            ),
            warmup_context=self._whole_input() if is_after_warmup else None,
        )

    def _call(self, turn: TurnTrace, number: int, *, is_last: bool) -> None:
        """One inference call that asks for a command, and the command; the last one of a turn answers."""
        call = self._start_inference(turn)
        answer: list[Item] = []
        if number % CALLS_PER_REASONING == 0:
            secret = self.text(700)
            answer.append(
                {"type": "reasoning", "id": self._next("rs"), "summary": [], "encrypted_content": secret}
            )
        answer.append(self._reply() if is_last else self._function_call())
        tokens = sum(len(str(item)) for item in self.history[-4:]) + len(self.history) * 200
        usage = TokenUsage(input_tokens=tokens, output_tokens=120, total_tokens=tokens + 120)
        response_id = self._next("resp")
        call.complete(answer, response_id=response_id, token_usage=usage)
        for item in answer:
            self._add(turn, item)
        if self._shape.incremental:
            self._continues, self._sent = response_id, len(self.history)
        if not is_last:
            self._command(turn, answer[-1]["call_id"], answer[-1]["arguments"])

    def _reply(self) -> Item:
        text = {"type": "output_text", "text": self.text(200)}
        return {"type": "message", "id": self._next("msg"), "role": "assistant", "content": [text]}

    def _function_call(self) -> Item:
        arguments = {"cmd": f"rg {self._random.choice(self._words)}", "login": False, "yield_time_ms": 1000}
        return {
            "type": "function_call",
            "id": self._next("fc"),
            "name": "exec_command",
            "arguments": json.dumps(arguments),
            "call_id": self._next("call"),
        }

    def _command(self, turn: TurnTrace, call_id: str, arguments: str) -> None:
        output = self._output()
        tool = turn.start_tool_call(call_id, ToolInvocation.function("exec_command", arguments))
        begun = {"call_id": call_id, "process_id": call_id, "command": ["bash", "-lc", "rg"], "cwd": "/w"}
        tool.start_runtime(begun)
        tool.end_runtime({**begun, "aggregated_output": output, "exit_code": 0, "status": "completed"})
        item = {"type": "function_call_output", "id": self._next("fco"), "call_id": call_id, "output": output}
        tool.end(direct_response(item))
        self._add(turn, item)

    def _output(self) -> str:
        """What a command prints: lines that begin alike."""
        size = self._shape.output_bytes
        line = self.text(LINE_BYTES - 5)
        lines = [f"{line} {self._random.choice(self._words)}" for _ in range(size // LINE_BYTES + 1)]
        return "\n".join(lines)[:size]

    def _compact(self, turn: TurnTrace) -> None:
        compaction = turn.start_compaction(self._next("compaction"))
        body = self._request(self._whole_input())
        request = compaction.start_request(model=MODEL, provider_name="bench", request=body)
        summary = {"type": "compaction", "id": self._next("cmp"), "encrypted_content": self.text(2_000)}
        request.complete([summary])
        asked = [item for item in self.history if item.get("role") == "user"]
        replacement = [*asked[-10:], summary]
        compaction.install(self.history, replacement)
        self.history = replacement
        self._kept[summary["id"]] = summary
        self._continues = None


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
        Conversation(session, thread, shape, seed * 1000 + number).run()
        for number, thread in enumerate(threads)
    ]
    while running:
        running = [one for one in running if next(one, running) is not running]
    for thread in threads:
        thread.end()
    session.end()
    session.complete()
    return directory


def add_shape_options(parser: argparse.ArgumentParser) -> None:
    """Options for everything in a shape but its calls."""
    parser.add_argument("--output-bytes", type=int, default=700)
    parser.add_argument("--agents", type=int, default=1)
    parser.add_argument("--compactions", type=int, default=0)
    parser.add_argument("--incremental", action="store_true")
    parser.add_argument("--schema", type=int, choices=SCHEMAS, default=2)


def shape_from(options: argparse.Namespace, *, calls: int) -> Shape:
    """The shape that these options ask for."""
    return Shape(
        calls,
        output_bytes=options.output_bytes,
        agents=options.agents,
        compactions=options.compactions,
        incremental=options.incremental,
        schema=options.schema,
    )


@contextmanager
def bundle_from(options: argparse.Namespace) -> Iterator[Path]:
    """The bundle that options name, or else one of `--calls` calls that is removed afterwards."""
    if options.bundle is not None:
        yield options.bundle
        return
    with TemporaryDirectory() as directory:
        yield generate(Path(directory) / "bundle", shape_from(options, calls=options.calls))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--calls", type=int, default=100)
    add_shape_options(parser)
    options = parser.parse_args()
    generate(options.directory, shape_from(options, calls=options.calls))


if __name__ == "__main__":
    main()
