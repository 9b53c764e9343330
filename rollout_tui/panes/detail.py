"""Pane 4: the object under the cursor, its links, its texts, and its raw evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Container
from textual.message import Message
from textual.worker import get_current_worker

from reducer import ObjectRef, UnreadablePayload
from reducer.model import InferenceCall
from reducer.wire.payload_refs import PayloadRef
from rollout_tui import glyphs
from rollout_tui.awaited_work import AwaitingWork
from rollout_tui.insight.captures import lost_part_words, lost_words
from rollout_tui.keys import Pane as PaneName
from rollout_tui.panes.detail_tabs import OBJECT, Tab, tabs_of
from rollout_tui.panes.pane import Pane
from rollout_tui.safe_text import SafeText, safe_text
from rollout_tui.session import Session
from rollout_tui.views.detail.describe import describe
from rollout_tui.views.detail.facts import NAME_WIDTH, Detail, Evidence, Fact, FactRow, TextSection, fact_row
from rollout_tui.views.detail.origin import Origins, origin_facts
from rollout_tui.views.detail.problems import read_problem
from rollout_tui.views.index import TraceIndex
from rollout_tui.views.output.comparison import Comparison, compare
from rollout_tui.views.output.saw_ran import SawRan
from rollout_tui.views.output.saw_ran_rows import ComparisonRows, comparison_words
from rollout_tui.widgets.bars import Bar
from rollout_tui.widgets.json_tree import JsonTree
from rollout_tui.widgets.line_view import LineView
from rollout_tui.widgets.rows import ListRows, row_list
from rollout_tui.widgets.spans import Span, span
from rollout_tui.widgets.text_colour import Language
from rollout_tui.widgets.text_view import TextView
from rollout_tui.widgets.virtual_list import VirtualList


class DetailPane(AwaitingWork, Pane):
    """Shows one object in tabs; what is read from files is read in a thread."""

    DEFAULT_CSS = """
    DetailPane > Container { height: 1fr; }
    DetailPane > Container > * { display: none; }
    DetailPane > Container > .-shown { display: block; }
    """

    class LinkFollowed(Message):
        """The reader wants to see another object."""

        def __init__(self, ref: ObjectRef) -> None:
            super().__init__()
            self.ref = ref

    class TextRead(Message):
        """The text of a tab is there."""

        def __init__(self, tab: Tab, text: str, language: Language) -> None:
            super().__init__()
            self.tab, self.text, self.language = tab, text, language

    class PayloadRead(Message):
        """The bytes of a tab are there, and where in them to look; or why they are not."""

        def __init__(
            self,
            tab: Tab,
            data: bytes,
            path: Sequence[str | int],
            refusal: str | None = None,
            lost: Mapping[str, str] | None = None,
        ) -> None:
            super().__init__()
            self.tab, self.data, self.path, self.refusal, self.lost = tab, data, path, refusal, lost

    class Compared(Message):
        """What was printed stands beside what was shown."""

        def __init__(self, tab: Tab, comparison: Comparison) -> None:
            super().__init__()
            self.tab, self.comparison = tab, comparison

    def __init__(self, session: Session) -> None:
        super().__init__(PaneName.DETAIL, 4)
        self._session = session
        self.tab_bar = Bar()
        self.facts = VirtualList()
        self.text = TextView()
        self.payload_tree = JsonTree()
        self.comparison = VirtualList()
        self.origin = VirtualList()
        self._origins: Origins | None = None
        self._compared: Comparison | None = None
        self._all_views = (self.facts, self.text, self.payload_tree, self.comparison, self.origin)
        self._detail: Detail | None = None
        self._tabs: list[Tab] = [Tab(OBJECT)]
        self._tab = self._tabs[0]
        self._wanted_path: tuple[str | int, ...] | None = None

    def views(self) -> ComposeResult:
        """The tabs, and a view for each kind of tab."""
        yield self.tab_bar
        with Container():
            yield from self._all_views

    def on_mount(self) -> None:
        """Nothing is shown yet."""
        self._show_tab(self._tab)

    @property
    def ref(self) -> ObjectRef | None:
        """The shown object."""
        return None if self._detail is None else self._detail.ref

    @property
    def heading(self) -> SafeText:
        """What the shown object is."""
        return safe_text("") if self._detail is None else self._detail.title

    @property
    def _view(self) -> LineView:
        if self._tab.evidence is not None or self._tab.log_line is not None:
            return self.payload_tree
        if self._tab.saw_ran is not None:
            return self.comparison
        if self._tab.origin:
            return self.origin
        return self.text if self._tab.sections else self.facts

    def whole_text(self) -> str:
        """All that the tab shows, as text; not safe for a terminal."""
        if self._view is self.text:
            return self.text.text
        if self._view is self.payload_tree:
            return self.payload_tree.data.decode(errors="replace")
        facts: Sequence[Fact] = () if self._detail is None else self._detail.facts
        facts = self._tab.origin or facts
        return "\n".join(f"{fact.name:<{NAME_WIDTH}} {fact.value}" for fact in facts)

    def value_text(self) -> str:
        """What is under the cursor: a value of a payload, the value of a fact, or the whole text."""
        if self._view is self.payload_tree:
            return self.payload_tree.value_text()
        if self._view is self.facts and self._detail is not None and self._detail.facts:
            return self._detail.facts[self.facts.cursor].value
        if self._view is self.origin and self._tab.origin:
            return self._tab.origin[self.origin.cursor].value
        return self.whole_text()

    def focus_view(self) -> None:
        """The view of the tab takes the keys."""
        self._view.focus()

    def focus_name(self) -> PaneName:
        """The keys of the view of the tab."""
        names: dict[LineView, PaneName] = {self.text: PaneName.TEXT, self.payload_tree: PaneName.TREE}
        return names.get(self._view, PaneName.DETAIL)

    # The object

    def show(self, ref: ObjectRef | None) -> None:
        """Show an object, in the same kind of tab as before if it has one."""
        timelines = self._session.timelines
        if self._detail is not None and ref == self._detail.ref and timelines is not None:
            return
        detail = None if ref is None or timelines is None else describe(timelines.index, ref, timelines.links)
        self._detail = detail
        facts = [] if detail is None else [FactRow(*row) for row in enumerate(detail.facts)]
        self.facts.set_source(ListRows(facts, fact_row, lambda row: row.place))
        self.title.show(self.heading)
        kind = self._tab.kind
        index = None if timelines is None else timelines.index
        self._tabs = tabs_of(index, detail, self._origin_of(ref))
        self._show_tab(next((tab for tab in self._tabs if tab.kind == kind), self._tabs[0]))
        if ref is not None and ref.type == "Problem" and index is not None:
            self._read_problem(index, int(ref.id))

    @work(thread=True, exclusive=True, group="problem", exit_on_error=False)
    def _read_problem(self, index: TraceIndex, place: int) -> None:
        """Read the line that a problem is about; then there is more to show of it."""
        worker = get_current_worker()
        index.problem_lines[place] = read_problem(index, place)
        if not worker.is_cancelled:
            self.app.call_from_thread(self.refresh_view)

    def refresh_view(self) -> None:
        """Show what became of the object. Texts and payloads stay: what is read in them is not disturbed."""
        timelines, before = self._session.timelines, self._detail
        if timelines is None or before is None:
            return
        detail = describe(timelines.index, before.ref, timelines.links)
        if detail is None or _looks(detail) == _looks(before):
            return
        self._detail = detail
        facts = [FactRow(*row) for row in enumerate(detail.facts)]
        self.facts.set_source(ListRows(facts, fact_row, lambda row: row.place))
        self.title.show(self.heading)
        tabs = tabs_of(timelines.index, detail, self._origin_of(before.ref))
        same = next((tab for tab in tabs if tab.kind == self._tab.kind), None)
        self._tabs = tabs
        if same is None or self._view in (self.facts, self.origin):
            self._show_tab(same or tabs[0])
        else:
            self._tab = same
            self._show_tab_names()

    def forget(self) -> None:
        """Let the next `show` look at its object anew."""
        self._detail = None

    def show_request_part(self, call: InferenceCall, part: str) -> None:
        """Show instructions or tools of a call, in its raw request."""
        self.show(ObjectRef("InferenceCall", call.inference_call_id))
        for tab in self._tabs:
            if tab.evidence is not None and tab.evidence.name == "request":
                self._wanted_path = (part,)
                self._show_tab(tab)

    def show_payload(self, ref: PayloadRef, path: Sequence[str | int]) -> None:
        """Show a value of a payload; the payload gets a tab if the object has none for it.

        Args:
            ref: the payload.
            path: keys and positions from its top to the value.
        """
        known = (tab for tab in self._tabs if tab.evidence is not None and tab.evidence.ref == ref)
        tab = next(known, None)
        if tab is None:
            tab = Tab(ref.kind.type.replace("_", " "), evidence=Evidence(ref.kind.type, ref))
            self._tabs = [*self._tabs, tab]
        self._wanted_path = tuple(path)
        self._show_tab(tab)

    @property
    def payload(self) -> PayloadRef | None:
        """The payload that is shown, or else the first one of the object."""
        if self._tab.evidence is not None:
            return self._tab.evidence.ref
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

    def _show_tab(self, tab: Tab) -> None:
        self._tab = tab
        for view in self._all_views:
            view.set_class(view is self._view, "-shown")
        self._show_tab_names()
        if tab.sections:
            self.text.clear("reading ...")
            self._read_text(tab)
        elif tab.evidence is not None or tab.log_line is not None:
            self.payload_tree.clear("reading ...")
            self._read_payload(tab)
        elif tab.origin:
            rows = [FactRow(*numbered) for numbered in enumerate(tab.origin)]
            self.origin.set_source(ListRows(rows, fact_row, lambda row: row.place))
        elif tab.saw_ran is not None:
            self._compared = None
            self.comparison.empty = "comparing ..."
            self.comparison.set_source(row_list(()))
            self._compare(tab, tab.saw_ran)

    def _turn_to(self, tab: Tab) -> None:
        """Show another tab of the same object, with the keys in it."""
        self._show_tab(tab)
        self._view.focus()

    def _show_tab_names(self) -> None:
        spans: list[Span] = []
        for tab in self._tabs:
            shown = tab is self._tab
            mark = glyphs.active().fold_closed if shown else " "
            spans += [span(f"{mark}{tab.name} ", "strong" if shown else "muted")]
        if self._view is self.comparison and self._compared is not None:
            spans += [span("  "), *comparison_words(self._compared)]
        if self._view is self.payload_tree:
            spans.append(span(f"  {self.payload_tree.path}", "key"))
            lost = None if self._tab.evidence is None else lost_words(self._tab.evidence.ref)
            spans += [] if lost is None else [span(f"  {lost}", "warn")]
        self.tab_bar.show(spans)

    def _turn_tab(self, direction: int) -> None:
        place = self._tabs.index(self._tab) + direction
        if 0 <= place < len(self._tabs):
            self._turn_to(self._tabs[place])

    def step_back(self) -> bool:
        """Back to the fields from any other tab; say whether that was a step."""
        if self._tab is self._tabs[0]:
            return False
        self._turn_to(self._tabs[0])
        return True

    @on(LineView.AtEdge)
    def _at_edge(self, message: LineView.AtEdge) -> None:
        message.stop()
        self._turn_tab(message.direction)

    @on(JsonTree.CursorMoved)
    def _path_moved(self, message: JsonTree.CursorMoved) -> None:
        message.stop()
        self._show_tab_names()

    @on(JsonTree.ValueOpened)
    def _value_opened(self, message: JsonTree.ValueOpened) -> None:
        """A whole value gets a tab of its own."""
        message.stop()
        tab = Tab("value", (TextSection(message.path, text=message.text),), is_exact=True)
        self._tabs = [*(one for one in self._tabs if one.name != tab.name), tab]
        self._turn_to(tab)

    @on(VirtualList.RowOpened)
    def _fact_opened(self, message: VirtualList.RowOpened) -> None:
        message.stop()
        if self._detail is None:
            return
        facts = {self.facts: self._detail.facts, self.origin: self._tab.origin}.get(message.view, ())
        link = facts[message.index].link if message.index < len(facts) else None
        if link is not None:
            self.post_message(self.LinkFollowed(link))
        elif message.view is self.facts:
            self._turn_tab(1)

    # Reading

    @work(thread=True, exclusive=True, group="detail", exit_on_error=False)
    def _read_text(self, tab: Tab) -> None:
        worker = get_current_worker()
        whole, language = tab.text(self._session.text)
        if not worker.is_cancelled:
            self.post_message(self.TextRead(tab, whole, language))

    @work(thread=True, exclusive=True, group="detail", exit_on_error=False)
    def _read_payload(self, tab: Tab) -> None:
        worker = get_current_worker()
        data, refusal = b"", None
        lost: Mapping[str, str] = {}
        path: Sequence[str | int] = ()
        if tab.log_line is not None:
            data = self._session.log_line(tab.log_line)
        elif tab.evidence is not None:
            try:
                data = self._session.payload(tab.evidence.ref)
                lost = lost_part_words(tab.evidence.ref)
            except UnreadablePayload as error:
                refusal = str(error)
            if tab.evidence.item is not None:
                path = self._session.path_of_item(data, tab.evidence.item)
        if not worker.is_cancelled:
            self.post_message(self.PayloadRead(tab, data, path, refusal, lost))

    @work(thread=True, exclusive=True, group="detail", exit_on_error=False)
    def _compare(self, tab: Tab, view: SawRan) -> None:
        worker = get_current_worker()
        comparison = compare(view, self._session.text)
        if not worker.is_cancelled:
            self.post_message(self.Compared(tab, comparison))

    def work_failed(self, group: str, reason: str) -> None:
        """Say that what the tab was to show will not come."""
        view = self._view
        if group == "problem":
            self.title.show(safe_text(f"{self.heading}  {reason}"))
        elif isinstance(view, TextView | JsonTree):
            view.clear(reason)
        elif view is self.comparison:
            self.comparison.empty = safe_text(reason)
            self.comparison.set_source(row_list(()))

    def on_detail_pane_compared(self, message: Compared) -> None:
        """Show the comparison, if its tab is still the one to show."""
        message.stop()
        if message.tab is self._tab:
            self._compared = message.comparison
            self._lay_out_comparison()
            self._show_tab_names()

    def on_resize(self) -> None:
        """Lay the comparison out for the width there is."""
        self._lay_out_comparison()

    def _lay_out_comparison(self) -> None:
        if self._compared is not None:
            self.comparison.empty = "There is nothing to compare."
            self.comparison.set_source(ComparisonRows(self._compared, self.comparison.line_width))

    def on_detail_pane_text_read(self, message: TextRead) -> None:
        """Show the text, if its tab is still the one to show."""
        message.stop()
        if message.tab is self._tab:
            self.text.show(message.text, message.language)

    def on_detail_pane_payload_read(self, message: PayloadRead) -> None:
        """Show the bytes, if their tab is still the one to show."""
        message.stop()
        if message.tab is not self._tab:
            return
        if message.refusal is not None:
            self.payload_tree.clear(message.refusal)
        else:
            wanted, self._wanted_path = self._wanted_path, None
            self.payload_tree.show(message.data, message.path if wanted is None else wanted, message.lost)


def _looks(detail: Detail) -> tuple[object, ...]:
    """What shows at once that a detail is another one than before."""
    return detail.title, detail.facts, detail.log_line
