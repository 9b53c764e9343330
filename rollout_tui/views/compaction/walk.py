"""Stepping through the compactions of a bundle: which one, and in which of its states. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from reducer import ObjectRef
from reducer.model import InferenceCall
from rollout_tui.insight.compaction.steps import CompactionStep, StepView
from rollout_tui.insight.index import TraceIndex
from rollout_tui.views.compaction.history_rows import State, states_of


class CompactionWalk:
    """Where in the compactions one is.

    Attributes:
        steps: all compactions, thread by thread.
        place: which of them it is; None if there are none.
        state: in which state it is looked at.
        view: its histories compared; None if there are none.
    """

    def __init__(self, index: TraceIndex, steps: Sequence[CompactionStep], place: int | None) -> None:
        self.steps = steps
        self.place = place
        self.state = State.LAST_CALL
        self.view = None if place is None else StepView(index, steps[place])
        self._index = index

    @property
    def step(self) -> CompactionStep | None:
        """The compaction."""
        return None if self.view is None else self.view.step

    @property
    def identity(self) -> tuple[str, str] | None:
        """By what it can be found again in another view; None if there are none."""
        return None if self.step is None else self.step.identity

    def place_of(self, identity: tuple[str, str] | None) -> int | None:
        """Where a compaction is that was found before; None if it is not there."""
        identities = [step.identity for step in self.steps]
        return identities.index(identity) if identity in identities else None

    def go(self, place: int, state: State) -> None:
        """Look at a compaction in a state."""
        if place != self.place:
            self.place, self.view = place, StepView(self._index, self.steps[place])
        self.state = state

    def next_state(self, direction: int) -> State | None:
        """The state after this one (1) or before it (-1) that this compaction has; None at the end."""
        if self.step is None:
            return None
        ahead = [state for state in states_of(self.step) if (state - self.state) * direction > 0]
        return min(ahead, key=lambda state: abs(state - self.state), default=None)

    def next_place(self, direction: int) -> int | None:
        """The place of the next compaction (1) or the one before (-1); None at the end."""
        place = -1 if self.place is None else self.place + direction
        return place if 0 <= place < len(self.steps) else None

    def entry_before(self) -> ObjectRef | None:
        """Where in the timeline the history before can be seen."""
        return None if self.step is None else _call_ref(self.step.last_before)

    def entry_after(self) -> ObjectRef | None:
        """Where in the timeline the history after can be seen."""
        step = self.step
        if step is None:
            return None
        if step.first_after is None and step.compaction is not None:
            return ObjectRef("Compaction", step.compaction.compaction_id)
        return _call_ref(step.first_after)


def _call_ref(call: InferenceCall | None) -> ObjectRef | None:
    return None if call is None else ObjectRef("InferenceCall", call.inference_call_id)
