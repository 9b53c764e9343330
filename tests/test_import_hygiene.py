"""What each part of the program imports: start-up time and the direction of knowledge depend on it."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from imported_modules import modules_after, whole_names_after
from places import PROGRAM, REPOSITORY

INTERFACE = {"textual", "rich", "typer", "pygments", "click", "pydantic"}


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


MOST_FOR_PROGRAMS = {"calls": 190, "failures": 170, "summary": 200, "tokens": 205, "time": 200, "seen": 185}
"""Modules of ours that a document for programs may wait for: each takes its time."""

NOT_FOR_PROGRAMS = (
    *("textual", "typer", "pydantic", "pygments", "email", "asyncio", "subprocess", "importlib.metadata"),
    *("rich.console", "rich.text", "rich.segment", "reducer.sessions", "reducer.check", "reducer.recorder"),
    *("rollout_tui.exports", "rollout_tui.cli", "rollout_tui.completion", "rollout_tui.keys"),
    *("rollout_tui.panes", "rollout_tui.widgets", "rollout_tui.screens", "rollout_tui.reporting"),
    *("rollout_tui.views.entry_rows", "rollout_tui.views.filters", "rollout_tui.insight.following.forward"),
    "rollout_tui.showing.schema",
)


@pytest.mark.parametrize("what", MOST_FOR_PROGRAMS)
def test_a_document_for_programs_waits_for_nothing_but_what_tells_it(
    demo_trace: Callable[[str], Path], what: str
) -> None:
    words = ("seen", "e") if what == "seen" else (what,)
    imported = whole_names_after(*PROGRAM[1:], "show", str(demo_trace("quickstart")), *words, "--json")
    assert "rollout_tui.showing.dispatch" in imported
    for unwanted in NOT_FOR_PROGRAMS:
        assert not [name for name in imported if f"{name}.".startswith(f"{unwanted}.")], unwanted
    ours = [name for name in imported if name.partition(".")[0] in ("rollout_tui", "reducer")]
    assert len(ours) <= MOST_FOR_PROGRAMS[what]
    known = {**files_of("rollout_tui"), **files_of("reducer")}
    slow = [name for name in ours if "@dataclass" in known[name].read_text()]
    assert slow == [], "a dataclass is made in the time of seven NamedTuples or forty Structs"


def test_values_are_copied_by_what_made_them() -> None:
    """`dataclasses.replace` takes no Struct, which mypy does not see."""
    for name, file in files_of("rollout_tui").items():
        text = file.read_text()
        if re.search(r"from dataclasses import .*\b(?:replace|asdict|fields)\b", text):
            assert "@dataclass" in text, name
            assert "Struct" not in text, name


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
        "certainty",
        "changes",
        "errors",
        "ids",
        "limits",
        "model",
        "provenance",
        "recorder",
        "recording",
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


# The program

Modules = dict[str, set[str]]
"""The modules of a package, and the modules that each imports anywhere: in functions and for types, too."""

LAYERS_OF_THE_PROGRAM: tuple[frozenset[str], ...] = (
    frozenset({"default_root", "glyphs", "joiners", "language", "outcomes", "progress", "write_file"}),
    frozenset({"awaited_work", "completion", "ending", "line_filter", "safe_text", "screens_kept"}),
    frozenset({"bundles", "keys", "pager", "recording", "redaction", "terminal_app", "texts"}),
    frozenset({"clipboard", "insight", "key_order", "lines", "recordings"}),
    frozenset({"views", "widgets"}),
    frozenset({"feed"}),
    frozenset({"session"}),
    frozenset({"exports", "reader", "root_watcher"}),
    frozenset({"panes", "showing"}),
    frozenset({"reporting"}),
    frozenset({"screens"}),
    frozenset({"app"}),
    frozenset({"commands"}),
    frozenset({"cli"}),
    frozenset({"__main__"}),
)
"""The folders of the program, and the modules beside them. Each knows only what stands in a layer below it,
and no other one of its own layer."""

NOT_BELOW = {
    "insight": {"glyphs", "safe_text"},
    "showing": {"widgets"},
    "commands": {"panes", "screens", "widgets"},
}
"""What a folder does not know though it stands in a layer below: values have no look, and what prints needs
no terminal."""

EXCEPTIONS = {
    # A sentence or a text has a mark in it that `--json` prints as well.
    ("insight.cells.texts", "glyphs"): "the rule above each of several texts",
    ("insight.failures.words", "glyphs"): "the mark of a verdict",
    ("insight.items.texts", "glyphs"): "the mark of what was rebuilt",
    ("insight.output.title", "glyphs"): "what stands between the parts of a title",
    ("insight.tools.words", "glyphs"): "keys that were written, the arrow to an agent",
}
"""Who breaks a rule above, and why it may."""


@cache
def files_of(package: str) -> dict[str, Path]:
    """The files of a package by the names of the modules."""
    files = {
        ".".join(file.relative_to(REPOSITORY).with_suffix("").parts).removesuffix(".__init__"): file
        for file in (REPOSITORY / package).rglob("*.py")
    }
    assert files
    return files


@cache
def modules_of(package: str) -> Modules:
    """The modules of a package."""
    files = files_of(package)
    return {name: imported_by(file, set(files)) - {name} for name, file in files.items()}


def imported_by(file: Path, known: set[str]) -> set[str]:
    """The modules among those known that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            whole = {f"{node.module}.{name.name}" for name in node.names} & known
            parts = len(whole) == len(node.names)
            found |= whole if parts else whole | {node.module}
        elif isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
    return found & known


