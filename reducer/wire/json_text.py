"""JSON as the reference reads and writes it: strict, shallow, and with numbers kept as they were spelled.

orjson does the work wherever it agrees with the reference. Where it cannot - numbers beyond its range, a
spelling that a float would lose - the slow exact reader below takes over.
"""

from __future__ import annotations

import codecs
import json
import re
from array import array
from collections import Counter
from collections.abc import Iterable
from itertools import accumulate, chain
from typing import Any, NoReturn

import msgspec
import orjson

from reducer.limits import MAX_VALUES
from reducer.wire.json_grammar import Step, is_json

MAX_DEPTH = 127
"""Levels of arrays and objects that an interpreted document may nest."""

HOLE_KEY = "$trace_unavailable"
"""Key of the object that stands in the place of a lost part; under it is the id of that payload."""

_CHUNK = 2**20
"""Bytes that are looked at together."""

PARSED_AT_ONCE = 8 * 2**20
"""Bytes that a parser takes in one go, in which nothing can be called off: less than a fifth of a second."""

_ALL_BYTES = bytes(range(256))
_NOT_STRUCTURE = bytes(b for b in _ALL_BYTES if b not in b'"[]{}')
_NOT_VALUES = bytes(b for b in _ALL_BYTES if b not in b'"[{,')
_BRACES_TO_BRACKETS = bytes.maketrans(b"{}", b"[]")
_BRACKETS_TO_STEPS = bytes.maketrans(b"[]", b"\x01\xff")
_LEVELS_AT_ONCE = 12
"""Levels that are taken off all together, before what is left is counted bracket by bracket."""

_STRING = re.compile(rb'"[^"]*"')
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_SURROGATE_PAIR = re.compile(rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F]")
_EXPONENT = re.compile("[eE]([+-]?)")


class JsonError(ValueError):
    """A text is not the JSON that the format wants."""


class Numeral:
    """A number that neither 64 bits hold nor a float spells back: its normalised source text."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text

    def is_wide_integer(self) -> bool:
        """Whether it is an integer of more than 64 and at most 128 bits."""
        if len(self.text) > 40 or not self.text.removeprefix("-").isdigit():
            return False
        number = int(self.text)
        return -(2**127) <= number < -(2**63) or 2**64 <= number < 2**128


class RepeatableKeys(dict[str, Any]):
    """A JSON object that remembers which of its keys were repeated, and what stood under them before."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.repeated: frozenset[str] = frozenset()
        self.hidden: list[Any] = []
        if len(self) != len(pairs):
            counts = Counter(key for key, _ in pairs)
            self.repeated = frozenset(key for key, count in counts.items() if count > 1)
            self.hidden = [value for key, value in pairs if key in self.repeated]


class JsonDocument:
    """One parsed JSON text that can still say how a number in it was spelled.

    Attributes:
        data: the text.
        value: what it says.
        holes: ids of the payloads in whose place it has an object that says that they are lost.
    """

    __slots__ = ("_exact", "data", "holes", "value")

    def __init__(self, data: bytes, holes: frozenset[str] = frozenset()) -> None:
        """Parse a UTF-8 text.

        Raises:
            JsonError: it is not valid JSON, nests more than `MAX_DEPTH` levels, or holds more than
                `MAX_VALUES` values.
        """
        refuse_excess(data)
        if depth(data) > MAX_DEPTH:
            raise JsonError(f"nests more than {MAX_DEPTH} levels")
        self.data = data
        self.holes = holes
        self._exact: Any = None
        try:
            self.value = orjson.loads(data)
        except orjson.JSONDecodeError:
            self.value = self._exact = parse_exact(data)

    def compact(self, value: Any, path: tuple[str | int, ...]) -> str:
        """The value that stands at `path` in this document as compact JSON.

        Keys keep their order, non-ASCII stays raw, numbers keep their spelling except that an exponent is
        written `e` and a sign.
        """
        return compact_exact(self.exact(value, path))

    def hole(self, value: Any) -> str | None:
        """The id of the payload that is lost in the place of this value, if it is a hole."""
        if not self.holes or not isinstance(value, dict) or len(value) != 1:
            return None
        payload_id = value.get(HOLE_KEY)
        return payload_id if isinstance(payload_id, str) and payload_id in self.holes else None

    def exact_value(self) -> Any:
        """The whole document, as `exact` gives it."""
        return self.exact(self.value, ())

    def exact(self, value: Any, path: tuple[str | int, ...]) -> Any:
        """The value that stands at `path`, with numbers whose spelling orjson lost as `Numeral`s."""
        if not _has_float(value):
            return value
        if self._exact is None:
            self._exact = parse_exact(self.data)
        found = self._exact
        for key in path:
            found = found[key]
        return found


