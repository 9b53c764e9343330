"""The way back into a screen that the reader left by a link: a stepper, an answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from rollout_tui.panes.cursor import Cursor
from rollout_tui.screens.actions.needs import Jumps
from rollout_tui.views.places import PaneName


class Panes(Protocol):
    """What this needs of the panes."""

    @property
    def cursor(self) -> Cursor:
        """Which pane has the keys."""

    def step_back(self) -> bool:
        """Back one level; say whether there was one."""


class CountsJourneys(Jumps, Protocol):
    """Who leads to an object, and knows whether the reader went on from there."""

    @property
    def journeys(self) -> int:
        """How often the reader has gone to an object or a place by now."""


class _Way(NamedTuple):
    """A way back.

    Attributes:
        arrived_in: the pane that had the keys when the link was followed.
        journeys: how often the reader had gone somewhere by then; from elsewhere no way leads back.
        reopen: opens what was left, as it was left.
    """

    arrived_in: PaneName
    journeys: int
    reopen: Callable[[], None]


class WayBack:
    """Leads back into what was left last, as long as the reader went nowhere else."""

    def __init__(self, panes: Panes, jumping: CountsJourneys) -> None:
        self._panes = panes
        self._jumping = jumping
        self._way: _Way | None = None

    def arrived(self, reopen: Callable[[], None]) -> None:
        """A link was followed to where the reader is now.

        Args:
            reopen: opens what was left by it, as it was left.
        """
        self._way = _Way(self._panes.cursor.pane, self._jumping.journeys, reopen)

    def lead_back(self) -> bool:
        """Back into what was left; say whether there is a way back.

        What was opened since then is closed first.
        """
        way = self._way
        if way is None or way.journeys != self._jumping.journeys:
            return False
        if self._panes.cursor.pane == way.arrived_in or not self._panes.step_back():
            self._way = None
            way.reopen()
        return True
