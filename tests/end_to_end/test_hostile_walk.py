"""A walk through a bundle in which every text is an attack: nothing of it may reach the terminal."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from escape_audit import escape_audit, smuggled
from hostile_evidence import assert_harmless, evidence
from hostile_walking import Walk
from pty_terminal import Terminal

pytestmark = pytest.mark.slow

Start = Callable[..., Terminal]
Demo = Callable[[str], Path]


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


@pytest.mark.timeout(400)
def test_nothing_of_a_hostile_bundle_is_obeyed_by_a_terminal(start: Start, demo_trace: Demo) -> None:
    """Every entry, other sizes and bundles: `tests/rollout_tui/screens/test_hostile_screens.py`."""
    bundle = demo_trace("hostile")
    terminal = start(bundle, columns=120, rows=40)
    terminal.wait_for("Timeline")
    terminal.wait_for("call")
    terminal.wait_until_quiet()
    walk = Walk(terminal)

    assert walk.timeline(6) > 5
    walk.step("3", "g")
    for _ in range(3):
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
    assert_harmless(terminal.output, bundle)


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
