"""A session in the real inspector: what a reader sees in a pseudo-terminal, and what it is sent."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from escape_audit import escape_audit
from pty_terminal import KEYS, Terminal

pytestmark = pytest.mark.slow

Start = Callable[..., Terminal]
Demo = Callable[[str], Path]
Run = Callable[..., subprocess.CompletedProcess[bytes]]

WIDE, NARROW = (120, 40), (80, 24)


def opened(start: Start, *arguments: object, size: tuple[int, int] = WIDE, **options: object) -> Terminal:
    """An inspector with the timeline on screen and nothing more to come."""
    terminal = start(*arguments, columns=size[0], rows=size[1], **options)
    terminal.wait_for("call    1" if size == WIDE else "turn 1")
    terminal.wait_until_quiet()
    return terminal


def shows(terminal: Terminal, text: str) -> bool:
    return any(text in row for row in terminal.screen)


def leave(terminal: Terminal, key: str = "Q") -> None:
    """Quit, and check that the terminal was given back as it was."""
    terminal.send(KEYS.get(key) or key.encode())
    assert terminal.wait_exit() == 0
    tail = terminal.output[-400:]
    for undone in (b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[?2004l", b"\x1b[?1004l", b"\x1b[<u"):
        assert undone in tail


def assert_clean(terminal: Terminal) -> None:
    audit = escape_audit(terminal.output)
    assert not audit.violations, audit.describe()
    assert audit.text


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["120x40", "80x24"])
def test_a_reader_looks_at_a_run_and_exports_it(
    start: Start, demo_trace: Demo, run_program: Run, size: tuple[int, int]
) -> None:
    bundle = demo_trace("quickstart")
    terminal = opened(start, bundle, size=size)
    wide = size == WIDE
    assert shows(terminal, "quickstart")
    assert all(shows(terminal, f"{n} {pane}") for n, pane in enumerate_panes() if wide or n == 2)

    # The cursor goes to the first call, and every pane answers for it.
    terminal.press("j")
    terminal.press("4")
    terminal.wait_for("call 1 of 9")
    assert shows(terminal, "gpt-5.5")
    assert shows(terminal, "seq 9")

    # Zoomed, the pane has the screen to itself; in the narrow layout it has it anyway.
    terminal.press("z")
    assert shows(terminal, "4 Detail")
    assert not shows(terminal, "2 Timeline")
    terminal.press("z")
    assert shows(terminal, "2 Timeline") == wide

    # The raw request, found among the tabs, as a tree.
    for _ in range(6):
        if shows(terminal, "▸request"):
            break
        terminal.press("l")
    terminal.wait_for("▸request")
    terminal.wait_for('role: "developer"')
    for _ in range(6):
        if shows(terminal, "   .input"):
            break
        terminal.press("j")
    assert shows(terminal, "   .input")

    terminal.press("3")
    terminal.wait_for("3 Context")
    terminal.wait_for("developer")
    terminal.press("1")
    terminal.wait_for("1 Threads")
    assert shows(terminal, "/root")
    terminal.press("tab")
    terminal.wait_for("2 Timeline")

    # The export: the path is offered, then written; it is what `reduce` writes.
    terminal.press("w")
    terminal.wait_for("enter writes")
    terminal.press("enter")
    terminal.wait_for(lambda _rows: (bundle / "state.json").exists())
    terminal.wait_until_gone("enter writes")
    written = (bundle / "state.json").read_bytes()
    assert written == run_program("reduce", bundle, "-o", "-").stdout
    assert sorted(path.name for path in bundle.iterdir()) == [
        "manifest.json",
        "payloads",
        "state.json",
        "trace.jsonl",
    ]

    leave(terminal)
    assert_clean(terminal)


def enumerate_panes() -> list[tuple[int, str]]:
    return list(enumerate(("Threads", "Timeline", "Context", "Detail"), 1))


def test_the_same_cursor_in_both_layouts(start: Start, demo_trace: Demo) -> None:
    """Resizing across the border keeps what is looked at; below the smallest size there is a sentence."""
    terminal = opened(start, demo_trace("quickstart"))
    terminal.press("j", "j")
    detail = next(row for row in terminal.screen if "4 Detail" in row)
    terminal.resize(*NARROW)
    terminal.wait_until_quiet()
    assert sum("│" in row for row in terminal.screen) < 30
    terminal.press("4")
    assert any(detail.strip("─ ")[:30] in row for row in terminal.screen)
    terminal.resize(39, 15)
    terminal.wait_for("This needs")
    terminal.resize(*WIDE)
    terminal.wait_for("4 Detail")
    terminal.wait_for("1 Threads")
    assert any(detail.strip("─ ")[:30] in row for row in terminal.screen)
    leave(terminal)
    assert_clean(terminal)


@pytest.mark.parametrize("keys", [["4", "z"], ["4", "R", "z"], ["4", "z", "R"]], ids=" ".join)
def test_zoomed_the_pane_that_was_chosen_has_the_screen(
    start: Start, demo_trace: Demo, keys: list[str]
) -> None:
    terminal = opened(start, demo_trace("team"))
    terminal.press(*keys)
    assert shows(terminal, "4 Detail")
    for number, name in enumerate_panes():
        terminal.press(str(number))
        shown = [f"{n} {pane}" for n, pane in enumerate_panes() if shows(terminal, f"{n} {pane}")]
        assert shown == [f"{number} {name}"]
    leave(terminal)


def test_an_existing_file_is_overwritten_only_after_a_question(start: Start, demo_trace: Demo) -> None:
    bundle = demo_trace("quickstart")
    (bundle / "state.json").write_bytes(b"mine")
    terminal = opened(start, bundle, size=NARROW)
    terminal.press("w")
    terminal.press("enter")
    assert (bundle / "state.json").read_bytes() == b"mine"
    terminal.wait_for(lambda rows: any(re.search("overwrite", row, re.IGNORECASE) for row in rows))
    terminal.press("esc")
    assert (bundle / "state.json").read_bytes() == b"mine"
    terminal.press("esc", "w", "enter", "enter")
    terminal.wait_for(lambda _rows: (bundle / "state.json").read_bytes() != b"mine")
    assert (bundle / "state.json").read_bytes().startswith(b"{")
    leave(terminal)


def test_keys_typed_into_the_form_are_text(start: Start, demo_trace: Demo) -> None:
    bundle = demo_trace("quickstart")
    terminal = opened(start, bundle, size=NARROW)
    terminal.press("w", "ctrl+u")
    terminal.type(str(bundle.parent / "q?Q1.json"))
    terminal.wait_until_quiet()
    terminal.press("enter")
    terminal.wait_for(lambda _rows: (bundle.parent / "q?Q1.json").exists())
    assert not (bundle / "state.json").exists()
    leave(terminal)


def test_help_opens_and_closes(start: Start, demo_trace: Demo) -> None:
    terminal = opened(start, demo_trace("quickstart"), size=NARROW)
    before = terminal.screen
    terminal.press("?")
    assert terminal.screen != before
    assert shows(terminal, "Keys in Timeline")
    terminal.press("esc")
    assert terminal.screen == before
    leave(terminal)
    assert_clean(terminal)


def test_q_goes_back_and_at_the_root_it_quits(start: Start, demo_trace: Demo) -> None:
    terminal = opened(start, demo_trace("quickstart"), size=NARROW)
    terminal.press("?", "q")
    assert terminal.process.poll() is None
    leave(terminal, "q")


@pytest.mark.parametrize("keys", [[], ["?"], ["w"], ["i"]], ids=["root", "help", "form", "problems"])
def test_ctrl_c_quits_from_anywhere(start: Start, demo_trace: Demo, keys: list[str]) -> None:
    terminal = opened(start, demo_trace("quickstart"), size=NARROW)
    terminal.press(*keys)
    leave(terminal, "ctrl+c")


@pytest.mark.parametrize("keys", [[], ["w"]], ids=["root", "form"])
def test_nothing_is_sent_while_nothing_changes(start: Start, demo_trace: Demo, keys: list[str]) -> None:
    terminal = opened(start, demo_trace("quickstart"))
    terminal.press(*keys)
    before = terminal.output
    time.sleep(1.5)
    assert terminal.output[len(before) :] == b""
    leave(terminal, "ctrl+c")


def test_ascii_draws_with_nothing_else(start: Start, demo_trace: Demo) -> None:
    for arguments, environment in (
        (["--ascii"], {}),
        ([], {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}),
    ):
        terminal = opened(start, *arguments, demo_trace("team"), size=NARROW, environment=environment)
        terminal.press("j", "j", "4", "l", "l", "3", "1", "?", "esc", "w", "esc")
        leave(terminal)
        assert {char for char in terminal.output.decode() if not char.isascii()} == set()
        assert_clean(terminal)


_COLOUR = re.compile(rb"[\[;](?:3[0-8]|4[0-8]|9[0-7]|10[0-7])(?=[;m])")


@pytest.mark.parametrize(
    ("arguments", "environment"), [(["--no-color"], {}), ([], {"NO_COLOR": "1"})], ids=["option", "variable"]
)
def test_without_colours_none_is_sent(
    start: Start, demo_trace: Demo, arguments: list[str], environment: dict[str, str]
) -> None:
    terminal = opened(start, *arguments, demo_trace("team"), size=NARROW, environment=environment)
    terminal.press("j", "j", "4", "l", "l", "3", "1")
    leave(terminal)
    sent = re.findall(rb"\x1b\[[\d;]*m", terminal.output)
    assert sent
    assert not [sequence for sequence in sent if _COLOUR.search(sequence)]


def test_the_mouse_is_left_to_the_terminal_unless_wanted(start: Start, demo_trace: Demo) -> None:
    bundle = demo_trace("quickstart")
    without = opened(start, bundle, size=NARROW)
    leave(without)
    assert b"\x1b[?1000h" not in without.output
    wanted = opened(start, "--mouse", bundle, size=NARROW)
    leave(wanted)
    assert b"\x1b[?1000h" in wanted.output
    assert escape_audit(wanted.output, mouse=True).violations == []


def test_a_bundle_without_its_log_ends_in_one_line_and_a_clean_terminal(
    start: Start, demo_trace: Demo
) -> None:
    bundle = demo_trace("quickstart")
    (bundle / "trace.jsonl").unlink()
    terminal = start(bundle, columns=200)
    assert terminal.wait_exit() == 2
    rest = terminal.output.rpartition(b"\x1b[?1049l")[2]
    assert b"trace.jsonl: no such file or directory" in rest
    assert b"Traceback" not in terminal.output


def test_the_trace_root_opens_its_only_bundle(start: Start, demo_trace: Demo) -> None:
    root = demo_trace("quickstart").parent
    terminal = opened(start, size=NARROW, environment={"CODEX_ROLLOUT_TRACE_ROOT": str(root)})
    assert shows(terminal, "quickstart")
    leave(terminal)


def test_a_terminal_that_cannot_move_its_cursor_is_refused(start: Start, demo_trace: Demo) -> None:
    terminal = start(demo_trace("quickstart"), environment={"TERM": "dumb"})
    assert terminal.wait_exit() == 2
    assert terminal.output.count(b"\n") == 1
    assert b"\x1b" not in terminal.output


def test_reduce_in_a_terminal_shows_no_path_that_the_terminal_obeys(start: Start, demo_trace: Demo) -> None:
    bundle = demo_trace("quickstart").rename(demo_trace("team").parent / "a\x1b]0;owned\x07b\u202ec")
    terminal = start("reduce", bundle, columns=200)
    assert terminal.wait_exit() == 0
    assert escape_audit(terminal.output.removesuffix(b"\r\n")).violations == []
    assert "␛]0;owned␇".encode() in terminal.output
