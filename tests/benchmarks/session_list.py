"""How long a list of very many sessions takes, to its first rows and to its last, and how much memory."""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import tempfile
import time
from datetime import UTC, datetime, timedelta
from multiprocessing.queues import SimpleQueue
from pathlib import Path
from typing import NamedTuple

from rollout_tui.bundles.listing import ListedRun
from rollout_tui.bundles.root import RunList

BEGIN = datetime(2026, 11, 28, 12, tzinfo=UTC)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, nargs="+", default=[1000, 10_000])
    parser.add_argument("--calls", type=int, default=10)
    parser.add_argument("--home", type=Path, help="a home of codex to list instead")
    options = parser.parse_args()
    if options.home is not None:
        report(options.home)
        return
    for count in options.sessions:
        with tempfile.TemporaryDirectory() as directory:
            make_sessions(Path(directory), count, options.calls)
            report(Path(directory))


class Measured(NamedTuple):
    """Seconds of processor time from the beginning to something, and memory."""

    first_rows: float
    all_rows: float
    all_read: float
    floor: float
    again: float
    rows: int
    megabytes: float


def report(home: Path) -> None:
    """Print what listing a home takes, in a process of its own."""
    answers: SimpleQueue[Measured] = multiprocessing.get_context("spawn").SimpleQueue()
    process = multiprocessing.get_context("spawn").Process(target=_measure, args=(home, answers))
    process.start()
    found = answers.get()
    process.join()
    print(f"{found.rows} sessions")
    for name, seconds in (
        ("first rows", found.first_rows),
        ("all rows", found.all_rows),
        ("all read", found.all_read),
        ("the next look", found.again),
    ):
        print(f"  {name:<14} {seconds:7.2f} s  {seconds / found.floor:6.2f} floors")
    print(
        f"  {'memory':<14} {found.megabytes:7.1f} MB more, {found.megabytes * 1e3 / found.rows:.1f} kB a row"
    )


def _measure(home: Path, answers: SimpleQueue[Measured]) -> None:
    floor = _floor(home)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    runs, began = RunList(None, home), time.process_time()
    published: list[tuple[float, bool]] = []

    def publish(found: list[ListedRun]) -> None:
        is_whole = all(one.summary.status == "reading" for one in found)
        published.append((time.process_time() - began, is_whole))

    found = runs.look(publish=publish)
    done = time.process_time() - began
    first = published[0][0] if published else done
    heads = [at for at, only_heads in published if only_heads]
    began = time.process_time()
    runs.look()
    again = time.process_time() - began
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    answers.put(Measured(first, heads[-1] if heads else first, done, floor, again, len(found), used / 1000))


def _floor(home: Path) -> float:
    """Processor time to read all files and split them into lines, which is the least that there is to do."""
    began = time.process_time()
    for file in home.rglob("rollout-*.jsonl"):
        file.read_bytes().split(b"\n")
    return time.process_time() - began


def make_sessions(home: Path, count: int, calls: int) -> None:
    """Write session files as codex does, one every 40 minutes, in folders by day."""
    for number in range(count):
        at = BEGIN - timedelta(minutes=40 * number)
        folder = home / "sessions" / at.strftime("%Y/%m/%d")
        folder.mkdir(parents=True, exist_ok=True)
        stamp = int(at.timestamp() * 1000)
        thread = f"{stamp >> 16:08x}-{stamp & 0xFFFF:04x}-7000-8000-{number:012x}"
        file = folder / f"rollout-{at:%Y-%m-%dT%H-%M-%S}-{thread}.jsonl"
        file.write_text("".join(_lines(thread, at.isoformat(timespec="milliseconds"), number, calls)))


def _lines(thread: str, stamp: str, number: int, calls: int) -> list[str]:
    said: list[tuple[str, dict[str, object]]] = [
        (
            "session_meta",
            {
                "session_id": thread,
                "id": thread,
                "timestamp": stamp,
                "cwd": f"/work/project-{number % 40}",
                "base_instructions": {"text": "You are Codex. " * 1400},
            },
        ),
        ("event_msg", {"type": "task_started", "turn_id": thread, "root_turn_id": thread}),
        ("turn_context", {"turn_id": thread, "model": "gpt-5.5"}),
        ("response_item", _message("developer", "x" * 4000)),
        ("response_item", _message("user", f"instruction number {number}")),
    ]
    for call in range(calls):
        usage = {"input_tokens": 1000, "output_tokens": 50}
        said += [
            ("response_item", {"type": "function_call", "name": "exec_command", "call_id": f"c{call}"}),
            ("token_usage_record", {"response_id": f"r{call}", "usage": usage}),
            ("response_item", {"type": "function_call_output", "call_id": f"c{call}", "output": "y" * 1000}),
        ]
    said.append(("event_msg", {"type": "task_complete", "turn_id": thread}))
    return [
        json.dumps(
            {"timestamp": stamp, "ordinal": place, "type": type_, "payload": payload}, separators=(",", ":")
        )
        + "\n"
        for place, (type_, payload) in enumerate(said)
    ]


def _message(role: str, text: str) -> dict[str, object]:
    return {"type": "message", "role": role, "content": [{"type": "input_text", "text": text}]}


if __name__ == "__main__":
    main()
