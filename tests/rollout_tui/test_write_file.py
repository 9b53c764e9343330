"""The atomic writer: the whole new file or the old one, and nothing left behind."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from rollout_tui import write_file
from rollout_tui.write_file import is_device, write_atomically, write_to_device


def names(directory: Path) -> list[str]:
    return sorted(os.listdir(directory))


@pytest.fixture
def target(tmp_path: Path) -> Path:
    (tmp_path / "place").mkdir()
    return tmp_path / "place" / "state.json"


@pytest.mark.parametrize("data", [b"", b"{}", os.urandom(3_000_000)])
def test_the_bytes_are_written(target: Path, data: bytes) -> None:
    write_atomically(target, data)
    assert target.read_bytes() == data
    assert names(target.parent) == ["state.json"]


def test_an_old_file_is_replaced_by_a_new_one(target: Path) -> None:
    target.write_bytes(b"a much longer text than the new one")
    with open(target, "rb") as old:
        write_atomically(target, b"new")
        assert old.read() == b"a much longer text than the new one"
    assert target.read_bytes() == b"new"


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_the_umask_gives_the_permissions(target: Path, umask: int, mode: int) -> None:
    target.write_bytes(b"old")
    target.chmod(0o400)
    before = os.umask(umask)
    try:
        write_atomically(target, b"new")
    finally:
        os.umask(before)
    assert stat.S_IMODE(target.stat().st_mode) == mode


@pytest.mark.parametrize("failing", ["fsync", "rename"])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failure_leaves_the_old_file_and_nothing_else(
    target: Path, monkeypatch: pytest.MonkeyPatch, failing: str, error: BaseException
) -> None:
    target.write_bytes(b"old")

    def fail(*_arguments: object) -> None:
        raise error

    monkeypatch.setattr(os, failing, fail)
    with pytest.raises(type(error)):
        write_atomically(target, b"new")
    assert target.read_bytes() == b"old"
    assert names(target.parent) == ["state.json"]


def test_a_link_is_replaced_and_what_it_names_is_not_touched(target: Path) -> None:
    (target.parent / "elsewhere").write_bytes(b"mine")
    target.symlink_to("elsewhere")
    write_atomically(target, b"new")
    assert not target.is_symlink()
    assert target.read_bytes() == b"new"
    assert (target.parent / "elsewhere").read_bytes() == b"mine"


def test_a_directory_or_a_pipe_is_not_replaced(target: Path) -> None:
    target.mkdir()
    with pytest.raises(IsADirectoryError):
        write_atomically(target, b"new")
    target.rmdir()
    os.mkfifo(target)
    with pytest.raises(OSError, match="not a regular file"):
        write_atomically(target, b"new")
    assert names(target.parent) == ["state.json"]


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_atomically(tmp_path / "no" / "state.json", b"new")


def test_a_name_as_long_as_names_can_be(tmp_path: Path) -> None:
    write_atomically(tmp_path / ("n" * 255), b"new")
    assert names(tmp_path) == ["n" * 255]


def test_readers_see_the_old_or_the_new_file_at_any_time(target: Path) -> None:
    contents = {letter * 100_000 for letter in (b"a", b"b")}
    target.write_bytes(b"a" * 100_000)
    stop = threading.Event()
    seen: set[bytes] = set()

    def read() -> None:
        while not stop.is_set():
            seen.add(target.read_bytes())

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for _ in range(20):
            for data in contents:
                write_atomically(target, data)
    finally:
        stop.set()
        reader.join()
    assert seen <= contents


def test_what_is_a_device(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "link").symlink_to("/dev/null")
    os.mkfifo(tmp_path / "pipe")
    assert is_device(Path("/dev/null"))
    assert is_device(tmp_path / "pipe")
    for path in ("file", "link", "nothing", "."):
        assert not is_device(tmp_path / path)
    assert not is_device(Path("nul\0byte"))


def test_a_descriptor_under_dev_is_written_at_its_end(tmp_path: Path) -> None:
    with open(tmp_path / "file", "wb") as file:
        file.write(b"before ")
        file.flush()
        path = Path(f"/dev/fd/{file.fileno()}")
        assert is_device(path)
        write_to_device(path, b"after")
    assert (tmp_path / "file").read_bytes() == b"before after"


# Killed meanwhile

WRITER = """\
import os, sys, time
from pathlib import Path
from rollout_tui import write_file

def pieces():
    yield b"x" * 100_000
    print("writing", flush=True)
    time.sleep(600)

if sys.argv[2] == "named":
    write_file._open_unnamed = lambda directory: None
write_file.write_atomically(Path(sys.argv[1]), pieces())
"""


def start_writing(target: Path, way: str) -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, "-c", WRITER, target, way], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"writing\n"
    return process


def kill(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


def test_nothing_is_left_of_a_writer_that_is_killed(target: Path) -> None:
    target.write_bytes(b"old")
    if write_file._open_unnamed(target.parent) is None:
        pytest.skip("this file system has no files without a name")
    for _ in range(5):
        kill(start_writing(target, "unnamed"))
        assert names(target.parent) == ["state.json"]
    assert target.read_bytes() == b"old"


def test_where_files_have_names_the_next_write_removes_what_is_left(target: Path) -> None:
    kill(start_writing(target, "named"))
    assert len(names(target.parent)) == 1
    write_atomically(target, b"new")
    assert names(target.parent) == ["state.json"]


def test_what_another_program_is_writing_stays(target: Path) -> None:
    process = start_writing(target, "named")
    try:
        write_atomically(target, b"new")
        assert len(names(target.parent)) == 2
    finally:
        kill(process)
    write_atomically(target, b"newer")
    assert names(target.parent) == ["state.json"]


def test_only_our_temporary_files_are_removed(target: Path) -> None:
    beside = target.parent
    others = [
        ".rollout-tui-1.tmp",
        ".rollout-tui-0123456789abcdef.tmp.txt",
        "rollout-tui-0123456789abcdef.tmp",
    ]
    for name in others:
        (beside / name).write_bytes(b"")
    (beside / ".rollout-tui-0000000000000001.tmp").mkdir()
    os.mkfifo(beside / ".rollout-tui-0000000000000002.tmp")
    (beside / ".rollout-tui-0000000000000003.tmp").symlink_to(others[0])
    before = names(beside)
    write_atomically(target, b"new")
    assert names(beside) == sorted([*before, "state.json"])


@pytest.mark.parametrize("missing", ["O_TMPFILE", "link"])
def test_without_files_without_a_name_all_is_the_same(
    target: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    def fail(*_arguments: object, **_options: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    if missing == "O_TMPFILE":
        monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    else:
        monkeypatch.setattr(os, "link", fail)
    write_atomically(target, iter([b"one ", b"two"]))
    write_atomically(target, iter([b"three ", b"four"]))
    assert target.read_bytes() == b"three four"
    assert names(target.parent) == ["state.json"]
