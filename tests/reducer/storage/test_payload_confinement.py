from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bundle_builder import ROOT, BundleBuilder, file_ref

from reducer import BundleError, UnreadablePayload, open_bundle, reduce_bundle
from reducer.check import check_bundle

SECRET = b'{"agent_path":"/root/stolen","nickname":"stolen"}'


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret.json"
    path.write_bytes(SECRET)
    return path


@pytest.fixture
def b(tmp_path: Path, secret: Path) -> BundleBuilder:
    builder = BundleBuilder(tmp_path / "bundle")
    (builder.path / "payloads/good.json").write_bytes(b"{}")
    (builder.path / "out.json").symlink_to(secret)
    (builder.path / "payloads/outside").symlink_to(secret.parent)
    (builder.path / "loop.json").symlink_to("loop.json")
    (builder.path / "device").symlink_to("/dev/zero")
    os.mkfifo(builder.path / "fifo")
    return builder


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Where what `os.open` has opened really is."""
    paths: list[str] = []
    real = os.open

    def spy(path: Any, *arguments: Any, **options: Any) -> int:
        descriptor = real(path, *arguments, **options)
        paths.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        return descriptor

    monkeypatch.setattr(os, "open", spy)
    return paths


def escaping(secret: Path) -> dict[str, str]:
    return {
        "absolute": str(secret),
        "parent": "../secret.json",
        "parent inside": "payloads/../../secret.json",
        "parent and back": "../bundle/payloads/good.json",
        "harmless parent": "payloads/../payloads/good.json",
        "link": "out.json",
        "linked directory": "payloads/outside/secret.json",
        "device": "device",
        "absolute device": "/dev/zero",
        "NUL": "payloads/good.json\0",
        "slash": "/",
    }


FOLDERS = {"directory": "payloads", "empty": "", "the bundle": ".", "the bundle in other words": ".//."}
UNREADABLE = {
    **FOLDERS,
    "FIFO": "fifo",
    "loop": "loop.json",
    "missing": "payloads/missing.json",
    "below a file": "payloads/good.json/x",
    "too long": "x" * 5000,
}
NAMES = [*escaping(Path()), *UNREADABLE]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("interpreted", [True, False])
@pytest.mark.timeout(10)
def test_what_is_no_file_of_the_bundle_is_never_opened(
    b: BundleBuilder, secret: Path, opened: list[str], name: str, interpreted: bool
) -> None:
    path = {**escaping(secret), **UNREADABLE}[name]
    ref = {"raw_payload_id": "raw_payload:1", "kind": {"type": "session_metadata"}, "path": path}
    if interpreted:
        b.event("thread_started", thread_id=ROOT, agent_path="/root", metadata_payload=ref)
    else:
        b.event("protocol_event_observed", event_type="x", event_payload=ref)
    reduction = b.reduce()
    (problem,) = reduction.problems
    words = "its path leads out of the bundle; it was not opened"
    assert (words in problem.reason) is (name in escaping(secret))
    assert "raw_payload:1" in problem.reason
    if name in FOLDERS:
        verb = "parse" if interpreted else "read"
        assert problem.reference_says == f"{verb} payload raw_payload:1"
    assert problem.raw_payload_id == (None if interpreted else "raw_payload:1")
    assert problem.reason in b.refusal()
    assert_only_these_were_opened(b.path, opened, {"manifest.json", "trace.jsonl"})
    assert reduction.trace.threads == {}


def assert_only_these_were_opened(bundle: Path, opened: list[str], files: set[str]) -> None:
    """Nothing outside, no file but these, and of folders only those of payloads."""
    names = {os.path.relpath(one, os.path.realpath(bundle)) for one in opened}
    assert names - {".", "payloads"} == files


def test_links_that_stay_inside_are_followed(b: BundleBuilder) -> None:
    (b.path / "payloads/alias.json").symlink_to("good.json")
    (b.path / "folder").symlink_to("payloads")
    bundle = open_bundle(b.write())
    for path in ("payloads/alias.json", "folder/good.json", "./payloads//good.json"):
        assert bundle.read_payload(file_ref(path)) == b"{}"


def test_a_bundle_may_itself_be_reached_by_a_link(b: BundleBuilder, tmp_path: Path) -> None:
    b.write()
    (tmp_path / "alias").symlink_to(b.path)
    assert open_bundle(tmp_path / "alias").read_payload(file_ref("payloads/good.json")) == b"{}"


def test_a_file_that_becomes_a_fifo_is_not_waited_for(
    b: BundleBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = open_bundle(b.write())
    good, real = b.path / "payloads/good.json", os.open

    def swap(path: Any, *arguments: Any, **options: Any) -> int:
        good.unlink()
        os.mkfifo(good)
        return real(path, *arguments, **options)

    monkeypatch.setattr(os, "open", swap)
    with pytest.raises(UnreadablePayload, match="not a regular file"):
        bundle.read_payload(file_ref("payloads/good.json"))


def test_a_file_that_becomes_a_link_is_not_followed(
    b: BundleBuilder, secret: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = open_bundle(b.write())
    good, real = b.path / "payloads/good.json", os.open

    def swap(path: Any, *arguments: Any, **options: Any) -> int:
        good.unlink()
        good.symlink_to(secret)
        return real(path, *arguments, **options)

    monkeypatch.setattr(os, "open", swap)
    with pytest.raises(UnreadablePayload):
        bundle.read_payload(file_ref("payloads/good.json"))


def a_fifo(path: Path) -> None:
    os.mkfifo(path)


def a_directory(path: Path) -> None:
    path.mkdir()


def a_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def a_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (a_fifo, "not a regular file"),
        (a_directory, "a directory, not a file"),
        (a_device, "leads out of the bundle; it was not opened"),
        (a_socket, "not a regular file"),
    ],
)
@pytest.mark.parametrize("name", ["manifest.json", "trace.jsonl"])
@pytest.mark.timeout(10)
def test_manifest_and_log_are_files(
    tmp_path: Path, make: Callable[[Path], None], words: str, name: str
) -> None:
    path = BundleBuilder(tmp_path / "b").write()
    (path / name).unlink()
    make(path / name)
    with pytest.raises(BundleError, match=f"{name}: {words}"):
        reduce_bundle(path)


@pytest.mark.parametrize("name", ["manifest.json", "trace.jsonl"])
def test_manifest_and_log_are_of_the_bundle(tmp_path: Path, name: str) -> None:
    """A link is fine as long as it stays inside."""
    path = BundleBuilder(tmp_path / "b").write()
    (path / name).rename(path / "elsewhere")
    (path / name).symlink_to("elsewhere")
    assert reduce_bundle(path).problems == []
    (path / "elsewhere").rename(tmp_path / "outside")
    (path / name).unlink()
    (path / name).symlink_to(tmp_path / "outside")
    with pytest.raises(BundleError, match=f"{name}: leads out of the bundle; it was not opened"):
        reduce_bundle(path)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.timeout(10)
def test_check_opens_nothing_else(b: BundleBuilder, secret: Path, opened: list[str], name: str) -> None:
    path = {**escaping(secret), **UNREADABLE}[name]
    ref = {"raw_payload_id": "raw_payload:1", "kind": {"type": "session_metadata"}, "path": path}
    b.event("protocol_event_observed", event_type="x", event_payload=ref)
    report = check_bundle(b.write())
    assert [finding.severity for finding in report.section("payloads")][:1] == ["problem"]
    assert_only_these_were_opened(b.path, opened, {"manifest.json", "trace.jsonl"})
