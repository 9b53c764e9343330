"""The screen for a search over everything of the bundle: hits appear while it goes on."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.geometry import Size
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input

from reducer.wire.payload_refs import PayloadRef
from rollout_tui import keys
from rollout_tui.insight.contexts.seen import WANTED_OBJECTS, Wanted
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.search.query import RegexQuery, parse_query
from rollout_tui.insight.search.search import Hit, Search, Where
from rollout_tui.language.refused import InputRefused
from rollout_tui.lines.rows import ListRows
from rollout_tui.lines.spans import Piece, Span, drop_to_fit, span
from rollout_tui.screens.dialog import Dialog
from rollout_tui.screens.speaking import Actions
from rollout_tui.views.hit_rows import HitRows, progress_words
from rollout_tui.widgets.bars import Bar
from rollout_tui.widgets.history_input import HistoryInput, InputHistory
from rollout_tui.widgets.virtual_list import VirtualList

TYPING_SECONDS = 0.25
"""How long nothing must have been typed before a search begins by itself."""

TYPED_CHARACTERS = 2
"""Characters from which on a search begins by itself: one alone is everywhere."""

_JOB = "search"
_HINTS = (
    (0, "enter opens a hit"),
    (2, "tab line or hits"),
    (4, "v who saw it"),
    (1, "esc ends, then closes"),
    (3, "or type /expression/i, an id, seq 12"),
)
"""What the last line says, each with how soon it is left out."""


class ResultList(VirtualList):
    """The hits, and the job that finds them."""

    class Failed(Message):
        """The job ended by an error of this program."""

        def __init__(self, error: str) -> None:
            """`error` is the name of the error."""
            super().__init__()
            self.error = error

    def job_failed(self, name: str, error: str) -> None:
        """Tell the screen."""
        self.post_message(self.Failed(error))


class _Run:
    """A search and the hits that its thread has found but the list does not show yet."""

    def __init__(self, search: Search) -> None:
        self.search = search
        self.arrived: deque[Hit] = deque()

    def steps(self) -> Iterator[None]:
        """Do the search."""
        for hits in self.search.steps():
            self.arrived.extend(hits)
            yield


class SearchScreen(Dialog[Hit]):
    """Searches while the reader types; its result is the hit that was opened."""

    BINDINGS = [*keys.bindings(keys.Scope.HITS)]
    own_focus = keys.Focus.HITS
    DEFAULT_CSS = """
    SearchScreen > #search { width: 100%; height: 100%; background: $background; }
    SearchScreen:ansi, SearchScreen > #search:ansi { background: ansi_default; }
    SearchScreen Horizontal { height: 1; }
    SearchScreen #prefix { width: 9; }
    SearchScreen ResultList { height: 1fr; }
    """

    def __init__(
        self,
        index: TraceIndex,
        read: Callable[[PayloadRef], bytes],
        look_for: Callable[[SearchScreen, Wanted], None],
        history: InputHistory | None = None,
        text: str = "",
    ) -> None:
        """Prepare to search.

        Args:
            index: the graph of the bundle.
            read: reads a payload by its path in the bundle; called in a thread.
            look_for: finds out who saw something, and shows it above this.
            history: earlier searches.
            text: what to search for at first.
        """
        super().__init__()
        self._index = index
        self._read = read
        self._look_for = look_for
        self._words = HitRows(index)
        self._rows: ListRows[tuple[int, Hit]] = ListRows((), self._words.row, lambda one: one[0])
        self._run: _Run | None = None
        self._is_running = False
        self._timer: Timer | None = None
        self.input = HistoryInput(
            text, InputHistory() if history is None else history, placeholder="everything"
        )
        self.results = ResultList(self._rows, id="results")

    def compose(self) -> ComposeResult:
        """The line to type on, how far the search is, the hits, where the one at the cursor is, the keys."""
        with Vertical(id="search"):
            with Horizontal():
                yield Bar(id="prefix")
                yield self.input
            yield Bar(id="progress")
            yield self.results
            yield Bar(id="place")
            yield Bar(id="hint")

    def on_mount(self) -> None:
        """Search for the text that was given."""
        self.query_one("#prefix", Bar).show([span(" Search: ", "strong")])
        self.show_keys()
        self.input.focus()
        if self.input.value:
            self._start()

    def said_bar(self) -> Bar:
        """The last line."""
        return self.query_one("#hint", Bar)

    def key_spans(self) -> list[Span]:
        """What can be typed, and what the keys do with the hits, as much as fits."""
        hints = (Piece(rank, [span(f" {hint}  ", "muted")]) for rank, hint in _HINTS)
        return drop_to_fit(hints, self.app.size.width + 2)

    def fit_into(self, size: Size) -> None:
        """Other hints fit."""
        super().fit_into(size)
        self.show_keys()

    # The line

    @on(Input.Changed)
    def _changed(self) -> None:
        """Begin anew once the reader pauses."""
        if self._run is not None and self._run.search.query.text == self.input.value:
            return
        self._clear()
        if len(self.input.value) >= TYPED_CHARACTERS:
            self._timer = self.set_timer(TYPING_SECONDS, self._start)

    @on(Input.Submitted)
    def _submitted(self) -> None:
        """Search now, and give the keys to the hits."""
        if self._run is None:
            self._start()
        if self._run is not None:
            self.input.remember()
            self.results.focus()

    def _clear(self) -> None:
        self._stop_timer()
        self.results.end_job(_JOB)
        self._run, self._is_running = None, False
        self._rows.replace(())
        self.results.empty = ""
        self.results.rows_changed()
        self.query_one("#progress", Bar).show([])
        self.query_one("#place", Bar).show([])

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None

    def _start(self) -> None:
        """Search for what the line holds."""
        self._clear()
        try:
            query = parse_query(self.input.value)
        except InputRefused as refusal:
            self.query_one("#progress", Bar).show([span(f" {refusal}", "bad")])
            return
        run = self._run = _Run(Search(self._index, query, self._read))
        self._is_running = True
        self._say_progress()
        self.results.run_job(_JOB, run.steps(), lambda is_done: self._take_in(run, is_done), inline=False)

    # The hits

    def _take_in(self, run: _Run, is_done: bool) -> None:
        """Show what has been found since the last time."""
        if run is not self._run or not self._is_running:
            return
        first = len(self._rows)
        fresh = [run.arrived.popleft() for _ in range(len(run.arrived))]
        if fresh:
            self._rows.append(enumerate(fresh, first))
            self.results.rows_appended(first)
        if is_done:
            self._is_running = False
            self.results.empty = "Nothing was found."
        self._say_progress(is_done=is_done)

    def _say_progress(self, *, is_done: bool = False) -> None:
        if self._run is not None:
            search, shown = self._run.search, len(self._rows)
            words = progress_words(search, shown, is_running=self._is_running, is_done=is_done)
            self.query_one("#progress", Bar).show(words)

    @on(VirtualList.CursorMoved)
    def _cursor_moved(self, message: VirtualList.CursorMoved) -> None:
        hit = _hit_of(message)
        if hit is not None:
            self.query_one("#place", Bar).show(self._words.place(hit))

    @on(VirtualList.RowOpened)
    def _opened(self, message: VirtualList.RowOpened) -> None:
        hit = _hit_of(message)
        if hit is not None:
            self.results.end_job(_JOB)
            self.dismiss(hit)

    @on(ResultList.Failed)
    def _failed(self, message: ResultList.Failed) -> None:
        self._is_running = False
        words = f" The search ended by a fault of this program: {message.error}"
        self.query_one("#progress", Bar).show([span(words, "bad")])

    @property
    def actions(self) -> Actions:
        """What its keys do."""
        return {**super().actions, "other_part": self._turn_part, "seen_hit": self._ask_who_saw}

    def _turn_part(self) -> None:
        """From the line to the hits, and back."""
        (self.results if self.input.has_focus else self.input).focus()

    def _ask_who_saw(self) -> None:
        """Find out who saw what was found: the text, or where an id was found the object."""
        place, run = self.results.cursor, self._run
        if run is None or not 0 <= place < len(self._rows):
            self.say("nothing is found yet that somebody could have seen")
            return
        hit = self._rows.items[place][1]
        if hit.where is not Where.ID:
            matched = hit.match.excerpt[hit.match.start : hit.match.end]
            text = matched if isinstance(run.search.query, RegexQuery) else run.search.query.text.lower()
            self._look_for(self, Wanted("text", text))
        elif hit.ref.type in WANTED_OBJECTS:
            self._look_for(self, Wanted(WANTED_OBJECTS[hit.ref.type], hit.ref.id))
        else:
            self.say("an id of an item or of a tool call can be looked for, or a text")

    def action_back(self) -> None:
        """End the search; once it has ended, close."""
        self._stop_timer()
        if self._is_running and self._run is not None:
            self.results.end_job(_JOB)
            self._take_in(self._run, is_done=False)
            self._is_running = False
            self.results.empty = "Nothing was found so far."
            self._say_progress()
        elif not self.end_search():
            self.dismiss(None)

    def action_leave(self) -> None:
        """End the search and close."""
        self._stop_timer()
        self.results.end_job(_JOB)
        self.dismiss(None)


def _hit_of(message: VirtualList.RowMessage) -> Hit | None:
    """The hit that a row stood for when it was moved to or opened; hits come and go while one types."""
    hit = message.item[1] if isinstance(message.item, tuple) else None
    return hit if isinstance(hit, Hit) else None
