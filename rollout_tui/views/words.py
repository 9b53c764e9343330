"""Numbers, times and states in the few characters a row has for them."""

from __future__ import annotations

from datetime import UTC, datetime

from reducer.model import ExecutionWindow
from reducer.wire.events import ExecutionStatus, RolloutStatus
from rollout_tui import glyphs
from rollout_tui.safe_text import safe_text
from rollout_tui.widgets.spans import Span, StyleName

Status = ExecutionStatus | RolloutStatus

STATUS_STYLES: dict[Status, StyleName] = {
    "completed": "good",
    "failed": "bad",
    "running": "accent",
    "cancelled": "warn",
    "aborted": "warn",
}
"""The colour of a state, in a mark and in words."""

SHORT_NAME = 8
"""Characters of a trace id that are enough to tell a bundle from the others."""


def duration(ms: int | None) -> str:
    """A span of time: `0.1s`, `38.1s`, `12m04s`, `3h05m`; empty without one.

    Args:
        ms: milliseconds; clocks may go backwards, so they may be negative.
    """
    if ms is None:
        return ""
    sign, seconds = ("-", -ms / 1000) if ms < 0 else ("", ms / 1000)
    if seconds < 59.95:
        return f"{sign}{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{sign}{minutes}m{rest:02}s"
    hours, minutes = divmod(minutes, 60)
    return f"{sign}{hours}h{minutes:02}m"


def window_ms(window: ExecutionWindow) -> int | None:
    """How long something ran, in ms; None while it has not ended."""
    if window.ended_at_unix_ms is None:
        return None
    return window.ended_at_unix_ms - window.started_at_unix_ms


def count(number: int) -> str:
    """A number in at most five characters: `999`, `7.0k`, `412k`, `1.2M`; evidence may claim any number."""
    if number < 1000:
        return str(number)
    scaled, units = float(min(number, 10**18)), iter("kMGTPE")
    unit = ""
    while scaled >= 999.5 and unit != "E":
        scaled, unit = scaled / 1000, next(units)
    return f"{scaled:.1f}{unit}" if scaled < 99.95 else f"{scaled:.0f}{unit}"


def size(number: int) -> str:
    """A number of bytes: `84 B`, `84 kB`, `1.2 MB`."""
    if number < 1000:
        return f"{number} B"
    for limit, unit in ((1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")):
        if number >= limit:
            scaled = number / limit
            return f"{scaled:.1f} {unit}" if scaled < 10 else f"{scaled:.0f} {unit}"
    return str(number)


def plural(number: int, noun: str) -> str:
    """`1 call`, `2 calls`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def clock(unix_ms: int) -> str:
    """A time of day in UTC, with milliseconds; the bare number where it is no date."""
    try:
        return datetime.fromtimestamp(unix_ms / 1000, UTC).strftime("%H:%M:%S.%f")[:-3]
    except (ValueError, OverflowError, OSError):
        return str(unix_ms)


def moment(unix_ms: int) -> str:
    """Date and time of day in UTC; the bare number where it is no date."""
    try:
        return datetime.fromtimestamp(unix_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (ValueError, OverflowError, OSError):
        return str(unix_ms)


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


def first_line(text: str, limit: int = 400) -> str:
    """The first line of a text that says something; a row never shows more of it than `limit` characters."""
    start = text[: limit * 4].lstrip()
    return start.split("\n", 1)[0][:limit]


def one_line(text: str, limit: int = 400) -> str:
    """The beginning of a text with its white space folded, for a row."""
    return " ".join(text[: limit * 2].split())[:limit]


def bundle_name(directory: str) -> str:
    """By what a bundle is told from the others: the beginning of its trace id, or its name without one.

    `rollout-tui` opens a bundle by this name.

    Args:
        directory: the name of its directory; that of a recording is `trace-`, its trace id, and a thread id.
    """
    return directory.removeprefix("trace-")[:SHORT_NAME] if directory.startswith("trace-") else directory
