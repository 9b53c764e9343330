"""Failures in rows and sentences: a mark and a word that say how, a line that says why."""

from __future__ import annotations

from rollout_tui import glyphs
from rollout_tui.insight.failures import Failure, Manner
from rollout_tui.views.words import plural
from rollout_tui.widgets.spans import Span, StyleName, span

_STYLES: dict[Manner, StyleName] = {"failed": "bad", "aborted": "warn", "never ended": "warn"}


def verdict(failure: Failure) -> str:
    """How something failed, in a mark and a word: `✗ 127`, `✗ 429`, `⊘ aborted`, `? never ended`."""
    return f"{_mark(failure)} {failure.verdict}"


def verdict_tail(failure: Failure) -> tuple[Span, Span]:
    """The verdict as the first pieces of a tail: where no room is left for the word, the mark stays."""
    style = _STYLES[failure.manner]
    return span(_mark(failure), style), span(failure.verdict, style)


def verdict_span(failure: Failure) -> Span:
    """The verdict in one piece."""
    return span(verdict(failure), _STYLES[failure.manner])


def _mark(failure: Failure) -> str:
    marks = glyphs.active()
    found = {"failed": marks.failed, "aborted": marks.cancelled, "never ended": marks.unknown}
    return found[failure.manner]


def cause_span(failure: Failure) -> Span:
    """Why something failed, behind what the row says of it."""
    return span(f"  {failure.cause}", _STYLES[failure.manner])


def failures_span(number: int) -> Span:
    """So many failures; nothing for none."""
    return span(f"{glyphs.active().failed} {plural(number, 'failure')}" if number else "", "bad")
