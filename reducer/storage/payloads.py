"""Payload files as parsed JSON, and the check that all of them are JSON at all."""

from __future__ import annotations

from reducer.errors import UnreadablePayload
from reducer.storage.bundle import Bundle
from reducer.wire.events import PayloadRef
from reducer.wire.json_text import JsonDocument, JsonError, is_valid

_ROOM = 2**18
"""Bytes of a file that are looked at together: no more than what processors keep at hand."""


class Payloads:
    """Reads the payloads of one bundle and remembers which of them were found to be sound."""

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle
        self._sound: set[str] = set()
        self._last: tuple[str, JsonDocument] | None = None
        self._room = bytearray(_ROOM)

    def parse(self, ref: PayloadRef) -> JsonDocument:
        """The JSON of a payload that a rule interprets.

        Raises:
            UnreadablePayload: it cannot be opened, is not JSON, or nests deeper than interpreted JSON may.
        """
        if self._last is not None and self._last[0] == ref.path:
            return self._last[1]
        data = self.read(ref)
        try:
            document = JsonDocument(data)
        except JsonError as error:
            raise UnreadablePayload(
                f"payload {ref.raw_payload_id} ({ref.path}): {error}", f"parse payload {ref.raw_payload_id}"
            ) from None
        self.found_sound(ref)
        self._last = (ref.path, document)
        return document

    def verify(self, ref: PayloadRef) -> None:
        """Check that a payload is readable JSON; its form does not matter.

        Raises:
            UnreadablePayload: it is not.
        """
        if ref.path in self._sound:
            return
        data = self.read(ref, "read")
        if not is_valid(data):
            raise UnreadablePayload(
                f"payload {ref.raw_payload_id} ({ref.path}): not valid JSON",
                f"{_verb_for(data)} payload {ref.raw_payload_id}",
            )
        self.found_sound(ref)

    def found_sound(self, ref: PayloadRef) -> None:
        """Note that a payload is valid JSON."""
        self._sound.add(ref.path)

    def read(self, ref: PayloadRef, purpose: str = "open") -> bytes:
        """The bytes of a payload.

        Args:
            ref: the payload.
            purpose: what the reference says that it could not do.

        Raises:
            UnreadablePayload: it cannot be opened.
        """
        try:
            return self._bundle.read_payload(ref.path)
        except UnreadablePayload as error:
            raise _cannot_open(ref, error, purpose) from None

    def read_over(self, ref: PayloadRef, before: bytearray) -> int:
        """Put the bytes of a payload in the place of others.

        Args:
            ref: the payload.
            before: what is replaced; if it fails, nothing can be said of it.

        Returns:
            How many bytes at the beginning of `before` have stayed.

        Raises:
            UnreadablePayload: it cannot be opened.
        """
        try:
            return self._bundle.read_payload_over(ref.path, before, self._room)
        except UnreadablePayload as error:
            raise _cannot_open(ref, error) from None


def _cannot_open(ref: PayloadRef, error: UnreadablePayload, purpose: str = "open") -> UnreadablePayload:
    return UnreadablePayload(
        f"payload {ref.raw_payload_id} ({ref.path}): {error}", f"{purpose} payload {ref.raw_payload_id}"
    )


def _verb_for(data: bytes) -> str:
    """How the reference begins to say that a payload is no JSON: text that is not UTF-8 it cannot read."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return "read"
    return "invalid"
