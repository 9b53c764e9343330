from __future__ import annotations

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from reducer.changes import Changes
from reducer.model import ExecutionWindow, TerminalSession, Turn
from reducer.model.objects import ObjectRef, ref_of


def turn(name: str = "t") -> Turn:
    return Turn(name, "thread", ExecutionWindow(1, 1))


def test_a_commit_says_what_was_touched_in_order() -> None:
    changes, turns, first, second = Changes(), dict[str, Turn](), turn("a"), turn("b")
    changes.create(turns, "b", second)
    changes.change(first).thread_id = "other"
    changes.change(second)
    changes.touch(first)
    changes.concern(ObjectRef("CodeCell", "later"))
    made = [ObjectRef("Turn", "b"), ObjectRef("Turn", "a")]
    assert changes.commit() == (made, [ObjectRef("CodeCell", "later")])
    assert changes.commit() == ([], [])
    assert ref_of(second) == ObjectRef("Turn", "b")


def test_only_the_writes_since_the_last_commit_are_undone() -> None:
    changes, items = Changes(), ["a"]
    changes.append(items, "b")
    changes.commit()
    changes.append(items, "c")
    changes.roll_back()
    assert items == ["a", "b"]


def test_a_struct_is_restored_with_its_lists() -> None:
    session = TerminalSession("s", "t", "o", ["o"], ExecutionWindow(1, 1))
    before, changes = copy.deepcopy(session), Changes()
    changes.change(session).thread_id = "other"
    changes.append(session.operation_ids, "p")
    changes.change(session).execution = ExecutionWindow(2, 2)
    changes.remove(session.operation_ids, "o")
    changes.roll_back()
    assert session == before


def test_append_once_tells_whether_it_did() -> None:
    changes, items = Changes(), ["a"]
    assert not changes.append_once(items, "a", turn())
    assert changes.append_once(items, "b", turn())
    assert items == ["a", "b"]


def test_sorted_lists_stay_sorted() -> None:
    changes, items = Changes(), list[str]()
    for value in ("b", "d", "a", "c"):
        changes.insert_sorted(items, value, str)
    assert items == ["a", "b", "c", "d"]


KEYS = st.sampled_from("abcd")
WRITES = st.lists(
    st.tuples(
        st.sampled_from(["put", "drop", "entry", "append", "sorted", "remove", "add", "discard", "change"]),
        KEYS,
        st.integers(0, 5),
    ),
    max_size=30,
)


@given(WRITES, WRITES)
def test_whatever_was_written_is_undone(first: list[Any], second: list[Any]) -> None:
    state: dict[str, Any] = {"map": {}, "list": [], "sorted": [], "set": set(), "turn": turn()}
    changes = Changes()

    def write(writes: list[Any]) -> None:
        for what, key, number in writes:
            if what == "put":
                changes.put(state["map"], key, number)
            elif what == "drop":
                changes.drop(state["map"], key)
            elif what == "entry":
                assert changes.entry(state["map"], key, lambda: 7) == state["map"][key]
            elif what == "append":
                changes.append(state["list"], number)
            elif what == "sorted":
                changes.insert_sorted(state["sorted"], number, int)
            elif what == "remove" and number in state["list"]:
                changes.remove(state["list"], number)
            elif what == "add":
                changes.add(state["set"], key)
            elif what == "discard":
                changes.discard(state["set"], key)
            elif what == "change":
                changes.change(state["turn"]).thread_id = key

    write(first)
    changes.commit()
    before = copy.deepcopy(state)
    write(second)
    assert state["sorted"] == sorted(state["sorted"])
    changes.roll_back()
    assert state == before
