"""Searching in the list, tree or text that has the keys, without holding up any other key."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from functools import partial
from time import monotonic
from typing import Protocol

from textual.widget import Widget

from rollout_tui.lines.spans import spans_text
from rollout_tui.safe_text import safe_text
from rollout_tui.screens.prompt import Prompt
from rollout_tui.screens.speaking import Actions
from rollout_tui.screens.speech import Speech
from rollout_tui.texts.text_lines import plain_pattern
from rollout_tui.texts.view_search import SearchableView, Turn, ViewSearch
from rollout_tui.widgets.history_input import InputHistory
from rollout_tui.widgets.line_view import LineView
from rollout_tui.widgets.virtual_list import VirtualList

PROGRESS_SECONDS = 0.2
"""A search that takes longer says how far it is."""

_JOB = "find"

_WIDEST_ROW = 1000
"""Cells of a row that are looked at to see whether the text is in it."""


class Want(Enum):
    """To which hit the reader wants to go as soon as it is known."""

    NONE = "none"
    FIRST = "first"
    NEXT = "next"
    PREVIOUS = "previous"


class _Run:
    """A search in one view, and where the reader is in it."""

    def __init__(self, view: LineView, finding: ViewSearch, want: Want) -> None:
        self.view = view
        self.finding = finding
        self.want = want
        self.began = monotonic()
        self.is_counting = False
        self.position = 0
        self.words: list[str] = []
        self._at: tuple[int, int] | None = None  # the hit gone to, and the line the cursor was put on

    def turn(self, start: int) -> Turn | None:
        """The wanted hit, as far as it is known.

        Args:
            start: the position of the cursor; a hit in its line that was gone to counts instead.
        """
        here = self._at[0] if self._at is not None and self._at[1] == self.view.cursor else start
        if self.want is Want.FIRST:
            return self.finding.first()
        return self.finding.next_after(here) if self.want is Want.NEXT else self.finding.last_before(here)

    def arrived(self, position: int) -> None:
        """The cursor is on a hit."""
        self._at = position, self.view.cursor


class Searched(Protocol):
    """What is searched in."""

    @property
    def focused(self) -> Widget | None:
        """What has the keys."""

    def leaving_for_hit(self, view: LineView) -> None:
        """The cursor of a view is about to be put on a hit."""

    def ask(self, prompt: Prompt, answered: Callable[[str | None], None]) -> None:
        """Ask for a line."""


class PaneSearch:
    """Looks for a text in whatever view has the keys."""

    def __init__(self, speech: Speech, searched: Searched) -> None:
        self._speech = speech
        self._searched = searched
        self._query = ""
        self._runs: dict[Widget, _Run] = {}
        self._marked: set[LineView] = set()
        self._typed = InputHistory()

    @property
    def actions(self) -> Actions:
        """What the keys do."""
        return {
            "find": self._ask,
            "find_next": partial(self._go_on, Want.NEXT),
            "find_previous": partial(self._go_on, Want.PREVIOUS),
        }

    def _ask(self) -> None:
        """Ask for a text, and go to where it is next."""
        view = self._searched.focused
        if not isinstance(view, LineView) or not isinstance(view, SearchableView):
            self._speech.say("there is nothing to search in here")
            return

        def answered(text: str | None) -> None:
            if text:
                self.find(view, text)

        hint = "a text in this pane; capitals count if there are any; n next, N previous, esc ends it"
        self._searched.ask(Prompt("/", self._typed, lambda _text: None, hint=hint), answered)

    def find(self, view: LineView, query: str, want: Want = Want.FIRST) -> None:
        """Look for a text in a view from its cursor on; mark it there."""
        if not isinstance(view, SearchableView):
            return
        self.mark_found(view, query)
        size = view.find_size()
        start = max(0, min(view.find_start(), size - 1))
        finding = ViewSearch(query, view.find_basis(), start, size)
        run = self._runs[view] = _Run(view, finding, want)
        steps = finding.steps(view.find_hits(query, start))
        view.run_job(_JOB, steps, partial(self._stepped, run), inline=view.find_is_quick())

    def mark_found(self, view: LineView, query: str) -> None:
        """Mark in a view what was found elsewhere, so that the next hit in it can be gone to."""
        self._query = query
        self._marked.add(view)
        view.highlight(query)

    def end(self) -> bool:
        """Stop a search that goes on, or else take its marks away; say whether there was anything to do."""
        running = [run for run in self._runs.values() if not run.finding.is_done]
        for run in running:
            run.view.end_job(_JOB)
            del self._runs[run.view]
        if running:
            self._speech.say(f"stopped searching for {self._query}")
            return True
        self._runs.clear()
        marked = list(self._marked)
        self._marked.clear()
        for view in marked:
            view.highlight(None)
        return bool(marked)

    # One search

    def _go_on(self, want: Want) -> None:
        view = self._searched.focused
        if not self._query:
            self._speech.say("nothing was searched for yet")
            return
        if not isinstance(view, LineView) or not isinstance(view, SearchableView):
            return
        run = self._runs.get(view)
        if run is None or run.finding.query != self._query or run.finding.basis != view.find_basis():
            self.find(view, self._query, want)
        else:
            run.want = want
            self._advance(run)

    def _stepped(self, run: _Run, _is_done: bool) -> None:
        if self._runs.get(run.view) is run:
            self._advance(run)

    def _advance(self, run: _Run) -> None:
        """Go to the wanted hit if it is known, and say how many there are."""
        view, finding = run.view, run.finding
        if not isinstance(view, SearchableView):
            return
        if finding.basis != view.find_basis():
            if run.want is not Want.NONE:
                self.find(view, finding.query, run.want)  # rows came or went meanwhile
            return
        if run.want is Want.NONE:
            if finding.is_done and run.is_counting and self._speech.is_saying:
                self._say_place(run)
            return
        turn = run.turn(view.find_start())
        if turn is not None:
            self._searched.leaving_for_hit(view)
            view.show_hit(turn.position)
            run.arrived(turn.position)
            self._say_place(run, turn, backwards=run.want is Want.PREVIOUS)
            run.want = Want.NONE
        elif finding.is_done:
            run.want = Want.NONE
            self._speech.say(f"not found: {finding.query}", bad=True)
        elif monotonic() - run.began >= PROGRESS_SECONDS:
            self._speech.say(f"searching {100 * finding.fraction:.0f}%, {finding.count} found, esc cancels")

    def _say_place(self, run: _Run, turn: Turn | None = None, *, backwards: bool = False) -> None:
        """Say which hit this is, of how many, and whether the way to it led round."""
        finding = run.finding
        run.is_counting = not finding.is_done
        if turn is not None:
            run.words = [f"round from the {'end' if backwards else 'beginning'}"] if turn.wrapped else []
            if not _is_in_line(run.view, finding.query):
                run.words.append("in the text of this row")
            run.words.append(f"/{finding.query}")
            run.position = turn.position
        total = f"{finding.count} and more" if finding.is_cut else str(finding.count)
        count = "counting" if run.is_counting else f"{finding.number_of(run.position)} of {total}"
        self._speech.say("  ".join((count, *run.words)))

    def job_ended(self, view: Widget, name: str) -> None:
        """A job of a view ended by a fault."""
        if name == _JOB and self._runs.pop(view, None) is not None:
            self._speech.say("the search ended by a fault of this program", bad=True)


def _is_in_line(view: LineView, query: str) -> bool:
    """Whether a row of a list says a text itself, and not only what it stands for."""
    if not isinstance(view, VirtualList):
        return True
    spans = view.line_spans(view.cursor, _WIDEST_ROW)
    return plain_pattern(safe_text(query)).search(spans_text(spans)) is not None
