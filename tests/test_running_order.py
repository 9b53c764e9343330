"""The order in which workers run tests."""

from __future__ import annotations

import pytest
from running_order import in_stretches


@pytest.mark.parametrize("workers", [1, 2, 3, 4, 7])
@pytest.mark.parametrize(("waits", "others"), [(5, 40), (0, 9), (9, 0), (30, 3), (1, 1)])
def test_every_test_is_run_once_and_those_that_wait_begin(workers: int, waits: int, others: int) -> None:
    waiting, rest = [f"w{n}" for n in range(waits)], [f"o{n}" for n in range(others)]
    ordered = in_stretches(waiting, rest, workers)
    assert sorted(ordered) == sorted([*waiting, *rest])
    assert [one for one in ordered if one in rest] == rest


def test_half_of_the_workers_begin_with_what_waits_longest() -> None:
    ordered = in_stretches(["long", "longer", "short"], list(range(13)), 4)
    stretches = [ordered[start : start + 4] for start in range(0, 16, 4)]
    assert stretches == [["long", "short", 0, 1], ["longer", 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]]
