"""How a place in a bundle is written: `BUNDLE#812`."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rollout_tui.language.refused import InputRefused

_AT = re.compile(r"#?\s*(\d{1,19})")
_ENDS_IN_SEQ = re.compile(r"(.+)#(\d{1,19})", re.DOTALL)
_MAX_SEQ = 2**63


@dataclass(frozen=True, slots=True)
class Location:
    """A bundle, and where in it.

    Attributes:
        bundle: its path as it was written.
        seq: the sequence number; None for the beginning.
    """

    bundle: Path
    seq: int | None = None


def parse_location(text: str | os.PathLike[str], exists: Callable[[str], bool] = os.path.lexists) -> Location:
    """Read `BUNDLE#812`.

    What exists under the whole text is the bundle, so a path may itself end in `#` and digits.

    Args:
        text: a path, with or without a sequence number after a `#`.
        exists: whether there is something at a path.
    """
    whole = os.fspath(text)
    found = _ENDS_IN_SEQ.fullmatch(whole)
    if found is None or exists(whole) or int(found[2]) >= _MAX_SEQ:
        return Location(Path(whole))
    return Location(Path(found[1]), int(found[2]))


def parse_at(text: str) -> int:
    """Read the sequence number of `--at`: `812` or `#812`.

    Raises:
        InputRefused: it is none.
    """
    found = _AT.fullmatch(text.strip())
    if found is None or int(found[1]) >= _MAX_SEQ:
        raise InputRefused(f"{text!r} is no sequence number: it is written as 812 or #812.")
    return int(found[1])


def format_location(bundle: Path, seq: int | None = None) -> str:
    """A place as `parse_location` reads it, whatever the working directory is then.

    Args:
        bundle: the bundle directory.
        seq: the sequence number; None for the bundle as a whole.
    """
    path = os.path.abspath(bundle)
    return path if seq is None else f"{path}#{seq}"
