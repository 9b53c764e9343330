"""The hostile demo traces attack what they should, and nothing of them leads outside."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from demo_reading import (
    DEMOS,
    HOSTILE,
    all_references,
    decoded,
    plain,
    references,
    strings,
    texts_by_key,
)
from shard_reading import records

from reducer import reduce_bundle
from reducer.errors import UnreadablePayload
from reducer.limits import MAX_PAYLOAD_BYTES, MAX_SHARD_BYTES
from reducer.storage.bundle import open_bundle
from reducer.wire.payload_refs import FileRef, Omitted, PayloadKind, ShardRef, Truncated

from demo_traces.attacks import EVERYTHING  # isort: skip
from demo_traces.forged_files import ESCAPING_PATHS  # isort: skip
from demo_traces.forged_files import LINKS as LINKED_FILES  # isort: skip
from demo_traces.forged_shards import BLOCK, BOMB_BLOCKS  # isort: skip
from demo_traces.forged_shards import LINKS as LINKED_SHARDS  # isort: skip
from demo_traces.forgery import BAD_JSON  # isort: skip

RECORDED_EVENTS = {"hostile": 90, "hostile-2": 39}
"""How many events of a bundle the recorder wrote; all others are forged."""


def recorded_payloads(demo: str) -> Iterator[bytes]:
    """The payloads that the recorder wrote."""
    for file in sorted((DEMOS / demo / "payloads").iterdir()):
        if file.name[:1] in "123456789":
            yield file.read_bytes()
        elif file.name in ("000001.zst", "000002.zst", "000003.zst"):
            yield from (data for _, data in records(file))


@pytest.mark.parametrize("demo", HOSTILE)
def test_a_hostile_bundle_opens_and_most_of_it_is_sound(demo: str) -> None:
    found, bad = decoded(demo)
    count = RECORDED_EVENTS[demo]
    assert [event.seq for event in found[:count]] == list(range(1, count + 1))
    assert found[count - 1].payload.name_of_type == "rollout_ended"
    # Four lines are no events; in schema 3 two more have references that are none, and one nests too deep.
    assert bad == (7 if demo == "hostile" else 4)
    assert len(found) > count + 40


@pytest.mark.parametrize("demo", HOSTILE)
def test_every_attack_is_somewhere_in_events_and_in_payloads(demo: str) -> None:
    logged = "".join(map(repr, strings([plain(event) for event in decoded(demo)[0]])))
    kept = "".join(repr(text) for data in recorded_payloads(demo) for text in strings(json.loads(data)))
    for attack in EVERYTHING:
        assert repr(attack)[1:-1] in logged, attack
        assert repr(attack)[1:-1] in kept, attack


@pytest.mark.parametrize("demo", HOSTILE)
def test_a_hostile_bundle_has_an_attack_in_every_free_text_of_its_events(demo: str) -> None:
    # Fields with a form of their own, previews of JSON (where attacks stand escaped), names of codex's tools,
    # and ids that the recorder makes.
    formed = {"type", "status", "path", "raw_payload_id", "input_preview"}
    tools = {"exec_command", "write_stdin", "apply_patch", "exec", "wait", "collaboration.spawn_agent"}
    made = {"tool-1", "compaction_request:1", "compaction_request:2"}
    for event in decoded(demo)[0][: RECORDED_EVENTS[demo]]:
        for key, text in texts_by_key(plain(event)):
            if key not in formed and text not in tools | made and not is_uuid(text):
                assert any(attack in text for attack in EVERYTHING), (key, text)


def is_uuid(text: str) -> bool:
    return len(text) == 36 and text.count("-") == 4


def test_hostile_has_a_line_of_a_megabyte_and_is_not_much_more() -> None:
    payloads = sorted(recorded_payloads("hostile"), key=len)
    assert len(payloads[-1]) > 1_000_000 > 100_000 > len(payloads[-2])
    assert sum(map(len, payloads)) < 3_000_000
    (output,) = [text for text in strings(json.loads(payloads[-1])) if len(text) > 100_000]
    assert max(len(line) for line in output.split("\n")) > 700_000


@pytest.mark.parametrize("demo", HOSTILE)
def test_a_hostile_bundle_is_small_on_disk(demo: str) -> None:
    files = [file for file in (DEMOS / demo).rglob("*") if file.is_file() and not file.is_symlink()]
    assert sum(file.stat().st_size for file in files) < 600_000


@pytest.mark.parametrize("demo", HOSTILE)
def test_a_hostile_bundle_has_half_a_pair_in_a_payload_and_in_a_line(demo: str) -> None:
    bundle = DEMOS / demo
    place = "payloads/bad-surrogate.json" if demo == "hostile-2" else "payloads/000050.zst"
    assert b"\\ud800" in (bundle / place).read_bytes()
    assert b"\\ud800" in (bundle / "trace.jsonl").read_bytes()


@pytest.mark.parametrize("demo", HOSTILE)
def test_a_hostile_bundle_holds_every_sort_of_bad_json(demo: str) -> None:
    bundle = DEMOS / demo
    files = [bundle / f"payloads/bad-{name}.json" for name in BAD_JSON]
    if demo == "hostile-2":
        assert [file.read_bytes() for file in files] == list(BAD_JSON.values())
    else:
        assert [data for _, data in records(bundle / "payloads/000050.zst")] == list(BAD_JSON.values())


def test_no_reference_to_a_file_leads_to_anything_outside_of_the_bundle() -> None:
    bundle = open_bundle(DEMOS / "hostile-2")
    referred = {
        one.path for event in decoded("hostile-2")[0] for one in references(event) if isinstance(one, FileRef)
    }
    assert set(ESCAPING_PATHS) <= referred
    assert {f"payloads/{name}" for name in LINKED_FILES} <= set(ESCAPING_PATHS)
    for path in ESCAPING_PATHS:
        if path not in ("manifest.json", "trace.jsonl"):
            with pytest.raises(UnreadablePayload):
                bundle.read_payload(FileRef("raw_payload:1", PayloadKind("protocol_event"), path))


# What only shards can do


def shard_references() -> list[ShardRef]:
    return [one for one in all_references("hostile") if isinstance(one, ShardRef)]


def test_no_link_in_the_place_of_a_shard_is_followed() -> None:
    bundle = open_bundle(DEMOS / "hostile")
    linked = {file.name for file in (DEMOS / "hostile/payloads").iterdir() if file.is_symlink()}
    assert linked == {f"{number:06d}.zst" for number in LINKED_SHARDS}
    referred = {one.shard for one in shard_references()}
    for number in LINKED_SHARDS:
        assert number in referred
        with pytest.raises(UnreadablePayload, match="a symbolic link; it was not followed"):
            bundle.read_payload(next(one for one in shard_references() if one.shard == number))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (51, "holds more than 257 MiB, too much to be read"),
        (52, "a frame wants a window of more than 8 MiB"),
        (53, "a frame wants a dictionary"),
        (54, "damaged, at byte"),
        (55, "no zstd frame, at byte"),
        (56, "it is unfinished, though the recorder had done with it"),
        (57, "it is unfinished, though the recorder had done with it"),
        (58, "it holds  twice"),
        (59, "twice"),
        (60, "it is finished, but ends inside a record"),
        (61, "it is finished, but ends inside a record"),
        (62, "the id of a record is not UTF-8"),
        (99, "a directory, not a file"),
    ],
)
def test_what_is_wrong_with_a_shard_is_a_problem_of_it(number: int, reason: str) -> None:
    reasons = [problem.reason for problem in reduce_bundle(DEMOS / "hostile").problems]
    about = [one for one in reasons if one.startswith(f"payloads/{number:06d}.zst: ")]
    assert any(reason in one for one in about)


@pytest.mark.parametrize("number", [51, 52, 53, 54, 55, 56, 59])
def test_the_record_before_the_fault_of_a_shard_can_be_read(number: int) -> None:
    bundle = open_bundle(DEMOS / "hostile")
    first = next(one for one in shard_references() if one.shard == number)
    assert bundle.read_payload(first) == b'"sound"'


def test_a_few_kilobytes_would_fill_the_memory() -> None:
    assert (DEMOS / "hostile/payloads/000051.zst").stat().st_size < 10_000
    assert BLOCK * BOMB_BLOCKS > MAX_SHARD_BYTES
    (big,) = [one for one in shard_references() if one.shard == 70 and one.parts]
    bundle = open_bundle(DEMOS / "hostile")
    part = len(bundle.read_payload(big.parts[0]))
    assert part * len(big.parts) > MAX_PAYLOAD_BYTES
    with pytest.raises(UnreadablePayload, match="larger than 256 MiB"):
        bundle.read_payload(big)


def test_captures_lie_about_sizes() -> None:
    captures = [one.capture for one in shard_references()]
    sizes = [one for one in captures if isinstance(one, Truncated)]
    assert any(one.retained_bytes > one.original_bytes for one in sizes)
    assert any(one.original_bytes == 2**64 - 1 for one in sizes)
    assert any(isinstance(one, Omitted) and one.original_bytes == 2**64 - 1 for one in captures)


def test_parts_nest_deep_and_references_with_one_id_differ() -> None:
    def depth(one: ShardRef) -> int:
        return 1 + max(map(depth, one.parts), default=0)

    assert max(map(depth, shard_references())) == 51
    lines = (DEMOS / "hostile/trace.jsonl").read_bytes().split(b"\n")
    assert max(line.count(b'"parts":[') for line in lines) == 70
    by_id: dict[str, set[ShardRef]] = {}
    for one in shard_references():
        by_id.setdefault(one.raw_payload_id, set()).add(one)
    conflicting = [name for name, forms in by_id.items() if len(forms) > 1]
    assert {"raw_payload:1", "raw_payload:2"} < set(conflicting)


def test_numbers_of_shards_reach_the_largest_there_is() -> None:
    numbers = {one.shard for one in shard_references()}
    assert {0, 10**6, 2**53 + 1, 2**64 - 1, None} <= numbers
