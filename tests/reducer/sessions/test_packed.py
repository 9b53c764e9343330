"""What a large session holds: bytes instead of objects, lists that are one, and no long text."""

from __future__ import annotations

import gc
import tracemalloc
from copy import deepcopy
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from session_builder import plain_session

from reducer.model import ExecutionWindow, TerminalSession
from reducer.model.objects import OBJECTS, objects_of
from reducer.sessions import SessionReader, far_texts, graph, packed, read_session, session_state_json
from reducer.sessions.packed import PackedTable
from reducer.sessions.packing import WholePacking
from reducer.sessions.seen_items import SeenItems
from tests.benchmarks.session_file import Shape, session_lines
from tests.session_cases import case_named, files_of_runs

CASES = (
    "compaction-local-0.140.0",
    "everything",
    "multi-agent-v2-0.140.0",
    "sess-chain",
    "sess-rollback-over-0.125.0",
    "sess-upgrade-140",
)


@pytest.mark.parametrize("name", CASES)
def test_a_rule_asks_for_what_it_changes(
    name: str, shared_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = files_of_runs(case_named(shared_dir, name))[0]
    expected = session_state_json(read_session(file))
    monkeypatch.setattr(graph, "MAX_AT_HAND", -1)  # all is packed after each record
    assert session_state_json(read_session(file)) == expected


TABLE_STEPS = st.lists(
    st.tuples(st.sampled_from(["put", "change", "note", "pop", "settle", "view"]), st.integers(0, 12)),
    max_size=60,
)


@given(TABLE_STEPS)
def test_a_table_of_packed_objects_is_what_was_put_there(steps: list[tuple[str, int]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packed, "BLOCK", 4)
        table = PackedTable(WholePacking(TerminalSession))
        plain: dict[str, TerminalSession] = {}
        views = []
        for number, (step, at) in enumerate(steps):
            key = f"terminal:{at}"
            if step == "put" and key not in plain:
                plain[key] = TerminalSession(key, "t", "o", [], ExecutionWindow(number, number))
                table[key] = deepcopy(plain[key])
            elif step == "change" and key in plain:
                plain[key].operation_ids.append(str(number))
                table[key].operation_ids.append(str(number))
                table.note(key)
            elif step == "note":
                table.note(key)
            elif step == "pop":
                assert table.pop(key, None) == plain.pop(key, None)
            elif step == "settle":
                table.settle()
                assert table.at_hand == 0
            elif step == "view":
                views.append((table.view(), deepcopy(plain)))
            assert (len(table), key in table) == (len(plain), key in plain)
        for made, expected in [*views, (table, plain)]:
            assert made == expected
            assert sorted(made) == sorted(expected)


@pytest.mark.parametrize("name", CASES)
def test_maps_of_packed_objects_are_maps(name: str, shared_dir: Path) -> None:
    trace = read_session(files_of_runs(case_named(shared_dir, name))[0]).trace
    for type_, kind in OBJECTS.items():
        found = objects_of(trace, type_)
        plain = {key: found[key] for key in found}
        assert [*found] == [*found.keys()] == [*plain]
        assert [*found.values()] == [*plain.values()]
        assert [*found.items()] == [*plain.items()]
        assert (len(found), bool(found)) == (len(plain), bool(plain))
        assert found == plain
        assert all(key in found and getattr(one, kind.id_field) == key for key, one in plain.items())
        assert "no id" not in found
        assert found.get("no id") is None
        with pytest.raises(KeyError):
            found["no id"]
    refs = trace.raw_payloads
    assert [ref.raw_payload_id for ref in refs.values()] == [*refs]
    for key in ("raw_payload:0", f"raw_payload:{len(refs) + 1}", "raw_payload:01", "1", "raw_payload:x"):
        assert key not in refs
        assert refs.get(key) is None


def test_an_object_is_the_same_as_long_as_somebody_has_it(home: Path) -> None:
    items = read_session(plain_session(home).path).trace.conversation_items
    first = next(iter(items.values()))
    assert items[first.item_id] is first
    assert next(iter(items.values())) is first


def test_records_are_found_by_place_and_number(home: Path) -> None:
    session = read_session(plain_session(home).path)
    events = session.provenance.events
    assert [event.seq for event in events] == [*range(1, len(events) + 1)]
    assert [*events[2:5]] == [events[2], events[3], events[4]]
    assert [*events[2:][1:3]] == [events[3], events[4]]
    assert events[-1] == events[len(events) - 1]
    with pytest.raises(IndexError):
        events[len(events)]
    for event in events:
        for ref in session.provenance.objects_of(event):
            assert event in session.provenance.of(ref.type, ref.id)  # type: ignore[arg-type]


@given(st.data())
def test_the_list_of_what_a_call_saw_is_a_list(data: st.DataObject) -> None:
    history = [str(number) for number in range(data.draw(st.integers(0, 8)))]
    taken = data.draw(st.integers(0, len(history)))
    plain, added = history[:taken], []
    for place in data.draw(st.lists(st.integers(0, taken), max_size=3, unique=True).map(sorted)):
        added.append((place + len(added), f"added {place}"))
        plain.insert(*added[-1])
    seen = SeenItems(history, taken, tuple(added))
    history.append("came later")
    assert seen == plain
    assert (len(seen), [*seen], [*reversed(seen)]) == (len(plain), plain, plain[::-1])
    assert [seen[at] for at in range(-len(plain), len(plain))] == plain + plain
    begin, end = data.draw(st.integers(-9, 9)), data.draw(st.integers(-9, 9))
    assert [*seen[begin:end]] == plain[begin:end]
    assert seen[:end] == SeenItems(plain, len(plain))[:end]
    assert ("came later" in seen, "0" in seen) == (False, "0" in plain)


def held_by(file: Path, turns: int, shape: Shape) -> tuple[int, int]:
    """The most bytes that were held while a session of so many turns was read, and its records."""
    records = turns * (6 + 5 * 6)
    file.write_text("".join(islice(session_lines(shape), records)))
    gc.collect()
    tracemalloc.start()
    try:
        reader = SessionReader(file)
        reader.read_on(is_whole=True)
        reader.reduction()
        return tracemalloc.get_traced_memory()[1], reader.last_seq
    finally:
        tracemalloc.stop()


@pytest.fixture
def session_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(far_texts, "HELD", 0)
    monkeypatch.setattr(graph, "MAX_AT_HAND", 64)
    return tmp_path / "rollout-2026-11-28T12-00-00-01a22225-ec91-75f2-a2de-3a17fbd06ca8.jsonl"


@pytest.mark.slow
@pytest.mark.parametrize("turns_a_compaction", [0, 5])
def test_what_is_held_grows_with_the_records(session_file: Path, turns_a_compaction: int) -> None:
    shape = Shape(turns_a_compaction)
    held_by(session_file, 2, shape)
    less, _ = held_by(session_file, 60, shape)
    more, _ = held_by(session_file, 120, shape)
    assert more < 2.2 * less, "lists and copies of a session grow with it"


@pytest.mark.slow
def test_what_is_held_does_not_depend_on_the_texts(session_file: Path) -> None:
    held_by(session_file, 2, Shape())
    short, records = held_by(session_file, 60, Shape(output_bytes=2000))
    long, same = held_by(session_file, 60, Shape(output_bytes=20_000))
    assert records == same
    # What is read at once has some texts in it.
    assert long - short < session_file.stat().st_size / 4
