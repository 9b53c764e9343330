"""Answers about the run as a whole."""

from __future__ import annotations

from typing import Protocol

from textual.worker import get_current_worker

from rollout_tui.insight.agents.links import AgentLinks
from rollout_tui.insight.overview import Overview, overview_of
from rollout_tui.key_order import OPENING
from rollout_tui.screens.actions.needs import Actions, Jumps, Opens, Shown, Works
from rollout_tui.session import Session
from rollout_tui.views.overview import unknown_schema_words


class Screen(Opens, Works, Protocol):
    """What this needs of the screen."""

    @property
    def is_active(self) -> bool:
        """Whether nothing is open above it."""

    def say_nothing(self) -> None:
        """Show the keys again instead of what is said."""


class Answers:
    """Tells of the run as a whole, and leads to what it tells of."""

    def __init__(self, screen: Screen, session: Session, panes: Shown, jumping: Jumps) -> None:
        self._screen = screen
        self._session = session
        self._panes = panes
        self._jumping = jumping

    @property
    def actions(self) -> Actions:
        """What the keys do."""
        return {"overview": self._look_over}

    def _look_over(self) -> None:
        """Look at the run; in a thread, since all of it is looked at."""
        timelines = self._panes.timelines
        if timelines is None:
            return
        if not timelines.index.is_schema_known:
            self._screen.say(unknown_schema_words(timelines.index))
            return
        links = timelines.links

        def work() -> None:
            worker = get_current_worker()
            found = overview_of(links, self._session.json)
            if not worker.is_cancelled:
                self._screen.from_thread(self._show, links, found)

        self._screen.say("looking at the run ...")
        self._screen.in_thread(work, OPENING)

    def _show(self, links: AgentLinks, found: Overview) -> None:
        from rollout_tui.screens.overview import OverviewScreen

        self._screen.say_nothing()
        if self._screen.is_active:  # the reader did not wait for it otherwise
            self._screen.open_above(OverviewScreen(links.index, found), self._jumping.arrive)
