from __future__ import annotations

import os
import random
import tempfile
import tracemalloc
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shard_builder import HUGE, ends_of_blocks, frame, inflating, record, skippable, with_dictionary

from reducer.storage import shard as shard_module
from reducer.storage.shard import Shard

ONE = record("raw_payload:1", b'{"a":"' + b"ab" * 100 + b'"}')
TWO = record("raw_payload:2", b'["' + b"cd" * 100 + b'"]')
BOTH = ["raw_payload:1", "raw_payload:2"]


class Growing:
    """A shard and the file that it is read from."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.path.write_bytes(b"")
        self.shard = Shard(1, "bundle/payloads/000001.zst")

    def add(self, data: bytes) -> bool:
        with self.path.open("ab") as file:
            file.write(data)
        return self.look()

    def look(self) -> bool:
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            return self.shard.grow(descriptor)
        finally:
            os.close(descriptor)


@pytest.fixture
def growing(tmp_path: Path) -> Growing:
    return Growing(tmp_path / "000001.zst")


def said(shard: Shard) -> str | None:
    assert shard.fault is not None
    return shard.fault.reference_says


@pytest.mark.parametrize(
    "data",
    [
        frame(ONE, TWO),
        frame(ONE + TWO),
        frame(ONE, TWO, checksum=False),
        frame(ONE, TWO, content_size=True),
        frame(ONE, TWO, window_log=10),
        frame(ONE) + frame(TWO),
        frame(ONE[:5]) + frame(ONE[5:] + TWO[:20]) + frame(TWO[20:]),
        skippable() + frame(ONE) + skippable() + frame() + frame(TWO) + skippable(b""),
    ],
    ids=["blocks", "block", "no checksum", "size", "window", "frames", "split", "skippable"],
)
def test_a_shard_is_frames_and_what_they_decode_to_is_records(growing: Growing, data: bytes) -> None:
    assert growing.add(data)
    assert list(growing.shard.records) == BOTH
    assert growing.shard.records["raw_payload:2"] == TWO[-204:]
    assert growing.shard.is_finished
    assert growing.shard.fault is None
    assert growing.shard.read == len(data)
    assert growing.shard.decoded == len(ONE + TWO)


def test_ids_may_be_any_text_and_data_any_bytes(growing: Growing) -> None:
    growing.add(frame(record("", b""), record("\u00e9\0", b"\xff\0"), record("b", b"x"), record("a", b"y")))
    assert growing.shard.records == {"": b"", "\u00e9\0": b"\xff\0", "b": b"x", "a": b"y"}


@pytest.mark.parametrize(
    "data",
    [b"", frame(ONE, end=False), frame(ONE)[:-1], frame(ONE) + frame(TWO)[:3]],
    ids=["empty", "no end", "checksum", "magic"],
)
def test_a_shard_that_does_not_end_with_a_frame_is_not_finished_and_sound(
    growing: Growing, data: bytes
) -> None:
    growing.add(data)
    assert not growing.shard.is_finished
    assert growing.shard.fault is None


def test_a_shard_that_ends_inside_a_skippable_frame_is_not_finished(growing: Growing) -> None:
    growing.add(frame(ONE) + skippable()[:-2])
    assert not growing.shard.is_finished
    growing.add(skippable()[-2:])
    assert growing.shard.is_finished


@pytest.mark.parametrize(
    "more", [TWO[:-1], TWO[:4], record("x", b"", claims=HUGE), record("x", b"abc", claims=4)]
)
def test_an_incomplete_record_is_dropped_until_its_frame_ends(growing: Growing, more: bytes) -> None:
    whole = frame(ONE, more)
    torn = frame(ONE, more, end=False)
    growing.add(torn)
    assert list(growing.shard.records) == BOTH[:1]
    assert growing.shard.fault is None
    growing.add(whole[len(torn) :])
    assert list(growing.shard.records) == BOTH[:1]
    assert said(growing.shard) == "partial record in sealed shard 1"


def test_a_record_may_end_in_a_frame_that_comes_later(growing: Growing) -> None:
    growing.add(frame(ONE + TWO[:30]))
    assert growing.shard.fault is not None
    growing.add(frame(TWO[30:]))
    assert growing.shard.fault is None
    assert list(growing.shard.records) == BOTH


@pytest.mark.parametrize("again", [ONE, record("raw_payload:1", b"other")])
def test_an_id_may_stand_in_a_shard_only_once(growing: Growing, again: bytes) -> None:
    growing.add(frame(ONE, again, TWO, end=False))
    assert said(growing.shard) == "duplicate payload raw_payload:1 in shard 1"
    assert growing.shard.records["raw_payload:1"] == ONE[-208:]
    assert list(growing.shard.records) == BOTH


@pytest.mark.parametrize(
    ("name", "says"),
    [
        (b"\xff", "invalid utf-8 sequence of 1 bytes from index 0"),
        (b"ab\xed\xa0\x80", "invalid utf-8 sequence of 1 bytes from index 2"),
        (b"ab\xf0\x90\x28", "invalid utf-8 sequence of 2 bytes from index 2"),
        (b"ab\xe2\x82", "incomplete utf-8 byte sequence from index 2"),
    ],
)
def test_an_id_must_be_utf_8(growing: Growing, name: bytes, says: str) -> None:
    growing.add(frame(ONE, record(name, b"{}"), TWO))
    assert said(growing.shard) == says
    assert list(growing.shard.records) == BOTH


BAD_ID = record(b"\xff", b"{}")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (frame(ONE, BAD_ID, ONE), "invalid utf-8 sequence of 1 bytes from index 0"),
        (frame(ONE, ONE, BAD_ID), "duplicate payload raw_payload:1 in shard 1"),
        (frame(ONE, ONE, TWO[:-1]), "duplicate payload raw_payload:1 in shard 1"),
        (frame(ONE, ONE[:-1]), "partial record in sealed shard 1"),
        (frame(ONE, BAD_ID[:-1]), "partial record in sealed shard 1"),
        (frame(ONE, ONE) + b"junk", "decompress shard bundle/payloads/000001.zst"),
    ],
    ids=["id, twice", "twice, id", "twice, torn", "torn twice", "torn id", "twice, junk"],
)
def test_the_first_fault_counts_and_decoding_comes_before_records(
    growing: Growing, data: bytes, says: str
) -> None:
    growing.add(data)
    assert said(growing.shard) == says


def broken(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :]


WHOLE = frame(ONE, TWO)


@pytest.mark.parametrize(
    ("data", "reason", "given"),
    [
        (b"not zstd", "no zstd frame, at byte 0", 0),
        (ONE, "no zstd frame, at byte 0", 0),
        (WHOLE + b"\0", f"no zstd frame, at byte {len(WHOLE)}", 2),
        (broken(WHOLE, -1 % len(WHOLE)), "the checksum of a frame does not fit its contents", 2),
        (frame(ONE, TWO, window_log=24), "a frame wants a window of more than 8 MiB", 0),
        (with_dictionary(ONE), "a frame wants a dictionary", 0),
        (frame(ONE, TWO, end=False) + b"\xff" * 40, "damaged", 2),
        (WHOLE + frame(TWO, window_log=27), "a frame wants a window of more than 8 MiB", 2),
    ],
    ids=["text", "plain", "zeros", "checksum", "window", "dictionary", "block", "second"],
)
def test_what_cannot_be_decoded_is_a_fault_and_all_records_before_it_are_given(
    growing: Growing, data: bytes, reason: str, given: int
) -> None:
    growing.add(data)
    assert said(growing.shard) == "decompress shard bundle/payloads/000001.zst"
    assert growing.shard.fault is not None
    assert growing.shard.fault.reason.startswith(reason)
    assert list(growing.shard.records) == BOTH[:given]
    assert not growing.shard.is_finished
    assert not growing.add(frame(TWO))


@pytest.mark.slow
def test_records_before_damage_are_given_once_however_much_was_decoded_before(growing: Growing) -> None:
    noise = random.Random(1)
    records = [record(f"r{number}", noise.randbytes(3000)) for number in range(200)]
    data = frame(*records)
    ends = ends_of_blocks(records)
    assert len(data) > 4 * shard_module._STEP
    growing.add(data[: ends[150]] + b"\xff" * 10)
    assert list(growing.shard.records) == [f"r{number}" for number in range(151)]
    assert growing.shard.decoded == sum(map(len, records[:151]))
    assert growing.shard.fault is not None


def test_a_file_that_became_shorter_is_not_read_on(growing: Growing) -> None:
    growing.add(WHOLE)
    growing.path.write_bytes(WHOLE[:10])
    assert not growing.look()
    assert growing.shard.fault is not None
    assert growing.shard.fault.reason == "it became shorter while the bundle was read"
    assert said(growing.shard) is None
    assert list(growing.shard.records) == BOTH


def test_a_file_in_the_place_of_another_is_not_read_on(growing: Growing) -> None:
    growing.add(frame(ONE, end=False))
    other = growing.path.with_name("other")
    other.write_bytes(WHOLE)
    other.replace(growing.path)
    assert not growing.look()
    assert growing.shard.fault is not None
    assert growing.shard.fault.reason == "another file took its place while the bundle was read"
    assert list(growing.shard.records) == BOTH[:1]


LIMIT = 2**21


@pytest.fixture
def low_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shard_module, "MAX_SHARD_BYTES", LIMIT)


@pytest.mark.slow
@pytest.mark.parametrize(
    "beginning", [ONE + record("x", b"", claims=HUGE), ONE, ONE + record("x", b"", claims=2**32)]
)
def test_few_bytes_that_stand_for_gigabytes_take_no_more_than_the_limit(
    growing: Growing, low_limit: None, beginning: bytes
) -> None:
    bomb = inflating(beginning, 2**32)
    assert len(bomb) < 2**18
    tracemalloc.start()
    growing.add(bomb)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert growing.shard.fault is not None
    assert growing.shard.fault.reason == "holds more than 2 MiB, too much to be read"
    assert growing.shard.decoded <= LIMIT
    assert most < 3 * LIMIT
    assert "raw_payload:1" in growing.shard.records


def test_a_file_beyond_the_limit_is_not_read(growing: Growing, low_limit: None) -> None:
    with growing.path.open("wb") as file:
        file.write(skippable())
        file.truncate(2**40)
    assert not growing.look()
    assert growing.shard.fault is not None
    assert growing.shard.fault.reason == "larger than 2 MiB, too large to be read"


def test_too_many_records_are_not_read(growing: Growing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shard_module, "MAX_SHARD_RECORDS", 10)
    growing.add(frame(*(record(str(number), b"") for number in range(12))))
    assert growing.shard.fault is not None
    assert growing.shard.fault.reason == "more than 10 records, too many to be read"
    assert len(growing.shard.records) == 10


def test_too_many_frames_are_not_read(growing: Growing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shard_module, "MAX_SHARD_FRAMES", 10)
    growing.add(frame(ONE) + frame() * 9)
    assert growing.shard.fault is None
    growing.add(frame(TWO))
    assert growing.shard.fault is not None
    assert growing.shard.fault.reason == "more than 10 frames, too many to be read"
    assert list(growing.shard.records) == BOTH[:1]


def test_what_cannot_be_read_from_the_disk_is_a_fault(growing: Growing) -> None:
    descriptor = os.open(growing.path.parent, os.O_RDONLY)
    try:
        growing.shard.grow(descriptor)
    finally:
        os.close(descriptor)
    assert said(growing.shard) == "decompress shard bundle/payloads/000001.zst"


def test_a_finished_shard_takes_only_what_was_decoded_of_it(growing: Growing) -> None:
    growing.add(frame(ONE, TWO, end=False))
    unfinished = growing.shard.cost
    growing.add(WHOLE[growing.shard.read :])
    assert growing.shard.is_finished
    assert growing.shard.cost < unfinished


compressible = st.builds(
    lambda text, times: text * times, st.sampled_from([b"ab", b"xyz"]), st.integers(60, 400)
)
many_records = st.lists(compressible, min_size=1, max_size=12).map(
    lambda all_data: [record(f"raw_payload:{number}", data) for number, data in enumerate(all_data)]
)


def read_at_once(data: bytes) -> Shard:
    return read_in_steps(data, [])


def read_in_steps(data: bytes, cuts: list[int]) -> Shard:
    with tempfile.TemporaryDirectory() as folder:
        growing = Growing(Path(folder) / "000001.zst")
        for start, end in pairwise([0, *sorted(cuts), len(data)]):
            growing.add(data[start:end])
        return growing.shard


@pytest.mark.slow
@given(many_records, st.data())
def test_of_a_torn_shard_exactly_the_records_of_complete_blocks_are_there(
    records: list[bytes], data: st.DataObject
) -> None:
    whole = frame(*records)
    cut = data.draw(st.integers(0, len(whole) - 1))
    shard = read_at_once(whole[:cut])
    complete = sum(end <= cut for end in ends_of_blocks(records))
    assert list(shard.records) == [f"raw_payload:{number}" for number in range(complete)]
    assert shard.fault is None
    assert not shard.is_finished


@st.composite
def split_shards(draw: st.DrawFn) -> bytes:
    """Records spread over blocks and frames wherever it happens."""
    text = b"".join(draw(many_records))
    cuts = sorted(draw(st.sets(st.integers(1, len(text) - 1), max_size=8)))
    blocks = [text[start:end] for start, end in pairwise([0, *cuts, len(text)])]
    frames: list[list[bytes]] = [[]]
    for block in blocks:
        if draw(st.booleans()):
            frames.append([])
        frames[-1].append(block)
    extra = st.sampled_from([b"", skippable(), frame()])
    return b"".join(draw(extra) + frame(*some, checksum=draw(st.booleans())) for some in frames)


@pytest.mark.slow
@given(split_shards(), st.data())
def test_growing_in_steps_equals_reading_at_once(whole: bytes, data: st.DataObject) -> None:
    if data.draw(st.booleans()):
        whole = broken(whole, data.draw(st.integers(0, len(whole) - 1)))
    cuts = data.draw(st.lists(st.integers(0, len(whole)), max_size=10))
    stepwise, at_once = read_in_steps(whole, cuts), read_at_once(whole)
    assert stepwise.records == at_once.records
    assert stepwise.decoded == at_once.decoded
    assert stepwise.is_finished == at_once.is_finished
    assert stepwise.fault == at_once.fault


@pytest.mark.slow
@given(split_shards(), st.data())
def test_what_is_there_of_a_prefix_is_there_of_the_whole(whole: bytes, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(whole)))
    some, every = read_at_once(whole[:cut]), read_at_once(whole)
    assert list(every.records)[: len(some.records)] == list(some.records)
    assert some.records.items() <= every.records.items()
    assert some.read == cut


@given(st.binary(max_size=200))
def test_any_bytes_are_read_to_an_end(data: bytes) -> None:
    shard = read_at_once(frame(data))
    assert shard.decoded == len(data)
    assert sum(len(name.encode()) + len(found) + 10 for name, found in shard.records.items()) <= len(data)
