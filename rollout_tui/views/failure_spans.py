"""Failures in rows: the verdict in its colour, and why."""

from __future__ import annotations

from rollout_tui import glyphs
from rollout_tui.insight.failures.definition import Failure, Manner
from rollout_tui.insight.failures.words import verdict
from rollout_tui.lines.spans import Span, StyleName, span
from rollout_tui.texts.short_forms import plural

STYLES: dict[Manner, StyleName] = {"failed": "bad", "aborted": "warn", "never ended": "warn"}
"""The colour of how something failed."""


def verdict_span(failure: Failure) -> Span:
    """The verdict in its colour."""
    return span(verdict(failure), STYLES[failure.manner])


def cause_span(failure: Failure) -> Span:
    """Why something failed, behind what the row says of it."""
    return span(f"  {failure.cause}", STYLES[failure.manner])


def failures_span(number: int) -> Span:
    """So many failures; nothing for none."""
    return span(f"{glyphs.active().failed} {plural(number, 'failure')}" if number else "", "bad")
