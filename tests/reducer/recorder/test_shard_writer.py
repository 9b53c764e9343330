"""Shards as the recorder writes them: their form, when a new one begins, and what failed writes leave."""

from __future__ import annotations

import errno
import os
import random
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from shard_reading import all_records, decoded, finished, records, shards

from reducer.recorder.shard_writer import FOOTER_BYTES, SHARD_BYTES, ShardWriter, packed_shard
from reducer.storage.shard import RECORD_HEADER


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    (tmp_path / "payloads").mkdir()
    return tmp_path


def noise(length: int, seed: int = 0) -> bytes:
    """Bytes that do not compress."""
    return random.Random(seed).randbytes(length)


def names(bundle: Path) -> list[list[str]]:
    """Ids of the records of each shard, without what they all begin with."""
    return [[name.removeprefix("p:") for name, _ in records(file)] for file in shards(bundle)]


def disk_size(bundle: Path) -> int:
    return sum(file.stat().st_size for file in shards(bundle))


@contextmanager
def disk_full_after(size: int) -> Iterator[None]:
    """No file grows beyond `size` bytes: the kernel takes the part that fits, then refuses."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def failing(call: Callable[..., int], when: Callable[[], bool]) -> Callable[..., int]:
    def maybe(*arguments: object) -> int:
        if when():
            raise OSError(errno.ENOSPC, "No space left on device")
        return call(*arguments)

    return maybe


def test_each_record_can_be_read_as_soon_as_it_is_written(bundle: Path) -> None:
    writer = ShardWriter(bundle)
    written = []
    for number, data in enumerate((b"{}", b"", noise(300_000), b"[1]" * 100), start=1):
        assert writer.append(f"p:{number}", "tool_result", data) == 1
        written.append((f"p:{number}", data))
        assert records(bundle / "payloads" / "000001.zst") == written
        assert finished(bundle) == [False]
    assert writer.close()
    assert records(bundle / "payloads" / "000001.zst") == written
    assert finished(bundle) == [True]


def test_a_frame_has_a_checksum_no_content_size_and_a_window_of_8_mib(bundle: Path) -> None:
    writer = ShardWriter(bundle)
    writer.append("p:1", "tool_result", b"{}")
    writer.close()
    frame = zstandard.get_frame_parameters(shards(bundle)[0].read_bytes())
    assert (frame.window_size, frame.content_size, frame.has_checksum, frame.dict_id) == (
        8 << 20,
        zstandard.CONTENTSIZE_UNKNOWN,
        True,
        0,
    )


def test_recorded_shards_are_written_again_to_the_same_bytes(shared_dir: Path, tmp_path: Path) -> None:
    bundles = [
        shared_dir / "bundles-v3" / name / "bundle" for name in ("images-many", "everything-ws", "long-200")
    ]
    for recorded in bundles:
        again = tmp_path / recorded.parent.name
        (again / "payloads").mkdir(parents=True)
        writer = ShardWriter(again)
        is_content = [records(file)[0][1].startswith(b'"') for file in shards(recorded)]
        for number, file in enumerate(shards(recorded), start=1):
            kind = "content_value" if is_content[number - 1] else "model_item"
            for name, data in records(file):
                assert writer.append(name, kind, data) == number
        assert writer.close()
        for file in shards(recorded):
            assert (again / "payloads" / file.name).read_bytes() == file.read_bytes(), file


def test_without_records_there_is_no_shard(bundle: Path) -> None:
    writer = ShardWriter(bundle)
    assert writer.close()
    assert shards(bundle) == []
    assert writer.size == 0


def test_values_from_contents_stand_in_shards_of_their_own(bundle: Path) -> None:
    writer = ShardWriter(bundle)
    kinds = ["protocol_event", "content_value", "content_value", "model_item", "tool_result", "content_value"]
    numbers = [writer.append(f"p:{number}", kind, b'""') for number, kind in enumerate(kinds, start=1)]
    assert numbers == [1, 2, 2, 3, 3, 4]
    assert finished(bundle) == [True, True, True, False]
    writer.close()
    assert names(bundle) == [["1"], ["2", "3"], ["4", "5"], ["6"]]


def test_a_shard_that_is_packed_at_once_has_the_same_bytes(bundle: Path) -> None:
    told = [("raw_payload:1", b'{"a":1}'), ("raw_payload:2", b""), ("raw_payload:3", b"x" * 70_000)]
    writer = ShardWriter(bundle)
    for name, data in told:
        writer.append(name, "tool_result", data)
    writer.close()
    assert packed_shard(told) == shards(bundle)[0].read_bytes()


def test_a_shard_ends_before_the_record_that_would_make_it_too_long(bundle: Path) -> None:
    writer = ShardWriter(bundle)
    head = RECORD_HEADER.size + len("p:1")
    exactly = SHARD_BYTES - 2 * head - 100
    assert [
        writer.append("p:1", "tool_result", b"x" * 100),
        writer.append("p:2", "tool_result", b"x" * exactly),
        writer.append("p:3", "tool_result", b""),
        writer.append("p:4", "tool_result", b"x" * (SHARD_BYTES - 2 * head + 1)),
        writer.append("p:5", "tool_result", b"x" * (SHARD_BYTES + 5)),
        writer.append("p:6", "tool_result", b""),
    ] == [1, 1, 2, 3, 4, 5]
    writer.close()
    assert len(decoded(shards(bundle)[0])[0]) == SHARD_BYTES
    assert names(bundle) == [["1", "2"], ["3"], ["4"], ["5"], ["6"]]


def test_a_shard_that_is_there_already_is_not_written_to(bundle: Path) -> None:
    (bundle / "payloads" / "000001.zst").write_bytes(b"another's")
    writer = ShardWriter(bundle)
    with pytest.raises(FileExistsError):
        writer.append("p:1", "tool_result", b"{}")
    assert (bundle / "payloads" / "000001.zst").read_bytes() == b"another's"


def test_a_killed_process_leaves_whole_records_without_a_footer(bundle: Path) -> None:
    program = (
        "import os, pathlib, signal, sys\n"
        "from reducer.recorder.shard_writer import ShardWriter\n"
        "writer = ShardWriter(pathlib.Path(sys.argv[1]))\n"
        "for number in range(1, 6): writer.append(f'p:{number}', 'tool_result', b'x' * 200_000 * number)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    died = subprocess.run([sys.executable, "-c", program, str(bundle)], timeout=60)
    assert died.returncode == -signal.SIGKILL
    assert records(shards(bundle)[0]) == [(f"p:{number}", b"x" * 200_000 * number) for number in range(1, 6)]
    assert finished(bundle) == [False]


# Room


def test_what_does_not_fit_is_left_out_and_what_is_small_enough_comes_after_it(bundle: Path) -> None:
    writer = ShardWriter(bundle)
    assert writer.append("p:1", "tool_result", noise(500), room=1000) == 1
    assert writer.append("p:2", "tool_result", noise(500), room=400) is None
    assert finished(bundle) == [True]
    assert writer.append("p:3", "tool_result", b"y" * 5000, room=400) == 2
    writer.close()
    assert names(bundle) == [["1"], ["3"]]
    assert finished(bundle) == [True, True]


@settings(deadline=None, max_examples=40)
@given(
    lengths=st.lists(st.tuples(st.integers(0, 3000), st.booleans()), max_size=12),
    limit=st.integers(0, 8000),
)
def test_shards_never_grow_beyond_the_room_they_have(
    tmp_path_factory: pytest.TempPathFactory, lengths: list[tuple[int, bool]], limit: int
) -> None:
    bundle = tmp_path_factory.mktemp("bundle")
    (bundle / "payloads").mkdir()
    writer = ShardWriter(bundle)
    kept = {}
    for number, (length, is_content) in enumerate(lengths):
        kind = "content_value" if is_content else "model_item"
        data = noise(length, number)
        shard = writer.append(f"p:{number}", kind, data, room=limit - writer.size)
        if shard is not None:
            kept[shard, f"p:{number}"] = data
    assert writer.close()
    assert all_records(bundle) == kept
    assert disk_size(bundle) == writer.size <= max(limit, 0)
    assert all(finished(bundle))


# Failures


def test_after_a_full_disk_the_shard_ends_with_its_last_whole_record(bundle: Path) -> None:
    writer = ShardWriter(bundle)
    writer.append("p:1", "tool_result", noise(1000))
    with disk_full_after(2000), pytest.raises(OSError, match="too large"):
        writer.append("p:2", "tool_result", noise(5000))
    assert finished(bundle) == [True]
    assert writer.append("p:3", "tool_result", b"{}") == 2
    assert writer.close()
    assert names(bundle) == [["1"], ["3"]]
    assert finished(bundle) == [True, True]
    assert disk_size(bundle) == writer.size


def test_a_shard_whose_first_record_fails_is_taken_back(bundle: Path) -> None:
    writer = ShardWriter(bundle)
    with disk_full_after(100), pytest.raises(OSError, match="too large"):
        writer.append("p:1", "tool_result", noise(5000))
    assert shards(bundle) == []
    assert writer.size == 0
    assert writer.append("p:2", "tool_result", b"{}") == 1
    assert writer.close()
    assert names(bundle) == [["2"]]


def test_no_shard_follows_one_that_cannot_be_finished(bundle: Path) -> None:
    writer = ShardWriter(bundle)
    writer.append("p:1", "tool_result", noise(1000))
    full = (bundle / "payloads" / "000001.zst").stat().st_size + FOOTER_BYTES - 1
    with disk_full_after(full):
        for kind in ("content_value", "tool_result"):
            with pytest.raises(OSError, match="too large"):
                writer.append("p:2", kind, b"{}")
        assert not writer.close()
        assert finished(bundle) == [False]
        assert names(bundle) == [["1"]]
    assert writer.append("p:3", "content_value", b'""') == 2
    assert writer.close()
    assert names(bundle) == [["1"], ["3"]]
    assert finished(bundle) == [True, True]


def test_a_torn_end_that_cannot_be_cut_off_is_cut_off_later(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = ShardWriter(bundle)
    writer.append("p:1", "tool_result", noise(1000))
    with monkeypatch.context() as patch:
        patch.setattr(os, "ftruncate", failing(os.ftruncate, lambda: True))  # type: ignore[arg-type]
        with disk_full_after(2000), pytest.raises(OSError, match="too large"):
            writer.append("p:2", "tool_result", noise(5000))
        assert shards(bundle)[0].stat().st_size == 2000
        with pytest.raises(OSError, match="No space"):
            writer.append("p:3", "tool_result", b"{}")
    assert writer.append("p:4", "tool_result", b"{}") == 2
    assert writer.close()
    assert names(bundle) == [["1"], ["4"]]


@settings(deadline=None, max_examples=60)
@given(
    steps=st.lists(
        st.tuples(st.integers(0, 40_000), st.sampled_from(["content_value", "model_item"]), st.booleans()),
        max_size=12,
    ),
    seed=st.integers(0, 1000),
)
def test_whatever_fails_what_was_kept_can_be_read(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, str, bool]], seed: int
) -> None:
    bundle = tmp_path_factory.mktemp("bundle")
    (bundle / "payloads").mkdir()
    writer = ShardWriter(bundle)
    kept = {}
    for number, (length, kind, fails) in enumerate(steps):
        data = noise(length, seed + number)
        limit = 20_000 if fails else 1 << 30
        with disk_full_after(limit):
            try:
                shard = writer.append(f"p:{number}", kind, data)
            except OSError:
                continue
        kept[shard, f"p:{number}"] = data
    assert writer.close()
    assert all_records(bundle) == kept
    assert all(finished(bundle))
    assert disk_size(bundle) == writer.size
