"""Pane 4: the object under the cursor, its links, its texts, and its raw evidence."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on, work
from textual.app import ComposeResult
from textual.message import Message
from textual.worker import get_current_worker

from reducer import ObjectRef, Recording
from reducer.model import InferenceCall
from reducer.wire.payload_refs import PayloadRef
from rollout_tui import keys
from rollout_tui.awaited_work import AwaitingWork
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.problems.reading import read_problem
from rollout_tui.lines.spans import Piece
from rollout_tui.panes.detail_tabs import Tab, tabs_of
from rollout_tui.panes.pane import Pane
from rollout_tui.panes.tab_body import Path, TabBody
from rollout_tui.panes.tab_row import TabRow
from rollout_tui.safe_text import SafeText, safe_text
from rollout_tui.session import Session
from rollout_tui.views.detail.describe import describe
from rollout_tui.views.detail.facts import NAME_WIDTH, Detail, Fact, FactRow
from rollout_tui.views.detail.origin import Origins, origin_facts
from rollout_tui.widgets.bars import Bar
from rollout_tui.widgets.json_tree import JsonTree
from rollout_tui.widgets.line_view import LineView
from rollout_tui.widgets.virtual_list import VirtualList


class DetailPane(AwaitingWork, Pane):
    """Shows one object in tabs. A tab is what it shows: it stays that when the object is seen anew.

    Attributes:
        tabs: the tabs of the object.
    """

    class LinkFollowed(Message):
        """The reader wants to see another object."""

        def __init__(self, ref: ObjectRef) -> None:
            super().__init__()
            self.ref = ref

    def __init__(self, session: Session) -> None:
        super().__init__(keys.Focus.DETAIL, 4)
        self._session = session
        self.tab_bar = Bar()
        self.body = TabBody(session)
        self.facts, self.text, self.payload_tree = self.body.facts, self.body.text, self.body.payload_tree
        self.comparison, self.origin = self.body.comparison, self.body.origin
        self._origins: Origins | None = None
        self._ref: ObjectRef | None = None
        self._detail: Detail | None = None
        self._heading = safe_text("")
        self._recording: Recording | None = None
        self.tabs = TabRow()

    def views(self) -> ComposeResult:
        """The tabs, and what the current one shows."""
        yield self.tab_bar
        yield self.body

    def on_mount(self) -> None:
        """Nothing is shown yet."""
        self._show_tab(self.tabs.shown)

    @property
    def ref(self) -> ObjectRef | None:
        """The shown object."""
        return None if self._detail is None else self._detail.ref

    @property
    def heading(self) -> SafeText:
        """What the shown object is, or which one is not there to be shown."""
        return self._heading

    @property
    def _view(self) -> LineView:
        return self.body.view

    def whole_text(self) -> str:
        """All that the tab shows, as text; not safe for a terminal."""
        if self._view is self.text:
            return self.text.text
        if self._view is self.payload_tree:
            return self.payload_tree.data.decode(errors="replace")
        facts: Sequence[Fact] = () if self._detail is None else self._detail.facts
        facts = self.tabs.shown.origin or facts
        return "\n".join(f"{fact.name:<{NAME_WIDTH}} {fact.value}" for fact in facts)

    def value_text(self) -> str:
        """What is under the cursor: a value of a payload, the value of a fact, or the whole text."""
        if self._view is self.payload_tree:
            return self.payload_tree.value_text()
        if self._view is self.facts and self._detail is not None and self._detail.facts:
            return self._detail.facts[self.facts.cursor].value
        if self._view is self.origin and self.tabs.shown.origin:
            return self.tabs.shown.origin[self.origin.cursor].value
        return self.whole_text()

    def focus_view(self) -> None:
        """The view of the tab takes the keys."""
        self._view.focus()

    def focus_name(self) -> keys.Focus:
        """The keys of the view of the tab."""
        names: dict[LineView, keys.Focus] = {self.text: keys.Focus.TEXT, self.payload_tree: keys.Focus.TREE}
        return names.get(self._view, keys.Focus.DETAIL)

    # The object

    def show(self, ref: ObjectRef | None) -> None:
        """Show an object, in the tab of the same payload, name or kind as before if it has one."""
        timelines = self._session.timelines
        if self._detail is not None and ref == self._detail.ref and timelines is not None:
            return
        self._ref, self._heading = ref, safe_text("")
        self.tabs.leave()
        self._take(
            None if ref is None or timelines is None else describe(timelines.index, ref, timelines.links)
        )
        self._show_tab(self.tabs.nearest())
        if timelines is not None:
            self._wants_line(timelines.index)

    def _take(self, detail: Detail | None) -> None:
        """Have the fields and the tabs of the object as it is in the view; one that is gone has none."""
        ref, timelines = self._ref, self._session.timelines
        self._detail, self._recording = detail, self._session.recording
        gone = ""
        if detail is not None:
            self._heading = detail.title
        elif ref is not None:
            gone = f"{self._heading or f'{ref.type} {ref.id}'} is not in what is shown now."
        elif timelines is not None:
            gone = "Nothing is selected."
        self.body.show_facts(() if detail is None else detail.facts, gone)
        self.title.show(safe_text(gone if ref is not None else "") or self._heading)
        index = None if timelines is None else timelines.index
        self.tabs.all = tabs_of(index, detail, self._origin_of(ref), self.tabs.opened)

    def _wants_line(self, index: TraceIndex) -> bool:
        """Have the line of a problem read for this view, if it was not; say whether that is awaited."""
        ref = self._ref
        if ref is None or ref.type != "Problem" or ref.id in index.problem_lines:
            return False
        if index.problem(ref.id) is None:
            return False
        self._read_problem(index, ref.id)
        return True

    @work(thread=True, exclusive=True, group="problem", exit_on_error=False)
    def _read_problem(self, index: TraceIndex, problem_id: str) -> None:
        """Read the line that a problem is about; then there is more to show of it."""
        worker, problem = get_current_worker(), index.problem(problem_id)
        if problem is not None:
            index.problem_lines[problem_id] = read_problem(index, problem)
        if not worker.is_cancelled:
            self.app.call_from_thread(self.refresh_view)

    def work_failed(self, group: str, reason: str) -> None:
        """Say that the line of the problem will not come."""
        self.post_message(self.WorkFailed(f"the line of the problem is not known: {reason}"))

    def refresh_view(self) -> None:
        """Show what became of the object. What is read in texts and payloads that stay is not disturbed."""
        timelines, before, ref = self._session.timelines, self._detail, self._ref
        if timelines is None or ref is None or self._wants_line(timelines.index):
            return  # what is known of the line of a problem stays until it is known for this view
        detail, is_read_again = describe(timelines.index, ref, timelines.links), self._is_read_again
        if not is_read_again and (detail and _looks(detail)) == (before and _looks(before)):
            return
        if is_read_again:
            self.tabs.leave_value()
        self._take(detail)
        had_keys = self._view.has_focus
        self._stay(is_read_again=is_read_again)
        if had_keys:
            self._view.focus()

    @property
    def _is_read_again(self) -> bool:
        """Whether the bundle was opened once more: what is in its files may be another thing."""
        return self._session.recording is not self._recording

    def _stay(self, *, is_read_again: bool) -> None:
        """Stay on the tab, as it is in a newer view."""
        before, tab = self.tabs.shown, self.tabs.stay()
        if tab.is_gone != before.is_gone:
            self.body.show(tab)
        elif not tab.is_gone and (is_read_again or tab.content != before.content):
            self.body.read_again(tab)
        else:
            self.body.keep(tab)
        self._show_tab_names()

    def forget(self) -> None:
        """Let the next `show` look at its object anew."""
        self._detail = None

    def show_request_part(self, call: InferenceCall, part: str) -> None:
        """Show instructions or tools of a call, in its raw request."""
        self.show(ObjectRef("InferenceCall", call.inference_call_id))
        for tab in self.tabs.all:
            if tab.evidence is not None and tab.evidence.name == "request":
                self._show_tab(tab, (part,))

    def show_tab(self, name: str) -> None:
        """Show the tab with a name, if the object has one."""
        tab = self.tabs.named(name)
        if tab is not None:
            self._show_tab(tab)

    def show_payload(self, ref: PayloadRef, path: Path | None) -> None:
        """Show a value of a payload; the payload gets a tab if the object has none for it.

        Args:
            ref: the payload.
            path: keys and positions from its top to the value; None for what is the object's.
        """
        self._show_tab(self.tabs.for_payload(ref), None if path is None else tuple(path))

    @property
    def payload(self) -> PayloadRef | None:
        """The payload that is shown, or else the first one of the object."""
        tab = self.tabs.shown
        if tab.evidence is not None and not tab.is_gone:
            return tab.evidence.ref
        payloads = () if self._detail is None else self._detail.payloads
        return next((evidence.ref for evidence in payloads), None)

    @property
    def shows_raw(self) -> bool:
        """Whether a payload, or a line of the log, is shown as it is."""
        return self._view is self.payload_tree

    def _origin_of(self, ref: ObjectRef | None) -> list[Fact]:
        """The rows of the origin of an object; none where it is its own."""
        follower = self._session.follower
        if ref is None or follower is None:
            return []
        if self._origins is None or self._origins.links is not follower.links:
            self._origins = Origins(follower.links)
        chain = self._origins.chain(ref)
        return origin_facts(chain) if len(chain) > 1 else []

    # Tabs

    def _show_tab(self, tab: Tab, path: Path | None = None) -> None:
        self.tabs.shown = tab
        self.body.show(tab, path)
        self._show_tab_names()

    def _turn_to(self, tab: Tab) -> None:
        """Show another tab of the same object, with the keys in it."""
        self._show_tab(tab)
        self._view.focus()

    def _show_tab_names(self) -> None:
        self.tab_bar.show_pieces([*self.tabs.pieces(), Piece(0, self.body.words())])

    def _turn_tab(self, direction: int) -> None:
        tab = self.tabs.beside(direction)
        if tab is not None:
            self._turn_to(tab)

    def step_back(self) -> bool:
        """Back to the fields from any other tab; say whether that was a step."""
        if self.tabs.place == 0:
            return False
        self._turn_to(self.tabs.all[0])
        return True

    @on(LineView.AtEdge)
    def _at_edge(self, message: LineView.AtEdge) -> None:
        message.stop()
        self._turn_tab(message.direction)

    @on(TabBody.Filled)
    @on(JsonTree.CursorMoved)
    def _more_to_say(self, message: Message) -> None:
        message.stop()
        self._show_tab_names()

    @on(JsonTree.ValueOpened)
    def _value_opened(self, message: JsonTree.ValueOpened) -> None:
        """A whole value gets a tab of its own."""
        message.stop()
        self._turn_to(self.tabs.open_value(message.path, message.text))

    @on(VirtualList.RowOpened)
    def _fact_opened(self, message: VirtualList.RowOpened) -> None:
        message.stop()
        if self._detail is None:
            return
        fact = message.item
        link = fact.fact.link if isinstance(fact, FactRow) else None
        if link is not None:
            self.post_message(self.LinkFollowed(link))
        elif message.view is self.facts:
            self._turn_tab(1)


def _looks(detail: Detail) -> tuple[object, ...]:
    """What shows that a detail is another one than before."""
    payloads = [evidence.ref for evidence in detail.payloads]
    texts = [(text.title, text.heading, text.text, text.payload) for text in detail.texts]
    return detail.title, detail.facts, detail.log_line, payloads, texts
