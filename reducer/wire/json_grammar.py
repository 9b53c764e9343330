"""The grammar of JSON at any depth, for texts that no parser follows: as fast as evidence may be large.

Nothing is parsed. The text is made shorter step by step, each step over many bytes at once: first strings and
scalars become single marks, then it is looked at which marks stand side by side, and at last whether the
brackets that are left match.
"""

from __future__ import annotations

import re

_STRING = rb'"(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+"'
_SCALAR = rb"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?|true|false|null"

_CONTROL = bytes(byte for byte in range(32) if byte not in b"\t\n\r")
"""Bytes that stand nowhere in a text; two of them are our marks."""

_TEXT = b"\x01"
_VALUE = b"\x02"


class _Lexeme:
    """Something of the grammar that becomes a mark, and what may stand around it."""

    def __init__(self, pattern: bytes, others: bytes, mark: bytes) -> None:
        self._one = re.compile(pattern)
        # Not too many together: what a substitution finds takes much more memory than the text.
        self._some = re.compile(rb"(?:%b{1,4096}+|%b){1,8192}+" % (others, pattern))
        self._mark = mark

    def marked(self, data: bytes) -> bytes | None:
        """The text with the mark for each; None where something is neither one nor may stand around it."""
        pieces, position = [], 0
        while position < len(data):
            found = self._some.match(data, position)
            if found is None:
                return None
            pieces.append(self._one.sub(self._mark, found[0]))
            position = found.end()
        return b"".join(pieces)


_STRINGS = _Lexeme(_STRING, rb'[^"]', _TEXT)
_SCALARS = _Lexeme(_SCALAR, rb"[\[\]{},: \t\n\r\x01]", _VALUE)

_MISPLACED = re.compile(rb"k[^v\[{]|\[[k,}]|\{[^k}]|,[,\]}]|[v\]}][vk\[{]")
"""Two marks that never stand side by side; `v` is a whole value, `k` a key with its colon."""

_SHORTER = ((b"[,", b"["), (b",]", b"]"), (b"{;", b"{"), (b";}", b"}"), (b"[]", b""), (b"{}", b""))
"""Separators of which one sees at once that they are in their place, and brackets that match."""

_ROUNDS = 8
"""Levels that are taken off all together; what is left then is narrow and deep."""

_CLOSED_BY = bytes.maketrans(b"[{", b"]}")


def is_json(data: bytes) -> bool:
    """Whether a text is one JSON value; its characters are not looked at beyond ASCII.

    Args:
        data: the text, valid UTF-8.
    """
    if len(data.translate(None, _CONTROL)) != len(data):
        return False
    without_strings = _STRINGS.marked(data)
    marks = None if without_strings is None else _SCALARS.marked(without_strings)
    if marks is None:
        return False
    marks = marks.translate(None, b" \t\n\r").replace(_TEXT + b":", b"k")
    marks = marks.replace(_TEXT, b"v").replace(_VALUE, b"v")
    if b":" in marks or marks[:1] not in (b"v", b"[", b"{") or marks[-1:] not in (b"v", b"]", b"}"):
        return False
    return _MISPLACED.search(marks) is None and _matches(marks)


def _matches(marks: bytes) -> bool:
    """Whether all brackets match, and commas are followed by keys in objects and only there."""
    left = marks.replace(b",k", b";").translate(None, b"vk")
    for _ in range(_ROUNDS):
        for separators in (b",,", b";;"):
            while separators in left:
                left = left.replace(separators, separators[:1])
        for marks_there, instead in _SHORTER:
            left = left.replace(marks_there, instead)
    # Each in the one before, and nothing else: no need to look at them one by one.
    inmost = left.rstrip(b"]}")
    if inmost[::-1].translate(_CLOSED_BY) == left[len(inmost) :]:
        return True
    opened = bytearray()
    array, object_, comma, comma_and_key, end_of_array = b"[{,;]"
    for mark in left:
        if mark in (array, object_):
            opened.append(mark)
        elif not opened:
            return False
        elif mark in (comma, comma_and_key):
            if opened[-1] != (array if mark == comma else object_):
                return False
        elif opened.pop() != (array if mark == end_of_array else object_):
            return False
    return not opened
