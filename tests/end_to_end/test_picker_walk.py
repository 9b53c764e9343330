"""A trace root in a terminal: from the list into a bundle and back, and what is sent meanwhile."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from escape_audit import escape_audit, smuggled
from pty_terminal import Terminal

pytestmark = pytest.mark.slow

Start = Callable[..., Terminal]
Demo = Callable[[str], Path]


@pytest.mark.parametrize("size", [(120, 40), (80, 24)], ids=["120x40", "80x24"])
def test_from_the_list_into_a_bundle_and_back(start: Start, demo_trace: Demo, size: tuple[int, int]) -> None:
    root = demo_trace("quickstart").parent
    for demo in ("team", "hostile"):
        demo_trace(demo)
    terminal = start(root, columns=size[0], rows=size[1])
    terminal.wait_for("3 bundles")
    terminal.wait_until_quiet()
    quiet = len(terminal.output)
    time.sleep(2.5)
    assert terminal.output[quiet:] == b"", "nothing changed, so nothing is sent"
    terminal.press("j", "j")
    [row] = terminal.marked
    assert "tests/test_ttl" in terminal.screen[row]
    terminal.press("enter")
    terminal.wait_for("2 Timeline")
    terminal.wait_for("turn 1")
    terminal.wait_until_quiet()
    terminal.press("esc")
    terminal.wait_for("3 bundles")
    terminal.wait_until_quiet()
    [row] = terminal.marked
    assert "tests/test_ttl" in terminal.screen[row]
    terminal.press("enter")
    terminal.wait_for("turn 1")
    terminal.send(b"Q")
    assert terminal.wait_exit() == 0
    audit = escape_audit(terminal.output)
    assert not audit.violations, audit.describe()
    lines = (root / "hostile/trace.jsonl").read_text(errors="replace").splitlines()
    assert smuggled([str(json.loads(lines[1]))], terminal.output) == []


def test_a_bundle_that_appears_is_listed_while_one_looks(start: Start, demo_trace: Demo) -> None:
    root = demo_trace("quickstart").parent
    aside = demo_trace("team").rename(root.parent / "aside")
    demo_trace("hostile")
    terminal = start(root, columns=80, rows=24)
    terminal.wait_for("2 bundles")
    terminal.press("j")
    [before] = terminal.marked
    aside.rename(root / "team")
    terminal.wait_for("3 bundles")
    terminal.wait_until_quiet()
    [after] = terminal.marked
    assert "tests/test_ttl" in terminal.screen[after]
    assert after >= before
    terminal.send(b"q")
    assert terminal.wait_exit() == 0
