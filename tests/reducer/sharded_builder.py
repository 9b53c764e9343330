"""Writes small bundles of schema 3 for tests: payloads become records of shards."""

from __future__ import annotations

import struct
import sys
from pathlib import Path

from bundle_builder import BundleBuilder, Json, compact

from reducer.wire.payload_refs import shard_path

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


class ShardedBuilder(BundleBuilder):
    """As `BundleBuilder`; records go into shard 1 unless told otherwise.

    Attributes:
        shards: the records of each shard, in order; what stands there when the bundle is written counts.
        unfinished: numbers of shards that are written without a footer.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, schema=3)
        self.shards: dict[int, dict[str, bytes]] = {}
        self.unfinished: set[int] = set()

    def payload(
        self, content: Json, kind: str = "protocol_event", *, shard: int = 1, parts: list[Json] | None = None
    ) -> Json:
        """Keep a record; with parts, `content` is the list of fragments. Gives the reference to it."""
        self._payloads += 1
        payload_id = f"raw_payload:{self._payloads}"
        data = content if isinstance(content, bytes) else compact(content)
        self.shards.setdefault(shard, {})[payload_id] = data
        more = {"parts": parts} if parts else {}
        return {"raw_payload_id": payload_id, "kind": {"type": kind}, "shard": shard, **more}

    def request(self, call: str, items: list[Json], thread: str = "", **body: Json) -> int:
        """A request with its prepared prompt, whose only parts are the items."""
        thread = thread or next(iter(self.turns))
        parts = [self.payload(item, "model_item") for item in items]
        texts = [""] if not parts else ['{"input":[', *[","] * (len(parts) - 1), "]}"]
        prompt = self.payload(texts if parts else {"input": []}, "prepared_prompt", parts=parts)
        turn = self.turns[thread]
        return self.event(
            "inference_started",
            thread,
            turn,
            inference_call_id=call,
            thread_id=thread,
            codex_turn_id=turn,
            model="m",
            provider_name="p",
            request_payload=self.payload({**body, "input": items}, "inference_request"),
            prepared_prompt_payload=prompt,
        )

    def observe(self, *refs: Json) -> None:
        """One event for each reference."""
        for ref in refs:
            self.event("protocol_event_observed", event_type="x", event_payload=ref)

    def write(self, ending: bytes = b"\n") -> Path:
        """Write the shards, too."""
        for number, records in self.shards.items():
            named = ((one.encode(), data) for one, data in records.items())
            data = b"".join(struct.pack("<HQ", len(one), len(data)) + one + data for one, data in named)
            compressor = zstd.ZstdCompressor()
            blocks = compressor.compress(data, compressor.FLUSH_BLOCK)
            end = b"" if number in self.unfinished else compressor.flush(compressor.FLUSH_FRAME)
            (self.path / shard_path(number)).write_bytes(blocks + end)
        return super().write(ending)
