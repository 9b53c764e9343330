"""A log read piece by piece gives what it gives when it is read at once."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from bundle_builder import BundleBuilder, message
from scenes import everything
from sharded_builder import ShardedBuilder

from reducer import open_bundle, reduce_bundle, state_json
from reducer.errors import LogChangedError
from reducer.growing import GrowingReduction
from reducer.storage.payload_files import PayloadFiles


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return everything(tmp_path / "bundle").write()


def test_a_log_that_grows_byte_by_byte(bundle: Path) -> None:
    expected = reduce_bundle(bundle)
    log = bundle / "trace.jsonl"
    data = log.read_bytes()
    log.write_bytes(b"")
    growing = GrowingReduction(open_bundle(bundle))
    assert not growing.has_more()
    read = 0
    with log.open("ab") as stream:
        for start in range(0, len(data), 97):
            stream.write(data[start : start + 97])
            stream.flush()
            assert growing.has_more()
            read += growing.read_on()
            assert not growing.has_more()
            assert growing.offset + growing.torn_bytes == min(start + 97, len(data))
    assert read == growing.lines == data.count(b"\n")
    growing.verify_payloads()
    result = growing.reduction()
    assert state_json(result.trace) == state_json(expected.trace)
    assert result.problems == expected.problems
    assert result.provenance.events == expected.provenance.events


def test_what_was_handed_out_does_not_change(bundle: Path) -> None:
    growing = GrowingReduction(open_bundle(bundle))
    growing.read_on(lambda: growing.lines >= 20)
    early = growing.reduction()
    told = state_json(early.trace)
    growing.read_on()
    assert state_json(early.trace) == told
    assert growing.lines > 20


def test_as_of_any_line_it_is_the_graph_of_a_log_that_ends_there(bundle: Path) -> None:
    lines = (bundle / "trace.jsonl").read_bytes().splitlines(keepends=True)
    growing = GrowingReduction(open_bundle(bundle))
    shorter = bundle.with_name("shorter")
    shutil.copytree(bundle, shorter)
    for number in range(0, len(lines) + 1, 7):
        growing.read_on(lambda number=number: growing.lines >= number)
        (shorter / "trace.jsonl").write_bytes(b"".join(lines[:number]))
        assert state_json(growing.reduction().trace) == state_json(reduce_bundle(shorter).trace)


def test_a_torn_line_waits_for_its_end(tmp_path: Path) -> None:
    b = BundleBuilder(tmp_path / "bundle")
    b.thread()
    b.turn()
    whole = b.write()
    log = whole / "trace.jsonl"
    data = log.read_bytes()
    log.write_bytes(data[:-10])
    growing = GrowingReduction(open_bundle(whole))
    assert growing.read_on() == 1
    assert growing.torn_bytes > 0
    assert growing.reduction().problems == []
    assert growing.read_on() == 0
    log.write_bytes(data)
    assert growing.has_more()
    assert growing.read_on() == 1
    assert growing.torn_bytes == 0
    assert len(growing.reduction().trace.codex_turns) == 1


def test_a_torn_line_is_a_problem_when_nothing_will_be_added(tmp_path: Path) -> None:
    b = BundleBuilder(tmp_path / "bundle")
    b.thread()
    b.turn()
    path = b.write()
    log = path / "trace.jsonl"
    log.write_bytes(log.read_bytes()[:-10])
    growing = GrowingReduction(open_bundle(path))
    assert growing.read_on(is_whole=True) == 2
    (problem,) = growing.reduction().problems
    assert problem.line == 2


def test_a_log_that_was_cut_is_noticed(bundle: Path) -> None:
    growing = GrowingReduction(open_bundle(bundle))
    growing.read_on()
    with (bundle / "trace.jsonl").open("r+b") as stream:
        stream.truncate(100)
    with pytest.raises(LogChangedError, match="cut to 100 bytes"):
        growing.has_more()


def test_a_log_that_was_replaced_is_noticed(bundle: Path) -> None:
    growing = GrowingReduction(open_bundle(bundle))
    growing.read_on()
    log = bundle / "trace.jsonl"
    copy = bundle / "copy"
    copy.write_bytes(log.read_bytes() + b"\n")
    copy.rename(log)
    with pytest.raises(LogChangedError, match="another file"):
        growing.has_more()


def test_a_log_that_was_written_anew_is_noticed(bundle: Path) -> None:
    growing = GrowingReduction(open_bundle(bundle))
    growing.read_on()
    log = bundle / "trace.jsonl"
    data = log.read_bytes()
    with log.open("r+b") as stream:
        stream.write(data.replace(b'"seq":', b'"seq": ') + data)
    assert growing.has_more()
    with pytest.raises(LogChangedError, match="not what it was"):
        growing.read_on()


def test_what_follows_costs_by_new_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading on reads no payload twice."""
    b = BundleBuilder(tmp_path / "bundle")
    b.thread()
    b.turn()
    history = []
    for number in range(5):
        history.append(message(f"text {number}"))
        b.request(f"i{number}", history)
    path = b.write()
    bundle = open_bundle(path)
    read: list[str] = []
    once = PayloadFiles.pieces_at

    def counting(files: PayloadFiles, name: str) -> Iterator[memoryview]:
        read.append(name)
        return once(files, name)

    monkeypatch.setattr(PayloadFiles, "pieces_at", counting)
    growing = GrowingReduction(bundle)
    growing.read_on()
    count = len(read)
    b.request("i5", history)
    b.write()
    growing.read_on()
    assert len(read) == count + 1


@pytest.mark.slow
@pytest.mark.parametrize("schema", [2, 3])
def test_the_check_of_payloads_can_be_given_up_within_one(tmp_path: Path, schema: int) -> None:
    b = ShardedBuilder(tmp_path / "bundle") if schema == 3 else BundleBuilder(tmp_path / "bundle")
    b.thread()
    for data in (b"[" + b"1," * 5_000_000 + b"1]", b"[" + b"1," * 5_000_000 + b"]"):
        b.event("protocol_event_observed", event_type="x", event_payload=b.payload(data))
    growing = GrowingReduction(open_bundle(b.write()))
    growing.read_on()
    steps = 0

    def step() -> None:
        nonlocal steps
        steps += 1
        if steps == 5:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        growing.verify_payloads(step)
    assert growing.reduction().problems == []
    growing.verify_payloads(step)
    assert steps > 20
    assert [problem.raw_payload_id for problem in growing.reduction().problems] == ["raw_payload:2"]
