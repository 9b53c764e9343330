"""The shape of a `state.json`: what is left when every text is only told apart from others."""

from __future__ import annotations

from typing import Any

STAYS = frozenset({"type", "status", "role", "channel", "kind", "runtime_status", "initial_response_status"})
"""Fields whose values are words of the format: they stay as they are."""
CUT = "summary"
"""The field of a part that holds only the beginning of a text: two texts may begin alike."""


def shape_of(state: dict[str, Any]) -> Any:
    """The graph with a number in the place of every text: the same number for the same text of a field.

    Ids are numbered together wherever they stand, so what refers to what is part of the shape; and objects
    are lists of pairs, so the order is, too.
    """
    return _Numbering().shape(state, "", 0)


class _Numbering:
    def __init__(self) -> None:
        self._numbers: dict[tuple[str, str], int] = {}

    def shape(self, value: Any, field: str, depth: int) -> Any:
        if isinstance(value, dict):
            of_ids = depth == 1 or field == "raw_payloads"
            return [
                (self._number("id", key) if of_ids else key, self.shape(one, key, depth + 1))
                for key, one in value.items()
            ]
        if isinstance(value, list):
            return [self.shape(one, field, depth + 1) for one in value]
        if not isinstance(value, str) or field in STAYS:
            return value
        if field == CUT:
            return bool(value)
        is_id = field.endswith(("_id", "_ids"))
        return self._number("id" if is_id else field, value)

    def _number(self, sort: str, text: str) -> tuple[str, int]:
        return sort, self._numbers.setdefault((sort, text), len(self._numbers))
