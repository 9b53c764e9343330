"""Shards, links and references to records that no recorder writes, for the hostile bundle of schema 3.

Nothing here is compressed: blocks are stored as they are, or say one byte many times. So the bytes are the
same whatever library the demos are made with.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from demo_traces.attacks import Attacker
from demo_traces.forgery import BAD_JSON, Body, events_that_cannot_be, inference, observed

MAGIC = b"\x28\xb5\x2f\xfd"
PLAIN = b"\x00\x68"
"""The rest of a frame's header: no checksum, no dictionary, a window of 8 MiB."""
WIDE_WINDOW = b"\x00\x70"
"""A window of 16 MiB."""
DICTIONARY = b"\x01\x68\x07"
"""Dictionary 7."""
SKIPPED = b"\x50\x2a\x4d\x18\x05\x00\x00\x00" + b"\x1b[2J\x07"
"""A frame that readers skip."""

BIG = 2**64 - 1
BLOCK = 2**17
"""Most that a block stands for, in bytes."""
BOMB_BLOCKS = 2_100
"""Blocks of four bytes each, which stand for 262 MiB together."""
BIG_PART = 2**20
USES = 300
"""How often one payload uses a part of a megabyte."""

LINKS = {
    40: "/etc/passwd",
    41: "../../quickstart/payloads/000001.zst",
    42: "000042.zst",
    43: "000001.zst",
    44: "/dev/zero",
    45: "..",
}
"""Shards that are links: out of the bundle, to themselves, to a sound shard, to no regular file."""


class Run(NamedTuple):
    """A block that says one byte many times."""

    byte: int
    times: int


def frame(*blocks: bytes | Run, header: bytes = PLAIN, ended: bool = True) -> bytes:
    """A zstd frame; without its end if `ended` is false."""
    data = MAGIC + header
    for number, block in enumerate(blocks, 1):
        last = ended and number == len(blocks)
        kind, size = (1, block.times) if isinstance(block, Run) else (0, len(block))
        data += (size << 3 | kind << 1 | last).to_bytes(3, "little")
        data += bytes([block.byte]) if isinstance(block, Run) else block
    return data


def record(payload_id: str | bytes, data: bytes, *, length: int | None = None) -> bytes:
    """A record; its header may lie about the length of the data."""
    name = payload_id.encode() if isinstance(payload_id, str) else payload_id
    return struct.pack("<HQ", len(name), len(data) if length is None else length) + name + data


