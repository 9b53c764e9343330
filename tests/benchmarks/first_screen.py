"""How long the inspector takes until there is something to see, in a pseudo-terminal of 120x40."""

from __future__ import annotations

import argparse
import re
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

from pty_terminal import Terminal

from tests.benchmarks.generate import add_shape_options, bundle_from

PATIENCE = 600.0


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", type=Path, nargs="?", help="or a session; by default a generated bundle")
    parser.add_argument("--beside", type=Path, action="append", default=[], help="a smaller one, before it")
    parser.add_argument("--calls", type=int, default=200)
    add_shape_options(parser)
    options = parser.parse_args()
    with bundle_from(options) as bundle:
        for path in (*options.beside, bundle):
            measure(path)


def measure(bundle: Path) -> None:
    """Print the seconds from the start of the inspector to each step, and the bytes written until then.

    The most memory that it took is told, too, if no inspector that was measured before took more.
    """
    print(bundle)
    began = time.monotonic()

    def is_whole(rows: list[str]) -> bool:
        return has_rows(rows) and "reading" not in rows[0] and "unfinished" not in rows[0]

    def has_rows(rows: list[str]) -> bool:
        return any(re.search(r"│\W*\d+ turn", row) for row in rows)

    with Terminal(
        [sys.executable, "-m", "rollout_tui", "--panes", str(bundle)], columns=120, rows=40
    ) as terminal:
        steps: list[tuple[str, Callable[[list[str]], object]]] = [
            ("first byte", lambda rows: len(terminal.output) > 0),
            ("the panes", lambda rows: any("1 Threads" in row for row in rows)),
            ("first rows", has_rows),
            ("the whole bundle", is_whole),
        ]
        for name, is_there in steps:
            terminal.wait_for(is_there, PATIENCE)
            print(f"  {name:<18} {time.monotonic() - began:6.2f} s  {len(terminal.output) / 1000:8.1f} kB")
        terminal.send(b"Q")
        terminal.wait_exit()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"  at most {used.ru_maxrss / 1000:.0f} MB")


if __name__ == "__main__":
    main()
