"""How much time and memory a large session file takes, by itself and with the views on it."""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import resource
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from multiprocessing.queues import SimpleQueue
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from reducer.sessions import SessionReader
from rollout_tui.feed import Feed, View
from rollout_tui.recordings import open_recording

BEGIN = datetime(2026, 11, 28, 12, tzinfo=UTC)
THREAD = "01a22225-ec91-75f2-a2de-3a17fbd06ca8"
CALLS_OF_TURN = 6
KEPT = 20
"""Messages that a compaction keeps."""


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=float, nargs="+", default=[100, 200])
    parser.add_argument("--turns-a-compaction", type=int, default=20)
    parser.add_argument("--output-bytes", type=int, default=4000, help="of each command, on average")
    parser.add_argument("--make", type=Path, help="only make the first of them, in this folder")
    options = parser.parse_args()
    shape = Shape(options.turns_a_compaction, options.output_bytes)
    if options.make is not None:
        print(make_session(options.make, options.megabytes[0], shape))
        return
    for megabytes in options.megabytes:
        with tempfile.TemporaryDirectory() as directory:
            report(make_session(Path(directory), megabytes, shape))


class Measured(NamedTuple):
    """Seconds of processor time, and the most memory in megabytes beside that of the imports."""

    seconds: float
    first_view: float
    megabytes: float


def report(file: Path) -> None:
    """Print what a session takes, each in a process of its own."""
    began = time.process_time()
    with file.open("rb") as lines:
        for line in lines:
            orjson.loads(line)
    floor, size = time.process_time() - began, file.stat().st_size / 1e6
    print(f"{size:.0f} MB, parsed as JSON lines in {floor:.2f} s (one floor)")
    for name, with_views in (("reader", False), ("with views", True)):
        answers: SimpleQueue[Measured] = multiprocessing.get_context("spawn").SimpleQueue()
        process = multiprocessing.get_context("spawn").Process(
            target=_measure, args=(file, with_views, answers)
        )
        process.start()
        found = answers.get()
        process.join()
        words = f"  first view {found.first_view:.2f} s" if with_views else ""
        print(
            f"  {name:<10} {found.seconds:7.2f} s  {found.seconds / floor:6.2f} floors"
            f"  {found.megabytes:7.1f} MB  {found.megabytes / size:5.2f} of the file{words}"
        )


def _measure(file: Path, with_views: bool, answers: SimpleQueue[Measured]) -> None:
    before, began, first = _peak(), time.process_time(), [0.0]
    if with_views:
        feed, shown = Feed(open_recording(file)), []

        def publish(view: View) -> None:
            first[0] = first[0] or time.process_time() - began
            if shown:
                feed.let_go(shown.pop())
            shown.append(view)

        feed.read(lambda done, total: None, publish)
    else:
        SessionReader(file).read_on(is_whole=True)
    answers.put(Measured(time.process_time() - began, first[0], _peak() - before))


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


class Shape(NamedTuple):
    """What a made session is like.

    Attributes:
        turns_a_compaction: turns from one compaction to the next; 0 for none.
        output_bytes: of each command, on average.
    """

    turns_a_compaction: int = 20
    output_bytes: int = 4000


def make_session(folder: Path, megabytes: float, shape: Shape) -> Path:
    """Write a session file as codex 0.171 does, of about this size; gives its path."""
    day = folder / "sessions" / BEGIN.strftime("%Y/%m/%d")
    day.mkdir(parents=True, exist_ok=True)
    file = day / f"rollout-{BEGIN:%Y-%m-%dT%H-%M-%S}-{THREAD}.jsonl"
    written = 0
    with file.open("w", encoding="utf-8") as target:
        for line in session_lines(shape):
            written += target.write(line)
            if written >= megabytes * 1e6 and '{"type":"task_complete"' in line:
                break
    return file


def session_lines(shape: Shape) -> Iterator[str]:
    """The lines of a session that never ends."""
    for number, (type_, payload, metadata) in enumerate(_records(shape)):
        at = BEGIN + timedelta(milliseconds=7 * number)
        value = {
            "timestamp": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "ordinal": number,
            "type": type_,
            "payload": payload,
        }
        yield json.dumps(value | metadata, separators=(",", ":")) + "\n"


_Record = tuple[str, dict[str, Any], dict[str, Any]]


