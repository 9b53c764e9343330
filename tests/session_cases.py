"""The recorded sessions: their cases, and of each the files from which all of it is reached."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from places import SHARED

from reducer.sessions import SessionRecording


def case_names() -> list[str]:
    """The names of all cases; empty where they are not there."""
    return sorted(one.name for one in (SHARED / "sessions").glob("*") if (one / "expected.json").is_file())


FEW = ("damaged-unknown-types", "everything", "sess-zst", "shell-tools-0.125.0")
"""Cases that have something of most kinds."""


def all_cases() -> list[Any]:
    """Every case as a parameter, most of them slow; one empty name where there are none."""
    names = case_names() or [""]
    return [pytest.param(one, marks=() if one in (*FEW, "") else pytest.mark.slow, id=one) for one in names]


def case_named(shared_dir: Path, name: str) -> Path:
    """The folder of a case."""
    return shared_dir / "sessions" / name


def files_of_runs(case: Path) -> list[Path]:
    """One file of each run of a case."""
    files: list[Path] = []
    known: set[str] = set()
    for file in sorted(path for path in case.rglob("rollout-*") if path.is_file()):
        if str(file.relative_to(case)) not in known:
            known |= set(SessionRecording(file).files)
            files.append(file)
    return files
