"""JavaScript as words and punctuation, without its strings, comments and regular expressions.

Just enough of the grammar to tell code from text in it. What it cannot tell it refuses, so that nobody builds
on a guess.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

MAX_SOURCE = 60_000
"""Characters of a script that is looked at: no model wrote a longer one by itself."""

_TOKEN = re.compile(
    r"""
      (?P<blank>\s++|//[^\n]*+|/\*.*?\*/)
    | (?P<string>'(?:[^'\\\n]|\\.|(?!))*+'|"(?:[^"\\\n]|\\.|(?!))*+")
    | (?P<number>\d[\w.]*+)
    | (?P<word>[\w$\#]++)
    | (?P<mark>=>|\?\?=?|&&=?|\|\|=?|\?\.(?!\d)|[-+*%<>=!&|^~?:;,.(){}\[\]@])
    """,
    re.VERBOSE | re.DOTALL,
)
_REGEX = re.compile(r"/(?![/*])(?:[^/\\\[\n]|\\[^\n]|\[(?:[^\]\\\n]|\\[^\n]|(?!))*+\]|(?!))++/\w*+")
_TEMPLATE_TEXT = re.compile(r"(?:[^`\\$]|\\.|\$(?!\{)|(?!))*+", re.DOTALL)
_BEFORE_REGEX = frozenset(
    {"return", "typeof", "case", "in", "of", "delete", "void", "throw", "new", "else", "do", "await", "yield"}
)
"""Words after which a slash begins a regular expression."""
_CLOSER = {"(": ")", "[": "]", "{": "}", "${": "}"}


class Unclear(Exception):  # noqa: N818 - an answer, no error
    """Nothing certain can be said about a script; the text says why."""


class Token(NamedTuple):
    """A word, or a mark of punctuation; `text` is empty for a string, number or regular expression."""

    text: str
    start: int
    end: int
    is_word: bool = False


def tokens(source: str) -> list[Token]:
    """The tokens of a script.

    The `${` and `}` of a template literal are tokens; its text is not.

    Raises:
        Unclear: the script is too long, or does not read as JavaScript.
    """
    if len(source) > MAX_SOURCE:
        raise Unclear("the script is too long to look at")
    found: list[Token] = []
    nesting: list[str] = []
    place = 0
    while place < len(source):
        char = source[place]
        if char == "`" or (char == "}" and nesting and nesting[-1] == "${"):
            if char == "}":
                nesting.pop()
                found.append(Token("}", place, place + 1))
            place = _skip_template_text(source, place + 1, found, nesting)
            continue
        if char == "/" and not source.startswith(("//", "/*"), place):
            place = _skip_slash(source, place, found)
            continue
        match = _TOKEN.match(source, place)
        if match is None:
            raise Unclear("the script does not read as JavaScript")
        kind = match.lastgroup
        if kind in ("string", "number"):
            found.append(Token("", place, match.end()))
        elif kind != "blank":
            text = match[0]
            found.append(Token(text, place, match.end(), kind == "word"))
            if text == "{":
                nesting.append(text)
            elif text == "}" and nesting:
                nesting.pop()
        place = match.end()
    return found


def brackets(code: Sequence[Token]) -> dict[int, int]:
    """Which token closes each opening bracket, by their places.

    Raises:
        Unclear: the brackets do not match.
    """
    closers: dict[int, int] = {}
    stack: list[int] = []
    for place, token in enumerate(code):
        if token.text in _CLOSER:
            stack.append(place)
        elif token.text in (")", "]", "}"):
            if not stack or _CLOSER[code[stack[-1]].text] != token.text:
                raise Unclear("the brackets of the script do not match")
            closers[stack.pop()] = place
    if stack:
        raise Unclear("the brackets of the script do not match")
    return closers


def is_member(code: Sequence[Token], place: int) -> bool:
    """Whether the token at a place is the name of a member, as in `x.tools`."""
    return place > 0 and code[place - 1].text in (".", "?.")


def _skip_template_text(source: str, place: int, found: list[Token], nesting: list[str]) -> int:
    """Go over the text of a template literal, up to its end or to the next `${`."""
    match = _TEMPLATE_TEXT.match(source, place)
    end = place if match is None else match.end()
    if source.startswith("${", end):
        found.append(Token("${", end, end + 2))
        nesting.append("${")
        return end + 2
    if not source.startswith("`", end):
        raise Unclear("the script does not read as JavaScript")
    found.append(Token("", place - 1, end + 1))
    return end + 1


def _skip_slash(source: str, place: int, found: list[Token]) -> int:
    """Go over a division or a regular expression, told apart by what stands before."""
    before = found[-1] if found else None
    if len(found) > 1 and found[-1].text in ("+", "-") and found[-2].text == found[-1].text:
        raise Unclear("the script has a slash that may mean two things")
    is_value = before is not None and (
        before.text in (")", "]", "}", "") or (before.is_word and before.text not in _BEFORE_REGEX)
    )
    if is_value and before is not None:
        rest = source[place + 1 :].partition("\n")[0]
        if before.text in (")", "}") and "/" in rest:
            # After `if (x)` a slash begins a regular expression, after `(a + b)` it divides.
            raise Unclear("the script has a slash that may mean two things")
        end = place + (2 if rest.startswith("=") else 1)
    else:
        match = _REGEX.match(source, place)
        if match is None:
            raise Unclear("the script does not read as JavaScript")
        end = match.end()
    found.append(Token("" if not is_value else "/", place, end))
    return end
