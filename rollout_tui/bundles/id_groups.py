"""Ids that belong together."""

from __future__ import annotations

from collections.abc import Sequence


class IdGroups:
    """A forest of ids: every id leads to the one that stands for its group."""

    def __init__(self) -> None:
        self._parents: dict[str, str] = {}

    def of(self, id_: str) -> str:
        """Who stands for the group of an id."""
        found = id_
        while (parent := self._parents.get(found, found)) != found:
            found = parent
        self._parents[id_] = found
        return found

    def join(self, ids: Sequence[str]) -> None:
        """Put some ids into one group."""
        for other in ids[1:]:
            first, second = self.of(ids[0]), self.of(other)
            if first != second:
                self._parents[second] = first
