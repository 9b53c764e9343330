"""A recording of schema 3 that is read while it is written, also between and inside its writes."""

from __future__ import annotations

import random
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from recorder_fixtures import only_bundle, record_everything, recorded_session

from reducer import Bundle, open_bundle, reduce_bundle, state_json
from reducer.growing import GrowingReduction
from reducer.recorder import TraceWriter
from reducer.reduce import Reduction


class Stage(NamedTuple):
    """Sizes of the files of a bundle after a line of its log was written, in bytes."""

    log: int
    shards: dict[str, int]


class Recording(NamedTuple):
    """A finished bundle, and its sizes after each line."""

    path: Path
    stages: list[Stage]


def sizes(path: Path) -> Stage:
    shards = sorted((path / "payloads").glob("*.zst"))
    return Stage((path / "trace.jsonl").stat().st_size, {file.name: file.stat().st_size for file in shards})


@pytest.fixture
def recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Recording:
    stages: list[Stage] = []
    append = TraceWriter.append

    def watched(writer: TraceWriter, *arguments: Any, **options: Any) -> bool:
        written = append(writer, *arguments, **options)
        stages.append(sizes(writer.directory))
        return written

    monkeypatch.setattr(TraceWriter, "append", watched)
    record_everything(recorded_session(tmp_path / "root"))
    path = only_bundle(tmp_path / "root")
    return Recording(path, stages)


class Follower:
    """A copy of a bundle that gets the bytes of the recording as they were written."""

    def __init__(self, recording: Recording, path: Path) -> None:
        self.recording = recording
        self.path = path
        (path / "payloads").mkdir(parents=True)
        shutil.copy(recording.path / "manifest.json", path)
        self.write("trace.jsonl", 0)

    def write(self, name: str, size: int) -> None:
        (self.path / name).write_bytes((self.recording.path / name).read_bytes()[:size])

    def reach(self, stage: Stage) -> None:
        """Write the shards, then the log, as far as they were then."""
        for name, size in stage.shards.items():
            self.write(f"payloads/{name}", size)
        self.grow_log(stage.log)

    def grow_log(self, size: int) -> None:
        """Add to the log; what is in it already stays, as for any reader of it."""
        whole = (self.recording.path / "trace.jsonl").read_bytes()
        with open(self.path / "trace.jsonl", "ab") as log:
            log.write(whole[log.tell() : size])

    def bundle(self) -> Bundle:
        return open_bundle(self.path)


def told(reduction: Reduction) -> tuple[bytes, list[str]]:
    return state_json(reduction.trace), [problem.reason for problem in reduction.problems]


@pytest.mark.slow
def test_after_each_line_it_is_what_strict_reduction_gives(recording: Recording, tmp_path: Path) -> None:
    follower = Follower(recording, tmp_path / "copy")
    growing = GrowingReduction(follower.bundle())
    assert len(recording.stages) > 90
    for stage in recording.stages:
        follower.reach(stage)
        growing.read_on()
        growing.verify_payloads()
        strict = reduce_bundle(follower.bundle(), strict=True)
        assert told(growing.reduction()) == (state_json(strict.trace), [])
    assert growing.reduction().trace.recording_status == "complete"


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_torn_blocks_between_two_lines_are_waited_for(
    recording: Recording, tmp_path: Path, seed: int
) -> None:
    """The shard is ahead of the log by any number of bytes, and looked at in every state."""
    chance = random.Random(seed)
    follower = Follower(recording, tmp_path / "copy")
    growing = GrowingReduction(follower.bundle())
    for before, stage in zip(recording.stages, recording.stages[1:], strict=False):
        for name, size in stage.shards.items():
            known = before.shards.get(name, 0)
            for part in sorted(chance.choices(range(known, size + 1), k=2)):
                follower.write(f"payloads/{name}", part)
                growing.read_on()
                growing.verify_payloads()
        follower.reach(stage)
        if chance.random() < 0.5:
            growing.read_on()
            assert growing.reduction().problems == []
    growing.read_on()
    growing.verify_payloads()
    assert told(growing.reduction()) == told(reduce_bundle(recording.path, strict=True))


@pytest.mark.parametrize("lost", [1, 7, 100])
def test_of_a_killed_recorder_all_complete_records_are_there(
    recording: Recording, tmp_path: Path, lost: int
) -> None:
    """The last block is torn, and the log has no line for it."""
    follower = Follower(recording, tmp_path / "copy")
    stage, after = next(
        (one, other)
        for one, other in zip(recording.stages[40:], recording.stages[41:], strict=False)
        if other.shards != one.shards
    )
    follower.reach(stage)
    for name, size in after.shards.items():
        follower.write(f"payloads/{name}", max(stage.shards.get(name, 0), size - lost))
    lenient, strict = reduce_bundle(follower.bundle()), reduce_bundle(follower.bundle(), strict=True)
    assert told(lenient) == (state_json(strict.trace), [])
    assert lenient.trace.recording_status == "unclosed"
    for ref in lenient.trace.raw_payloads.values():
        assert lenient.recording.read_payload(ref)


def test_a_shard_that_is_replaced_while_it_is_read_is_a_problem(recording: Recording, tmp_path: Path) -> None:
    follower = Follower(recording, tmp_path / "copy")
    growing = GrowingReduction(follower.bundle())
    follower.reach(recording.stages[60])
    growing.read_on()
    assert growing.reduction().problems == []
    for file in (follower.path / "payloads").iterdir():
        shutil.copy(file, follower.path / "other")
        (follower.path / "other").replace(file)
    for name in recording.stages[-1].shards:
        if name not in recording.stages[60].shards:
            follower.write(f"payloads/{name}", recording.stages[-1].shards[name])
    follower.grow_log(recording.stages[-1].log)
    growing.read_on()
    growing.verify_payloads()
    said = {problem.reason for problem in growing.reduction().problems}
    assert any("another file took its place" in reason for reason in said)
