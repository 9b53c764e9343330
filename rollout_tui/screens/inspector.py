"""The main screen: what the keys do with the four panes."""

from __future__ import annotations

from collections.abc import Callable

from textual import on

from reducer import ObjectRef
from rollout_tui import keys
from rollout_tui.panes.detail import DetailPane
from rollout_tui.screens.facts_screen import FactsScreen
from rollout_tui.screens.finding_screen import FindingScreen
from rollout_tui.screens.step_menu import StepMenu
from rollout_tui.views.contexts.visibility import visibility_facts, visibility_of
from rollout_tui.views.edges.delivery import delivery_facts, delivery_view
from rollout_tui.views.edges.steps import NoStep, Way
from rollout_tui.views.places import Place
from rollout_tui.views.stepping import entry_kind, is_failure, next_entry
from rollout_tui.views.timeline import Entry


class InspectorScreen(FindingScreen):
    """Walks through one bundle."""

    BINDINGS = [*keys.bindings(keys.Context.PANES)]

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
        self.timeline.show(timelines, place.thread_id, shows_all=place.shows_all)
        self.threads.go_to(place.thread_id)
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

    @property
    def subject(self) -> ObjectRef | None:
        """The object under the cursor of the pane that has the keys."""
        if self.active is self.threads and self.threads.list.cursor_key is not None:
            return ObjectRef("Thread", str(self.threads.list.cursor_key))
        seen = self.context.seen
        if self.active is self.context and seen is not None and seen.ref is not None:
            return self.detail.ref if seen.ref.type == "RequestPart" else seen.ref
        entry = self.timeline.entry
        if self.active is self.timeline and entry is not None:
            return entry.ref
        return self.detail.ref

    # Context

    def action_delta(self) -> None:
        """Show the context against that of the previous call, or as it is."""
        timelines = self.timelines
        if timelines is not None:
            self.context.toggle_delta(timelines.index)
            self._followed_line = self.context.list.cursor_key

    def action_visibility(self) -> None:
        """Show which calls saw an item; of an agent, what it was told, and who saw its answers."""
        follower, ref = self.session.follower, self.subject
        if follower is None or ref is None:
            return
        trace = follower.index.trace
        item, thread = trace.conversation_items.get(ref.id), trace.threads.get(ref.id)
        if item is not None:
            facts = visibility_facts(follower.index, visibility_of(follower.sightings, item))
            self.app.push_screen(FactsScreen("Seen by", facts), self._arrive)
        elif thread is not None:
            facts = delivery_facts(follower.index, delivery_view(follower.links, thread))
            self.app.push_screen(
                FactsScreen(f"Tasks and answers of {thread.agent_path}", facts), self._arrive
            )
        else:
            self.say("this is about items and agents: go to the context, or to the threads")

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
            self.say(way.sentence)
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

    # Steppers

    def action_compactions(self) -> None:
        """Step through the compaction nearest to the cursor."""
        from rollout_tui.screens.compaction_stepper import Chosen, CompactionStepper

        def chosen(choice: Chosen | None) -> None:
            if choice is not None:
                self.jump(choice.ref, choice.at)

        timelines, entry = self.timelines, self.timeline.entry
        if timelines is not None and entry is not None:
            self.app.push_screen(CompactionStepper(timelines.index, entry.thread_id, entry.seq), chosen)

    def action_cells(self) -> None:
        """Step through the code cell at the cursor, or the nearest one."""
        from rollout_tui.screens.exec_stepper import ExecStepper

        def chosen(ref: ObjectRef | None) -> None:
            if ref is not None:
                self.jump(ref)

        timelines, entry = self.timelines, self.timeline.entry
        if timelines is not None and entry is not None:
            stepper = ExecStepper(self.session, timelines.index, entry.ref, entry.thread_id, entry.seq)
            self.app.push_screen(stepper, chosen)

    # Steps along the timeline

    def _step(self, direction: int, wanted: Callable[[Entry], bool], what: str, *, any_agent: bool) -> None:
        """Put the cursor on the nearest wanted entry, or say that there is none."""
        timelines, entry = self.timelines, self.timeline.entry
        if timelines is None or entry is None:
            return
        everywhere = any_agent or self.timeline.shows_all
        nodes = timelines.all_agents if everywhere else timelines.of_thread(entry.thread_id)
        found = next_entry(nodes, entry, direction, wanted)
        if found is None:
            self.say(f"no {what} {'after' if direction > 0 else 'before'} this")
        else:
            if any_agent:
                self.history.leave(self.here())
            self.go_to(found.ref)

    def _step_kind(self, direction: int) -> None:
        timelines, entry = self.timelines, self.timeline.entry
        if timelines is not None and entry is not None:
            index = timelines.index
            kind = entry_kind(index, entry)
            self._step(direction, lambda one: entry_kind(index, one) == kind, kind, any_agent=False)

    def _step_type(self, direction: int, type_: str, what: str) -> None:
        self._step(direction, lambda entry: entry.ref.type == type_, what, any_agent=False)

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
        timelines = self.timelines
        if timelines is not None:
            index = timelines.index
            self._step(direction, lambda entry: is_failure(index, entry), "failure", any_agent=True)

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
        self.threads.go_to(thread_id)
