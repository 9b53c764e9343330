"""What the keys do in one pane, and what can be typed on the lines that they open."""

from __future__ import annotations

import textwrap
from collections.abc import Hashable

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.geometry import Size

from rollout_tui import keys
from rollout_tui.lines.rows import Row, row_list
from rollout_tui.lines.spans import span
from rollout_tui.screens.dialog import Dialog
from rollout_tui.views.explained import TIME, TOKENS
from rollout_tui.views.input_forms import LANGUAGES
from rollout_tui.widgets.bars import Bar
from rollout_tui.widgets.virtual_list import VirtualList

KEYS_WIDTH = 14

FORMS_WIDTH = 20

FRAME_WIDTH = 6
"""Cells that a frame and a scrollbar take."""

EXPLAINED = {keys.Focus.TIME: TIME, keys.Focus.TOKENS: TOKENS}
"""What the columns and marks of a pane mean, where they are not plain."""


class HelpScreen(Dialog[None]):
    """The rows of the key table that hold in a pane, nearest scope first."""

    def __init__(self, focus: keys.Focus) -> None:
        super().__init__()
        self._focus = focus

    def compose(self) -> ComposeResult:
        """A title and the rows."""
        with Vertical(classes="box full"):
            yield Bar(id="dialog-title")
            yield VirtualList()

    def on_mount(self) -> None:
        """Say which pane this is about."""
        self.query_one(Bar).show(
            [span(f"Keys in {self._focus.value}", "strong"), span("   / finds a key, esc closes", "muted")]
        )
        self.query_one(VirtualList).focus()

    def fit_into(self, size: Size) -> None:
        """Break what the keys do into as many lines as it needs."""
        super().fit_into(size)
        room = size.width - (1 if self.has_class("-unframed") else size.width // 10 + FRAME_WIDTH)
        self.query_one(VirtualList).set_source(
            row_list([*_column_rows(self._focus, room), *_key_rows(self._focus, room), *_language_rows(room)])
        )


def _column_rows(focus: keys.Focus, room: int) -> list[Row]:
    """The columns and marks of a pane with what they mean."""
    explained = EXPLAINED.get(focus, ())
    rows = [Row(key="columns", spans=(span(f"columns and marks of {focus.value}", "strong"),))]
    for place, (term, meaning) in enumerate(explained):
        rows += _explained(("columns", place), term(), meaning, KEYS_WIDTH, room)
    return rows if explained else []


def _key_rows(focus: keys.Focus, room: int) -> list[Row]:
    rows: list[Row] = []
    scope: keys.Scope | None = None
    for place, entry in enumerate(keys.help_rows(focus)):
        if entry.scope is not scope:
            scope = entry.scope
            rows.append(Row(key=f"scope {scope}", spans=(span(f"{scope.value}", "strong"),)))
        rows += _explained(place, entry.keys, entry.text, KEYS_WIDTH, room)
    return rows


def _language_rows(room: int) -> list[Row]:
    """What can be typed: it is the same wherever help is asked for."""
    rows: list[Row] = []
    for language in LANGUAGES:
        rows.append(Row(key=language.title, spans=(span(language.title, "strong"),)))
        for place, form in enumerate(language.forms):
            rows += _explained((language.title, place), form.text, form.meaning, FORMS_WIDTH, room)
    return rows


def _explained(key: Hashable, term: str, text: str, indent: int, room: int) -> list[Row]:
    """A term, and what it means beside it, in as many rows as that needs."""
    first, *more = textwrap.wrap(text, max(12, room - indent)) or [""]
    padding = " " * max(1, indent - len(term))
    row = Row(key=key, spans=(span(term, "accent"), span(padding), span(first)))
    return [row, *(Row(key=(key, line), spans=(span(" " * indent + line),)) for line in more)]
