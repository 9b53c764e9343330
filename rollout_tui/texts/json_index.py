r"""Where the values of a JSON text are, found without building or copying any of them. Pure.

One pass of a regular expression over the bytes gives flat arrays, one entry per value in document order, 22
bytes each. Everything a viewer shows is cut from the original bytes, so numbers keep their spelling, repeated
keys are all there, and a text may be as large as memory holds.

Accepted is JSON as RFC 8259 has it, and beyond it `NaN`, `Infinity`, bytes that are not UTF-8 and half
surrogate escapes inside strings: these do not blur where values begin and end. `notice` reports them.
"""

from __future__ import annotations

import codecs
import re
from array import array
from collections.abc import Iterator

UNKNOWN = 0xFFFFFFFF
"""In `lasts`: the end of the container has not been reached yet."""

MAX_DEPTH = 1024
"""Deepest nesting taken for a structure, as in common JSON parsers; deeper is only ever hostile."""

STEP_NODES = 4096
"""Values found between two pauses of `build`: a few milliseconds of work."""

_CHECK_BYTES = 1 << 20
"""Bytes looked through between two pauses when nothing is indexed."""

_WS = rb"[ \t\r\n]*+"
_STRING = rb'"(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})|(?!))*+"'
_NUMBER = rb"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++|(?!))?+(?:[eE][+-]?[0-9]++|(?!))?+"
_PLAIN = rb"(?:" + _NUMBER + rb"|true|false|null|\{" + _WS + rb"\}|\[" + _WS + rb"\])"
_ODD = rb"(?:NaN|-?Infinity)"
_AFTER = _WS + rb"(?:," + _WS + rb"(?![}\]])|(?=[}\]]))"
_AFTER_CLOSE = _WS + rb"(?:," + _WS + rb"(?![}\]])|(?=[}\]])|\Z)"

# Empty groups mark which alternative matched: `lastindex` is one of the kinds below. Possessive quantifiers
# keep the time linear whatever the input.
_TOKEN = re.compile(
    _STRING
    + rb"(?:" + _WS + rb":" + _WS
    + rb"(?:(?:" + _STRING + rb"|" + _PLAIN + rb")" + _AFTER + rb"()|\{" + _WS + rb"()|\[" + _WS + rb"()|"
    + _ODD + _AFTER + rb"())|" + _AFTER + rb"())|"
    + _PLAIN + _AFTER + rb"()|\{" + _WS + rb"()|\[" + _WS + rb"()|" + _ODD + _AFTER + rb"()|"
    + rb"\}" + _AFTER_CLOSE + rb"()|\]" + _AFTER_CLOSE + rb"()"
)  # fmt: skip
_MEMBER, _MEMBER_OBJECT, _MEMBER_ARRAY, _MEMBER_ODD, _TEXT, _VALUE, _OBJECT, _ARRAY, _VALUE_ODD = range(1, 10)
_OBJECT_END, _ARRAY_END = 10, 11

_OPENS = frozenset({_MEMBER_OBJECT, _MEMBER_ARRAY, _OBJECT, _ARRAY})
_OPENS_OBJECT = frozenset({_MEMBER_OBJECT, _OBJECT})
_ODDS = frozenset({_MEMBER_ODD, _VALUE_ODD})

_MARGIN = re.compile(_WS)
_ROOT_SCALAR = re.compile(rb"(?:" + _STRING + rb"|" + _PLAIN + rb"|(" + _ODD + rb"))" + _WS + rb"\Z")
_OPEN_STRING = re.compile(_STRING[:-1])
_CUT_ESCAPE = re.compile(rb"(?:\\(?:u[0-9a-fA-F]{0,3})?)?\Z")
_KEY = re.compile(_STRING + _WS + rb":" + _WS)
_CUT_SHORT = re.compile(  # one token and then the end: the rest is missing
    rb"(?:"
    + _STRING
    + rb"|"
    + _PLAIN
    + rb"|[a-zA-Z]{0,8}|-?[0-9][0-9.eE+-]*+|-)?"
    + _WS
    + rb",?"
    + _WS
    + rb"\Z"
)
_QUOTE, _BACKSLASH = b'"\\'
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_WHOLE_PAIRS = re.compile(  # everything up to the first half of a pair without the other
    rb"(?:[^\\]++|\\(?!u[dD][89a-fA-F])[\s\S]"
    rb"|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?!))*+"
)


