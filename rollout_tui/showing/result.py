"""What a command found, and in what form."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum, auto

from msgspec import Struct

from rollout_tui.safe_text import SafeText
from rollout_tui.write_file import Contents


class Form(Enum):
    """What a result consists of."""

    TEXT = auto()
    """Lines that are safe already."""
    JSON = auto()
    RAW = auto()
    """Bytes of the evidence, whatever they are."""


class Result(Struct, frozen=True):
    """What a command found.

    Attributes:
        data: its bytes; where they are an iterator, they can be taken once.
        form: what they are.
    """

    data: Contents
    form: Form


def text_result(lines: Iterable[SafeText]) -> Result:
    """Lines as a result."""
    return Result((f"{line.rstrip()}\n".encode() for line in lines), Form.TEXT)
