from __future__ import annotations

import os
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from shard_builder import (
    CUT,
    GONE,
    HUGE,
    fragments,
    frame,
    inflating,
    many_shards,
    record,
    ref,
    refusal,
    says,
    skippable,
    whole,
    with_records,
    write_shard,
)

from reducer.errors import UnreadablePayload
from reducer.storage import shard, shard_store
from reducer.storage.confinement import BundleFolder
from reducer.storage.shard_store import ShardStore, StoredRecord
from reducer.wire.payload_refs import COMPLETE, Capture, ShardedKind, ShardRef, shard_path


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    (tmp_path / "bundle").mkdir()
    return tmp_path / "bundle"


def test_a_payload_without_parts_is_its_record(bundle: Path) -> None:
    store = with_records(bundle, a=b'{"x": 1}')
    assert whole(store, ref("a")) == store.record(ref("a")) == store.own_json(ref("a")) == b'{"x": 1}'
    assert store.size(ref("a")) == 8


def test_the_shard_of_a_payload_is_found_by_its_number(bundle: Path) -> None:
    write_shard(bundle, 12, frame(record("a", b"twelve")))
    write_shard(bundle, 1234567, frame(record("a", b"million")))
    assert [path.name for path in sorted((bundle / "payloads").iterdir())] == ["000012.zst", "1234567.zst"]
    store = ShardStore(BundleFolder(bundle), strict=True)
    assert whole(store, ref("a", shard=12)) == b"twelve"
    assert whole(store, ref("a", shard=1234567)) == b"million"
    assert store.identity(ref("a", shard=12)) != store.identity(ref("a", shard=1234567))


def test_of_a_truncated_payload_its_record_is_given_even_if_it_has_parts(bundle: Path) -> None:
    store = with_records(bundle, cut=b'["a')
    one = ref("cut", ref("missing"), capture=CUT)
    assert whole(store, one) == store.own_json(one) == b'["a'


@pytest.mark.parametrize("number", [None, 1])
def test_an_omitted_payload_has_nothing_to_give(bundle: Path, number: int | None) -> None:
    store = with_records(bundle, a=b"{}")
    one = ref("a", shard=number, capture=GONE)
    error = refusal(store.pieces, one)
    assert str(error) == "left out by the recorder's size limit; it had 90,210 bytes"
    assert error.reference_says is None
    assert store.size(one) is None


@pytest.mark.parametrize("capture", [COMPLETE, CUT])
def test_without_a_shard_there_is_nothing_to_read(bundle: Path, capture: Capture) -> None:
    store = with_records(bundle, p=fragments("", ""))
    assert says(store, ref("a", shard=None, capture=capture)) == "payload omitted by size limit"
    assert says(store, ref("p", ref("a", shard=None))) == "payload omitted by size limit"


@pytest.mark.parametrize("end", [True, False])
def test_a_record_that_is_missing_is_named(bundle: Path, end: bool) -> None:
    write_shard(bundle, 1, frame(record("p", fragments("", "")), end=end))
    store = ShardStore(BundleFolder(bundle), strict=True)
    error = refusal(store.pieces, ref("a"))
    assert str(error) == "payloads/000001.zst holds no such record"
    assert error.reference_says == "missing payload a in shard 1"
    assert says(store, ref("p", ref("b"))) == "missing payload b in shard 1"


def test_equal_bytes_have_one_identity_whatever_the_kind(bundle: Path) -> None:
    store = ShardStore(BundleFolder(bundle), strict=True)
    other_kind = ShardRef("a", ShardedKind("tool_result"), 1)
    assert store.identity(ref("a")) == store.identity(other_kind) == store.identity(ref("a", capture=CUT))
    different = [
        ref("a"),
        ref("b"),
        ref("a", shard=2),
        ref("a", ref("b")),
        ref("a", ref("c")),
        ref("a", capture=GONE),
    ]
    assert len({store.identity(one) for one in different}) == len(different)


DAMAGED = frame(record("a", b"{}"), record("a", b"[]"), record("b", b"1"))


def test_strict_reading_refuses_all_of_a_shard_with_a_fault(bundle: Path) -> None:
    write_shard(bundle, 1, DAMAGED)
    error = refusal(ShardStore(BundleFolder(bundle), strict=True).pieces, ref("b"))
    assert str(error) == "payloads/000001.zst: it holds a twice"
    assert error.reference_says == "duplicate payload a in shard 1"


def test_lenient_reading_gives_what_is_sound_and_says_why_the_rest_is_missing(bundle: Path) -> None:
    write_shard(bundle, 1, DAMAGED)
    store = ShardStore(BundleFolder(bundle), strict=False)
    assert whole(store, ref("b")) == b"1"
    assert whole(store, ref("a")) == b"{}"
    assert says(store, ref("c")) == "duplicate payload a in shard 1"


