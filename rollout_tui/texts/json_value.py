"""What one value of an indexed JSON text is: its bytes, its text, its path, and where a text occurs. Pure."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rollout_tui.safe_text import safe_text
from rollout_tui.texts.json_index import UNKNOWN, JsonIndex
from rollout_tui.texts.view_search import Looked

_SEARCH_BYTES = 1 << 20
"""Bytes searched at a time."""

_TAIL_BYTES = 4096
"""Bytes taken at a time when looking for the end of a value backwards from the next one."""

_CACHED_KEYS = 4096
"""Values whose key is remembered: a few screens; a key may be megabytes long."""

_KEY = re.compile(rb'"(?:[^"\\]++|\\[\s\S]|(?!))*+"')
_COLON = re.compile(rb"[ \t\r\n]*+:[ \t\r\n]*+")
_EMPTY = re.compile(rb"\{[ \t\r\n]*+\}|\[[ \t\r\n]*+\]")
_CLOSER = re.compile(rb"[ \t\r\n]*+[}\]]")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*+")

_BRACE, _QUOTE = b'{"'


class Place(NamedTuple):
    """Where the parts of a value are, in bytes."""

    key_end: int
    """End of the key, which begins where the value's entry does; the same place if there is none."""
    value: int
    """Start of the value itself."""


class JsonValues:
    """Reads values of a `JsonIndex`, which may still be growing."""

    def __init__(self, index: JsonIndex) -> None:
        """Read from `index`."""
        self.index = index
        self._places: OrderedDict[int, Place] = OrderedDict()

    def place(self, node: int) -> Place:
        """Where a value's key ends and the value starts."""
        place = self._places.get(node)
        if place is None:
            place = self._find_place(node)
            self._places[node] = place
            if len(self._places) > _CACHED_KEYS:
                self._places.popitem(last=False)
        return place

    def _find_place(self, node: int) -> Place:
        """`place`, by reading over the key."""
        index = self.index
        start = index.starts[node]
        if index.data[start] == _QUOTE and (index.is_container(node) or self._in_object(node)):
            key = _KEY.match(index.data, start)
            colon = _COLON.match(index.data, key.end()) if key else None
            if key and colon:
                return Place(key.end(), colon.end())
        return Place(start, start)

    def _in_object(self, node: int) -> bool:
        """Whether a value is a member of an object, so that a string at its start is a key."""
        return node != 0 and self.is_object(self.index.parents[node])

    def is_object(self, container: int) -> bool:
        """Whether a container with values is an object, not an array."""
        return self.index.data[self.place(container).value] == _BRACE

    def key_bytes(self, node: int) -> bytes | None:
        """The key of a member with its quotes, as written; `None` in an array and for the root."""
        start, end = self.index.starts[node], self.place(node).key_end
        return self.index.data[start:end] if end > start else None

    def key(self, node: int) -> str | None:
        """The key of a member; may hold half surrogates. `None` in an array and for the root."""
        written = self.key_bytes(node)
        return None if written is None else decode_string(written)

    def is_string(self, node: int) -> bool:
        """Whether a value is a string."""
        return self.index.data[self.place(node).value] == _QUOTE

    def value_span(self, node: int) -> tuple[int, int]:
        """Where a value begins and ends, in bytes; one that is still being read ends where reading is."""
        index = self.index
        start = self.place(node).value
        last = index.lasts[node]
        if last == node:
            return start, self._scalar_end(node, start)
        if last == UNKNOWN:
            return start, index.scanned
        position = self._scalar_end(last, self.place(last).value)
        for _level in range(index.depths[last] - index.depths[node]):
            closer = _CLOSER.match(index.data, position)
            position = closer.end() if closer else position
        return start, position

    def _scalar_end(self, node: int, start: int) -> int:
        """Where a value without any inside ends, without reading it."""
        index = self.index
        empty = _EMPTY.match(index.data, start)
        if empty:
            return empty.end()
        end = index.starts[node + 1] if node + 1 < len(index) else len(index.data)
        if not index.complete and node + 1 == len(index):
            # Nothing says yet where it ends.
            end = max(start, index.scanned)
        while end > start:
            low = max(start, end - _TAIL_BYTES)
            kept = len(index.data[low:end].rstrip(b" \t\r\n,}]"))
            if kept:
                return low + kept
            end = low
        return start

    def value_bytes(self, node: int) -> bytes:
        """A value as written."""
        start, end = self.value_span(node)
        return self.index.data[start:end]

    def text(self, node: int) -> str:
        """A value as text: of a string what it says, of any other value how it is written.

        Returns:
            Text that may hold half surrogates, and surrogates in the place of bytes that are not UTF-8.
        """
        written = self.value_bytes(node)
        return decode_string(written) if self.is_string(node) else written.decode("utf-8", "surrogateescape")

    def path(self, node: int) -> str:
        """The path of a value as a jq filter, such as `.input[12].content[0].text`; `.` is the whole."""
        path = "".join(
            f"[{step}]" if isinstance(step, int) else _member_step(step) for step in self.steps(node)
        )
        return path if path.startswith(".") else "." + path

    def children(self, node: int) -> Iterator[int]:
        """The values directly in a container, as far as they are known."""
        index = self.index
        child, total = node + 1, len(index)
        last = min(index.lasts[node], total - 1)
        while child <= last:
            yield child
            if index.lasts[child] == UNKNOWN:
                return
            child = index.lasts[child] + 1

    def steps(self, node: int) -> list[str | int]:
        """Keys and positions from the whole text to a value, as `find_path` takes them."""
        steps: list[str | int] = []
        while node:
            key = self.key(node)
            steps.append(self.index.ordinals[node] if key is None else key)
            node = self.index.parents[node]
        steps.reverse()
        return steps

    def find_path(self, path: Sequence[str | int]) -> int | None:
        """The value at the end of a path of keys and positions; the first of several members with one key.

        Args:
            path: Steps from the whole text.

        Returns:
            Its number, or `None` if there is none, or not yet.
        """
        if not len(self.index):
            return None
        node = 0
        for step in path:
            matches = (
                child
                for child in self.children(node)
                if (self.index.ordinals[child] if isinstance(step, int) else self.key(child)) == step
            )
            found = next(matches, None)
            if found is None:
                return None
            node = found
        return node

    def hits(self, query: str, start: int = 0) -> Iterator[Looked]:
        """The values in which `query` occurs: in their keys, or in themselves if they hold no others.

        Args:
            query: Plain text. Matched as it stands in the file and in its JSON spellings (`\\n`, `\\u00e9`);
                the case of ASCII letters matters only if the query has capitals.
            start: The value to begin at; after the last one come those before it.

        Yields:
            Numbers of values, a megabyte of text apart at most.
        """
        index = self.index
        if not query or start >= len(index):
            return
        pattern = search_pattern(query)
        size = len(index.data) if index.complete else index.scanned
        for first, end in ((index.starts[start], size), (index.starts[0], index.starts[start])):
            yield from self._hits_between(pattern, first, end)

    def _hits_between(self, pattern: re.Pattern[bytes], position: int, end: int) -> Iterator[Looked]:
        """The values between two places in the text in which a pattern matches."""
        index, overlap = self.index, len(pattern.pattern)
        while position < end:
            # A bounded piece at a time, because matching holds the interpreter lock.
            piece = min(position + _SEARCH_BYTES, end)
            found = pattern.search(index.data, position, piece + overlap)
            if found is None or found.start() >= end:
                yield Looked(bisect_right(index.starts, position) - 1, False)
                position = piece
                continue
            node = bisect_right(index.starts, found.start()) - 1
            yield Looked(node, True)
            # One hit per value is enough, and goes past values of megabytes.
            position = index.starts[node + 1] if node + 1 < len(index) else end


