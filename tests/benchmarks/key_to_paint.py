"""From a key to what it draws, in a pseudo-terminal of 120x40: milliseconds, and bytes."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from pty_terminal import KEYS, Terminal

from tests.benchmarks.generate import add_shape_options, bundle_from

PATIENCE = 600.0
QUIET = 0.15
"""Seconds without output after which a key is taken to be done."""

WALK = ["j"] * 30 + ["pagedown"] * 20 + ["G", "g"] * 5 + ["tab"] * 8 + ["z"] * 4 + [")"] * 10 + ["}"] * 10


def press(terminal: Terminal, key: str) -> tuple[float, float, int]:
    """Send a key; milliseconds until the first and the last byte that it caused, and how many bytes that was.

    The last ones come late on purpose where the cursor has to rest before something is read.
    """
    before, began = len(terminal.output), time.monotonic()
    terminal.send(KEYS.get(key) or key.encode())
    first = last = began
    seen = before
    while time.monotonic() - last < QUIET:
        terminal.wait_for(lambda rows: True)
        if len(terminal.output) > seen:
            last = time.monotonic()
            first = last if seen == before else first
            seen = len(terminal.output)
        time.sleep(0.001)
    return (first - began) * 1000, (last - began) * 1000, seen - before


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", type=Path, nargs="?", help="by default one that is generated")
    parser.add_argument("--calls", type=int, default=200)
    add_shape_options(parser)
    parser.add_argument("--before", nargs="*", default=[], help="keys to press first, such as 4 l")
    parser.add_argument("--keys", nargs="*", default=WALK)
    options = parser.parse_args()
    with bundle_from(options) as bundle:
        measure(bundle, options.before, options.keys)


def measure(bundle: Path, before: Sequence[str], keys: Sequence[str]) -> None:
    """Press keys in an inspector and print how long each took; those of `before` are not measured."""
    command = [sys.executable, "-m", "rollout_tui", "--panes", str(bundle)]
    with Terminal(command, columns=120, rows=40) as terminal:
        terminal.wait_for(lambda rows: "reading" not in rows[0] and "2 Timeline" in rows[1], PATIENCE)
        terminal.wait_until_quiet(seconds=PATIENCE)
        for key in before:
            press(terminal, key)
        took: dict[str, list[tuple[float, float, int]]] = {}
        for key in keys:
            result = press(terminal, key)
            if result[2]:
                took.setdefault(key, []).append(result)
        for key, results in took.items():
            firsts, lasts, sizes = zip(*results, strict=True)
            print(
                f"  {key:<9} {len(results):3} times"
                f"  first byte {median(firsts):5.1f} ms, most {max(firsts):5.1f}"
                f"  last {median(lasts):5.1f} ms, most {max(lasts):5.1f}"
                f"  {median(sizes):6.0f} B, most {max(sizes)}"
            )
        all_firsts = sorted(one[0] for results in took.values() for one in results)
        print(f"  p95 of the first bytes {all_firsts[int(len(all_firsts) * 0.95)]:.1f} ms")
        idle = len(terminal.output)
        time.sleep(3)
        terminal.wait_for(lambda rows: True)
        print(f"  idle for 3 s: {len(terminal.output) - idle} B")
        terminal.send(b"Q")
        terminal.wait_exit()


if __name__ == "__main__":
    main()
