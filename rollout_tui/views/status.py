"""The state of something that runs, as a mark in its colour."""

from __future__ import annotations

from rollout_tui import glyphs
from rollout_tui.lines.spans import Span, StyleName
from rollout_tui.safe_text import safe_text
from rollout_tui.texts.short_forms import Status

STATUS_STYLES: dict[Status, StyleName] = {
    "completed": "good",
    "failed": "bad",
    "running": "accent",
    "cancelled": "warn",
    "aborted": "warn",
}
"""The colour of a state, in a mark and in words."""


def status_span(status: Status) -> Span:
    """A state as a mark, in the cells that a column of them has."""
    marks = glyphs.active()
    shapes: dict[Status, str] = {
        "completed": marks.succeeded,
        "failed": marks.failed,
        "running": marks.running,
        "cancelled": marks.cancelled,
        "aborted": marks.cancelled,
    }
    return Span(safe_text(f"{shapes[status]:<{marks.state_width}}"), STATUS_STYLES[status])
