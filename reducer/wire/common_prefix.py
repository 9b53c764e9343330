"""How much two texts have in common at their beginning."""

from __future__ import annotations


def common_length(piece: bytes | memoryview, text: bytes | bytearray, start: int) -> int:
    """How many bytes at the beginning of a piece stand in a text, too, from `start` on."""
    if text.startswith(piece, start):
        return len(piece)
    view, low, high = memoryview(piece), 0, len(piece)
    while low < high:
        middle = (low + high + 1) // 2
        if text.startswith(view[low:middle], start + low):
            low = middle
        else:
            high = middle - 1
    return low
