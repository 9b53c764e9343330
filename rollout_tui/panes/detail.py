"""Pane 4: the object under the cursor, its links, its texts, and its raw evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Container
from textual.message import Message
from textual.worker import get_current_worker

from reducer import ObjectRef, UnreadablePayload
from reducer.model import InferenceCall
from rollout_tui import glyphs
from rollout_tui.keys import Pane as PaneName
from rollout_tui.panes.pane import Pane
from rollout_tui.safe_text import SafeText, safe_text
from rollout_tui.session import Session
from rollout_tui.views.detail.describe import describe
from rollout_tui.views.detail.facts import NAME_WIDTH, Detail, Evidence, FactRow, TextSection, fact_row
from rollout_tui.views.index import TraceIndex
from rollout_tui.views.output.comparison import Comparison, compare
from rollout_tui.views.output.saw_ran import SawRan, saw_ran
from rollout_tui.views.output.saw_ran_rows import ComparisonRows, comparison_words
from rollout_tui.widgets.bars import Bar
from rollout_tui.widgets.json_tree import JsonTree
from rollout_tui.widgets.line_view import LineView
from rollout_tui.widgets.rows import ListRows, row_list
from rollout_tui.widgets.spans import Span, span
from rollout_tui.widgets.text_view import TextView
from rollout_tui.widgets.virtual_list import VirtualList

OBJECT = "Object"


@dataclass(frozen=True, slots=True)
class Tab:
    """One tab of the detail: fields, text sections of one title, saw and ran, a payload, or the log line."""

    name: str
    sections: tuple[TextSection, ...] = ()
    evidence: Evidence | None = None
    log_line: int | None = None
    saw_ran: SawRan | None = None


class DetailPane(Pane):
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

        def __init__(self, tab: Tab, text: str) -> None:
            super().__init__()
            self.tab, self.text = tab, text

    class PayloadRead(Message):
        """The bytes of a tab are there, and where in them to look; or why they are not."""

        def __init__(
            self, tab: Tab, data: bytes, path: Sequence[str | int], refusal: str | None = None
        ) -> None:
            super().__init__()
            self.tab, self.data, self.path, self.refusal = tab, data, path, refusal

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
        self._compared: Comparison | None = None
        self._all_views = (self.facts, self.text, self.payload_tree, self.comparison)
        self._detail: Detail | None = None
        self._tabs: list[Tab] = [Tab(OBJECT)]
        self._tab = self._tabs[0]
        self._wanted_key: str | None = None

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
        return self.text if self._tab.sections else self.facts

    def whole_text(self) -> str:
        """All that the tab shows, as text; not safe for a terminal."""
        if self._view is self.text:
            return self.text.text
        if self._view is self.payload_tree:
            return self.payload_tree.data.decode(errors="replace")
        facts = [] if self._detail is None else self._detail.facts
        return "\n".join(f"{fact.name:<{NAME_WIDTH}} {fact.value}" for fact in facts)

    def value_text(self) -> str:
        """What is under the cursor: a value of a payload, the value of a fact, or the whole text."""
        if self._view is self.payload_tree:
            return self.payload_tree.value_text()
        if self._view is self.facts and self._detail is not None and self._detail.facts:
            return self._detail.facts[self.facts.cursor].value
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
        detail = None if ref is None or timelines is None else describe(timelines.index, ref)
        self._detail = detail
        facts = [] if detail is None else [FactRow(*row) for row in enumerate(detail.facts)]
        self.facts.set_source(ListRows(facts, fact_row, lambda row: row.place))
        self.title.show(self.heading)
        kind = self._kind(self._tab)
        self._tabs = _tabs_of(None if timelines is None else timelines.index, detail)
        self._show_tab(next((tab for tab in self._tabs if self._kind(tab) == kind), self._tabs[0]))

    def forget(self) -> None:
        """Let the next `show` look at its object anew."""
        self._detail = None

    def show_request_part(self, call: InferenceCall, part: str) -> None:
        """Show instructions or tools of a call, in its raw request."""
        self.show(ObjectRef("InferenceCall", call.inference_call_id))
        for tab in self._tabs:
            if tab.evidence is not None and tab.evidence.name == "request":
                self._wanted_key = part
                self._show_tab(tab)

    @staticmethod
    def _kind(tab: Tab) -> str:
        if tab.evidence is not None or tab.log_line is not None:
            return "raw"
        if tab.saw_ran is not None:
            return "saw/ran"
        return "text" if tab.sections else "object"

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
        tab = Tab("value", (TextSection(message.path, text=message.text),))
        self._tabs = [*(one for one in self._tabs if one.name != tab.name), tab]
        self._turn_to(tab)

    @on(VirtualList.RowOpened)
    def _fact_opened(self, message: VirtualList.RowOpened) -> None:
        message.stop()
        if self._detail is None:
            return
        link = self._detail.facts[message.index].link
        if link is not None:
            self.post_message(self.LinkFollowed(link))
        else:
            self._turn_tab(1)

    # Reading

    @work(thread=True, exclusive=True, group="detail", exit_on_error=False)
    def _read_text(self, tab: Tab) -> None:
        worker = get_current_worker()
        text = "\n\n".join(
            self._headed(section) if len(tab.sections) > 1 else self._session.text(section)
            for section in tab.sections
        )
        if not worker.is_cancelled:
            self.post_message(self.TextRead(tab, text))

    def _headed(self, section: TextSection) -> str:
        """A text with its heading above it."""
        rule = glyphs.active().rule * 2
        heading = f"{rule} {section.heading} {rule}\n" if section.heading else ""
        return heading + self._session.text(section)

    @work(thread=True, exclusive=True, group="detail", exit_on_error=False)
    def _read_payload(self, tab: Tab) -> None:
        worker = get_current_worker()
        data, refusal = b"", None
        path: Sequence[str | int] = ()
        if tab.log_line is not None:
            data = self._session.log_line(tab.log_line)
        elif tab.evidence is not None:
            try:
                data = self._session.payload(tab.evidence.ref)
            except UnreadablePayload as error:
                refusal = str(error)
            if tab.evidence.item is not None:
                path = self._session.path_of_item(data, tab.evidence.item)
        if not worker.is_cancelled:
            self.post_message(self.PayloadRead(tab, data, path, refusal))

    @work(thread=True, exclusive=True, group="detail", exit_on_error=False)
    def _compare(self, tab: Tab, view: SawRan) -> None:
        worker = get_current_worker()
        comparison = compare(view, self._session.text)
        if not worker.is_cancelled:
            self.post_message(self.Compared(tab, comparison))

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
            languages = {section.language for section in message.tab.sections}
            self.text.show(message.text, languages.pop() if len(languages) == 1 else "text")

    def on_detail_pane_payload_read(self, message: PayloadRead) -> None:
        """Show the bytes, if their tab is still the one to show."""
        message.stop()
        if message.tab is not self._tab:
            return
        if message.refusal is not None:
            self.payload_tree.clear(message.refusal)
        else:
            wanted, self._wanted_key = self._wanted_key, None
            self.payload_tree.show(message.data, message.path if wanted is None else (wanted,))


def _tabs_of(index: TraceIndex | None, detail: Detail | None) -> list[Tab]:
    """Fields first, then the texts by title, then the payloads; the log line where there is no payload."""
    tabs = [Tab(OBJECT)]
    if detail is None or index is None:
        return tabs
    by_title: dict[str, list[TextSection]] = {}
    for section in detail.texts:
        by_title.setdefault(section.title, []).append(section)
    tabs += [Tab(title, tuple(sections)) for title, sections in by_title.items()]
    call = index.trace.tool_calls.get(detail.ref.id) if detail.ref.type == "ToolCall" else None
    compared = None if call is None else saw_ran(index, call)
    if compared is not None:
        tabs.append(Tab("saw/ran", saw_ran=compared))
    tabs += [Tab(evidence.name, evidence=evidence) for evidence in detail.payloads]
    if not detail.payloads and detail.log_line is not None:
        tabs.append(Tab("log line", log_line=detail.log_line))
    return tabs
