"""How work grows with what is worked on, measured within one run: no machine is too slow for that."""

from __future__ import annotations

from collections.abc import Callable
from time import thread_time

_NOISE = 0.002
"""Seconds that decide nothing."""


def seconds_of(work: Callable[[], object]) -> float:
    """Processor time that the calling thread needs."""
    began = thread_time()
    work()
    return thread_time() - began


def assert_grows_linearly(work: Callable[[int], object], size: int, times: int = 8) -> None:
    """See that work on much takes about as many times as long as it is larger; quadratic work fails.

    Args:
        work: what is done with so much.
        size: how much is little.
        times: how many times as much is much.
    """
    little = min(seconds_of(lambda: work(size)) for _ in range(3))
    much = min(seconds_of(lambda: work(size * times)) for _ in range(2))
    assert much < 3 * times * (little + _NOISE), (little, much)
