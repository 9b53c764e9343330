"""One cursor, four panes: what they show, where they stand, which of them has the keys."""

from __future__ import annotations

from collections.abc import Hashable

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.dom import DOMNode
from textual.geometry import Size
from textual.message import Message
from textual.reactive import Reactive
from textual.widget import Widget

from reducer import ObjectRef
from rollout_tui import glyphs, keys
from rollout_tui.panes.context import ContextPane
from rollout_tui.panes.detail import DetailPane
from rollout_tui.panes.pane import Pane
from rollout_tui.panes.threads import ThreadsPane
from rollout_tui.panes.timeline import TimelinePane
from rollout_tui.screens.searching import SearchingScreen
from rollout_tui.screens.sizes import panes_at_once
from rollout_tui.session import Session
from rollout_tui.views.filters import Filter
from rollout_tui.views.overview import overview
from rollout_tui.views.reading_state import ReadingState, state_spans
from rollout_tui.views.timeline import Timelines
from rollout_tui.views.words import bundle_name
from rollout_tui.widgets.bars import Bar
from rollout_tui.widgets.spans import Span, span
from rollout_tui.widgets.virtual_list import VirtualList


class PanesScreen(SearchingScreen[str]):
    """Shows one bundle. The entry under the timeline's cursor decides what the other panes show."""

    AUTO_FOCUS = ""
    """The timeline has the keys first, though it is not the first pane."""

    focused: Reactive[Widget | None] = Reactive(None, repaint=False)
    """The screen is not drawn anew when the keys go elsewhere: what looks different by that draws itself."""

    class MomentWanted(Message):
        """The reader wants to see everything as of a share of all events, from 0 to 100 percent, or now."""

        def __init__(self, percent: float | None = None) -> None:
            super().__init__()
            self.percent = percent

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.threads = ThreadsPane()
        self.timeline = TimelinePane()
        self.context = ContextPane(session)
        self.detail = DetailPane(session)
        self._panes: tuple[Pane, ...] = (self.threads, self.timeline, self.context, self.detail)
        self.active: Pane = self.timeline
        self._came_from: Pane = self.timeline
        self._zoomed = False
        self._state = ReadingState()
        self._followed: ObjectRef | None = None
        self._followed_line: Hashable | None = None
        self._followed_thread: Hashable | None = None

    def compose(self) -> ComposeResult:
        """Header, breadcrumb, panes, footer."""
        yield Bar(id="header")
        yield Bar(id="breadcrumb")
        with Vertical(id="main"):
            with Horizontal(id="top"):
                yield self.threads
                yield self.timeline
                yield self.context
            yield self.detail
        yield Bar(id="footer")

    def on_mount(self) -> None:
        """Nothing is there yet but the name."""
        self.set_class(glyphs.active().ascii_only, "-ascii")
        self.show_header()
        self.timeline.focus_view()

    # What is shown

    def show(self, timelines: Timelines) -> None:
        """Show a graph from its beginning."""
        index = timelines.index
        self.show_header()
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
        if self._followed is None:
            self.show(timelines)
            return
        index = timelines.index
        self.show_header()
        self.threads.show(timelines)
        timelines.take_folds(self.timeline.folds)
        thread_id = self.timeline.thread_id
        if thread_id is not None:
            self.timeline.show(timelines, thread_id, shows_all=self.timeline.shows_all)
        entry = self.timeline.entry
        self.context.show_at(index, entry, again=True)
        self.detail.refresh_view()

    def show_header(self, state: ReadingState | None = None) -> None:
        """The run in one line, and how far the reading is.

        Args:
            state: how far; by default as it was said last.
        """
        self._state = state or self._state
        if not self.is_mounted:
            return
        name = bundle_name(self.session.bundle.path.resolve().name)
        said = state_spans(self._state)
        self._bar("header").show(overview(self.timelines, name, said, self.app.size.width))

    def said_bar(self) -> Bar:
        """The footer."""
        return self._bar("footer")

    def end_search(self) -> bool:
        """Stop a search, or the reading of a payload; say whether there was anything to stop."""
        return super().end_search() or self.detail.payload_tree.stop()

    def _bar(self, name: str) -> Bar:
        return self.query_one(f"#{name}", Bar)

    @property
    def timelines(self) -> Timelines | None:
        """The graph that is shown; None while it is not there."""
        return self.session.timelines

    def follow_entry(self) -> None:
        """Make context and detail follow the entry under the cursor."""
        timelines, entry = self.timelines, self.timeline.entry
        if timelines is None:
            return
        if entry is None:
            self.context.show_at(timelines.index, None)
            self.show_detail(None)
            return
        self.context.show_at(timelines.index, entry)
        if self.active is self.timeline:
            self.show_detail(entry.ref)
        self._followed = entry.ref
        self.show_breadcrumb()

    def show_detail(self, ref: ObjectRef | None) -> None:
        """Show an object in the detail; if the keys are there, they go to the view that shows it."""
        self.detail.show(ref)
        self._followed_line = self.context.list.cursor_key
        if self.active is self.detail:
            self.detail.focus_view()

    def show_breadcrumb(self) -> None:
        """Agent, entry and, in the context, item."""
        timelines, entry = self.timelines, self.timeline.entry
        if timelines is None or entry is None:
            return
        mark = f" {glyphs.active().separator} "
        parts: list[Span] = [span(f" {timelines.index.thread_path(entry.thread_id)}", "link")]
        parts += [span(mark, "muted"), span(f"seq {entry.seq}")]
        parts += [span(mark, "muted"), span(self.active.pane.value, "strong")]
        if self.active is self.detail:
            parts += [span(mark, "muted"), Span(self.detail.heading)]
        self._bar("breadcrumb").show(parts)

    # The cursor of each pane

    @on(VirtualList.CursorMoved)
    def _cursor_moved(self, message: VirtualList.CursorMoved) -> None:
        view, key = message.view, message.key
        # A jump follows its entry and its item by itself, and may then show something else of them.
        if view is self.timeline.list and key != self._followed:
            self.follow_entry()
        elif view is self.threads.list and view.has_focus and key != self._followed_thread:
            self._follow_thread(str(key))
        elif view is self.context.list and view.has_focus and key != self._followed_line:
            self._follow_item()

    def point_at_thread(self, thread_id: str) -> None:
        """Put the cursor of the agents on one of them, without that changing what is shown of it."""
        self.threads.go_to(thread_id)
        self._followed_thread = self.threads.list.cursor_key

    def _follow_thread(self, thread_id: str) -> None:
        self._followed_thread = thread_id
        timelines = self.timelines
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

    @on(Pane.WorkFailed)
    def _work_failed(self, message: Pane.WorkFailed) -> None:
        self.say(message.sentence, bad=True)

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

    # Panes

    def activate(self, pane: Pane) -> None:
        """Give a pane the keys, and its place on the screen if not all panes have one."""
        if pane is self.detail and self.active is not self.detail:
            self._came_from = self.active
        self.active = pane
        self._arrange(self.app.size)
        pane.focus_view()

    def _arrange(self, size: Size) -> None:
        """Show all panes, the list with the keys beside the detail, or the one that has the keys."""
        count = 1 if self._zoomed else panes_at_once(size)
        shown: tuple[Pane, ...] = self._panes
        if count == 2:
            shown = (self._came_from if self.active is self.detail else self.active, self.detail)
        elif count == 1:
            shown = (self.active,)
        # Where all are shown no class follows the focus: each change of one would draw the whole screen anew.
        wanted: dict[DOMNode, dict[str, bool]] = {
            pane: {"-active": count < 4 and pane in shown} for pane in self._panes
        }
        wanted[self] = {
            "-some": count < 4,
            "-two": count == 2,
            "-single": count == 1,
            "-detail-active": count == 1 and self.active is self.detail,
        }
        before = [node.classes for node in wanted]
        for node, classes in wanted.items():
            node.update_classes(classes, update=False)
        if [node.classes for node in wanted] != before:
            # These alone have rules that ask for those classes; what is in the panes has many styles.
            frame = [self, *self.children, *self.query("#main > *, #top > *")]
            self.app.stylesheet.update_nodes(frame)
        self.show_breadcrumb()
        self.show_keys()

    def fit_into(self, size: Size) -> None:
        """Four panes, two, or one at a time."""
        super().fit_into(size)
        self._arrange(size)
        self.show_header()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """The pane that has the focus is the active one, however it got it."""
        for pane in self._panes:
            if pane is not self.active and pane in event.widget.ancestors:
                self.activate(pane)
                if pane is self.timeline:
                    self.follow_entry()
        self.show_keys()

    def action_show_pane(self, name: str) -> None:
        """Go to a pane."""
        pane: Pane = getattr(self, name)
        self.activate(pane)
        if pane is self.timeline:
            self.follow_entry()

    def action_next_pane(self) -> None:
        """Go to the next pane."""
        self.activate(self._panes[(self._panes.index(self.active) + 1) % len(self._panes)])

    def action_previous_pane(self) -> None:
        """Go to the pane before."""
        self.activate(self._panes[self._panes.index(self.active) - 1])

    def focus_name(self) -> keys.Pane:
        """Which keys hold now."""
        return self.active.focus_name()

    def action_zoom(self) -> None:
        """Give the whole screen to the active pane, or all panes their places again."""
        self._zoomed = not self._zoomed
        self._arrange(self.app.size)

    def step_back(self) -> bool:
        """Back one level: from a tab, zoom, a pane, a filter; say whether there was one."""
        if self.timelines is not None and self.timeline.cancel_filter(self.timelines):
            return True
        if self.active is self.detail and self.detail.step_back():
            return True
        if self._zoomed:
            self.action_zoom()
            return True
        if self.active is self.detail:
            self.activate(self._came_from)
            return True
        if self.active is self.context:
            self.activate(self.timeline)
            self.follow_entry()
            return True
        if self.timelines is not None and self.timeline.filter:
            self.timeline.set_filter(self.timelines, Filter())
            self.follow_entry()
            return True
        return False
