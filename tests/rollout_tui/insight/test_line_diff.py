"""Common lines of two texts: right where they are told, and found in time."""

from __future__ import annotations

import random
from difflib import SequenceMatcher

import pytest
from hypothesis import given
from hypothesis import strategies as st
from work_ratio import assert_grows_linearly

from rollout_tui.insight.output.line_diff import CLOSE_LOOK, Block, common_lines

LINES = st.lists(st.sampled_from("abcdef"), max_size=30)


def check(left: list[str], right: list[str]) -> tuple[int, bool]:
    """How many lines are common; they must be so, and in order."""
    blocks, complete = common_lines(left, right)
    at = to = 0
    for block in blocks:
        assert block.length > 0
        assert block.left >= at
        assert block.right >= to
        at, to = block.left + block.length, block.right + block.length
        assert left[block.left : at] == right[block.right : to]
    return sum(block.length for block in blocks), complete


@given(LINES, LINES)
def test_short_texts_are_compared_as_difflib_does(left: list[str], right: list[str]) -> None:
    common, complete = check(left, right)
    assert complete
    matcher = SequenceMatcher(None, left, right, autojunk=False)
    best = sum(block.size for block in matcher.get_matching_blocks())
    prefix = next(
        (n for n, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right))
    )
    assert common >= min(best, 1)
    assert common >= prefix


def test_equal_and_disjoint_texts() -> None:
    assert common_lines(["a", "b"], ["a", "b"]) == ([Block(0, 0, 2)], True)
    assert common_lines(["a"], ["b"]) == ([], True)
    assert common_lines([], ["b"]) == ([], True)


def test_what_was_cut_out_of_the_middle_is_found_at_both_ends() -> None:
    left = [str(number) for number in range(100_000)]
    right = left[:500] + left[-500:]
    assert common_lines(left, right) == ([Block(0, 0, 500), Block(99_500, 500, 500)], True)


def numbers(count: int) -> list[str]:
    return [str(number) for number in range(count)]


KINDS = ["same", "thinned", "shuffled", "two words", "reversed", "few unique"]


def two_texts(kind: str, count: int) -> tuple[list[str], list[str]]:
    chance = random.Random(7)
    left = numbers(count)
    right = list(left)
    if kind == "thinned":
        right = [line for line in left if chance.random() < 0.9]
    elif kind == "shuffled":
        chance.shuffle(right)
    elif kind == "reversed":
        right.reverse()
    elif kind == "two words":
        left, right = ([chance.choice("ab") for _ in range(count)] for _ in range(2))
    elif kind == "few unique":
        left, right = (
            [chance.choice("ab") if place % 50 else f"u{place}" for place in range(count)] for _ in range(2)
        )
    return left, right


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_what_long_texts_have_in_common(kind: str) -> None:
    left, right = two_texts(kind, 60_000)
    common, complete = check(left, right)
    if kind in ("same", "thinned"):
        assert common == len(right)
        assert complete
    if kind == "two words":
        assert not complete, "lines that were not compared are not said to differ"


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_long_texts_take_no_long_time(kind: str) -> None:
    texts = {count: two_texts(kind, count) for count in (7_500, 60_000)}
    assert_grows_linearly(lambda count: common_lines(*texts[count]), 7_500)


def test_long_stretches_are_divided_at_lines_that_occur_once() -> None:
    side = int(CLOSE_LOOK**0.5) + 50
    left = [line for number in range(side) for line in (f"only {number}", "again")]
    right = ["first", *(line for number in range(side) for line in (f"only {number}", "other")), "last"]
    common, complete = check(left, right)
    assert common == side
    assert complete
