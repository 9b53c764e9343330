"""Blobs in texts: what an image or other file written as base64 is, in place of its letters. Pure."""

from __future__ import annotations

import base64
import binascii
import re

from msgspec import Struct

from rollout_tui.texts.short_forms import size

SMALLEST = 64
"""Letters from which base64 is taken for a blob: shorter ones can be read past."""

_DATA_URL = re.compile(
    r"data:([\w.+-]{1,60}/[\w.+-]{1,80})?(?:;[\w=.+-]{1,80}){0,4};base64,([A-Za-z0-9+/_-]+={0,2})"
)
_BASE64 = re.compile(r"[A-Za-z0-9+/]{64,}={0,2}")
_HEADER_LETTERS = 400_000
"""Base64 letters that are decoded to find the size of a picture; a JPEG may have a preview before it."""

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"\x1f\x8b\x08", "application/gzip"),
)


class Blob(Struct, frozen=True):
    """What is written as base64.

    Attributes:
        media_type: as its data URL or its first bytes say, such as `image/png`.
        bytes: how many it is when decoded.
        pixels: width and height of a picture, where its header tells.
    """

    media_type: str
    bytes: int
    pixels: tuple[int, int] | None = None

    @property
    def words(self) -> str:
        """Type, size and pixels: `image/png, 84 kB, 640x480`."""
        parts = [self.media_type, size(self.bytes)]
        if self.pixels is not None:
            parts.append(f"{self.pixels[0]}x{self.pixels[1]}")
        return ", ".join(parts)


def blob_of(text: str) -> Blob | None:
    """What a text is as a whole: a data URL, or base64 of a file that its first bytes tell; else None."""
    url = _DATA_URL.fullmatch(text)
    if url is not None:
        return _blob(url[1] or "data", url[2])
    if len(text) < SMALLEST or _BASE64.fullmatch(text) is None:
        return None
    head = _decoded(text[:SMALLEST])
    known = next((media_type for magic, media_type in _MAGIC if head.startswith(magic)), None)
    return None if known is None else _blob(known, text)


def without_data_urls(text: str) -> str:
    """A text in which each data URL is replaced by what it holds, in parentheses."""
    if ";base64," not in text:
        return text
    return _DATA_URL.sub(lambda found: f"({_blob(found[1] or 'data', found[2]).words})", text)


def _blob(media_type: str, letters: str) -> Blob:
    bare = len(letters.rstrip("="))
    head = _decoded(letters[:_HEADER_LETTERS])
    return Blob(media_type, bare * 3 // 4, _pixels(head))


def _decoded(letters: str) -> bytes:
    whole = letters.rstrip("=")
    whole = whole[: len(whole) // 4 * 4]
    try:
        return base64.b64decode(whole, altchars=b"-_" if "-" in whole or "_" in whole else None)
    except (binascii.Error, ValueError):
        return b""


def _pixels(head: bytes) -> tuple[int, int] | None:
    """Width and height as the header of a PNG, GIF or JPEG says."""
    if head.startswith(b"\x89PNG\r\n\x1a\n") and head[12:16] == b"IHDR" and len(head) >= 24:
        return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")
    if head.startswith((b"GIF87a", b"GIF89a")) and len(head) >= 10:
        return int.from_bytes(head[6:8], "little"), int.from_bytes(head[8:10], "little")
    return _jpeg_pixels(head) if head.startswith(b"\xff\xd8") else None


def _jpeg_pixels(head: bytes) -> tuple[int, int] | None:
    """Width and height from the start of frame, which comes after segments that say how long they are."""
    place = 2
    while place + 9 <= len(head) and head[place] == 0xFF:
        marker = head[place + 1]
        if marker == 0xFF:  # fill byte
            place += 1
        elif marker in _STARTS_OF_FRAME:
            height, width = head[place + 5 : place + 7], head[place + 7 : place + 9]
            return int.from_bytes(width, "big"), int.from_bytes(height, "big")
        else:
            place += 2 + max(2, int.from_bytes(head[place + 2 : place + 4], "big"))
    return None


_STARTS_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
