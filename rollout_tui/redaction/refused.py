"""What a redaction may come to instead of a copy."""

from __future__ import annotations


class NotRedacted(Exception):  # noqa: N818 - says what became of it
    """Nothing was written: why, in a sentence that quotes nothing of the recording."""
