"""From a key to what it draws, in a pseudo-terminal of 120x40: milliseconds to the last byte, and bytes."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from statistics import median

from tests.end_to_end.pty_terminal import KEYS, Terminal

PATIENCE = 600.0
QUIET = 0.15
"""Seconds without output after which a key is taken to be done."""

WALK = ["j"] * 30 + ["pagedown"] * 20 + ["G", "g"] * 5 + ["tab"] * 8 + ["z"] * 4 + [")"] * 10 + ["}"] * 10


def press(terminal: Terminal, key: str) -> tuple[float, int]:
    """Send a key; the milliseconds until the last byte that it caused, and how many bytes that was."""
    before, began = len(terminal.output), time.monotonic()
    terminal.send(KEYS.get(key) or key.encode())
    last = began
    seen = before
    while time.monotonic() - last < QUIET:
        terminal.wait_for(lambda rows: True)
        if len(terminal.output) > seen:
            seen, last = len(terminal.output), time.monotonic()
        time.sleep(0.001)
    return (last - began) * 1000, seen - before


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--before", nargs="*", default=[], help="keys to press first, such as 4 l")
    parser.add_argument("--keys", nargs="*", default=WALK)
    options = parser.parse_args()
    command = [sys.executable, "-m", "rollout_tui", str(options.bundle)]
    with Terminal(command, columns=120, rows=40) as terminal:
        terminal.wait_for(lambda rows: "reading" not in rows[0] and "2 Timeline" in rows[1], PATIENCE)
        terminal.wait_until_quiet(seconds=PATIENCE)
        for key in options.before:
            press(terminal, key)
        took: dict[str, list[tuple[float, int]]] = {}
        for key in options.keys:
            took.setdefault(key, []).append(press(terminal, key))
        for key, results in took.items():
            times, sizes = zip(*results, strict=True)
            print(
                f"  {key:<10} {len(results):3} times  median {median(times):6.1f} ms, most {max(times):6.1f},"
                f"  median {median(sizes):7.0f} B, most {max(sizes):7} B"
            )
        everything = sorted(one for results in took.values() for one, _ in results)
        print(f"  p95 of all {everything[int(len(everything) * 0.95)]:.1f} ms")
        idle = len(terminal.output)
        time.sleep(3)
        terminal.wait_for(lambda rows: True)
        print(f"  idle for 3 s: {len(terminal.output) - idle} B")
        terminal.send(b"Q")
        terminal.wait_exit()


if __name__ == "__main__":
    main()
