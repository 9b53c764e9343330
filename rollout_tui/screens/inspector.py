"""The main screen: what the keys do with the four panes."""

from __future__ import annotations

from collections.abc import Callable

from textual import on, work
from textual.worker import get_current_worker

from reducer import ObjectRef
from reducer.model import ConversationItem, InferenceCall
from rollout_tui import keys
from rollout_tui.key_order import OPENING
from rollout_tui.panes.context import ContextPane
from rollout_tui.panes.detail import DetailPane
from rollout_tui.screens.facts_screen import FactsScreen
from rollout_tui.screens.step_menu import StepMenu
from rollout_tui.screens.stepper_screen import StepperScreen
from rollout_tui.session import Session
from rollout_tui.views.contexts.prefix import prefix_facts, share_facts
from rollout_tui.views.contexts.visibility import visibility_facts, visibility_of
from rollout_tui.views.detail.facts import Fact
from rollout_tui.views.edges.delivery import delivery_facts, delivery_view
from rollout_tui.views.edges.following import Follower
from rollout_tui.views.edges.steps import NoStep, Way
from rollout_tui.views.entries import Entry
from rollout_tui.views.index import TraceIndex
from rollout_tui.views.places import Marks, Place, PlaceRefused
from rollout_tui.views.stepping import Stepping, entry_kind
from rollout_tui.views.timeline import Timelines


