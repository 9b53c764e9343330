"""What each part of the program imports: start-up time and the direction of knowledge depend on it."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from places import PROGRAM, REPOSITORY

INTERFACE = {"textual", "rich", "typer", "pygments", "click", "pydantic"}


def modules_after(*arguments: str) -> set[str]:
    """Top-level modules that a run of Python with `-X importtime` imported."""
    finished = subprocess.run(
        [sys.executable, "-X", "importtime", *arguments], capture_output=True, text=True, timeout=60
    )
    lines = [line for line in finished.stderr.splitlines() if line.startswith("import time:")]
    assert lines, finished.stderr
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}


@pytest.mark.parametrize(
    "module",
    ["reducer", "reducer.recorder", "reducer.reduce", "reducer.sessions", "reducer.state_json"],
)
def test_the_reducer_knows_nothing_of_terminals(module: str) -> None:
    imported = modules_after("-c", f"import {module}")
    assert "msgspec" in imported
    assert imported.isdisjoint(INTERFACE | {"rollout_tui"})


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["reduce", "--help"], ["open", "--help"], ["nothing-here"]]
)
def test_help_version_and_errors_never_import_textual(arguments: list[str]) -> None:
    imported = modules_after(*PROGRAM[1:], *arguments)
    assert "typer" in imported
    assert "textual" not in imported


def test_reduce_never_imports_textual(demo_trace: Callable[[str], Path]) -> None:
    bundle = demo_trace("quickstart")
    imported = modules_after(*PROGRAM[1:], "reduce", str(bundle), "-o", str(bundle / "out.json"))
    assert (bundle / "out.json").stat().st_size > 1000
    assert "textual" not in imported


@pytest.mark.parametrize("arguments", [["ls"], ["show", "threads"], ["show", "cell", "1"]], ids=" ".join)
def test_lists_and_texts_never_import_textual(
    demo_trace: Callable[[str], Path], arguments: list[str]
) -> None:
    command, *what = arguments
    imported = modules_after(*PROGRAM[1:], command, str(demo_trace("team")), *what)
    assert "msgspec" in imported
    assert "textual" not in imported


def test_help_is_written_without_importing_the_console_of_rich() -> None:
    finished = subprocess.run(
        [sys.executable, "-X", "importtime", *PROGRAM[1:], "--help"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "Usage: rollout-tui" in finished.stdout
    assert "rich.console" not in finished.stderr


LAYERS = {
    "wire": {"errors", "limits"},
    "storage": {"errors", "limits", "wire"},
    "model": {"wire"},
    "schemas": {"errors", "model", "storage", "wire"},
    "rules": {"changes", "errors", "model", "schemas", "storage", "wire"},
    "recorder": {"schemas", "storage", "wire"},
    "check": {
        "changes",
        "errors",
        "limits",
        "log_order",
        "model",
        "reduce",
        "replay",
        "schemas",
        "storage",
        "wire",
    },
    "sessions": {
        "changes",
        "errors",
        "limits",
        "model",
        "provenance",
        "recorder",
        "reduce",
        "rules",
        "schemas",
        "snapshots",
        "state_json",
        "storage",
        "wire",
    },
}
"""What each folder of the reducer may import besides itself."""

NOBODY_BELOW = {"check", "recorder", "sessions"}
"""Folders that no other part of the reducer knows."""


def known_by(file: Path) -> set[str]:
    """The parts of the reducer that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "reducer":
            found.add((node.module or "").split(".")[1] if "." in (node.module or "") else "")
        elif isinstance(node, ast.Import):
            found |= {name.name.split(".")[1] for name in node.names if name.name.startswith("reducer.")}
    return found


@pytest.mark.parametrize("folder", LAYERS)
def test_each_folder_of_the_reducer_knows_those_below_it(folder: str) -> None:
    files = list((REPOSITORY / "reducer" / folder).rglob("*.py"))
    assert files
    for file in files:
        assert known_by(file) <= LAYERS[folder] | {folder}, file


def test_nobody_knows_what_stands_on_top_of_the_reducer() -> None:
    files = [*(REPOSITORY / "reducer").glob("*.py")]
    assert files
    for file in files:
        assert not known_by(file) & NOBODY_BELOW, file


def test_every_folder_of_the_reducer_has_its_place() -> None:
    folders = {file.parent.name for file in (REPOSITORY / "reducer").glob("*/__init__.py")}
    assert folders == set(LAYERS)


def test_the_views_know_nothing_of_textual() -> None:
    views = REPOSITORY / "rollout_tui" / "views"
    files = [file.relative_to(REPOSITORY).with_suffix("") for file in views.rglob("*.py")]
    names = sorted(".".join(file.parts) for file in files if file.stem != "__init__")
    assert names
    imported = modules_after("-c", "\n".join(f"import {name}" for name in names))
    assert "textual" not in imported
