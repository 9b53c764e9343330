"""The compaction stepper: what a compaction kept, dropped and hid, in four states."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.geometry import Size

from reducer import ObjectRef
from rollout_tui import glyphs, keys
from rollout_tui.insight.compaction.rewrites import Rewrite
from rollout_tui.insight.compaction.steps import CompactionStep, compaction_steps, nearest_step, step_before
from rollout_tui.insight.compaction.verdicts import Judged
from rollout_tui.insight.contexts.seen import Wanted
from rollout_tui.insight.index import TraceIndex
from rollout_tui.lines.rows import ListRows
from rollout_tui.lines.spans import Piece, StyleName, drop_to_fit, span
from rollout_tui.screens.compaction_checkpoint import Checkpoint
from rollout_tui.screens.compaction_column import line_rows
from rollout_tui.screens.dialog import Dialog
from rollout_tui.screens.looking import LooksFor
from rollout_tui.screens.speaking import Actions
from rollout_tui.views.compaction import titles, verdict_words
from rollout_tui.views.compaction.history_rows import STATE_NAMES, HistoryRows, Line, State, states_of
from rollout_tui.views.compaction.page import Page, page_of
from rollout_tui.views.compaction.walk import CompactionWalk
from rollout_tui.views.detail.facts import FactRow, fact_row
from rollout_tui.widgets.bars import Bar
from rollout_tui.widgets.virtual_list import VirtualList


class Chosen(NamedTuple):
    """What the reader wants to see in the inspector.

    Attributes:
        ref: the object.
        at: an entry of the timeline at whose point the object can be seen in the context, if there is one.
    """

    ref: ObjectRef
    at: ObjectRef | None


class CompactionPlace(NamedTuple):
    """Where the reader is in the stepper: the compaction, its state, the row of each list."""

    identity: tuple[str, str] | None
    state: State
    cursors: tuple[int, ...]
    on_after: bool


class CompactionStepper(Dialog[Chosen]):
    """Steps through the compactions of a bundle. Its result is what the reader wants to see.

    Attributes:
        walk: where in the compactions the reader is.
        left_at: where the reader was when it was left for an object; None if it was not.
    """

    DEFAULT_CSS = """
    CompactionStepper > Vertical { width: 100%; height: 100%; background: $background; }
    CompactionStepper:ansi { background: ansi_default; }
    CompactionStepper VirtualList { height: 1fr; }
    CompactionStepper Checkpoint { display: none; }
    CompactionStepper.-columns Checkpoint { display: block; }
    CompactionStepper.-columns #single { display: none; }
    CompactionStepper Column.-after { border-left: solid ansi_bright_black; }
    CompactionStepper.-ascii Column.-after { border-left: ascii ansi_bright_black; }
    CompactionStepper Bar.-empty { display: none; }
    CompactionStepper.-flat #totals { display: none; }
    CompactionStepper.-low #info, CompactionStepper.-low #note { display: none; }
    CompactionStepper.-thin Column { display: none; border-left: none; }
    CompactionStepper.-thin Column.-keys { display: block; }
    """
    BINDINGS = [*keys.bindings(keys.Scope.COMPACTION)]
    own_focus = keys.Focus.COMPACTION

    def __init__(
        self,
        index: TraceIndex,
        look_for: LooksFor,
        thread_id: str | None = None,
        seq: int = 0,
        besides: Rewrite | None = None,
        *,
        before: bool = False,
    ) -> None:
        """Open on the compaction nearest to a place.

        Args:
            index: the graph.
            look_for: finds out who saw something.
            thread_id: the agent whose compactions come first in question.
            seq: the sequence number to be near to.
            besides: a rewrite of a history to step through though it is no compaction.
            before: take the last one before that place.
        """
        super().__init__()
        self._index = index
        self._look_for = look_for
        steps = compaction_steps(index, besides)
        self.walk = CompactionWalk(
            index, steps, (step_before if before else nearest_step)(steps, thread_id, seq)
        )
        self.left_at: CompactionPlace | None = None
        self._is_shown = False
        self._page = Page()
        self._single = VirtualList(id="single")
        self._checkpoint = Checkpoint()

    def compose(self) -> ComposeResult:
        """Header, states, two lines about the state, list or columns, totals, reason, keys."""
        with Vertical():
            yield Bar(id="title")
            yield Bar(id="states")
            yield Bar(id="info")
            yield Bar(id="note")
            yield self._single
            yield self._checkpoint
            yield Bar(id="reason")
            yield Bar(id="keys")

    def on_mount(self) -> None:
        """Show the keys; the first state follows when the size is known."""
        self.set_class(glyphs.active().ascii_only, "-ascii")
        self.show_keys()

    def said_bar(self) -> Bar:
        """The last line."""
        return self._bar("keys")

    def _bar(self, name: str) -> Bar:
        return self.query_one(f"#{name}", Bar)

    # What is shown

    @property
    def place(self) -> int | None:
        """Which of all compactions is shown; None if there are none."""
        return self.walk.place

    @property
    def state(self) -> State:
        """In which state it is shown."""
        return self.walk.state

    @property
    def _lists(self) -> tuple[VirtualList, ...]:
        return self._single, self._checkpoint.before.list, self._checkpoint.after.list

    def _show(self) -> None:
        """Show the compaction in its state."""
        walk = self.walk
        page = self._page = page_of(self._index, walk.view, walk.state)
        title = [span(" compactions", "strong")]
        if walk.place is not None:
            title = titles.title_spans(self._index, walk.steps, walk.place, self.app.size.width)
        self._bar("title").show(title)
        if walk.step is not None:
            self._show_states(walk.step)
        for name, spans in (("info", page.info), ("note", page.note)):
            self._bar(name).show(spans)
            self._bar(name).set_class(not spans, "-empty")
        self.set_class(page.checkpoint is not None, "-columns")
        if page.checkpoint is not None and walk.view is not None:
            self._checkpoint.show(self._index, walk.view, page.checkpoint)
            self._checkpoint.give_keys(self._checkpoint.column)
        else:
            self._show_single(page)
        if walk.step is not None:
            self._show_reason()

    def _show_states(self, step: CompactionStep) -> None:
        stepped = states_of(step)
        pieces: list[Piece] = []
        for state, name in STATE_NAMES.items():
            is_shown = state is self.state
            mark = glyphs.active().fold_closed if is_shown else " "
            style: StyleName = "strong" if is_shown else "muted"
            no = "" if state in stepped else "no "
            pieces += [
                Piece(0, [span(f"{mark}{int(state)}", style)]),
                Piece(0 if is_shown else abs(state - self.state), [span(f" {no}{name}", style)]),
                Piece(0, [span("  ")]),
            ]
        self._bar("states").show(drop_to_fit(pieces, self.app.size.width))

    def _show_single(self, page: Page) -> None:
        self._single.empty = page.empty
        if page.facts is None:
            row_words = HistoryRows(self._index, self.size.width)
            self._single.set_source(line_rows(self._index, page.lines, row_words))
        else:
            self._single.set_source(ListRows(page.facts, fact_row, lambda row: row.place))
        self._single.focus()

    def _show_reason(self) -> None:
        """Say at the foot why the item under the cursor has its verdict."""
        judged, other = self._judged_item()
        bar = self._bar("reason")
        bar.show([] if judged is None else verdict_words.reason_spans(self._index, judged, other=other))
        bar.set_class(self.state in (State.LAST_CALL, State.REQUEST), "-empty")

    def _judged_item(self) -> tuple[Judged | None, str]:
        """The verdict under the cursor, and the history in which the partner of the item stands."""
        if self._page.checkpoint is not None:
            judged, view = self._checkpoint.column.judged, self._checkpoint.column.list
        else:
            lines, view = self._page.lines, self._single
            judged = lines[view.cursor].judged if lines else None
        return judged, "" if judged is None else self._other_history(view, judged)

    def _other_history(self, view: VirtualList, judged: Judged) -> str:
        """The history in which the partner of an item in a list stands."""
        if view is not self._single:
            return "after" if view is self._checkpoint.before.list else "before"
        return "after" if judged.verdict in ("summarised", "dropped") else "before"

    def fit_into(self, size: Size) -> None:
        """Rows say more where there is room."""
        super().fit_into(size)
        if self.left_at is None or self._is_shown:
            self._show()
        else:
            self._go_to(self.left_at)
        self._is_shown = True
        self.show_keys()

    @on(VirtualList.CursorMoved)
    def _cursor_moved(self) -> None:
        self._show_reason()

    def on_descendant_focus(self) -> None:
        """Show which column has the keys."""
        self._checkpoint.mark_focused()
        self._show_reason()

    # Keys

    @property
    def actions(self) -> Actions:
        """What its keys do."""
        return {
            **super().actions,
            "step_forth": partial(self._step, 1),
            "step_back": partial(self._step, -1),
            **{f"state_{int(state)}": partial(self._go, self.place, state) for state in State},
            "next_compaction": partial(self._go_to_compaction, 1),
            "previous_compaction": partial(self._go_to_compaction, -1),
            "other_column": self._turn_column,
            "seen_compacted": self._ask_who_saw,
        }

    def _step(self, direction: int) -> None:
        """To the next state, or the one before."""
        state = self.walk.next_state(direction)
        if state is not None:
            self._go(self.place, state)

    def _go_to_compaction(self, direction: int) -> None:
        """To the next compaction, or the one before, in the same state."""
        place = self.walk.next_place(direction)
        if place is not None:
            self._go(place, self.state)
        elif self.place is not None:
            self.say("this is the last compaction" if direction > 0 else "this is the first compaction")

    def _go(self, place: int | None, state: State) -> None:
        """Show a compaction in a state, each list from its first row."""
        if place is None:
            return
        self.walk.go(place, state)
        self._show()
        for view in self._lists:
            view.jump(0)

    def _turn_column(self) -> None:
        """To the other column of the checkpoint, onto what the item here became or was."""
        if self._page.checkpoint is not None:
            self._checkpoint.turn()

    def _ask_who_saw(self) -> None:
        """Find out which calls saw the item under the cursor, or what the fact there leads to."""
        view = self._checkpoint.column.list if self._page.checkpoint is not None else self._single
        row = view.item
        ref = None
        if isinstance(row, FactRow):
            ref = row.fact.link
        elif isinstance(row, Line) and row.item_id is not None:
            ref = ObjectRef("ConversationItem", row.item_id)
        if ref is None or ref.type != "ConversationItem":
            self.say("this is about items: go to one of them")
        else:
            self._look_for(Wanted("item", ref.id), self, lambda found: self._leave_for(Chosen(found, None)))

    # Where the reader is

    def undo_of_switch(self) -> Callable[[], None]:
        """What shows this state again, with the cursors where they are."""
        return partial(self._go_to, self._here())

    def _here(self) -> CompactionPlace:
        cursors = tuple(view.cursor for view in self._lists)
        on_after = self._checkpoint.after.list.has_focus
        return CompactionPlace(self.walk.identity, self.state, cursors, on_after=on_after)

    def resume(self, left_at: CompactionPlace) -> bool:
        """Begin where the reader was, if that compaction is there; to be called before it is shown."""
        if self.walk.place_of(left_at.identity) is None:
            return False
        self.left_at = left_at
        return True

    def _go_to(self, left_at: CompactionPlace) -> None:
        self._go(self.walk.place_of(left_at.identity), left_at.state)
        for view, cursor in zip(self._lists, left_at.cursors, strict=True):
            view.jump(cursor)
        if self._page.checkpoint is not None and left_at.on_after:
            self._checkpoint.give_keys(self._checkpoint.after)

    @on(VirtualList.RowOpened)
    def _row_opened(self, message: VirtualList.RowOpened) -> None:
        row = message.item
        if isinstance(row, FactRow) and row.fact.link is not None:
            link = row.fact.link
            at = link if link.type != "ConversationItem" else self.walk.entry_after()
            self._leave_for(Chosen(link, at))
        elif isinstance(row, Line) and row.item_id is not None:
            is_before = row.judged is None or self._other_history(message.view, row.judged) == "after"
            at = self.walk.entry_before() if is_before else self.walk.entry_after()
            self._leave_for(Chosen(ObjectRef("ConversationItem", row.item_id), at))

    def _leave_for(self, chosen: Chosen) -> None:
        self.left_at = self._here()
        self.dismiss(chosen)