def depth(data: bytes) -> int:
    """How deep arrays and objects nest in a JSON text; 0 when too few of them stand in it to matter.

    Not counted further than to one more than `MAX_DEPTH`.
    """
    if len(data) <= MAX_DEPTH or data.count(b"[") + data.count(b"{") <= MAX_DEPTH:
        return 0
    brackets = _STRING.sub(b"", _skeleton(data, _NOT_STRUCTURE)).translate(_BRACES_TO_BRACKETS)
    levels = 0
    while brackets and levels < _LEVELS_AT_ONCE:
        inner = brackets.replace(b"[]", b"")
        if len(inner) == len(brackets):
            return levels
        brackets = inner
        levels += 1
    # What is left is narrow and deep.
    steps = array("b", brackets.translate(_BRACKETS_TO_STEPS))
    return min(levels + max(accumulate(steps), default=0), MAX_DEPTH + 1)


def _skeleton(data: bytes, unwanted: bytes) -> bytes:
    """A JSON text without its escapes and without some other bytes."""
    return data.replace(b"\\\\", b"").replace(b'\\"', b"").translate(None, unwanted)


def refuse_excess(data: bytes) -> None:
    """Refuse a JSON text that would take too much memory as objects.

    Raises:
        JsonError: it holds more than `MAX_VALUES` values.
    """
    if len(data) <= MAX_VALUES:
        return  # each takes a byte at least
    # Commas and openings are no fewer than values; where texts hold many, those do not count.
    marks = data.count(b",") + data.count(b"[") + data.count(b"{")
    if marks > MAX_VALUES and _has_excess(_skeleton(data, _NOT_VALUES)):
        raise JsonError(f"holds more than {MAX_VALUES:,} values, too many to be read")


def _has_excess(skeleton: bytes) -> bool:
    """Whether more than `MAX_VALUES` marks stand outside of strings; only quotation marks are beside them."""
    count, inside = 0, 0
    for start in range(0, len(skeleton), _CHUNK):
        pieces = skeleton[start : start + _CHUNK].split(b'"')
        count += sum(map(len, pieces[inside::2]))
        inside ^= (len(pieces) - 1) & 1
        if count > MAX_VALUES:
            return True
    return False


def parse_exact(data: bytes) -> Any:
    """Parse a JSON text, keeping every number that 64-bit integers cannot hold as a `Numeral`.

    A repeated key keeps its first position and its last value.

    Raises:
        JsonError: it is not valid JSON, holds an unpaired surrogate, or nests beyond what Python can follow.
    """
    if _holds_unpaired_surrogate(data):
        raise JsonError("a text holds an unpaired surrogate")
    return _decode(data, _DECODER)


def parse_exact_pairs(data: bytes) -> Any:
    """As `parse_exact`, with every object as `RepeatableKeys` and unpaired surrogates let pass."""
    return _decode(data, _PAIRS_DECODER)


def _decode(data: bytes, decoder: json.JSONDecoder) -> Any:
    try:
        return decoder.decode(data.decode())
    except UnicodeDecodeError as error:
        raise JsonError(f"not valid UTF-8 at byte {error.start}") from None
    except json.JSONDecodeError as error:
        what = error.msg.rstrip(": ").removesuffix(" at")
        raise JsonError(f"not valid JSON: {what.lower()} at character {error.pos + 1}") from None
    except RecursionError:
        raise JsonError("nests too deep to be read") from None


def check_readable(value: Any) -> None:
    """Check a parsed value for what the grammar of JSON lets pass.

    Raises:
        JsonError: it nests more than `MAX_DEPTH` levels, or holds an unpaired surrogate.
    """
    layer, levels = [value], 0
    while layer:
        containers = [one for one in layer if isinstance(one, (dict, list))]
        levels += bool(containers)
        if levels > MAX_DEPTH:
            raise JsonError(f"nests more than {MAX_DEPTH} levels")
        for one in layer:
            if isinstance(one, str):
                _check_text(one)
        layer = [child for one in containers for child in _children(one)]


