"""A snapshot is the graph of its moment, and stays so whatever comes after it."""

from __future__ import annotations

from pathlib import Path

import pytest
from places import REPOSITORY
from scenes import everything

from reducer import open_bundle, state_json
from reducer.replay import Replay
from reducer.snapshots import Snapshots


def assert_snapshots_equal_the_graph(path: Path) -> None:
    bundle = open_bundle(path)
    replay, snapshots = Replay(bundle), Snapshots()
    taken = []
    for line in bundle.lines():
        snapshots.note(replay.feed(line))
        graph = replay.graph()
        taken.append((snapshots.take(graph)[0], state_json(graph)))
        if len(taken) > 40:
            # Comparing every snapshot with every later state would be quadratic.
            snapshot, expected = taken.pop(0)
            assert state_json(snapshot) == expected
    for snapshot, expected in taken:
        assert state_json(snapshot) == expected


def test_of_everything(tmp_path: Path) -> None:
    assert_snapshots_equal_the_graph(everything(tmp_path / "bundle").write())


@pytest.mark.slow
@pytest.mark.parametrize("name", ["quickstart", "team", "capped", "hostile", "schema-2", "hostile-2"])
def test_of_demo_traces(name: str) -> None:
    assert_snapshots_equal_the_graph(REPOSITORY / "demo_traces" / name)


@pytest.mark.slow
def test_of_vectors(shared_dir: Path) -> None:
    for vector in sorted((shared_dir / "vectors").iterdir()):
        if (vector / "state.json").exists():
            assert_snapshots_equal_the_graph(vector / "bundle")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["multi-agent-v2", "code-mode", "compaction-remote", "background-terminal"])
def test_of_recorded_bundles(shared_dir: Path, name: str) -> None:
    assert_snapshots_equal_the_graph(shared_dir / "bundles" / name / "bundle")