class _Items:
    """The items of a history, which codex counts."""

    def __init__(self) -> None:
        self.sequence = self.sampled = 0

    def record(self, turn: str, payload: dict[str, Any]) -> _Record:
        """The record of the next item."""
        self.sequence += 1
        noted = {"history_sequence": self.sequence, "sampled_through_sequence": self.sampled}
        passed = {"internal_chat_message_metadata_passthrough": {"turn_id": turn}}
        return "response_item", payload | passed, {"metadata": noted}


def _records(shape: Shape) -> Iterator[_Record]:
    chance = random.Random(1)
    text = "".join(chance.choices("abcdefghij klmnop\n", k=4 * shape.output_bytes + 4000))
    header = {"session_id": THREAD, "id": THREAD, "cwd": "/work", "cli_version": "0.171.0"}
    header |= {"timestamp": BEGIN.isoformat(), "base_instructions": {"text": "You are Codex. " * 1400}}
    yield "session_meta", header, {}
    items, number = _Items(), 0
    while True:
        number += 1
        turn = f"01a22226-{number >> 16:04x}-7{number & 0xFFF:03x}-a2de-{number:012x}"
        yield _event("task_started", turn_id=turn, root_turn_id=turn, turn_attribution={"turn_id": turn})
        yield "turn_context", {"turn_id": turn, "root_turn_id": turn, "model": "gpt-5.5", "cwd": "/work"}, {}
        yield items.record(turn, _message("user", f"user {number} {text[:200]}"))
        for call in range(CALLS_OF_TURN):
            size = chance.randrange(shape.output_bytes // 4, shape.output_bytes * 7 // 4)
            begin = chance.randrange(2 * shape.output_bytes)
            name, process = f"{number}_{call}", str(chance.randrange(1000, 100_000))
            yield from _called(items, turn, name, process, text[begin : begin + size])
        items.sampled = items.sequence
        yield items.record(turn, _message("assistant", f"answer {number} {text[:300]}"))
        yield _usage(turn, f"resp_{number}")
        if shape.turns_a_compaction and number % shape.turns_a_compaction == 0:
            kept = [_message("user", f"kept {one}") for one in range(max(1, number - KEPT), number + 1)]
            sealed = {"type": "compaction", "encrypted_content": text[:3000]}
            yield _usage(turn, f"resp_c{number}")
            compacted = {"message": "", "compaction_response_id": f"resp_c{number}"}
            yield "compacted", compacted | {"replacement_history": [*kept, sealed]}, {}
        yield _event("task_complete", turn_id=turn, last_agent_message="done")


def _called(items: _Items, turn: str, name: str, process: str, said: str) -> Iterator[_Record]:
    """A model thinks, and has a command run."""
    items.sampled = items.sequence
    thought = {"type": "reasoning", "id": f"rs_{name}", "summary": [], "encrypted_content": said[:600]}
    yield items.record(turn, thought)
    asked = {"type": "function_call", "id": f"fc_{name}", "name": "exec_command", "call_id": f"call_{name}"}
    yield items.record(turn, asked | {"arguments": json.dumps({"cmd": f"echo {name}"})})
    yield _usage(turn, f"resp_{name}")
    item = {"type": "CommandExecution", "id": f"call_{name}", "command": ["bash", "-lc", f"echo {name}"]}
    item |= {"process_id": process, "status": "completed", "aggregated_output": said, "exit_code": 0}
    yield _event("item_completed", thread_id=THREAD, turn_id=turn, item=item)
    told = f"Chunk ID: 1\nProcess exited with code 0\nOutput:\n{said}"
    output = {"type": "function_call_output", "id": f"fco_{name}", "call_id": f"call_{name}"}
    yield items.record(turn, output | {"output": told})


def _event(kind: str, **fields: object) -> _Record:
    return "event_msg", {"type": kind, **fields}, {}


def _usage(turn: str, response_id: str) -> _Record:
    usage = {"input_tokens": 100, "output_tokens": 5}
    named = {"thread_id": THREAD, "turn_id": turn, "root_turn_id": turn, "response_id": response_id}
    return "token_usage_record", named | {"usage": usage}, {}


def _message(role: str, said: str) -> dict[str, Any]:
    type_ = "output_text" if role == "assistant" else "input_text"
    return {"type": "message", "role": role, "content": [{"type": type_, "text": said}]}


if __name__ == "__main__":
    main()
