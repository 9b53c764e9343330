"""Folding trees."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollout_tui.insight.timeline.trees import tree_of_depths
from rollout_tui.lines.rows import Row
from rollout_tui.lines.spans import span
from rollout_tui.views.tree_rows import TreeNode, TreeRows


def tree(depths: list[int]) -> TreeRows[int]:
    def render(node: TreeNode[int]) -> Row:
        return Row(node.value, (span(str(node.value)),), depth=node.depth, fold=node.fold)

    return TreeRows(tree_of_depths(enumerate(depths), int), render, int)


def shown(rows: TreeRows[int]) -> list[int]:
    return [rows.node(index).value for index in range(len(rows))]


@st.composite
def depth_lists(draw: st.DrawFn) -> list[int]:
    depths = [0]
    for _ in range(draw(st.integers(0, 30))):
        depths.append(draw(st.integers(0, depths[-1] + 1)))
    return depths


def test_a_folded_node_hides_its_descendants_and_only_them() -> None:
    rows = tree([0, 1, 2, 1, 0])
    assert rows.set_folded(0, True)
    assert shown(rows) == [0, 4]
    assert not rows.set_folded(0, True), "it is folded already"
    assert not rows.set_folded(1, True), "a leaf does not fold"
    assert rows.set_folded(0, False)
    assert shown(rows) == [0, 1, 2, 3, 4]


def test_what_was_folded_inside_stays_folded() -> None:
    rows = tree([0, 1, 2, 1])
    rows.set_folded(1, True)
    rows.set_folded(0, True)
    rows.set_folded(0, False)
    assert shown(rows) == [0, 1, 3]


def test_a_hidden_node_is_found_at_what_hides_it_and_revealed() -> None:
    rows = tree([0, 1, 2, 1])
    rows.set_folded(1, True)
    rows.set_folded(0, True)
    assert rows.find(2) == 0
    assert rows.reveal(2) == 2
    assert shown(rows) == [0, 1, 2, 3]
    assert rows.find("nobody") is None


def test_the_parent_is_the_nearest_less_deep_row_above() -> None:
    rows = tree([0, 1, 2, 1])
    assert [rows.parent(index) for index in range(4)] == [None, 0, 1, 0]


@pytest.mark.slow
@given(depth_lists(), st.lists(st.tuples(st.integers(0, 30), st.booleans()), max_size=20))
def test_shown_rows_are_those_with_no_folded_ancestor(
    depths: list[int], steps: list[tuple[int, bool]]
) -> None:
    rows = tree(depths)
    folded: set[int] = set()
    for place, fold in steps:
        index = place % len(rows)
        value = rows.node(index).value
        if rows.set_folded(index, fold):
            (folded.add if fold else folded.discard)(value)
    hidden: set[int] = set()
    for value in folded:
        below = value + 1
        while below < len(depths) and depths[below] > depths[value]:
            hidden.add(below)
            below += 1
    assert shown(rows) == [value for value in range(len(depths)) if value not in hidden]
