"""The compaction stepper: what a compaction kept, dropped and hid, in four states."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.geometry import Size

from reducer import ObjectRef
from reducer.model import InferenceCall
from rollout_tui import glyphs, keys
from rollout_tui.screens.compaction_column import Column, line_rows
from rollout_tui.screens.dialog import Dialog
from rollout_tui.views.compaction import verdict_words, words
from rollout_tui.views.compaction.facts import request_facts
from rollout_tui.views.compaction.rewrites import Rewrite
from rollout_tui.views.compaction.rows import (
    STATE_NAMES,
    Line,
    LineWords,
    State,
    first_call_lines,
    last_call_lines,
    states_of,
)
from rollout_tui.views.compaction.steps import (
    CompactionStep,
    StepView,
    compaction_steps,
    nearest_step,
    step_before,
)
from rollout_tui.views.compaction.verdicts import Judged
from rollout_tui.views.contexts.item_sizes import total_size
from rollout_tui.views.detail.facts import FactRow, fact_row
from rollout_tui.views.index import TraceIndex
from rollout_tui.widgets.bars import Bar
from rollout_tui.widgets.rows import ListRows
from rollout_tui.widgets.spans import Piece, Span, StyleName, drop_to_fit, span
from rollout_tui.widgets.virtual_list import VirtualList

TOTALS = ("size-before", "verdicts-before", "size-after", "verdicts-after", "tokens")
"""The lines at the foot of the checkpoint."""


class Chosen(NamedTuple):
    """What the reader wants to see in the inspector.

    Attributes:
        ref: the object.
        at: an entry of the timeline at whose point the object can be seen in the context, if there is one.
    """

    ref: ObjectRef
    at: ObjectRef | None


class Standing(NamedTuple):
    """Where the reader is in the stepper: the compaction, its state, the row of each list."""

    identity: tuple[str, str] | None
    state: State
    cursors: tuple[int, ...]
    on_after: bool


class CompactionStepper(Dialog[Chosen]):
    """Steps through the compactions of a bundle. Its result is what the reader wants to see.

    Attributes:
        steps: all compactions, thread by thread.
        place: which of them is shown; None if there are none.
        state: in which state it is shown.
        standing: where the reader was when it was left for an object; None if it was not.
    """

    DEFAULT_CSS = """
    CompactionStepper > Vertical { width: 100%; height: 100%; background: $background; }
    CompactionStepper VirtualList { height: 1fr; }
    CompactionStepper #columns { height: 1fr; }
    CompactionStepper Column.-after { border-left: solid ansi_bright_black; }
    CompactionStepper.-ascii Column.-after { border-left: ascii ansi_bright_black; }
    CompactionStepper #totals { height: 5; }
    CompactionStepper #columns, CompactionStepper #totals { display: none; }
    CompactionStepper.-columns #columns, CompactionStepper.-columns #totals { display: block; }
    CompactionStepper.-columns #single { display: none; }
    CompactionStepper Bar.-empty { display: none; }
    CompactionStepper.-flat #totals { display: none; }
    CompactionStepper.-low #info, CompactionStepper.-low #note { display: none; }
    CompactionStepper.-thin Column { display: none; border-left: none; }
    CompactionStepper.-thin Column.-keys { display: block; }
    CompactionStepper Bar {
        & > .line--good, & > .line--added { color: ansi_green; }
        & > .line--removed { color: ansi_red; }
        & > .line--special { color: ansi_magenta; }
    }
    """
    BINDINGS = [*keys.bindings(keys.Context.COMPACTION)]
    pane = keys.Pane.COMPACTION

    def __init__(
        self,
        index: TraceIndex,
        thread_id: str | None = None,
        seq: int = 0,
        besides: Rewrite | None = None,
        *,
        before: bool = False,
    ) -> None:
        """Open on the compaction nearest to a place.

        Args:
            index: the graph.
            thread_id: the agent whose compactions come first in question.
            seq: the sequence number to be near to.
            besides: a rewrite of a history to step through though it is no compaction.
            before: take the last one before that place.
        """
        super().__init__()
        self._index = index
        self.steps = compaction_steps(index, besides)
        self.place = (step_before if before else nearest_step)(self.steps, thread_id, seq)
        self.state = State.LAST_CALL
        self._view = None if self.place is None else StepView(index, self.steps[self.place])
        self.standing: Standing | None = None
        self._is_shown = False
        self._lines: list[Line] = []
        self._facts: list[FactRow] = []
        self._single = VirtualList(id="single")
        self._before = Column("before", "after", "There was nothing in it.")
        self._after = Column("after", "before", "There is nothing in it.")

    def compose(self) -> ComposeResult:
        """Header, states, two lines about the state, list or columns, totals, reason, keys."""
        with Vertical():
            yield Bar(id="title")
            yield Bar(id="states")
            yield Bar(id="info")
            yield Bar(id="note")
            yield self._single
            with Horizontal(id="columns"):
                yield self._before
                yield self._after
            with Vertical(id="totals"):
                yield from (Bar(id=name) for name in TOTALS)
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
    def step(self) -> CompactionStep | None:
        """The compaction that is shown."""
        return None if self._view is None else self._view.step

    def _show_from_top(self) -> None:
        """Show the compaction in its state, each list from its first row."""
        self._show()
        for view in self._lists:
            view.jump(0)

    @property
    def _lists(self) -> tuple[VirtualList, ...]:
        return self._single, self._before.list, self._after.list

    def _show(self) -> None:
        """Show the compaction in its state."""
        view = self._view
        if view is None or self.place is None:
            self._bar("title").show([span(" compactions", "strong")])
            self._say()
            self._show_single([], words.nothing_found(self._index))
            return
        width = self.app.size.width
        self._bar("title").show(words.title_spans(self._index, self.steps, self.place, width))
        self._show_states(view.step)
        shown = {
            State.LAST_CALL: self._show_last_call,
            State.REQUEST: self._show_request,
            State.CHECKPOINT: self._show_checkpoint,
            State.FIRST_CALL: self._show_first_call,
        }
        shown[self.state](view)
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

    def _say(self, info: list[Span] | None = None, note: list[Span] | None = None) -> None:
        for name, spans in (("info", info or []), ("note", note or [])):
            bar = self._bar(name)
            bar.show(spans)
            bar.set_class(not spans, "-empty")

    def _show_single(self, lines: list[Line], empty: str, facts: list[FactRow] | None = None) -> None:
        self._lines, self._facts = lines, facts or []
        self.remove_class("-columns")
        self._single.empty = empty
        if facts is None:
            row_words = LineWords(self._index, self.size.width)
            self._single.set_source(line_rows(self._index, lines, row_words))
        else:
            self._single.set_source(ListRows(facts, fact_row, lambda row: row.place))
        self._single.focus()

    def _show_last_call(self, view: StepView) -> None:
        call = view.step.last_before
        if call is None:
            self._say()
        else:
            context = total_size(self._index.items(call.request_item_ids))
            lines = verdict_words.size_lines({"context": context})
            self._say(words.call_spans(self._index, call), [span(lines[0])])
        self._show_single(last_call_lines(view), words.no_call_before(view.step))

    def _show_request(self, view: StepView) -> None:
        self._say()
        facts = request_facts(self._index, view)
        self._show_single([], "", [FactRow(*row) for row in enumerate(facts)])

    def _show_checkpoint(self, view: StepView) -> None:
        lines = [[span(f" {line}")] for line in words.source_words(self._index, view.step)]
        self._say(*lines)
        found = view.checkpoint
        if found is None:
            self._show_single([], words.no_checkpoint(view.step))
            return
        self.add_class("-columns")
        self._before.show(self._index, found.before)
        self._after.show(self._index, found.after)
        sizes = verdict_words.size_lines(dict(zip(("before", "after"), view.sizes, strict=True)))
        self._bar("size-before").show([span(sizes[0])])
        self._bar("verdicts-before").show([span("        "), *verdict_words.count_spans(found.before)])
        self._bar("size-after").show([span(sizes[1])])
        self._bar("verdicts-after").show([span("        "), *verdict_words.count_spans(found.after)])
        self._bar("tokens").show([span(f" {words.token_words(self._index, view.step)}")])
        self._give_keys(self._after if self._after.list.has_focus else self._before)

    def _show_first_call(self, view: StepView) -> None:
        call, found = view.step.first_after, view.aftermath
        if call is None or found is None:
            self._say()
        else:
            self._say(words.call_spans(self._index, call), verdict_words.return_spans(found))
        self._show_single(first_call_lines(view), words.no_call_after(self._index, view.step))

    def _show_reason(self) -> None:
        """Say at the foot why the item under the cursor has its verdict."""
        judged, other = self._judged_item()
        bar = self._bar("reason")
        bar.show([] if judged is None else verdict_words.reason_spans(self._index, judged, other=other))
        bar.set_class(self.state in (State.LAST_CALL, State.REQUEST), "-empty")

    def _judged_item(self) -> tuple[Judged | None, str]:
        """The verdict under the cursor, and the history in which the partner of the item stands."""
        if self.has_class("-columns"):
            judged, view = self._column.judged, self._column.list
        else:
            line, view = self._line, self._single
            judged = None if line is None else line.judged
        return judged, "" if judged is None else self._other_history(view, judged)

    def _other_history(self, view: VirtualList, judged: Judged) -> str:
        """The history in which the partner of an item in a list stands."""
        if view is not self._single:
            return "after" if view is self._before.list else "before"
        return "after" if judged.verdict in ("summarised", "dropped") else "before"

    @property
    def _line(self) -> Line | None:
        return self._lines[self._single.cursor] if self._lines else None

    @property
    def _column(self) -> Column:
        return self._after if self._after.list.has_focus else self._before

    def fit_into(self, size: Size) -> None:
        """Rows say more where there is room."""
        super().fit_into(size)
        if self.standing is None or self._is_shown:
            self._show()
        else:
            self._go_to(self.standing)
        self._is_shown = True
        self.show_keys()

    @on(VirtualList.CursorMoved)
    def _cursor_moved(self) -> None:
        self._show_reason()

    def on_descendant_focus(self) -> None:
        """Show which column has the keys."""
        for column in (self._before, self._after):
            column.mark_focused(column.list.has_focus)
        self._show_reason()

    # Keys

    def action_step_forth(self) -> None:
        """To the next state."""
        self._step(1)

    def action_step_back(self) -> None:
        """To the state before."""
        self._step(-1)

    def _step(self, direction: int) -> None:
        if self.step is None:
            return
        ahead = [state for state in states_of(self.step) if (state - self.state) * direction > 0]
        if ahead:
            self._go(self.place, min(ahead, key=lambda state: abs(state - self.state)))

    def action_show_state(self, number: int) -> None:
        """To a state by its number."""
        self._go(self.place, State(number))

    def undo_of_switch(self) -> Callable[[], None]:
        """What shows this state again, with the cursors where they are."""
        return partial(self._go_to, self._here())

    def _here(self) -> Standing:
        cursors = tuple(view.cursor for view in self._lists)
        identity = None if self.step is None else self.step.identity
        return Standing(identity, self.state, cursors, on_after=self._after.list.has_focus)

    def resume(self, standing: Standing) -> bool:
        """Begin where the reader was, if that compaction is there; to be called before it is shown."""
        if self._place_of(standing) is None:
            return False
        self.standing = standing
        return True

    def _place_of(self, standing: Standing) -> int | None:
        identities = [step.identity for step in self.steps]
        return identities.index(standing.identity) if standing.identity in identities else None

    def _go_to(self, standing: Standing) -> None:
        self._go(self._place_of(standing), standing.state)
        for view, cursor in zip(self._lists, standing.cursors, strict=True):
            view.jump(cursor)
        if self.has_class("-columns") and standing.on_after:
            self._give_keys(self._after)

    def action_next_compaction(self) -> None:
        """To the next compaction, in the same state."""
        self._go_to_compaction(1)

    def action_previous_compaction(self) -> None:
        """To the compaction before, in the same state."""
        self._go_to_compaction(-1)

    def _go_to_compaction(self, direction: int) -> None:
        if self.place is None:
            return
        if 0 <= self.place + direction < len(self.steps):
            self._go(self.place + direction, self.state)
        else:
            self.say("this is the last compaction" if direction > 0 else "this is the first compaction")

    def _go(self, place: int | None, state: State) -> None:
        if place is None:
            return
        if place != self.place:
            self.place, self._view = place, StepView(self._index, self.steps[place])
        self.state = state
        self._show_from_top()

    def action_other_column(self) -> None:
        """To the other column of the checkpoint, onto what the item here became or was."""
        if not self.has_class("-columns"):
            return
        here = self._column
        there = self._before if here is self._after else self._after
        if here.judged is not None and here.judged.partner is not None:
            there.list.jump(here.judged.partner)
        self._give_keys(there)

    def _give_keys(self, column: Column) -> None:
        """Give a column the keys, and the other's place where there is no room for both."""
        for one in (self._before, self._after):
            one.set_class(one is column, "-keys")
        column.list.focus()

    @on(VirtualList.RowOpened)
    def _row_opened(self, message: VirtualList.RowOpened) -> None:
        row = message.item
        if isinstance(row, FactRow) and row.fact.link is not None:
            link = row.fact.link
            self._leave_for(Chosen(link, link if link.type != "ConversationItem" else self._entry_after()))
        elif isinstance(row, Line) and row.item_id is not None:
            is_before = row.judged is None or self._other_history(message.view, row.judged) == "after"
            at = self._entry_before() if is_before else self._entry_after()
            self._leave_for(Chosen(ObjectRef("ConversationItem", row.item_id), at))

    def _leave_for(self, chosen: Chosen) -> None:
        self.standing = self._here()
        self.dismiss(chosen)

    def _entry_before(self) -> ObjectRef | None:
        """Where in the timeline the history before can be seen."""
        return None if self.step is None else _call_ref(self.step.last_before)

    def _entry_after(self) -> ObjectRef | None:
        """Where in the timeline the history after can be seen."""
        step = self.step
        if step is None:
            return None
        if step.first_after is None and step.compaction is not None:
            return ObjectRef("Compaction", step.compaction.compaction_id)
        return _call_ref(step.first_after)


def _call_ref(call: InferenceCall | None) -> ObjectRef | None:
    return None if call is None else ObjectRef("InferenceCall", call.inference_call_id)
