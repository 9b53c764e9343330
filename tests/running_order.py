"""In which order workers run tests: those that wait begin at once, on half of the workers.

With `--dist worksteal` each worker begins with a stretch of the list, and takes from the ends of the others'
stretches when it is through. Programs in terminals mostly wait: left in their place they would be the last
to end, one after the other; begun by all workers at once they would leave the processors idle.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import pytest
from places import REPOSITORY

T = TypeVar("T")

WAITING = REPOSITORY / "tests/end_to_end"
"""Where the tests are that wait for programs in terminals."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put what waits first, the longest at the very first, where several workers share the tests."""
    workers = getattr(config, "workerinput", {}).get("workercount", 1)
    if workers > 1:
        waiting = [item for item in items if WAITING in item.path.parents]
        others = [item for item in items if WAITING not in item.path.parents]
        items[:] = in_stretches(sorted(waiting, key=_seconds_allowed, reverse=True), others, workers)


def in_stretches(waiting: Sequence[T], others: Sequence[T], workers: int) -> list[T]:
    """The stretches of all workers, of which the first half begin with what waits.

    Args:
        waiting: what waits, dealt to them in turn.
        others: what fills the stretches, in its order.
        workers: how many there are.
    """
    first, left = max(1, workers // 2), list(others)
    ordered: list[T] = []
    for worker in range(workers):
        dealt = waiting[worker::first] if worker < first else ()
        size = (len(waiting) + len(others)) * (worker + 1) // workers - len(ordered)
        taken = max(0, size - len(dealt)) if worker < workers - 1 else len(left)
        ordered += [*dealt, *left[:taken]]
        del left[:taken]
    return ordered


def _seconds_allowed(item: pytest.Item) -> float:
    """How long a test may take by its own mark: what is given more than others takes longer."""
    mark = item.get_closest_marker("timeout")
    return float(mark.args[0]) if mark is not None and mark.args else 0.0
