"""What is seen first: the run at a glance, and below it the panes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pty_terminal import Terminal

pytestmark = pytest.mark.slow

Start = Callable[..., Terminal]
Demo = Callable[[str], Path]


def test_a_bundle_opens_with_the_overview(start: Start, demo_trace: Demo) -> None:
    terminal = start(demo_trace("team"), overview=True, columns=120, rows=40)
    terminal.wait_for("ended with an answer, after 18m23s")
    terminal.press("esc")
    terminal.wait_for("2 Timeline")
    terminal.press("o")
    terminal.wait_for("ended with an answer, after 18m23s")
    terminal.press("q")
    terminal.wait_for("2 Timeline")
    terminal.press("q")
    assert terminal.wait_exit() == 0


def test_a_row_leads_to_its_place_and_esc_back(start: Start, demo_trace: Demo) -> None:
    terminal = start(demo_trace("team"), overview=True, columns=120, rows=40)
    terminal.wait_for("seq 340")
    terminal.send(b"/patch\r\r")
    terminal.wait_for("seq 228")
    terminal.wait_for("2 Timeline")
    terminal.press("esc")
    terminal.wait_for("ended with an answer")


@pytest.mark.parametrize("arguments", [("--panes",), ("--at", "98")])
def test_who_wants_the_panes_or_a_place_gets_it(
    start: Start, demo_trace: Demo, arguments: tuple[str, ...]
) -> None:
    terminal = start(*arguments, demo_trace("team"), overview=True, columns=120, rows=40)
    terminal.wait_for("2 Timeline")
    terminal.wait_until_quiet()
    assert "Overview" not in "\n".join(terminal.screen)


def test_a_run_opened_from_the_list_begins_with_it_too(start: Start, demo_trace: Demo) -> None:
    root = demo_trace("team").parent
    demo_trace("quickstart")
    terminal = start(root, overview=True, columns=120, rows=40)
    terminal.wait_for("2 bundles")
    terminal.press("enter")
    terminal.wait_for("Overview")
    terminal.press("esc")
    terminal.wait_for("2 Timeline")
    terminal.press("esc")
    terminal.wait_for("2 bundles")
