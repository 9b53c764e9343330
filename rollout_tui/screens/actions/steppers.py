"""The ways into the steppers, and back into one that was left by a link."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from reducer import ObjectRef
from rollout_tui.insight.cells.steps import cell_before
from rollout_tui.insight.timeline.entries import Entry
from rollout_tui.screens.actions.needs import Actions, Jumps, LooksFor, Opens, Shown
from rollout_tui.screens.actions.way_back import WayBack
from rollout_tui.session import Session

if TYPE_CHECKING:
    from rollout_tui.screens.compaction_stepper import CompactionStepper
    from rollout_tui.screens.exec_stepper import ExecStepper


class Steppers:
    """Opens the steppers at what the cursor is on."""

    def __init__(
        self,
        screen: Opens,
        session: Session,
        panes: Shown,
        jumping: Jumps,
        look_for: LooksFor,
        way_back: WayBack,
    ) -> None:
        self._screen = screen
        self._session = session
        self._panes = panes
        self._jumping = jumping
        self._look_for = look_for
        self._way_back = way_back

    @property
    def actions(self) -> Actions:
        """What the keys do."""
        return {
            "compactions": lambda: self._step_through_compactions(self._panes.entry, before=False),
            "compactions_before": lambda: self._step_through_compactions(self._panes.entry, before=True),
            "cells": lambda: self._step_through_cells(self._panes.entry, before=False),
            "cells_before": lambda: self._step_through_cells(self._panes.entry, before=True),
        }

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
                self._leave_for(
                    choice.ref,
                    choice.at,
                    partial(self._step_through_compactions, entry, before=before, back_to=stepper),
                )

        timelines = self._panes.timelines
        if timelines is None or entry is None:
            return
        rewrite = timelines.entries.rewrites.get(entry.ref.id) if entry.ref.type == "Rewrite" else None
        stepper = CompactionStepper(
            timelines.index, self._look_for, entry.thread_id, entry.seq, rewrite, before=before
        )
        if before and stepper.place is None:
            self._screen.say("no compaction before this")
            return
        left_at = None if back_to is None else back_to.left_at
        is_there = left_at is None or stepper.resume(left_at)
        self._screen.open_above(stepper, chosen)
        if not is_there:
            stepper.call_after_refresh(stepper.say, "that compaction is not in what is shown now")

    def _step_through_cells(
        self, entry: Entry | None, *, before: bool, back_to: ExecStepper | None = None
    ) -> None:
        """Open the stepper for code cells; the arguments are those of the other stepper."""
        from rollout_tui.screens.exec_stepper import ExecStepper

        def chosen(ref: ObjectRef | None) -> None:
            if ref is not None:
                reopen = partial(self._step_through_cells, entry, before=before, back_to=stepper)
                self._leave_for(ref, None, reopen)

        timelines = self._panes.timelines
        if timelines is None or entry is None:
            return
        at = (entry.ref, entry.thread_id, entry.seq)
        if before and cell_before(timelines.index, *at) is None:
            self._screen.say("no code cell before this")
            return
        stepper = ExecStepper(self._session, timelines.index, self._look_for, *at, before=before)
        left_at = None if back_to is None else back_to.left_at
        is_there = left_at is None or stepper.resume(left_at)
        self._screen.open_above(stepper, chosen)
        if not is_there:
            stepper.call_after_refresh(stepper.say, "that cell is not in what is shown now")

    def _leave_for(self, ref: ObjectRef, at: ObjectRef | None, reopen: Callable[[], None]) -> None:
        """Follow a link out of a stepper."""
        self._jumping.jump(ref, at)
        self._way_back.arrived(reopen)