class JsonIndex:
    """The values of a JSON text by number, in document order; 0 is the whole.

    The arrays only ever grow while `build` runs, so one thread may build while another draws what is there.
    """

    def __init__(self, data: bytes) -> None:
        """Index nothing yet.

        Args:
            data: The text; kept, never copied.
        """
        self.data = data
        self.starts = array("Q")
        """Byte at which a value begins, its key included."""
        self.depths = array("H")
        """How many containers a value is in."""
        self.parents = array("I")
        """The container a value is in; the root is its own."""
        self.ordinals = array("I")
        """How many values come before a value in its container."""
        self.lasts = array("I")
        """The last value inside a value: itself if there is none, `UNKNOWN` while it is being read."""
        self.scanned = 0
        """Bytes read so far."""
        self.complete = False
        """Nothing is left to do: either all values are known or `problem` says why not."""
        self.problem = ""
        """Why this is no JSON text, in one line; empty if it is one."""
        self.notice = ""
        """What a strict parser would refuse in it, in one line; empty if nothing."""

    def __len__(self) -> int:
        return len(self.starts)

    def build(self) -> Iterator[None]:
        """Find all values, pausing by `yield` every few milliseconds. Never raises: see `problem`."""
        data = self.data
        margin = _MARGIN.match(data)
        start = margin.end() if margin else 0
        if data[start : start + 1] in (b"{", b"[") and not _ROOT_SCALAR.match(data, start):
            yield from self._build_nested(start)
        else:
            self._build_scalar(start)
        if not self.problem:
            yield from self._check_text()
        self.scanned = len(data)
        self.complete = True

    def build_all(self) -> JsonIndex:
        """Find all values without a pause."""
        for _pause in self.build():
            pass
        return self

    def is_container(self, node: int) -> bool:
        """Whether a value has values inside."""
        return self.lasts[node] != node

    def child_count(self, node: int) -> int | None:
        """How many values are directly in a container; `None` while it is being read."""
        last = self.lasts[node]
        if last == UNKNOWN:
            return None
        if last == node:
            return 0
        depth = self.depths[node] + 1
        while self.depths[last] > depth:
            last = self.parents[last]
        return self.ordinals[last] + 1

    def _build_scalar(self, start: int) -> None:
        """Index a text that is a single string, number, literal or empty container."""
        found = _ROOT_SCALAR.match(self.data, start)
        if found is None:
            self.problem = self._reason(start, 0)
            return
        if found.lastindex:
            self.notice = f"{found[1].decode()} is not a JSON number"
        for column, value in ((self.depths, 0), (self.parents, 0), (self.ordinals, 0), (self.lasts, 0)):
            column.append(value)
        self.starts.append(start)

    def _build_nested(self, position: int) -> Iterator[None]:
        """Index a text that is a container with values inside, beginning at `position`."""
        data, match = self.data, _TOKEN.match
        starts, depths, parents, ordinals, lasts = (
            self.starts, self.depths, self.parents, self.ordinals, self.lasts
        )  # fmt: skip
        outer: list[tuple[int, int, bool]] = []  # parent, ordinal and in_object of the containers around
        node = parent = ordinal = 0
        in_object = False
        while True:
            found = match(data, position)
            kind = found.lastindex if found else None
            if found is None or kind is None:
                self.problem = self._reason(position, len(outer))
                return
            if kind >= _OBJECT_END:
                if not outer or (kind == _OBJECT_END) is not in_object:
                    self.problem = f"the bracket at byte {position:,} closes nothing"
                    return
                lasts[parent] = node - 1
                parent, ordinal, in_object = outer.pop()
                if not outer:
                    self._check_end(position + 1)
                    return
            else:
                if (kind <= _MEMBER_ODD) is not in_object:
                    self.problem = (
                        f"a {'key is missing' if in_object else 'key in an array'} at byte {position:,}"
                    )
                    return
                depths.append(len(outer))
                parents.append(parent)
                ordinals.append(ordinal)
                ordinal += 1
                opens = kind in _OPENS
                lasts.append(UNKNOWN if opens else node)
                # Last, because it is what `len` counts: a reader in another thread sees whole entries only.
                starts.append(position)
                if opens:
                    outer.append((parent, ordinal, in_object))
                    if len(outer) > MAX_DEPTH:
                        self.problem = f"nested deeper than {MAX_DEPTH} levels at byte {position:,}"
                        return
                    parent, ordinal, in_object = node, 0, kind in _OPENS_OBJECT
                elif kind in _ODDS:
                    self.notice = self.notice or f"NaN or Infinity, no JSON number, at byte {position:,}"
                node += 1
                if not node % STEP_NODES:
                    self.scanned = found.end()
                    yield
            position = found.end()

    def _check_end(self, position: int) -> None:
        """Only white space may follow the whole value, which ends at `position`."""
        margin = _MARGIN.match(self.data, position)
        rest = margin.end() if margin else position
        if rest < len(self.data):
            self.problem = f"more text after the value, at byte {rest:,}"

    def _check_text(self) -> Iterator[None]:
        """Look for what a strict parser refuses inside strings: bytes that are not UTF-8, half surrogates."""
        decoder = codecs.getincrementaldecoder("utf-8")()
        for start in range(0, len(self.data), _CHECK_BYTES):
            try:
                decoder.decode(self.data[start : start + _CHECK_BYTES])
            except UnicodeDecodeError:
                self.notice = self.notice or "not all of it is UTF-8: other bytes are shown as \\xNN"
                break
            yield
        if not self.notice and (position := first_half_surrogate(self.data)) is not None:
            self.notice = f"half a UTF-16 surrogate pair at byte {position:,}"
        yield

    def _reason(self, position: int, depth: int) -> str:
        """Why no value could be read at `position`, inside `depth` containers."""
        data = self.data
        size = len(data)
        key = _KEY.match(data, position)
        start = key.end() if key else position
        if (opened := _OPEN_STRING.match(data, start)) is not None:
            stop = opened.end()
            if _CUT_ESCAPE.match(data, stop):
                return f"cut short: the text ends inside a string that begins at byte {start:,}"
            if data[stop] == _BACKSLASH:
                return f"an escape that JSON does not have, at byte {stop:,}"
            if data[stop] != _QUOTE:
                return f"a control character in a string, at byte {stop:,}"
        if position >= size and not depth:
            return "the text is empty"
        if depth and _CUT_SHORT.match(data, start):
            return f"cut short: the text ends at depth {depth}"
        if data[position] in b"}]" and depth == 1:
            return f"more text after the value, at byte {position + 1:,}"
        return f"no JSON value at byte {start:,}"


def first_half_surrogate(data: bytes) -> int | None:
    """Where the first escape of half a UTF-16 surrogate pair is, in a JSON text; `None` if there is none."""
    if _SURROGATE.search(data) is None:
        return None
    whole = _WHOLE_PAIRS.match(data)
    end = whole.end() if whole else 0
    return end if end < len(data) else None
