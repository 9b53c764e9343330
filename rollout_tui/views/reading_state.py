"""How far a bundle is read, whether its log is followed, and of which moment the view is: in a few words."""

from __future__ import annotations

from enum import Enum

from msgspec import Struct

from rollout_tui.lines.spans import Span, StyleName, span
from rollout_tui.texts.short_forms import plural, size


class Following(Enum):
    """Whether what is added to a log is shown."""

    OFF = "off"
    """It is not looked at."""
    LIVE = "live"
    """It is not looked at, but somebody writes it."""
    ON = "on"
    """It is."""
    COMPLETE = "complete"
    """It was, to its end."""
    ABANDONED = "abandoned"
    """It is, but nobody writes it any more, and it has no end."""
    LOST = "lost"
    """It was, until it was cut or replaced, or could not be read."""


class ReadingState(Struct):
    """The state of reading one bundle.

    Attributes:
        is_reading: whether a view is being made that the reader waits for.
        looks_back: whether that is a view of the past.
        was_cancelled: whether the reader gave up waiting for the whole bundle.
        done: bytes of the log that are read.
        total: bytes that it has.
        wants_to_follow: whether it is to be followed once it is read.
        following: whether what is added to it is shown.
        is_paused: whether that only counts for now.
        waiting: lines that were added and are not shown.
        past_seq: the event as of which everything is shown; None for now.
        last_seq: the last event that is known.
        reason: why the log is lost.
    """

    is_reading: bool = False
    looks_back: bool = False
    was_cancelled: bool = False
    done: int = 0
    total: int = 0
    wants_to_follow: bool = False
    following: Following = Following.OFF
    is_paused: bool = False
    waiting: int = 0
    past_seq: int | None = None
    last_seq: int = 0
    reason: str = ""

    @property
    def is_following(self) -> bool:
        """Whether the log is looked at."""
        return self.following in (Following.ON, Following.ABANDONED)

    @property
    def shows_new(self) -> bool:
        """Whether what is added is to be shown as it comes."""
        return not self.is_paused and self.past_seq is None


def state_spans(state: ReadingState) -> list[Span]:
    """What the header says of it; nothing for a bundle that is read and not followed."""
    return [span(text, style) for text, style in _words(state)]


def _words(state: ReadingState) -> list[tuple[str, StyleName]]:
    words: list[tuple[str, StyleName]] = []
    if state.is_reading and state.total:
        share = 100 * state.done // max(1, state.total)
        words.append((f"reading {share}% of {size(state.total)}, esc cancels", "accent"))
    elif state.was_cancelled:
        words.append(("reading was cancelled: R reads again", "warn"))
    if state.past_seq is not None:
        share = 100 * state.past_seq // max(1, state.last_seq)
        words.append((f"as of seq {state.past_seq} of {state.last_seq} ({share}%), esc: now", "warn"))
    words.extend(_following_words(state))
    return words


def _following_words(state: ReadingState) -> list[tuple[str, StyleName]]:
    waiting = f"+{plural(state.waiting, 'line')}"
    if state.following is Following.LOST:
        return [(f"not followed any more: {state.reason}", "bad")]
    if state.following is Following.LIVE:
        return [("still being written: t follows", "accent")]
    if state.following is Following.COMPLETE:
        return [("the recording is complete", "good")]
    if not state.is_following:
        return []
    if state.is_paused:
        return [(f"paused {waiting}, = goes on", "warn")]
    if state.past_seq is not None and state.waiting:
        return [(waiting, "accent")]
    if state.following is Following.ABANDONED:
        return [("following, but nobody writes it any more", "warn")]
    return [("following", "good")]
