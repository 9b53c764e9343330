"""How something failed, in a mark and a word."""

from __future__ import annotations

from reducer import ObjectRef
from reducer.model import ExecutionWindow
from rollout_tui import glyphs
from rollout_tui.insight.failures.definition import Failure, failure_of
from rollout_tui.insight.index import TraceIndex


def verdict(failure: Failure) -> str:
    """How something failed, in a mark and a word: `✗ 127`, `✗ 429`, `⊘ aborted`, `? never ended`."""
    return f"{mark(failure)} {failure.verdict}"


def state_words(index: TraceIndex, ref: ObjectRef, window: ExecutionWindow) -> str:
    """How something is or ended: the verdict of what failed, else what the log says, such as `running`."""
    failure = failure_of(index, ref)
    return window.status if failure is None else verdict(failure)


def mark(failure: Failure) -> str:
    """The mark of how something failed."""
    marks = glyphs.active()
    found = {"failed": marks.failed, "aborted": marks.cancelled, "never ended": marks.unknown}
    return found[failure.manner]
