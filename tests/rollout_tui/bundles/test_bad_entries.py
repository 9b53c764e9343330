"""A trace root with entries that cannot be read: each is listed as what it is, and none hides the others."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event

import pytest
from nobody import as_nobody
from patience import STAYS
from picking import picking
from written_bundles import Recording

from rollout_tui.bundles import root as root_module
from rollout_tui.bundles.bundle_shelf import ShelvedBundle
from rollout_tui.bundles.listing import ListedRun
from rollout_tui.bundles.root import RunList
from rollout_tui.bundles.summary import BundleSummary
from rollout_tui.bundles.trace_root import bundles_under, only_bundle


@pytest.fixture
def root() -> Iterator[Path]:
    """A trace root that every user may enter, with one sound bundle."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory)
        path.chmod(0o755)
        record(path, "good")
        yield path
        for entry in path.iterdir():
            if not entry.is_symlink() and entry.is_dir():
                entry.chmod(0o700)


def record(root: Path, name: str) -> Path:
    recording = Recording(root, name, started=1, thread=name)
    recording.begin()
    recording.call([f"instruction of {name}"])
    return recording.path


def loop(path: Path) -> None:
    path.symlink_to(path.name)


def barred_directory(path: Path) -> None:
    record(path.parent, path.name).chmod(0)


def barred_log(path: Path) -> None:
    (record(path.parent, path.name) / "trace.jsonl").chmod(0)


def barred_manifest(path: Path) -> None:
    (record(path.parent, path.name) / "manifest.json").chmod(0)


def directory_for_a_log(path: Path) -> None:
    log = record(path.parent, path.name) / "trace.jsonl"
    log.unlink()
    log.mkdir()


def loop_for_a_log(path: Path) -> None:
    log = record(path.parent, path.name) / "trace.jsonl"
    log.unlink()
    log.symlink_to("trace.jsonl")


def loop_for_a_manifest(path: Path) -> None:
    path.mkdir()
    (path / "manifest.json").symlink_to("manifest.json")


BAD: dict[str, tuple[Callable[[Path], None], str]] = {
    "loop": (loop, "symbolic link"),
    "barred directory": (barred_directory, "ermission denied"),
    "barred log": (barred_log, "ermission denied"),
    "barred manifest": (barred_manifest, "ermission denied"),
    "directory for a log": (directory_for_a_log, "a directory, not a file"),
    "loop for a log": (loop_for_a_log, "too many levels of symbolic links"),
    "loop for a manifest": (loop_for_a_manifest, "symbolic link"),
}


def look(trace_root: RunList) -> dict[str, BundleSummary]:
    with as_nobody():
        return {one.summary.path.name: one.summary for one in trace_root.look()}


@pytest.mark.parametrize("kind", BAD)
def test_it_is_listed_as_unusable_with_the_reason_beside_the_others(root: Path, kind: str) -> None:
    make, reason = BAD[kind]
    make(root / "bad")
    found = look(RunList(root))
    assert sorted(found) == ["bad", "good"]
    assert found["good"].calls == 1
    assert found["bad"].status == "unusable"
    assert reason in (found["bad"].problem or "")


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_entry_does_not_hide_the_bundle_beside_it(root: Path, kind: str) -> None:
    BAD[kind][0](root / "bad")
    with as_nobody():
        assert root / "good" in [found.path for found in bundles_under(root)]


@pytest.mark.parametrize("kind", ["loop", "barred directory"])
def test_what_nobody_knows_to_be_a_bundle_is_none_to_open(root: Path, kind: str) -> None:
    BAD[kind][0](root / "bad")
    with as_nobody():
        assert only_bundle(root) == root / "good"


@pytest.mark.parametrize("name", ["", "trace.jsonl", "manifest.json"])
def test_it_is_usable_once_it_can_be_read(root: Path, name: str) -> None:
    bundle = record(root, "bad")
    mode = (bundle / name).stat().st_mode
    (bundle / name).chmod(0)
    trace_root = RunList(root)
    assert look(trace_root)["bad"].status == "unusable"
    (bundle / name).chmod(mode | 0o005)
    assert look(trace_root)["bad"].calls == 1
    (bundle / name).chmod(0)


def test_other_things_in_a_trace_root_are_not_listed(root: Path) -> None:
    (root / "file").write_text("x")
    (root / "dangling").symlink_to("nothing")
    (root / "directory").mkdir()
    os.mkfifo(root / "pipe")
    (root / "odd").mkdir()
    os.mkfifo(root / "odd/manifest.json")
    assert list(look(RunList(root))) == ["good"]


# A look that takes long


def test_what_is_known_is_published_before_all_is_read_newest_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(root_module, "FIRST_PUBLISHED", 0.0)
    for number in range(20):
        bundle = record(tmp_path, f"b{number}")
        os.utime(bundle / "manifest.json", (number, number))
    published: list[list[ListedRun]] = []
    whole = RunList(tmp_path).look(publish=published.append)
    assert len(whole) == 20
    assert [one.summary.path.name for one in published[0]] == ["b19"]
    known = [[one.summary.path.name for one in some] for some in published]
    assert [len(names) for names in known[:20]] == [*range(1, 21)], "first whose they are"
    assert all(one.summary.status == "reading" for some in published[:20] for one in some)
    read = [[one.summary.path.name for one in some if one.summary.status != "reading"] for some in published]
    assert read[20] == ["b19"], "then the rest, also the newest first"
    assert [len(names) for names in read[20:]] == [*range(1, 21)]


async def test_the_picker_shows_the_first_rows_while_the_rest_is_read(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(root, "older")
    os.utime(root / "older/manifest.json", (1, 1))
    monkeypatch.setattr(root_module, "FIRST_PUBLISHED", 0.0)
    held, read = Event(), ShelvedBundle.read

    def slow(bundle: ShelvedBundle) -> None:
        if bundle.directory.name == "older":
            held.wait(STAYS)
        read(bundle)

    monkeypatch.setattr(ShelvedBundle, "read", slow)
    async with picking(root, is_whole=False) as at:
        await at.until("instruction of good")
        assert "instruction of older" not in at.screen
        assert "reading" in at.screen
        held.set()
        await at.until("instruction of older")
        await at.until("2 bundles")
