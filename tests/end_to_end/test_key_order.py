"""Keys that arrive in one piece go where they would have gone one by one."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from key_monkey import Monkey, Toll, is_stopped, session, written
from pty_terminal import QUIET_SECONDS, Terminal

from rollout_tui.key_order import PATIENCE as KEY_PATIENCE

pytestmark = pytest.mark.slow

Start = Callable[..., Terminal]
Demo = Callable[[str], Path]

PASTE, PASTE_END = "\x1b[200~", "\x1b[201~"


def opened(start: Start, bundle: Path) -> Terminal:
    terminal = start(bundle, columns=120, rows=40)
    terminal.wait_for("call    1")
    terminal.wait_until_quiet()
    return terminal


SERVED = QUIET_SECONDS + KEY_PATIENCE
"""Seconds without a sign after which a key that waited for the one before it must have been served."""


def burst(terminal: Terminal, *keys: str, quiet: float = QUIET_SECONDS) -> list[str]:
    """Send keys in one write; what is on the screen when all is done."""
    terminal.send(written(keys))
    return terminal.wait_until_quiet(quiet)


def shows(rows: list[str], text: str) -> bool:
    return any(text in row for row in rows)


BURSTS: list[tuple[list[str], str]] = [
    ([":", "enter", "enter"], "2 Timeline"),
    ([":", *"call 3", "enter"], "call 3 of"),
    (["/", *"ALPHA"], "/ALPHA"),
    ([":", *"abc", "backspace", *"xyz"], ":abxyz"),
    ([*"ma"], "mark a is at seq"),
    ([*"yi"], "id: "),
    (["ctrl+f", *"sweep", "enter"], "hits"),
    (["i", "enter", "enter"], "2 Timeline"),
    (["?", "esc", "esc", "2"], "2 Timeline"),
    (["c", "s", "s", "esc", "3"], "3 Context"),
    (["c", "enter", "enter"], "4 Detail"),
    (["x", "enter", "enter"], "4 Detail"),
    (["ctrl+p", *"zoom", "enter"], "2 Timeline"),
    (["v", "esc", "j"], "2 Timeline"),
    (["?", "?", "esc", "ctrl+d", "ctrl+d"], "Keys in"),
    (["w", "esc", ":", *"call 3", "enter", "enter"], "4 Detail"),
]
"""Keys of one write, and what is to be seen when all is done."""

BACK = [*["esc"] * 4, "2", "g"]
"""From whatever a burst opened to the beginning of the timeline."""


@pytest.mark.parametrize("first", range(3))
def test_keys_in_one_write_end_where_they_end_one_by_one(start: Start, demo_trace: Demo, first: int) -> None:
    bundle = demo_trace("team")
    one_by_one, at_once = opened(start, bundle), opened(start, bundle)
    for keys, seen in BURSTS[first::3]:
        one_by_one.press(*keys, quiet=0.5)
        expected = one_by_one.wait_until_quiet()
        rows = burst(at_once, *keys, quiet=SERVED)
        assert shows(rows, seen), f"{keys}\n{at_once.describe()}"
        assert rows == expected, f"{keys}\n{one_by_one.describe()}\n{at_once.describe()}"
        for terminal in (one_by_one, at_once):
            assert shows(burst(terminal, *BACK), "2 Timeline"), f"{keys}\n{terminal.describe()}"
    burst(at_once, "ctrl+c")
    assert at_once.wait_exit() == 0
    assert b"Traceback" not in at_once.output


WITH_ESCAPE = [
    b"v\x1bj",
    b"?\x1bG",
    b":\x1b\x1bj",
    b"?\x1b:",
    b"i\x1b?",
    b"w\x1b$",
    b"i\x1b\r",
    b"?\x1b\t",
    b"o\x1b3",
]
"""As a slow line hands them over: the same bytes are a key with alt."""


@pytest.mark.parametrize("first", range(2))
def test_a_bare_escape_is_a_key_before_any_other(start: Start, demo_trace: Demo, first: int) -> None:
    bundle = demo_trace("team")
    one_by_one, at_once = opened(start, bundle), opened(start, bundle)
    for keys in WITH_ESCAPE[first::2]:
        before = one_by_one.wait_until_quiet()
        for key in keys:
            one_by_one.send(bytes((key,)))
            expected = one_by_one.wait_until_quiet()
        assert expected != before, keys
        at_once.send(keys)
        assert at_once.wait_until_quiet() == expected, keys
        for terminal in (one_by_one, at_once):
            burst(terminal, *BACK)


def test_what_is_typed_behind_the_end_is_nobodys(start: Start, demo_trace: Demo) -> None:
    terminal = opened(start, demo_trace("quickstart"))
    terminal.send(b"q:")
    assert terminal.wait_exit() == 0
    assert b"Traceback" not in terminal.output


OPENERS = [":", "/", "&", "i", "?", "c", "x", "d", "w", "T", "ctrl+p"]


@pytest.mark.parametrize("first", range(3))
def test_many_returns_leave_the_inspector(start: Start, demo_trace: Demo, first: int) -> None:
    """Whatever is closed by them, what it was opened from stays."""
    terminal = opened(start, demo_trace("team"))
    for opener in OPENERS[first::3]:
        for _ in range(3):
            burst(terminal, opener, *["enter"] * 6)
            burst(terminal, opener, "enter", *["esc"] * 6)
        rows = burst(terminal, *["esc"] * 6, "2")
        assert shows(rows, "2 Timeline"), f"{opener}\n{terminal.describe()}"
    burst(terminal, "Q")
    assert terminal.wait_exit() == 0
    assert b"Traceback" not in terminal.output


def test_returns_while_a_bundle_is_loaded(start: Start, demo_trace: Demo) -> None:
    terminal = start(demo_trace("team"), columns=120, rows=40)
    terminal.wait_for("2 Timeline")
    for keys in ((":", "enter", "enter"), ("?", "esc", "esc"), ("i", "enter")):
        terminal.send(written(keys[:-1]))
        time.sleep(0.03)
        terminal.send(written(keys[-1:]))
    terminal.wait_for("call    1")
    assert shows(burst(terminal, "esc", "2"), "2 Timeline"), terminal.describe()
    burst(terminal, "Q")
    assert terminal.wait_exit() == 0


def test_a_paste_of_several_lines_becomes_one(start: Start, demo_trace: Demo) -> None:
    terminal = opened(start, demo_trace("team"))
    rows = burst(terminal, ":", f"{PASTE}one\ntwo\r\nthree\n{PASTE_END}", "!")
    assert shows(rows, ":one two three!"), terminal.describe()
    rows = burst(terminal, "esc", "w", "ctrl+u", f"{PASTE}/tmp/a\nb{PASTE_END}")
    assert shows(rows, "/tmp/a b"), terminal.describe()


def test_a_paste_behind_the_key_that_opens_the_line_belongs_to_it(start: Start, demo_trace: Demo) -> None:
    terminal = opened(start, demo_trace("team"))
    rows = burst(terminal, ":", f"{PASTE}call 3{PASTE_END}", "enter")
    assert shows(rows, "call 3 of"), terminal.describe()


def test_keys_behind_the_one_that_opens_a_bundle_belong_to_the_bundle(start: Start, demo_trace: Demo) -> None:
    demo_trace("team")
    root = demo_trace("quickstart").parent
    terminal = start("open", root, columns=120, rows=40)
    terminal.wait_for("2 bundles")
    rows = burst(terminal, "enter", "?")
    assert shows(rows, "Keys in Timeline"), terminal.describe()
    rows = burst(terminal, "esc", "q", "?")
    assert shows(rows, "Keys in the list of runs"), terminal.describe()
    burst(terminal, "Q")
    assert terminal.wait_exit() == 0


@pytest.mark.parametrize("keys", [["j", "j", "4"], [":", *"cal"]], ids=["panes", "prompt"])
def test_ctrl_z_and_back_leaves_everything_as_it_was(start: Start, demo_trace: Demo, keys: list[str]) -> None:
    terminal = opened(start, demo_trace("team"))
    before = burst(terminal, *keys)
    terminal.send(written(["ctrl+z"]))
    terminal.wait_for(lambda _rows: is_stopped(terminal))
    # All is written before the program stops, but need not have been read here by then.
    terminal.wait_for(lambda _rows: terminal.output.endswith(b"\x1b[?1004l"))
    terminal.process.send_signal(signal.SIGCONT)
    terminal.wait_for(lambda rows: rows == before)
    assert terminal.wait_until_quiet() == before
    assert shows(burst(terminal, "esc", "2", "?"), "Keys in Timeline"), terminal.describe()
    burst(terminal, "Q")
    assert terminal.wait_exit() == 0


DETERMINED = [*"jjkkGgJK{}()eE[]aczx12233hl?:/&mn", "tab", "enter", "enter", "esc", "esc", "down", "ctrl+d"]
"""Keys whose effect does not hang on how fast a worker is."""


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", range(4))
def test_a_monkey_ends_where_a_careful_typist_does(start: Start, demo_trace: Demo, seed: int) -> None:
    monkey, bundle = Monkey(seed), demo_trace("team")
    careful, fast = opened(start, bundle), opened(start, bundle)
    typed: list[list[str]] = []
    for _ in range(6):
        typed.append(monkey.random.choices(DETERMINED, k=monkey.random.randint(1, 25)))
        careful.press(*typed[-1], quiet=0.1)
        rows = burst(fast, *typed[-1], quiet=SERVED)
        assert rows == careful.wait_until_quiet(), f"{typed}\n{careful.describe()}\n{fast.describe()}"


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", ["quickstart", "team", "hostile", "schema-1"])
def test_a_monkey_breaks_nothing(demo_trace: Demo, name: str) -> None:
    assert session(Monkey(len(name)), demo_trace(name), Toll(), bursts=20) is None
