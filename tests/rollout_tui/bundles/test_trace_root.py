"""Which bundle a path means."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from reducer import BundleError
from rollout_tui.bundles.trace_root import bundle_directory, bundles_under


def make_bundle(path: Path, started_at_unix_ms: int | None = None) -> Path:
    """A directory with a manifest; a broken one if it has no start."""
    path.mkdir()
    manifest = {
        "schema_version": 2,
        "trace_id": "t",
        "rollout_id": "r",
        "root_thread_id": "r",
        "started_at_unix_ms": started_at_unix_ms,
        "raw_event_log": "trace.jsonl",
        "payloads_dir": "payloads",
    }
    (path / "manifest.json").write_text(json.dumps(manifest))
    return path


def test_a_directory_is_itself_and_a_file_is_in_its_bundle(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "bundle", 1)
    (bundle / "payloads").mkdir()
    for path in (
        bundle,
        bundle / "manifest.json",
        bundle / "payloads/1.json",
        bundle / "payloads/000001.zst",
    ):
        path.touch()
        assert bundle_directory(path) == bundle


def test_a_bare_file_name_is_in_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(make_bundle(tmp_path / "bundle", 1))
    assert bundle_directory(Path("manifest.json")) == Path()


def test_a_file_elsewhere_is_refused_by_its_own_name(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("x")
    with pytest.raises(BundleError, match="notes: not a file of a trace bundle"):
        bundle_directory(tmp_path / "notes")


def test_a_path_to_nothing_is_given_back(tmp_path: Path) -> None:
    assert bundle_directory(tmp_path / "nothing") == tmp_path / "nothing"


def test_bundles_are_listed_newest_first_and_by_name_at_the_same_time(tmp_path: Path) -> None:
    for name, started in (("old", 1_000), ("new", 3_000), ("b", 2_000), ("a", 2_000)):
        make_bundle(tmp_path / name, started)
    assert [found.path.name for found in bundles_under(tmp_path)] == ["new", "a", "b", "old"]


def test_a_broken_manifest_counts_from_when_it_was_written(tmp_path: Path) -> None:
    make_bundle(tmp_path / "old", 1_000)
    make_bundle(tmp_path / "new", 3_000)
    broken = make_bundle(tmp_path / "broken")
    os.utime(broken / "manifest.json", (2, 2))
    assert [(found.path.name, found.started_at_unix_ms) for found in bundles_under(tmp_path)] == [
        ("new", 3_000),
        ("broken", 2_000),
        ("old", 1_000),
    ]


def test_what_is_no_bundle_is_not_listed(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("x")
    (tmp_path / "odd" / "manifest.json").mkdir(parents=True)
    assert bundles_under(tmp_path) == []


def test_a_linked_bundle_is_listed(tmp_path: Path) -> None:
    make_bundle(tmp_path / "real", 1_000)
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "link").symlink_to(tmp_path / "real")
    assert [found.path.name for found in bundles_under(tmp_path / "root")] == ["link"]
