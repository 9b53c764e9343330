"""Which lines two texts have in common, in time that grows with the texts and not with their product."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

CLOSE_LOOK = 90_000
"""Pairs of lines up to which a stretch is compared line by line with line."""

BUDGET = 2_000_000
"""Pairs of lines compared so in all; what is left then counts as different."""

MAX_ROUNDS = 8
"""How often a stretch is divided at the lines that occur once in both texts."""


class Block(NamedTuple):
    """A stretch of lines that both texts have."""

    left: int
    right: int
    length: int


class _Stretch(NamedTuple):
    left: int
    left_end: int
    right: int
    right_end: int
    rounds: int = 0


def common_lines(left: Sequence[str], right: Sequence[str]) -> tuple[list[Block], bool]:
    """The lines that two texts have in common, in order.

    What the texts begin and end with is found first. Between, short stretches are compared by `difflib`; long
    ones are divided at lines that both have exactly once, which takes linear time.

    Returns:
        The common lines, and whether all of both texts was compared: of long texts some stretches may be left
        out, and count as different.
    """
    blocks: list[Block] = []
    budget = BUDGET
    complete = True
    stretches = [_Stretch(0, len(left), 0, len(right))]
    while stretches:
        stretch = _trimmed(left, right, stretches.pop(), blocks)
        pairs = (stretch.left_end - stretch.left) * (stretch.right_end - stretch.right)
        if not pairs:
            continue
        if pairs <= min(CLOSE_LOOK, budget):
            budget -= pairs
            blocks += _close_look(left, right, stretch)
        else:
            parts = _divided(left, right, stretch, blocks) if stretch.rounds < MAX_ROUNDS else []
            stretches += parts
            complete = complete and bool(parts)
    return sorted(blocks), complete


def _trimmed(left: Sequence[str], right: Sequence[str], stretch: _Stretch, blocks: list[Block]) -> _Stretch:
    """A stretch without the common lines at its beginning and end, which become blocks."""
    at, at_end, to, to_end, rounds = stretch
    while at < at_end and to < to_end and left[at] == right[to]:
        at, to = at + 1, to + 1
    if at > stretch.left:
        blocks.append(Block(stretch.left, stretch.right, at - stretch.left))
    while at < at_end and to < to_end and left[at_end - 1] == right[to_end - 1]:
        at_end, to_end = at_end - 1, to_end - 1
    if at_end < stretch.left_end:
        blocks.append(Block(at_end, to_end, stretch.left_end - at_end))
    return _Stretch(at, at_end, to, to_end, rounds)


def _close_look(left: Sequence[str], right: Sequence[str], stretch: _Stretch) -> list[Block]:
    matcher = SequenceMatcher(
        None, left[stretch.left : stretch.left_end], right[stretch.right : stretch.right_end], autojunk=False
    )
    return [
        Block(stretch.left + block.a, stretch.right + block.b, block.size)
        for block in matcher.get_matching_blocks()
        if block.size
    ]


def _divided(
    left: Sequence[str], right: Sequence[str], stretch: _Stretch, blocks: list[Block]
) -> list[_Stretch]:
    """The stretches between the lines that occur once on either side, which become blocks."""
    at, to = stretch.left, stretch.right
    stretches = []
    for one, other in _anchors(left, right, stretch):
        blocks.append(Block(one, other, 1))
        stretches.append(_Stretch(at, one, to, other, stretch.rounds + 1))
        at, to = one + 1, other + 1
    if at == stretch.left:
        return []
    return [*stretches, _Stretch(at, stretch.left_end, to, stretch.right_end, stretch.rounds + 1)]


def _anchors(left: Sequence[str], right: Sequence[str], stretch: _Stretch) -> list[tuple[int, int]]:
    """Lines that occur once on either side, as many as stand in the same order on both."""
    left_counts = Counter(left[stretch.left : stretch.left_end])
    right_counts = Counter(right[stretch.right : stretch.right_end])
    place_right = {
        right[to]: to for to in range(stretch.right, stretch.right_end) if right_counts[right[to]] == 1
    }
    pairs = [
        (at, place_right[left[at]])
        for at in range(stretch.left, stretch.left_end)
        if left_counts[left[at]] == 1 and left[at] in place_right
    ]
    return _longest_increase(pairs)


def _longest_increase(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest choice of `pairs`, sorted by their first number, in which the second one grows as well."""
    ends: list[int] = []
    last_of_length: list[int] = []
    before: list[int | None] = []
    for place, (_left, right) in enumerate(pairs):
        length = bisect_left(ends, right)
        before.append(last_of_length[length - 1] if length else None)
        if length == len(ends):
            ends.append(right)
            last_of_length.append(place)
        else:
            ends[length], last_of_length[length] = right, place
    chosen = []
    at = last_of_length[-1] if last_of_length else None
    while at is not None:
        chosen.append(pairs[at])
        at = before[at]
    return chosen[::-1]
