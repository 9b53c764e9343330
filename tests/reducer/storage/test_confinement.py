"""Whatever is replaced by a link, and whenever: what is read of a bundle is the bundle's, or an error."""

from __future__ import annotations

import ast
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path
from threading import Event, Thread
from typing import Any

import orjson
import pytest
from bundle_builder import ROOT, BundleBuilder, Json
from places import REPOSITORY
from sharded_builder import ShardedBuilder

from reducer import Bundle, BundleError, UnreadablePayload, open_bundle, reduce_bundle, state_json
from reducer.check import check_bundle
from reducer.growing import GrowingReduction
from reducer.storage.confinement import BundleFolder, LeadsOut, NotAFile
from reducer.wire.payload_refs import PayloadRef, read_ref
from rollout_tui.bundles.summary import Summariser

SECRET = "stolen"
SYSTEM_CALLS = ("open", "stat", "fstat", "readlink", "listdir", "scandir", "readv", "pread")


def build(path: Path, schema: int, word: str) -> BundleBuilder:
    b: BundleBuilder = ShardedBuilder(path) if schema == 3 else BundleBuilder(path, schema=schema)
    metadata = {"agent_path": "/root", "nickname": word, "model": word, "cwd": f"/{word}"}
    ref = b.payload(metadata, "session_metadata")
    b.event("thread_started", thread_id=ROOT, agent_path="/root", metadata_payload=ref)
    b.event("protocol_event_observed", event_type=word, event_payload=b.payload({"message": word}))
    b.write()
    if schema < 3:  # one that only the bundle has, or only the other
        (path / "payloads" / f"{word}.json").write_bytes(b"{}" * len(word))
    return b


@pytest.fixture(params=[1, 2, 3])
def places(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, Path]:
    """A bundle, and beside it what must not be read: one of the same names with other texts."""
    for name, word in (("bundle", "own"), ("outside", SECRET)):
        build(tmp_path / name, request.param, word)
    return tmp_path / "bundle", tmp_path / "outside"


def payload_names(bundle: Path) -> list[str]:
    return sorted(f"payloads/{path.name}" for path in (bundle / "payloads").iterdir())


def replace_by_link(bundle: Path, outside: Path, name: str) -> None:
    """Put a link to what is outside in the place of something; what was there is kept."""
    kept = bundle.parent / "kept"
    if not kept.exists():
        os.rename(bundle / name, kept)
        os.symlink(outside / name, bundle / name)


def put_back(bundle: Path, name: str) -> None:
    kept = bundle.parent / "kept"
    if kept.exists():
        os.unlink(bundle / name)
        os.rename(kept, bundle / name)


def refs_of(bundle: Bundle) -> list[PayloadRef]:
    bodies = [orjson.loads(line.data)["payload"] for line in bundle.lines()]
    found = [body.get("metadata_payload") or body.get("event_payload") for body in bodies]
    return [ref for one in found if (ref := read_ref(one)) is not None]


# Readers: what is done beforehand, and gives what is read afterwards


def all_of_it(path: Path) -> Callable[[], bytes]:
    def read() -> bytes:
        bundle = open_bundle(path)
        said = bundle.read_manifest() + b"".join(line.data for line in bundle.lines())
        for ref in refs_of(bundle):
            with suppress(UnreadablePayload):
                said += bundle.read_payload(ref) + str(bundle.payloads.size(ref)).encode()
        return said

    return read


def payloads_of_an_inspector_that_stays_open(path: Path) -> Callable[[], bytes]:
    bundle = open_bundle(path)
    refs = refs_of(bundle)
    return lambda: b"".join(bundle.read_payload(ref) for ref in refs)


def a_log_that_is_followed(path: Path) -> Callable[[], bytes]:
    growing = GrowingReduction(open_bundle(path))
    growing.read_on(lambda: growing.lines >= 1)
    assert growing.has_more()

    def read() -> bytes:
        growing.read_on()
        growing.verify_payloads()
        reduction = growing.reduction()
        return (
            state_json(reduction.trace)
            + repr(reduction.problems).encode()
            + repr(growing.new_events()).encode()
        )

    return read


def reduced(path: Path) -> Callable[[], bytes]:
    def read() -> bytes:
        reduction = reduce_bundle(path)
        return state_json(reduction.trace) + repr(reduction.problems).encode()

    return read


def checked(path: Path) -> Callable[[], bytes]:
    return lambda: repr(check_bundle(path)).encode()


def listed(path: Path) -> Callable[[], bytes]:
    return lambda: repr(Summariser(path).summary()).encode()


def listed_again(path: Path) -> Callable[[], bytes]:
    summariser = Summariser(path)
    summariser.summary()
    return lambda: repr(summariser.summary()).encode()


Prepare = Callable[[Path], Callable[[], bytes]]
READERS: list[Prepare] = [
    all_of_it,
    payloads_of_an_inspector_that_stays_open,
    a_log_that_is_followed,
    reduced,
    checked,
    listed,
    listed_again,
]


