"""What one tab of the detail shows; what is read from files is read in a thread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from textual import work
from textual.app import ComposeResult
from textual.containers import Container
from textual.message import Message
from textual.worker import get_current_worker

from reducer import UnreadablePayload
from rollout_tui.awaited_work import AwaitingWork
from rollout_tui.insight.items.captures import lost_part_words, lost_words
from rollout_tui.insight.output.comparison import Comparison, compare
from rollout_tui.lines.rows import ListRows, row_list
from rollout_tui.lines.spans import Span, span
from rollout_tui.panes.detail_tabs import OBJECT, Tab
from rollout_tui.safe_text import safe_text
from rollout_tui.session import Session
from rollout_tui.texts.syntax import Language
from rollout_tui.views.detail.facts import Fact, FactRow, fact_row
from rollout_tui.views.saw_ran_rows import ComparisonRows, comparison_words
from rollout_tui.widgets.json_tree import JsonTree
from rollout_tui.widgets.line_view import LineView
from rollout_tui.widgets.text_view import TextView
from rollout_tui.widgets.virtual_list import VirtualList

Path = Sequence[str | int]
"""Keys and positions from the top of a payload to a value in it."""


@dataclass(frozen=True, slots=True)
class _Text:
    """The text of a tab."""

    text: str
    language: Language


@dataclass(frozen=True, slots=True)
class _Bytes:
    """The bytes of a tab, where in them to look, and what limits took of them; or why they are not there."""

    data: bytes = b""
    path: Path = ()
    lost: Mapping[str, str] = field(default_factory=dict)
    refusal: str | None = None


class TabBody(AwaitingWork, Container):
    """The views for all kinds of tabs, of which that of the current tab is seen."""

    DEFAULT_CSS = """
    TabBody { height: 1fr; }
    TabBody > * { display: none; }
    TabBody > .-shown { display: block; }
    """

    class Filled(Message):
        """There is more to be said about the tab: its text, payload or comparison is there."""

    class Read(Message):
        """What was asked for is there."""

        def __init__(self, asked: int, found: _Text | _Bytes | Comparison) -> None:
            """`asked` says which of all askings this is the answer to."""
            super().__init__()
            self.asked, self.found = asked, found

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.facts = VirtualList()
        self.text = TextView()
        self.payload_tree = JsonTree()
        self.comparison = VirtualList()
        self.origin = VirtualList()
        self._views = (self.facts, self.text, self.payload_tree, self.comparison, self.origin)
        self._tab = Tab(OBJECT)
        self._compared: Comparison | None = None
        self._asked = 0
        self._keeps = False

    def compose(self) -> ComposeResult:
        """A view for each kind of tab."""
        yield from self._views

    @property
    def view(self) -> LineView:
        """The view that is seen."""
        kind = "text" if self._tab.is_gone else self._tab.kind
        views: dict[str, LineView] = {
            "object": self.facts,
            "raw": self.payload_tree,
            "saw/ran": self.comparison,
            "origin": self.origin,
        }
        return views.get(kind, self.text)

    def show_facts(self, facts: Sequence[Fact], empty: str) -> None:
        """Have the fields of an object ready; the sentence stands there if it has none."""
        self.facts.empty = safe_text(empty)
        rows = [FactRow(*numbered) for numbered in enumerate(facts)]
        self.facts.set_source(ListRows(rows, fact_row, lambda row: row.place))

    def show(self, tab: Tab, path: Path | None = None) -> None:
        """Show a tab from its beginning.

        Args:
            tab: the tab.
            path: where in its payload to look; by default at what is its object's.
        """
        self._turn_to(tab, keeps=False)
        if tab.is_gone:
            self.text.clear(f"{tab.what} is not in what is shown now.")
        elif tab.sections:
            self.text.clear("reading ...")
        elif self.view is self.payload_tree:
            self.payload_tree.clear("reading ...")
        elif tab.saw_ran is not None:
            self._compared = None
            self.comparison.empty = "comparing ..."
            self.comparison.set_source(row_list(()))
        self._fill(tab, path)

    def keep(self, tab: Tab) -> None:
        """Go on with a tab of a newer view that shows the same; what is read or being read stays."""
        self._tab = tab

    def read_again(self, tab: Tab) -> None:
        """Read what a tab shows once more; what is the same as before is not disturbed."""
        self._turn_to(tab, keeps=True)
        self._fill(tab, None)

    def _turn_to(self, tab: Tab, *, keeps: bool) -> None:
        self._tab, self._keeps = tab, keeps
        self._asked += 1  # what is still being read is for another tab
        for view in self._views:
            view.set_class(view is self.view, "-shown")

    def _fill(self, tab: Tab, path: Path | None) -> None:
        if tab.origin:
            rows = [FactRow(*numbered) for numbered in enumerate(tab.origin)]
            self.origin.set_source(ListRows(rows, fact_row, lambda row: row.place))
        elif not tab.is_gone and self.view is not self.facts:
            self._read(self._asked, tab, path)

    def words(self) -> list[Span]:
        """What is to be said about the tab in the line of tabs."""
        if self.view is self.comparison and self._compared is not None:
            return [span("  "), *comparison_words(self._compared)]
        if self.view is not self.payload_tree:
            return []
        lost = None if self._tab.evidence is None else lost_words(self._tab.evidence.ref)
        path = span(f"  {self.payload_tree.path}", "key")
        return [path] if lost is None else [path, span(f"  {lost}", "warn")]

    # Reading

    @work(thread=True, exclusive=True, group="detail", exit_on_error=False)
    def _read(self, asked: int, tab: Tab, path: Path | None) -> None:
        worker = get_current_worker()
        found: _Text | _Bytes | Comparison
        if tab.sections:
            found = _Text(*tab.text(self._session.text))
        elif tab.saw_ran is not None:
            found = compare(tab.saw_ran, self._session.text)
        else:
            found = self._bytes_of(tab, path)
        if not worker.is_cancelled:
            self.post_message(self.Read(asked, found))

    def _bytes_of(self, tab: Tab, path: Path | None) -> _Bytes:
        if tab.log_line is not None:
            data = self._session.log_line(tab.log_line)
            return _Bytes(data) if data else _Bytes(refusal="The log has no such line any more.")
        if tab.evidence is None:
            return _Bytes()
        ref, item = tab.evidence.ref, tab.evidence.item
        try:
            data = self._session.payload(ref)
        except UnreadablePayload as error:
            return _Bytes(refusal=str(error))
        if path is None:
            path = () if item is None else self._session.path_of_item(data, item)
        return _Bytes(data, path, lost_part_words(ref))

    def work_failed(self, group: str, reason: str) -> None:
        """Say that what the tab was to show will not come."""
        view = self.view
        if isinstance(view, TextView | JsonTree):
            view.clear(reason)
        elif view is self.comparison:
            self.comparison.empty = safe_text(reason)
            self.comparison.set_source(row_list(()))

    def on_tab_body_read(self, message: Read) -> None:
        """Show what was read, if nothing else was asked for since."""
        message.stop()
        found = message.found
        if message.asked != self._asked:
            return
        if isinstance(found, _Text):
            self._show_text(found)
        elif isinstance(found, _Bytes):
            self._show_bytes(found)
        else:
            self._compared = found
            self._lay_out_comparison()
        self.post_message(self.Filled())

    def _show_text(self, found: _Text) -> None:
        if self._keeps and found.text == self.text.text:
            return
        row = self.text.cursor if self._keeps else 0
        self.text.show(found.text, found.language)
        if row:
            self.text.jump(row)

    def _show_bytes(self, found: _Bytes) -> None:
        if found.refusal is not None:
            self.payload_tree.clear(found.refusal)
        elif not self._keeps or found.data != self.payload_tree.data:
            self.payload_tree.show(found.data, found.path, found.lost)

    def on_resize(self) -> None:
        """Lay the comparison out for the width there is."""
        self._lay_out_comparison()

    def _lay_out_comparison(self) -> None:
        if self._compared is not None:
            self.comparison.empty = "There is nothing to compare."
            # A view that has just come up has no size yet, and this does not change its own by that.
            width = self.comparison.line_width or max(0, self.size.width - 1)
            self.comparison.set_source(ComparisonRows(self._compared, width))
