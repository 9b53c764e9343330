"""The exec stepper: what a code cell's JavaScript called, what came back, and what of it the model saw."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.geometry import Size
from textual.message import Message
from textual.worker import get_current_worker

from reducer import ObjectRef
from reducer.model import CodeCell
from rollout_tui import glyphs, keys
from rollout_tui.awaited_work import AwaitingWork
from rollout_tui.insight.cells.steps import (
    CellSteps,
    Step,
    cell_before,
    cell_near,
    cell_steps,
    cells_in_order,
)
from rollout_tui.insight.cells.what_was_seen import SeenRow, shown_rows
from rollout_tui.insight.contexts.seen import WANTED_OBJECTS, Wanted
from rollout_tui.insight.index import TraceIndex
from rollout_tui.lines.rows import ListRows
from rollout_tui.lines.spans import Span, span
from rollout_tui.safe_text import safe_text
from rollout_tui.screens.dialog import Dialog
from rollout_tui.screens.exec_content import (
    Content,
    content_title,
    judge_results,
    known_content,
    known_text,
    marks_in_source,
    read_content,
)
from rollout_tui.screens.exec_part import Part, Parts
from rollout_tui.screens.looking import LooksFor
from rollout_tui.screens.sizes import FOUR_PANES, has_room
from rollout_tui.screens.speaking import Actions
from rollout_tui.session import Session
from rollout_tui.views.cell_rows import cell_header, lanes_drawn, seen_row, site_words, step_facts, step_row
from rollout_tui.widgets.bars import Bar
from rollout_tui.widgets.script_view import ScriptView
from rollout_tui.widgets.text_view import TextView
from rollout_tui.widgets.virtual_list import VirtualList

_LEAST_LINE = 3
"""Characters of a line that can be looked for: fewer stand everywhere."""

NO_CELLS = "No agent of this bundle ran a code cell."


class CellPlace(NamedTuple):
    """Where the reader is: the cell, the step by what happened and when, the part with the keys, from 1."""

    cell_id: str
    step: tuple[str, int | None] | None
    part: int


class ExecStepper(AwaitingWork, Dialog[ObjectRef]):
    """Steps through the code cells of a bundle. Its result is the object that the reader wants to see.

    Attributes:
        cells: all cells of the bundle, agent by agent.
        place: which of them is shown.
        steps: its steps; None if the bundle has no cell.
        step: the current one.
        left_at: where the reader was when it was left for an object; None if it was not.
    """

    DEFAULT_CSS = """
    ExecStepper > Vertical { width: 100%; height: 100%; background: $background; }
    ExecStepper:ansi { background: ansi_default; }
    ExecStepper #parts {
        layout: grid; grid-size: 2 3; grid-rows: 1fr 1fr 8; grid-columns: 9fr 11fr; height: 1fr;
    }
    ExecStepper Part { height: 1fr; }
    ExecStepper Part LineView { height: 1fr; }
    ExecStepper #script { row-span: 2; }
    ExecStepper #seen { column-span: 2; }
    ExecStepper #steps, ExecStepper #content { border-left: solid ansi_bright_black; }
    ExecStepper.-ascii #steps, ExecStepper.-ascii #content { border-left: ascii ansi_bright_black; }
    ExecStepper.-narrow #parts { layout: vertical; }
    ExecStepper.-narrow #steps, ExecStepper.-narrow #content { border-left: none; }
    ExecStepper.-narrow #steps { dock: top; height: 10; }
    ExecStepper.-narrow Part { display: none; }
    ExecStepper.-narrow #steps, ExecStepper.-narrow Part.-shown { display: block; }
    ExecStepper.-narrow.-flat #steps { dock: none; height: 1fr; display: none; }
    ExecStepper.-narrow.-flat #steps.-shown { display: block; }
    """
    AUTO_FOCUS = ""
    """The steps have the keys first."""
    BINDINGS = [*keys.bindings(keys.Scope.EXEC)]
    own_focus = keys.Focus.EXEC

    class ContentRead(Message):
        """What a step brought is there."""

        def __init__(self, step: Step, content: Content) -> None:
            super().__init__()
            self.step, self.content = step, content

    class ResultsJudged(Message):
        """It is known what the model saw of the results of a cell."""

        def __init__(self, steps: CellSteps, rows: list[SeenRow]) -> None:
            super().__init__()
            self.steps, self.rows = steps, rows

    def __init__(
        self,
        session: Session,
        index: TraceIndex,
        look_for: LooksFor,
        ref: ObjectRef | None = None,
        thread_id: str = "",
        seq: int = 0,
        *,
        before: bool = False,
    ) -> None:
        """Open on the cell that the reader means.

        Args:
            session: the bundle, for reading payloads.
            index: its graph.
            look_for: finds out who saw something.
            ref: what the cursor is on; the stepper begins at its step if it is one.
            thread_id: the agent whose cells come first in question.
            seq: the sequence number to be near to.
            before: take the cell before that one.
        """
        super().__init__()
        self._session = session
        self._index = index
        self._look_for = look_for
        self.cells = cells_in_order(index)
        near = cell_before if before else cell_near
        cell = near(index, ref, thread_id, seq)
        self.place = 0 if cell is None else self.cells.index(cell)
        self.steps: CellSteps | None = None
        self.step: Step | None = None
        self._begin_at = ref
        self._seen: list[SeenRow] = []
        self.source = ScriptView()
        self.list = VirtualList(empty=NO_CELLS)
        self.content = TextView()
        self.seen_list = VirtualList()
        self._facts = Bar(id="facts")
        self.parts = (
            Part(1, "script", self.source),
            Part(2, "steps", self.list),
            Part(3, "content", self.content, self._facts),
            Part(4, "seen", self.seen_list),
        )
        self._parts = Parts(self.parts, always=self.list)
        self.left_at: CellPlace | None = None

    def resume(self, left_at: CellPlace) -> bool:
        """Begin where the reader was, if that cell is there; to be called before it is shown."""
        ids = [cell.code_cell_id for cell in self.cells]
        if left_at.cell_id not in ids:
            return False
        self.place, self.left_at = ids.index(left_at.cell_id), left_at
        return True

    def compose(self) -> ComposeResult:
        """Header, the four parts, keys."""
        with Vertical():
            yield Bar(id="title")
            yield self._parts
            yield Bar(id="keys")

    def on_mount(self) -> None:
        """Show the cell; the steps take the keys."""
        self.set_class(glyphs.active().ascii_only, "-ascii")
        self.list.focus()
        self.show_keys()
        if self.cells:
            self._show_cell(self.cells[self.place], self._begin_at)
        if self.left_at is not None and self.steps is not None:
            steps = [(step.kind, step.seq) for step in self.steps.steps]
            self.list.jump(steps.index(self.left_at.step) if self.left_at.step in steps else 0)
            self._parts.give_keys(self.left_at.part)

    # What is shown

    def said_bar(self) -> Bar:
        """The last line."""
        return self.query_one("#keys", Bar)

    def _show_cell(self, cell: CodeCell, begin_at: ObjectRef | None = None) -> None:
        """Show a cell from its first step, or from that of a call."""
        steps = self.steps = cell_steps(self._index, cell)
        self._show_title(self.app.size.width)
        self.source.show(cell.source_js, "javascript", numbers=True)
        lanes = lanes_drawn(steps)
        self.list.set_source(
            ListRows(
                steps.steps, lambda step: step_row(step, lanes), lambda step: step.place, text=known_text
            )
        )
        is_call = begin_at is not None and begin_at.type == "ToolCall"
        begin = next((step.place for step in steps.steps if is_call and step.ref == begin_at), 0)
        self.list.jump(begin)
        self._show_step(steps.steps[begin])
        self._show_seen(shown_rows(self._index, steps))
        self.parts[3].title.show(safe_text("what the model saw of it, and what it did not"))
        self._judge(steps)

    def _show_title(self, width: int) -> None:
        if self.steps is not None:
            words = cell_header(self._index, self.steps, self.place, len(self.cells), width)
            self.query_one("#title", Bar).show(words)

    def _show_step(self, step: Step) -> None:
        """Show where in the source a step is, its facts and its texts."""
        if self.steps is None or step is self.step:
            return
        self.step = step
        self.source.mark(*marks_in_source(self.steps, step))
        where = site_words(step, self.steps.cell.source_js)
        self.parts[0].title.show(safe_text(where))
        self.parts[1].title.show(safe_text(f"{step.place + 1} of {len(self.steps.steps)}"))
        self.parts[2].title.show(safe_text(content_title(step)))
        self._facts.show([span(" "), *step_facts(self._index, step)])
        content = known_content(step)
        if content is None:
            self.content.clear("reading ...")
            self._read(step)
        else:
            self._show_content(step, content)

    def _show_content(self, step: Step, content: Content) -> None:
        languages = {section.language for section in step.sections}
        self.content.show(content.text, languages.pop() if len(languages) == 1 else "text")

    def _show_seen(self, rows: list[SeenRow]) -> None:
        self._seen = rows
        numbered = list(enumerate(rows))
        self.seen_list.set_source(ListRows(numbered, seen_row, lambda one: one[0]))

    # Reading

    @work(thread=True, exclusive=True, group="content", exit_on_error=False)
    def _read(self, step: Step) -> None:
        """Read the texts of a step."""
        worker = get_current_worker()
        source = "" if self.steps is None else self.steps.cell.source_js
        content = read_content(self._session, step, source)
        if not worker.is_cancelled:
            self.post_message(self.ContentRead(step, content))

    @work(thread=True, exclusive=True, group="results", exit_on_error=False)
    def _judge(self, steps: CellSteps) -> None:
        """Find out what the model saw of the results of a cell's calls."""
        worker = get_current_worker()
        rows = judge_results(self._session, self._index, steps, lambda: worker.is_cancelled)
        if rows is not None:
            self.post_message(self.ResultsJudged(steps, rows))

    def work_failed(self, group: str, reason: str) -> None:
        """Say that the texts, or what the model saw, will not come."""
        if group == "content":
            self.content.clear(reason)
        else:
            self.parts[3].title.show(safe_text(reason))

    def on_exec_stepper_content_read(self, message: ContentRead) -> None:
        """Show the texts, if their step is still the current one."""
        message.stop()
        step = message.step
        if step is not self.step:
            return
        self._show_content(step, message.content)
        at = message.content.thrown
        if at is not None:
            self.source.mark((at, at + 1), {at: Span(safe_text(glyphs.active().failed), "bad")})
            line = self.source.text.count("\n", 0, at) + 1
            self.parts[0].title.show(safe_text(f"thrown in line {line}"))

    def on_exec_stepper_results_judged(self, message: ResultsJudged) -> None:
        """Add what the model saw of the results."""
        message.stop()
        if message.steps is self.steps:
            self._show_seen([*self._seen, *message.rows])

    # Parts

    def fit_into(self, size: Size) -> None:
        """All parts side by side, or the steps and one other, or the one that has the keys."""
        super().fit_into(size)
        self.set_class(not has_room(size, FOUR_PANES), "-narrow")
        self._show_title(size.width)
        self._parts.fit()
        self.show_keys()

    def undo_of_switch(self) -> Callable[[], None]:
        """What gives this part the keys again."""
        return partial(self._parts.give_keys, self._parts.number, self._parts.companion)

    # Steps and cells

    @on(VirtualList.CursorMoved)
    def _cursor_moved(self, message: VirtualList.CursorMoved) -> None:
        if message.view is self.list and self.steps is not None:
            self._show_step(self.steps.steps[self.list.cursor])

    @property
    def actions(self) -> Actions:
        """What its keys do."""
        numbers = range(1, len(self.parts) + 1)
        actions = {f"part_{number}": partial(self._parts.give_keys, number) for number in numbers}
        for word, direction in (("next", 1), ("previous", -1)):
            actions |= {
                f"{word}_step": partial(self._go_by_steps, direction),
                f"{word}_cell": partial(self._go_to_cell, direction),
                f"{word}_part": partial(self._parts.turn, direction),
            }
        return {**super().actions, **actions, "seen_line": self._ask_who_saw}

    def _go_by_steps(self, count: int) -> None:
        self.list.cursor += count

    def _go_to_cell(self, direction: int) -> None:
        place = self.place + direction
        if not 0 <= place < len(self.cells):
            self.say("this is the last cell" if direction > 0 else "this is the first cell")
            return
        self.place = place
        self._show_cell(self.cells[place])

    @on(VirtualList.RowOpened)
    def _row_opened(self, message: VirtualList.RowOpened) -> None:
        message.stop()
        ref = _ref_of(message.item)
        if ref is not None:
            self._leave_for(ref)

    def _leave_for(self, ref: ObjectRef) -> None:
        step, cell = self.step, self.cells[self.place]
        at = None if step is None else (step.kind, step.seq)
        self.left_at = CellPlace(cell.code_cell_id, at, self._parts.number)
        self.dismiss(ref)

    def _ask_who_saw(self) -> None:
        """Find out which calls saw the line under the cursor, or in a list what its row is about."""
        view = self._parts.parts[self._parts.number - 1].view
        wanted = None
        if isinstance(view, TextView):
            line = view.line.strip()
            wanted = Wanted("text", line) if len(line) >= _LEAST_LINE else None
        elif isinstance(view, VirtualList):
            ref = _ref_of(view.item)
            kind = None if ref is None else WANTED_OBJECTS.get(ref.type)
            wanted = None if ref is None or kind is None else Wanted(kind, ref.id)
        if wanted is None:
            self.say("this is about lines of text, items and tool calls: go to one of them")
        else:
            self._look_for(wanted, self, self._leave_for)


def _ref_of(item: object) -> ObjectRef | None:
    """What a row of the steps, or of what was seen, leads to."""
    row = item[1] if isinstance(item, tuple) else item
    return row.ref if isinstance(row, Step | SeenRow) else None