def decode_string(written: bytes) -> str:
    """What a JSON string says.

    Args:
        written: The string with its quotes. Need not be UTF-8.

    Returns:
        Its text, with half surrogates where it has half escapes, and surrogates for bytes that are not UTF-8;
        as written if it is no string after all.
    """
    text = written.decode("utf-8", "surrogateescape")
    try:
        decoded = json.loads(text, strict=False)
    except ValueError:
        return text
    return decoded if isinstance(decoded, str) else text


def search_pattern(query: str) -> re.Pattern[bytes]:
    """Matches `query` in JSON text, as it is or as a JSON string would spell it."""
    spellings = {query, json.dumps(query)[1:-1], json.dumps(query, ensure_ascii=False)[1:-1]}
    alternatives = (re.escape(text.encode("utf-8", "surrogatepass")) for text in sorted(spellings, key=len))
    return re.compile(b"|".join(alternatives), re.IGNORECASE if query == query.lower() else 0)


def json_path(steps: Sequence[str | int]) -> str:
    """Keys and positions as a JSON path (RFC 9535), such as `$.input[12].text`; `$` is the whole."""
    return "$" + "".join(f"[{step}]" if isinstance(step, int) else _member_step(step) for step in steps)


def _member_step(key: str) -> str:
    """One step of a jq path into an object."""
    return "." + key if _NAME.fullmatch(key) else f"[{quoted_key(key)}]"


def quoted_key(key: str) -> str:
    r"""A key as a JSON string that survives the way to a shell: what a terminal would obey is `\uXXXX`."""
    return json.dumps(key, ensure_ascii=safe_text(key) != key).replace("\x7f", "\\u007f")
