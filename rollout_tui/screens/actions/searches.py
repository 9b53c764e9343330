"""Finding things in a bundle: a search over everything, the filter of the timeline, what is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from reducer import ObjectRef
from rollout_tui.insight.contexts.seen import Wanted
from rollout_tui.insight.search.query import RegexQuery, parse_query
from rollout_tui.insight.search.search import Hit
from rollout_tui.panes.detail import DetailPane
from rollout_tui.panes.pane import Pane
from rollout_tui.panes.timeline import TimelinePane
from rollout_tui.screens.actions.needs import Actions, JumpsAnywhere, LooksFor, Opens, Shown
from rollout_tui.screens.prompt import Prompt, checked_by
from rollout_tui.session import Session
from rollout_tui.views.filters import completions, parse_filter
from rollout_tui.widgets.history_input import InputHistory
from rollout_tui.widgets.line_view import LineView

if TYPE_CHECKING:
    from rollout_tui.screens.search import SearchScreen


class Screen(Opens, Protocol):
    """What this needs of the screen."""

    def mark_found(self, view: LineView, query: str) -> None:
        """Mark in a view what was found elsewhere, so that the next hit in it can be gone to."""


class Panes(Shown, Protocol):
    """What this needs of the panes."""

    @property
    def timeline(self) -> TimelinePane:
        """Has the filter."""

    @property
    def detail(self) -> DetailPane:
        """Shows what was found in a payload."""

    def show_detail(self, ref: ObjectRef | None) -> None:
        """Show an object in the detail."""

    def activate(self, pane: Pane) -> None:
        """Give a pane the keys."""

    def follow_entry(self) -> None:
        """Make context and detail follow the entry under the cursor."""


class Searches:
    """Finds places, and leads there."""

    def __init__(
        self, screen: Screen, session: Session, panes: Panes, jumping: JumpsAnywhere, look_for: LooksFor
    ) -> None:
        self._screen = screen
        self._session = session
        self._panes = panes
        self._jumping = jumping
        self._look_for = look_for
        self._searches, self._filters = InputHistory(), InputHistory()

    @property
    def actions(self) -> Actions:
        """What the keys do."""
        return {
            "search_everything": self._search,
            "filter": self._ask_for_filter,
            "problems": self._list_wrong,
        }

    # Search

    def _search(self) -> None:
        """Search items, tool arguments and results, raw payloads and ids."""
        from rollout_tui.screens.search import SearchScreen

        def found(hit: Hit | None) -> None:
            if hit is not None:
                self._show_found(hit, screen.input.value)

        timelines = self._panes.timelines
        if timelines is not None:
            read = self._session.recording.own_json
            screen = SearchScreen(timelines.index, read, self._look_for_found, self._searches)
            self._screen.open_above(screen, found)

    def _look_for_found(self, screen: SearchScreen, wanted: Wanted) -> None:
        """Find out who saw what was found; what is opened in the answer takes the place of the search."""

        def leave_for(ref: ObjectRef) -> None:
            screen.dismiss(None)
            self._jumping.arrive(ref)

        self._look_for(wanted, screen, leave_for)

    def _show_found(self, hit: Hit, query: str) -> None:
        """Jump to a hit; one that stands in a payload is shown there, with the cursor on its value."""
        panes, ref = self._panes, hit.ref
        if ref.type == "Event" and panes.timelines is not None and panes.timelines.index.has(ref):
            self._jumping.jump_to_seq(hit.seq)
            panes.show_detail(ref)
        elif not self._jumping.jump(ref):
            return
        if hit.payload is not None:
            panes.detail.show_payload(hit.payload, hit.path)
            panes.activate(panes.detail)
            match = hit.match
            is_expression = isinstance(parse_query(query), RegexQuery)
            found = match.excerpt[match.start : match.end] if is_expression else query.lower()
            self._screen.mark_found(panes.detail.payload_tree, found)

    # Filter

    def _ask_for_filter(self) -> None:
        """Ask for a filter of the timeline's rows; an empty one shows them all."""

        def answered(text: str | None) -> None:
            if text is not None:
                self.set_filter(text)

        timelines = self._panes.timelines
        paths = [] if timelines is None else [one.agent_path for one in timelines.index.threads]
        prompt = Prompt(
            "&",
            self._filters,
            checked_by(parse_filter),
            complete=lambda text: completions(text, paths),
            text=self._panes.timeline.filter.text,
            hint="word, !word, kind:tool, status:failed, agent:name; an empty line shows every row",
            empty_is_answer=True,
        )
        self._screen.open_above(prompt, answered)

    def set_filter(self, text: str) -> None:
        """Show only the rows of the timeline that pass a filter."""
        timelines = self._panes.timelines
        if timelines is not None:
            self._panes.timeline.set_filter(timelines, parse_filter(text))
            self._panes.follow_entry()

    # What is wrong

    def _list_wrong(self) -> None:
        """List what is wrong: with the recording, and in the run."""
        from rollout_tui.screens.problems import ProblemsScreen

        timelines = self._panes.timelines
        if timelines is not None:
            self._screen.open_above(ProblemsScreen(timelines), self._show_wrong)

    def _show_wrong(self, ref: ObjectRef | None) -> None:
        timelines = self._panes.timelines
        payload = None if timelines is None or ref is None else timelines.index.trace.raw_payloads.get(ref.id)
        if ref is not None and ref.type == "Payload" and payload is not None:
            self._jumping.jump_to_payload(payload)
        elif ref is not None:
            self._jumping.jump(ref)