def part_of(module: str) -> str:
    """The folder of a module, or the module itself that stands beside the folders."""
    return module.split(".")[1] if "." in module else ""


def breaches(modules: Modules) -> set[tuple[str, str]]:
    """Which modules know a part that they should not, without the name of the package."""
    layer = {part: number for number, layer in enumerate(LAYERS_OF_THE_PROGRAM) for part in layer}
    found = set()
    for module, imported in modules.items():
        own = part_of(module)
        for other in {part_of(one) for one in imported} - {own, ""}:
            if layer[other] >= layer[own] or other in NOT_BELOW.get(own, ()):
                found.add((module.partition(".")[2], other))
    return found


def circles(modules: Modules) -> list[list[str]]:
    """Modules that import each other, directly or by others: each circle once, in order of names."""
    found, finished = [], set()

    def below(start: str) -> set[str]:
        seen, waiting = set(), [start]
        while waiting:
            for one in modules[waiting.pop()] - seen:
                seen.add(one)
                waiting.append(one)
        return seen

    reach = {module: below(module) for module in modules}
    for module in sorted(modules):
        if module in reach[module] and module not in finished:
            circle = sorted(one for one in reach[module] if module in reach[one])
            finished.update(circle)
            found.append(circle)
    return found


def test_every_part_of_the_program_has_its_layer() -> None:
    parts = {part_of(module) for module in modules_of("rollout_tui")} - {""}
    layered = [part for layer in LAYERS_OF_THE_PROGRAM for part in layer]
    assert sorted(layered) == sorted(parts)


def test_parts_of_the_program_know_what_is_below_them() -> None:
    assert breaches(modules_of("rollout_tui")) - set(EXCEPTIONS) == set()


def test_no_exception_is_stale() -> None:
    assert set(EXCEPTIONS) - breaches(modules_of("rollout_tui")) == set()


def test_breaches_are_found() -> None:
    modules = {"rollout_tui.insight.index": {"rollout_tui.lines.rows"}, "rollout_tui.lines.rows": set()}
    assert breaches(modules) == {("insight.index", "lines")}


@pytest.mark.parametrize("package", ["reducer", "rollout_tui"])
def test_no_modules_import_each_other(package: str) -> None:
    assert circles(modules_of(package)) == []


def test_circles_are_found() -> None:
    modules = {"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"d"}}
    assert circles(modules) == [["b", "c"], ["d"]]


@pytest.mark.parametrize("folder", ["insight", "language", "lines", "showing", "texts", "views"])
def test_what_draws_nothing_knows_nothing_of_textual(folder: str) -> None:
    names = sorted(module for module in modules_of("rollout_tui") if part_of(module) == folder)
    assert names
    imported = modules_after("-c", "\n".join(f"import {name}" for name in names))
    assert "textual" not in imported


def test_what_can_be_typed_is_known_at_once() -> None:
    names = sorted(module for module in modules_of("rollout_tui") if part_of(module) == "language")
    assert names
    imported = modules_after("-c", "\n".join(f"import {name}" for name in names))
    assert imported.isdisjoint(INTERFACE | {"reducer", "msgspec", "orjson"})


# The tests


def test_what_tests_share_has_a_module_of_its_own() -> None:
    files = list((REPOSITORY / "tests").rglob("*.py"))
    assert len(files) > 100
    names = {file.stem for file in files if file.stem.startswith("test_")}
    assert {file: shared for file in files if (shared := imported_by(file, names))} == {}
