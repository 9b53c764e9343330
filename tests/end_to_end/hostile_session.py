"""A session file in which every text is an attack, and what is in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

from hostile_evidence import texts

from demo_traces.attacks import EVERYTHING  # isort: skip

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


def write_hostile_session(shared: Path, directory: Path) -> Path:
    """Write a session with agents, of which every free text is attacked, and more that no codex writes.

    Args:
        shared: where recorded sessions are.
        directory: where it is to be, in folders of a hostile name.

    Returns:
        The file of its first agent.
    """
    case = shared / "sessions/multi-agent-v2/sessions"
    attacks = cycle(EVERYTHING)
    folder = directory / "home\x1b]0;owned\x07\u202e/sessions/2026/11/28"
    folder.mkdir(parents=True)
    files = sorted(case.rglob("rollout-*.jsonl"))
    for file in files:
        lines = [_attacked(json.loads(line), attacks) for line in file.read_text().splitlines()]
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


def _attacked(value: Any, attacks: Iterator[str], key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _attacked(one, attacks, name) for name, one in value.items()}
    if isinstance(value, list):
        return [_attacked(one, attacks, key) for one in value]
    if isinstance(value, str) and (key in FREE or " " in value):
        return f"{next(attacks)}{value}{next(attacks)}"
    return value


def session_evidence(session: Path) -> list[str]:
    """Every text of it as it is meant, and the names around it."""
    home = session.parents[4]
    found = [home.name]
    for file in session.parent.iterdir():
        found += [file.name, *texts(file.read_bytes())]
    return found
