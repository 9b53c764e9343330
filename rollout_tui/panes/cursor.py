"""The one cursor of the inspector: which pane has the keys, on what each list stands, what follows what.

Nothing here draws: panes are names, rows are keys. Who draws tells of moves, and shows what is to follow.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping

from reducer import ObjectRef
from rollout_tui.views.places import PANES, PaneName

_FOLLOWING: dict[PaneName, tuple[PaneName, ...]] = {
    "threads": ("timeline", "detail"),
    "timeline": ("context", "detail"),
    "context": ("detail",),
    "detail": (),
}
"""What follows when the reader moves in the pane that has the keys."""


class Cursor:
    """Where the reader is.

    A list tells of every move of its cursor, also of one that the program made. What the program puts
    somewhere it notes by `put`: a list that tells of just that tells nothing new, so nothing follows it, and
    a jump may show something else there than would follow. Any other move is the reader's.

    Attributes:
        pane: the pane that has the keys.
        is_zoomed: whether that pane has the whole screen.
    """

    def __init__(self) -> None:
        self.pane: PaneName = "timeline"
        self.is_zoomed = False
        self._came_from: PaneName = "timeline"
        self._rows: dict[PaneName, Hashable] = {}

    # On what it stands

    def put(self, pane: PaneName, row: Hashable) -> None:
        """Note on which row of a list the program has put the cursor."""
        self._rows[pane] = row

    def moved(self, pane: PaneName, row: Hashable) -> tuple[PaneName, ...]:
        """Take notice that a list stands on a row; gives the panes that are to follow.

        The timeline leads whoever has the keys: its row may be gone from a newer view. The other lists lead
        only while they have the keys, and the detail only follows the pane that has them.
        """
        if pane in self._rows and self._rows[pane] == row:
            return ()
        self._rows[pane] = row
        if pane == self.pane:
            return _FOLLOWING[pane]
        return ("context",) if pane == "timeline" else ()

    def subject(self, selected: Mapping[PaneName, ObjectRef | None]) -> ObjectRef | None:
        """The object that a key is about: that of the pane with the keys, or else the one in the detail.

        Args:
            selected: the object under the cursor of each pane; of the detail the one that it shows.
        """
        here = selected.get(self.pane)
        return selected.get("detail") if here is None else here

    # Which pane has the keys

    def give_keys(self, pane: PaneName) -> None:
        """Give the keys to a pane."""
        if pane == "detail" and self.pane != "detail":
            self._came_from = self.pane
        self.pane = pane

    def next_pane(self, direction: int) -> PaneName:
        """The pane after this one (1) or before it (-1), round from the end."""
        return PANES[(PANES.index(self.pane) + direction) % len(PANES)]

    def pane_above(self) -> PaneName | None:
        """The pane one level up: from the detail that from which it was entered. None at the top."""
        above: dict[PaneName, PaneName] = {"detail": self._came_from, "context": "timeline"}
        return above.get(self.pane)

    def seen_panes(self, room: int) -> tuple[PaneName, ...]:
        """The panes that are on the screen.

        Args:
            room: for how many there is room: 4, 2 (a list, and the detail beside it) or 1.
        """
        if room == 1 or self.is_zoomed:
            return (self.pane,)
        if room == 2:
            return (self._came_from if self.pane == "detail" else self.pane, "detail")
        return PANES
