"""What a count of tokens means that did not change.

In old files it is written when a response begins, in newer ones when a request ended without one, and nothing
says which it is. In the old way one stands directly before each call; so the first calls of a file tell, and
what was counted before is kept until then.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from reducer.sessions.lines import Record
from reducer.sessions.seen_items import SeenItems
from reducer.sessions.turns import TurnState

Style = Literal["begin", "end"]


class Unexplained(Struct, frozen=True):
    """An unchanged count that may be the only trace of a call.

    Attributes:
        record: the count.
        turn: in which it stands.
        seen: what that call would have seen.
    """

    record: Record
    turn: TurnState
    seen: SeenItems


class Counts:
    """Tells changed counts from unchanged ones, and learns what the latter mean.

    Attributes:
        style: what they mean, once it is known.
        is_last: whether the last thing that was recorded is one of them; None if one ended a call that had
            begun, which says nothing about the next call.
    """

    def __init__(self) -> None:
        self.style: Style | None = None
        self.is_last: bool | None = False
        self._total: object = None
        self._preceded = 0
        self._doubtful: list[Unexplained] = []
        self._trailing: list[Unexplained] = []

    def changes(self, total: object) -> bool:
        """Whether a sum of all tokens is another one than before."""
        changed = total is not None and total != self._total
        self._total = self._total if total is None else total
        return changed

    def keep(self, one: Unexplained) -> None:
        """Keep one until it is known what it means, or what comes of it."""
        self._trailing.append(one)

    def call_begins(self) -> list[Unexplained]:
        """A call leaves its first item.

        Returns:
            Counts of which it is clear now that each is all that a call left.
        """
        trailing, self._trailing = self._trailing, []
        if self.style == "end" or self.is_last is None:
            return []
        if not self.is_last:
            # A file that began in the old way was taken up by a newer codex, if many calls were preceded.
            found = [*self._doubtful, *trailing] if self._preceded <= 1 else []
            self.style = "end"
            self._doubtful.clear()
            return found
        if self.style == "begin":
            return trailing[:-1]
        self._preceded += 1
        self._doubtful += trailing
        if self._preceded > 1:
            self.style = "begin"
            self._doubtful.clear()
        return []

    def turn_ends(self, *, well: bool) -> list[Unexplained]:
        """A turn ends.

        Returns:
            The counts after its last call: each is all that a call left, whatever counts mean in this file.
        """
        trailing, self._trailing = self._trailing, []
        return [] if well else trailing

    def drop(self) -> None:
        """What was counted last has another cause."""
        self._trailing.clear()
        self.is_last = False
