"""The main screen: what the keys do with the four panes."""

from __future__ import annotations

from collections.abc import Callable

from textual import on, work
from textual.message import Message
from textual.worker import get_current_worker

from reducer import ObjectRef
from reducer.model import ConversationItem, InferenceCall
from rollout_tui import keys
from rollout_tui.feed import View
from rollout_tui.key_order import OPENING
from rollout_tui.panes.context import ContextPane
from rollout_tui.panes.detail import DetailPane
from rollout_tui.reader import FOLLOW, PAST, READ, BundleReader
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
from rollout_tui.views.landing import GONE, gone_words
from rollout_tui.views.places import Marks, Place, PlaceRefused
from rollout_tui.views.reading_state import ReadingState
from rollout_tui.views.stepping import Stepping, entry_kind
from rollout_tui.views.timeline import Timelines


class InspectorScreen(StepperScreen):
    """Walks through one bundle. Its result is why there is nothing to show; None if the reader left.

    Attributes:
        reader: reads the bundle.
        marks: the places that the reader put a letter on.
    """

    BINDINGS = [*keys.bindings(keys.Context.PANES, keys.Context.APP)]

    class ViewShown(Message):
        """A view was made, and is shown now."""

    def __init__(
        self, session: Session, *, at_seq: int | None = None, follow: bool = False, is_first: bool = True
    ) -> None:
        """Prepare to show a bundle.

        Args:
            session: the bundle.
            at_seq: sequence number to begin at; by default the beginning.
            follow: whether to show what is added to its log from the start.
            is_first: whether there is nothing below it; else `esc` leaves it, too.
        """
        super().__init__(session)
        self.marks = Marks()
        self.reader = BundleReader(session, self, self)
        self._at_seq = at_seq
        self._follows = follow
        self._is_first = is_first

    def on_mount(self) -> None:
        """Fill the panes when the graph is there."""
        self.reader.read(follow=self._follows)

    # What is read

    def show_view(self, view: View, *, is_first: bool) -> None:
        """Fill the panes, or bring them up to date."""
        if is_first:
            self.show(view.timelines)
        else:
            self.refresh_view(view.timelines)
        state = self.reader.state
        if state.past_seq is not None:
            self.go_to_seq(state.past_seq)
        # Where the reader wants to begin may not be read at first.
        if self._at_seq is not None and (view.last_seq >= self._at_seq or not state.is_reading):
            self.tell(self.go_to_seq(self._at_seq))
            self._at_seq = None
        self.post_message(self.ViewShown())

    def show_state(self, state: ReadingState) -> None:
        """Say in the header how far the reading is."""
        self.show_header(state)

    def fail(self, reason: str) -> None:
        """There is nothing to show: leave, and say why."""
        self.pop_until_active()
        self.dismiss(reason)

    def complain(self, reason: str) -> None:
        """Say why nothing else is shown."""
        self.say(reason, bad=True)

    def work_failed(self, group: str, reason: str) -> None:
        """Say that what was asked for was not done."""
        if group in (READ, FOLLOW, PAST):
            self.reader.work_failed(group, reason)
        else:
            super().work_failed(group, reason)

    # Leaving

    def action_back(self) -> None:
        """Back one level; while loading, give up."""
        if not (
            self.reader.cancel()
            or self.end_search()
            or self.lead_back()
            or self.step_back()
            or self.reader.look_now()
            or self._is_first
        ):
            self.dismiss(None)

    def action_leave(self) -> None:
        """Back one level; at the root, leave."""
        if not self.step_back():
            self.dismiss(None)

    # The bundle

    def action_reload(self) -> None:
        """Read the bundle again; the cursor stays on what it is on."""
        self.reader.read(follow=self.reader.state.is_following)

    def action_follow_log(self) -> None:
        """Show what is added to the log, or do not look at it any more."""
        if self.reader.state.is_following:
            self.reader.stop_following()
        else:
            self.reader.follow()

    def action_pause(self) -> None:
        """Hold what is shown still, and count what is added; or go on."""
        if self.reader.state.is_following:
            self.reader.pause_following()
        else:
            self.say("nothing is followed: t follows the log")

    def action_problems(self) -> None:
        """List what is wrong: with the recording, and in the run."""
        from rollout_tui.screens.problems import ProblemsScreen

        if self.timelines is not None:
            self.app.push_screen(ProblemsScreen(self.timelines), self._show_wrong)

    def _show_wrong(self, ref: ObjectRef | None) -> None:
        timelines = self.timelines
        payload = None if timelines is None or ref is None else timelines.index.trace.raw_payloads.get(ref.id)
        if ref is not None and ref.type == "Payload" and payload is not None:
            self.jump_to_payload(payload)
        elif ref is not None:
            self.jump(ref)

    # The past

    def on_panes_screen_moment_wanted(self, message: StepperScreen.MomentWanted) -> None:
        """Show everything as of a moment."""
        line = self.reader.event_line()
        if message.percent is None:
            if not self.reader.look_now():
                self.say("this is how everything is now")
        elif line is None:
            self.say("nothing has happened yet")
        else:
            self.reader.look_back(line.seq(line.place_at(message.percent)))

    def action_scrub(self) -> None:
        """Move along the log; on the way back everything is as it was before."""
        from rollout_tui.screens.scrubber import Scrubber

        reader = self.reader
        line, before = reader.event_line(), reader.state.past_seq
        if line is None:
            self.say("nothing has happened yet")
            return

        def left(seq: int | None) -> None:
            if seq is not None:
                reader.look_back(seq)
            elif before is not None:
                reader.look_back(before)
            else:
                reader.look_now()

        at = line.place_of(before) if before is not None else len(line)
        self.app.push_screen(Scrubber(line, at, reader.look_back), left)

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
        self.tell(self._show_place(timelines, place))

    def _show_place(self, timelines: Timelines, place: Place) -> str:
        """Show a place; gives what is to be said if it is gone, or only what is near to it is there."""
        index, words = timelines.index, ""
        if place.thread_id not in index.trace.threads and index.threads:
            return f"the agent of that place, at seq {place.seq}, is {GONE}"
        self.timeline.show(timelines, place.thread_id, shows_all=place.shows_all)
        self.point_at_thread(place.thread_id)
        if place.entry is None or not self.timeline.go_to(place.entry):
            if place.entry is not None and not self.timeline.is_filtering:
                words = self._why_only_near(timelines, place.entry, place.seq)
            self.timeline.go_to_seq(place.seq)
        self.action_show_pane(place.pane)
        self.follow_entry()
        if place.detail is not None and not index.has(place.detail):
            return words or gone_words(place.detail)
        if place.detail is not None:
            self.context.go_to(place.detail)
            self.show_detail(place.detail)
        elif place.entry is not None and index.has(place.entry):
            self.show_detail(place.entry)
        return words

    def _why_only_near(self, timelines: Timelines, ref: ObjectRef, seq: int) -> str:
        """Why the entry of a place is not under the cursor, but the last one before it."""
        if timelines.tree(None).find(ref) is not None:
            return self.hidden_words(seq)
        return f"{gone_words(ref)}: this is the last entry before seq {seq}"

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
            timelines, view = self.timelines, self.context.view
            if choice is None or timelines is None:
                return
            if view is None or view.call.inference_call_id != call.inference_call_id:
                self.tell(gone_words(ObjectRef("InferenceCall", call.inference_call_id)))
                return
            base_id = None if choice.base is None else choice.base.inference_call_id
            if base_id is None:
                self.context.show_list(timelines.index)
            elif base_id in timelines.index.trace.inference_calls:
                self.context.show_delta(timelines.index, base_id)
            else:
                self.tell(gone_words(ObjectRef("InferenceCall", base_id)))
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
        shared = {message.prefix.call.inference_call_id, message.prefix.base.inference_call_id}
        if timelines is not None and shared <= timelines.index.trace.inference_calls.keys():
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
        if ref is None or not self.jump(ref):
            return
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
            self.tell(self.go_to(found.ref))

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
