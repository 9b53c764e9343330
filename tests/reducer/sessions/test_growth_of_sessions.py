"""A session that grows: read in steps it is what it is read at once, and no damage loses what is sound."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from session_builder import CHILD, ROOT, SessionWriter, plain_session

from reducer import state_json
from reducer.errors import LogChangedError
from reducer.sessions import SessionReader, SessionReduction, read_session, run, session_state_json, sources
from reducer.sessions.lines import Record, SessionLine, read_record
from reducer.sessions.state import written_graph

_SLOWLY = settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])


def values(session: SessionReduction) -> Any:
    """All that a session says, in a form that can be compared."""
    return (
        session_state_json(session),
        session.problems,
        msgspec.to_builtins([*session.provenance.events]),
        session.inherited,
        session.compaction_calls,
        msgspec.to_builtins(session.drift.unknown),
    )


def case_file(shared_dir: Path, name: str) -> Path:
    """The first file of a case of the corpus."""
    return sorted((shared_dir / "sessions" / name).rglob("rollout-*.jsonl"))[0]


CASES = (
    "everything",
    "compaction-local-0.140.0",
    "multi-turn",
    "sess-rollback-over-0.125.0",
    "odd-incomplete",
)


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
@_SLOWLY
@given(data=st.data())
def test_in_steps_as_at_once(name: str, shared_dir: Path, tmp_path: Path, data: st.DataObject) -> None:
    content = case_file(shared_dir, name).read_bytes()
    whole = tmp_path / "whole" / case_file(shared_dir, name).name
    grown = tmp_path / "grown" / case_file(shared_dir, name).name
    for file in (whole, grown):
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(content)
    cuts = sorted(data.draw(st.lists(st.integers(1, len(content) - 1), min_size=1, max_size=8)))
    grown.write_bytes(content[: cuts[0]])
    reader = SessionReader(grown)
    reader.read_on()
    kept = []
    for start, end in zip(cuts, [*cuts[1:], len(content)], strict=True):
        earlier = reader.reduction()
        kept.append((earlier, state_json(written_graph(earlier))))
        with grown.open("ab") as file:
            file.write(content[start:end])
        reader.read_on()
    assert not reader.has_more()
    assert reader.read_on(is_whole=True) == 0
    reader.verify_payloads()
    assert values(reader.reduction()) == values(read_session(whole))
    for earlier, then in kept:  # what was handed out has not changed
        assert state_json(written_graph(earlier)) == then


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
@_SLOWLY
@given(data=st.data())
def test_a_part_of_a_file_is_a_part_of_its_graph(
    name: str, shared_dir: Path, tmp_path: Path, data: st.DataObject
) -> None:
    content = case_file(shared_dir, name).read_bytes()
    file = tmp_path / case_file(shared_dir, name).name
    file.write_bytes(content)
    whole = read_session(file)
    file.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    part = read_session(file)
    for problem in part.problems:
        assert "ends in the middle" in problem.reason or problem.thread_id
    assert part.trace.codex_turns.keys() <= whole.trace.codex_turns.keys()
    assert part.trace.tool_calls.keys() <= whole.trace.tool_calls.keys()
    assert part.trace.code_cells.keys() <= whole.trace.code_cells.keys()
    assert part.trace.compactions.keys() <= whole.trace.compactions.keys()
    for item_id, item in part.trace.conversation_items.items():
        assert whole.trace.conversation_items[item_id].kind == item.kind
    for call_id, call in part.trace.inference_calls.items():
        later = whole.trace.inference_calls.get(call_id)
        # Only a compaction that comes later tells that its summary was none of the turn's calls.
        assert later is None or later.request_item_ids == call.request_item_ids


@pytest.mark.slow
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(junk=st.lists(st.tuples(st.integers(0, 13), st.binary(min_size=1, max_size=40)), max_size=5))
def test_lines_that_are_no_records_become_problems(junk: list[tuple[int, bytes]], tmp_path: Path) -> None:
    home = tmp_path / "home"
    lines = plain_session(home).path.read_bytes().splitlines(keepends=True)
    sound = read_session(next(home.rglob("rollout-*")))
    places = []
    for at, data in sorted(junk, key=lambda one: -one[0]):
        lines.insert(min(at + 1, len(lines)), data.replace(b"\n", b"x").replace(b"{", b"x") + b"\n")
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.startswith(b"{"):
            places.append(number)
    file = next(home.rglob("rollout-*"))
    file.write_bytes(b"".join(lines))
    session = read_session(file)
    found = [problem.line for problem in session.problems]
    assert set(found) <= set(places)
    # Bytes that are only white space of another alphabet are no record, and no fault.
    assert len(found) >= len([one for one in places if lines[one - 1].isascii() and lines[one - 1].strip()])
    assert all(problem.file == session.recording.files[0] for problem in session.problems)
    assert len(session.provenance.events) == len(sound.provenance.events)
    assert session.trace.inference_calls.keys() == sound.trace.inference_calls.keys()


_ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)


@pytest.mark.slow
@pytest.mark.parametrize("name", [*CASES, "agents-v1", "mcp-tools", "sess-upgrade-140"])
@_SLOWLY
@given(data=st.data())
def test_any_value_anywhere_is_survived(
    name: str, shared_dir: Path, tmp_path: Path, data: st.DataObject
) -> None:
    file = tmp_path / case_file(shared_dir, name).name
    lines = case_file(shared_dir, name).read_bytes().splitlines()
    for _ in range(6):
        at = data.draw(st.integers(0, len(lines) - 1))
        value = json.loads(lines[at])
        spot, keys = value, []
        while isinstance(spot, (dict, list)) and spot:
            keys = [*spot] if isinstance(spot, dict) else [*range(len(spot))]
            key = data.draw(st.sampled_from(keys))
            if not isinstance(spot[key], (dict, list)) or not spot[key] or data.draw(st.integers(0, 3)) == 0:
                spot[key] = data.draw(_ANYTHING)
                break
            spot = spot[key]
        lines[at] = json.dumps(value).encode()
    file.write_bytes(b"\n".join(lines))
    session = read_session(file)
    assert len(session.provenance.events) + len(session.problems) >= 1


def test_reading_can_stop_at_a_record_and_go_on(home: Path) -> None:
    writer = plain_session(home)
    reader = SessionReader(writer.path)
    steps = []
    while reader.has_more():
        steps.append(reader.read_on(lambda: True))
    assert set(steps) <= {0, 1}
    assert sum(steps) == len(writer.path.read_bytes().splitlines())
    assert values(reader.reduction()) == values(read_session(writer.path))


def test_what_is_new_is_told(home: Path) -> None:
    writer = plain_session(home)
    reader = SessionReader(writer.path)
    reader.read_on()
    reader.reduction()
    assert len(reader.new_events()) == reader.last_seq
    assert reader.new_events() == []
    assert {ref.type for ref in reader.changed()} >= {"InferenceCall", "ToolCall", "ConversationItem"}
    writer.start_turn(2)
    reader.read_on()
    assert not reader.changed()
    reader.reduction()
    assert {ref.id for ref in reader.changed() if ref.type == "Turn"} == {writer.turn}
    assert [event.kind for event in reader.new_events()] == ["event_msg task_started", "turn_context"]


def test_a_child_that_comes_later_is_found(home: Path) -> None:
    writer = plain_session(home)
    reader = SessionReader(writer.path)
    reader.read_on()
    assert not reader.find_more()
    child = SessionWriter(home, CHILD, at=5)
    child.meta(parent_thread_id=ROOT, source={"subagent": {"thread_spawn": {"parent_thread_id": ROOT}}})
    assert reader.find_more()
    reader.read_on()
    assert [*reader.reduction().trace.threads] == [ROOT, CHILD]


def test_a_torn_line_waits_and_is_told_in_the_end(home: Path) -> None:
    writer = plain_session(home)
    writer.raw(b'{"timestamp":"2026')
    reader = SessionReader(writer.path)
    reader.read_on()
    assert reader.reduction().problems == []
    reader.read_on(is_whole=True)
    [problem] = reader.reduction().problems
    assert "ends in the middle" in problem.reason
    assert problem.line == len(writer.path.read_bytes().splitlines())


def test_a_compressed_file_that_is_written_to_again(home: Path) -> None:
    writer = plain_session(home)
    packed = writer.path.with_name(writer.path.name + ".zst")
    content = writer.path.read_bytes()
    packed.write_bytes(zstandard.ZstdCompressor().compress(content))
    writer.path.unlink()
    reader = SessionReader(packed)
    reader.read_on()
    packed.unlink()
    writer.path.write_bytes(content)
    writer.start_turn(2)
    reader.read_on()
    session = reader.reduction()
    assert session.problems == []
    assert len(session.trace.codex_turns) == 2


def test_an_unfinished_frame_gives_what_it_has(home: Path) -> None:
    writer = plain_session(home)
    content = writer.path.read_bytes() + b" " * 300_000
    packed = writer.path.with_name(writer.path.name + ".zst")
    compressor = zstandard.ZstdCompressor(level=1).compressobj()
    data = compressor.compress(content) + compressor.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)
    packed.write_bytes(data)
    writer.path.unlink()
    session = read_session(packed)
    assert any("ends in the middle" in problem.reason for problem in session.problems)
    assert len(session.trace.inference_calls) == 2
    packed.write_bytes(b"no zstd at all")
    [problem] = read_session(packed).problems
    assert "cannot be decoded" in problem.reason


def test_the_line_behind_a_payload(home: Path) -> None:
    session = read_session(plain_session(home).path)
    tool = session.trace.tool_calls["call_1"]
    assert tool.raw_result_payload_id is not None
    ref = session.trace.raw_payloads[tool.raw_result_payload_id]
    line = json.loads(session.recording.read_payload(ref))
    assert line["payload"]["type"] == "function_call_output"
    assert ref.place.endswith(".jsonl:7")
    events = session.provenance.of("ToolCall", "call_1")
    assert [event.kind.partition(" ")[2] for event in events] == ["function_call", "function_call_output"]
    assert session.provenance.objects_of(events[0])


def test_each_line_is_read_once(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = []

    def counting(line: SessionLine) -> Record | None:
        read.append(line.number)
        return read_record(line)

    monkeypatch.setattr(run, "read_record", counting)
    writer = plain_session(home)
    reader = SessionReader(writer.path)
    for number in range(2, 8):
        reader.read_on()
        reader.reduction()
        writer.start_turn(number)
        writer.user("more")
        writer.end_turn()
    reader.read_on()
    assert read == [*range(1, len(writer.path.read_bytes().splitlines()) + 1)]


def test_a_line_that_is_too_long_is_cut(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = plain_session(home)
    number = len(writer.path.read_bytes().splitlines()) + 1
    with writer.path.open("ab") as file:
        file.write(b'{"type":"x","payload":{"a":"' + b"y" * 3_000_000 + b'"}}\n')
    writer.start_turn(2)
    monkeypatch.setattr(sources, "MAX_LINE_BYTES", 100_000)
    session = read_session(writer.path)
    [problem] = session.problems
    assert (problem.line, "not JSON" in problem.reason) == (number, True)
    assert len(session.trace.codex_turns) == 2
    event = session.provenance.of("Turn", writer.turn or "")[0]
    assert (event.line, event.offset) == (
        number + 1,
        writer.path.read_bytes().index(b'{"timestamp', 3_000_000),
    )


def test_a_file_that_was_cut_replaced_or_is_gone_is_not_followed_any_more(home: Path) -> None:
    for what in ("cut", "replaced", "gone"):
        writer = plain_session(home / what)
        reader = SessionReader(writer.path)
        reader.read_on()
        assert not reader.has_more()
        content = writer.path.read_bytes()
        if what == "cut":
            writer.path.write_bytes(content[:100])
        elif what == "replaced":
            other = writer.path.with_name("other")
            other.write_bytes(content + content)
            other.replace(writer.path)
        else:
            writer.path.unlink()
        with pytest.raises(LogChangedError):
            reader.has_more()


def test_a_file_that_is_compressed_meanwhile_is_the_same(home: Path) -> None:
    writer = plain_session(home)
    reader = SessionReader(writer.path)
    reader.read_on()
    before = reader.last_seq
    packed = writer.path.with_name(writer.path.name + ".zst")
    packed.write_bytes(sources.zstd.compress(writer.path.read_bytes()))
    writer.path.unlink()
    reader.has_more()
    reader.read_on()
    assert reader.last_seq == before
    assert reader.reduction().problems == []
