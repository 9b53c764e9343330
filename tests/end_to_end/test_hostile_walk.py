"""A walk through a bundle in which every text is an attack: nothing of it may reach the terminal."""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from escape_audit import escape_audit, smuggled
from pty_terminal import Terminal

from reducer import UnreadablePayload, open_bundle, reduce_bundle
from reducer.wire.payload_refs import ShardRef

Start = Callable[..., Terminal]
Demo = Callable[[str], Path]

QUIET = 0.08
"""Seconds of quiet between two steps."""

MAX_ROWS = 80
"""More than the timeline has; the walk ends where the cursor stays."""

TABS = 6
"""More than any object has."""

_STRING_LITERAL = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)


def evidence(bundle: Path) -> Iterator[str]:
    """Every text of a bundle as it is meant: each JSON string decoded; each file and payload as it stands."""
    for file in sorted(bundle.rglob("*")):
        yield file.name
        if file.is_symlink() or not file.is_file():
            continue
        yield from texts(file.read_bytes())
    for ref in reduce_bundle(bundle).trace.raw_payloads.values():
        if isinstance(ref, ShardRef):
            with contextlib.suppress(UnreadablePayload):
                yield from texts(open_bundle(bundle).read_payload(ref))


def texts(data: bytes) -> Iterator[str]:
    """What is in a file or payload: all of it as it stands, and each JSON string in it."""
    yield data.decode("utf-8", "replace")
    for literal in _STRING_LITERAL.findall(data):
        with contextlib.suppress(ValueError, UnicodeDecodeError):
            yield json.loads(literal, strict=False)


@pytest.mark.parametrize("demo", ["hostile", "hostile-2"])
def test_the_bundle_is_as_hostile_as_it_should_be(demo_trace: Demo, demo: str) -> None:
    """The walk shows something only if there is something to be shown."""
    everything = "".join(evidence(demo_trace(demo)))
    for attack in (
        "\x1b]52;",
        "\x1b]0;",
        "\x1b]8;;",
        "\x1b[2J",
        "\x07",
        "\x00",
        "\x9b",
        "\u202e",
        "\u200b",
        "[/",
    ):
        assert attack in everything


class Walk:
    """Steps through the inspector, each drawn before the next."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal

    def step(self, *keys: str) -> tuple[list[str], list[int]]:
        """Press keys; what is on the screen then, and where the cursors are."""
        self.terminal.press(*keys, quiet=QUIET)
        return self.terminal.screen, self.terminal.marked

    def tabs(self) -> None:
        """The beginning and the end of every tab of the detail pane."""
        before = self.step("4")
        for _ in range(TABS):
            self.step("G")
            after = self.step("l")
            if after == before:
                break
            before = after
        self.terminal.send(b"h" * TABS)
        self.terminal.wait_until_quiet(QUIET)

    def timeline(self, stride: int) -> int:
        """Every entry of the timeline, or every so many; how many steps that were."""
        previous = self.step("2", "g")
        for count in range(1, MAX_ROWS):
            self.tabs()
            self.step("3", "G")
            self.step("2")
            rows = self.step(*["j"] * stride)
            if rows == previous:
                return count
            previous = rows
        raise AssertionError("the timeline has no end")


def assert_harmless(terminal: Terminal, bundle: Path) -> None:
    audit = escape_audit(terminal.output)
    assert not audit.violations, audit.describe()
    assert smuggled(evidence(bundle), terminal.output) == []
    assert not re.search(r"root:x:0:0", audit.text)


@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    ("demo", "columns", "rows", "options", "stride", "steps"),
    [
        ("hostile", 120, 40, [], 1, 20),
        ("hostile", 80, 24, [], 4, 5),
        ("hostile", 80, 24, ["--ascii"], 4, 5),
        ("hostile-2", 80, 24, [], 1, 5),
    ],
    ids=["120x40", "80x24", "ascii", "files"],
)
def test_nothing_of_a_hostile_bundle_is_obeyed_by_a_terminal(
    start: Start,
    demo_trace: Demo,
    demo: str,
    columns: int,
    rows: int,
    options: list[str],
    stride: int,
    steps: int,
) -> None:
    bundle = demo_trace(demo)
    terminal = start(*options, bundle, columns=columns, rows=rows)
    terminal.wait_for("Timeline")
    terminal.wait_for("call")
    terminal.wait_until_quiet()
    walk = Walk(terminal)

    assert walk.timeline(stride) > steps
    walk.step("3", "g")
    for _ in range(6):
        walk.step("3", "j", "enter", "G")
    walk.step("a", "2", "G", "pageup", "g")
    for _ in range(2):
        walk.step("1", "j", "enter", "2", "j", "G", "3", "4")
    walk.step("i", "j", "G", "enter", "4", "i", "esc", "?", "G", "esc", "z", "z", "R")
    terminal.wait_until_quiet()

    # The walk must not have ended in a crash or in a dead program.
    assert terminal.process.poll() is None
    terminal.press("2")
    terminal.wait_for("2 Timeline")
    terminal.send(b"Q")
    assert terminal.wait_exit() == 0
    assert b"Traceback" not in terminal.output
    assert_harmless(terminal, bundle)


def test_a_hostile_directory_name_is_shown_and_not_obeyed(start: Start, demo_trace: Demo) -> None:
    name = "a\x1b]0;owned\x07\x1b[31mb\u202ec[red]" + os.fsdecode(b"\xff")
    bundle = demo_trace("quickstart").rename(demo_trace("hostile").parent / name)
    terminal = start(bundle, columns=120, rows=40)
    terminal.wait_for("call    1")
    terminal.press("w")
    terminal.wait_for("enter writes")
    terminal.press("enter")
    terminal.wait_for(lambda _rows: (bundle / "state.json").exists())
    terminal.wait_until_quiet()
    terminal.press("esc")
    terminal.send(b"Q")
    assert terminal.wait_exit() == 0
    audit = escape_audit(terminal.output)
    assert not audit.violations, audit.describe()
    assert smuggled([name], terminal.output) == []


@pytest.mark.parametrize("demo", ["hostile", "hostile-2"])
@pytest.mark.parametrize("arguments", [[], ["--strict"], ["--json"], ["-o", "/dev/null"]], ids=str)
def test_reduce_says_nothing_that_a_terminal_obeys(
    start: Start, demo_trace: Demo, demo: str, arguments: list[str]
) -> None:
    bundle = demo_trace(demo)
    terminal = start("reduce", bundle, *arguments, columns=200, rows=60)
    assert terminal.wait_exit() == 1
    lines = terminal.output.removesuffix(b"\r\n").split(b"\r\n")
    for line in lines:
        audit = escape_audit(line)
        assert not audit.violations, audit.describe()
    assert smuggled(evidence(bundle), terminal.output) == []
