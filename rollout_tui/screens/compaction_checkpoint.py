"""The checkpoint of a compaction: both histories side by side, and their totals."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from rollout_tui.insight.compaction.steps import StepView
from rollout_tui.insight.compaction.verdicts import Comparison
from rollout_tui.insight.index import TraceIndex
from rollout_tui.lines.spans import span
from rollout_tui.screens.compaction_column import Column
from rollout_tui.views.compaction import titles, verdict_words
from rollout_tui.widgets.bars import Bar

TOTALS = ("size-before", "verdicts-before", "size-after", "verdicts-after", "tokens")
"""The lines at the foot."""


class Checkpoint(Vertical):
    """The history that was replaced, and the one in its place. One of the columns has the keys.

    Attributes:
        before: the history that was replaced.
        after: the one in its place.
    """

    DEFAULT_CSS = """
    Checkpoint { height: 1fr; }
    Checkpoint #columns { height: 1fr; }
    Checkpoint #totals { height: 5; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.before = Column("before", "after", "There was nothing in it.")
        self.after = Column("after", "before", "There is nothing in it.")

    def compose(self) -> ComposeResult:
        """The columns, and under them the totals."""
        with Horizontal(id="columns"):
            yield self.before
            yield self.after
        with Vertical(id="totals"):
            yield from (Bar(id=name) for name in TOTALS)

    def show(self, index: TraceIndex, view: StepView, found: Comparison) -> None:
        """Show what became of a history."""
        self.before.show(index, found.before)
        self.after.show(index, found.after)
        sizes = verdict_words.size_lines(dict(zip(("before", "after"), view.sizes, strict=True)))
        totals = (
            [span(sizes[0])],
            [span("        "), *verdict_words.count_spans(found.before)],
            [span(sizes[1])],
            [span("        "), *verdict_words.count_spans(found.after)],
            [span(f" {titles.token_words(index, view.step)}")],
        )
        for name, spans in zip(TOTALS, totals, strict=True):
            self.query_one(f"#{name}", Bar).show(spans)

    @property
    def column(self) -> Column:
        """The column that has the keys, or else the first one."""
        return self.after if self.after.list.has_focus else self.before

    def give_keys(self, column: Column) -> None:
        """Give a column the keys, and the other's place where there is no room for both."""
        for one in (self.before, self.after):
            one.set_class(one is column, "-keys")
        column.list.focus()

    def turn(self) -> None:
        """To the other column, onto what the item here became or was."""
        here = self.column
        there = self.before if here is self.after else self.after
        if here.judged is not None and here.judged.partner is not None:
            there.list.jump(here.judged.partner)
        self.give_keys(there)

    def mark_focused(self) -> None:
        """Show which column has the keys."""
        for column in (self.before, self.after):
            column.mark_focused(column.list.has_focus)
