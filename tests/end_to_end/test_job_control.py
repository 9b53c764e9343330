"""The inspector as a job of a shell: stopped, continued, ended while it is stopped."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from places import PROGRAM
from pty_terminal import Terminal

pytestmark = pytest.mark.slow

Demo = Callable[[str], Path]

PROMPT = "shell> "
_MODES = re.compile(rb"modes<([0-9a-f:]+)>")


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Terminal]:
    """A bash at its prompt."""
    environment = {"PS1": PROMPT, "HOME": str(tmp_path), "HISTFILE": "", "INPUTRC": "/dev/null"}
    command = ["bash", "--norc", "--noprofile", "-i"]
    with Terminal(command, columns=120, rows=40, environment=environment) as terminal:
        terminal.wait_for(PROMPT.strip())
        yield terminal


def say(shell: Terminal, line: str) -> None:
    shell.type(f"{line}\r")


def open_inspector(shell: Terminal, bundle: Path) -> None:
    say(shell, shlex.join([*PROGRAM, "--panes", str(bundle)]))
    shell.wait_for("2 Timeline")
    shell.wait_until_quiet(1.0)


def stop(shell: Terminal) -> None:
    shell.send(b"\x1a")
    shell.wait_for("Stopped")
    shell.wait_until_quiet()


def modes(shell: Terminal) -> str:
    """What `stty` says of the terminal, asked of the shell."""
    before = len(shell.output)
    say(shell, 'echo "modes<$(stty -g)>"')
    shell.wait_for(lambda _rows: _MODES.search(shell.output, before))
    (found,) = _MODES.findall(shell.output, before)
    return str(found, "ascii")


def test_ctrl_z_and_fg_leave_everything_as_it_was(shell: Terminal, demo_trace: Demo) -> None:
    before_all = modes(shell)
    open_inspector(shell, demo_trace("team"))
    shell.press("j", "j", "4")
    before = shell.wait_until_quiet(1.0)
    for _ in range(2):
        stop(shell)
        assert modes(shell) == before_all
        say(shell, "fg")
        shell.wait_for(lambda rows: rows == before)
    shell.press("Q")
    shell.wait_for(lambda rows: any(row.startswith(PROMPT.strip()) for row in rows))
    assert modes(shell) == before_all


def test_a_job_that_is_killed_while_it_is_stopped_leaves_the_terminal_in_order(
    shell: Terminal, demo_trace: Demo
) -> None:
    before = modes(shell)
    open_inspector(shell, demo_trace("quickstart"))
    stop(shell)
    # bash lets a stopped job go on, so that it gets the signal.
    say(shell, "kill %1; while jobs %1 2>&1 | grep -q -e Stop -e Run; do sleep 0.1; done; echo it is''over")
    shell.wait_for("it isover")
    assert b"Terminated" in shell.output
    assert modes(shell) == before
    assert shell.output.rfind(b"\x1b[?1049l") > shell.output.rfind(b"\x1b[?1049h")
