"""What the prompt of a call shares with the one before it: most of its parts, and none is parsed twice.

The line of every call lists all items of its prompt, so that a log grows with the square of its calls.
Consecutive lists of a thread begin with the same bytes. As far as they do, and a line is spelled as codex
spells it, the references of the line before are taken, and only what is new is decoded.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import OrderedDict
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from reducer.wire.common_prefix import common_length
from reducer.wire.events import RawEvent
from reducer.wire.log import decode_event
from reducer.wire.payload_refs import ShardRef

_TEXT = rb'"[^"\\]*"'
_HEAD_OF_REF = rb'\{"raw_payload_id":%b,"kind":\{"type":%b\},"shard":\d+' % (_TEXT, _TEXT)
_REF = rb"%b(?:,\"parts\":\[(?:%b\},?)*\])?\}" % (_HEAD_OF_REF, _HEAD_OF_REF)
_UP_TO_PARTS = re.compile(
    rb'\{"schema_version":\d+,"seq":\d+,"wall_time_unix_ms":-?\d+,"rollout_id":%b,"thread_id":(%b),'
    rb'"codex_turn_id":%b,"payload":\{"type":"inference_started","inference_call_id":%b,"thread_id":%b,'
    rb'"codex_turn_id":%b,"model":%b,"provider_name":%b,"request_payload":%b,'
    rb'"prepared_prompt_payload":%b,"parts":\['
    % (_TEXT, _TEXT, _TEXT, _TEXT, _TEXT, _TEXT, _TEXT, _TEXT, _REF, _HEAD_OF_REF)
)
"""A line as codex writes it, up to the first part of its prompt; nothing before it can be anything else."""

_WORTHWHILE = 1000
"""Bytes of a line up to which looking for what it shares takes longer than decoding it."""

_THREADS = 64
"""Threads whose last prompt is remembered."""

_LENGTH = 2**24
"""Longest list of parts that is remembered, in bytes."""

_encode = msgspec.json.Encoder().encode


class _Parts(Struct):
    """The parts of the last prompt of a thread.

    Attributes:
        text: their list, from its first part on.
        ends: where in it each part ends, as far as that is known.
        refs: the parts.
    """

    text: bytes
    ends: list[int]
    refs: tuple[ShardRef, ...]


class SharedParts:
    """Decodes lines of a log in their order."""

    def __init__(self, line: type[RawEvent]) -> None:
        """Begin before the first line.

        Args:
            line: what a line is in the schema of the bundle.
        """
        self._line = line
        self._remembered: OrderedDict[bytes, _Parts] = OrderedDict()

    def decode(self, data: bytes) -> RawEvent:
        """One line of the log as an event, as `decode_event` gives it.

        Raises:
            Malformed: as `decode_event`.
        """
        head = _UP_TO_PARTS.match(data) if len(data) > _WORTHWHILE else None
        if head is None:
            return decode_event(data, self._line)
        start = head.end()
        before = self._remembered.pop(head[1], None) or _Parts(b"", [], ())
        known = bisect_right(before.ends, common_length(memoryview(data)[start:], before.text, 0))
        raw = self._decode_without(data, start, before, known)
        self._remember(head[1], data[start:], before.ends[:known], raw)
        return raw

    def _decode_without(self, data: bytes, start: int, before: _Parts, known: int) -> RawEvent:
        """Decode a line of whose parts the first ones are known."""
        if known == 0:
            return decode_event(data, self._line)
        rest = start + before.ends[known - 1]
        if data[rest : rest + 1] == b",":
            rest += 1
        raw = decode_event(data[:start] + data[rest:], self._line)
        event: Any = raw.payload
        prompt = event.prepared_prompt_payload
        prompt = replace(prompt, parts=before.refs[:known] + prompt.parts)
        return replace(raw, payload=replace(event, prepared_prompt_payload=prompt))

    def _remember(self, thread_id: bytes, text: bytes, ends: list[int], raw: RawEvent) -> None:
        event: Any = raw.payload
        refs: tuple[ShardRef, ...] = event.prepared_prompt_payload.parts
        position = ends[-1] + 1 if ends else 0
        for ref in refs[len(ends) :]:
            spelled = _encode(ref)
            if not text.startswith(spelled, position):
                break  # spelled in another way: it is decoded every time
            ends.append(position + len(spelled))
            position = ends[-1] + 1
        if len(text) <= _LENGTH:
            self._remembered[thread_id] = _Parts(text, ends, refs)
        if len(self._remembered) > _THREADS:
            self._remembered.popitem(last=False)
