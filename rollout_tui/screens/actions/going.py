"""Going to an object, an event or a payload: the panes show it, and what is not just that is said."""

from __future__ import annotations

from reducer import EventRecord, ObjectRef
from reducer.model import InferenceProducer
from reducer.wire.payload_refs import PayloadRef
from rollout_tui.insight.timeline.entries import Entry
from rollout_tui.panes.four_panes import FourPanes
from rollout_tui.session import Session
from rollout_tui.views.landing import GONE, gone_words, landing_at, ref_with_entry
from rollout_tui.views.places import Place
from rollout_tui.views.timeline import Timelines


class Going:
    """Puts the cursors on what the reader wants to see. What is not just there is given as a sentence."""

    def __init__(self, session: Session, panes: FourPanes) -> None:
        self._session = session
        self._panes = panes

    def go_to(self, ref: ObjectRef) -> str:
        """Show an object: at its entry in a timeline, its item in a context, or else in the detail only."""
        panes, timelines, words = self._panes, self._panes.timelines, ""
        if timelines is None:
            return ""
        if not timelines.index.has(ref):
            return gone_words(ref)
        if ref.type == "Problem":
            return self._go_to_problem(timelines, ref)
        if ref.type == "Thread":
            panes.timeline.show(timelines, ref.id)
            panes.point_at_thread(ref.id)
        elif ref.type == "ConversationItem":
            if not panes.context.go_to(ref):
                words = self._go_to_call_with(timelines, ref)
        else:
            words = self._go_to_entry(timelines, ref_with_entry(timelines.index, ref))
        panes.show_detail(ref)
        panes.frame.show_place()
        return words

    def _go_to_entry(self, timelines: Timelines, ref: ObjectRef) -> str:
        """Put the cursor on an entry; what has none is shown in the detail only."""
        everything = timelines.tree(None)
        place = everything.find(ref)
        return "" if place is None else self._put_cursor_on(timelines, everything.values[place])

    def _put_cursor_on(self, timelines: Timelines, wanted: Entry) -> str:
        panes, timeline = self._panes, self._panes.timeline
        if wanted.thread_id != timeline.thread_id and not timeline.shows_all:
            timeline.show(timelines, wanted.thread_id)
            panes.point_at_thread(wanted.thread_id)
        is_there, words = timeline.go_to(wanted.ref), ""
        if not is_there and not timeline.is_filtering:
            words = self._hidden_words(wanted.seq)
        panes.show_context_of_entry()
        return words

    def _hidden_words(self, seq: int) -> str:
        """That the filter keeps the cursor from an entry."""
        return f"the entry at seq {seq} does not pass the filter &{self._panes.timeline.filter.text}"

    def missed_words(self, ref: ObjectRef) -> str:
        """Why the cursor is not where it was to go, now that the rows are found that pass the filter."""
        timelines = self._panes.timelines
        place = None if timelines is None else timelines.tree(None).find(ref)
        if timelines is None or place is None:
            return ""
        return self._hidden_words(timelines.tree(None).values[place].seq)

    def _go_to_call_with(self, timelines: Timelines, ref: ObjectRef) -> str:
        """Put the cursor on the call that answered with an item, or else on the first one that saw it."""
        follower, item = self._session.follower, timelines.index.trace.conversation_items[ref.id]
        answered = [one.inference_call_id for one in item.produced_by if isinstance(one, InferenceProducer)]
        call = None if follower is None else follower.sightings.first_call(item)
        call_id = answered[0] if answered else None if call is None else call.inference_call_id
        if call_id is None:
            return "no call saw this item: it is in the detail only"
        words = self._go_to_entry(timelines, ObjectRef("InferenceCall", call_id))
        self._panes.context.go_to(ref)
        return words

    def _go_to_problem(self, timelines: Timelines, ref: ObjectRef) -> str:
        """Show a problem in the detail, and what happened around it in the timeline."""
        problem = timelines.index.problem(ref.id)
        if problem is not None and problem.seq is not None:
            self.go_to_seq(problem.seq)
        self._panes.show_detail(ref)
        self._panes.activate(self._panes.detail)
        return ""

    def go_to_seq(self, seq: int) -> str:
        """Put the cursor on what happened at a sequence number, in whichever agent that was."""
        panes, timelines = self._panes, self._panes.timelines
        if timelines is None:
            return ""
        landing = landing_at(timelines, seq, panes.timeline.thread_id)
        if landing.entry is None:
            return landing.words
        hidden = self._put_cursor_on(timelines, landing.entry)
        if hidden:
            panes.timeline.go_to_seq(landing.entry.seq)
        panes.follow_entry()
        return landing.words or hidden

    def go_to_payload(self, ref: PayloadRef) -> str:
        """Show a payload at what it is evidence of: the object or else the event that brought it."""
        panes, timelines = self._panes, self._panes.timelines
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
        panes.show_detail(shown)
        panes.detail.show_payload(ref, None)
        panes.activate(panes.detail)
        return words

    def go_to_prompt(self, ref: ObjectRef) -> str:
        """Go to a call, and show in the detail what codex prepared for it."""
        words = self.go_to(ref)
        self._panes.detail.show_tab("prompt")
        self._panes.activate(self._panes.detail)
        return words

    def _go_to_event(self, timelines: Timelines, event: EventRecord, what: str) -> tuple[ObjectRef, str]:
        """Go to what an event tells of; gives that, or else the event, and what is to be said of it."""
        landing = landing_at(timelines, event.seq, self._panes.timeline.thread_id)
        words = self.go_to_seq(event.seq)
        if landing.entry is not None and landing.is_its_own:
            return landing.entry.ref, f"{what} {landing.words}" if landing.words else words
        return ObjectRef("Event", str(event.seq)), f"{what} {landing.words}"

    def return_to(self, place: Place) -> str:
        """Show a place; gives what is to be said if it is gone, or only what is near to it is there."""
        panes, timeline, timelines, words = self._panes, self._panes.timeline, self._panes.timelines, ""
        if timelines is None:
            return ""
        index = timelines.index
        if place.thread_id not in index.trace.threads and index.threads:
            return f"the agent of that place, at seq {place.seq}, is {GONE}"
        timeline.show(timelines, place.thread_id, shows_all=place.shows_all)
        panes.point_at_thread(place.thread_id)
        if place.entry is None or not timeline.go_to(place.entry):
            if place.entry is not None and not timeline.is_filtering:
                words = self._why_only_near(timelines, place.entry, place.seq)
            timeline.go_to_seq(place.seq)
        panes.go_to_pane(place.pane)
        panes.follow_entry()
        if place.detail is not None and not index.has(place.detail):
            return words or gone_words(place.detail)
        if place.detail is not None:
            panes.context.go_to(place.detail)
            panes.show_detail(place.detail)
        elif place.entry is not None and index.has(place.entry):
            panes.show_detail(place.entry)
        return words

    def _why_only_near(self, timelines: Timelines, ref: ObjectRef, seq: int) -> str:
        """Why the entry of a place is not under the cursor, but the last one before it."""
        if timelines.tree(None).find(ref) is not None:
            return self._hidden_words(seq)
        return f"{gone_words(ref)}: this is the last entry before seq {seq}"
