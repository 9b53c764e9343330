"""Writes small session files as codex would, old and new."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

Json = dict[str, Any]

ROOT = "01a22225-0000-7000-8000-000000000001"
CHILD = "01a22225-0000-7000-8000-000000000002"
FORK = "01a22225-0003-7000-8000-000000000003"
TURN = "01a22225-0001-7000-8000-00000000000{}"
"""Ids in order of time: the thread, a child, their turns, then a thread that came later."""

USAGE = {
    "input_tokens": 10,
    "cached_input_tokens": 0,
    "cache_write_input_tokens": 0,
    "output_tokens": 2,
    "reasoning_output_tokens": 0,
    "total_tokens": 12,
}


class SessionWriter:
    """One session file, line by line.

    Attributes:
        path: the file.
        ordinal: of the next record; None in legacy files.
        sequence: of the last item, where items have one.
    """

    def __init__(
        self,
        home: Path,
        thread_id: str = ROOT,
        *,
        segment: str | None = None,
        first_ordinal: int | None = 0,
        folder: str = "sessions/2026/11/28",
        at: float = 0.0,
    ) -> None:
        """Begin a file; without a first ordinal it is a legacy one.

        Args:
            home: what would be the home of codex.
            thread_id: the thread.
            segment: id of the file, if it is not the thread's first.
            first_ordinal: of the first record.
            folder: in the home.
            at: seconds after the others at which it begins.
        """
        name = thread_id if segment is None else f"{thread_id}_{segment}"
        self.path = home / folder / f"rollout-2026-11-28T12-00-00-{name}.jsonl"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_bytes(b"")
        self.thread_id = thread_id
        self.ordinal = first_ordinal
        self.sequence = 0
        self.sampled = 0
        self.turn: str | None = None
        self.total = 0
        self._time = datetime(2026, 11, 28, 12, tzinfo=UTC) + timedelta(seconds=at)

    def line(self, type_: str, payload: Json, metadata: Json | None = None) -> bytes:
        """Write one record; give its line."""
        self._time += timedelta(milliseconds=10)
        stamp = self._time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        value: Json = {"timestamp": stamp}
        if self.ordinal is not None:
            value["ordinal"] = self.ordinal
            self.ordinal += 1
        value |= {"type": type_, "payload": payload}
        if metadata is not None:
            value["metadata"] = metadata
        return self.raw(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")

    def raw(self, data: bytes) -> bytes:
        """Write bytes as they are."""
        with self.path.open("ab") as file:
            file.write(data)
        return data

    def meta(self, **fields: Any) -> None:
        self.line("session_meta", {"id": self.thread_id, "model_provider": "mock", "cwd": "/w", **fields})

    def event(self, kind: str, **fields: Any) -> None:
        self.line("event_msg", {"type": kind, **fields})

    def start_turn(self, number: int = 1, *, new: bool = True, settings: bool = True) -> str:
        """A turn begins; `new`: as by a codex that notes the tokens of each response."""
        self.turn = turn_id = TURN.format(number)
        more = {"root_turn_id": turn_id, "turn_attribution": {"turn_id": turn_id}} if new else {}
        self.event("task_started", turn_id=turn_id, **more)
        if settings:
            root = {"root_turn_id": turn_id} if new else {}
            self.line("turn_context", {"turn_id": turn_id, "model": "gpt-5.5", "cwd": "/w", **root})
        return turn_id

    def end_turn(self, said: str | None = "done", **fields: Any) -> None:
        self.event("task_complete", turn_id=self.turn, last_agent_message=said, **fields)
        self.turn = None

    def abort_turn(self) -> None:
        self.event("turn_aborted", turn_id=self.turn, reason="interrupted")
        self.turn = None

    def item(self, payload: Json, **metadata: Any) -> None:
        """Write an item; in new files with its place in the history."""
        if self.ordinal is None:
            self.line("response_item", payload)
            return
        self.sequence += 1
        passed = {"internal_chat_message_metadata_passthrough": {"turn_id": self.turn}} if self.turn else {}
        told = {"history_sequence": self.sequence, "sampled_through_sequence": self.sampled}
        self.line("response_item", {**payload, **passed}, {**told, **metadata})

    def user(self, text: str) -> None:
        self.item(spoken("user", text))

    def sees(self) -> None:
        """A request is made: what comes now was sampled with all items so far."""
        self.sampled = self.sequence

    def assistant(self, text: str) -> None:
        self.item(spoken("assistant", text, "output_text"))

    def call(self, call_id: str, name: str = "exec_command", **arguments: Any) -> None:
        self.item(
            {
                "type": "function_call",
                "name": name,
                "arguments": json.dumps(arguments or {"cmd": "ls"}),
                "call_id": call_id,
            }
        )

    def output(self, call_id: str, said: str = "Process exited with code 0\nOutput:\nx\n") -> None:
        self.item({"type": "function_call_output", "call_id": call_id, "output": said})

    def usage(self, response_id: str = "resp_1") -> None:
        self.line(
            "token_usage_record",
            {"thread_id": self.thread_id, "turn_id": self.turn, "response_id": response_id, "usage": USAGE},
        )

    def count(self, *, more: bool) -> None:
        """Tokens are counted; `more`: a response came since the last time."""
        self.total += 12 if more else 0
        total = {"total_tokens": self.total}
        info = {"total_token_usage": total, "last_token_usage": USAGE} if self.total else None
        self.event("token_count", info=info)


def spoken(role: str, text: str, type_: str = "input_text") -> Json:
    """A message."""
    return {"type": "message", "role": role, "content": [{"type": type_, "text": text}]}


def plain_session(home: Path) -> SessionWriter:
    """A session of one turn with a command, as new codex writes it."""
    writer = SessionWriter(home)
    writer.meta(base_instructions={"text": "Be good.", "provenance": {"type": "custom"}})
    writer.start_turn()
    writer.user("look")
    writer.sees()
    writer.call("call_1")
    writer.usage("resp_1")
    writer.output("call_1")
    writer.count(more=True)
    writer.sees()
    writer.assistant("Seen.")
    writer.usage("resp_2")
    writer.count(more=True)
    writer.end_turn("Seen.")
    return writer
