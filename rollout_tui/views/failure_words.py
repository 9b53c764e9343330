"""Failures in rows and sentences: a mark and a word that say how, a line that says why."""

from __future__ import annotations

from reducer import ObjectRef
from reducer.model import ExecutionWindow
from rollout_tui import glyphs
from rollout_tui.insight.failures import Failure, Manner, failure_of
from rollout_tui.views.index import TraceIndex
from rollout_tui.views.words import plural
from rollout_tui.widgets.spans import Span, StyleName, span

STYLES: dict[Manner, StyleName] = {"failed": "bad", "aborted": "warn", "never ended": "warn"}
"""The colour of how something failed."""


def verdict(failure: Failure) -> str:
    """How something failed, in a mark and a word: `✗ 127`, `✗ 429`, `⊘ aborted`, `? never ended`."""
    return f"{mark(failure)} {failure.verdict}"


def state_words(index: TraceIndex, ref: ObjectRef, window: ExecutionWindow) -> str:
    """How something is or ended: the verdict of what failed, else what the log says, such as `running`."""
    failure = failure_of(index, ref)
    return window.status if failure is None else verdict(failure)


def verdict_span(failure: Failure) -> Span:
    """The verdict in its colour."""
    return span(verdict(failure), STYLES[failure.manner])


def mark(failure: Failure) -> str:
    """The mark of how something failed."""
    marks = glyphs.active()
    found = {"failed": marks.failed, "aborted": marks.cancelled, "never ended": marks.unknown}
    return found[failure.manner]


def cause_span(failure: Failure) -> Span:
    """Why something failed, behind what the row says of it."""
    return span(f"  {failure.cause}", STYLES[failure.manner])


def failures_span(number: int) -> Span:
    """So many failures; nothing for none."""
    return span(f"{glyphs.active().failed} {plural(number, 'failure')}" if number else "", "bad")