def test_a_shard_that_is_not_there_is_named_as_the_bundle_was_given(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(bundle.parent)
    store = ShardStore(BundleFolder(Path("bundle")), strict=False)
    error = refusal(store.pieces, ref("a"))
    assert str(error) == "payloads/000001.zst: no such file or directory"
    assert error.reference_says == "open shard bundle/payloads/000001.zst"
    (bundle / "payloads").write_bytes(b"")
    assert says(store, ref("a")) == "open shard bundle/payloads/000001.zst"
    assert says(store, ref("a", shard=2**64 - 1)) == f"open shard bundle/payloads/{2**64 - 1}.zst"


def put_link(path: Path) -> None:
    target = path.parent.parent.parent / "outside.zst"
    target.write_bytes(frame(record("a", b"secret")))
    path.symlink_to(target)


def put_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        here = os.getcwd()
        os.chdir(path.parent)
        try:
            one.bind(path.name)
        finally:
            os.chdir(here)


@pytest.mark.parametrize(
    ("put", "reason", "said"),
    [
        (put_link, "a symbolic link; it was not followed", None),
        (lambda path: path.symlink_to("/dev/zero"), "a symbolic link; it was not followed", None),
        (lambda path: path.symlink_to(path.name), "a symbolic link; it was not followed", None),
        (os.mkfifo, "not a regular file; it was not read", None),
        (put_socket, "not a regular file; it was not read", None),
        (Path.mkdir, "a directory, not a file", "decompress shard {}/payloads/000001.zst"),
    ],
    ids=["link", "device", "loop", "fifo", "socket", "directory"],
)
@pytest.mark.parametrize("strict", [True, False])
def test_only_regular_files_of_the_bundle_are_read(
    bundle: Path, put: Callable[[Path], object], reason: str, said: str | None, strict: bool
) -> None:
    (bundle / "payloads").mkdir()
    put(bundle / shard_path(1))
    error = refusal(ShardStore(BundleFolder(bundle), strict).pieces, ref("a"))
    assert str(error) == f"payloads/000001.zst: {reason}"
    assert error.reference_says == (said and said.format(bundle))


def test_a_folder_that_is_a_link_is_not_followed(bundle: Path, tmp_path: Path) -> None:
    write_shard(tmp_path / "other", 1, frame(record("a", b"secret")))
    (bundle / "payloads").symlink_to(tmp_path / "other/payloads")
    store = ShardStore(BundleFolder(bundle), strict=False)
    error = refusal(store.pieces, ref("a"))
    assert str(error) == "payloads/000001.zst: payloads is a symbolic link; it was not followed"
    assert error.reference_says is None
    with pytest.raises(UnreadablePayload, match="payloads: payloads is a symbolic link"):
        store.shard_numbers()


def test_the_bundle_itself_may_be_reached_by_a_link(bundle: Path, tmp_path: Path) -> None:
    with_records(bundle, a=b"{}")
    (tmp_path / "link").symlink_to(bundle)
    assert whole(ShardStore(BundleFolder(tmp_path / "link"), strict=True), ref("a")) == b"{}"


def test_a_link_that_takes_the_place_of_a_file_is_not_followed_later(bundle: Path) -> None:
    store = with_records(bundle, False, a=b"{}")
    assert whole(store, ref("a")) == b"{}"
    (bundle / shard_path(1)).unlink()
    put_link(bundle / shard_path(1))
    store.refresh()
    assert whole(store, ref("a")) == b"{}"
    assert "a symbolic link; it was not followed" in str(refusal(store.pieces, ref("b")))


def test_what_is_added_is_seen_after_a_refresh_and_when_it_is_needed(bundle: Path) -> None:
    blocks = [record(name, name.encode()) for name in "abc"]
    write_shard(bundle, 1, frame(blocks[0], end=False))
    store = ShardStore(BundleFolder(bundle), strict=True)
    assert list(store.shard(1).records) == ["a"]
    write_shard(bundle, 1, frame(*blocks[:2], end=False))
    assert list(store.shard(1).records) == ["a"]
    assert whole(store, ref("b")) == b"b"
    write_shard(bundle, 1, frame(*blocks))
    assert not store.is_finished(1)
    store.refresh()
    assert store.is_finished(1)
    assert list(store.shard(1).records) == ["a", "b", "c"]


def test_a_shard_that_comes_later_is_found(bundle: Path) -> None:
    store = ShardStore(BundleFolder(bundle), strict=True)
    assert says(store, ref("a")) == f"open shard {bundle}/payloads/000001.zst"
    with_records(bundle, a=b"{}")
    assert whole(store, ref("a")) == b"{}"


def test_a_shard_that_disappears_keeps_what_was_read_of_it(bundle: Path) -> None:
    store = with_records(bundle, False, a=b"{}")
    assert whole(store, ref("a")) == b"{}"
    (bundle / shard_path(1)).unlink()
    store.refresh()
    assert whole(store, ref("a")) == b"{}"
    fault = store.fault(1)
    assert fault is not None
    assert fault.reason.endswith("no such file or directory; it was there before")


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The shards that were opened, in order."""
    names: list[str] = []
    original = BundleFolder.open_file

    def noting(folder: BundleFolder, path: str, *, follow: bool) -> tuple[int, int]:
        names.append(path.removeprefix("payloads/"))
        return original(folder, path, follow=follow)

    monkeypatch.setattr(BundleFolder, "open_file", noting)
    return names


def test_shards_that_were_not_used_for_long_are_forgotten_and_read_again(
    bundle: Path, monkeypatch: pytest.MonkeyPatch, opened: list[str]
) -> None:
    many_shards(bundle, 3, 2**20)
    monkeypatch.setattr(shard_store, "MAX_DECODED_BYTES", 5 * 2**19)
    store = ShardStore(BundleFolder(bundle), strict=True)
    forgotten: list[int] = []
    store.before_eviction = lambda shard: forgotten.append(shard.number if shard.records else 0)
    for number in (1, 2, 1, 3, 1, 2):
        assert whole(store, ref("b", shard=number)) == b"%d" % number
    assert forgotten == [2, 3]
    assert opened == ["000001.zst", "000002.zst", "000003.zst", "000002.zst"]


def test_the_shard_that_was_used_last_stays_however_large_it_is(
    bundle: Path, monkeypatch: pytest.MonkeyPatch, opened: list[str]
) -> None:
    many_shards(bundle, 1, 2**20)
    monkeypatch.setattr(shard_store, "MAX_DECODED_BYTES", 2**10)
    store = ShardStore(BundleFolder(bundle), strict=True)
    for _ in range(3):
        assert store.size(ref("a")) == 2**20
    assert opened == ["000001.zst"]


def test_no_shard_is_decoded_twice_for_one_payload(
    bundle: Path, monkeypatch: pytest.MonkeyPatch, opened: list[str]
) -> None:
    many_shards(bundle, 3, 2**20)
    write_shard(bundle, 4, frame(record("p", fragments(*"(" + "," * 299 + ")"))))
    monkeypatch.setattr(shard_store, "MAX_DECODED_BYTES", 2**20)
    parts = [ref("b", shard=number % 3 + 1) for number in range(300)]
    assert whole(ShardStore(BundleFolder(bundle), strict=True), ref("p", *parts, shard=4))[:7] == b"(1,2,3,"
    assert sorted(opened) == [f"{number:06}.zst" for number in (1, 2, 3, 4)]


def test_empty_shards_take_memory_too(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(1, 40):
        write_shard(bundle, number, skippable())
    monkeypatch.setattr(shard_store, "MAX_DECODED_BYTES", 2**21)
    store = ShardStore(BundleFolder(bundle), strict=True)
    forgotten: list[int] = []
    store.before_eviction = lambda shard: forgotten.append(shard.number)
    for number in range(1, 40):
        store.shard(number)
    assert forgotten == list(range(1, 24))


def test_what_stands_among_the_shards_is_listed(bundle: Path) -> None:
    store = ShardStore(BundleFolder(bundle), strict=True)
    assert store.shard_numbers() == store.other_names() == []
    for number in (1234567, 12, 1):
        write_shard(bundle, number, b"")
    odd = ["1.zst", "0000001.zst", "000002.zst.tmp", "000003.ZST", "١٢٣٤٥٦.zst", "7.json", "000008"]
    for name in odd:
        (bundle / "payloads" / name).write_bytes(b"")
    assert store.shard_numbers() == [1, 12, 1234567]
    assert store.other_names() == sorted(odd)


def test_records_that_nothing_refers_to_are_listed(bundle: Path) -> None:
    write_shard(bundle, 1, frame(record("a", b"{}"), record("b", b"[1]")))
    write_shard(bundle, 2, frame(record("a", b"2")) + b"junk")
    (bundle / shard_path(3)).mkdir()
    store = ShardStore(BundleFolder(bundle), strict=True)
    found = list(store.unreferenced({1: {"a", "c"}, 7: {"b"}}))
    assert found == [StoredRecord(1, "b", 3), StoredRecord(2, "a", 1)]


def test_threads_may_read_at_the_same_time(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    many_shards(bundle, 4, 2**18)
    monkeypatch.setattr(shard_store, "MAX_DECODED_BYTES", 2**20)
    store = ShardStore(BundleFolder(bundle), strict=True)

    def read(number: int) -> bytes:
        if number % 7 == 0:
            store.refresh()
        return whole(store, ref("b", shard=number % 4 + 1))

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(read, range(200))) == [b"%d" % (number % 4 + 1) for number in range(200)]


def test_a_bomb_is_a_problem_of_its_shard_only(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shard, "MAX_SHARD_BYTES", 2**23)
    write_shard(bundle, 1, inflating(record("a", b"{}") + record("b", b"", claims=HUGE), 2**32))
    store = ShardStore(BundleFolder(bundle), strict=False)
    assert whole(store, ref("a")) == b"{}"
    assert (
        str(refusal(store.pieces, ref("b")))
        == "payloads/000001.zst: holds more than 8 MiB, too much to be read"
    )
    assert says(ShardStore(BundleFolder(bundle), strict=True), ref("a")) is None
