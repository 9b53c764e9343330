"""Puts a payload together from records: fragments, and between them the texts of parts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import orjson

from reducer.errors import UnreadablePayload
from reducer.limits import MAX_PART_DEPTH, MAX_PAYLOAD_BYTES, megabytes
from reducer.wire.json_text import JsonError, refuse_excess
from reducer.wire.payload_refs import ShardRef

_Key = tuple[int | None, str]

_TEXTS = re.compile(rb'(?:\[(?:"(?:[^"\\]|\\.)*",)*)?')
_FEW = 8
"""Parts of which fragments are simply parsed."""

_UNEXPECTED = re.compile(
    rb"(?P<map>\{)|(?P<sequence>\[)|(?P<scalar>null|true|false|(?:0|[1-9][0-9]{0,18})(?![0-9.eE]))"
)


class Assembly:
    """Puts one payload together. A record is asked for once, however often the payload needs it."""

    def __init__(self, record: Callable[[ShardRef], bytes]) -> None:
        """Nothing is read yet.

        Args:
            record: gives the record of a reference, or raises `UnreadablePayload`.
        """
        self._record = record
        self._records: dict[_Key, bytes] = {}
        self._fragments: dict[_Key, list[bytes]] = {}
        self._pieces: list[bytes] = []
        self._size = 0

    def of(self, ref: ShardRef) -> list[bytes]:
        """The bytes of a payload, in pieces of which none is a copy of another.

        A lost part is replaced by its stand-in; of a lost payload itself, what was kept is given.

        Raises:
            UnreadablePayload: a record is missing, fragments are not what they must be, or it is too large.
        """
        if ref.is_lost or not ref.parts:
            self._append(self._record(ref))
        else:
            self._read_ahead(ref)
            self._put_together(ref, 0)
        return self._pieces

    def _read_ahead(self, ref: ShardRef) -> None:
        """Read the records shard by shard, so that no shard is decoded twice even if not all fit in memory.

        What cannot be read is left to be met in the order of the text.
        """
        wanted = {_key(one): one for one in _with_parts(ref) if one.shard is not None}
        size = 0
        for key in sorted(wanted, key=lambda key: key[0] or 0):
            try:
                record = self._records[key] = self._record(wanted[key])
            except UnreadablePayload:
                continue
            size += len(record)
            if size > MAX_PAYLOAD_BYTES:
                raise _too_large()

    def _put_together(self, ref: ShardRef, depth: int) -> None:
        if depth > 0 and ref.is_lost:
            self._append(stand_in(ref.raw_payload_id))
            return
        if not ref.parts:
            self._append(self._record_of(ref))
            return
        if depth == MAX_PART_DEPTH:
            raise UnreadablePayload(f"has parts in parts in more than {MAX_PART_DEPTH} levels")
        fragments = self._fragments_of(ref)
        for fragment, part in zip(fragments, ref.parts, strict=False):
            self._append(fragment)
            self._put_together(part, depth + 1)
        self._append(fragments[-1])

    def _append(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > MAX_PAYLOAD_BYTES:
            raise _too_large()
        if piece:
            self._pieces.append(piece)

    def _record_of(self, ref: ShardRef) -> bytes:
        found = self._records.get(_key(ref))
        return self._record(ref) if found is None else found

    def _fragments_of(self, ref: ShardRef) -> list[bytes]:
        found = self._fragments.get(_key(ref))
        if found is None or len(found) != len(ref.parts) + 1:
            texts = fragments_of(self._record_of(ref), len(ref.parts))
            found = self._fragments[_key(ref)] = [text.encode() for text in texts]
        return found


def fragments_of(record: bytes, parts: int) -> list[str]:
    """The texts between which the parts of a payload stand.

    Args:
        record: of the payload.
        parts: how many parts it has; there is one fragment more.

    Raises:
        UnreadablePayload: it is no JSON array of so many strings.
    """
    try:
        refuse_excess(record)
        found = orjson.loads(record)
    except JsonError as error:
        raise UnreadablePayload(f"its list of fragments {error}") from None
    except orjson.JSONDecodeError:
        raise UnreadablePayload("its fragments are not valid JSON") from None
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise UnreadablePayload("its fragments are not a list of texts", _said_of(record))
    if len(found) != parts + 1:
        words = f"its fragments are {len(found)}, but it has {parts} parts and needs one more than that"
        raise UnreadablePayload(words, "invalid payload fragment count")
    return found


def own_json(record: bytes, parts: int) -> bytes:
    """What a payload holds itself, with `null` in the place of each of its parts.

    Args:
        record: of the payload.
        parts: how many parts it has; without any, the record is the payload.

    Raises:
        UnreadablePayload: as `fragments_of`.
    """
    if parts == 0:
        return record
    return _own_json_of_list(record, parts) or b"null".join(
        text.encode() for text in fragments_of(record, parts)
    )


def _own_json_of_list(record: bytes, parts: int) -> bytes | None:
    """The same of a prompt, whose many items stand in one list; None for what is not spelled like one."""
    commas = b',","' * (parts - 1)
    place = record.find(commas) if parts > _FEW else -1
    begins, ends = record[1:place], record[place + len(commas) + 1 : -1]
    if place < 0 or record != b"[%b%b,%b]" % (begins, commas, ends):
        return None
    try:
        before, after = orjson.loads(begins), orjson.loads(ends)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(before, str) or not isinstance(after, str):
        return None
    return b"%bnull%b%b" % (before.encode(), b",null" * (parts - 1), after.encode())


def stand_in(raw_payload_id: str) -> bytes:
    """The JSON text that stands in a payload in the place of a part that was lost."""
    return orjson.dumps({"$trace_unavailable": raw_payload_id})


def _with_parts(ref: ShardRef) -> Iterator[ShardRef]:
    """A reference and its parts at any depth that is read, without lost ones and what they consist of."""
    layer = [ref]
    for _ in range(MAX_PART_DEPTH + 1):
        yield from layer
        layer = [part for one in layer for part in one.parts if not part.is_lost]


def _key(ref: ShardRef) -> _Key:
    return ref.shard, ref.raw_payload_id


def _too_large() -> UnreadablePayload:
    limit = megabytes(MAX_PAYLOAD_BYTES)
    return UnreadablePayload(f"larger than {limit} as a whole, too large to be read")


def _said_of(record: bytes) -> str | None:
    """What the reference says of a compact JSON text that is no list of texts, where that is known."""
    before = _TEXTS.match(record)
    place = before.end() if before is not None else 0
    found = _UNEXPECTED.match(record, place)
    if found is None or b"\n" in record[:place]:
        return None
    expected = "a string" if place else "a sequence"
    if found["scalar"] is None:
        return f"invalid type: {found.lastgroup}, expected {expected} at line 1 column {place}"
    word = found["scalar"].decode()
    what = word if word == "null" else f"boolean `{word}`" if word.isalpha() else f"integer `{word}`"
    return f"invalid type: {what}, expected {expected} at line 1 column {found.end()}"
