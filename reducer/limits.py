"""How much of a bundle is held in memory at once.

The format sets no limits; real recordings stay far below these. What is beyond a limit is a problem of its
place, like any other evidence that cannot be read. Reading something at a limit takes about a gigabyte.
"""

from __future__ import annotations

MAX_LINE_BYTES = 256 * 2**20
"""Longest line of the log that is read; of a longer one only the beginning is looked at."""

MAX_PAYLOAD_BYTES = 256 * 2**20
"""Largest payload file, or manifest, that is read."""

MAX_VALUES = 5_000_000
"""Most values of one JSON text that are made into objects; each takes up to a hundred bytes of memory."""


def megabytes(number: int) -> str:
    """A limit in words.

    Args:
        number: bytes.
    """
    return f"{number // 2**20} MiB"
