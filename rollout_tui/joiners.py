"""Where the two joiners of Unicode, which show nothing themselves, belong to a word or an emoji.

Persian, Hindi and others choose the form of a letter with U+200C (do not join) and U+200D (join); a family or
a flag is several emoji with U+200D between them. Anywhere else a joiner is text that nobody sees.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

NON_JOINER = "\u200c"
JOINER = "\u200d"
JOINERS = frozenset((NON_JOINER, JOINER))

_JOINING_SCRIPTS = frozenset(
    (
        "ADLAM", "ARABIC", "BALINESE", "BENGALI", "BRAHMI", "CHAKMA", "DEVANAGARI", "GRANTHA",
        "GUJARATI", "GURMUKHI", "JAVANESE", "KAITHI", "KANNADA", "KHMER", "LEPCHA", "LIMBU",
        "MALAYALAM", "MANDAIC", "MONGOLIAN", "MYANMAR", "NEWA", "NKO", "ORIYA", "PHAGS-PA",
        "SHARADA", "SINHALA", "SYRIAC", "TAMIL", "TELUGU", "TIBETAN", "TIRHUTA",
    )
)  # fmt: skip
"""Scripts whose letters change with their neighbours, by the first word of the names of their characters."""

_EMOJI = (
    (0x2194, 0x21AA),  # arrows
    (0x2300, 0x23FF),  # technical
    (0x2600, 0x27BF),  # miscellaneous symbols, dingbats
    (0x2B00, 0x2BFF),  # squares, stars, arrows
    (0x1F000, 0x1FAFF),  # pictures
)
"""Blocks in which emoji stand: Python's Unicode data does not tell which characters are emoji."""


def belongs(before: str, joiner: str, after: str) -> bool:
    """Whether a joiner is part of what stands around it.

    Args:
        before: the letter, spacing mark or symbol before it that may carry marks and selectors; may be empty.
        joiner: one of `JOINERS`.
        after: the character right after it; empty at the end, where a row may have been broken.

    Returns:
        True between letters or marks of one joining script, and for U+200D between two emoji.
    """
    if not before:
        return False
    if joiner == JOINER and _is_emoji(before):
        return not after or _is_emoji(after)
    script = _joining_script(before)
    return script is not None and (not after or script == _joining_script(after))


@lru_cache(maxsize=1024)
def _joining_script(char: str) -> str | None:
    """The script of a letter or mark, if it is one whose letters join."""
    if unicodedata.category(char)[0] not in "LM":
        return None
    script = unicodedata.name(char, "").partition(" ")[0]
    return script if script in _JOINING_SCRIPTS else None


@lru_cache(maxsize=1024)
def _is_emoji(char: str) -> bool:
    is_symbol = unicodedata.category(char) in ("So", "Sm")
    return is_symbol and any(first <= ord(char) <= last for first, last in _EMOJI)
