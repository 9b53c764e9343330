"""The first record of a session file: whose it is, and to which other files it belongs."""

from __future__ import annotations

import re
from typing import Any, Literal

import orjson
from msgspec import Struct

from reducer.sessions.fields import mapping, number, text, unix_ms

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_NAME = re.compile(rf"rollout-[0-9T:\-]+?-({UUID})(?:_({UUID}))?\.jsonl(?:\.zst)?")
_UUID_7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")

_INSTRUCTIONS = b',"base_instructions":'
"""What ends the short part of a header. Quotes in texts are escaped: nothing else looks so."""

ThreadKind = Literal["root", "spawned", "review", "guardian", "other"]


class NamedIds(Struct, frozen=True):
    """The ids in the name of a session file.

    Attributes:
        thread_id: the thread whose records it has.
        file_id: what other files call it by: the id of the segment if it is one, else of the thread.
    """

    thread_id: str
    file_id: str


def ids_in_name(name: str) -> NamedIds | None:
    """The ids in a file's name; None if it is not named like a session file."""
    found = _NAME.fullmatch(name)
    return None if found is None else NamedIds(found[1], found[2] or found[1])


class Base(Struct, frozen=True):
    """The history before a file, which stands in another one.

    Attributes:
        file_id: of the other file.
        end_ordinal: the first record of it that does not belong to the history.
        end_offset: where that record begins in the other file, in bytes; None if it is not told.
    """

    file_id: str
    end_ordinal: int
    end_offset: int | None


class Header(Struct, frozen=True):
    """What `session_meta` says of a file.

    Attributes:
        thread_id: the thread.
        started_at_unix_ms: when it began; None if it is not told.
        session_id: the first thread of the tree, where it is told.
        parent_id: the thread that started it.
        forked_from_id: the thread whose history it goes on from.
        base: where that history stands, if it was not copied.
        own_from_ordinal: the first record that is not a copy, where it is told.
        kind: what sort of thread it is.
        agent_path: name of the agent among agents.
        nickname: of the agent.
        agent_role: of the agent.
        provider: which provider answers the calls.
        instructions: the base instructions.
        instructions_are_the_models: whether they came with the model, so that codex cuts them to the tools.
        cwd: the directory in which the thread began; empty if it is not told.
    """

    thread_id: str
    started_at_unix_ms: int | None
    session_id: str | None
    parent_id: str | None
    forked_from_id: str | None
    base: Base | None
    own_from_ordinal: int | None
    kind: ThreadKind
    agent_path: str | None
    nickname: str | None
    agent_role: str | None
    provider: str
    instructions: str | None
    instructions_are_the_models: bool
    cwd: str = ""

    @property
    def relatives(self) -> set[str]:
        """Ids of threads and files that belong to the same run."""
        base = None if self.base is None else self.base.file_id
        return {
            name for name in (self.session_id, self.parent_id, self.forked_from_id, base) if name is not None
        }


def read_header(payload: dict[str, Any]) -> Header | None:
    """What the payload of a `session_meta` says; None if it names no thread."""
    thread_id = text(payload, "id")
    if thread_id is None:
        return None
    subagent = payload.get("source")
    subagent = subagent.get("subagent") if isinstance(subagent, dict) else None
    spawn = mapping(subagent, "thread_spawn")
    parent_id = text(payload, "parent_thread_id") or text(spawn, "parent_thread_id")
    instructions = mapping(payload, "base_instructions")
    return Header(
        thread_id=thread_id,
        started_at_unix_ms=unix_ms(payload.get("timestamp")),
        session_id=text(payload, "session_id"),
        parent_id=parent_id,
        forked_from_id=text(payload, "forked_from_id"),
        base=_base(mapping(payload, "history_base")),
        own_from_ordinal=number(payload, "subagent_history_start_ordinal"),
        kind=_kind(subagent, parent_id),
        agent_path=text(spawn, "agent_path") or text(payload, "agent_path"),
        nickname=text(spawn, "agent_nickname") or text(payload, "agent_nickname"),
        agent_role=text(spawn, "agent_role"),
        provider=text(payload, "model_provider") or "",
        instructions=text(instructions, "text"),
        instructions_are_the_models=text(mapping(instructions, "provenance"), "type") == "model",
        cwd=text(payload, "cwd") or "",
    )


def read_outline(beginning: bytes) -> Header | None:
    """What the first bytes of a file say of it: whose it is, who started it, what it was forked from.

    The base instructions, which are most of a header, need not be there, and what stands behind them is left
    out: the history it goes on from, and where its own begins.

    Args:
        beginning: of the plain text of the file.

    Returns:
        None if the file does not begin with a header, or more of it is needed.
    """
    line, ended, _ = beginning.partition(b"\n")
    before, is_cut, _ = line.partition(_INSTRUCTIONS)
    if not (is_cut or ended):
        return None
    try:
        record = orjson.loads(before + b"}}" if is_cut else line)
    except orjson.JSONDecodeError:
        return None
    payload = mapping(record, "payload")
    return read_header(payload) if text(record, "type") == "session_meta" else None


def _base(value: dict[str, Any]) -> Base | None:
    file_id, ordinal = text(value, "thread_id"), number(value, "end_ordinal_exclusive")
    if file_id is None or ordinal is None:
        return None
    return Base(file_id, ordinal, number(value, "end_byte_offset"))


def _kind(subagent: object, parent_id: str | None) -> ThreadKind:
    if subagent == "review":
        return "review"
    if isinstance(subagent, dict):
        if "thread_spawn" in subagent:
            return "spawned"
        return "guardian" if subagent.get("other") == "guardian" else "other"
    if subagent is not None:
        return "other"
    return "root" if parent_id is None else "spawned"


def is_older(turn_id: str, thread_id: str) -> bool:
    """Whether a turn is older than a thread, so that it cannot be the thread's own."""
    both = _UUID_7.fullmatch(turn_id) and _UUID_7.fullmatch(thread_id)
    return both is not None and turn_id < thread_id
