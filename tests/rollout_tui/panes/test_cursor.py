"""The cursor of the inspector, without an inspector: who leads, what follows, which panes are seen."""

from __future__ import annotations

import subprocess
import sys

import pytest

from reducer import ObjectRef
from rollout_tui.panes.cursor import Cursor
from rollout_tui.views.places import PANES, PaneName

CALL, AGENT, ITEM = (
    ObjectRef("InferenceCall", "c"),
    ObjectRef("Thread", "t"),
    ObjectRef("ConversationItem", "i"),
)

FOLLOWING: dict[PaneName, tuple[PaneName, ...]] = {
    "threads": ("timeline", "detail"),
    "timeline": ("context", "detail"),
    "context": ("detail",),
}


@pytest.mark.parametrize("pane", FOLLOWING)
def test_what_follows_a_move_of_the_reader(pane: PaneName) -> None:
    cursor = Cursor()
    cursor.give_keys(pane)
    assert cursor.moved(pane, "one") == FOLLOWING[pane]
    assert cursor.moved(pane, "two") == FOLLOWING[pane]
    assert cursor.moved(pane, "one") == FOLLOWING[pane], "the way back is a move, too"


@pytest.mark.parametrize("pane", FOLLOWING)
def test_nothing_follows_what_the_program_has_put_there(pane: PaneName) -> None:
    cursor = Cursor()
    cursor.give_keys(pane)
    cursor.moved(pane, "one")
    cursor.put(pane, "two")
    assert cursor.moved(pane, "two") == (), "the list tells of the move that the program made"
    assert cursor.moved(pane, "two") == (), "also if it tells of it twice"
    assert cursor.moved(pane, "three") == FOLLOWING[pane]


@pytest.mark.parametrize("pane", FOLLOWING)
def test_a_list_that_became_empty_is_a_move_once(pane: PaneName) -> None:
    cursor = Cursor()
    cursor.give_keys(pane)
    assert cursor.moved(pane, None) == FOLLOWING[pane]
    assert cursor.moved(pane, None) == ()


@pytest.mark.parametrize("keys", PANES)
def test_only_the_timeline_leads_without_the_keys_and_then_not_the_detail(keys: PaneName) -> None:
    for pane in set(FOLLOWING) - {keys}:
        cursor = Cursor()
        cursor.give_keys(keys)
        assert cursor.moved(pane, "one") == (("context",) if pane == "timeline" else ())


def test_a_move_that_was_none_of_the_readers_is_not_made_up_for_later() -> None:
    cursor = Cursor()
    assert cursor.moved("context", "one") == ()
    cursor.give_keys("context")
    assert cursor.moved("context", "one") == ()
    assert cursor.moved("context", "two") == ("detail",)


def test_keys_are_about_what_is_under_the_cursor_or_else_in_the_detail() -> None:
    selected = {"threads": AGENT, "timeline": CALL, "context": None, "detail": ITEM}
    subjects = {}
    for pane in PANES:
        cursor = Cursor()
        cursor.give_keys(pane)
        subjects[pane] = cursor.subject(selected)
    assert subjects == {"threads": AGENT, "timeline": CALL, "context": ITEM, "detail": ITEM}
    assert Cursor().subject({}) is None


@pytest.mark.parametrize("pane", ["threads", "timeline", "context"])
def test_the_detail_stands_beside_the_list_it_was_entered_from_and_leads_back_there(pane: PaneName) -> None:
    cursor = Cursor()
    cursor.give_keys(pane)
    assert cursor.seen_panes(2) == (pane, "detail")
    cursor.give_keys("detail")
    cursor.give_keys("detail")
    assert cursor.seen_panes(2) == (pane, "detail")
    assert cursor.pane_above() == pane


def test_which_panes_are_seen() -> None:
    cursor = Cursor()
    assert cursor.seen_panes(4) == PANES
    assert cursor.seen_panes(1) == ("timeline",)
    cursor.is_zoomed = True
    assert cursor.seen_panes(4) == cursor.seen_panes(2) == ("timeline",)


def test_the_panes_follow_each_other_in_a_ring() -> None:
    for direction, order in ((1, PANES), (-1, PANES[::-1])):
        cursor = Cursor()
        cursor.give_keys(order[0])
        walked = []
        for _ in range(2 * len(PANES)):
            walked.append(cursor.pane)
            cursor.give_keys(cursor.next_pane(direction))
        assert tuple(walked) == order * 2


def test_one_level_up_is_the_timeline_and_above_that_nothing() -> None:
    cursor = Cursor()
    above = {}
    for pane in ("context", "timeline", "threads"):
        cursor.give_keys(pane)
        above[pane] = cursor.pane_above()
    assert above == {"context": "timeline", "timeline": None, "threads": None}


def test_it_needs_no_textual() -> None:
    code = "import rollout_tui.panes.cursor, sys; print('textual' in sys.modules)"
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert finished.stdout == "False\n"
