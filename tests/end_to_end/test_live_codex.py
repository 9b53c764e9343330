"""The real codex runs while the inspector follows what it writes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from codex_home import CodexHome
from patience import PATIENCE
from places import PROGRAM
from pty_terminal import Terminal
from responses_server import Gate, ResponsesServer
from scripted_sessions import COMPACT_ABOVE, GATES, TEAM_PROMPT, picture_and_cell, tools_child_compaction

from reducer.sessions import read_session, session_state_json

pytestmark = pytest.mark.slow


def cursor_entries(terminal: Terminal) -> set[str]:
    """Number and kind of the timeline entries in marked rows; a cursor of another pane marks one, too."""
    columns = [terminal.screen[row].split("│") for row in terminal.marked]
    entries = (re.search(r"\d+ [a-z]+", column[1]) for column in columns if len(column) > 2)
    return {entry[0] for entry in entries if entry is not None}


@pytest.mark.parametrize(
    ("program", "code_mode"), [("codex_169", False), ("codex_171", True)], ids=["schema 2", "schema 3"]
)
def test_a_session_is_followed_from_its_first_call_to_its_end(
    program: str, code_mode: bool, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    gates = {name: Gate() for name in GATES}
    between = picture_and_cell() if code_mode else []
    with ResponsesServer(tools_child_compaction(gates, between)) as server:
        codex = CodexHome(
            tmp_path / "codex",
            request.getfixturevalue(program),
            server,
            compact_above=COMPACT_ABOVE,
            code_mode=code_mode,
        )
        with codex.started(TEAM_PROMPT) as running:
            assert gates["tools"].reached.wait(PATIENCE)
            [bundle] = codex.bundles()
            with Terminal([*PROGRAM, "--panes", str(bundle)], columns=140, rows=60) as terminal:
                _follow(terminal, gates, code_mode)
                written = _write_graph(terminal, bundle)
                terminal.send(b"Q")
                assert terminal.wait_exit() == 0
            assert running.wait(PATIENCE) == 0
        assert server.complaints == []
    assert written == codex.reduced(bundle)


def has_row(rows: list[str], kind: str) -> bool:
    """Whether the timeline has a row of a kind."""
    return any(re.search(rf"│\W*\d+ {kind}", row) for row in rows)


def _follow(terminal: Terminal, gates: dict[str, Gate], code_mode: bool) -> None:
    """Let the session go on from gate to gate, and see each of its parts appear."""
    terminal.wait_for("still being written")
    terminal.wait_for("printf")
    assert "cat nothing-here" not in "\n".join(terminal.screen)
    terminal.press("j")
    before = cursor_entries(terminal)
    assert before
    terminal.send(b"t")
    terminal.wait_for("following")
    gates["tools"].open()
    terminal.wait_for("cat nothing-here")
    if code_mode:
        terminal.wait_for("view_image")
        terminal.wait_for(lambda rows: has_row(rows, "exec"))
        terminal.wait_for(lambda rows: has_row(rows, "wait"))
    terminal.wait_for("/researcher")
    assert gates["child"].reached.wait(PATIENCE)
    gates["child"].open()
    assert gates["waiting"].reached.wait(PATIENCE)
    terminal.send(b"=")
    terminal.wait_for("paused")
    gates["waiting"].open()
    terminal.wait_for(lambda rows: re.search(r"paused \+[1-9]", rows[0]))
    assert gates["compacted"].reached.wait(PATIENCE)
    assert not has_row(terminal.screen, "compact")
    terminal.send(b"=")
    terminal.wait_for(lambda rows: has_row(rows, "result"))
    terminal.wait_for(lambda rows: has_row(rows, "compact"))
    assert before <= cursor_entries(terminal), "new data moved the cursor"
    gates["compacted"].open()
    terminal.wait_for("the recording is complete")


def _write_graph(terminal: Terminal, bundle: Path) -> bytes:
    terminal.press("w")
    terminal.press("enter")
    state = bundle / "state.json"
    terminal.wait_for(lambda _: state.exists())
    terminal.wait_until_quiet()
    return state.read_bytes()


def test_a_session_is_followed_by_the_file_that_codex_keeps_without_tracing(
    tmp_path: Path, codex_171: Path
) -> None:
    gates = {name: Gate() for name in GATES}
    with ResponsesServer(tools_child_compaction(gates)) as server:
        codex = CodexHome(tmp_path / "codex", codex_171, server, compact_above=COMPACT_ABOVE, is_traced=False)
        before = stamps(codex.home)
        with codex.started(TEAM_PROMPT) as running:
            assert gates["tools"].reached.wait(PATIENCE)
            [session] = codex.sessions()
            with Terminal(
                [*PROGRAM, "--panes", str(session)], columns=140, rows=60, directory=tmp_path
            ) as terminal:
                terminal.wait_for("~session file")
                _follow_session(terminal, gates)
                assert running.wait(PATIENCE) == 0
                terminal.wait_for("nobody writes it any more")
                written = _write_state(terminal, tmp_path)
                terminal.send(b"Q")
                assert terminal.wait_exit() == 0
        assert server.complaints == []
    assert codex.bundles() == []
    assert written == session_state_json(read_session(session))
    ours = [name for name in stamps(codex.home).keys() - before.keys() if "rollout-tui" in name]
    assert ours == [], "something of this program is in the home of codex"


def stamps(folder: Path) -> dict[str, int]:
    """The names below a folder, and when what has them was changed."""
    return {str(path.relative_to(folder)): path.lstat().st_mtime_ns for path in folder.rglob("*")}


def _follow_session(terminal: Terminal, gates: dict[str, Gate]) -> None:
    """Let it go on from gate to gate; a child and its file come meanwhile."""
    terminal.wait_for("still being written")
    terminal.wait_for("printf")
    assert "cat nothing-here" not in "\n".join(terminal.screen)
    terminal.press("j")
    before = cursor_entries(terminal)
    assert before
    terminal.send(b"t")
    terminal.wait_for("following")
    gates["tools"].open()
    terminal.wait_for("cat nothing-here")
    assert gates["child"].reached.wait(PATIENCE)
    terminal.wait_for("/researcher")
    gates["child"].open()
    assert gates["waiting"].reached.wait(PATIENCE)
    terminal.send(b"=")
    terminal.wait_for("paused")
    gates["waiting"].open()
    terminal.wait_for(lambda rows: re.search(r"paused \+[1-9]", rows[0]))
    assert gates["compacted"].reached.wait(PATIENCE)
    assert not has_row(terminal.screen, "compact")
    terminal.send(b"=")
    terminal.wait_for(lambda rows: has_row(rows, "result"))
    terminal.wait_for(lambda rows: has_row(rows, "compact"))
    assert before <= cursor_entries(terminal), "new data moved the cursor"
    gates["compacted"].open()


def _write_state(terminal: Terminal, directory: Path) -> bytes:
    """A session has no place for its graph: it goes where the program was started."""
    terminal.press("w")
    terminal.press("enter")
    terminal.wait_for(lambda _: any(directory.glob("*.state.json")))
    terminal.wait_until_quiet()
    [state] = directory.glob("*.state.json")
    return state.read_bytes()
