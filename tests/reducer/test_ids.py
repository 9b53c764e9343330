"""Ids by numbers: whatever they look like, each has its own and is found by it."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reducer import ids
from reducer.ids import Ids

NUMBERS = st.integers(0, 80).map(str) | st.sampled_from(["", "01", "00", "999999999", "9999999999", "²", "٣"])
KEYS = st.builds(str.__add__, st.sampled_from(["", "a:", "a:b:", "call_", ":", "5:"]), NUMBERS)


@given(st.lists(KEYS), st.sampled_from([1, 4096]))
def test_each_id_has_a_number_in_the_order_in_which_they_came(keys: list[str], at_hand: int) -> None:
    made = Ids()
    known: dict[str, int] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ids, "_RECENT", at_hand)
        for key in keys:
            assert made.number(key) == known.get(key)
            assert made.add(key) == known.setdefault(key, len(known))
    assert len(made) == len(known)
    assert [made.id(number) for number in range(len(made))] == [*known]
    assert {key: made.number(key) for key in known} == known
    assert made.number("never added") is None
    assert made.number(1) is None


def held_by(keys: list[str]) -> int:
    """Bytes that some ids take."""
    tracemalloc.start()
    try:
        made = Ids()
        for key in keys:
            made.add(key)
        return tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()


def test_a_great_number_does_not_take_what_it_says() -> None:
    count = 2000
    dear = held_by([f"x{at}:{10**8}" for at in range(count)])
    assert dear < 3 * held_by([f"x{at}:{10**8}:" for at in range(count)])


def test_ids_that_count_on_take_next_to_nothing() -> None:
    count = 50_000
    assert (
        held_by([f"conversation_item:{at}" for at in range(count)])
        < held_by([f"conversation_item:{at}:" for at in range(count)]) / 4
    )
