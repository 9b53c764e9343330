"""The inspector in terminals of all sizes, which grow and shrink while something is open."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from escape_audit import escape_audit
from pty_terminal import Terminal

pytestmark = pytest.mark.slow

Start = Callable[..., Terminal]
Demo = Callable[[str], Path]

PANES_AT = {
    (40, 10): 1,
    (79, 24): 1,
    (80, 23): 1,
    (100, 30): 2,
    (119, 30): 2,
    (120, 40): 4,
}
"""Sizes of a terminal, and how many panes stand in it."""

SIZES = pytest.mark.parametrize("size", PANES_AT, ids=lambda size: "x".join(map(str, size)))

OPENED = {
    "c": "1 of 2",
    "x": "exec cell",
    ":": " :",
    "&": " &",
    "i": "run: ",
    "?": "Keys in Timeline",
    "w": "Write: ",
    "T": "seq ",
}
"""Keys that open something, and what it says."""


def titles(rows: list[str]) -> int:
    """How many panes the screen shows."""
    return len(re.findall(r"(?:^|│)([1234]) (?:Threads|Timeline|Context|Detail) ", "\n".join(rows), re.M))


def shown(terminal: Terminal, panes: int) -> list[str]:
    """The rows once so many panes are there, and nothing more comes."""
    terminal.wait_for(lambda rows: titles(rows) == panes)
    return terminal.wait_until_quiet()


@SIZES
def test_a_reader_walks_at_every_size(start: Start, demo_trace: Demo, size: tuple[int, int]) -> None:
    terminal = start(demo_trace("team"), columns=size[0], rows=size[1])
    terminal.wait_for("turn 1")
    rows = shown(terminal, PANES_AT[size])
    assert "team" in rows[0]
    assert "10 failures" in rows[0]
    assert rows[-1].endswith("? help")
    # The cursor is one bar in reverse; the title of its pane is none.
    assert len(terminal.marked) == 1
    terminal.press("e")
    [marked] = terminal.marked
    assert " ✗ 429 " in f"{terminal.screen[marked]} "
    for key, name in (("3", "3 Context"), ("4", "4 Detail"), ("1", "1 Threads"), ("2", "2 Timeline")):
        terminal.press(key)
        terminal.wait_for(lambda rows, name=name: any(name in row for row in rows))
    for key, words in OPENED.items():
        terminal.press(key)
        terminal.wait_for(words)
        terminal.press("esc")
        shown(terminal, PANES_AT[size])
    terminal.send(b"Q")
    assert terminal.wait_exit() == 0
    audit = escape_audit(terminal.output)
    assert not audit.violations, audit.describe()


@pytest.mark.parametrize("key", OPENED)
def test_the_terminal_grows_and_shrinks_while_something_is_open(
    start: Start, demo_trace: Demo, key: str
) -> None:
    terminal = start(demo_trace("team"), columns=120, rows=40)
    terminal.wait_for("turn 1")
    shown(terminal, 4)
    terminal.press("j", key)
    terminal.wait_for(OPENED[key])
    for size in ((80, 23), (40, 10), (39, 10), (100, 30), (40, 9), (119, 30), (40, 10), (79, 24), (40, 10)):
        terminal.resize(*size)
        if size[0] < 40 or size[1] < 10:
            terminal.wait_for("This needs a terminal of at least")
        else:
            terminal.wait_until_gone("This needs")
            terminal.wait_for(OPENED[key])
        terminal.wait_until_quiet()
    # What is open still has the keys, and what is below it has its place for this size.
    terminal.press("esc")
    shown(terminal, 1)
    [marked] = terminal.marked
    assert "call    1" in terminal.screen[marked]
    terminal.press("j")
    [marked] = terminal.marked
    assert "ci.list_fail" in terminal.screen[marked]
    terminal.resize(120, 40)
    shown(terminal, 4)
    terminal.send(b"Q")
    assert terminal.wait_exit() == 0


@pytest.mark.parametrize("size", [(40, 10), (79, 24), (80, 23)], ids=lambda size: "x".join(map(str, size)))
def test_the_list_of_bundles_at_every_size(start: Start, demo_trace: Demo, size: tuple[int, int]) -> None:
    root = demo_trace("quickstart").parent
    demo_trace("team")
    terminal = start(root, columns=size[0], rows=size[1])
    terminal.wait_for("2 bundles")
    terminal.wait_until_quiet()
    for columns, rows in ((39, 10), size, (40, 10)):
        terminal.resize(columns, rows)
        terminal.wait_for("This needs" if columns < 40 else "2 bundles")
    terminal.wait_for("completed")
    terminal.press("enter")
    terminal.wait_for("turn 1")
    terminal.resize(30, 8)
    terminal.wait_for("This needs")
    terminal.resize(*size)
    terminal.wait_for("turn 1")
    terminal.press("esc")
    terminal.wait_for("2 bundles")
    terminal.send(b"q")
    assert terminal.wait_exit() == 0


def test_a_linux_console_is_sent_what_its_font_has(start: Start, demo_trace: Demo) -> None:
    terminal = start(
        demo_trace("team"), columns=80, rows=25, environment={"TERM": "linux", "COLORTERM": None}
    )
    terminal.wait_for("turn 1")
    for key in (
        "e",
        "4",
        "l",
        "3",
        "1",
        "c",
        "s",
        "s",
        "esc",
        "x",
        "esc",
        "?",
        "esc",
        "w",
        "esc",
        "T",
        "esc",
    ):
        terminal.press(key)
    terminal.send(b"Q")
    assert terminal.wait_exit() == 0
    text = terminal.output.decode()
    assert "x 429" in text
    assert "▶" in text
    assert not set(text) & set("✓✗⊘◦▾▸…›⇢⇠┊↪━⏎␛⠋")


def test_without_colours_the_pane_with_the_keys_still_looks_other(start: Start, demo_trace: Demo) -> None:
    terminal = start(demo_trace("team"), environment={"NO_COLOR": "1"})
    terminal.wait_for("turn 1")
    rows = shown(terminal, 4)
    assert "2 Timeline  /root ━━" in rows[1]
    assert "1 Threads  4 agents ──" in rows[1]
    terminal.press("3")
    rows = terminal.screen
    assert "2 Timeline  /root ──" in rows[1]
    assert re.search(r"3 Context.*━━", rows[1])
    terminal.send(b"Q")
    assert terminal.wait_exit() == 0
