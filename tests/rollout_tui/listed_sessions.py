"""Homes of codex with sessions in them, for tests of lists."""

from __future__ import annotations

import os
from pathlib import Path

from session_builder import CHILD, FORK, ROOT, SessionWriter

LONG_AGO = 1_700_000_000

OTHER = "01a22225-0009-7000-8000-000000000009"
"""A thread that came after the others."""


def age(path: Path, at: int = LONG_AGO) -> None:
    """As if a file had been written long ago."""
    os.utime(path, (at, at))


def session(
    home: Path,
    thread_id: str = ROOT,
    asked: str = "look",
    *,
    calls: int = 1,
    cwd: str = "/w",
    model: str = "gpt-5.5",
    **told: object,
) -> SessionWriter:
    """A session of one turn, which has so many calls and is not ended."""
    seconds = int(thread_id[9:13], 16)
    writer = SessionWriter(home, thread_id, at=seconds)
    stamp = f"2026-11-28T12:00:{seconds:02}Z"
    writer.meta(**{"timestamp": stamp, "cwd": cwd, **told, "base_instructions": {"text": "Be good."}})
    turn = writer.turn = f"{thread_id[:-1]}f"
    writer.event("task_started", turn_id=turn, root_turn_id=turn)
    writer.line("turn_context", {"turn_id": turn, "model": model, "cwd": cwd})
    writer.user(asked)
    for number in range(calls):
        writer.sees()
        writer.assistant(f"answer {number}")
        writer.usage(f"resp_{thread_id}_{number}")
    return writer


def family(home: Path) -> dict[str, SessionWriter]:
    """A run with a child and a fork, and another one in a folder of another day, all of long ago."""
    made = {
        "root": session(home, ROOT, "instruction of root", calls=2),
        "child": session(home, CHILD, "task", parent_thread_id=ROOT, source=spawned_by(ROOT)),
        "fork": session(home, FORK, "instruction of fork", forked_from_id=ROOT),
        "other": session(home, OTHER, "instruction of other", calls=5, cwd="/elsewhere", model="o-model"),
    }
    for writer in made.values():
        writer.end_turn()
    other = made["other"]
    moved = home / "sessions/2026/12/01" / other.path.name
    moved.parent.mkdir(parents=True)
    other.path = other.path.rename(moved)
    for writer in made.values():
        age(writer.path)
    return made


def spawned_by(parent: str) -> dict[str, object]:
    """The source of an agent that another one started."""
    return {"subagent": {"thread_spawn": {"parent_thread_id": parent, "depth": 1, "agent_path": "/root/a"}}}
