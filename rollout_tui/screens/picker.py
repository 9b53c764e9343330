"""The runs of some directories, bundles and sessions, to open one; new ones appear while it is looked at."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from textual import work
from textual.app import ComposeResult
from textual.geometry import Size

from reducer import BundleError
from rollout_tui import glyphs, keys
from rollout_tui.awaited_work import AwaitingWork
from rollout_tui.bundles.listing import ListedRun
from rollout_tui.bundles.root import RunList
from rollout_tui.insight.tokens.prices import Price
from rollout_tui.key_order import OPENING
from rollout_tui.lines.rows import ListRows, Row
from rollout_tui.lines.spans import Span, span
from rollout_tui.root_watcher import LOOK, RootWatcher
from rollout_tui.safe_text import clip_start, safe_text
from rollout_tui.screens.inspector import InspectorScreen
from rollout_tui.screens.prompt import Prompt, checked_by
from rollout_tui.screens.searchable import SearchableScreen
from rollout_tui.screens.speaking import Actions
from rollout_tui.session import Session
from rollout_tui.texts.short_forms import plural
from rollout_tui.views.bundle_rows import WIDE_NAMES, Column, bundle_row, columns_for, heading
from rollout_tui.views.filters import Filter, completions
from rollout_tui.views.run_order import (
    NEWEST,
    OF_RUNS,
    ORDERS,
    in_order,
    is_as_listed,
    order_with,
    parse_run_filter,
    run_facts,
)
from rollout_tui.widgets.bars import Bar
from rollout_tui.widgets.history_input import InputHistory
from rollout_tui.widgets.virtual_list import VirtualList

WIDE_HEADER = 60
"""Cells from which the name of the program stands above the list."""


class PickerScreen(AwaitingWork, SearchableScreen[str]):
    """A list of runs. It looks at their directories unless an inspector is open on one of them."""

    BINDINGS = [*keys.bindings(keys.Scope.RUNS)]

    def __init__(
        self,
        runs: RunList,
        prices: Mapping[str, Price] | None = None,
        *,
        begins_with_overview: bool = False,
    ) -> None:
        """Create an empty list.

        Args:
            runs: the list; what it knows of earlier looks is not read again.
            prices: what tokens cost, by model; None for no prices.
            begins_with_overview: whether each run is told at a glance first that is opened.
        """
        super().__init__()
        self._prices = prices
        self._begins_with_overview = begins_with_overview
        self._places = runs.places
        self._watcher = RootWatcher(runs, self, self)
        self._found: list[ListedRun] = []
        self._rows: ListRows[ListedRun] = ListRows([], self._row, _key)
        self._columns: tuple[Column, ...] = ()
        self._order, self._is_turned = NEWEST, False
        self._filter = Filter()
        self._filters = InputHistory()
        self._looked = False
        self._has_sessions = False
        self.list = VirtualList(self._rows, empty="Looking for runs.")

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
        self._fit_columns()
        self.list.rows_changed()
        self._show_counts()
        self.show_keys()

    def _fit_columns(self) -> None:
        width, mixed = self.app.size.width, self._has_sessions
        # Beside sessions there is no room for names: what they would tell apart have directories.
        self._columns = columns_for(width, with_name=width >= WIDE_NAMES and not mixed, with_kind=mixed)
        self._bar("columns").show(heading(self._columns))

    # What is shown

    def show(self, runs: list[ListedRun], *, is_whole: bool = True) -> None:
        """Show these runs, all or those that are known so far; the cursor stays on the one it is on."""
        self._looked = self._looked or is_whole
        self._found = runs
        has_sessions = any(one.session is not None for one in runs)
        if has_sessions != self._has_sessions:
            self._has_sessions = has_sessions
            self._fit_columns()
        self._arrange()

    def _arrange(self) -> None:
        """Show those that pass the filter, in the order that was asked for."""
        wanted = self._filter
        kept = [one for one in self._found if wanted.matches(run_facts(one))] if wanted else self._found
        self._rows.replace(in_order(kept, self._order, turned=self._is_turned))
        self.list.empty = self._why_empty()
        self.list.rows_changed()
        self._show_counts()

    def _why_empty(self) -> str:
        if self._filter and self._found:
            return f"None of {plural(len(self._found), 'run')} passes &{safe_text(self._filter.text)}."
        what = "trace bundles" if len(self._places) == 1 else "trace bundles or sessions"
        return f"There are no {what} in {self._places_words()} yet."

    def say_progress(self, done: int, total: int) -> None:
        """Say how far the first look is."""
        if not self._looked:
            noun = "file" if self._has_sessions else "bundle"
            self._show_header(f"{done} of {plural(total, noun)} read")

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
        found = self._found
        live = sum(one.summary.status == "live" for one in found)
        words = [_count_words(found), *([f"{live} live"] if live else [])]
        if self._filter:
            words.append(self._filter.describe(len(self._rows), len(found)))
        if not is_as_listed(self._order, turned=self._is_turned):
            words.append(f"by {self._order.words}{', turned round' if self._is_turned else ''}")
        self._show_header(", ".join(words))

    def _show_header(self, words: str) -> None:
        width = self.app.size.width
        name = " rollout-tui " if width >= WIDE_HEADER else " "
        room = max(10, width - len(words) - len(name) - 5)
        root = clip_start(safe_text(self._places_words()), room)
        self._bar("header").show([span(name, "strong"), Span(root, "accent"), span(f"  {words}")])

    def _places_words(self) -> str:
        return " + ".join(dict.fromkeys(map(str, self._places)))

    def _row(self, run: ListedRun) -> Row:
        return bundle_row(run, self._columns, is_marked=is_as_listed(self._order, turned=self._is_turned))

    # Keys

    @property
    def actions(self) -> Actions:
        """What its keys do."""
        return {
            **super().actions,
            "open_session": self._open_session,
            "sort_runs": self._ask_for_order,
            "filter_runs": self._ask_for_filter,
        }

    def said_bar(self) -> Bar:
        """Sentences stand where the keys are."""
        return self._bar("footer")

    def focus_name(self) -> keys.Focus:
        """Whose keys hold here."""
        return keys.Focus.PICKER

    def action_back(self) -> None:
        """End a search."""
        self.end_search()

    # Order

    def _ask_for_order(self) -> None:
        hint = "  ".join(f"{order.key} {order.words}" for order in ORDERS)
        self.speech.await_key(f"sort by: {hint}; again turns it round", self._sort, "not sorted")

    def _sort(self, key: str) -> None:
        order = order_with(key)
        if order is None:
            self.say(f"{key} is no order", bad=True)
            return
        self._is_turned = order is self._order and not self._is_turned
        self._order = order
        self._arrange()
        self.list.jump(0)  # what comes first in an order is why it was asked for

    def _ask_for_filter(self) -> None:
        def answered(text: str | None) -> None:
            if text is not None:
                self._filter = parse_run_filter(text)
                self._arrange()

        prompt = Prompt(
            "&",
            self._filters,
            checked_by(parse_run_filter),
            complete=lambda text: completions(text, asked=OF_RUNS),
            text=self._filter.text,
            hint="word, !word, kind:session, status:live; an empty line shows every run",
            empty_is_answer=True,
        )
        self.ask(prompt, answered)

    # Opening

    def on_virtual_list_row_opened(self, message: VirtualList.RowOpened) -> None:
        """Open a run by the better evidence, or say why that cannot be."""
        if not isinstance(message.item, ListedRun):
            return
        run = message.item
        summary = run.summary
        if summary.status != "unusable":
            self._open(summary.path, summary.status == "live")
        elif run.session is not None and run.session.status != "unusable":
            self.say(f"{summary.problem or 'it cannot be read'}; o opens its session", bad=True)
        else:
            self.say(summary.problem or "it cannot be read", bad=True)

    def _open_session(self) -> None:
        """Open what codex itself kept of a run."""
        run = self._rows.items[self.list.cursor] if len(self._rows) else None
        if run is None:
            return
        session = run.session
        if session is None:
            self.say("there is no session of it, only the bundle")
        elif session.status == "unusable":
            self.say(session.problem or "it cannot be read", bad=True)
        else:
            self._open(session.path, session.status == "live")

    @work(thread=True, exclusive=True, group=OPENING, exit_on_error=False)
    def _open(self, path: Path, is_live: bool) -> None:
        """Begin to read a bundle or a session; in a thread, since something of it is read."""
        try:
            session = Session(path)
        except BundleError as error:
            self.app.call_from_thread(self.say, str(error), bad=True)
        else:
            self.app.call_from_thread(self._inspect, session, is_live)

    def _inspect(self, session: Session, is_live: bool) -> None:
        def came_back(failure: str | None) -> None:
            self._watcher.watch()
            if failure is not None:
                self.say(failure, bad=True)

        if self.is_active:
            self._watcher.stop()
            inspector = InspectorScreen(
                session,
                follow=is_live,
                is_first=False,
                begins_with_overview=self._begins_with_overview,
                prices=self._prices,
            )
            self.app.push_screen(inspector, came_back)

    def _bar(self, name: str) -> Bar:
        return self.query_one(f"#{name}", Bar)


def _count_words(runs: list[ListedRun]) -> str:
    """How many runs there are, and of what kinds."""
    bundles = sum(one.bundle is not None for one in runs)
    only_sessions = len(runs) - bundles
    if not only_sessions:
        return plural(bundles, "bundle")
    if not bundles:
        return plural(only_sessions, "session")
    return f"{plural(bundles, 'bundle')}, {plural(only_sessions, 'session')}"


def _key(run: ListedRun) -> str:
    return str(run.summary.path)
