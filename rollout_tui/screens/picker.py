"""The bundles of a trace root, to open one; new ones appear while it is looked at."""

from __future__ import annotations

from pathlib import Path

from textual import events
from textual.app import ComposeResult
from textual.message import Message

from rollout_tui import glyphs, keys
from rollout_tui.bundles.root import ListedBundle
from rollout_tui.bundles.summary import BundleSummary
from rollout_tui.safe_text import clip_start, safe_text
from rollout_tui.screens.dialog import TooSmall, is_too_small
from rollout_tui.screens.searching import SearchingScreen
from rollout_tui.views.bundle_rows import WIDE_NAMES, Column, bundle_row, columns_for, heading
from rollout_tui.views.words import plural
from rollout_tui.widgets.bars import Bar
from rollout_tui.widgets.rows import ListRows, Row
from rollout_tui.widgets.spans import Span, span
from rollout_tui.widgets.virtual_list import VirtualList


class PickerScreen(SearchingScreen[None]):
    """A list of bundles. It knows nothing of files: what it shows is handed to it."""

    class Picked(Message):
        """A bundle is to be opened."""

        def __init__(self, bundle: BundleSummary) -> None:
            """`bundle` is what the list says of it."""
            super().__init__()
            self.bundle = bundle

    def __init__(self, root: Path, at: Path | None = None) -> None:
        """Create an empty list.

        Args:
            root: the trace root.
            at: the bundle that the cursor goes to as soon as it is there.
        """
        super().__init__()
        self._root = root
        self._at = at
        self._bundles: ListRows[ListedBundle] = ListRows([], self._row, _key)
        self._columns: tuple[Column, ...] = ()
        self._looked = False
        self.list = VirtualList(self._bundles, empty="Looking for bundles.")

    def compose(self) -> ComposeResult:
        """Header, titles of the columns, the list, the keys."""
        yield Bar(id="header")
        yield Bar(id="columns")
        yield self.list
        yield TooSmall()
        yield Bar(id="footer")

    def on_mount(self) -> None:
        """Nothing is there yet but the name."""
        self.set_class(glyphs.active().ascii_only, "-ascii")
        self._show_header("looking")
        self.list.focus()

    def on_resize(self, event: events.Resize) -> None:
        """Other columns fit, or nothing does."""
        self.set_class(is_too_small(event.size.width, event.size.height), "-too-small")
        self._columns = columns_for(event.size.width, with_name=event.size.width >= WIDE_NAMES)
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
        if self._at is not None and self.list.go_to(str(self._at)):
            self._at = None
        self._show_counts()

    def say_progress(self, done: int, total: int) -> None:
        """Say how far the first look is."""
        if not self._looked:
            self._show_header(f"{done} of {plural(total, 'bundle')} read")

    def _show_counts(self) -> None:
        if not self._looked:
            return
        live = sum(one.summary.status == "live" for one in self._bundles.items)
        words = plural(len(self._bundles), "bundle")
        self._show_header(f"{words}, {live} live" if live else words)

    def _show_header(self, words: str) -> None:
        room = max(10, self.app.size.width - len(words) - 18)
        root = clip_start(safe_text(str(self._root)), room)
        self._bar("header").show([span(" rollout-tui ", "strong"), Span(root, "accent"), span(f"  {words}")])

    def _row(self, bundle: ListedBundle) -> Row:
        return bundle_row(bundle, self._columns)

    # Keys

    def said_bar(self) -> Bar:
        """Sentences stand where the keys are."""
        return self._bar("footer")

    def key_spans(self) -> list[Span]:
        """The keys that hold here, as many as fit."""
        footer = keys.footer_text(keys.Pane.PICKER, max(1, self.app.size.width - 2))
        return [span(" "), Span(footer, "muted")]

    def on_virtual_list_row_opened(self, message: VirtualList.RowOpened) -> None:
        """Open a bundle, or say why that cannot be."""
        bundle = self._bundles.items[message.index].summary
        if bundle.status == "unusable":
            self.say(bundle.problem or "it cannot be read", bad=True)
        else:
            self.post_message(self.Picked(bundle))

    def _bar(self, name: str) -> Bar:
        return self.query_one(f"#{name}", Bar)


def _key(bundle: ListedBundle) -> str:
    return str(bundle.summary.path)
