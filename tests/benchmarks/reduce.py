"""How long reducing takes, beside the least that it could take, and beside the reference.

Everything is measured in one run, each program in a process of its own; the figures worth keeping are ratios.
"""

from __future__ import annotations

import argparse
import filecmp
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks import floor
from tests.benchmarks.generate import Shape, add_shape_options, generate, shape_from

GROWTH = {1: (0.00059, 0.0435), 2: (0.00059, 0.0435), 3: (0.00009, 0.0035)}
"""Megabytes on disk by schema: with the square of an agent's calls, and with its calls."""


@dataclass(frozen=True)
class Cost:
    """What a process took: seconds of CPU, seconds by the clock, and its peak of resident memory in MB."""

    cpu: float
    wall: float
    megabytes: float
    status: int


def run(*command: str | Path) -> Cost:
    """Run a program to its end, without its output."""
    began = time.monotonic()
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    return Cost(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024, process.returncode)


def best(times: int, *command: str | Path) -> Cost:
    """The run that took the least CPU of several."""
    return min((run(*command) for _ in range(times)), key=lambda cost: cost.cpu)


def calls_of(megabytes: float, shape: Shape) -> int:
    """How many calls of every agent make a bundle of about this size, of whole requests and short outputs."""
    square, each = GROWTH[shape.schema]
    calls = 1
    while shape.agents * calls * (square * calls / (shape.compactions + 1) + each) < megabytes:
        calls += 1
    return calls


def size_of(bundle: Path) -> float:
    """Megabytes of all files of a bundle."""
    return sum(file.stat().st_size for file in bundle.rglob("*") if file.is_file()) / 1e6


def describe(bundle: Path, state: Path) -> str:
    """How much there is to read and to write, in megabytes."""
    payloads = list((bundle / "payloads").iterdir())
    decoded = sum(len(piece) for payload in payloads for piece in floor.decoded(payload)) / 1e6
    log = (bundle / "trace.jsonl").stat().st_size / 1e6
    return (
        f"{bundle.name}: {size_of(bundle):.1f} MB on disk; {log:.1f} MB of log,"
        f" {decoded:.1f} MB of payloads decoded from {len(payloads)} files;"
        f" {state.stat().st_size / 1e6:.1f} MB of graph"
    )


def measure(bundle: Path, codex: Path | None, times: int) -> bool:
    """Print the costs for one bundle; say whether the reference, if asked, came to the same graph."""
    with TemporaryDirectory() as directory:
        ours, theirs, copy = (Path(directory) / name for name in ("ours.json", "theirs.json", "copy.json"))
        nothing = Path(directory) / "nothing"
        nothing.mkdir()
        shutil.copy(bundle / "manifest.json", nothing)
        (nothing / "trace.jsonl").touch()
        reduce = (sys.executable, "-m", "rollout_tui", "reduce")
        least = (sys.executable, floor.__file__)
        start = best(times, *reduce, nothing, "-o", ours)
        empty = best(times, *least, nothing, ours, copy)
        cost = best(times, *reduce, bundle, "-o", ours)
        if cost.status != 0:
            print(f"{bundle.name}: not reduced")
            return False
        bottom = best(times, *least, bundle, ours, copy)
        bottom_cpu = max(bottom.cpu - empty.cpu, 0.001)
        print(describe(bundle, ours))
        print(f"  floor                 {bottom_cpu:8.2f} s cpu")
        print(f"  start of the program  {start.cpu:8.2f} s cpu")
        print(
            f"  reduce                {cost.cpu:8.2f} s cpu {cost.wall:8.2f} s wall"
            f" {cost.megabytes:6.0f} MB peak   start + {(cost.cpu - start.cpu) / bottom_cpu:.1f} x floor"
        )
        if codex is None:
            return True
        reference = run(codex, "debug", "trace-reduce", bundle, "-o", theirs)
        same = reference.status == 0 and filecmp.cmp(ours, theirs, shallow=False)
        print(
            f"  {codex.name:<21} {reference.cpu:8.2f} s cpu {reference.wall:8.2f} s wall"
            f" {reference.megabytes:6.0f} MB peak   {reference.cpu / cost.cpu:.1f} x our cpu,"
            f" {reference.wall / cost.wall:.1f} x our wall,"
            f" {reference.megabytes / cost.megabytes:.1f} x our peak; graphs {'equal' if same else 'DIFFER'}"
        )
        return same


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, nargs="*", default=[], help="calls of bundles to generate")
    parser.add_argument("--megabytes", type=float, nargs="*", default=[], help="the same by size on disk")
    parser.add_argument("--bundle", type=Path, action="append", default=[], help="a bundle to measure")
    parser.add_argument("--compare-codex", type=Path, help="a codex binary that reduces the same schema")
    parser.add_argument("--times", type=int, default=3, help="runs of which the cheapest counts")
    add_shape_options(parser)
    options = parser.parse_args()
    sound = [measure(bundle, options.compare_codex, options.times) for bundle in options.bundle]
    shape = shape_from(options, calls=0)
    sizes = options.calls + [calls_of(megabytes, shape) for megabytes in options.megabytes]
    for calls in sizes:
        with TemporaryDirectory() as directory:
            name = f"schema-{shape.schema}-{calls}-calls"
            bundle = generate(Path(directory) / name, replace(shape, calls=calls))
            sound.append(measure(bundle, options.compare_codex, options.times))
    return 0 if all(sound) else 1


if __name__ == "__main__":
    sys.exit(main())
