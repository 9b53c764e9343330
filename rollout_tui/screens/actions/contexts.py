"""Questions about the context: against which call, seen by whom, shared with what."""

from __future__ import annotations

from typing import Protocol

from textual.worker import get_current_worker

from reducer import ObjectRef
from reducer.model import ConversationItem, InferenceCall
from rollout_tui.insight.agents.delivery import delivery_view
from rollout_tui.insight.contexts.prefix import PrefixBreak
from rollout_tui.insight.contexts.visibility import visibility_of
from rollout_tui.insight.following.follower import Follower
from rollout_tui.insight.index import TraceIndex
from rollout_tui.key_order import OPENING
from rollout_tui.panes.context import ContextPane
from rollout_tui.screens.actions.needs import Actions, Jumps, Opens, Shown, Works
from rollout_tui.screens.facts_screen import FactsScreen
from rollout_tui.session import Session
from rollout_tui.views.contexts.prefix_words import prefix_facts, share_facts
from rollout_tui.views.detail.delivery_facts import delivery_facts
from rollout_tui.views.detail.facts import Fact
from rollout_tui.views.detail.visibility_facts import visibility_facts
from rollout_tui.views.landing import gone_words


class Screen(Opens, Works, Protocol):
    """What this needs of the screen."""

    @property
    def is_active(self) -> bool:
        """Whether nothing is open above it."""

    def say_nothing(self) -> None:
        """Show the keys again instead of what is said."""


class Panes(Shown, Protocol):
    """What this needs of the panes."""

    @property
    def context(self) -> ContextPane:
        """Shows the context, as it is or compared."""

    def note_line(self) -> None:
        """The line under the cursor of the context is one that nothing is to follow."""


class Contexts:
    """Compares contexts, and finds out who saw what."""

    def __init__(self, screen: Screen, session: Session, panes: Panes, jumping: Jumps) -> None:
        self._screen = screen
        self._session = session
        self._panes = panes
        self._jumping = jumping

    @property
    def actions(self) -> Actions:
        """What the keys do."""
        return {"delta": self._turn_delta, "visibility": self._show_visibility}

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

    def _show_visibility(self) -> None:
        """Show which calls saw an item; of an agent, what it was told, and who saw its answers."""
        follower, ref = self._session.follower, self._panes.subject
        if follower is None or ref is None:
            return
        trace = follower.index.trace
        item, thread = trace.conversation_items.get(ref.id), trace.threads.get(ref.id)
        if item is not None:
            self._screen.say("looking through the calls ...")
            self._look_for_sightings(follower, item)
        elif thread is not None:
            facts = delivery_facts(follower.index, delivery_view(follower.links, thread))
            self._show_facts(f"Tasks and answers of {thread.agent_path}", facts)
        else:
            self._screen.say("this is about items and agents: go to the context, or to the threads")

    def _look_for_sightings(self, follower: Follower, item: ConversationItem) -> None:
        """Find out who saw an item; in a thread, since every item may have to be looked at."""

        def work() -> None:
            worker = get_current_worker()
            facts = visibility_facts(follower.index, visibility_of(follower.sightings, item))
            if not worker.is_cancelled:
                self._screen.from_thread(self._show_sightings, facts)

        self._screen.in_thread(work, OPENING)

    def _show_sightings(self, facts: list[Fact]) -> None:
        self._screen.say_nothing()
        if self._screen.is_active:  # the reader did not wait for it otherwise
            self._show_facts("Seen by", facts)

    def show_prefix(self, prefix: PrefixBreak) -> None:
        """Show what two contexts share, what was cached of it, and how large the items are."""
        timelines = self._panes.timelines
        shared = {prefix.call.inference_call_id, prefix.base.inference_call_id}
        if timelines is not None and shared <= timelines.index.trace.inference_calls.keys():
            facts = prefix_facts(timelines.index, prefix) + share_facts(timelines.index, prefix.call)
            self._show_facts("Prefix, cache and sizes", facts)

    def _show_facts(self, title: str, facts: list[Fact]) -> None:
        self._screen.open_above(FactsScreen(title, facts), self._jumping.arrive)
