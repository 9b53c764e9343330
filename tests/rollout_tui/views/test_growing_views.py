"""Views of a log that is read piece by piece are those of a log that ends there, and stay what they are."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from growing_pieces import Pieces, told
from places import REPOSITORY

from reducer import BundleError, open_bundle

DEMOS = ("quickstart", "team", "capped", "hostile", "hostile-2", "schema-2", "schema-1")


def assert_pieces_are_the_whole(path: Path, seed: int) -> None:
    lines = (path / "trace.jsonl").read_bytes().count(b"\n") + 1
    chance = random.Random(seed)
    stops = sorted({chance.randint(0, lines) for _ in range(min(lines, 12))} | {lines})
    pieces, earlier = Pieces(path), []
    for stop in stops:
        view = pieces.read_to(stop)
        whole = [*told(*Pieces(path).read_to(stop))]
        assert [*told(*view)] == whole, f"after line {stop}"
        earlier.append((view, whole, stop))
    for view, whole, stop in earlier[:: max(1, len(earlier) // 3)]:
        assert [*told(*view)] == whole, f"the view after line {stop}, later"


@pytest.mark.slow
@pytest.mark.parametrize("demo", DEMOS)
@pytest.mark.parametrize("seed", range(3))
def test_of_demo_traces(demo: str, seed: int) -> None:
    assert_pieces_are_the_whole(REPOSITORY / "demo_traces" / demo, seed)


@pytest.mark.parametrize("demo", DEMOS)
def test_of_logs_out_of_order(demo: str, tmp_path: Path) -> None:
    """Numbers that go back are a problem of the log, not of those who look at it."""
    source = REPOSITORY / "demo_traces" / demo
    lines = (source / "trace.jsonl").read_bytes().splitlines(keepends=True)
    chance = random.Random(demo)
    for _ in range(12):
        place = chance.randrange(len(lines) - 8)
        lines[place : place + 8] = chance.sample(lines[place : place + 8], 8)
    (tmp_path / "manifest.json").write_bytes((source / "manifest.json").read_bytes())
    (tmp_path / "payloads").symlink_to(source / "payloads")
    (tmp_path / "trace.jsonl").write_bytes(b"".join(lines))
    assert_pieces_are_the_whole(tmp_path, 0)


def bundles(shared: Path) -> list[Path]:
    found = [
        path / "bundle"
        for group in ("vectors", "vectors-v1", "bundles", "bundles-v1")
        for path in sorted((shared / group).iterdir())
    ]
    return [path for path in found if _is_openable(path)]


def _is_openable(path: Path) -> bool:
    try:
        return open_bundle(path).log_size() > 0
    except BundleError:
        return False


@pytest.mark.slow
def test_of_vectors_and_recorded_bundles(shared_dir: Path) -> None:
    for seed, path in enumerate(bundles(shared_dir)):
        if (path / "trace.jsonl").stat().st_size < 300_000:
            assert_pieces_are_the_whole(path, seed)
