"""How much of a bundle is held in memory at once.

The format sets no limits; real recordings stay far below these. What is beyond a limit is a problem of its
place, like any other evidence that cannot be read. Reading something at a limit takes about a gigabyte.
"""

from __future__ import annotations

MAX_LINE_BYTES = 256 * 2**20
"""Longest line of the log that is read; of a longer one only the beginning is looked at."""

MAX_PAYLOAD_BYTES = 256 * 2**20
"""Largest payload file, or manifest, that is read."""

MAX_SHARD_BYTES = 257 * 2**20
"""Most that is read of a shard, and most that is decoded of it: the largest payload and a little more."""

MAX_SHARD_RECORDS = 1_000_000
"""Most records of one shard that are read; each takes some hundred bytes of memory besides its data."""

MAX_SHARD_FRAMES = 65_536
"""Most frames of one shard that are read; to begin one takes some microseconds, and few bytes make one."""

MAX_DECODED_BYTES = 64 * 2**20
"""About how much memory decoded shards take together; the one used last stays, however large it is."""

MAX_PART_DEPTH = 64
"""Levels of parts in parts that are put together."""

MAX_VALUES = 5_000_000
"""Most values of one JSON text that are made into objects; each takes up to a hundred bytes of memory."""


def megabytes(number: int) -> str:
    """A limit in words.

    Args:
        number: bytes.
    """
    return f"{number // 2**20} MiB"
