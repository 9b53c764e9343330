"""The bundles of a trace root, to open one; new ones appear while it is looked at."""

from __future__ import annotations

from textual import work
from textual.app import ComposeResult
from textual.geometry import Size

from reducer import BundleError
from rollout_tui import glyphs, keys
from rollout_tui.awaited_work import AwaitingWork
from rollout_tui.bundles.root import ListedBundle, TraceRoot
from rollout_tui.bundles.summary import BundleSummary
from rollout_tui.key_order import OPENING
from rollout_tui.root_watcher import LOOK, RootWatcher
from rollout_tui.safe_text import clip_start, safe_text
from rollout_tui.screens.inspector import InspectorScreen
from rollout_tui.screens.searching import SearchingScreen
from rollout_tui.session import Session
from rollout_tui.views.bundle_rows import WIDE_NAMES, Column, bundle_row, columns_for, heading
from rollout_tui.views.words import plural
from rollout_tui.widgets.bars import Bar
from rollout_tui.widgets.rows import ListRows, Row
from rollout_tui.widgets.spans import Span, span
from rollout_tui.widgets.virtual_list import VirtualList

WIDE_HEADER = 60
"""Cells from which the name of the program stands above the list."""


class PickerScreen(AwaitingWork, SearchingScreen[str]):
    """A list of bundles. It looks at their root unless an inspector is open on one of them."""

    def __init__(self, root: TraceRoot) -> None:
        """Create an empty list.

        Args:
            root: the trace root; what it knows of earlier looks is not read again.
        """
        super().__init__()
        self._root = root.path
        self._watcher = RootWatcher(root, self, self)
        self._bundles: ListRows[ListedBundle] = ListRows([], self._row, _key)
        self._columns: tuple[Column, ...] = ()
        self._looked = False
        self.list = VirtualList(self._bundles, empty="Looking for bundles.")

    def compose(self) -> ComposeResult:
        """Header, titles of the columns, the list, the keys."""
        yield Bar(id="header")
        yield Bar(id="columns")
        yield self.list
        yield Bar(id="footer")

    def on_mount(self) -> None:
        """Nothing is there yet but the name."""
        self.set_class(glyphs.active().ascii_only, "-ascii")
        self._show_header("looking")
        self.list.focus()
        self._watcher.watch()

    def on_unmount(self) -> None:
        """Let the thread that looks end at once."""
        self._watcher.stop()

    def fit_into(self, size: Size) -> None:
        """Other columns fit."""
        super().fit_into(size)
        self._columns = columns_for(size.width, with_name=size.width >= WIDE_NAMES)
        self._bar("columns").show(heading(self._columns))
        self.list.rows_changed()
        self._show_counts()
        self.show_keys()

    # What is shown

    def show(self, bundles: list[ListedBundle], *, is_whole: bool = True) -> None:
        """Show these bundles, all or those that are known so far; the cursor stays on the one it is on."""
        self._looked = is_whole
        self.list.empty = f"There are no trace bundles in {safe_text(str(self._root))} yet."
        self._bundles.replace(bundles)
        self.list.rows_changed()
        self._show_counts()

    def say_progress(self, done: int, total: int) -> None:
        """Say how far the first look is."""
        if not self._looked:
            self._show_header(f"{done} of {plural(total, 'bundle')} read")

    def complain(self, reason: str) -> None:
        """Say why nothing new appears."""
        self.say(reason, bad=True)

    def work_failed(self, group: str, reason: str) -> None:
        """Say that nothing new will appear, or that nothing opens."""
        what = "this directory is not looked at any more" if group == LOOK else "it cannot be opened"
        self.say(f"{what}: {reason}", bad=True)

    def _show_counts(self) -> None:
        if not self._looked:
            return
        live = sum(one.summary.status == "live" for one in self._bundles.items)
        words = plural(len(self._bundles), "bundle")
        self._show_header(f"{words}, {live} live" if live else words)

    def _show_header(self, words: str) -> None:
        width = self.app.size.width
        name = " rollout-tui " if width >= WIDE_HEADER else " "
        room = max(10, width - len(words) - len(name) - 5)
        root = clip_start(safe_text(str(self._root)), room)
        self._bar("header").show([span(name, "strong"), Span(root, "accent"), span(f"  {words}")])

    def _row(self, bundle: ListedBundle) -> Row:
        return bundle_row(bundle, self._columns)

    # Keys

    def said_bar(self) -> Bar:
        """Sentences stand where the keys are."""
        return self._bar("footer")

    def focus_name(self) -> keys.Pane:
        """Whose keys hold here."""
        return keys.Pane.PICKER

    def on_virtual_list_row_opened(self, message: VirtualList.RowOpened) -> None:
        """Open a bundle, or say why that cannot be."""
        if not isinstance(message.item, ListedBundle):
            return
        bundle = message.item.summary
        if bundle.status == "unusable":
            self.say(bundle.problem or "it cannot be read", bad=True)
        else:
            self._open(bundle)

    @work(thread=True, exclusive=True, group=OPENING, exit_on_error=False)
    def _open(self, bundle: BundleSummary) -> None:
        """Begin to read a bundle; in a thread, since its manifest is read."""
        try:
            session = Session(bundle.path)
        except BundleError as error:
            self.app.call_from_thread(self.say, str(error), bad=True)
        else:
            self.app.call_from_thread(self._inspect, session, bundle.status == "live")

    def _inspect(self, session: Session, is_live: bool) -> None:
        def came_back(failure: str | None) -> None:
            self._watcher.watch()
            if failure is not None:
                self.say(failure, bad=True)

        if self.is_active:
            self._watcher.stop()
            self.app.push_screen(InspectorScreen(session, follow=is_live, is_first=False), came_back)

    def action_back(self) -> None:
        """End a search."""
        self.end_search()

    def _bar(self, name: str) -> Bar:
        return self.query_one(f"#{name}", Bar)


def _key(bundle: ListedBundle) -> str:
    return str(bundle.summary.path)
