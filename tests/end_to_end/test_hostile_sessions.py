"""A session file in which every text is an attack: nothing of it may reach the terminal."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from escape_audit import escape_audit, smuggled
from hostile_evidence import texts
from hostile_walking import Walk
from pty_terminal import Terminal

from demo_traces.attacks import EVERYTHING  # isort: skip

pytestmark = pytest.mark.slow

Start = Callable[..., Terminal]

FREE = frozenset(
    {
        "agent_nickname",
        "aggregated_output",
        "arguments",
        "cli_version",
        "cmd",
        "cwd",
        "encrypted_content",
        "explanation",
        "formatted_output",
        "input",
        "label",
        "last_agent_message",
        "message",
        "model",
        "model_provider",
        "nickname",
        "originator",
        "output",
        "path",
        "phase",
        "query",
        "reason",
        "role_name",
        "server",
        "stderr",
        "stdout",
        "task_name",
        "text",
        "title",
        "tool",
    }
)
"""Keys whose texts say nothing that the reader goes by."""


@pytest.fixture
def hostile(tmp_path: Path, shared_dir: Path) -> Path:
    """A session with agents, of which every free text is attacked, and more that no codex writes."""
    case = shared_dir / "sessions/multi-agent-v2/sessions"
    attacks = cycle(EVERYTHING)
    folder = tmp_path / "home\x1b]0;owned\x07\u202e/sessions/2026/11/28"
    folder.mkdir(parents=True)
    files = sorted(case.rglob("rollout-*.jsonl"))
    for file in files:
        lines = [attacked(json.loads(line), attacks) for line in file.read_text().splitlines()]
        (folder / file.name).write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    first = folder / files[0].name
    with first.open("a") as log:
        for attack in EVERYTHING:
            event = {"type": f"kind{attack}", f"field{attack}": attack}
            log.write(json.dumps({"timestamp": "x", "type": "event_msg", "payload": event}) + "\n")
            log.write(json.dumps({"type": f"record{attack}", "payload": {attack: attack}}) + "\n")
        log.write("\x1b]0;owned\x07 no json \x1b[2J\n")
        log.write('{"type": "torn\x1b[31m')
    return first


def attacked(value: Any, attacks: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: attacked(one, attacks, name) for name, one in value.items()}
    if isinstance(value, list):
        return [attacked(one, attacks, key) for one in value]
    if isinstance(value, str) and (key in FREE or " " in value):
        return f"{next(attacks)}{value}{next(attacks)}"
    return value


def evidence(session: Path) -> list[str]:
    home = session.parents[4]
    found = [home.name]
    for file in session.parent.iterdir():
        found += [file.name, *texts(file.read_bytes())]
    return found


@pytest.mark.timeout(400)
def test_nothing_of_a_hostile_session_is_obeyed_by_a_terminal(start: Start, hostile: Path) -> None:
    terminal = start(hostile, columns=120, rows=40)
    terminal.wait_for("~session file")
    terminal.wait_for("call")
    terminal.wait_until_quiet()
    walk = Walk(terminal)
    assert walk.timeline(6) > 3
    walk.step("3", "g")
    for _ in range(4):
        walk.step("3", "j", "enter", "G")
    walk.step("1", "j", "enter", "2", "j", "G", "3", "4")
    walk.step("i", "j", "G", "enter", "4", "i", "esc", "w", "esc", "?", "esc", "R")
    terminal.wait_until_quiet()
    assert terminal.process.poll() is None
    terminal.send(b"Q")
    assert terminal.wait_exit() == 0
    assert b"Traceback" not in terminal.output
    audit = escape_audit(terminal.output)
    assert not audit.violations, audit.describe()
    assert smuggled(evidence(hostile), terminal.output) == []


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
    assert smuggled(evidence(hostile), terminal.output) == []
