"""The grammar of JSON at any depth, for texts that no parser follows or that are long: evidence may be large.

Nothing is made of the values. A piece of the text after the other is made shorter, each step over many bytes
at once: strings and scalars become single marks, then it is looked at which marks stand side by side, and at
last whether the brackets that are left match those that are open.
"""

from __future__ import annotations

import re
from collections.abc import Callable

Step = Callable[[], object]
"""Called now and then, many times a second; what it raises ends the work."""

_CHARACTERS = rb'(?:[^"\\\x00-\x1f]{1,512}+|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})|(?!))'
_STRING = rb'"%b{0,32}+"' % _CHARACTERS
_IN_SCALAR = rb"[-+.0-9a-zA-Z]"
_SCALAR = rb"(?:-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?|true|false|null)(?!%b)" % _IN_SCALAR
_PIECE = re.compile(rb"(?:[\[\]{},: \t\n\r]{1,256}+|%b|%b|(?!)){1,1024}+" % (_STRING, _SCALAR))
"""Some whole lexemes, the strings not long: mostly far less than a megabyte."""

_PIECE_OF_STRING = re.compile(b"%b{1,2048}+" % _CHARACTERS)
"""A part of a long string: at most a megabyte."""

_STRINGS = re.compile(_STRING)
_SCALARS = re.compile(_IN_SCALAR + b"+")

_TEXT = b"\x01"
"""The mark of a string of which it is not known yet whether it is a key."""

_MISPLACED = re.compile(rb"k[^v\[{]|\[[k,}]|\{[^k}]|,[,\]}]|[v\]}][vk\[{]|:")
"""Marks that never stand side by side; `v` is a whole value, `k` a key with its colon."""

_SHORTER = (
    *((b",,", b","), (b";;", b";"), (b"[,", b"["), (b",]", b"]"), (b"{;", b"{"), (b";}", b"}")),
    *((b"[]", b""), (b"{}", b"")),
)
"""Separators of which one sees at once that they are in their place, and brackets that match."""

_ROUNDS = 8
"""Times that a piece is made shorter: each takes off a level; what is left then is narrow and deep."""

_RUN = re.compile(rb"[\[{]+|[\]}]+|[,;]")
_OPENED_BY = bytes.maketrans(b"]}", b"[{")
_AROUND = {b",": ord("["), b";": ord("{")}
"""Which bracket is open around a separator; `;` is a comma with the key behind it."""


def is_json(data: bytes, step: Step | None = None) -> bool:
    """Whether a text is one JSON value; its characters are not looked at beyond ASCII.

    Args:
        data: the text, valid UTF-8.
        step: called after each piece of about a megabyte at most; what it raises ends the work.
    """
    opened, position, last, held = bytearray(), 0, b"", b""
    while position < len(data):
        piece = _PIECE.match(data, position)
        end = _end_of_string(data, position, step) if piece is None else piece.end()
        if end is None:
            return False
        position = end
        marks = held + (_TEXT if piece is None else _marks(piece[0]))
        held = b"" if position == len(data) else _undecided(marks)
        marks = marks[: len(marks) - len(held)].replace(_TEXT + b":", b"k").replace(_TEXT, b"v")
        if marks and not last and marks[:1] not in b"v[{":
            return False
        if _MISPLACED.search(last + marks) is not None or not _matches(opened, marks):
            return False
        last = marks[-1:] or last
        if step is not None:
            step()
    return not opened and last != b"" and last in b"v]}"


def _marks(piece: bytes) -> bytes:
    return _SCALARS.sub(b"v", _STRINGS.sub(_TEXT, piece)).translate(None, b" \t\n\r")


def _end_of_string(data: bytes, position: int, step: Step | None) -> int | None:
    """Where the string ends that begins at a position; None if none does, or it never ends."""
    if not data.startswith(b'"', position):
        return None
    position += 1
    while (piece := _PIECE_OF_STRING.match(data, position)) is not None:
        position = piece.end()
        if step is not None:
            step()
    return position + 1 if data.startswith(b'"', position) else None


def _undecided(marks: bytes) -> bytes:
    """The last marks, if it depends on what follows what they are: a text, and a comma before a key."""
    begin = len(marks) - marks.endswith(_TEXT)
    return marks[begin - marks.endswith(b",", 0, begin) :]


def _matches(opened: bytearray, marks: bytes) -> bool:
    """Whether brackets match, and commas are followed by keys in objects and only there.

    Args:
        opened: the brackets that are open before these marks, and then those that are open after them.
        marks: what follows.
    """
    left = marks.replace(b",k", b";").translate(None, b"vk")
    for _ in range(_ROUNDS):
        before = len(left)
        for marks_there, instead in _SHORTER:
            left = left.replace(marks_there, instead)
        if len(left) == before:
            break
    for run in _RUN.finditer(left):
        some = run[0]
        if some in _AROUND:
            if opened[-1:] != bytes((_AROUND[some],)):
                return False
        elif some[0] in b"[{":
            opened += some
        elif opened[-len(some) :][::-1] != some.translate(_OPENED_BY):
            return False
        else:
            del opened[-len(some) :]
    return True
