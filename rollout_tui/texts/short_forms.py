"""Numbers, times and states in the few characters a row has for them."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from reducer.model import ExecutionWindow
from reducer.wire.events import ExecutionStatus, RolloutStatus

Status = ExecutionStatus | RolloutStatus

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


def first_line(text: str, limit: int = 400) -> str:
    """The first line of a text that says something; a row never shows more of it than `limit` characters."""
    start = text[: limit * 4].lstrip()
    return start.split("\n", 1)[0][:limit]


def one_line(text: str, limit: int = 400) -> str:
    """The beginning of a text with its white space folded, for a row."""
    return " ".join(text[: limit * 2].split())[:limit]


_SESSION_FILE = re.compile(r"rollout-[0-9T-]{20}([0-9a-f]{8}-[0-9a-f]{4})-[0-9a-f-]{22}")
"""The name of a session file; of ids that are made of the time, the first 13 characters tell milliseconds."""


def bundle_name(directory: str) -> str:
    """By what a recording is told from the others: the beginning of its trace id, or its name without one.

    That of a session file is the beginning of its thread's id.

    `rollout-tui` opens a bundle by this name.

    Args:
        directory: the name of its directory; that of a recording is `trace-`, its trace id, and a thread id.
    """
    session = _SESSION_FILE.match(directory)
    if session is not None:
        return session[1]
    return directory.removeprefix("trace-")[:SHORT_NAME] if directory.startswith("trace-") else directory
