"""Regular expressions that come to an end, whatever text they are tried on.

Python's engine tries every way in which an expression can match. A repeat around something that can itself
match in several ways - `(a+)+`, `(a|b)*` - has exponentially many, and while it tries them nothing else runs.
Such expressions are refused. Those that are left have polynomially many ways, so they are tried on stretches
of a text only, the shorter the more open repeats they have: a match is found if it is at most half as long.
A reference back to what a group matched counts like an open repeat: it is compared character by character.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from math import factorial

from msgspec import Struct

from rollout_tui.language.refused import InputRefused

LONGEST_STRETCH = 2000
"""Characters that an expression is tried on at a time, at most."""

SHORTEST_STRETCH = 100
"""An expression that must not be tried on as many characters is refused."""

_STEPS = 10_000_000
"""What an expression may cost on one stretch: about a tenth of a second, in which nothing else runs."""

MAX_WAYS = 10_000
"""Ways in which the choices and bounded repeats of an expression, or of a repeated group, may combine."""

_CLOSED_REPEAT = 10
"""A repeat that allows at most this many different counts is a choice between them; any other is open."""

_TOKEN = re.compile(
    r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|(?P<comment>\(\?#[^)]*\))|(?P<open>\((?:\?(?:P?<?[^)(:=!>']{0,40}[:=!>])?)?)"
    r"|(?P<close>\))|(?P<bar>\|)|(?P<repeat>[*+?]|\{\d*,?\d*\})[+?]?|.",
    re.DOTALL,
)
_BACK_REFERENCE = re.compile(r"\\[1-9]|\(\?P=")

_COUNTS = re.compile(r"\{(\d*)(,?)(\d*)\}")
_VERBOSE = re.compile(r"\(\?[a-wyz]*x")


class _Group(Struct):
    """What is known of a group while it is read: in how many ways it can match."""

    ways: int = 1
    branches: int = 1

    def multiply(self, factor: int) -> int:
        """Note that so many ways combine with those there were; give their number, cut at `MAX_WAYS`."""
        self.ways = min(MAX_WAYS + 1, self.ways * factor)
        return self.ways


class BoundedRegex:
    """A compiled expression, and the length of the stretches on which it is harmless.

    Attributes:
        stretch: characters it is tried on at a time; every match of half as many is found.
    """

    def __init__(self, pattern: str, *, ignore_case: bool = False) -> None:
        """Compile an expression; `^` and `$` match at the ends of lines.

        Raises:
            InputRefused: it is no regular expression, or one that could take forever.
        """
        flags = re.MULTILINE | (re.IGNORECASE if ignore_case else 0)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # a warning would be printed over the screen
                self._compiled = re.compile(pattern, flags)
        except (re.error, OverflowError, RecursionError) as error:
            reason = error.msg if isinstance(error, re.error) else "it is too large"
            raise InputRefused(f"That is no regular expression: {reason}.") from None
        self.stretch = _stretch(*_cost(pattern))

    def find(self, text: str) -> Iterator[tuple[int, int] | None]:
        """Look for the first match that is not empty, and give its start and end last.

        Yields:
            None between two stretches; then the match, if there is one.
        """
        start = 0
        while True:
            end = min(len(text), start + self.stretch)
            for found in self._compiled.finditer(text, start, end):
                if found.end() > found.start():
                    yield found.span()
                    return
            if end == len(text):
                return
            yield None
            start += self.stretch // 2


def _stretch(ways: int, open_repeats: int) -> int:
    """The longest stretch on which an expression takes at most `_STEPS` steps, however unlucky.

    It may begin anywhere, each open repeat may end anywhere after that, and all its choices may combine.

    Raises:
        InputRefused: there is none that would be of use.
    """
    places = open_repeats + 1
    length = int((_STEPS * factorial(places) / ways) ** (1 / places))
    if length < SHORTEST_STRETCH:
        raise InputRefused("That has too many repeats and choices: it could take forever.")
    return min(length, LONGEST_STRETCH)


def _cost(pattern: str) -> tuple[int, int]:
    """In how many ways the choices of a compiled pattern combine, and how many open repeats it has.

    References to groups count as open repeats, unless no such repeat is before them.

    Raises:
        InputRefused: a repeat around something that can match in several ways, or too many choices.
    """
    if _VERBOSE.search(pattern):
        raise InputRefused("The flag x is not supported: a search is one line.")
    stack = [_Group()]
    repeated = _Group()  # what a repeat that comes next would repeat
    open_repeats = 0
    for token in _TOKEN.finditer(pattern):
        kind = token.lastgroup
        if open_repeats and _BACK_REFERENCE.match(token[0]):
            open_repeats += 1
            stack[-1].multiply(2)
        if kind == "open":
            stack.append(_Group())
        elif kind == "close" and len(stack) > 1:
            repeated = stack.pop()
            stack[-1].multiply(repeated.multiply(repeated.branches))
        elif kind == "bar":
            stack[-1].branches += 1
        elif kind == "repeat":
            least, most = _bounds(token["repeat"])
            _check_repeat(repeated, most)
            if most is None or most - least > _CLOSED_REPEAT:
                open_repeats += 1
                stack[-1].multiply(2)
            else:
                stack[-1].multiply(most - least + 1)
            repeated = _Group()
        elif kind is None:
            repeated = _Group()
    ways = stack[0].multiply(stack[0].branches)
    if ways > MAX_WAYS:
        raise InputRefused("That has too many choices: it could take forever.")
    return max(1, ways >> open_repeats), open_repeats


def _check_repeat(repeated: _Group, most: int | None) -> None:
    if repeated.ways == 1 or (most is not None and most <= 1):
        return
    if most is None or most > _CLOSED_REPEAT or repeated.ways**most > MAX_WAYS:
        raise InputRefused("A repeat around a choice or another repeat could take forever.")


def _bounds(repeat: str) -> tuple[int, int | None]:
    """The least and the most times that a repeat allows; None for no bound."""
    simple: dict[str, tuple[int, int | None]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}
    if repeat in simple:
        return simple[repeat]
    counts = _COUNTS.fullmatch(repeat)
    if counts is None or repeat == "{}":
        return 1, 1  # `{}` is taken as it stands
    least = int(counts[1] or 0)
    if not counts[2]:
        return least, least
    return least, int(counts[3]) if counts[3] else None
