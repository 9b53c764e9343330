"""Whether two graphs have the same shape: the same but for texts, and for names that stand for each other."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from reducer import Reduction
from rollout_tui.redaction.vocabulary import WORDS, kind_of

_NAMES_THINGS = frozenset({"content_sha256"})
"""Fields beside ids whose values are the same in two places if what they are of is the same."""


def difference(original: Reduction, copy: Reduction) -> str | None:
    """Where the graph of a copy is not that of the original with other texts; None if it is nowhere.

    Objects, their order, numbers, statuses, lists and what refers to what must be the same; ids must stand
    for each other one to one. The copy must have no problem at a line where the original has none.
    """
    lines = {problem.line for problem in original.problems}
    for problem in copy.problems:
        if problem.line not in lines:
            place = "its end" if problem.line is None else f"line {problem.line}"
            return f"the copy has a problem at {place} that the original has not"
    return _Comparison().of(original.trace, copy.trace)


class _Comparison:
    def __init__(self) -> None:
        self._stand_for: dict[str, str] = {}
        self._stood_for: dict[str, str] = {}
        self._compared: set[tuple[int, int]] = set()
        self._waiting: list[tuple[str, Any, Any]] = []

    def of(self, left: Any, right: Any) -> str | None:
        """The first place where two values differ in shape."""
        self._waiting = [("", left, right)]
        while self._waiting:
            field, one, other = self._waiting.pop()
            if not self._agree(field, one, other):
                return f"the graph of the copy differs in {field or 'its objects'}"
        return None

    def _agree(self, field: str, one: Any, other: Any) -> bool:
        if type(one) is not type(other):
            return False
        if isinstance(one, str):
            return self._texts_agree(field, one, other)
        if isinstance(one, Struct):
            return self._structs_agree(one, other)
        if isinstance(one, dict):
            values = zip(one.values(), other.values(), strict=False)
            self._waiting += [(field, left, right) for left, right in values]
            pairs = zip(one, other, strict=False)
            return len(one) == len(other) and all(self._are_paired(left, right) for left, right in pairs)
        if isinstance(one, list | tuple):
            self._waiting += [(field, left, right) for left, right in zip(one, other, strict=False)]
            return len(one) == len(other)
        return bool(one == other)

    def _structs_agree(self, one: Struct, other: Struct) -> bool:
        pair = id(one), id(other)
        if pair not in self._compared:
            self._compared.add(pair)
            names = reversed(one.__struct_fields__)
            self._waiting += [(name, getattr(one, name), getattr(other, name)) for name in names]
        return True

    def _texts_agree(self, field: str, one: str, other: str) -> bool:
        if kind_of(field) == "id" or field.endswith(("_id", "_ids")) or field in _NAMES_THINGS:
            return self._are_paired(one, other)
        if kind_of(field) == "word" and one in WORDS:
            return one == other
        return bool(one) == bool(other)

    def _are_paired(self, one: str, other: str) -> bool:
        return self._stand_for.setdefault(one, other) == other and (
            self._stood_for.setdefault(other, one) == one
        )
