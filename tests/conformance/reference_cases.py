"""The bundles whose reduction by the reference is known: test vectors and recordings."""

from __future__ import annotations

from places import SHARED


def cases(*patterns: str) -> list[str]:
    """The cases that match, such as `bundles/*`, by name; one empty name when there are none."""
    paths = (path.parent for pattern in patterns for path in SHARED.glob(f"{pattern}/bundle"))
    found = [path for path in paths if not path.name.startswith(".")]
    return sorted(path.relative_to(SHARED).as_posix() for path in found) or [""]


def name_of(case: str) -> str:
    """How a case is called in the list of tests."""
    return case or "none-found"
