"""The tabs of an object side by side: which there are, which is shown, which the reader opened. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from reducer.wire.payload_refs import PayloadRef
from rollout_tui import glyphs
from rollout_tui.insight.items.sections import TextSection
from rollout_tui.lines.spans import Piece, span
from rollout_tui.panes.detail_tabs import OBJECT, Tab, nearest_tab, same_tab
from rollout_tui.views.detail.facts import Evidence


class TabRow:
    """The tabs of one object.

    Attributes:
        all: the tabs, its fields first and what the reader opened last.
        shown: the one that is shown.
    """

    def __init__(self) -> None:
        self.all: list[Tab] = [Tab(OBJECT)]
        self.shown = self.all[0]
        self._opened: list[Tab] = []
        self._value_of: Tab | None = None

    @property
    def opened(self) -> Sequence[Tab]:
        """What the reader opened beside what the object has."""
        return self._opened

    @property
    def place(self) -> int:
        """Where the tab is that is shown."""
        return next((place for place, tab in enumerate(self.all) if tab.key == self.shown.key), 0)

    def beside(self, direction: int) -> Tab | None:
        """The tab after the one that is shown (1) or before it (-1); None at the end."""
        place = self.place + direction
        return self.all[place] if 0 <= place < len(self.all) else None

    def named(self, name: str) -> Tab | None:
        """The tab with a name."""
        return next((tab for tab in self.all if tab.name == name), None)

    # Other objects, and other views of the same one

    def leave(self) -> None:
        """The object is another one now: what was opened was of the one before."""
        self._opened = []

    def nearest(self) -> Tab:
        """The tab in which to show another object."""
        return nearest_tab(self.all, self.shown)

    def leave_value(self) -> None:
        """Go back from a value to its payload, which alone knows what the value says now."""
        if self.shown.is_exact and self._value_of is not None:
            self._opened, self.shown = [], self._value_of

    def stay(self) -> Tab:
        """Stay on the tab that is shown, as it is in a newer view, also if it is gone there."""
        self.shown = same_tab(self.all, self.shown)
        if self.shown.is_gone:
            self.all = [*self.all, self.shown]
        return self.shown

    # What the reader opens

    def for_payload(self, ref: PayloadRef) -> Tab:
        """The tab of a payload; it is opened if the object has none for it."""
        name = ref.kind.type.replace("_", " ")
        tab = Tab(name, evidence=Evidence(name, ref))
        known = next((one for one in self.all if one.key == tab.key), None)
        return known or self._open(tab)

    def open_value(self, path: str, text: str) -> Tab:
        """Open a tab for a value of the payload that is shown."""
        if not self.shown.is_exact:
            self._value_of = self.shown
        return self._open(Tab("value", (TextSection(path, text=text),), is_exact=True))

    def _open(self, tab: Tab) -> Tab:
        """Add a tab, instead of another one of its sort that was opened before."""
        kept = [one for one in self._opened if one.kind != tab.kind]
        dropped = [one.key for one in self._opened if one.kind == tab.kind]
        self._opened = [*kept, tab]
        self.all = [*(one for one in self.all if one.key not in dropped), tab]
        return tab

    def pieces(self) -> list[Piece]:
        """The names of the tabs, those near the shown one longest where there is no room for all."""
        here, pieces = self.place, []
        for place, tab in enumerate(self.all):
            mark = glyphs.active().fold_closed if place == here else " "
            name = span(f"{mark}{tab.name} ", "strong" if place == here else "muted")
            pieces.append(Piece(abs(place - here), [name]))
        return pieces
