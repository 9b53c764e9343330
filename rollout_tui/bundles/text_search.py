"""Looks for a text in bundles without reducing them: bytes are searched, and only hits are looked into."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from msgspec import Struct, field

from reducer import Bundle, BundleError, UnreadablePayload
from reducer.storage.bundle import PAYLOADS, LogLine
from reducer.storage.stored_payloads import StoredPayloads
from reducer.wire.payload_refs import shard_path

AROUND = 60
"""Characters of an excerpt on either side of what was found."""

_NESTED = 3
"""How often a text may be quoted in JSON that is itself a text in JSON."""

_CARRYING = frozenset({"inference_request", "prepared_prompt", "warmup_context", "compaction_request"})
"""Kinds of payloads that hold a whole history: what they have mostly came in with something else before."""

_SEQ = re.compile(rb'"seq":\s*(\d{1,20})')
_KIND = re.compile(rb'"payload":\s*\{\s*"type":\s*"(\w+)"')
_REF = re.compile(rb'"raw_payload_id":\s*"([^"\\]*)"\s*,\s*"kind":\s*\{\s*"type":\s*"(\w+)"')
_FILE = re.compile(rb'"path":\s*"(payloads/[^"\\]*)"')
_HEAD = 2_000
"""Bytes of a line in which its number and its kind stand."""


class Hit(Struct, frozen=True):
    """A place where a text was found.

    Attributes:
        seq: the event: that has it, or that was the first to bring the payload that has it. None where no
            event of the log refers to the payload.
        event: the kind of the event; empty without one.
        payload: the id of the payload; None if the event itself has it.
        kind: the kind of the payload; empty without one.
        excerpt: what stands around it. Evidence.
        only_carries: whether it is in a payload or record that repeats what came before.
        file: of a session the file; empty in a bundle.
        line: the line in it, from 1.
    """

    seq: int | None
    event: str
    payload: str | None
    kind: str
    excerpt: str
    only_carries: bool = False
    file: str = ""
    line: int | None = None


class TextHits(Struct):
    """Where a text is in a bundle, or in the files of a session.

    Attributes:
        hits: in the order of the log; those without an event come last, and of a session those that repeat.
        unread: what could not be read, and why.
    """

    hits: list[Hit] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)

    def places(self, limit: int) -> list[Hit]:
        """The first places, each event once, without payloads that only carry on what an earlier place has.

        Args:
            limit: how many at most.
        """
        found: dict[tuple[int | None, str | None, str, int | None], Hit] = {}
        for hit in self.hits:
            if not found or not hit.only_carries:
                payload = None if hit.seq is not None else hit.payload
                found.setdefault((hit.seq, payload, hit.file, hit.line), hit)
        return [*found.values()][:limit]


class TextPattern:
    """A text as it may stand in JSON: as it is, with what JSON escapes, and in JSON that is quoted in JSON.

    Capitals count if it has any; without, the case of ASCII letters does not.
    """

    def __init__(self, text: str) -> None:
        """Prepare to look for a text, which is not empty."""
        self._ignores_case = text == text.lower()
        forms: dict[str, None] = {}
        for ascii_only in (False, True):
            form = text
            for _ in range(_NESTED):
                forms[form] = None
                form = json.dumps(form, ensure_ascii=ascii_only)[1:-1]
        self._forms = [form.encode("utf-8", "surrogatepass") for form in forms]

    def find(self, data: bytes) -> tuple[int, int] | None:
        """Where the text begins and ends in some bytes, in the first of its forms that is there."""
        looked = data.lower() if self._ignores_case else data
        for form in self._forms:
            place = looked.find(form.lower() if self._ignores_case else form)
            if place >= 0:
                return place, place + len(form)
        return None


def search_bundle(bundle: Bundle, pattern: TextPattern) -> TextHits:
    """Look for a text in a bundle: in each payload, or part of one, once, and in the log.

    Args:
        bundle: the bundle.
        pattern: the text.

    Raises:
        BundleError: the log cannot be read.
    """
    found = TextHits()
    excerpts: dict[bytes, str] = {}
    for name, data in _payloads(bundle, found):
        place = pattern.find(data)
        if place is not None:
            excerpts[name] = excerpt_of(data, *place)
    waiting = dict(excerpts)
    for line in bundle.lines():
        place = pattern.find(line.data)
        if place is not None:
            found.hits.append(_event_hit(line, excerpt_of(line.data, *place)))
        if waiting:
            found.hits += _brought(line, waiting)
    left = (Hit(None, "", name.decode("utf-8", "replace"), "", text) for name, text in waiting.items())
    found.hits.sort(key=lambda hit: (hit.seq is None, hit.seq or 0, hit.only_carries))
    found.hits += left
    return found


def _payloads(bundle: Bundle, found: TextHits) -> Iterator[tuple[bytes, bytes]]:
    """The payloads that stand in a bundle, each part by itself: by the name under which the log has them."""
    # What is decoded is not kept: there may be very many bundles.
    store = bundle.open_payloads(strict=False)
    try:
        names = bundle.folder.names(PAYLOADS, follow=False)
    except OSError as error:
        found.unread.append(f"{PAYLOADS}: {error.strerror or error}")
        return
    for name in names:
        path = f"{PAYLOADS}/{name}"
        if name.endswith(".json"):
            try:
                yield (
                    path.encode("utf-8", "surrogateescape"),
                    b"".join(map(bytes, store.files.pieces_at(path))),
                )
            except UnreadablePayload as error:
                found.unread.append(f"{path}: {error}")
    if any(name.endswith(".zst") for name in names):
        yield from _records(store, found)


def _records(store: StoredPayloads, found: TextHits) -> Iterator[tuple[bytes, bytes]]:
    try:
        numbers = store.shards.shard_numbers()
    except UnreadablePayload as error:
        found.unread.append(str(error))
        return
    for number in numbers:
        try:
            records = store.shards.shard(number).records
        except UnreadablePayload as error:
            found.unread.append(str(error))
            continue
        for name, data in records.items():
            yield name.encode("utf-8", "surrogateescape"), data
        fault = store.shards.fault(number)
        if fault is not None:
            found.unread.append(f"{shard_path(number)}: {fault.reason}")


def _event_hit(line: LogLine, excerpt: str) -> Hit:
    return Hit(_seq(line.data), _kind(line.data), None, "", excerpt)


def _brought(line: LogLine, waiting: dict[bytes, str]) -> Iterator[Hit]:
    """The payloads of interest that an event is the first to refer to; they are waited for no more."""
    names: dict[bytes, tuple[str, str]] = {}
    for ref in _REF.finditer(line.data):
        names.setdefault(ref[1], (ref[1].decode(), ref[2].decode()))
    for file in _FILE.finditer(line.data):
        if file[1] in waiting:
            # The path stands behind the id of the same reference.
            before = list(_REF.finditer(line.data, 0, file.start()))
            told = (before[-1][1].decode(), before[-1][2].decode()) if before else (file[1].decode(), "")
            names[file[1]] = told
    for name, (payload_id, kind) in names.items():
        excerpt = waiting.pop(name, None)
        if excerpt is not None:
            yield Hit(_seq(line.data), _kind(line.data), payload_id, kind, excerpt, kind in _CARRYING)


def _seq(line: bytes) -> int | None:
    found = _SEQ.search(line, 0, _HEAD)
    return None if found is None else int(found[1])


def _kind(line: bytes) -> str:
    found = _KIND.search(line, 0, _HEAD)
    return "" if found is None else found[1].decode()


def excerpt_of(data: bytes, first: int, end: int) -> str:
    """What stands around a place, in one line, with the escapes of JSON undone as far as they only hinder."""
    text = data[max(0, first - AROUND) : end + AROUND].decode("utf-8", "replace").strip("�")
    plain = re.sub(r'\\+(["\\/])', r"\1", re.sub(r"\\+[nrt]", " ", text))
    return " ".join(plain.split())


def open_to_search(bundle: Bundle, pattern: TextPattern) -> TextHits:
    """As `search_bundle`; a bundle whose log cannot be read has no hits, and says why."""
    try:
        return search_bundle(bundle, pattern)
    except BundleError as error:
        return TextHits(unread=[str(error)])
