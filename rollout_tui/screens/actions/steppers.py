"""The ways into the steppers, and back into one that was left by a link."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Protocol

from reducer import ObjectRef
from rollout_tui.insight.cells.steps import cell_before
from rollout_tui.insight.timeline.entries import Entry
from rollout_tui.panes.cursor import Cursor
from rollout_tui.screens.actions.needs import Actions, Jumps, Opens, Shown
from rollout_tui.session import Session
from rollout_tui.views.places import PaneName

if TYPE_CHECKING:
    from rollout_tui.screens.compaction_stepper import CompactionStepper
    from rollout_tui.screens.exec_stepper import ExecStepper


class _WayBack(NamedTuple):
    """The way back into a stepper.

    Attributes:
        arrived_in: the pane that had the keys when the link out of it was followed.
        journeys: how often the reader had gone somewhere by then; from elsewhere no way leads back.
        reopen: opens the stepper where it was left.
    """

    arrived_in: PaneName
    journeys: int
    reopen: Callable[[], None]


class Panes(Shown, Protocol):
    """What this needs of the panes."""

    @property
    def cursor(self) -> Cursor:
        """Which pane has the keys."""

    def step_back(self) -> bool:
        """Back one level; say whether there was one."""


class CountsJourneys(Jumps, Protocol):
    """Who leads to an object, and knows whether the reader went on from there."""

    @property
    def journeys(self) -> int:
        """How often the reader has gone to an object or a place by now."""


class Steppers:
    """Opens the steppers at what the cursor is on."""

    def __init__(self, screen: Opens, session: Session, panes: Panes, jumping: CountsJourneys) -> None:
        self._screen = screen
        self._session = session
        self._panes = panes
        self._jumping = jumping
        self._way_back: _WayBack | None = None

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
        stepper = CompactionStepper(timelines.index, entry.thread_id, entry.seq, rewrite, before=before)
        if before and stepper.place is None:
            self._screen.say("no compaction before this")
            return
        standing = None if back_to is None else back_to.standing
        is_there = standing is None or stepper.resume(standing)
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
        stepper = ExecStepper(self._session, timelines.index, *at, before=before)
        standing = None if back_to is None else back_to.standing
        is_there = standing is None or stepper.resume(standing)
        self._screen.open_above(stepper, chosen)
        if not is_there:
            stepper.call_after_refresh(stepper.say, "that cell is not in what is shown now")

    def _leave_for(self, ref: ObjectRef, at: ObjectRef | None, reopen: Callable[[], None]) -> None:
        """Follow a link out of a stepper."""
        self._jumping.jump(ref, at)
        self._way_back = _WayBack(self._panes.cursor.pane, self._jumping.journeys, reopen)

    def lead_back(self) -> bool:
        """Back into the stepper that the reader followed a link out of; say whether there is a way back.

        What was opened since then is closed first.
        """
        way = self._way_back
        if way is None or way.journeys != self._jumping.journeys:
            return False
        if self._panes.cursor.pane == way.arrived_in or not self._panes.step_back():
            self._way_back = None
            way.reopen()
        return True
