"""The least that reducing a bundle can take: parse its log, decode its payloads, write its graph.

Nothing is done with what was read. Run it as a file, so that it imports no more than it needs:
`python tests/benchmarks/floor.py BUNDLE STATE TARGET` writes what is in STATE to TARGET.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from shutil import copyfileobj

import orjson

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

PIECE = 1 << 18
"""Bytes that are decoded or copied together. Whole shards take five times as long, all in fresh memory."""


def decoded(payload: Path) -> Iterator[bytes]:
    """What a payload file holds, or the first frame of a shard; codex writes just one, perhaps unfinished."""
    data = payload.read_bytes()
    if payload.suffix != ".zst":
        yield data
        return
    frame = zstd.ZstdDecompressor()
    yield frame.decompress(data, PIECE)
    while not (frame.eof or frame.needs_input):
        yield frame.decompress(b"", PIECE)


def main() -> None:
    """Command line."""
    bundle, state, target = map(Path, sys.argv[1:])
    with open(bundle / "trace.jsonl", "rb") as log:
        for line in log:
            orjson.loads(line)
    for payload in sorted((bundle / "payloads").glob("*")):
        for _ in decoded(payload):
            pass
    with open(state, "rb") as source, open(target, "wb") as copy:
        copyfileobj(source, copy, PIECE)


if __name__ == "__main__":
    main()
