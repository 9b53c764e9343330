"""How a place is written: `BUNDLE#812`, and in a session file also `FILE#L12`, its line."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rollout_tui.language.refused import InputRefused

_AT = re.compile(r"#?\s*(\d{1,19})")
_ENDS_IN_PLACE = re.compile(r"(.+)#(L?)(\d{1,19})", re.DOTALL)
_MAX_SEQ = 2**63


@dataclass(frozen=True, slots=True)
class LineNumber:
    """A line of the file that is named, from 1."""

    number: int


Place = int | LineNumber
"""A sequence number, or a line."""


@dataclass(frozen=True, slots=True)
class Location:
    """A bundle or session file, and where in it.

    Attributes:
        bundle: its path as it was written.
        place: where; None for the beginning.
    """

    bundle: Path
    place: Place | None = None


def parse_location(text: str | os.PathLike[str], exists: Callable[[str], bool] = os.path.lexists) -> Location:
    """Read `BUNDLE#812` or `FILE#L12`.

    What exists under the whole text is the bundle, so a path may itself end in `#` and digits.

    Args:
        text: a path, with or without a sequence number, or an L and a line number, after a `#`.
        exists: whether there is something at a path.
    """
    whole = os.fspath(text)
    found = _ENDS_IN_PLACE.fullmatch(whole)
    if found is None or exists(whole) or int(found[3]) >= _MAX_SEQ:
        return Location(Path(whole))
    return Location(Path(found[1]), LineNumber(int(found[3])) if found[2] else int(found[3]))


def parse_at(text: str) -> int:
    """Read the sequence number of `--at`: `812` or `#812`.

    Raises:
        InputRefused: it is none.
    """
    found = _AT.fullmatch(text.strip())
    if found is None or int(found[1]) >= _MAX_SEQ:
        raise InputRefused(f"{text!r} is no sequence number: it is written as 812 or #812.")
    return int(found[1])


def format_location(bundle: Path, place: Place | None = None) -> str:
    """A place as `parse_location` reads it, whatever the working directory is then.

    Args:
        bundle: the bundle directory, or a session file.
        place: where in it; None for all of it.
    """
    path = os.path.abspath(bundle)
    if place is None:
        return path
    return f"{path}#L{place.number}" if isinstance(place, LineNumber) else f"{path}#{place}"
