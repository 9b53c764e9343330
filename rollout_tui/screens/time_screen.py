"""Where the time went: a lane for each agent, the critical path, who waited for whom."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from textual import on
from textual.geometry import Size

from rollout_tui import keys
from rollout_tui.insight.agents.links import AgentLinks
from rollout_tui.insight.timeline.entries import Entry
from rollout_tui.insight.timing.columns import Window
from rollout_tui.lines.spans import Piece, Span, drop_to_fit, span
from rollout_tui.screens.answer_screen import AnswerHost, AnswerPlace, AnswerScreen
from rollout_tui.screens.sizes import TALL, WHERE_LINES
from rollout_tui.screens.speaking import Actions
from rollout_tui.texts.short_forms import duration
from rollout_tui.views.answer_rows import AnyRow
from rollout_tui.views.time_lanes import axis, legend, name_cells, time_label
from rollout_tui.views.time_look import Spot, TimeLook
from rollout_tui.views.time_rows import TimeAnswer, lane_rows, rows_below, spot_lines, time_answer
from rollout_tui.widgets.line_view import LineView


class Choice(NamedTuple):
    """Where the reader looks.

    Attributes:
        spot: the moment; None for where the panes are.
        zoomed: the stretch of time; None for the whole run.
        thread_id: the agent.
    """

    spot: Spot | None = None
    zoomed: Window | None = None
    thread_id: str = ""


class TimeScreen(AnswerScreen[TimeAnswer]):
    """Lanes, and below them what the end had to wait for; its result is what is at the spot or in the row.

    Attributes:
        time_look: where the reader is; None while the run is looked at.
        thread_id: the agent at whose spot the reader is.
    """

    BINDINGS = [*keys.bindings(keys.Scope.TIME)]
    own_focus = keys.Focus.TIME
    name_of_answer = "Time"

    def __init__(
        self, host: AnswerHost, left_at: AnswerPlace | None = None, entry: Entry | None = None
    ) -> None:
        """Prepare to answer.

        Args:
            host: what it is told from.
            left_at: where the reader was when it was left before.
            entry: the entry of the timeline at whose moment to begin otherwise.
        """
        self._chosen = Choice()
        self._entry = entry
        self._below: tuple[TimeAnswer, list[AnyRow]] | None = None
        self.time_look: TimeLook | None = None
        self.thread_id = ""
        super().__init__(host, left_at)

    def find_out(self, links: AgentLinks) -> TimeAnswer:
        """The values; in a thread."""
        return time_answer(links)

    def choice(self) -> Choice:
        """Where the reader looks."""
        look = self.time_look
        return self._chosen if look is None else Choice(look.spot, look.zoomed, self.thread_id)

    def take_choice(self, choice: Choice) -> None:
        """Look there."""
        self._chosen = choice

    # What is shown

    def draw(self) -> None:
        """Show it. What became of the run moves neither the spot nor the stretch that is looked at."""
        found = self.found
        if found is not None:
            if self.time_look is None:
                self._begin(found)
            elif self.time_look.found is not found.time:
                self.time_look.take(found.time)
            if self.thread_id not in found.time.lanes:
                self.thread_id = next(iter(found.time.lanes), "")
        super().draw()

    def _begin(self, found: TimeAnswer) -> None:
        spot, zoomed, self.thread_id = self._chosen
        entry = self._entry
        if spot is None and entry is not None and entry.thread_id in found.time.lanes:
            spot, self.thread_id = self._spot_at(found, entry.thread_id, entry.seq), entry.thread_id
            self.call_after_refresh(self.list.go_to, ("lane", entry.thread_id))
        self.time_look = TimeLook(found.time, spot, zoomed)

    @staticmethod
    def _spot_at(found: TimeAnswer, thread_id: str, seq: int) -> Spot:
        return Spot(found.time.clock.at(seq), thread_id, seq)

    def title_pieces(self, found: TimeAnswer) -> Sequence[Piece]:
        """How long it took, and how much of it is looked at."""
        look = self.time_look
        if look is None:
            return []
        window, begin = look.window, found.time.whole.begin
        step = max(1, window.ms // look.columns)
        pieces = [Piece(0, [span(f"  {duration(found.time.whole.ms - 1)}")])]
        if look.zoomed is not None:
            first, last = (time_label(at - begin, step) for at in (window.begin, window.end))
            pieces.append(Piece(2, [span(f"  {first} to {last}", "accent")]))
        pieces.append(Piece(3, [span(f"  1 column is {time_label(step, min(step, 999))}", "muted")]))
        return pieces

    def _cells(self, found: TimeAnswer, width: int) -> int:
        return name_cells([*found.names.values()], width)

    def head(self, found: TimeAnswer, size: Size) -> list[list[Span]]:
        """What is at the spot, what the letters mean, and the axis right above the lanes."""
        look, width = self.time_look, size.width - 1
        if look is None or not found.time.lanes:
            return []
        here, more = spot_lines(found, look, self.thread_id)
        pieces = [here]
        pieces += [more] if size.height >= WHERE_LINES else []
        pieces += [legend()] if size.height >= TALL else []
        lines = [drop_to_fit(one, width) for one in pieces]
        return [*lines, axis(look, self._cells(found, width) + 1)]

    def rows(self, found: TimeAnswer, width: int) -> Sequence[AnyRow]:
        """The lanes, and what stands below them, which no movement of the spot changes."""
        look = self.time_look
        if look is None:
            return []
        cells = self._cells(found, width)
        look.fit_into(width - cells - 1)
        if self._below is None or self._below[0] is not found:
            self._below = found, rows_below(found)
        return [*lane_rows(found, look, cells), *self._below[1]]

    # Moving

    def cursor_on(self, row: AnyRow) -> None:
        """The spot is in the agent of the row; a link and a wait are gone to."""
        look, found, thread_id = self.time_look, self.found, row.thread_id
        if look is None or found is None or thread_id is None or thread_id not in found.time.lanes:
            return
        self.thread_id = thread_id
        if isinstance(row.key, tuple) and row.key[0] in ("link", "wait", "open"):
            look.go(self._spot_at(found, thread_id, row.key[1]))
            self.draw()
        self.draw_head()

    @on(LineView.AtEdge)
    def _at_edge(self, message: LineView.AtEdge) -> None:
        look, direction = self.time_look, message.direction
        self._moved(look is not None and look.move(direction * message.times), direction)

    def _moved(self, is_moved: bool, direction: int) -> None:
        if not is_moved:
            self.say("this is the last moment of the run" if direction > 0 else "this is its first moment")
        self.draw()

    def _pan(self, direction: int) -> None:
        self._moved(self.time_look is not None and self.time_look.pan(direction), direction)

    def _zoom(self, direction: int) -> None:
        if self.time_look is not None and not self.time_look.zoom(direction):
            closest = "a column is as short as a clock can tell"
            self.say(closest if direction > 0 else "this is the whole run")
        self.draw()

    def _turn_whole(self) -> None:
        if self.time_look is not None and self.thread_id:
            self.time_look.turn_whole(self.thread_id)
            self.draw()

    def _go_to(self, spot: Spot | None, otherwise: str) -> None:
        """Go to a spot, with the cursor on the lane of its agent."""
        if spot is None or self.time_look is None:
            self.say(otherwise)
            return
        self.thread_id = spot.thread_id
        self.time_look.go(spot)
        self.list.go_to(("lane", spot.thread_id))
        self.draw()

    def _step(self, direction: int, *, of_kind: bool) -> None:
        look = self.time_look
        if look is not None and self.thread_id:
            spot = look.next_stretch(self.thread_id, direction, of_kind=of_kind)
            when = "after" if direction > 0 else "before"
            what = "nothing of this kind" if of_kind else "nothing"
            self._go_to(spot, f"{what} {when} this in this agent")

    def _to_mark(self, direction: int, *, failures: bool) -> None:
        look = self.time_look
        if look is not None:
            what, when = "failure" if failures else "compaction", "after" if direction > 0 else "before"
            self._go_to(look.next_mark(direction, failures=failures), f"no {what} {when} this")

    @property
    def actions(self) -> Actions:
        """What its keys do."""
        return {
            **super().actions,
            "zoom_in": partial(self._zoom, 1),
            "zoom_out": partial(self._zoom, -1),
            "turn_whole": self._turn_whole,
            "pan_back": partial(self._pan, -1),
            "pan_on": partial(self._pan, 1),
            "next_stretch": partial(self._step, 1, of_kind=False),
            "previous_stretch": partial(self._step, -1, of_kind=False),
            "next_of_kind": partial(self._step, 1, of_kind=True),
            "previous_of_kind": partial(self._step, -1, of_kind=True),
            "failure_on": partial(self._to_mark, 1, failures=True),
            "failure_back": partial(self._to_mark, -1, failures=True),
            "compaction_on": partial(self._to_mark, 1, failures=False),
            "compaction_back": partial(self._to_mark, -1, failures=False),
        }
