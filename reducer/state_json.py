"""The reduced graph as the bytes of `state.json`, equal to what the reference writes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from reducer.model import RolloutTrace
from reducer.wire.payload_refs import COMPLETE, Complete, PayloadRef, ShardRef, common_parts

_ENTRIES = 128
"""Entries of a map that are written together."""

_BEFORE_ENTRIES = len('{\n  "": {')
_AFTER_ENTRIES = -len("\n  }\n}")
_ENTRY_INDENT = b"\n    "
_PART_INDENT = b"\n        "


def state_json(trace: RolloutTrace) -> bytes:
    """Pretty-printed JSON: two spaces of indent, maps in byte order of their keys, no final newline."""
    return b"".join(state_pieces(trace))


def state_pieces(trace: RolloutTrace) -> Iterator[bytes]:
    """What `state_json` gives, piece by piece: of a long session it is too large to be held twice."""
    opening = b"{\n"
    for name in trace.__struct_encode_fields__:
        value = getattr(trace, name)
        if value is UNSET:
            continue
        yield b'%b  "%b": ' % (opening, name.encode())
        opening = b",\n"
        if not isinstance(value, dict):
            yield msgspec.json.encode(value)
        elif not value:
            yield b"{}"
        else:
            yield b"{"
            yield from _references(value) if name == "raw_payloads" else _entries(value)
            yield b"\n  }"
    yield b"\n}"


def _entries(value: Mapping[str, Any]) -> Iterator[bytes]:
    """The entries of a map, each after a line feed, with commas between them."""
    keys = sorted(value)
    for start in range(0, len(keys), _ENTRIES):
        some = {key: value[key] for key in keys[start : start + _ENTRIES]}
        # Inside of another object, they are indented as they are in the graph.
        yield b"," * (start > 0) + _formatted({"": some})[_BEFORE_ENTRIES:_AFTER_ENTRIES]


def _references(refs: Mapping[str, PayloadRef]) -> Iterator[bytes]:
    plain = not any(isinstance(ref, ShardRef) for ref in refs.values())
    return _entries(refs) if plain else _References(refs).pieces()


def _formatted(value: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value, enc_hook=_listed), indent=2)


def _listed(value: Any) -> Any:
    """A list that is told by another one, as that of what a call of a session saw."""
    if isinstance(value, Sequence):
        return [*value]
    raise NotImplementedError(f"{type(value).__name__} is nothing that a graph has")


class _References:
    """The entries of `raw_payloads`, of which each prompt repeats hundreds: each is formatted once."""

    def __init__(self, refs: Mapping[str, PayloadRef]) -> None:
        self._refs = refs
        self._parts: dict[str, bytes] = {}
        # The list that was written last, its text, and where in that each part ends.
        self._list: tuple[ShardRef, ...] = ()
        self._text = bytearray()
        self._ends = [0]

    def pieces(self) -> Iterator[bytes]:
        """The entries, each after a line feed, with commas between them."""
        comma = b""
        for key in sorted(self._refs):
            yield b"%b\n    %b: " % (comma, msgspec.json.encode(key))
            yield from self._entry(self._refs[key])
            comma = b","

    def _entry(self, ref: PayloadRef) -> Iterator[bytes]:
        if not isinstance(ref, ShardRef) or not ref.parts:
            yield _formatted(_plain(ref)).replace(b"\n", _ENTRY_INDENT)
            return
        own = _formatted(_plain(replace(ref, parts=()))).replace(b"\n", _ENTRY_INDENT)
        yield own.removesuffix(_ENTRY_INDENT + b"}") + b',\n      "parts": ['
        yield self._list_of(ref.parts)
        yield b"\n      ]" + _ENTRY_INDENT + b"}"

    def _list_of(self, parts: tuple[ShardRef, ...]) -> bytes:
        """The text of a list of parts; consecutive prompts begin with the same ones."""
        shared = common_parts(parts, self._list)
        if shared < len(parts):
            self._list = parts
            del self._text[self._ends[shared] :], self._ends[shared + 1 :]
            for part in parts[shared:]:
                self._text += b"%b%b%b" % (b"," * (len(self._ends) > 1), _PART_INDENT, self._part(part))
                self._ends.append(len(self._text))
        return bytes(memoryview(self._text)[: self._ends[len(parts)]])

    def _part(self, ref: ShardRef) -> bytes:
        """A reference inside another one."""
        found = self._parts.get(ref.raw_payload_id)
        if found is None or self._refs[ref.raw_payload_id] is not ref:
            found = _formatted(_plain(ref)).replace(b"\n", _PART_INDENT)
            self._parts.setdefault(ref.raw_payload_id, found)
        return found


def _plain(ref: PayloadRef) -> PayloadRef:
    """A reference in which nothing is spelled out that goes without saying."""
    if not isinstance(ref, ShardRef):
        return ref
    capture = COMPLETE if isinstance(ref.capture, Complete) else ref.capture
    return replace(ref, capture=capture, parts=tuple(map(_plain, ref.parts)))