class Interference:
    """Does something before the n-th call of the system, counted from where it begins.

    Attributes:
        calls: how many there were.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls = 0
        self._at: int | None = None
        self._act: Callable[[], None] = lambda: None
        for name in SYSTEM_CALLS:
            monkeypatch.setattr(os, name, self._counting(getattr(os, name)))

    def at(self, call: int, act: Callable[[], None]) -> None:
        self.calls, self._at, self._act = 0, call, act

    def stop(self) -> None:
        self._at = None

    def _counting(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            if self._at is not None:
                self.calls += 1
                if self.calls == self._at:
                    self._act()
            return real(*arguments, **options)

        return call


def targets(bundle: Path) -> list[str]:
    return ["payloads", "trace.jsonl", "manifest.json", *payload_names(bundle)]


@pytest.mark.slow
@pytest.mark.parametrize("prepare", READERS, ids=lambda prepare: prepare.__name__)
def test_a_swap_before_any_call_of_the_system_shows_nothing_from_outside(
    places: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, prepare: Prepare
) -> None:
    bundle, outside = places
    assert b"own" in prepare(bundle)()
    interference = Interference(monkeypatch)
    for name in targets(bundle):
        for call in count(1):
            read = prepare(bundle)
            interference.at(call, lambda name=name: replace_by_link(bundle, outside, name))  # type: ignore[misc]
            said = b""
            with suppress(BundleError, UnreadablePayload):
                said = read()
            interference.stop()
            swapped = (bundle.parent / "kept").exists()
            put_back(bundle, name)
            assert SECRET.encode() not in said, (name, call)
            if not swapped:
                break
        assert call > 5


def test_swaps_by_another_thread_show_nothing_from_outside(places: tuple[Path, Path]) -> None:
    bundle, outside = places
    ended, swaps = Event(), 0

    def swap() -> None:
        nonlocal swaps
        while not ended.is_set():
            name = names[swaps % len(names)]
            replace_by_link(bundle, outside, name)
            swaps += 1
            put_back(bundle, name)

    names = targets(bundle)
    thread = Thread(target=swap)
    thread.start()
    try:
        for _ in range(50):
            for prepare in (all_of_it, checked, listed):
                with suppress(BundleError, UnreadablePayload):
                    assert SECRET.encode() not in prepare(bundle)()
    finally:
        ended.set()
        thread.join()
    assert swaps  # how many hangs on how busy the machine is


@pytest.mark.parametrize("schema", [1, 2, 3])
def test_a_bundle_whose_directory_becomes_another_one_is_not_read_any_more(
    tmp_path: Path, schema: int
) -> None:
    path, outside = tmp_path / "bundle", tmp_path / "outside"
    for place, word in ((path, "own"), (outside, SECRET)):
        build(place, schema, word)
    bundle = open_bundle(path)
    refs = refs_of(bundle)
    path.rename(tmp_path / "away")
    path.symlink_to(outside)
    words = "another directory took the place of the bundle"
    with pytest.raises(BundleError, match=words):
        list(bundle.lines())
    for ref in refs:
        with pytest.raises(UnreadablePayload, match=words):
            bundle.read_payload(ref)
        assert bundle.payloads.size(ref) is None
    assert bundle.log_size() == 0
    assert bundle.log_identity() is None


# Ways


@pytest.fixture
def folder(tmp_path: Path) -> BundleFolder:
    """With a file at `a/b/file`, and one of the same name outside."""
    root = tmp_path / "root"
    (root / "a/b").mkdir(parents=True)
    (root / "a/b/file").write_text("inside")
    (tmp_path / "file").write_text(SECRET)
    (tmp_path / "alias").symlink_to("root")
    return BundleFolder(root)


INSIDE = {
    "plain": "a/b/file",
    "dots": "./a//b/./file",
    "up in a link": "b/../b/file",
    "link to a file": "link",
    "link with ups": "a/up",
    "absolute link": "absolute",
    "absolute link by another name": "renamed",
    "link to the bundle": "self/a/b/file",
    "link to a link": "chain",
}
OUTSIDE = {
    "up": "up",
    "up from below": "a/b/out",
    "absolute": "foreign",
    "absolute prefix": "sibling",
    "linked folder": "parent/file",
    "out and in again": "around",
    "missing": "nothing",
}


def put_links(root: Path) -> None:
    links: Json = {
        "b": "a/b",
        "link": "a/b/file",
        "a/up": "../a/b/../b/file",
        "absolute": root / "a/b/file",
        "renamed": root.parent / "alias/a/b/file",
        "self": root,
        "chain": "link",
        "up": "../file",
        "a/b/out": "../../../file",
        "foreign": root.parent / "file",
        "sibling": f"{root}x",
        "parent": "..",
        "around": "../root/a/b/file",
        "nothing": "../nothing",
    }
    for name, target in links.items():
        (root / name).symlink_to(target)
    Path(f"{root}x").write_text(SECRET)


def contents(folder: BundleFolder, path: str) -> str:
    descriptor, size = folder.open_file(path, follow=True)
    with open(descriptor) as file:
        assert size == folder.stat(path).st_size
        return file.read()


@pytest.mark.parametrize("kind", INSIDE)
def test_links_that_stay_in_the_bundle_are_followed_if_they_may_be(folder: BundleFolder, kind: str) -> None:
    put_links(folder.path)
    assert contents(folder, INSIDE[kind]) == "inside"
    if kind not in ("plain", "dots"):
        with pytest.raises(NotAFile, match="a symbolic link; it was not followed"):
            folder.open_file(INSIDE[kind], follow=False)


@pytest.mark.parametrize("kind", OUTSIDE)
def test_links_that_leave_the_bundle_are_not_followed(folder: BundleFolder, kind: str) -> None:
    put_links(folder.path)
    for look in (contents, BundleFolder.stat):
        with pytest.raises(LeadsOut):
            look(folder, OUTSIDE[kind])
    with pytest.raises(NotAFile):
        folder.open_file(OUTSIDE[kind], follow=False)


@pytest.mark.parametrize("path", ["loop", "loop/file", "ring", "deep"])
def test_links_in_a_circle_are_given_up(folder: BundleFolder, path: str) -> None:
    (folder.path / "loop").symlink_to("loop")
    (folder.path / "ring").symlink_to(folder.path / "ring")
    (folder.path / "deep").symlink_to("deep/deep")
    with pytest.raises(OSError, match="Too many levels of symbolic links"):
        folder.open_file(path, follow=True)


def test_names_and_sizes_are_those_of_a_folder_of_the_bundle(folder: BundleFolder, tmp_path: Path) -> None:
    put_links(folder.path)
    assert folder.names("a/b", follow=True) == folder.names("b", follow=True) == ["file", "out"]
    assert folder.names("missing", follow=True) == []
    assert folder.size_of_files("a/b") == len("inside")
    for name in ("b", "parent"):
        with pytest.raises(NotAFile, match=f"{name} is a symbolic link; it was not followed"):
            folder.names(name, follow=False)
        with pytest.raises(NotAFile):
            folder.size_of_files(name)
    with pytest.raises(LeadsOut):
        folder.names("parent", follow=True)


def test_no_descriptor_is_left_open(folder: BundleFolder) -> None:
    put_links(folder.path)
    os.mkfifo(folder.path / "fifo")
    (folder.path / "loop").symlink_to("loop")
    before = os.listdir("/proc/self/fd")
    for path in (*INSIDE.values(), *OUTSIDE.values(), "fifo", "loop", "missing/x", "a", "a/b/file/x"):
        for follow in (False, True):
            with suppress(OSError):
                os.close(folder.open_file(path, follow=follow)[0])
            with suppress(OSError):
                folder.names(path, follow=follow)
        with suppress(OSError):
            folder.stat(path)
        with suppress(OSError):
            folder.size_of_files(path)
    shutil.rmtree(folder.path)
    folder.path.mkdir()
    with suppress(OSError):
        folder.stat("a")
    assert os.listdir("/proc/self/fd") == before


# Nothing else opens anything


OPENERS = {
    "open",
    "read_text",
    "read_bytes",
    "listdir",
    "scandir",
    "iterdir",
    "glob",
    "rglob",
}

OTHERS_THAT_OPEN = {
    "reducer/recorder/append_only.py": "writes what it records",
    "reducer/sessions/convert.py": "reads what it has just recorded itself",
    "reducer/sessions/files.py": "lists folders of session files",
    "reducer/sessions/sources.py": "takes descriptors of the folder",
    "reducer/storage/bundle.py": "takes descriptors of the folder",
    "reducer/storage/confinement.py": "opens what is in a bundle",
    "rollout_tui/bundles/liveness.py": "reads /proc",
    "rollout_tui/bundles/session_files.py": "lists folders of session files",
    "rollout_tui/bundles/trace_root.py": "lists a trace root",
    "rollout_tui/bundles/what_is.py": "looks at what was named and is no bundle",
    "rollout_tui/commands/output.py": "opens the null device",
    "rollout_tui/commands/record.py": "lists a trace root",
    "rollout_tui/commands/results.py": "opens the terminal",
    "rollout_tui/commands/prices.py": "reads a file of prices that was named",
    "rollout_tui/completion.py": "reads and writes the start files of shells",
    "rollout_tui/default_root.py": "lists a trace root",
    "rollout_tui/recording/appearing.py": "lists a trace root",
    "rollout_tui/redaction/check.py": "reads the copy that was just written",
    "rollout_tui/redaction/copying.py": "writes the copy",
    "rollout_tui/redaction/unfinished.py": "makes a directory, and removes those that were left",
    "rollout_tui/reporting/redacted.py": "lists the copy that was just written",
    "rollout_tui/write_file.py": "writes where the user said",
}


def opens(path: Path) -> bool:
    calls = (node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))
    names = (getattr(function, "id", getattr(function, "attr", "")) for function in calls)
    return any(name in OPENERS for name in names)


def test_what_is_in_a_bundle_is_opened_in_one_place() -> None:
    sources = (path for name in ("reducer", "rollout_tui") for path in (REPOSITORY / name).rglob("*.py"))
    found = {path.relative_to(REPOSITORY).as_posix() for path in sources if opens(path)}
    assert found <= {*OTHERS_THAT_OPEN}
