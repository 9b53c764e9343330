"""Takes apart what a program sent to a terminal: text, the sequences this program may send, and all the rest.

A terminal obeys bytes whoever wrote them. The audit knows the few control sequences with which Textual draws
and reports everything else that is not plain printable text.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """What a token of terminal output is."""

    TEXT = "text"
    NEW_LINE = "line break"
    CONTROL = "control character"
    ESCAPE = "escape sequence"
    CSI = "control sequence"
    OSC = "operating system command"
    STRING = "device control string"
    NOT_UTF8 = "not UTF-8"
    TORN = "torn escape sequence"


@dataclass(frozen=True)
class Token:
    """A piece of terminal output: `data` stands at byte `offset`."""

    kind: Kind
    offset: int
    data: bytes


@dataclass(frozen=True)
class Violation:
    """Something a terminal must not have been sent, or that hides or reorders text."""

    offset: int
    what: str
    data: bytes


@dataclass
class Audit:
    """What an output consists of.

    Attributes:
        text: The printable text, in the order it was sent.
        sequences: How often each allowed control sequence was sent, digits written as `#`.
        violations: Everything else.
    """

    text: str = ""
    sequences: Counter[str] = field(default_factory=Counter)
    violations: list[Violation] = field(default_factory=list)

    def describe(self) -> str:
        """The violations in lines, for the message of a failed assertion."""
        lines = [f"byte {v.offset}: {v.what}: {v.data[:80]!r}" for v in self.violations[:20]]
        return "\n".join([f"{len(self.violations)} violations", *lines])


# ESC, then the string-starting letters: BEL ends only an OSC, ST ends all.
_CSI = re.compile(rb"\x1b\[[\x30-\x3f]*[\x20-\x2f]*[\x40-\x7e]")
_OSC = re.compile(rb"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
_STRING = re.compile(rb"\x1b[PX^_][^\x1b]*\x1b\\")
_ESCAPE = re.compile(rb"\x1b[\x20-\x2f]*[\x30-\x7e]")
_UNFINISHED = re.compile(rb"\x1b(?:\[[\x20-\x3f]*|\][^\x07\x1b]*\x1b?|[PX^_][^\x1b]*\x1b?|[\x20-\x2f]*)?\Z")
_TEXT = re.compile(rb"[\x20-\x7e\x80-\xff]+")


class Tokenizer:
    """Splits terminal output that arrives in pieces into tokens."""

    def __init__(self) -> None:
        self._pending = b""
        self._offset = 0

    def feed(self, data: bytes) -> Iterator[Token]:
        """The tokens that are complete with this piece; an unfinished sequence waits for the next one."""
        buffer = self._pending + data
        position = 0
        while position < len(buffer):
            token = self._token(buffer, position)
            if token is None:
                break
            yield token
            position += len(token.data)
        self._pending = buffer[position:]
        self._offset += position

    def finish(self) -> Iterator[Token]:
        """What is left when no more comes."""
        rest, self._pending = self._pending, b""
        if rest:
            kind = {0x1B: Kind.TORN, 0x0D: Kind.CONTROL}.get(rest[0], Kind.NOT_UTF8)
            yield Token(kind, self._offset, rest)
            self._offset += len(rest)

    def _token(self, buffer: bytes, position: int) -> Token | None:
        offset = self._offset + position
        if buffer[position] != 0x1B:
            return self._text(buffer, position, offset)
        for kind, pattern in (
            (Kind.CSI, _CSI),
            (Kind.OSC, _OSC),
            (Kind.STRING, _STRING),
        ):
            if match := pattern.match(buffer, position):
                return Token(kind, offset, match.group())
        if _UNFINISHED.match(buffer, position):
            return None
        if buffer[position + 1] not in b"[]PX^_" and (match := _ESCAPE.match(buffer, position)):
            return Token(Kind.ESCAPE, offset, match.group())
        return Token(Kind.TORN, offset, buffer[position : position + 1])

    @staticmethod
    def _text(buffer: bytes, position: int, offset: int) -> Token | None:
        match = _TEXT.match(buffer, position)
        if match is None:
            if buffer[position] == 0x0D and position + 1 == len(buffer):
                return None
            if buffer.startswith(b"\r\n", position):
                return Token(Kind.NEW_LINE, offset, b"\r\n")
            return Token(Kind.CONTROL, offset, buffer[position : position + 1])
        data = match.group()
        try:
            data.decode()
        except UnicodeDecodeError as error:
            if error.start:
                return Token(Kind.TEXT, offset, data[: error.start])
            if error.reason == "unexpected end of data" and position + len(data) == len(buffer):
                return None
            return Token(Kind.NOT_UTF8, offset, data[: error.end])
        return Token(Kind.TEXT, offset, data)


_ALWAYS_ALLOWED = tuple(
    re.compile(pattern)
    for pattern in (
        rb"\x1b\[[\d;:]*m",  # colours and styles
        rb"\x1b\[\d+;\d+H",  # the cursor to a cell
        rb"\x1b\[\?25[hl]",  # cursor shown or hidden
        rb"\x1b\[\?1004[hl]",  # focus reports
        rb"\x1b\[\?1049[hl]",  # the alternate screen
        rb"\x1b\[\?2004[hl]",  # bracketed paste
        rb"\x1b\[\?2026[hl]",  # synchronised output
        rb"\x1b\[\?2048[hl]",  # resize reports
        rb"\x1b\[\?7[hl]",  # line wrap
        rb"\x1b\[\?(?:2026|2048)\$p",  # questions whether the terminal knows these
        rb"\x1b\[>\d+u",  # key reports of the kitty protocol, on
        rb"\x1b\[<u",  # and off
        rb"\x1b\[\?(?:1000|1003|1006|1015|1016)l",  # mouse off
        rb"\x1b\]22;(?:default|text|pointer)\x07",  # the shape of the mouse pointer
    )
)
_MOUSE_ON = re.compile(rb"\x1b\[\?(?:1000|1003|1006|1015|1016)h")

_CONTROL_IN_EVIDENCE = re.compile(
    r"(?:\x1b\[|\x9b)[\x30-\x3f]*[\x20-\x2f]*[\x40-\x7e]|[\x00-\x08\x0b-\x1f\x7f-\x9f]"
)

_BLINK_OR_CONCEAL = re.compile(rb"[\[;](?:5|6|8)(?=[;m])")
_PALETTE_OR_RGB = re.compile(rb"(?<=[\[;])[345]8;(?:5;\d+|2;\d+;\d+;\d+)")

_BAD_CATEGORIES = {
    "Cc": "control character",
    "Cf": "format character (bidi, zero width)",
    "Cs": "surrogate",
    "Co": "private use",
    "Cn": "unassigned",
    "Zl": "line separator",
    "Zp": "paragraph separator",
}
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0") | frozenset(
    map(chr, range(0xFE00, 0xFE10))
)


def escape_audit(
    data: bytes, *, mouse: bool = False, allowed_osc: Iterable[bytes] = (), in_columns: bool = True
) -> Audit:
    r"""Take apart everything that a program sent to a terminal.

    Args:
        data: The bytes, from start to end.
        mouse: Whether the program may turn mouse reports on.
        allowed_osc: Operating system commands that were wanted, whole, such as `b"\x1b]52;c;QQ==\x07"`.
        in_columns: Whether something stands beside the text, so that terminals must agree on its width: then
            nothing may join two characters that are drawn.
    """
    audit = Audit()
    text: list[str] = []
    wanted = frozenset(allowed_osc)
    tokenizer = Tokenizer()
    tokens = [*tokenizer.feed(data), *tokenizer.finish()]
    for place, token in enumerate(tokens):
        if token.kind is Kind.TEXT:
            text.append(token.data.decode())
            audit.violations.extend(_bad_characters(token, in_columns))
        elif token.kind is Kind.NEW_LINE and _is_between_rows(tokens, place):
            audit.sequences["\r\n"] += 1
        elif token.data in wanted or _is_drawing(token.data, mouse):
            audit.sequences[re.sub(rb"\d+", b"#", token.data).decode("ascii", "replace")] += 1
        else:
            audit.violations.append(Violation(token.offset, token.kind, token.data))
    audit.text = "".join(text)
    return audit


def smuggled(evidence: Iterable[str], output: bytes, *, following: int = 6) -> list[bytes]:
    """Control characters and sequences of evidence that came out together with the text after them.

    Catches what the grammar cannot: a colour or cursor sequence that looks like one of the program's own.

    Args:
        evidence: Texts of a bundle, as they are after JSON was decoded.
        output: What was sent to the terminal.
        following: Characters after the control character or sequence that must match as well.
    """
    pieces: set[str] = set()
    for text in evidence:
        for match in _CONTROL_IN_EVIDENCE.finditer(text):
            piece = text[match.start() : match.end() + following]
            if len(piece) == len(match.group()) + following:
                pieces.add(piece)
    encoded = sorted(piece.encode("utf-8", "surrogatepass") for piece in pieces)
    return [piece for piece in encoded if piece in output]


def _is_between_rows(tokens: list[Token], place: int) -> bool:
    """Whether a line break is one of the program's: after the end of a style, or before a new place.

    One that was in a text would have text around it.
    """
    before = tokens[place - 1] if place else None
    after = tokens[place + 1] if place + 1 < len(tokens) else None
    return (before is not None and before.kind is Kind.CSI) or (
        after is not None and after.kind is Kind.CSI and after.data.endswith(b"H")
    )


def _is_drawing(sequence: bytes, mouse: bool) -> bool:
    """Whether a sequence is one with which Textual draws."""
    if mouse and _MOUSE_ON.fullmatch(sequence):
        return True
    if not any(pattern.fullmatch(sequence) for pattern in _ALWAYS_ALLOWED):
        return False
    # Colours are numbers too: 38;5;8 is grey, 8 alone hides text.
    return not (sequence.endswith(b"m") and _BLINK_OR_CONCEAL.search(_PALETTE_OR_RGB.sub(b"", sequence)))


def _bad_characters(token: Token, in_columns: bool) -> Iterator[Violation]:
    text = token.data.decode()
    if text.isascii():
        return
    offset = token.offset
    for place, char in enumerate(text):
        data = char.encode()
        what = _BAD_CATEGORIES.get(unicodedata.category(char))
        if what is None and char in _INVISIBLE:
            what = "invisible character"
        if what is not None and not _belongs(text[:place], char, text[place + 1 :], in_columns):
            yield Violation(offset, f"{what} U+{ord(char):04X}", data)
        offset += len(data)


def _belongs(before: str, char: str, after: str, in_columns: bool) -> bool:
    """Whether a joiner or selector is part of how a word or an emoji is written, as domain names have it."""
    if not before:
        return False
    kind = unicodedata.category(before[-1])
    if char in "\ufe0e\ufe0f":
        return not in_columns and kind in {"So", "Sm", "Po", "Nd"}
    if char not in "\u200c\u200d" or (in_columns and char == "\u200d"):
        return False
    # At the end of a text a row may have been broken.
    following = unicodedata.category(after[0]) if after else ""
    is_indic = unicodedata.combining(before[-1]) == 9 and following[:1] in ("", "L", "M")
    is_arabic = all(unicodedata.bidirectional(one) in {"AL", "NSM"} for one in before[-1] + after[:1])
    is_emoji = char == "\u200d" and (kind in {"So", "Sk"} or before[-1] == "\ufe0f")
    return is_indic or is_arabic or (is_emoji and following in ("", "So"))
