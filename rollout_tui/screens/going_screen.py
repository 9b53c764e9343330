"""Going to an object, an event or a payload: the panes show it, and what is not just that is said."""

from __future__ import annotations

from textual import on

from reducer import EventRecord, ObjectRef
from reducer.model import InferenceProducer
from reducer.wire.payload_refs import PayloadRef
from rollout_tui.panes.timeline import TimelinePane
from rollout_tui.screens.taking_screen import TakingScreen
from rollout_tui.views.entries import Entry
from rollout_tui.views.landing import GONE, gone_words, landing_at, standing_for
from rollout_tui.views.timeline import Timelines


class GoingScreen(TakingScreen):
    """Puts the cursors on what the reader wants to see. What is not just there is given as a sentence."""

    def when(self) -> str:
        """Of which moment the view is, behind a sentence about what is not in it."""
        past = self._state.past_seq
        return "" if past is None else f" (shown as of seq {past}; esc shows everything as it is now)"

    def tell(self, words: str) -> None:
        """Say where a jump has led, if there is anything to say."""
        if words:
            self.say(f"{words}{self.when() if GONE in words else ''}")

    def go_to(self, ref: ObjectRef) -> str:
        """Show an object: at its entry in a timeline, its item in a context, or else in the detail only."""
        timelines, words = self.timelines, ""
        if timelines is None:
            return ""
        if not timelines.index.has(ref):
            return gone_words(ref)
        if ref.type == "Thread":
            self.timeline.show(timelines, ref.id)
            self.point_at_thread(ref.id)
        elif ref.type == "ConversationItem":
            if not self.context.go_to(ref):
                words = self._go_to_call_with(timelines, ref)
        else:
            words = self._go_to_entry(timelines, standing_for(timelines.index, ref))
        self.show_detail(ref)
        self.show_breadcrumb()
        return words

    def _go_to_entry(self, timelines: Timelines, ref: ObjectRef) -> str:
        """Put the cursor on an entry; what has none is shown in the detail only."""
        everything = timelines.tree(None)
        place = everything.find(ref)
        return "" if place is None else self._put_cursor_on(timelines, everything.values[place])

    def _put_cursor_on(self, timelines: Timelines, wanted: Entry) -> str:
        if wanted.thread_id != self.timeline.thread_id and not self.timeline.shows_all:
            self.timeline.show(timelines, wanted.thread_id)
            self.point_at_thread(wanted.thread_id)
        is_there, words = self.timeline.go_to(wanted.ref), ""
        if not is_there and not self.timeline.is_filtering:
            words = self.hidden_words(wanted.seq)
        entry = self.timeline.entry
        if entry is not None:
            self.context.show_at(timelines.index, entry)
            self._followed = entry.ref
        return words

    def hidden_words(self, seq: int) -> str:
        """That the filter keeps the cursor from an entry."""
        return f"the entry at seq {seq} does not pass the filter &{self.timeline.filter.text}"

    @on(TimelinePane.Missed)
    def _missed(self, message: TimelinePane.Missed) -> None:
        """Where the cursor was to go while rows were filtered there is none."""
        message.stop()
        timelines = self.timelines
        place = None if timelines is None else timelines.tree(None).find(message.ref)
        if timelines is not None and place is not None:
            self.tell(self.hidden_words(timelines.tree(None).values[place].seq))

    def _go_to_call_with(self, timelines: Timelines, ref: ObjectRef) -> str:
        """Put the cursor on the call that answered with an item, or else on the first one that saw it."""
        follower, item = self.session.follower, timelines.index.trace.conversation_items[ref.id]
        answered = [one.inference_call_id for one in item.produced_by if isinstance(one, InferenceProducer)]
        call = None if follower is None else follower.sightings.first_call(item)
        call_id = answered[0] if answered else None if call is None else call.inference_call_id
        if call_id is None:
            return "no call saw this item: it is in the detail only"
        words = self._go_to_entry(timelines, ObjectRef("InferenceCall", call_id))
        self.context.go_to(ref)
        return words

    def show_problem(self, ref: ObjectRef) -> str:
        """Show a problem in the detail, and what happened around it in the timeline."""
        timelines = self.timelines
        problem = None if timelines is None else timelines.index.problem(ref.id)
        if problem is None:
            return gone_words(ref)
        if problem.seq is not None:
            self.go_to_seq(problem.seq)
        self.show_detail(ref)
        self.activate(self.detail)
        return ""

    def go_to_seq(self, seq: int) -> str:
        """Put the cursor on what happened at a sequence number, in whichever agent that was."""
        timelines = self.timelines
        if timelines is None:
            return ""
        landing = landing_at(timelines, seq, self.timeline.thread_id)
        if landing.entry is None:
            return landing.words
        hidden = self._put_cursor_on(timelines, landing.entry)
        if hidden:
            self.timeline.go_to_seq(landing.entry.seq)
        self.follow_entry()
        return landing.words or hidden

    def go_to_payload(self, ref: PayloadRef) -> str:
        """Show a payload at what it is evidence of: the object or else the event that brought it."""
        timelines = self.timelines
        if timelines is None:
            return ""
        events, payload_id = timelines.index.reduction.provenance.events, ref.raw_payload_id
        of_payload = (
            one for one in events if any(each.raw_payload_id == payload_id for each in one.payloads)
        )
        event = next(of_payload, None)
        if event is None:
            shown = ObjectRef("Payload", payload_id)
            words = f"no event names {payload_id} by itself: it is a part of other payloads"
        else:
            shown, words = self._go_to_event(timelines, event, f"{payload_id} is of")
        self.show_detail(shown)
        self.detail.show_payload(ref, None)
        self.activate(self.detail)
        return words

    def _go_to_event(self, timelines: Timelines, event: EventRecord, what: str) -> tuple[ObjectRef, str]:
        """Go to what an event tells of; gives that, or else the event, and what is to be said of it."""
        landing = landing_at(timelines, event.seq, self.timeline.thread_id)
        words = self.go_to_seq(event.seq)
        if landing.entry is not None and landing.is_its_own:
            return landing.entry.ref, f"{what} {landing.words}" if landing.words else words
        return ObjectRef("Event", str(event.seq)), f"{what} {landing.words}"