class InspectorScreen(StepperScreen):
    """Walks through one bundle.

    Attributes:
        marks: the places that the reader put a letter on.
    """

    BINDINGS = [*keys.bindings(keys.Context.PANES)]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.marks = Marks()

    # Places and jumps

    def action_go_back(self) -> None:
        """To the place before the last jump."""
        self._travel(self.history.back(self.here()), "no place to go back to")

    def action_go_forward(self) -> None:
        """To the place that was left by going back."""
        self._travel(self.history.forward(self.here()), "no place to go forward to")

    def _travel(self, place: Place | None, otherwise: str) -> None:
        timelines = self.timelines
        if place is None or timelines is None:
            self.say(otherwise)
            return
        self.forget_way_back()
        self._show_place(timelines, place)

    def _show_place(self, timelines: Timelines, place: Place) -> None:
        self.timeline.show(timelines, place.thread_id, shows_all=place.shows_all)
        self.point_at_thread(place.thread_id)
        if place.entry is None or not self.timeline.go_to(place.entry):
            self.timeline.go_to_seq(place.seq)
        self.action_show_pane(place.pane)
        self.follow_entry()
        if place.detail is not None:
            self.context.go_to(place.detail)
            self.show_detail(place.detail)
        elif place.entry is not None:
            self.show_detail(place.entry)

    @on(DetailPane.LinkFollowed)
    def _link_followed(self, message: DetailPane.LinkFollowed) -> None:
        self.jump(message.ref)

    # Numbers before movements

    def undo_of_switch(self) -> Callable[[], None]:
        """What leads back to this pane."""
        here = self.here()

        def back() -> None:
            if self.timelines is not None:
                self._show_place(self.timelines, here)

        return back

    def position(self) -> object:
        """The row, and the entry: a step may lead to another agent."""
        entry = self.timeline.entry
        return super().position(), None if entry is None else entry.ref

    # Marks

    def action_set_mark(self) -> None:
        """Set a mark on this place, under the letter that is typed next."""
        if self.timelines is not None:
            self.await_key("mark this place: a letter, esc none", self._set_mark, refusal="no mark was set")

    def _set_mark(self, letter: str) -> None:
        try:
            self.say(self.marks.set(letter, self.here()))
        except PlaceRefused as error:
            self.say(str(error), bad=True)

    def action_go_to_mark(self) -> None:
        """Go to the mark under the letter that is typed next, or to the last place."""
        known = "  ".join(f"{letter} seq {place.seq}" for letter, place in self.marks.all())
        hint = f"go to mark: {known or 'none is set'}  ' last place  esc nowhere"
        self.await_key(hint, self._go_to_mark, refusal="stayed here")

    def _go_to_mark(self, letter: str) -> None:
        try:
            place = self.history.last(self.here()) if letter == "'" else self.marks.get(letter)
        except PlaceRefused as error:
            self.say(str(error), bad=True)
            return
        if place is not None:
            self.history.leave(self.here())
        self._travel(place, "there is no last place yet")

    # Context

    def action_delta(self) -> None:
        """The context as it is, against that of the previous call, against that of a call to be picked."""
        timelines, context = self.timelines, self.context
        if timelines is None or context.view is None:
            return
        index = timelines.index
        if not context.shows_delta:
            context.show_delta(index)
        elif context.base_id is not None:
            context.show_list(index)
        else:
            self._pick_base(index, context.view.call)
        self._followed_line = context.list.cursor_key

    def _pick_base(self, index: TraceIndex, call: InferenceCall) -> None:
        """Ask with which call to compare."""
        from rollout_tui.screens.call_menu import CallMenu, Comparison

        def picked(choice: Comparison | None) -> None:
            if choice is None:
                return
            if choice.base is None:
                self.context.show_list(index)
            else:
                self.context.show_delta(index, choice.base.inference_call_id)
            self._followed_line = self.context.list.cursor_key

        self.app.push_screen(CallMenu(index, call), picked)

    def action_visibility(self) -> None:
        """Show which calls saw an item; of an agent, what it was told, and who saw its answers."""
        follower, ref = self.session.follower, self.subject
        if follower is None or ref is None:
            return
        trace = follower.index.trace
        item, thread = trace.conversation_items.get(ref.id), trace.threads.get(ref.id)
        if item is not None:
            self.say("looking through the calls ...")
            self._look_for_sightings(follower, item)
        elif thread is not None:
            facts = delivery_facts(follower.index, delivery_view(follower.links, thread))
            self.app.push_screen(
                FactsScreen(f"Tasks and answers of {thread.agent_path}", facts), self._arrive
            )
        else:
            self.say("this is about items and agents: go to the context, or to the threads")

    @work(thread=True, exclusive=True, group=OPENING, exit_on_error=False)
    def _look_for_sightings(self, follower: Follower, item: ConversationItem) -> None:
        """Find out who saw an item; in a thread, since every item may have to be looked at."""
        worker = get_current_worker()
        facts = visibility_facts(follower.index, visibility_of(follower.sightings, item))
        if not worker.is_cancelled:
            self.app.call_from_thread(self._show_sightings, facts)

    def _show_sightings(self, facts: list[Fact]) -> None:
        self.show_keys()
        if self.is_active:  # the reader did not wait for it otherwise
            self.app.push_screen(FactsScreen("Seen by", facts), self._arrive)

    @on(ContextPane.PrefixOpened)
    def _prefix_opened(self, message: ContextPane.PrefixOpened) -> None:
        """Show what two contexts share, what was cached of it, and how large the items are."""
        timelines = self.timelines
        if timelines is not None:
            facts = prefix_facts(timelines.index, message.prefix)
            facts += share_facts(timelines.index, message.prefix.call)
            self.app.push_screen(FactsScreen("Prefix, cache and sizes", facts), self._arrive)

    # Edges

    def action_follow(self) -> None:
        """To where the object under the cursor leads."""
        follower, ref = self.session.follower, self.subject
        if follower is not None and ref is not None:
            self._take(follower.forward(ref))

    def action_follow_source(self) -> None:
        """To where the object under the cursor came from."""
        follower, ref = self.session.follower, self.subject
        if follower is not None and ref is not None:
            self._take(follower.back(ref))

    def _take(self, way: Way) -> None:
        """Go there; where there are several places ask, and where there is none say why."""
        if isinstance(way, NoStep):
            past = self._state.past_seq
            when = "" if past is None else f" (shown as of seq {past}; esc shows everything as it is now)"
            self.say(f"{way.sentence}{when}")
        elif len(way) == 1:
            self._arrive(way[0].target)
        else:
            self.app.push_screen(StepMenu(way), self._arrive)

    def _arrive(self, ref: ObjectRef | None) -> None:
        """Jump to an object, with the keys in the pane where it can be followed on from."""
        if ref is None:
            return
        self.jump(ref)
        self.activate(self.context if ref.type == "ConversationItem" else self.timeline)
        self.show_detail(ref)

    # Steps along the timeline

    def _step(
        self,
        direction: int,
        next_one: Callable[[Stepping, Entry], Entry | None],
        what: str,
        *,
        any_agent: bool,
    ) -> None:
        """Put the cursor on the nearest wanted entry, or say that there is none."""
        timelines, entry = self.timelines, self.timeline.entry
        if timelines is None or entry is None:
            return
        everywhere = any_agent or self.timeline.shows_all
        found = next_one(timelines.stepping(None if everywhere else entry.thread_id), entry)
        if found is None:
            self.say(f"no {what} {'after' if direction > 0 else 'before'} this")
        else:
            if any_agent:
                self.history.leave(self.here())
            self.go_to(found.ref)

    def _step_kind(self, direction: int) -> None:
        timelines, entry = self.timelines, self.timeline.entry
        if timelines is not None and entry is not None:
            kind = entry_kind(timelines.index, entry)
            self._step_type(direction, kind, kind)

    def _step_type(self, direction: int, kind: str, what: str) -> None:
        self._step(
            direction,
            lambda steps, entry: steps.next_of_kind(entry, direction, kind),
            what,
            any_agent=False,
        )

    def action_next_same(self) -> None:
        """To the next entry of the same kind."""
        self._step_kind(1)

    def action_previous_same(self) -> None:
        """To the previous entry of the same kind."""
        self._step_kind(-1)

    def action_next_turn(self) -> None:
        """To the next turn."""
        self._step_type(1, "Turn", "turn")

    def action_previous_turn(self) -> None:
        """To the previous turn."""
        self._step_type(-1, "Turn", "turn")

    def action_next_call(self) -> None:
        """To the next inference call."""
        self._step_type(1, "InferenceCall", "call")

    def action_previous_call(self) -> None:
        """To the previous inference call."""
        self._step_type(-1, "InferenceCall", "call")

    def action_next_failure(self) -> None:
        """To the next failure, in any agent."""
        self._step_failure(1)

    def action_previous_failure(self) -> None:
        """To the previous failure, in any agent."""
        self._step_failure(-1)

    def _step_failure(self, direction: int) -> None:
        self._step(
            direction, lambda steps, entry: steps.next_failure(entry, direction), "failure", any_agent=True
        )

    def action_all_agents(self) -> None:
        """Show all agents interleaved, or the one under the cursor."""
        timelines, entry = self.timelines, self.timeline.entry
        if timelines is None or self.timeline.thread_id is None:
            return
        thread_id = self.timeline.thread_id
        if self.timeline.shows_all and entry is not None:
            thread_id = entry.thread_id
        self.timeline.show(timelines, thread_id, shows_all=not self.timeline.shows_all)
        if entry is not None:
            self.timeline.go_to(entry.ref)
        self.point_at_thread(thread_id)
