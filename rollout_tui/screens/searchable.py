"""A screen with lists, trees or texts: it searches in them, and takes a number before a movement."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from textual import events, on
from textual.dom import DOMNode

from rollout_tui import keys
from rollout_tui.screens.counting import Counter
from rollout_tui.screens.pane_search import PaneSearch
from rollout_tui.screens.prompt import Prompt
from rollout_tui.screens.speaking import Actions, SpeakingScreen
from rollout_tui.widgets.job_view import JobView
from rollout_tui.widgets.line_view import LineView

T = TypeVar("T")


class SearchableScreen(SpeakingScreen[T]):
    """Searches in the view that has the keys.

    Attributes:
        search: the search in a view.
    """

    BINDINGS = [*keys.bindings(keys.Scope.FIND)]

    def __init__(self, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(name, id, classes)
        self.search = PaneSearch(self.speech, self)
        self._counter = Counter(self.speech, self)

    @property
    def actions(self) -> Actions:
        """What its keys do."""
        return self.search.actions

    def end_search(self) -> bool:
        """Stop a search that goes on, or else take its marks away; say whether there was anything to do."""
        return self.search.end()

    async def on_key(self, event: events.Key) -> None:
        """Take digits, and the movement that they count."""
        await self._counter.take(event)

    @on(JobView.JobEnded)
    def _job_ended(self, message: JobView.JobEnded) -> None:
        self.search.job_ended(message.view, message.name)

    # What the search and the counter ask for

    def leaving_for_hit(self, view: LineView) -> None:
        """The cursor of a view is about to be put on a hit."""

    def ask(self, prompt: Prompt, answered: Callable[[str | None], None]) -> None:
        """Ask for a line."""
        self.app.push_screen(prompt, answered)

    def undo_of_switch(self) -> Callable[[], None] | None:
        """What leads back here once a digit has gone elsewhere; None where digits go nowhere."""
        return None

    def position(self) -> object:
        """Where the reader is, to see whether a step led on."""
        return self.focused.cursor if isinstance(self.focused, LineView) else None

    async def run_where_keys_go(self, action: str) -> None:
        """Run an action where its key would: on the focused widget, or on the screen."""
        place: DOMNode | None = self.focused or self
        while place is not None and not await self.app.run_action(action, place):
            place = place.parent