class Forger:
    """Makes shards and the references that lead to them.

    Attributes:
        shards: contents of the files, by number of the shard.
    """

    def __init__(self, evil: Attacker) -> None:
        self.shards: dict[int, bytes] = {}
        self._evil = evil
        self._count = 999

    def new_id(self) -> str:
        """The id of another payload."""
        self._count += 1
        return f"raw_payload:{self._count} {self._evil.text('payload id', 1)}"

    def references(self) -> Iterator[Body]:
        """References that lead to something wrong, each in another way; the shards of them are made."""
        yield from self._bad_json()
        yield from self._bad_frames()
        yield from self._bad_records()
        yield from self._bad_captures()
        yield from self._bad_parts()
        for shard in (*LINKS, 0, 10**6, 2**53 + 1, BIG):
            yield _reference(self.new_id(), shard)
        yield _reference("raw_payload:1", BIG)
        yield _reference("raw_payload:2", 1, kind="agent_result")

    def big_request(self) -> Body:
        """A request that would have hundreds of megabytes, of a few kilobytes in the file."""
        part, whole = self.new_id(), self.new_id()
        fragments = ('["{\\"input\\":[",' + '",",' * (USES - 1) + '"]}"]').encode()
        data = [record(whole, fragments) + record(part, b'"', length=BIG_PART + 2)]
        self.shards[70] = frame(*data, *[Run(ord("a"), BLOCK)] * (BIG_PART // BLOCK), b'"')
        parts = [_reference(part, 70, kind="content_value")] * USES
        return _reference(whole, 70, kind="inference_request", parts=parts)

    def _bad_json(self) -> Iterator[Body]:
        found = [(self.new_id(), data) for data in BAD_JSON.values()]
        self.shards[50] = frame(b"".join(record(*one) for one in found))
        for payload_id, _ in found:
            yield _reference(payload_id, 50)

    def _bad_frames(self) -> Iterator[Body]:
        """Each shard begins with a record that can be read, as far as any can."""
        sound = {number: self.new_id() for number in range(51, 60)}
        first = {number: record(payload_id, b'"sound"') for number, payload_id in sound.items()}
        never = self.new_id()
        beyond = record(never, b'"beyond"')
        endless = record(never, b"", length=2**40)
        corrupt = frame(first[54], ended=False) + b"\x07\x00\x00" + frame(beyond)
        self.shards |= {
            51: frame(first[51], endless, *[Run(0, BLOCK)] * BOMB_BLOCKS),
            52: frame(first[52]) + frame(beyond, header=WIDE_WINDOW),
            53: frame(first[53]) + frame(beyond, header=DICTIONARY),
            54: corrupt,
            55: SKIPPED + frame(first[55][:9]) + SKIPPED + frame(first[55][9:]) + b"\x1b]0;title\x07",
            56: frame(first[56], beyond[:-1], ended=False),
            57: b"",
            58: frame(first[58]) + frame(b"\x00" * 20),
            59: frame(*[Run(0, 0)] * 3) + frame(first[59] + first[59]),
        }
        for number, payload_id in sound.items():
            yield _reference(payload_id, number)
            yield _reference(f"{never} of {number}" if number % 2 else self.new_id(), number)

    def _bad_records(self) -> Iterator[Body]:
        ids = [self.new_id() for _ in range(5)]
        liar, text, behind = ids[:3]
        self.shards |= {
            60: frame(record(text, b'"sound"') + record(liar, b'"x"', length=BIG)),
            61: frame(struct.pack("<HQ", 2**16 - 1, BIG) + b"\x1b[2J"),
            62: frame(record(b"raw_payload:\xff\x9b31m", b"1") + record(behind, b'"behind"')),
            63: frame(record("", b"1") + record(ids[3], b"1" * 100) + record("x" * 60_000, b"2")),
        }
        for payload_id, number in ((liar, 60), (text, 60), (ids[4], 61), (behind, 62), ("", 63)):
            yield _reference(payload_id, number)
        yield _reference("x" * 60_000, 63)

    def _bad_captures(self) -> Iterator[Body]:
        kept = [self.new_id() for _ in range(4)]
        self.shards[64] = frame(b"".join(record(one, b'{"output": "\x1b]0;ti') for one in kept))
        sizes = ((BIG, BIG), (BIG, 19), (0, BIG), (5, 19))
        for payload_id, (original, retained) in zip(kept, sizes, strict=True):
            yield _reference(payload_id, 64, capture=_truncated(original, retained))
        yield _reference(self.new_id(), None, capture=_truncated(BIG, 0))
        yield _reference(self.new_id(), None, capture={"status": "omitted", "original_bytes": BIG})
        yield _reference(self.new_id(), 64, capture={"status": "omitted", "original_bytes": 0})
        yield _reference(self.new_id(), None)
        yield _reference(self.new_id(), 64, capture={"status": self._evil.text("status")})
        yield _reference(self.new_id(), 64, capture=_truncated(-1, 10**30))

    def _bad_parts(self) -> Iterator[Body]:
        """Parts in parts, in themselves, too many and too few, and fragments that are none."""
        base = _reference(self.new_id(), 65, kind="content_value")
        records = {base["raw_payload_id"]: b'"\\u001b]0;title\\u0007"'}
        no_lists = b'{"0":"["}', b"[1,2]", b'["\xff","]"]'
        for fragments in (*no_lists, b'["["]', b'["[","",",","]"]', b'["","x"]'):
            payload_id = self.new_id()
            records[payload_id] = fragments
            yield _reference(payload_id, 65, parts=[base])
        own = self.new_id()
        records[own] = b'["[","]"]'
        yield _reference(own, 65, parts=[_reference(own, 65)])
        lost = _reference(self.new_id(), None, capture={"status": "omitted", "original_bytes": BIG})
        for depth in (50, 70):
            nested = lost
            for _ in range(depth):
                payload_id = self.new_id()
                records[payload_id] = b'["[","]"]'
                nested = _reference(payload_id, 65, parts=[nested])
            yield nested
        self.shards[65] = frame(b"".join(record(*one) for one in records.items()))


def plant_shards(payloads: Path, shards: dict[int, bytes]) -> None:
    """Put forged shards and links among those of a bundle, and what is no shard."""
    for number, target in LINKS.items():
        (payloads / f"{number:06d}.zst").symlink_to(target)
    for number, data in shards.items():
        (payloads / f"{number:06d}.zst").write_bytes(data)
    (payloads / "000099.zst").mkdir()
    (payloads / "000099.zst" / "1.json").write_bytes(b"{}")


def forged_bodies(forger: Forger, evil: Attacker, *, thread_id: str, codex_turn_id: str) -> Iterator[Body]:
    """Events with forged references first, then less and less of an event."""
    for reference in forger.references():
        yield observed(reference, evil)
    yield observed(_reference(forger.new_id(), 99), evil)
    prompt = _reference("raw_payload:3000", 1, kind="prepared_prompt")
    outside = _reference("raw_payload:3001", 40, kind="inference_request")
    mislabeled = _reference("raw_payload:3002", 50, kind="agent_result")
    for request in (forger.big_request(), outside, mislabeled):
        yield inference(request, evil, thread_id=thread_id, codex_turn_id=codex_turn_id, prompt=prompt)
    yield {
        "type": "history_item_accepted",
        "item_id": evil.text("item id"),
        "tool_output_payload": _reference("raw_payload:3003", 41),
    }
    wait = {"tool_call_id": evil.text("call id"), "runtime_cell_id": evil.text("cell id")}
    yield {"type": "code_cell_wait_target_resolved", **wait}
    yield from events_that_cannot_be(evil)


def _truncated(original: int, retained: int) -> Body:
    return {"status": "truncated", "original_bytes": original, "retained_bytes": retained}


def _reference(
    payload_id: str,
    shard: int | None,
    *,
    kind: str = "protocol_event",
    capture: Body | None = None,
    parts: Sequence[Body] = (),
) -> Body:
    found: Body = {"raw_payload_id": payload_id, "kind": {"type": kind}, "shard": shard}
    if capture is not None:
        found["capture"] = capture
    return {**found, "parts": list(parts)} if parts else found
