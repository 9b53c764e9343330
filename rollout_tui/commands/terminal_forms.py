"""Bytes in a form that a terminal can be sent: it would obey some of them, and hide or reorder others."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator

from rollout_tui.safe_text import flowing_lines

_DECODER = codecs.getincrementaldecoder("utf-8")
_NOT_PLAIN = re.compile(r"[^\n\x20-\x7e]")


def escaped_json(data: bytes) -> bytes:
    r"""JSON in ASCII: the same values, with everything else as `\uXXXX`, as JSON allows in its strings.

    Args:
        data: UTF-8. Of what is not JSON no more is promised than that it comes out as ASCII without a control
            character.
    """
    return b"".join(escaped_pieces((data,)))


def escaped_pieces(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """What `escaped_json` gives of all pieces together, one of them after the other."""
    decoder = _DECODER("backslashreplace")
    for piece in pieces:
        yield _NOT_PLAIN.sub(_escape, decoder.decode(piece)).encode("ascii")
    yield _NOT_PLAIN.sub(_escape, decoder.decode(b"", final=True)).encode("ascii")


def visible_text(data: bytes) -> bytes:
    r"""Lines of safe text, with each byte that is not UTF-8 as `\xNN`."""
    lines = flowing_lines(data.decode("utf-8", "backslashreplace"))
    return "".join(f"{line}\n" for line in lines).encode()


def _escape(match: re.Match[str]) -> str:
    char = match.group()
    if char in "\t\r":
        return " "  # stands between two values: in a string it would be escaped already
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
