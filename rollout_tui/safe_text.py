"""The only way from a bundle's text to the screen, the clipboard, a title or a file name.

Text in a bundle is written by models, tools and whoever they talked to. A terminal obeys some characters
and hides or reorders others; neither Rich nor Textual stops them. Everything here returns `SafeText`:
printable characters only, one line, and exactly as wide on screen as `rich.cells.cell_len` says. What could
not be shown as it is stays visible as a mark:

- C0 controls and DEL become control pictures (`␛`), where there are none caret notation (`^[`);
- C1, bidi and zero-width characters, other format characters, variation selectors and fillers that select
  nothing, line and paragraph separators, lone surrogates, private, unassigned and non-characters become
  their names, such as `<U+202E>`;
- a joiner stays where it is part of a word or emoji (see `joiners`); in rows, U+200D and the selectors of
  emoji are left out there, because terminals disagree on how wide what they join is;
- a tab becomes spaces up to the next tab stop; a space of any other kind becomes plain spaces;
- a combining mark without a letter to sit on gets a dotted circle, and a letter carries at most `MAX_MARKS`.

In the ASCII set every character beyond ASCII is written as a backslash escape.

A name, a picture or an escape may as well be what the evidence says itself: made safe twice, a text must not
change again. The bytes tell which it is.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import NewType

from rich.cells import cell_len, get_character_cell_size, split_graphemes

from rollout_tui import glyphs
from rollout_tui.joiners import JOINER, JOINERS, belongs

SafeText = NewType("SafeText", str)
"""One line of text that went through this module."""

TAB_WIDTH = 4
"""Cells between two tab stops, counted from the start of the text."""

MAX_MARKS = 4
"""Combining marks shown on one letter: no script needs more, and a flood of them paints over other rows."""

_CHARS_PER_CELL = MAX_MARKS + 2
"""Characters of safe text that are certain to fill more than one cell."""

_INVISIBLE = frozenset(
    chr(code)
    for first, last in (
        (0x034F, 0x034F),  # combining grapheme joiner
        (0x115F, 0x1160),  # Hangul fillers
        (0x17B4, 0x17B5),  # Khmer inherent vowels
        (0x180B, 0x180F),  # Mongolian variation selectors
        (0x3164, 0x3164),  # Hangul filler
        (0xFE00, 0xFE0F),  # variation selectors
        (0xFFA0, 0xFFA0),  # halfwidth Hangul filler
        (0x16FE4, 0x16FE4),  # Khitan small script filler
        (0x1D159, 0x1D159),  # musical null notehead
        (0xE0100, 0xE01EF),  # variation selectors supplement
    )
    for code in range(first, last + 1)
)
"""Characters Python calls printable which show nothing: able to carry text nobody sees."""

_PRESENTATION = frozenset("\ufe0e\ufe0f" + "".join(map(chr, range(0x1F3FB, 0x1F400))))
"""Text and emoji style selectors and skin tones: they only vary the symbol before them."""

_COMBINING = ""
"""What `_shown` answers for a mark that belongs to the character before it."""


def safe_text(text: str) -> SafeText:
    """One line of `text` that is safe to put on a screen.

    A newline is shown as its picture; use `safe_lines` for text of several lines.

    Args:
        text: Any string, lone surrogates included.

    Returns:
        Printable text. `safe_text(safe_text(x)) == safe_text(x)` for every x.
    """
    return _safe(text, in_columns=True)


def flowing_text(text: str) -> SafeText:
    """`safe_text` for where nothing stands beside it, so that its width on screen does not matter.

    Every joiner, style selector and skin tone that is part of a word or emoji stays. A safe text stays what
    it is.
    """
    return _safe(text, in_columns=False)


def _safe(text: str, *, in_columns: bool) -> SafeText:
    if text.isprintable():
        if text.isascii():
            return SafeText(text)
        if not glyphs.active().ascii_only and not _is_delicate(text):
            return SafeText(text)
    return SafeText("".join(safe_pieces(text, in_columns=in_columns)))


def safe_pieces(text: str, *, in_columns: bool = True) -> list[str]:
    """What stands on screen for each character of `text`.

    Args:
        text: Any string.
        in_columns: Whether the width must be certain: whatever could change it is left out.

    Returns:
        One string per character, possibly empty or of several cells; joined they are `safe_text(text)`.
        Lets a caller cut or colour by positions of the original.
    """
    if glyphs.active().ascii_only:
        return _ascii_pieces(text)
    pieces: list[str] = []
    shapes = glyphs.active()
    column = 0
    marks = 0  # on the current base; beyond MAX_MARKS they are left out
    base = ""  # the character marks would sit on, empty when there is none
    may_select = False
    for place, char in enumerate(text):
        piece = _shown(char, shapes.has_pictures)
        # A joiner counts as a mark; the mark that may follow must fit as well.
        if char in JOINERS and marks + 2 <= MAX_MARKS and belongs(base, char, text[place + 1 : place + 2]):
            piece = "" if in_columns and char == JOINER else char
            marks += 1
            may_select = False
        elif may_select and char in _PRESENTATION:
            # One selector after a symbol is how emoji are written; any other would hide something.
            piece = "" if in_columns else char
            may_select = False
        elif piece is _COMBINING:
            may_select = False
            if not base:
                piece, base, marks = shapes.orphan_base + char, shapes.orphan_base, 1
            else:
                marks += 1
                piece = char if marks <= MAX_MARKS else ""
                if marks == MAX_MARKS + 1:
                    piece = shapes.replacement
        else:
            if char == "\t":
                piece = " " * (TAB_WIDTH - column % TAB_WIDTH)
            base = char if piece == char and char != " " else ""
            may_select = bool(base) and not char.isalpha() and _takes_selector(char)
            marks = 0
        if piece:
            column += 1 if len(piece) == 1 and piece.isascii() else cell_len(piece)
        pieces.append(piece)
    return pieces


def safe_lines(text: str) -> list[SafeText]:
    r"""The lines of `text`, each made safe.

    Args:
        text: Any string. Lines end at `\n` or `\r\n`; a carriage return anywhere else is shown.

    Returns:
        At least one line; a trailing line end gives no empty last line.
    """
    return [safe_text(line) for line in _split_lines(text)]


def flowing_lines(text: str) -> list[SafeText]:
    """`safe_lines` for where nothing stands beside the lines; see `flowing_text`."""
    return [flowing_text(line) for line in _split_lines(text)]


def _split_lines(text: str) -> list[str]:
    lines = text.split("\n")
    if len(lines) > 1 and not lines[-1]:
        lines.pop()
    return [line.removesuffix("\r") for line in lines]


def safe_block(text: str) -> str:
    r"""A text of several lines in which nothing is left that a terminal or a shell would obey.

    Line ends and tabs are kept: they are part of what a reader wants to paste. A `\r` at a line end is not.
    """
    lines = text.split("\n")
    return "\n".join("\t".join(map(flowing_text, line.removesuffix("\r").split("\t"))) for line in lines)


def safe_bytes(data: bytes) -> SafeText:
    r"""One line for evidence that should be UTF-8 and may not be.

    Args:
        data: Any bytes.

    Returns:
        The decoded text made safe, with each byte that is not UTF-8 written as `\xNN`.
    """
    return safe_text(data.decode("utf-8", "backslashreplace"))


def safe_filename(text: str, fallback: str = "unnamed") -> SafeText:
    """A name for a file in some directory, made of text from a bundle.

    Args:
        text: Any string.
        fallback: The name if nothing usable is left.

    Returns:
        1 to 100 ASCII letters, digits, dots, dashes and underscores; no path, no hidden file, no option.
    """
    name = re.sub(r"[^A-Za-z0-9._-]+", "_", text)
    name = re.sub(r"\.{2,}", ".", name).lstrip(".-_")[:100].rstrip("._")
    return SafeText(name or fallback)


def clip(text: SafeText, width: int) -> SafeText:
    """`text` cut to at most `width` cells, with an ellipsis in the last one if anything was cut.

    Args:
        text: Safe text of any length; only what can fit is looked at.
        width: Cells; 0 or less gives the empty text.

    Returns:
        Text of at most `width` cells.
    """
    if width <= 0:
        return SafeText("")
    if len(text) <= width and text.isascii():
        return text
    head = text[: (width + 1) * _CHARS_PER_CELL]
    if len(head) == len(text) and cell_len(head) <= width:
        return text
    return SafeText(_head_cells(head, width - 1) + glyphs.active().ellipsis)


def clip_start(text: SafeText, width: int) -> SafeText:
    """`text` cut to at most `width` cells by leaving out its beginning: for paths, whose end says most.

    Args:
        text: Safe text.
        width: Cells; 0 or less gives the empty text.

    Returns:
        Text of at most `width` cells that starts with an ellipsis if anything was cut.
    """
    if width <= 0:
        return SafeText("")
    if cell_len(text) <= width:
        return text
    tail = text[-(width + 1) * _CHARS_PER_CELL :]
    spans, cells = split_graphemes(tail)
    for _start, end, cell_length in spans:
        cells -= cell_length
        if cells <= width - 1:
            return safe_text(glyphs.active().ellipsis + tail[end:])
    return SafeText(glyphs.active().ellipsis)


def join(parts: Iterable[SafeText], separator: str = "") -> SafeText:
    """Safe texts put together; the separator is made safe as well."""
    return SafeText(safe_text(separator).join(parts))


def _head_cells(text: str, cells: int) -> str:
    """The longest beginning of `text` that is at most `cells` cells wide."""
    if text.isascii():
        return text[: max(0, cells)]
    taken = 0
    for start, _end, cell_length in split_graphemes(text)[0]:
        taken += cell_length
        if taken > cells:
            return text[:start]
    return text


@lru_cache(maxsize=8192)
def _shown(char: str, has_pictures: bool) -> str:
    """What stands for one character by itself, or `_COMBINING`."""
    code = ord(char)
    if code < 0x20 or code == 0x7F:
        return chr(0x2421 if code == 0x7F else 0x2400 + code) if has_pictures else f"^{chr(code ^ 0x40)}"
    if not char.isprintable():
        is_space = unicodedata.category(char) == "Zs"
        return " " * get_character_cell_size(char) if is_space else _name(char)
    if char in _INVISIBLE or char in _PRESENTATION:
        return _name(char)
    return char if get_character_cell_size(char) else _COMBINING


def _name(char: str) -> str:
    """The code point of a character that cannot be shown, as Unicode writes it."""
    return f"<U+{ord(char):04X}>"


def _takes_selector(char: str) -> bool:
    """Whether a style selector after `char` is ordinary: symbols, and the digits of keycaps."""
    return unicodedata.category(char) in {"So", "Sm", "Po", "Nd"}


def _is_delicate(text: str) -> bool:
    """Whether printable `text` has characters that need more than being copied: zero-width or invisible."""
    bmp, astral = _delicate_patterns()
    return bmp.search(text) is not None or (max(text) > "\uffff" and astral.search(text) is not None)


@lru_cache(maxsize=1)
def _delicate_patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """One class for the basic plane, one above it: `re` matches a mixed one range by range, far slower."""
    # Deferred: the table is large, and only text beyond ASCII needs it.
    from rich._unicode_data import load

    ranges = [(first, last) for first, last, width in load("auto").widths if width == 0 and first > 0x7F]
    ranges += [(ord(char), ord(char)) for char in _INVISIBLE | _PRESENTATION]
    bmp = "".join(f"{chr(first)}-{chr(last)}" for first, last in ranges if first <= 0xFFFF)
    astral = "".join(f"{chr(first)}-{chr(last)}" for first, last in ranges if first > 0xFFFF)
    return re.compile(f"[{bmp}]"), re.compile(f"[{astral}]")


def _ascii_pieces(text: str) -> list[str]:
    """`safe_pieces` in the ASCII set: every character by itself, nothing beyond ASCII."""
    pieces: list[str] = []
    column = 0
    for char in text:
        code = ord(char)
        if char == "\t":
            piece = " " * (TAB_WIDTH - column % TAB_WIDTH)
        elif 0x20 <= code < 0x7F:
            piece = char
        elif code < 0x80:
            piece = "^" + chr(code ^ 0x40)
        elif code < 0x100:
            piece = f"\\x{code:02x}"
        elif code < 0x10000:
            piece = f"\\u{code:04x}"
        else:
            piece = f"\\U{code:08x}"
        column += len(piece)
        pieces.append(piece)
    return pieces
