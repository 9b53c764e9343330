"""The ways into the steppers, and back into one that was left by a link."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from reducer import ObjectRef
from rollout_tui.panes.pane import Pane
from rollout_tui.screens.finding_screen import FindingScreen
from rollout_tui.session import Session
from rollout_tui.views.cells.steps import cell_before
from rollout_tui.views.entries import Entry

if TYPE_CHECKING:
    from rollout_tui.screens.compaction_stepper import CompactionStepper
    from rollout_tui.screens.exec_stepper import ExecStepper


class _WayBack(NamedTuple):
    """The way back into a stepper.

    Attributes:
        arrived_in: the pane that had the keys when the link out of it was followed.
        reopen: opens the stepper where it was left.
    """

    arrived_in: Pane
    reopen: Callable[[], None]


class StepperScreen(FindingScreen):
    """Opens the steppers at what the cursor is on."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._way_back: _WayBack | None = None

    def action_compactions(self) -> None:
        """Step through the compaction nearest to the cursor."""
        self._step_through_compactions(self.timeline.entry, before=False)

    def action_compactions_before(self) -> None:
        """Step through the last compaction before the cursor."""
        self._step_through_compactions(self.timeline.entry, before=True)

    def _step_through_compactions(
        self, entry: Entry | None, *, before: bool, back_to: CompactionStepper | None = None
    ) -> None:
        """Open the stepper for compactions.

        Args:
            entry: what the cursor is on.
            before: begin with the last one before that.
            back_to: a stepper that was left by a link, to begin where it was left.
        """
        from rollout_tui.screens.compaction_stepper import Chosen, CompactionStepper

        def chosen(choice: Chosen | None) -> None:
            if choice is not None:
                self.jump(choice.ref, choice.at)
                reopen = partial(self._step_through_compactions, entry, before=before, back_to=stepper)
                self._way_back = _WayBack(self.active, reopen)

        timelines = self.timelines
        if timelines is None or entry is None:
            return
        rewrite = timelines.entries.rewrites.get(entry.ref.id) if entry.ref.type == "Rewrite" else None
        stepper = CompactionStepper(timelines.index, entry.thread_id, entry.seq, rewrite, before=before)
        if before and stepper.place is None:
            self.say("no compaction before this")
            return
        standing = None if back_to is None else back_to.standing
        is_there = standing is None or stepper.resume(standing)
        self.app.push_screen(stepper, chosen)
        if not is_there:
            stepper.call_after_refresh(stepper.say, "that compaction is not in what is shown now")

    def action_cells(self) -> None:
        """Step through the code cell at the cursor, or the nearest one."""
        self._step_through_cells(self.timeline.entry, before=False)

    def action_cells_before(self) -> None:
        """Step through the last code cell before the one at the cursor."""
        self._step_through_cells(self.timeline.entry, before=True)

    def _step_through_cells(
        self, entry: Entry | None, *, before: bool, back_to: ExecStepper | None = None
    ) -> None:
        """Open the stepper for code cells; the arguments are those of the other stepper."""
        from rollout_tui.screens.exec_stepper import ExecStepper

        def chosen(ref: ObjectRef | None) -> None:
            if ref is not None:
                self.jump(ref)
                reopen = partial(self._step_through_cells, entry, before=before, back_to=stepper)
                self._way_back = _WayBack(self.active, reopen)

        timelines = self.timelines
        if timelines is None or entry is None:
            return
        at = (entry.ref, entry.thread_id, entry.seq)
        if before and cell_before(timelines.index, *at) is None:
            self.say("no code cell before this")
            return
        stepper = ExecStepper(self.session, timelines.index, *at, before=before)
        standing = None if back_to is None else back_to.standing
        is_there = standing is None or stepper.resume(standing)
        self.app.push_screen(stepper, chosen)
        if not is_there:
            stepper.call_after_refresh(stepper.say, "that cell is not in what is shown now")

    def jump(self, ref: ObjectRef, at: ObjectRef | None = None) -> bool:
        """Show an object; from there no key leads back into a stepper that was left before."""
        self.forget_way_back()
        return super().jump(ref, at)

    def forget_way_back(self) -> None:
        """The reader went on from where a link out of a stepper led."""
        self._way_back = None

    def lead_back(self) -> bool:
        """Back into the stepper that the reader followed a link out of; say whether there is a way back.

        What was opened since then is closed first.
        """
        way = self._way_back
        if way is None:
            return False
        if self.active is way.arrived_in or not self.step_back():
            self._way_back = None
            way.reopen()
        return True
