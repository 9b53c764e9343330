"""What the keys do in one pane, and what can be typed on the lines that they open."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical

from rollout_tui import keys
from rollout_tui.screens.dialog import Dialog
from rollout_tui.views.languages import LANGUAGES
from rollout_tui.widgets.bars import Bar
from rollout_tui.widgets.rows import Row, row_list
from rollout_tui.widgets.spans import Span, span
from rollout_tui.widgets.virtual_list import VirtualList

KEYS_WIDTH = 14

FORMS_WIDTH = 20


class HelpScreen(Dialog[None]):
    """The rows of the key table that hold in a pane, nearest context first."""

    def __init__(self, pane: keys.Pane) -> None:
        super().__init__()
        self._pane = pane

    def compose(self) -> ComposeResult:
        """A title and the rows."""
        with Vertical(classes="box full"):
            yield Bar(id="dialog-title")
            yield VirtualList(row_list([*_key_rows(self._pane), *_language_rows()]))

    def on_mount(self) -> None:
        """Say which pane this is about."""
        self.query_one(Bar).show(
            [span(f"Keys in {self._pane.value}", "strong"), span("   / finds a key, esc closes", "muted")]
        )
        self.query_one(VirtualList).focus()


def _key_rows(pane: keys.Pane) -> list[Row]:
    rows: list[Row] = []
    context: keys.Context | None = None
    for place, entry in enumerate(keys.help_rows(pane)):
        if entry.context is not context:
            context = entry.context
            rows.append(Row(key=f"context {context}", spans=(span(f"{context.value}", "strong"),)))
        padding = " " * max(1, KEYS_WIDTH - len(entry.keys))
        rows.append(Row(key=place, spans=(Span(entry.keys, "accent"), span(padding), Span(entry.text))))
    return rows


def _language_rows() -> list[Row]:
    """What can be typed: it is the same wherever help is asked for."""
    rows: list[Row] = []
    for language in LANGUAGES:
        rows.append(Row(key=language.title, spans=(span(language.title, "strong"),)))
        for place, form in enumerate(language.forms):
            spans = (span(f"{form.text:<{FORMS_WIDTH}}", "accent"), span(form.meaning))
            rows.append(Row(key=(language.title, place), spans=spans))
    return rows
