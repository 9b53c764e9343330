"""How far a worker is: told now and then, and ended once nobody waits for it any more."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

Progress = Callable[[int, int], None]
"""Called with what is done and what there is to do in all; what it raises ends the work."""

INTERVAL = 0.2
"""Seconds between two words about progress: what takes less is not worth mentioning."""


class Cancelled(Exception):  # noqa: N818 - the reader's wish, no error
    """Nobody waits for the work any more."""


def now_and_then(tell: Callable[[int, int], object], is_cancelled: Callable[[], bool]) -> Progress:
    """A progress that tells at most every `INTERVAL`, beginning with the first that comes after that time.

    Args:
        tell: told how far it is, from the worker's thread.
        is_cancelled: asked each time whether to end the work.

    Returns:
        What raises `Cancelled` once the work is cancelled.
    """
    last_word = monotonic()

    def progress(done: int, total: int) -> None:
        nonlocal last_word
        if is_cancelled():
            raise Cancelled
        if monotonic() - last_word >= INTERVAL:
            last_word = monotonic()
            tell(done, total)

    return progress