def _children(value: dict[str, Any] | list[Any]) -> Iterable[Any]:
    if isinstance(value, list):
        return value
    return chain(value, value.values(), value.hidden if isinstance(value, RepeatableKeys) else ())


def _holds_unpaired_surrogate(data: bytes) -> bool:
    """Whether a JSON text has one, even where a repeated key hides it."""
    if _SURROGATE.search(data) is None:
        return False
    return _SURROGATE.search(_SURROGATE_PAIR.sub(b"", data.replace(b"\\\\", b""))) is not None


def _check_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise JsonError("a text holds an unpaired surrogate") from None


def compact_exact(value: Any) -> str:
    """Compact JSON of a value whose numbers are integers and `Numeral`s."""
    if not _has_float(value):
        return orjson.dumps(value).decode()
    if isinstance(value, Numeral):
        return value.text
    if isinstance(value, dict):
        return "{" + ",".join(f"{_text(key)}:{compact_exact(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(compact_exact, value)) + "]"
    return orjson.dumps(value).decode()


def holds_wide_integer(value: Any) -> bool:
    """Whether an exact value holds an integer that 64 bits cannot hold, but 128 bits can."""
    if isinstance(value, dict):
        return any(map(holds_wide_integer, value.values()))
    if isinstance(value, list):
        return any(map(holds_wide_integer, value))
    return isinstance(value, Numeral) and value.is_wide_integer()


def sorted_compact(value: Any) -> str:
    """As `compact_exact`, with the keys of every object in order of their UTF-8 bytes."""
    return compact_exact(_sorted(value))


def is_valid(data: bytes, step: Step | None = None) -> bool:
    """Whether a file holds one JSON value; nesting and number range do not matter.

    Args:
        data: what the file holds.
        step: called now and then. With it, large files take longer.
    """
    if step is None or len(data) <= PARSED_AT_ONCE:
        try:
            # Nothing is made of the values: that would take many times the memory.
            msgspec.json.decode(data, type=msgspec.Raw)
        except (msgspec.DecodeError, RecursionError):
            pass  # It may only nest deeper than can be followed, which does not matter here.
        else:
            return _is_utf8(data, step)
    return _is_utf8(data, step) and is_json(data, step)


def _is_utf8(data: bytes, step: Step | None) -> bool:
    """Whether all bytes are UTF-8; the text itself is never held as a whole."""
    if data.isascii():
        return True
    decoder, view = codecs.getincrementaldecoder("utf-8")(), memoryview(data)
    try:
        for start in range(0, len(data), _CHUNK):
            if step is not None:
                step()
            decoder.decode(view[start : start + _CHUNK])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [_sorted(item) for item in value]
    return value


def _text(value: str) -> str:
    return orjson.dumps(value).decode()


def _has_float(value: Any) -> bool:
    """Whether a parsed value holds a number whose spelling orjson did not keep."""
    if isinstance(value, dict):
        return any(map(_has_float, value.values()))
    if isinstance(value, list):
        return any(map(_has_float, value))
    return isinstance(value, (float, Numeral))


def _parse_int(text: str) -> int | Numeral:
    if len(text) > 21:
        return Numeral(text)
    value = int(text)
    return value if -(2**63) <= value < 2**64 else Numeral(text)


def _parse_typed_int(text: str) -> int | Numeral:
    """As `_parse_int`, but no integer field takes `-0`."""
    return Numeral("0") if text == "-0" else _parse_int(text)


def _parse_float(text: str) -> Numeral:
    return Numeral(_EXPONENT.sub(lambda mark: f"e{mark[1] or '+'}", text))


def _refuse_constant(name: str) -> NoReturn:
    raise JsonError(f"not valid JSON: {name} is no number")


_HOOKS: dict[str, Any] = {
    "parse_float": _parse_float,
    "parse_int": _parse_int,
    "parse_constant": _refuse_constant,
}
_DECODER = json.JSONDecoder(**_HOOKS)
_PAIRS_DECODER = json.JSONDecoder(
    **{**_HOOKS, "parse_int": _parse_typed_int}, object_pairs_hook=RepeatableKeys
)
