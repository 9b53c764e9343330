"""Nothing outside of a folder of sessions is opened for one, whatever its links and names say."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from session_builder import CHILD, ROOT, SessionWriter, plain_session

from reducer import BundleError, UnreadablePayload
from reducer.sessions import SessionReader, SessionRecording, read_session
from reducer.sessions.lines import LineRef
from reducer.wire.payload_refs import ShardedKind

SECRET = "the secret of another folder"


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A session in another home, which says a secret."""
    other = SessionWriter(tmp_path / "outside", CHILD)
    other.meta(parent_thread_id=ROOT)
    other.path.write_text(other.path.read_text().replace("/work", SECRET) + SECRET)
    return other.path


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Where regular files that `os.open` has opened really are."""
    paths: list[str] = []
    real = os.open

    def spy(path: Any, *arguments: Any, **options: Any) -> int:
        descriptor = real(path, *arguments, **options)
        paths.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        return descriptor

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", spy)
        yield paths


def no_file_outside(opened: list[str], home: Path) -> bool:
    here = os.path.realpath(home)
    return not [path for path in opened if os.path.isfile(path) and not path.startswith(f"{here}/")]


def test_links_to_files_and_folders_lead_nowhere(home: Path, outside: Path, opened: list[str]) -> None:
    mine = plain_session(home)
    (mine.path.parent / outside.name).symlink_to(outside)
    (home / "sessions/2027").symlink_to(outside.parents[2])
    (home / "archived_sessions").symlink_to(outside.parent)
    session = read_session(mine.path)
    assert session.recording.files == [str(mine.path.relative_to(home))]
    assert no_file_outside(opened, home)


def test_a_folder_that_becomes_a_link_is_not_entered(home: Path, outside: Path, opened: list[str]) -> None:
    mine = plain_session(home)
    recording = SessionRecording(mine.path)
    reader = SessionReader(recording)
    reader.read_on()
    day = mine.path.parent
    day.rename(home / "moved")
    day.symlink_to(outside.parent)
    outside.rename(outside.with_name(mine.path.name))
    with pytest.raises(BundleError):
        recording.read_line(0)
    with pytest.raises(BundleError):
        list(recording.lines())
    reader.read_on()
    assert not [one for one in reader.reduction().problems if SECRET in one.reason]
    assert no_file_outside(opened, home)


@pytest.mark.parametrize("file", ["../outside/secret", "/etc/hostname", "sessions/../../outside", ""])
def test_a_payload_names_no_file_outside(home: Path, tmp_path: Path, file: str, opened: list[str]) -> None:
    (tmp_path / "outside").mkdir(exist_ok=True)
    (tmp_path / "outside/secret").write_text(SECRET)
    recording = SessionRecording(plain_session(home).path)
    ref = LineRef("raw_payload:1", ShardedKind("model_item"), None, file, 1, 0)
    with suppress(UnreadablePayload):
        assert SECRET.encode() not in recording.read_payload(ref)
    assert no_file_outside(opened, home)


def test_what_is_where_codex_keeps_sessions_is_evidence(home: Path) -> None:
    mine = plain_session(home)
    recording = SessionRecording(mine.path)
    assert recording.state_path is None
    for path in (mine.path, mine.path.with_name("new.json"), home / "sessions", home / "archived_sessions/x"):
        assert recording.is_evidence(path), path
    (home / "elsewhere").symlink_to(mine.path)
    assert recording.is_evidence(home / "elsewhere")
    assert not recording.is_evidence(home / "state.json")


def test_a_compressed_file_is_read_forth_and_back(home: Path) -> None:
    from reducer.sessions.sources import zstd

    mine = plain_session(home)
    plain = mine.path.read_bytes()
    packed = mine.path.with_name(mine.path.name + ".zst")
    packed.write_bytes(zstd.compress(plain))
    mine.path.unlink()
    recording = SessionRecording(packed)
    events = read_session(recording).provenance.events
    lines = plain.splitlines()
    for event in (*events, *reversed(events), *events[::3]):
        assert recording.read_line(event.offset, event.file) == lines[event.line - 1]
    assert recording.read_line(len(plain) + 5) == b""


def test_a_line_that_came_later_is_read(home: Path) -> None:
    mine = plain_session(home)
    recording = SessionRecording(mine.path)
    end = mine.path.stat().st_size
    assert recording.read_line(end) == b""
    last = mine.path.read_bytes().splitlines()[-1]
    assert recording.read_line(end - len(last) - 1) == last
    assert recording.read_line(end) == b""
    mine.event("token_count", info=None)
    assert b"token_count" in recording.read_line(end)
