"""Questions about the context: against which call, shared with what."""

from __future__ import annotations

from typing import Protocol

from reducer import ObjectRef
from reducer.model import InferenceCall
from rollout_tui.insight.contexts.prefix import PrefixBreak
from rollout_tui.insight.index import TraceIndex
from rollout_tui.panes.context import ContextPane
from rollout_tui.screens.actions.needs import Actions, Jumps, Opens, Shown
from rollout_tui.screens.facts_screen import FactsScreen
from rollout_tui.views.contexts.prefix_words import prefix_facts, share_facts
from rollout_tui.views.landing import gone_words


class Panes(Shown, Protocol):
    """What this needs of the panes."""

    @property
    def context(self) -> ContextPane:
        """Shows the context, as it is or compared."""

    def note_line(self) -> None:
        """The line under the cursor of the context is one that nothing is to follow."""


class Contexts:
    """Compares contexts."""

    def __init__(self, screen: Opens, panes: Panes, jumping: Jumps) -> None:
        self._screen = screen
        self._panes = panes
        self._jumping = jumping

    @property
    def actions(self) -> Actions:
        """What the keys do."""
        return {"delta": self._turn_delta}

    def _turn_delta(self) -> None:
        """The context as it is, against that of the previous call, against that of a call to be picked."""
        timelines, context = self._panes.timelines, self._panes.context
        if timelines is None or context.view is None:
            return
        index = timelines.index
        if not context.shows_delta:
            context.show_delta(index)
        elif context.base_id is not None:
            context.show_list(index)
        else:
            self._pick_base(index, context.view.call)
        self._panes.note_line()

    def _pick_base(self, index: TraceIndex, call: InferenceCall) -> None:
        """Ask with which call to compare."""
        from rollout_tui.screens.call_menu import CallMenu, Comparison

        def picked(choice: Comparison | None) -> None:
            timelines, context = self._panes.timelines, self._panes.context
            if choice is None or timelines is None:
                return
            if context.view is None or context.view.call.inference_call_id != call.inference_call_id:
                self._jumping.tell(gone_words(ObjectRef("InferenceCall", call.inference_call_id)))
                return
            base_id = None if choice.base is None else choice.base.inference_call_id
            if base_id is None:
                context.show_list(timelines.index)
            elif base_id in timelines.index.trace.inference_calls:
                context.show_delta(timelines.index, base_id)
            else:
                self._jumping.tell(gone_words(ObjectRef("InferenceCall", base_id)))
            self._panes.note_line()

        self._screen.open_above(CallMenu(index, call), picked)

    def show_prefix(self, prefix: PrefixBreak) -> None:
        """Show what two contexts share, what was cached of it, and how large the items are."""
        timelines = self._panes.timelines
        shared = {prefix.call.inference_call_id, prefix.base.inference_call_id}
        if timelines is not None and shared <= timelines.index.trace.inference_calls.keys():
            facts = prefix_facts(timelines.index, prefix) + share_facts(timelines.index, prefix.call)
            self._screen.open_above(FactsScreen("Prefix, cache and sizes", facts), self._jumping.arrive)
