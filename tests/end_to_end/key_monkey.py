"""A monkey at the keyboard: random keys in bursts of one write, in a pseudo-terminal.

Whatever it types, the inspector must neither end in an error nor hang nor show nothing. Run by hand for long
walks, from the root of the repository:

    PYTHONPATH=tests python tests/end_to_end/key_monkey.py --seed 1 --keys 100000 demo_traces/team ...
"""

from __future__ import annotations

import argparse
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

from patience import PATIENCE, Late
from places import PROGRAM, REPOSITORY
from pty_terminal import KEYS, Terminal

BURST = 25
"""Keys of the longest burst."""

SESSION_BURSTS = 40
"""Bursts after which another bundle is opened."""

QUIET = 0.06

SIZES = ((120, 40), (80, 24), (200, 50), (60, 15))
_SIZE_WEIGHTS = (6, 4, 1, 1)

ESCAPE = b"\x1b[27u"
"""The key by itself: a bare escape would make the key behind it one with alt."""

_MOVES = [
    *"jjjkkGghl",
    "down",
    "up",
    "pagedown",
    "pageup",
    "ctrl+d",
    "ctrl+u",
    "left",
    "right",
    "home",
    "end",
]
_PANES = [*"1234z", "tab", "shift+tab", "enter", "enter", "enter", "esc", "esc"]
_STEPS = [*"JK{}()eE[]fFdva"]
_OPENERS = [*"/:&?icCxXTwm'yYnNsSR=t", "ctrl+f", "f1", "ctrl+p", "backspace"]
_DIGITS = [*"0123456789"]
_TYPED = ["call 3", "seq 40", "50%", "ALPHA", "agent", "status:failed", "now", "problems", "help", "as of 30"]
_PASTES = ["one\ntwo\nthree", "seq 20\r", "", "\n", "\t\x1b[31mred"]


@dataclass
class Toll:
    """What was typed so far, and what went wrong."""

    keys: int = 0
    bursts: int = 0
    sessions: int = 0
    bundles: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        bundles = f"{self.sessions} sessions on {len(self.bundles)} bundles"
        return f"{self.keys} keys in {self.bursts} bursts, {bundles}, {len(self.faults)} faults"


