"""A session file in which every text is an attack: nothing of it may reach the terminal.

The inspector on it is walked through by a pilot: `tests/rollout_tui/screens/test_hostile_screens.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from escape_audit import escape_audit, smuggled
from hostile_session import session_evidence, write_hostile_session
from pty_terminal import Terminal

pytestmark = pytest.mark.slow

Start = Callable[..., Terminal]


@pytest.fixture
def hostile(tmp_path: Path, shared_dir: Path) -> Path:
    return write_hostile_session(shared_dir, tmp_path)


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "SESSION"],
        ["check", "SESSION", "--json"],
        ["show", "SESSION", "call", "2"],
        ["show", "SESSION", "tools"],
        ["show", "SESSION", "failures"],
        ["show", "SESSION", "line", "9", "--raw"],
        ["show", "SESSION", "call", "1", "--json"],
        ["show", "SESSION", "call", "1", "--json", "--content"],
        ["reduce", "SESSION", "-o", "/dev/null"],
        ["reduce", "SESSION"],
    ],
    ids=" ".join,
)
def test_commands_say_nothing_of_it_that_a_terminal_obeys(
    start: Start, hostile: Path, arguments: list[str]
) -> None:
    words = [str(hostile) if word == "SESSION" else word for word in arguments]
    terminal = start(*words, columns=200, rows=60)
    assert terminal.wait_exit() in (0, 1, 2)
    assert b"Traceback" not in terminal.output
    for line in terminal.output.removesuffix(b"\r\n").split(b"\r\n"):
        audit = escape_audit(line, in_columns=False)
        assert not audit.violations, audit.describe()
    assert smuggled(session_evidence(hostile), terminal.output) == []
