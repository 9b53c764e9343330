"""Places in a bundle that a reader was at: the way back through them, and marks on them."""

from __future__ import annotations

from typing import Literal, get_args

from msgspec import Struct

from reducer import ObjectRef
from rollout_tui.language.refused import InputRefused

HISTORY_LENGTH = 200
"""Places kept on the way back."""


PaneName = Literal["threads", "timeline", "context", "detail"]

PANES: tuple[PaneName, ...] = get_args(PaneName)
"""The panes in their order on the screen."""


# The way back


class Place(Struct, frozen=True):
    """Where the reader is.

    Attributes:
        thread_id: the agent whose timeline is shown.
        entry: the object of the timeline's entry under the cursor.
        seq: its sequence number: where to go should the object be gone when the bundle is read again.
        pane: the pane that has the keys.
        detail: the object that the detail pane shows, if it is not that of the entry.
        shows_all: whether the timelines of all agents are shown.
    """

    thread_id: str
    entry: ObjectRef | None
    seq: int
    pane: PaneName = "timeline"
    detail: ObjectRef | None = None
    shows_all: bool = False


class History:
    """Places that were left by a jump, as in a browser.

    The place where the reader is now is not in it: it moves with every key, so whoever asks to go back or
    forth brings it along.
    """

    def __init__(self, length: int = HISTORY_LENGTH) -> None:
        """Keep at most `length` places on either side."""
        self._length = length
        self._behind: list[Place] = []
        self._ahead: list[Place] = []

    @property
    def can_go_back(self) -> bool:
        """Whether there is a place before this one."""
        return bool(self._behind)

    @property
    def can_go_forward(self) -> bool:
        """Whether there is a place that was left by going back."""
        return bool(self._ahead)

    def last(self, here: Place) -> Place | None:
        """The place that was left last and is not this one; None if there is none."""
        return next((place for place in reversed(self._behind) if place != here), None)

    def leave(self, here: Place) -> None:
        """Note the place that is left by a jump; what was ahead is forgotten."""
        self._ahead.clear()
        if not self._behind or self._behind[-1] != here:
            self._behind.append(here)
        del self._behind[: -self._length]

    def back(self, here: Place) -> Place | None:
        """The place before; None if there is none. `here` is where `forward` will lead to."""
        return self._step(here, self._behind, self._ahead)

    def forward(self, here: Place) -> Place | None:
        """The place that was left by going back; None if there is none."""
        return self._step(here, self._ahead, self._behind)

    def _step(self, here: Place, source: list[Place], target: list[Place]) -> Place | None:
        # A jump that led to where it began would cost a key without moving anything.
        while source and source[-1] == here:
            source.pop()
        if not source:
            return None
        target.append(here)
        del target[: -self._length]
        return source.pop()


# Marks


class Marks:
    """Places under letters."""

    def __init__(self) -> None:
        self._places: dict[str, Place] = {}

    def set(self, letter: str, place: Place) -> str:
        """Put a mark on a place, and say so.

        Raises:
            InputRefused: it is no letter.
        """
        self._places[_letter(letter)] = place
        return f"mark {letter} is at seq {place.seq}; ' {letter} comes back"

    def get(self, letter: str) -> Place:
        """The place under a letter.

        Raises:
            InputRefused: it is no letter, or nothing is under it.
        """
        place = self._places.get(_letter(letter))
        if place is None:
            raise InputRefused(f"There is no mark {letter}; m {letter} sets it.")
        return place

    def all(self) -> list[tuple[str, Place]]:
        """Every mark, in order of the letters."""
        return sorted(self._places.items())


def _letter(letter: str) -> str:
    if len(letter) == 1 and letter.isascii() and letter.isalpha():
        return letter
    raise InputRefused("A mark is a letter from a to z, or from A to Z.")
