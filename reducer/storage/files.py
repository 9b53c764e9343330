"""What the system says of files, in words."""

from __future__ import annotations


def in_words(error: Exception) -> str:
    """What the system says of a file, as the end of a sentence."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror[0].lower() + error.strerror[1:]
    return str(error)
