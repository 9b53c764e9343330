"""What events alone tell of failures, without reducing: of a sound log never more than its graph does."""

from __future__ import annotations

import re

import orjson

_FIELDS = {
    b"codex_turn_ended": b"codex_turn_id",
    b"tool_call_ended": b"tool_call_id",
    b"tool_call_runtime_ended": b"tool_call_id",
    b"inference_completed": b"inference_call_id",
    b"inference_failed": b"inference_call_id",
    b"inference_cancelled": b"inference_call_id",
    b"compaction_request_completed": b"compaction_request_id",
    b"compaction_request_failed": b"compaction_request_id",
}
"""Kinds of events that end something, and the field that names it."""

_STARTS = frozenset({b"tool_call_started", b"tool_call_runtime_started"})
_COMMAND = re.compile(rb'"kind":\s*\{\s*"type":\s*"exec_command"')
_STATUS = re.compile(rb'"status":\s*"(\w+)"')
_FAILED = frozenset({b"failed", b"cancelled", b"aborted"})
_NAMES = {field: re.compile(rb'"%s":\s*"((?:[^"\\]|\\.)*)"' % field) for field in {*_FIELDS.values()}}


class KnownFailures:
    """The turns, calls, tool calls and requests to compact that ended as failures, by the ends in the log.

    A command counts if its runtime says that it failed: that is an exit status other than 0. What fails by
    its result alone, such as a wait whose time was over, a script, and what never ended is not known here.
    """

    def __init__(self) -> None:
        self._ended: set[tuple[bytes, bytes]] = set()
        self._exited: set[bytes] = set()
        self._commands: set[bytes] = set()

    def __len__(self) -> int:
        return len(self._names())

    @property
    def ids(self) -> set[str]:
        """The ids of what failed."""
        return {orjson.loads(b'"%s"' % name) for name in self._names()}

    def _names(self) -> set[bytes]:
        return {name for _, name in self._ended} | (self._exited & self._commands)

    def note(self, kind: bytes, data: bytes, start: int) -> None:
        """Take in an event; a later end of the same thing replaces an earlier one.

        Args:
            kind: of the event.
            data: its line.
            start: where the rest of its body begins.
        """
        if kind in _STARTS:
            if _COMMAND.search(data, start) and (name := _named(b"tool_call_id", data, start)) is not None:
                self._commands.add(name)
            return
        field = _FIELDS.get(kind)
        name = None if field is None else _named(field, data, start)
        if field is None or name is None:
            return
        status = _STATUS.search(data, start)
        failed = kind.endswith((b"_failed", b"_cancelled")) or (status is not None and status[1] in _FAILED)
        if kind == b"tool_call_runtime_ended":
            (self._exited.add if failed else self._exited.discard)(name)
        else:
            (self._ended.add if failed else self._ended.discard)((field, name))


def _named(field: bytes, data: bytes, start: int) -> bytes | None:
    found = _NAMES[field].search(data, start)
    return None if found is None else found[1]
