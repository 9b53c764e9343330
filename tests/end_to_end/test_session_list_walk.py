"""The sessions of codex in a terminal: the list, a session and back, ids, and what is sent meanwhile."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from escape_audit import escape_audit, smuggled
from listed_sessions import age, family, session
from pty_terminal import Terminal
from session_builder import CHILD, ROOT

pytestmark = pytest.mark.slow

Start = Callable[..., Terminal]
Demo = Callable[[str], Path]

HOSTILE = "\x1b]0;owned\x07\x1b[31mred alert\u202e\x9b2Jclear!"
"""What a terminal must not obey."""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home of codex, which the program finds by itself, and which is as it was when the test ends."""
    home = tmp_path / "home"
    family(home)
    monkeypatch.setenv("CODEX_HOME", str(home))
    hostile = "01a22225-0008-7000-8000-000000000008"
    writer = session(home, hostile, f"asks {HOSTILE}", cwd=f"/{HOSTILE}", model=HOSTILE)
    writer.end_turn()
    age(writer.path)
    named = home / "sessions/2026/11/28" / f"rollout-{HOSTILE.replace('/', '')}.jsonl"
    named.write_text("{}\n")
    (home / "sessions/2026/11/28/rollout-link.jsonl").symlink_to(writer.path)
    (home / "state_5.sqlite").write_text("theirs")
    before = tree(home)
    yield home
    assert tree(home) == before, "nothing was written"


def tree(home: Path) -> list[tuple[str, int, int]]:
    found = ((path, path.lstat()) for path in sorted(home.rglob("*")))
    return [(os.fsdecode(path), at.st_mtime_ns, at.st_ctime_ns) for path, at in found]


def audited(terminal: Terminal) -> None:
    """What was sent is drawing and text, and nothing of the evidence as it stands there."""
    audit = escape_audit(terminal.output)
    assert not audit.violations, audit.describe()
    assert smuggled([HOSTILE], terminal.output) == []


@pytest.mark.parametrize("size", [(120, 40), (80, 24)], ids=["120x40", "80x24"])
def test_from_the_list_into_a_session_and_back(
    start: Start, demo_trace: Demo, home: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    traces = demo_trace("quickstart").parent
    manifest = json.loads((traces / "quickstart/manifest.json").read_text())
    copied = home / "sessions/2026/11/28" / f"rollout-2026-11-28T12-00-00-{ROOT}.jsonl"
    assert copied.exists()
    assert manifest["root_thread_id"] != ROOT
    monkeypatch.setenv("CODEX_ROLLOUT_TRACE_ROOT", str(traces))
    terminal = start(columns=size[0], rows=size[1])
    terminal.wait_for("1 bundle, 5 sessions")
    terminal.wait_until_quiet()
    assert not any("task" in row.split() for row in terminal.screen), "a child is no row of its own"
    for word in ("session", "bundle", "unusable"):
        assert any(f" {word}" in row for row in terminal.screen)
    terminal.press("/", *"of root", "enter")
    terminal.wait_until_quiet()
    [row] = terminal.marked
    assert "completed" in terminal.screen[row]
    terminal.press("enter")
    terminal.wait_for("2 Timeline")
    terminal.wait_for("turn 1")
    terminal.wait_until_quiet()
    terminal.press("esc", "esc")
    terminal.wait_for("1 bundle, 5 sessions")
    terminal.press("s", "c")
    terminal.wait_for("by calls")
    terminal.press("&")
    terminal.wait_for("kind:session")
    terminal.press(*"kind:session", "enter")
    terminal.wait_for("5 of 6")
    terminal.wait_until_quiet()
    quiet = len(terminal.output)
    time.sleep(2.5)
    assert terminal.output[quiet:] == b"", "nothing changed, so nothing is sent"
    terminal.send(b"Q")
    assert terminal.wait_exit() == 0
    audited(terminal)


@pytest.mark.parametrize("place", ["", "sessions", "sessions/2026/11/28"])
def test_a_folder_of_sessions_is_listed(start: Start, home: Path, place: str) -> None:
    terminal = start(home / place, columns=80, rows=24)
    terminal.wait_for("5 sessions" if not place.endswith("28") else "4 sessions")
    terminal.wait_until_quiet()
    terminal.send(b"q")
    assert terminal.wait_exit() == 0
    audited(terminal)


def test_an_id_opens_its_run(start: Start, home: Path) -> None:
    terminal = start(CHILD, columns=120, rows=40)
    terminal.wait_for("2 Timeline")
    terminal.wait_for("3 agents")
    terminal.send(b"Q")
    assert terminal.wait_exit() == 0
    audited(terminal)


def test_an_id_of_several_is_refused_in_one_line(start: Start, home: Path) -> None:
    terminal = start("01a22225-000", columns=200, rows=24)
    assert terminal.wait_exit() == 2
    said = terminal.output.decode().strip().splitlines()
    assert len(said) == 1
    assert "runs begin so: " in said[0]


def test_ls_prints_the_same_list(run_program: Callable[..., object], home: Path) -> None:
    text = run_program("ls").stdout.decode()  # type: ignore[attr-defined]
    heading, *lines = text.splitlines()
    assert "KIND" in heading.split()
    assert len(lines) == 5
    assert all(line.isprintable() for line in lines)
    assert sum(" unusable " in line for line in lines) == 2
    found = json.loads(run_program("ls", "--json").stdout)["runs"]  # type: ignore[attr-defined]
    assert [one["kind"] for one in found] == ["session"] * 5
    whole = next(one for one in found if one["root_thread_id"] == ROOT)
    assert (whole["agents"], whole["bundle"], len(whole["session_files"])) == (3, None, 3)
    assert whole["session"].endswith(f"{ROOT}.jsonl")
    one = run_program("ls", whole["session"], "--json").stdout  # type: ignore[attr-defined]
    assert json.loads(one)["runs"] == [whole]


def test_it_is_the_home_of_a_user_who_named_none(
    start: Start, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = tmp_path / "user"
    shutil.copytree(home, user / ".codex", symlinks=True)
    monkeypatch.delenv("CODEX_HOME")
    monkeypatch.setenv("HOME", str(user))
    terminal = start(columns=120, rows=40)
    terminal.wait_for("5 sessions")
    terminal.send(b"q")
    assert terminal.wait_exit() == 0
