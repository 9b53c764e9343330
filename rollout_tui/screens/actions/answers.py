"""Answers about the run as a whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from reducer import ObjectRef
from rollout_tui.insight.agents.links import AgentLinks
from rollout_tui.insight.tokens.prices import Price
from rollout_tui.screens.actions.needs import Actions, Jumps, Opens, Shown, Works
from rollout_tui.screens.actions.way_back import WayBack
from rollout_tui.screens.answer_screen import AnswerHost, AnswerPlace, AnswerScreen
from rollout_tui.session import Session
from rollout_tui.views.overview import unknown_schema_words
from rollout_tui.views.reading_state import ReadingState


class Screen(Opens, Works, Protocol):
    """What this needs of the screen."""

    @property
    def is_active(self) -> bool:
        """Whether nothing is open above it."""

    def say_nothing(self) -> None:
        """Show the keys again instead of what is said."""


class Reads(Protocol):
    """Who reads the bundle."""

    @property
    def state(self) -> ReadingState:
        """How far it is."""

    def look_now(self) -> bool:
        """Show everything as it is now; say whether the past was shown."""


Opener = Callable[[AnswerHost, AnswerPlace | None], AnswerScreen[Any]]
"""Makes the screen of an answer, as it was left if it was open before."""


class Answers:
    """Tells of the run as a whole, and leads to what it tells of."""

    def __init__(
        self,
        screen: Screen,
        session: Session,
        panes: Shown,
        jumping: Jumps,
        way_back: WayBack,
        reader: Reads,
        run_actions: Callable[[], Actions],
        prices: Mapping[str, Price] | None,
    ) -> None:
        """Prepare to answer.

        Args:
            screen: opens answers.
            session: reads payloads.
            panes: what is shown of the run now.
            jumping: leads to what a row tells of.
            way_back: leads from there back into the answer.
            reader: knows of which moment the graph is.
            run_actions: gives what the keys do that hold in an answer, too.
            prices: what tokens cost, by model; None for no prices.
        """
        self._screen = screen
        self._session = session
        self._panes = panes
        self._jumping = jumping
        self._way_back = way_back
        self._prices = prices
        self._host = AnswerHost(session, self._links, lambda: reader.state, run_actions, reader.look_now)
        self._left_at: dict[Opener, AnswerPlace] = {}
        self._open: AnswerScreen[Any] | None = None

    @property
    def actions(self) -> Actions:
        """What the keys do."""
        return {
            "overview": lambda: self._answer(self._overview),
            "tokens": lambda: self._answer(self._tokens),
            "time": lambda: self._answer(self._time),
        }

    def _links(self) -> AgentLinks | None:
        timelines = self._panes.timelines
        return None if timelines is None else timelines.links

    # What the screen below tells

    def view_changed(self) -> None:
        """The graph that is shown is another one."""
        if self._open is not None:
            self._open.look()

    def state_changed(self) -> None:
        """It is read further, or of another moment."""
        if self._open is not None:
            self._open.show_title()

    # Answers that keep up with the graph

    def begin(self) -> None:
        """Open the overview before anything is read: it fills itself when there is something."""
        self._open_answer(self._overview)

    def _overview(self, host: AnswerHost, left_at: AnswerPlace | None) -> AnswerScreen[Any]:
        from rollout_tui.screens.overview import OverviewScreen

        return OverviewScreen(host, left_at)

    def _tokens(self, host: AnswerHost, left_at: AnswerPlace | None) -> AnswerScreen[Any]:
        from rollout_tui.screens.tokens import TokensScreen

        return TokensScreen(host, left_at, self._prices)

    def _time(self, host: AnswerHost, left_at: AnswerPlace | None) -> AnswerScreen[Any]:
        from rollout_tui.screens.time_screen import TimeScreen

        return TimeScreen(host, left_at, self._panes.entry)

    def _answer(self, opener: Opener) -> None:
        """Open an answer, in the place of another one that is open."""
        links = self._links()
        if links is None:
            return
        if not links.index.is_schema_known:
            self._screen.say(unknown_schema_words(links.index))
            return
        self._open_answer(opener)

    def _open_answer(self, opener: Opener) -> None:
        screen = opener(self._host, self._left_at.get(opener))
        before, self._open = self._open, screen
        if before is not None:
            before.dismiss(None)

        def left(ref: ObjectRef | None) -> None:
            self._left_at[opener] = screen.left_at
            if self._open is screen:
                self._open = None
            if ref is not None:
                self._jumping.arrive(ref)
                self._way_back.arrived(lambda: self._answer(opener))

        self._screen.open_above(screen, left)
