"""The four panes and the one cursor in them: what they show, where they stand, which of them has the keys."""

from __future__ import annotations

from typing import Protocol

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.dom import DOMNode

from reducer import ObjectRef
from reducer.model import InferenceCall
from reducer.wire.payload_refs import PayloadRef
from rollout_tui import keys
from rollout_tui.insight.timeline.entries import Entry
from rollout_tui.panes.context import ContextPane
from rollout_tui.panes.cursor import Cursor
from rollout_tui.panes.detail import DetailPane
from rollout_tui.panes.pane import Pane
from rollout_tui.panes.threads import ThreadsPane
from rollout_tui.panes.timeline import TimelinePane
from rollout_tui.session import Session
from rollout_tui.views.filters import Filter
from rollout_tui.views.places import PaneName, Place
from rollout_tui.views.timeline import Timelines
from rollout_tui.widgets.line_view import LineView
from rollout_tui.widgets.virtual_list import VirtualList


class Frame(Protocol):
    """What stands round the panes."""

    def show_place(self) -> None:
        """Say where the reader is."""

    def show_keys(self) -> None:
        """Say which keys hold now."""


class FourPanes(Vertical):
    """Shows one bundle. The entry under the timeline's cursor decides what the other panes show.

    Attributes:
        cursor: where the reader is.
        frame: what stands round the panes.
        panes: the panes by their names.
        lists: which pane a list is of.
    """

    def __init__(self, session: Session, frame: Frame) -> None:
        super().__init__(id="main")
        self.cursor = Cursor()
        self.frame = frame
        self.threads = ThreadsPane()
        self.timeline = TimelinePane()
        self.context = ContextPane(session)
        self.detail = DetailPane(session)
        self.panes: dict[PaneName, Pane] = {
            "threads": self.threads,
            "timeline": self.timeline,
            "context": self.context,
            "detail": self.detail,
        }
        self.lists: dict[LineView, PaneName] = {
            self.threads.list: "threads",
            self.timeline.list: "timeline",
            self.context.list: "context",
        }
        self._session = session
        self._room = len(self.panes)
        self._has_followed = False

    def compose(self) -> ComposeResult:
        """The lists, and under them the detail."""
        with Horizontal(id="top"):
            yield self.threads
            yield self.timeline
            yield self.context
        yield self.detail

    # What is shown

    @property
    def timelines(self) -> Timelines | None:
        """The graph that is shown; None while it is not there."""
        return self._session.timelines

    @property
    def entry(self) -> Entry | None:
        """The entry under the cursor of the timeline."""
        return self.timeline.entry

    @property
    def call(self) -> InferenceCall | None:
        """The call whose context is shown."""
        return None if self.context.view is None else self.context.view.call

    @property
    def payload(self) -> PayloadRef | None:
        """The payload that is shown, or else the first one of the object that is."""
        return self.detail.payload

    @property
    def thread_id(self) -> str:
        """The agent whose timeline is shown; empty while there is none."""
        return self.timeline.thread_id or ""

    def show(self, timelines: Timelines) -> None:
        """Show a graph from its beginning."""
        index = timelines.index
        self.threads.show(timelines)
        thread_id = self.timeline.thread_id
        if thread_id not in index.trace.threads:
            thread_id = index.trace.root_thread_id
            if thread_id not in index.trace.threads and index.threads:
                thread_id = index.threads[0].thread_id
        self.timeline.show(timelines, thread_id, shows_all=self.timeline.shows_all)
        self.point_at_thread(thread_id)
        self.context.view = None
        self.detail.forget()
        self.follow_entry()

    def refresh_view(self, timelines: Timelines) -> None:
        """Show what became of the graph. Cursors, folds and what is read in a payload stay as they are."""
        if not self._has_followed:
            self.show(timelines)
            return
        self.threads.show(timelines)
        timelines.take_folds(self.timeline.folds)
        thread_id = self.timeline.thread_id
        if thread_id is not None:
            self.timeline.show(timelines, thread_id, shows_all=self.timeline.shows_all)
        self.context.show_at(timelines.index, self.timeline.entry, again=True)
        self.detail.refresh_view()

    def follow_entry(self) -> None:
        """Make context and detail follow the entry under the cursor."""
        timelines, entry = self.timelines, self.timeline.entry
        if timelines is None:
            return
        self.context.show_at(timelines.index, entry)
        if entry is None:
            self.show_detail(None)
            return
        if self.cursor.pane == "timeline":
            self.show_detail(entry.ref)
        self._note_entry(entry)
        self.frame.show_place()

    def show_context_of_entry(self) -> None:
        """Make the context follow the entry under the cursor; the detail will show something else."""
        timelines, entry = self.timelines, self.timeline.entry
        if timelines is not None and entry is not None:
            self.context.show_at(timelines.index, entry)
            self._note_entry(entry)

    def _note_entry(self, entry: Entry) -> None:
        self._has_followed = True
        self.cursor.put("timeline", entry.ref)

    def show_detail(self, ref: ObjectRef | None) -> None:
        """Show an object in the detail; if the keys are there, they go to the view that shows it."""
        self.detail.show(ref)
        self.note_line()
        if self.cursor.pane == "detail":
            self.detail.focus_view()

    def note_line(self) -> None:
        """The line under the cursor of the context is one that nothing is to follow."""
        self.cursor.put("context", self.context.list.cursor_key)

    def point_at_thread(self, thread_id: str) -> None:
        """Put the cursor of the agents on one of them, without that changing what is shown of it."""
        self.threads.go_to(thread_id)
        self.cursor.put("threads", self.threads.list.cursor_key)

    # What the reader moves

    @on(VirtualList.CursorMoved)
    def _cursor_moved(self, message: VirtualList.CursorMoved) -> None:
        pane = self.lists.get(message.view)
        # It may have moved on since.
        if pane is None or not self.cursor.moved(pane, message.view.cursor_key):
            return
        if pane == "threads":
            self._follow_thread()
        elif pane == "timeline":
            self.follow_entry()
        else:
            self._follow_item()

    def _follow_thread(self) -> None:
        timelines, thread_id = self.timelines, str(self.threads.list.cursor_key)
        if timelines is None:
            return
        if not self.timeline.shows_all:
            self.timeline.show(timelines, thread_id)
        self.show_detail(ObjectRef("Thread", thread_id))

    def _follow_item(self) -> None:
        seen, view = self.context.seen, self.context.view
        if seen is None or view is None:
            return
        if seen.ref is None or seen.ref.type == "RequestPart":
            self.show_detail(ObjectRef("InferenceCall", view.call.inference_call_id))
        else:
            self.show_detail(seen.ref)

    @on(VirtualList.RowOpened)
    def _row_opened(self, message: VirtualList.RowOpened) -> None:
        if message.view is self.threads.list:
            self.activate(self.timeline)
        elif message.view in (self.timeline.list, self.context.list):
            seen, view = self.context.seen, self.context.view
            if message.view is self.context.list and seen is not None and view is not None:
                if seen.ref is not None and seen.ref.type == "RequestPart":
                    self.detail.show_request_part(view.call, seen.ref.id)
                else:
                    self._follow_item()
            self.activate(self.detail)

    # Where the reader is

    @property
    def subject(self) -> ObjectRef | None:
        """The object that a key is about."""
        agent, entry, seen = self.threads.list.cursor_key, self.timeline.entry, self.context.seen
        item = None if seen is None or seen.ref is None or seen.ref.type == "RequestPart" else seen.ref
        return self.cursor.subject(
            {
                "threads": None if agent is None else ObjectRef("Thread", str(agent)),
                "timeline": None if entry is None else entry.ref,
                "context": item,
                "detail": self.detail.ref,
            }
        )

    def here(self) -> Place:
        """Where the reader is, to come back to."""
        entry, shown = self.timeline.entry, self.detail.ref
        return Place(
            self.thread_id,
            None if entry is None else entry.ref,
            0 if entry is None else entry.seq,
            self.cursor.pane,
            None if entry is not None and shown == entry.ref else shown,
            self.timeline.shows_all,
        )

    @property
    def active(self) -> Pane:
        """The pane that has the keys."""
        return self.panes[self.cursor.pane]

    def focus_name(self) -> keys.Focus:
        """Which keys hold now."""
        return self.active.focus_name()

    # Which pane has the keys

    def activate(self, pane: Pane) -> None:
        """Give a pane the keys, and its place on the screen if not all panes have one."""
        self.give_keys(next(name for name, one in self.panes.items() if one is pane))

    def give_keys(self, name: PaneName) -> None:
        """The same by its name."""
        self.cursor.give_keys(name)
        self.give_places()
        self.panes[name].focus_view()

    def go_to_pane(self, name: PaneName) -> None:
        """Give a pane the keys; in the timeline they go to its entry, which is shown again."""
        self.give_keys(name)
        if name == "timeline":
            self.follow_entry()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """The pane that has the focus is the active one, however it got it."""
        for name, pane in self.panes.items():
            if name != self.cursor.pane and pane in event.widget.ancestors:
                self.go_to_pane(name)
        self.frame.show_keys()

    def give_places(self, room: int | None = None) -> None:
        """Show all panes, the list with the keys beside the detail, or the one that has the keys.

        Args:
            room: for how many panes there is room; by default as it was.
        """
        self._room = self._room if room is None else room
        shown = self.cursor.seen_panes(self._room)
        count, screen = len(shown), self.screen
        # Where all are shown no class follows the focus: each change of one would draw the whole screen anew.
        wanted: dict[DOMNode, dict[str, bool]] = {
            pane: {"-active": count < len(self.panes) and name in shown} for name, pane in self.panes.items()
        }
        wanted[screen] = {
            "-some": count < len(self.panes),
            "-two": count == 2,
            "-single": count == 1,
            "-detail-active": shown == ("detail",),
        }
        before = [node.classes for node in wanted]
        for node, classes in wanted.items():
            node.update_classes(classes, update=False)
        if [node.classes for node in wanted] != before:
            # These alone have rules that ask for those classes; what is in the panes has many styles.
            frame = [screen, *screen.children, *screen.query("#main > *, #top > *")]
            self.app.stylesheet.update_nodes(frame)
        self.frame.show_place()
        self.frame.show_keys()

    def step_back(self) -> bool:
        """Back one level: from a tab, zoom, a pane, a filter; say whether there was one."""
        timelines, above = self.timelines, self.cursor.pane_above()
        if timelines is not None and self.timeline.cancel_filter(timelines):
            return True
        if self.cursor.pane == "detail" and self.detail.step_back():
            return True
        if self.cursor.is_zoomed:
            self.zoom()
        elif self.cursor.pane == "detail" and above is not None:
            self.give_keys(above)
        elif above is not None:
            self.go_to_pane(above)
        elif timelines is not None and self.timeline.filter:
            self.timeline.set_filter(timelines, Filter())
            self.follow_entry()
        else:
            return False
        return True

    def zoom(self) -> None:
        """Give the whole screen to the active pane, or all panes their places again."""
        self.cursor.is_zoomed = not self.cursor.is_zoomed
        self.give_places()
