"""Ids of very many objects, by numbers: those that count on take a few bytes each, and no string."""

from __future__ import annotations

from array import array

_DIGITS = "0123456789"
_MOST_DIGITS = 9
_BEFORE = ":"
"""What stands before the number in an id that counts on; an id that a model made up may end anyhow."""

_GAP = 64
"""Numbers that an id may leave out after the one before it and still be of those that count."""

_RECENT = 4096
"""Ids whose numbers are at hand: mostly an id that was asked for is asked for again soon."""

_NONE = 2**32 - 1
_OWN = 0
"""Stands for the beginning of an id that is held as it is."""


class Ids:
    """Gives each id a number, from 0, in the order in which they come. It only grows."""

    __slots__ = ("_beginnings", "_counted", "_others", "_own", "_parts", "_recent", "_starts")

    def __init__(self) -> None:
        self._counted: dict[str, tuple[int, array[int]]] = {}
        self._beginnings = [""]
        self._own: dict[str, int] = {}
        self._others: list[str] = []
        self._starts = array("I")
        self._parts = array("I")
        self._recent: dict[object, int] = {}

    def __len__(self) -> int:
        return len(self._parts)

    def number(self, key: object) -> int | None:
        """The number of an id; None if it has none yet."""
        known = self._recent.get(key)
        if known is None and isinstance(key, str):
            known = self._found(key, *_halves(key))
        return known

    def _found(self, key: str, beginning: str, part: int) -> int | None:
        _, numbers = self._counted.get(beginning, _NO_NUMBERS)
        counted = numbers[part] if 0 <= part < len(numbers) else _NONE
        known = self._own.get(key) if counted == _NONE else counted
        if known is not None:
            self._note(key, known)
        return known

    def _note(self, key: str, number: int) -> None:
        if len(self._recent) >= _RECENT:
            self._recent.clear()
        self._recent[key] = number

    def id(self, number: int) -> str:
        """The id with a number."""
        start, part = self._starts[number], self._parts[number]
        return self._others[part] if start == _OWN else f"{self._beginnings[start]}{part}"

    def add(self, key: str) -> int:
        """The number of an id, which is given one if it has none."""
        known = self._recent.get(key)
        if known is not None:
            return known
        beginning, part = _halves(key)
        known = self._found(key, beginning, part)
        if known is not None:
            return known
        number = len(self._parts)
        start, numbers = self._counted.get(beginning, _NO_NUMBERS)
        if not 0 <= part <= len(numbers) + _GAP:
            start, part = _OWN, len(self._others)
            self._others.append(key)
            self._own[key] = number
        else:
            if start == _OWN:
                start, numbers = len(self._beginnings), array("I")
                self._beginnings.append(beginning)
                self._counted[beginning] = start, numbers
            while len(numbers) <= part:
                numbers.append(_NONE)
            numbers[part] = number
        self._starts.append(start)
        self._parts.append(part)  # last: now it is there
        self._note(key, number)
        return number


_NO_NUMBERS: tuple[int, array[int]] = (_OWN, array("I"))


def _halves(key: str) -> tuple[str, int]:
    """What an id begins with, and the number at its end; -1 where it does not count on with that."""
    beginning = key.rstrip(_DIGITS)
    digits = key[len(beginning) :]
    if not beginning.endswith(_BEFORE) or not 0 < len(digits) <= _MOST_DIGITS:
        return beginning, -1
    return beginning, -1 if digits[0] == "0" and digits != "0" else int(digits)
