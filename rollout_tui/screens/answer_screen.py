"""What an answer about the run as a whole is: a title, lines that stay, a list whose rows lead to places.

Values are found out in a thread and kept up with the graph: it grows while it is followed, and is another one
in the past. The cursor stays on its row meanwhile, which is known by its key. A subclass says what is found
out, and what of it stands where.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.geometry import Size
from textual.timer import Timer

from reducer import ObjectRef
from rollout_tui import keys
from rollout_tui.awaited_work import AwaitingWork
from rollout_tui.insight.agents.links import AgentLinks
from rollout_tui.key_order import OPENING
from rollout_tui.lines.spans import Piece, Span, span
from rollout_tui.screens.dialog import Dialog
from rollout_tui.screens.speaking import Actions
from rollout_tui.session import Session
from rollout_tui.views.answer_rows import AnswerRow, AnyRow, LaterRow, answer_list
from rollout_tui.views.reading_state import ReadingState, state_spans
from rollout_tui.widgets.bars import Bar
from rollout_tui.widgets.figure import Figure
from rollout_tui.widgets.virtual_list import VirtualList

V = TypeVar("V")

LOOK = "look"
"""The group of the work by which an answer is kept up with the graph."""

REST_SHARE = 2
"""Seconds of rest for each second that it took to find out: what is large is looked at less often."""


@dataclass(frozen=True)
class AnswerHost:
    """What an answer is told from, and what it does for the screen below.

    Attributes:
        session: reads payloads.
        links: gives the graph that is shown now; None while there is none.
        state: gives how far it is read, and of which moment it is.
        actions: gives what the keys do that are about the run.
        look_now: shows everything as it is now; says whether the past was shown.
    """

    session: Session
    links: Callable[[], AgentLinks | None]
    state: Callable[[], ReadingState]
    actions: Callable[[], Actions]
    look_now: Callable[[], bool]


class AnswerPlace(NamedTuple):
    """Where the reader is in an answer.

    Attributes:
        choice: what was chosen in it, as the answer has it.
        key: the row under the cursor.
        window_row: in which row of the window that is.
    """

    choice: Any
    key: Hashable | None
    window_row: int


class AnswerScreen(AwaitingWork, Dialog[ObjectRef], Generic[V]):
    """An answer; its result is what the row is about that was opened.

    Attributes:
        host: what it is told from.
        found: what was found out; None while it is looked for.
        list: the rows.
    """

    BINDINGS = [*keys.bindings(keys.Scope.RUN)]
    DEFAULT_CSS = """
    AnswerScreen > Vertical { width: 100%; height: 100%; background: $background; }
    AnswerScreen:ansi, AnswerScreen > Vertical:ansi { background: ansi_default; }
    AnswerScreen VirtualList { height: 1fr; }
    """

    name_of_answer: ClassVar[str]
    """What it is called, in its title."""
    speaks_for_below = True

    def __init__(self, host: AnswerHost, left_at: AnswerPlace | None = None) -> None:
        """Prepare to answer.

        Args:
            host: what it is told from.
            left_at: where the reader was when it was left before.
        """
        super().__init__()
        self.host = host
        self.found: V | None = None
        self.list = VirtualList(empty="Looking at the run ...")
        self._left_at = left_at
        self._is_looking, self._is_stale = False, False
        self._rest: Timer | None = None
        self._given_up: list[object] = []
        if left_at is not None:
            self.take_choice(left_at.choice)

    # What a subclass provides

    @abstractmethod
    def find_out(self, links: AgentLinks) -> V:
        """The values; in a thread."""

    @abstractmethod
    def title_pieces(self, found: V) -> Sequence[Piece]:
        """What the title says behind the name, as much as fits."""

    @abstractmethod
    def head(self, found: V, size: Size) -> list[list[Span]]:
        """The lines between title and list, which stay where they are; few where there is little room."""

    @abstractmethod
    def rows(self, found: V, width: int) -> Sequence[AnyRow]:
        """The rows of the list."""

    def why_empty(self) -> str:
        """What stands there instead of rows."""
        return "There is nothing to tell."

    def choice(self) -> Any:
        """What the reader chose, to be taken again by `take_choice`."""
        return None

    def take_choice(self, choice: Any) -> None:
        """Choose what was chosen before."""

    def cursor_on(self, row: AnyRow) -> None:
        """The cursor is on a row."""

    # The screen

    def compose(self) -> ComposeResult:
        """The title, the lines that stay, the list, the keys."""
        with Vertical():
            yield Bar(id="title")
            yield Figure(id="head")
            yield self.list
            yield Bar(id="keys")

    def on_mount(self) -> None:
        """Begin to look."""
        self.list.focus()
        self.show_keys()
        self.look()

    def said_bar(self) -> Bar:
        """The last line."""
        return self.query_one("#keys", Bar)

    def fit_into(self, size: Size) -> None:
        """Other columns fit, and other keys."""
        super().fit_into(size)
        self.draw()
        self.show_keys()

    def draw(self) -> None:
        """Show what was found out, as it was chosen; the cursor stays on its row."""
        if self.found is not None and self.is_mounted:
            self.list.empty = self.why_empty()
            self.list.set_source(answer_list(self.rows(self.found, self.app.size.width - 1)))
            self.draw_head()
        self.show_title()  # says what the rows were fitted to

    def draw_head(self) -> None:
        """Show the lines that stay."""
        if self.found is not None:
            self.query_one("#head", Figure).show_lines(self.head(self.found, self.app.size))

    def show_title(self) -> None:
        """Show what this is, and of which moment."""
        if not self.is_mounted:
            return
        told = [] if self.found is None else self.title_pieces(self.found)
        state = [Piece(1, [span("  "), one]) for one in state_spans(self.host.state())]
        name = Piece(0, [span(f" {self.name_of_answer}", "strong")])
        self.query_one("#title", Bar).show_pieces([name, *told, *state])

    @property
    def row(self) -> AnyRow | None:
        """The row under the cursor."""
        item = self.list.item
        return item if isinstance(item, AnswerRow | LaterRow) else None

    # Finding out

    def look(self) -> None:
        """Find out from the graph that is shown now; if that goes on already, do it again afterwards."""
        links = self.host.links()
        if links is None:
            return
        if self._is_looking or self._rest is not None:
            self._is_stale = True
            return
        self._is_looking, self._is_stale = True, False

        def work() -> None:
            self._given_up.clear()  # a large graph is freed here, and not in the loop
            began = monotonic()
            found = self.find_out(links)
            self.call_later(self._take, found, monotonic() - began)

        group = OPENING if self.found is None else LOOK
        # One at a time: to be exclusive, it would cancel one that is over, but does not know it yet.
        self.run_worker(work, group=group, thread=True, exit_on_error=False)

    def _take(self, found: V, seconds: float) -> None:
        self._is_looking = False
        self._given_up.append(self.found)
        is_first, self.found = self.found is None, found
        self.draw()
        if is_first:
            self._return()
        self._rest = self.set_timer(REST_SHARE * seconds, self._rested)

    def _rested(self) -> None:
        self._rest = None
        if self._is_stale:
            self.look()

    def _return(self) -> None:
        left_at = self._left_at
        if left_at is not None and left_at.key is not None and self.list.go_to(left_at.key):
            self.list.scroll_to(y=self.list.cursor - left_at.window_row)

    def work_failed(self, group: str, reason: str) -> None:
        """Say that it could not be found out; what was found out before stays."""
        del group
        self._is_looking = False
        self.list.empty = f"It could not be found out: {reason}"
        self.say(f"not found out: {reason}", bad=True)

    # Rows and leaving

    @on(VirtualList.CursorMoved)
    def _cursor_moved(self) -> None:
        if self.row is not None:
            self.cursor_on(self.row)

    @on(VirtualList.RowOpened)
    def _row_opened(self, message: VirtualList.RowOpened) -> None:
        if not isinstance(message.item, AnswerRow | LaterRow):
            return
        if message.item.ref is None:
            self.say("this row is about no single place")
        else:
            self.dismiss(message.item.ref)

    @property
    def left_at(self) -> AnswerPlace:
        """Where the reader is."""
        if self.found is None and self._left_at is not None:
            return self._left_at
        window_row = self.list.cursor - self.list.scroll_offset.y
        return AnswerPlace(self.choice(), self.list.cursor_key, window_row)

    @property
    def actions(self) -> Actions:
        """What its keys do."""
        return {**super().actions, **self.host.actions()}

    def action_back(self) -> None:
        """End a search; from the past to now; or else close."""
        if not (self.end_search() or self.host.look_now()):
            self.dismiss(None)
