"""The overview of a run: what was asked, how it ended, what failed, and what became of each agent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from textual.geometry import Size

from rollout_tui import keys
from rollout_tui.insight.agents.links import AgentLinks
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.overview import Overview, overview_of
from rollout_tui.lines.spans import Piece, Span
from rollout_tui.screens.answer_screen import AnswerScreen
from rollout_tui.screens.sizes import BROAD
from rollout_tui.views.answer_rows import AnswerRow
from rollout_tui.views.overview import unknown_schema_words
from rollout_tui.views.overview_rows import overview_rows


class Told(NamedTuple):
    """What there is to know at first.

    Attributes:
        graph: what it is told from.
        overview: what is told; None if this program does not know the schema, so that there is no run in it.
    """

    graph: TraceIndex
    overview: Overview | None


class OverviewScreen(AnswerScreen[Told]):
    """What there is to know at first; its result is the object of the row that was opened."""

    own_focus = keys.Focus.OVERVIEW
    name_of_answer = "Overview"

    def find_out(self, links: AgentLinks) -> Told:
        """All of it."""
        is_known = links.index.is_schema_known
        return Told(links.index, overview_of(links, self.host.session.json) if is_known else None)

    def title_pieces(self, found: Told) -> Sequence[Piece]:
        """The rows say it all."""
        return []

    def head(self, found: Told, size: Size) -> list[list[Span]]:
        """Nothing stays where it is: the rows begin with the outcome."""
        return []

    def rows(self, found: Told, width: int) -> Sequence[AnswerRow]:
        """The outcome, failures, agents, waits, compactions."""
        if found.overview is None:
            return []
        return overview_rows(found.graph, found.overview, is_narrow=width < BROAD)

    def why_empty(self) -> str:
        """Why there is nothing to know."""
        return "" if self.found is None else unknown_schema_words(self.found.graph)