class Monkey:
    """Types bursts that follow from its seed alone."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def burst(self) -> list[str]:
        """The keys of a burst: names of `KEYS`, characters, and texts in pasting brackets."""
        keys: list[str] = []
        wanted = self.random.randint(1, BURST)
        while len(keys) < wanted:
            kind = self.random.random()
            if kind < 0.02:
                keys.append("\x1b[200~" + self.random.choice(_PASTES) + "\x1b[201~")
            elif kind < 0.08:
                keys += self.random.choice(_TYPED)
            elif kind < 0.085:
                keys.append("q")
            else:
                groups = (_MOVES, _PANES, _STEPS, _OPENERS, _DIGITS)
                keys.append(self.random.choice(self.random.choices(groups, (4, 4, 3, 3, 1))[0]))
        return keys[:wanted]


def written(keys: Sequence[str]) -> bytes:
    """Keys as a terminal sends them."""
    return b"".join(ESCAPE if key == "esc" else KEYS.get(key) or key.encode() for key in keys)


def fault_of(terminal: Terminal) -> str | None:
    """What is wrong with what a terminal shows, if something is."""
    if b"Traceback" in terminal.output or "╭───" in "".join(terminal.screen):
        return f"an error\n{terminal.describe()}"
    status = terminal.process.poll()
    if status is not None:
        refused = status == 2 and any(row.startswith("rollout-tui: ") for row in terminal.screen)
        return None if status == 0 or refused else f"it ended with {status}\n{terminal.describe()}"
    rows = terminal.screen
    if not any(rows):
        return "nothing is shown"
    if rows[0].startswith(" rollout-tui ") and (len(rows) < 2 or not rows[1].strip() or not any(rows[2:-1])):
        return f"a blank pane\n{terminal.describe()}"
    return None


def is_stopped(terminal: Terminal) -> bool:
    """Whether a signal stopped the program, as ctrl+z does."""
    try:
        stat = Path(f"/proc/{terminal.process.pid}/stat").read_text()
    except OSError:
        return False  # it has ended
    return stat.rpartition(")")[2].split()[0] == "T"


def left(terminal: Terminal) -> bool:
    """Whether ctrl+c ends a program well; what is typed while a pager begins is lost, so more than once."""
    for _ in range(3):
        try:
            terminal.send(KEYS["ctrl+c"])
            return terminal.wait_exit(PATIENCE / 3) == 0
        except Late:
            continue
        except OSError:
            return terminal.wait_exit(PATIENCE) == 0
    return False


class Growing:
    """A copy of a bundle whose log is only half there, and of which each burst brings some more lines."""

    def __init__(self, bundle: Path) -> None:
        self._log = bundle / "trace.jsonl"
        lines = self._log.read_bytes().splitlines(keepends=True)
        self._coming = lines[len(lines) // 2 :]
        self._log.write_bytes(b"".join(lines[: len(lines) // 2]))

    def grow(self) -> None:
        """Write some lines."""
        some = 1 + len(self._coming) // 8
        with self._log.open("ab") as log:
            log.write(b"".join(self._coming[:some]))
        del self._coming[:some]


def where_it_hangs(terminal: Terminal) -> str:
    """What all threads of a program do that hangs; ends it."""
    before = len(terminal.output)
    terminal.process.send_signal(signal.SIGABRT)
    with suppress(Late):
        terminal.wait_exit()
    return terminal.output[before:].decode("utf-8", "replace")


def session(monkey: Monkey, bundle: Path, toll: Toll, bursts: int = SESSION_BURSTS) -> str | None:
    """Type bursts into an inspector on a copy of a bundle until it ends; what went wrong, if something did.

    Args:
        monkey: who types.
        bundle: the bundle.
        toll: counts what is typed.
        bursts: how many bursts at most.
    """
    columns, rows = monkey.random.choices(SIZES, _SIZE_WEIGHTS)[0]
    waits, grows = monkey.random.random() < 0.5, monkey.random.random() < 0.3
    toll.sessions += 1
    toll.bundles.add(str(bundle))
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        copy = home / bundle.name
        shutil.copytree(bundle, copy, symlinks=True)
        growing = Growing(copy) if grows and (copy / "trace.jsonl").is_file() else None
        terminal = stack.enter_context(
            Terminal(
                [*PROGRAM, str(copy)],
                columns=columns,
                rows=rows,
                directory=home,
                environment={
                    "PYTHONPATH": str(REPOSITORY),
                    "PAGER": "true",
                    "HOME": str(home),
                    "PYTHONFAULTHANDLER": "1",
                },
            )
        )
        terminal.wait_for(lambda screen: any(screen), PATIENCE)
        if waits:  # else it types while the bundle is still read
            terminal.wait_until_quiet(QUIET, PATIENCE)
        if growing is not None:
            terminal.send(b"t")
        typed: list[list[str]] = []
        for _ in range(bursts):
            keys = monkey.burst()
            typed.append(keys)
            toll.keys += len(keys)
            toll.bursts += 1
            if growing is not None:
                growing.grow()
            try:
                if terminal.process.poll() is None:
                    terminal.send(written(keys))
                terminal.wait_until_quiet(QUIET, PATIENCE)
                if is_stopped(terminal):  # it was sent into the background: by ctrl+z, or from the palette
                    terminal.process.send_signal(signal.SIGCONT)
                    terminal.wait_until_quiet(QUIET, PATIENCE)
                fault = fault_of(terminal)
            except OSError:
                fault = None  # it ended while it was written to
            except Late as late:
                fault = f"it hangs: {late}\n{where_it_hangs(terminal)}"
            if fault is not None:
                return f"{bundle} {columns}x{rows} waits={waits} grows={grows}, after {typed[-4:]}: {fault}"
            if terminal.process.poll() is not None:
                return None
        if left(terminal):
            return None
        return f"{bundle}, after {typed[-4:]}: it does not end\n{where_it_hangs(terminal)}"


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundles", type=Path, nargs="+")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keys", type=int, default=2000)
    options = parser.parse_args()
    toll, began, turn = Toll(), time.monotonic(), 0
    while toll.keys < options.keys:
        bundle = options.bundles[turn % len(options.bundles)]
        seed = options.seed * 1_000_000 + turn
        turn += 1
        fault = session(Monkey(seed), bundle, toll)
        if fault is not None:
            toll.faults.append(fault)
            print(f"seed {seed}: {fault}", flush=True)
        if turn % 10 == 0:
            print(f"{time.monotonic() - began:6.0f} s: {toll}", flush=True)
    print(f"seed {options.seed}: {toll}")
    sys.exit(1 if toll.faults else 0)


if __name__ == "__main__":
    main()
