"""A program records many events a second while the inspector follows: how far it lags, how memory grows."""

from __future__ import annotations

import argparse
import asyncio
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

from reducer.recorder import Ids, SessionMetadata, SessionTrace, TraceWriter
from reducer.recorder.writer import SchemaNumber
from reducer.schemas import SCHEMAS
from rollout_tui.app import RolloutApp
from rollout_tui.screens.inspector import InspectorScreen
from rollout_tui.session import Session
from tests.benchmarks.generate import Conversation, Shape

CALLS_PER_COMPACTION = 15
"""Short histories: it is events that this is about, not bytes."""


def write(directory: Path, seconds: float, rate: float, schema: SchemaNumber) -> None:
    """Record a session at this rate of events a second."""
    calls = 10**7
    shape = Shape(
        calls,
        output_bytes=80,
        instructions_bytes=0,
        compactions=calls // CALLS_PER_COMPACTION,
        schema=schema,
    )
    metadata = SessionMetadata(thread_id="0000-bench", cwd="/w", model="m")
    sink = TraceWriter(directory, trace_id="bench", root_thread_id=metadata.thread_id, schema=schema)
    session = SessionTrace(sink, "bench", metadata, Ids())
    began = time.monotonic()
    for _ in Conversation(session, session.root, shape, 1).run():
        ahead = sink.last_seq / rate - (time.monotonic() - began)
        if time.monotonic() - began > seconds:
            break
        if ahead > 0:
            time.sleep(ahead)
    session.root.end()
    session.end()
    session.complete()


def megabytes() -> float:
    """Resident memory of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


async def follow(bundle: Path, seconds: float) -> None:
    """Follow a bundle in an inspector without a terminal, and say every now and then how it goes."""
    inspector = InspectorScreen(Session(bundle), follow=True)
    app = RolloutApp(inspector)
    loop = asyncio.get_running_loop()
    async with app.run_test(size=(120, 40)) as pilot:
        began = told = time.monotonic()
        longest = 0.0
        while time.monotonic() - began < seconds + 15:
            before = loop.time()
            await pilot.pause(0.02)
            longest = max(longest, loop.time() - before - 0.02)
            if time.monotonic() - told >= 15:
                told = time.monotonic()
                shown = inspector.reader.state.last_seq
                print(
                    f"  {told - began:4.0f} s  {shown:8} events shown  {lag(inspector):6.2f} s behind"
                    f"  {megabytes():6.0f} MB  loop held for {longest * 1000:4.0f} ms at most",
                    flush=True,
                )
                longest = 0.0
        print(f"  state: {inspector.reader.state.following}")


def lag(inspector: InspectorScreen) -> float:
    """Seconds since the last event that is shown was recorded."""
    timelines = inspector.session.timelines
    event = None if timelines is None else timelines.index.event_at(inspector.reader.state.last_seq)
    return 0.0 if event is None else time.time() - event.at_unix_ms / 1000


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path, help="where the bundle is written; removed first")
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--rate", type=float, default=2000)
    parser.add_argument("--schema", type=int, choices=SCHEMAS, default=2)
    parser.add_argument("--write", action="store_true", help="only write, in this process")
    options = parser.parse_args()
    if options.write:
        write(options.directory, options.seconds, options.rate, options.schema)
        return
    shutil.rmtree(options.directory, ignore_errors=True)
    command = [sys.executable, "-m", "tests.benchmarks.soak", str(options.directory), "--write"]
    for name in ("seconds", "rate", "schema"):
        command += [f"--{name}", str(getattr(options, name))]
    with subprocess.Popen(command) as writer:
        while not (options.directory / "trace.jsonl").exists():
            time.sleep(0.05)
        asyncio.run(follow(options.directory, options.seconds))
        writer.wait()


if __name__ == "__main__":
    main()
