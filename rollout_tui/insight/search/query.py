r"""What is searched for, and how it is found in JSON text without parsing all of it. Pure.

A plain text is first looked for in the bytes of a payload, in every way in which JSON may spell it: `"` as
`\"`, a line feed as `\n`, é as itself or as `\u00e9`, and each of these with more backslashes where a string
holds JSON in its turn. That finds all true places and some false ones. Each is then decoded and compared:

- as what the string says;
- where that is JSON itself, as what the strings in it say, up to `UNFOLDED` levels down;
- as it stands in the file.

So `say "hi"` finds `{"cmd":"say \"hi\""}` however deep it is wrapped, and so does the spelling in the file.
Letters match in either case. A regular expression has no spelling to look for: it is tried on every string.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Generator, Iterable, Iterator
from functools import cached_property
from itertools import chain
from typing import Literal, NamedTuple

from rollout_tui.insight.search.bounded_regex import LONGEST_STRETCH, BoundedRegex
from rollout_tui.language.refused import InputRefused
from rollout_tui.texts.json_index import JsonIndex
from rollout_tui.texts.json_value import JsonValues
from rollout_tui.texts.text_lines import decode_pieces

MAX_QUERY = 1000
"""Characters of a query."""

UNFOLDED = 3
"""Levels of JSON in strings that are looked into."""

WINDOW = 1 << 19
"""Bytes looked through at a time: less than a millisecond."""

EXCERPT_BEFORE = 32
"""Characters of an excerpt before the match; they are the first that a narrow row would lose to."""

EXCERPT_AFTER = 200
"""Characters of an excerpt from the match on, and of the match itself."""

MAX_LINES = 100
"""Lines reported of one payload that is no JSON."""

_LONGEST_SPELLING = 2 ** (UNFOLDED + 1) - 1 + 5 + 6
"""Bytes that one character may take: backslashes, and the hexadecimal digits of a surrogate pair."""

_CONTEXT_BYTES = 4 * (EXCERPT_BEFORE + EXCERPT_AFTER)
"""Bytes around a place that are decoded to look at it closely."""

_PIECE_CHARS = 1 << 15
"""Characters unfolded at a time for an expression: a millisecond or two."""

_SLASHES = rb"\\{1,%d}" % (2**UNFOLDED - 1)
_MAYBE_SLASHES = rb"\\{0,%d}" % (2**UNFOLDED - 1)
_ESCAPED_ASCII = re.compile(rb"\\u00[2-7]")
_ESCAPE = re.compile(
    r'\\(?:(?P<char>["\\/bfnrt])|u(?P<high>[dD][89abAB][0-9a-fA-F]{2})\\u(?P<low>[dD][c-fC-F][0-9a-fA-F]{2})'
    r"|u(?P<code>[0-9a-fA-F]{4}))"
)
_SHORT_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_CONTROLS = {char: letter.encode() for letter, char in _SHORT_ESCAPES.items()}
_WHITE_SPACE = re.compile(r"\s+")
_DELIMITED = re.compile(r"/(.+)/(i?)", re.DOTALL)
_BACKSLASH = b"\\"[0]


class Match(NamedTuple):
    """A place where a query was found.

    Attributes:
        excerpt: the text around it on one line, white space folded. Evidence, so not safe to show as it is.
        start: where the match begins in the excerpt.
        end: where it ends.
        part: whether it is in a key, in a value, or in how the file writes them.
    """

    excerpt: str
    start: int
    end: int
    part: Literal["key", "value", "file"] = "value"


Looking = Generator[None, None, Match | None]
"""Looks for a match in steps of a few milliseconds; its result is the match."""


class TextQuery:
    """Looks for a plain text, whatever the case of its letters.

    Attributes:
        text: what was typed.
        whole_values: whether one look at a value says all, or only whether a match begins at one place in it.
    """

    whole_values = False

    def __init__(self, text: str) -> None:
        self.text = text
        self._pattern = re.compile(re.escape(text), re.IGNORECASE)
        self._reach = len(text) * _LONGEST_SPELLING
        plain = max(re.split(r"[^ !#-.0-\[\]-~]", text), key=len)
        self._anchor = plain.lower().encode()
        self._is_plain = plain == text

    @cached_property
    def _usual_spellings(self) -> re.Pattern[bytes]:
        return _spelled(self.text, escaped_ascii=False)

    @cached_property
    def _all_spellings(self) -> re.Pattern[bytes]:
        return _spelled(self.text, escaped_ascii=True)

    def seek(self, data: bytes, start: int, end: int) -> tuple[int, bool]:
        """Look through a piece of a file for a place that could be a match.

        Args:
            data: the file.
            start: where to begin.
            end: a match must begin before this.

        Returns:
            The first such place and true; or where the next piece begins and false.
        """
        stop = min(end, start + WINDOW)
        window = data[start : stop + self._reach].lower()
        if _BACKSLASH in window and _ESCAPED_ASCII.search(window):
            found = self._all_spellings.search(window)
            offset = found.start() if found else -1
        elif self._is_plain:
            offset = window.find(self._anchor)
        elif self._anchor and self._anchor not in window:
            offset = -1
        else:
            found = self._usual_spellings.search(window)
            offset = found.start() if found else -1
        if offset < 0 or start + offset >= stop:
            return stop, False
        return start + offset, True

    def match_value(self, values: JsonValues, node: int, position: int) -> Looking:
        """Look closely at a place in a JSON text.

        Args:
            values: the text.
            node: the value that the place is in or before.
            position: the place, in bytes.
        """
        yield from ()  # nothing here takes long
        low, high = _string_around(values, node, position)
        if low >= 0:
            said = unescape(_piece(values.index.data, low, high, position, self._reach))
            readings = [said]
            if values.is_string(node) and _says_json(values.index.data, values.place(node).value):
                for _level in range(UNFOLDED - 1):
                    readings.append(unescape(readings[-1]))
            for reading in readings:
                found = self._pattern.search(reading)
                if found is not None:
                    in_key = low < values.place(node).key_end
                    return excerpt(reading, *found.span())._replace(part="key" if in_key else "value")
        return self._match_written(values.index.data, position)

    def match_text(self, data: bytes) -> Iterator[Match | None]:
        """Every line of a text that is no JSON in which the query is found; None in between, as pauses."""
        position = 0
        while position < len(data):
            position, is_place = self.seek(data, position, len(data))
            found = self._match_written(data, position) if is_place else None
            yield found
            if found is not None:
                line_end = data.find(b"\n", position)
                position = len(data) if line_end < 0 else line_end
            elif is_place:
                position += 1

    def _match_written(self, data: bytes, position: int) -> Match | None:
        """The match at a place as it stands in the file."""
        start = _whole_character(data, max(0, position - _CONTEXT_BYTES // 2), position)
        before = data[start:position].decode("utf-8", "backslashreplace")
        written = data[position : position + self._reach + _CONTEXT_BYTES].decode("utf-8", "backslashreplace")
        found = self._pattern.search(written)
        # The spelling that led here may begin with backslashes before the match, but with nothing else.
        if found is None or written[: found.start()].strip("\\"):
            return None
        shown = excerpt(before + written, len(before) + found.start(), len(before) + found.end())
        return shown._replace(part="file")


class RegexQuery:
    """Looks for a regular expression in every string, number and key.

    Attributes:
        text: what was typed.
        whole_values: whether one look at a value says all.
    """

    whole_values = True

    def __init__(self, text: str, pattern: str, *, ignore_case: bool) -> None:
        """Compile the expression.

        Raises:
            InputRefused: it is none, or one that could take forever.
        """
        self.text = text
        self._regex = BoundedRegex(pattern, ignore_case=ignore_case)

    def seek(self, data: bytes, start: int, end: int) -> tuple[int, bool]:
        """The next place to look at closely: every one."""
        return start, start < min(end, len(data))

    def match_value(self, values: JsonValues, node: int, position: int) -> Looking:
        """Look closely at a value: its key, and what it says unless it holds others."""
        key = values.key(node)
        readings: list[Iterable[str]] = [] if key is None else [(key,)]
        if not values.index.is_container(node):
            said = values.text(node)
            readings.append((said,))
            if values.is_string(node) and _says_json(values.index.data, values.place(node).value):
                readings.append(_unfolded_pieces(said))
        for reading in chain.from_iterable(readings):
            for found in self._regex.find(reading):
                if found is not None:
                    return excerpt(reading, *found)._replace(part="key" if reading is key else "value")
                yield
        return None

    def match_text(self, data: bytes) -> Iterator[Match | None]:
        """Every piece of a text that is no JSON in which the query is found; None in between, as pauses."""
        for piece in decode_pieces(data):
            for line in piece.splitlines():
                for found in self._regex.find(line):
                    yield None if found is None else excerpt(line, *found)
            yield None


Query = TextQuery | RegexQuery


def parse_query(text: str) -> Query:
    """What to search for: `/expression/`, `/expression/i` for either case, or else the text as it is.

    Raises:
        InputRefused: it is empty, too long, or an expression that is refused.
    """
    if not text.strip():
        raise InputRefused("Type what to look for.")
    if len(text) > MAX_QUERY:
        raise InputRefused(f"A search has at most {MAX_QUERY} characters.")
    delimited = _DELIMITED.fullmatch(text)
    if delimited is not None:
        return RegexQuery(text, delimited[1], ignore_case=bool(delimited[2]))
    return TextQuery(text)


class Place(NamedTuple):
    """A value of a payload in which a query was found.

    Attributes:
        match: the text around it.
        values: the values of the payload; None where it is no JSON.
        node: the value; 0 where the payload is no JSON.
    """

    match: Match
    values: JsonValues | None = None
    node: int = 0


def places_in(query: Query, data: bytes, start: int = 0) -> Iterator[Place | None]:
    """Every value of a payload in which a query is found, in order; None in between, as pauses.

    Args:
        query: what to look for.
        data: the payload. If it is no JSON, its lines count as values, at most `MAX_LINES` of them.
        start: where to begin, in bytes; what is before is known.
    """
    values: JsonValues | None = None
    position = start
    while position < len(data):
        position, is_place = query.seek(data, position, len(data))
        yield None
        if not is_place:
            continue
        if values is None:
            index = JsonIndex(data)
            for _pause in index.build():
                yield None
            if index.problem:
                yield from _lines_in(query, data)
                return
            values = JsonValues(index)
        node = max(0, bisect_right(values.index.starts, position) - 1)
        match = yield from query.match_value(values, node, position)
        if match is not None:
            yield Place(match, values, node)
        if match is None and not query.whole_values:
            position += 1
        else:
            position = values.index.starts[node + 1] if node + 1 < len(values.index) else len(data)


def _lines_in(query: Query, data: bytes) -> Iterator[Place | None]:
    """The lines of a payload that is no JSON in which a query is found."""
    found = 0
    for match in query.match_text(data):
        yield None if match is None else Place(match)
        found += match is not None
        if found == MAX_LINES:
            return


def match_plain(query: Query, text: str) -> Match | None:
    """The first match in a text that is not JSON and not large."""
    for found in query.match_text(text.encode("utf-8", "surrogatepass")):
        if found is not None:
            return found
    return None


def excerpt(text: str, start: int, end: int) -> Match:
    """A match with some of the text around it, on one line."""
    before = _WHITE_SPACE.sub(" ", text[max(0, start - EXCERPT_BEFORE) : start]).lstrip()
    matched = _WHITE_SPACE.sub(" ", text[start : min(end, start + EXCERPT_AFTER)])
    after = _WHITE_SPACE.sub(" ", text[end : end + max(0, EXCERPT_AFTER - len(matched))])
    return Match(before + matched + after, len(before), len(before) + len(matched))


def unescape(text: str) -> str:
    """A piece of a JSON string decoded once; an escape that is cut short stays as it is."""
    return _ESCAPE.sub(_unescaped, text) if "\\" in text else text


def _unfolded_pieces(text: str) -> Iterator[str]:
    """JSON in a string with its own strings decoded, piece by piece, each with the beginning of the next."""
    for start in range(0, len(text), _PIECE_CHARS):
        yield unescape(text[start : start + _PIECE_CHARS + LONGEST_STRETCH])


def _unescaped(escape: re.Match[str]) -> str:
    char = escape["char"]
    if char:
        return _SHORT_ESCAPES.get(char, char)
    if escape["code"]:
        return chr(int(escape["code"], 16))
    return chr(0x10000 + ((int(escape["high"], 16) - 0xD800) << 10) + int(escape["low"], 16) - 0xDC00)


def _spelled(text: str, *, escaped_ascii: bool) -> re.Pattern[bytes]:
    """Matches a text as JSON may write it, in bytes made lower case.

    Args:
        text: any text.
        escaped_ascii: whether plain ASCII may be written as `\u0041`, which nobody does but may.
    """
    pieces = []
    for run in re.findall(r"\\+|[^\\]", text, re.DOTALL):
        if run[0] == "\\":
            # One repeat for all of them: one for each would combine in too many ways.
            one = rb"(?:\\|u005c)" if escaped_ascii else rb"\\"
            pieces.append(rb"%b{%d,%d}" % (one, len(run), 2 * len(run) << UNFOLDED))
        else:
            pieces.append(_spellings(run, escaped_ascii=escaped_ascii))
    return re.compile(b"".join(pieces))


def _spellings(char: str, *, escaped_ascii: bool) -> bytes:
    """An expression for one character that is no backslash."""
    alternatives = []
    for variant in sorted({char, *(one for one in (char.lower(), char.upper()) if len(one) == 1)}):
        alternatives.append(re.escape(variant.encode("utf-8", "surrogatepass").lower()))
        if not " " <= variant <= "~" or escaped_ascii:
            units = variant.encode("utf-16-be", "surrogatepass").hex()
            codes = [units[place : place + 4].encode() for place in range(0, len(units), 4)]
            alternatives.append(b"".join(_SLASHES + b"u" + code for code in codes))
    if char in _CONTROLS:
        alternatives.append(_SLASHES + _CONTROLS[char])
    if char in '"/':
        alternatives.insert(0, _MAYBE_SLASHES + char.encode())
    unique = list(dict.fromkeys(alternatives))
    return unique[0] if len(unique) == 1 else b"(?:" + b"|".join(unique) + b")"


def _string_around(values: JsonValues, node: int, position: int) -> tuple[int, int]:
    """The inside of the key or string that a place is in, in bytes; a negative start if it is in neither."""
    start, place = values.index.starts[node], values.place(node)
    if start <= position < place.key_end:
        return start + 1, place.key_end - 1
    if position >= place.value and values.is_string(node):
        low, high = values.value_span(node)
        if position < high:
            return low + 1, max(low + 1, high - 1)
    return -1, -1


def _says_json(data: bytes, start: int) -> bool:
    """Whether the string that begins at `start` looks like JSON itself."""
    head = unescape(data[start + 1 : start + 64].decode("utf-8", "replace"))
    return head.lstrip().startswith(("{", "[", '"'))


def _piece(data: bytes, low: int, high: int, position: int, reach: int) -> str:
    """The text around a place, not beyond `low` and `high`, begun where no character or escape is cut."""
    start = max(low, position - _CONTEXT_BYTES // 2)
    if start > low:  # otherwise nothing can be cut
        start = _whole_character(data, start, position)
    end = min(high, position + reach + _CONTEXT_BYTES)
    return data[start:end].decode("utf-8", "backslashreplace")


def _whole_character(data: bytes, start: int, position: int) -> int:
    """The first place from `start` on at which a character begins that no backslash belongs to."""
    for place in range(start, position):
        if _BACKSLASH not in data[max(0, place - 6) : place] and data[place] & 0xC0 != 0x80:
            return place
    slashes = 0
    while slashes < _CONTEXT_BYTES and position - slashes > 0 and data[position - slashes - 1] == _BACKSLASH:
        slashes += 1
    return position - slashes % 2
