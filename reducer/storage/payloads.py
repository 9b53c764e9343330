"""Payloads as parsed JSON, and the check that all of them are JSON at all."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from contextlib import suppress

from reducer.errors import UnreadablePayload
from reducer.storage.assembly import own_json
from reducer.storage.payload_files import FolderPayload
from reducer.storage.payload_store import PayloadStore, read_payload
from reducer.wire.common_prefix import common_length
from reducer.wire.json_grammar import Step
from reducer.wire.json_text import PARSED_AT_ONCE, JsonDocument, JsonError, is_valid
from reducer.wire.payload_refs import FileRef, PayloadRef, ShardRef


class Payloads:
    """Reads the payloads of one bundle and remembers which of them were found to be sound."""

    def __init__(self, store: PayloadStore[PayloadRef]) -> None:
        self._store = store
        self._sound: set[Hashable] = set()
        self._given_up: set[str] = set()
        self._last: tuple[Hashable, JsonDocument] | None = None

    def give_up(self, raw_payload_id: str) -> bool:
        """Count a payload as lost from now on; says whether it did not before."""
        known = raw_payload_id in self._given_up
        self._given_up.add(raw_payload_id)
        return not known

    def is_lost(self, ref: PayloadRef) -> bool:
        """Whether rules have to do without a payload: a limit of the recorder cut it, or it was given up."""
        return ref.is_lost or ref.raw_payload_id in self._given_up

    def is_partial(self, ref: PayloadRef) -> bool:
        """Whether a payload, or a part of it at any depth, is lost."""
        return ref.is_partial or ref.raw_payload_id in self._given_up

    def parse(self, ref: PayloadRef) -> JsonDocument:
        """The JSON of a payload that a rule interprets, with holes where parts of it are lost.

        Raises:
            UnreadablePayload: it cannot be opened, is not JSON, or nests deeper than interpreted JSON may.
        """
        identity = self._store.identity(ref)
        if self._last is not None and self._last[0] == identity:
            return self._last[1]
        holes = frozenset(part.raw_payload_id for part in ref.lost_parts())
        try:
            document = JsonDocument(self._read(ref), holes)
        except JsonError as error:
            # With holes, the reference says no more than its parser, whose words are not known here.
            says = None if holes else f"parse payload {ref.raw_payload_id}"
            raise _refusal(ref, str(error), says) from None
        self.found_sound(ref)
        self._last = (identity, document)
        return document

    def parse_whole(self, ref: PayloadRef) -> JsonDocument:
        """As `parse`, of a payload that makes sense only as a whole.

        Raises:
            UnreadablePayload: as in `parse`, or a part of it is lost.
        """
        if next(ref.lost_parts(), None) is not None:
            reason = "a limit of the recorder cut it or left a part of it out"
            raise _refusal(ref, reason, f"partial payload {ref.raw_payload_id}")
        return self.parse(ref)

    def verify(self, ref: PayloadRef, step: Step | None = None) -> None:
        """Check that what a payload holds itself is readable JSON; its form does not matter.

        Args:
            ref: the payload.
            step: called now and then; what it raises ends the check.

        Raises:
            UnreadablePayload: it is not.
        """
        identity = self._store.identity(ref)
        if identity in self._sound:
            return
        try:
            data = self._store.own_json(ref)
        except UnreadablePayload as error:
            raise _cannot_open(ref, error, "read") from None
        if not is_valid(data, step):
            raise _refusal(ref, "not valid JSON", _words_for_invalid(ref, data))
        self._sound.add(identity)

    def verify_ahead(self, refs: Iterable[ShardRef], records: Mapping[str, bytes]) -> None:
        """Note which payloads `verify` would find sound, while their records are at hand.

        Args:
            refs: references to records of one shard.
            records: these records, by id; what is missing, large or not sound is left
                to be found later.
        """
        for ref in refs:
            data, identity = records.get(ref.raw_payload_id), self._store.identity(ref)
            if data is None or ref.is_lost or identity in self._sound or len(data) > PARSED_AT_ONCE:
                continue
            with suppress(UnreadablePayload):
                if is_valid(own_json(data, len(ref.parts))):
                    self._sound.add(identity)

    def found_sound(self, ref: PayloadRef) -> None:
        """Note that a payload is valid JSON, which says nothing of what it holds between its parts."""
        if not ref.has_parts:
            self._sound.add(self._store.identity(ref))

    def _read(self, ref: PayloadRef) -> bytes:
        try:
            return read_payload(self._store, ref)
        except UnreadablePayload as error:
            raise _cannot_open(ref, error) from None

    def read_over(self, ref: PayloadRef, before: bytearray) -> int:
        """Put the bytes of a payload in the place of others, with which they may have much in common.

        Args:
            ref: the payload.
            before: what is replaced; if it fails, nothing can be said of it.

        Returns:
            How many bytes at the beginning of `before` have stayed.

        Raises:
            UnreadablePayload: it cannot be opened.
        """
        done = same = 0
        try:
            for piece in self._store.pieces(ref):
                shared = 0
                if same == done:  # nothing was different so far
                    shared = common_length(piece, before, done)
                    same += shared
                    if shared < len(piece):
                        del before[same:]
                before += memoryview(piece)[shared:]
                done += len(piece)
        except UnreadablePayload as error:
            raise _cannot_open(ref, error) from None
        del before[done:]
        return same


def _cannot_open(ref: PayloadRef, error: UnreadablePayload, purpose: str = "open") -> UnreadablePayload:
    """What cannot be read. Of a file, the reference says what it wanted to do; of a shard, what is wrong."""
    is_file = isinstance(ref, FileRef)
    if purpose == "open" and isinstance(error, FolderPayload):
        purpose = "parse"
    says = f"{purpose} payload {ref.raw_payload_id}" if is_file else error.reference_says
    return _refusal(ref, str(error), says)


def _refusal(ref: PayloadRef, reason: str, reference_says: str | None) -> UnreadablePayload:
    # What is wrong with a shard names its file already.
    where = "" if isinstance(ref, ShardRef) and reason.startswith("payloads/") else f" ({ref.place})"
    return UnreadablePayload(
        f"payload {ref.raw_payload_id}{where}: {reason}", reference_says, ref.raw_payload_id
    )


def _words_for_invalid(ref: PayloadRef, data: bytes) -> str | None:
    """How the reference begins to say that a payload is no JSON; text that is not UTF-8 it cannot read.

    What it says of texts between parts are the bare words of its parser, which are not known here.
    """
    if ref.has_parts:
        return None
    try:
        data.decode()
    except UnicodeDecodeError as error:
        if isinstance(ref, FileRef):
            return f"read payload {ref.raw_payload_id}"
        if error.reason == "unexpected end of data":
            return f"incomplete utf-8 byte sequence from index {error.start}"
        return f"invalid utf-8 sequence of {error.end - error.start} bytes from index {error.start}"
    return f"invalid payload {ref.raw_payload_id}"
