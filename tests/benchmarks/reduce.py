"""How long reducing takes, beside reading the same files once, and beside the reference.

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
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks.generate import Shape, generate

_READ_ALL = """
import os, sys
for folder, _, names in os.walk(sys.argv[1]):
    for name in names:
        with open(os.path.join(folder, name), "rb", buffering=0) as file:
            file.readall()
"""


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


def shape_of(megabytes: float, *, agents: int = 1, compactions: int = 0, schema: int = 2) -> Shape:
    """The shape of a bundle of about this size: a session's bytes grow with the square of its calls."""
    calls, step = 1, 0.00074 * agents / (compactions + 1)
    while step * calls * calls + 0.0155 * agents * calls < megabytes:
        calls += 1
    return Shape(calls, agents=agents, compactions=compactions, schema=schema)


def size_of(bundle: Path) -> float:
    """Megabytes of all files of a bundle."""
    return sum(file.stat().st_size for file in bundle.rglob("*") if file.is_file()) / 1e6


def measure(bundle: Path, codex: Path | None, times: int) -> bool:
    """Print the costs for one bundle; say whether the reference, if asked, came to the same graph."""
    with TemporaryDirectory() as directory:
        ours, theirs = Path(directory) / "ours.json", Path(directory) / "theirs.json"
        nothing = Path(directory) / "nothing"
        nothing.mkdir()
        shutil.copy(bundle / "manifest.json", nothing)
        (nothing / "trace.jsonl").touch()
        start = best(times, sys.executable, "-m", "rollout_tui", "reduce", nothing, "-o", ours)
        reading = best(times, sys.executable, "-c", _READ_ALL, bundle)
        empty = best(times, sys.executable, "-c", "pass")
        cost = best(times, sys.executable, "-m", "rollout_tui", "reduce", bundle, "-o", ours)
        read = max(reading.cpu - empty.cpu, 0.001)
        payloads = len(list((bundle / "payloads").iterdir()))
        print(f"{bundle.name}: {size_of(bundle):.0f} MB, {payloads} payloads")
        print(f"  read every file once  {read:8.2f} s cpu")
        print(f"  start of the program  {start.cpu:8.2f} s cpu")
        print(
            f"  reduce                {cost.cpu:8.2f} s cpu {cost.wall:8.2f} s wall"
            f" {cost.megabytes:6.0f} MB peak   start + {(cost.cpu - start.cpu) / read:.1f} x reading"
        )
        if codex is None:
            return cost.status == 0
        reference = run(codex, "debug", "trace-reduce", bundle, "-o", theirs)
        same = reference.status == 0 == cost.status and filecmp.cmp(ours, theirs, shallow=False)
        print(
            f"  {codex.name:<21} {reference.cpu:8.2f} s cpu {reference.wall:8.2f} s wall"
            f" {reference.megabytes:6.0f} MB peak   {reference.cpu / cost.cpu:.0f} x our cpu,"
            f" {reference.wall / cost.wall:.0f} x our wall; graphs {'equal' if same else 'DIFFER'}"
        )
        return same


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=float, nargs="*", default=[], help="sizes of bundles to generate")
    parser.add_argument("--bundle", type=Path, action="append", default=[], help="a bundle to measure")
    parser.add_argument("--compare-codex", type=Path, help="a codex binary that reduces the same schema")
    parser.add_argument("--agents", type=int, default=1)
    parser.add_argument("--compactions", type=int, default=0)
    parser.add_argument("--schema", type=int, choices=(1, 2), default=2)
    parser.add_argument("--times", type=int, default=3, help="runs of which the cheapest counts")
    options = parser.parse_args()
    sound = [measure(bundle, options.compare_codex, options.times) for bundle in options.bundle]
    for megabytes in options.megabytes:
        with TemporaryDirectory() as directory:
            shape = shape_of(
                megabytes, agents=options.agents, compactions=options.compactions, schema=options.schema
            )
            bundle = generate(Path(directory) / f"schema-{shape.schema}-{shape.calls}-calls", shape)
            sound.append(measure(bundle, options.compare_codex, options.times))
    return 0 if all(sound) else 1


if __name__ == "__main__":
    sys.exit(main())
