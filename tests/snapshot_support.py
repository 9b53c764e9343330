"""Golden files under `snapshots/`: screens as SVG, and anything else as lines of text.

`ROLLOUT_TUI_UPDATE_SNAPSHOTS=1` writes them. A golden that is missing fails its test; one that no test
of a whole, successful run asked for fails the run.
"""

from __future__ import annotations

import difflib
import html
import os
import re
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from places import REPOSITORY
from rich.cells import cell_len
from textual.app import App

UPDATE_VARIABLE = "ROLLOUT_TUI_UPDATE_SNAPSHOTS"

SUFFIXES = (".svg", ".txt")
"""The goldens this module answers for; other files in the directory are left alone."""

MAX_DIFF_LINES = 80
"""Lines of a difference that are shown: a screen has fewer, and more are not read."""

_CELL = 12.2
"""Width of a terminal cell in an exported SVG, in its own units."""

_TEXT_ELEMENT = re.compile(r'<text [^>]*x="([\d.]+)"[^>]*url\(#terminal-line-(\d+)\)[^>]*>([^<]*)</text>')


class Goldens:
    """The golden files of one directory.

    Attributes:
        directory: Where they are.
        actual: Where what a failing test saw is put.
        used: Names of the files that were asked for.
    """

    def __init__(self, directory: Path, actual: Path) -> None:
        self.directory = directory
        self.actual = actual
        self.used: set[str] = set()

    def check(self, name: str, got: str, differences: str) -> None:
        """Compare a text with a golden file, or write it when that was asked for.

        Args:
            name: The file's name in the directory.
            got: What it should contain.
            differences: Says how a reader sees the difference: `svg` or `text`.
        """
        self.used.add(name)
        golden = self.directory / name
        if os.environ.get(UPDATE_VARIABLE) == "1":
            assert os.environ.get("CI") != "true", "goldens are not written where CI is true"
            golden.parent.mkdir(parents=True, exist_ok=True)
            golden.write_text(got, encoding="utf-8")
            return
        expected = golden.read_text(encoding="utf-8") if golden.is_file() else None
        if expected == got:
            return
        actual = self.actual / name
        actual.parent.mkdir(parents=True, exist_ok=True)
        actual.write_text(got, encoding="utf-8")
        if expected is None:
            pytest.fail(f"no golden {golden}\nseen: {actual}\n{UPDATE_VARIABLE}=1 writes it", pytrace=False)
        explain = _svg_difference if differences == "svg" else _text_difference
        shown = "\n".join(_first(explain(expected, got), MAX_DIFF_LINES))
        pytest.fail(f"{golden} differs\nseen: {actual}\n{_versions()}\n{shown}", pytrace=False)

    def unused(self, used: Iterable[str]) -> list[str]:
        """Golden files that are not among the used names."""
        if not self.directory.is_dir():
            return []
        files = (file for file in self.directory.rglob("*") if file.suffix in SUFFIXES)
        return sorted({str(file.relative_to(self.directory)) for file in files}.difference(used))


GOLDENS = Goldens(REPOSITORY / "snapshots", REPOSITORY / ".cache" / "snapshots")


def assert_svg_snapshot(screen: App[Any] | str, name: str) -> None:
    """Compare a screen with `snapshots/<name>.svg`.

    Args:
        screen: A running app, or the SVG that it exported.
        name: The golden's name without suffix; a slash makes a folder.
    """
    svg = screen if isinstance(screen, str) else screen.export_screenshot(simplify=True)
    GOLDENS.check(f"{name}.svg", normalise_svg(svg), "svg")


def assert_text_snapshot(lines: Iterable[str] | str, name: str) -> None:
    """Compare lines with `snapshots/<name>.txt`; blanks at their ends do not count.

    Args:
        lines: The lines, or a text of several lines.
        name: The golden's name without suffix; a slash makes a folder.
    """
    lines = lines.split("\n") if isinstance(lines, str) else lines
    GOLDENS.check(f"{name}.txt", "".join(f"{line.rstrip()}\n" for line in lines), "text")


def normalise_svg(svg: str) -> str:
    """An exported screen without what is random or leads elsewhere, one element on a line.

    The export names its elements after a hash of all it contains and refers to fonts on a server.
    """
    svg = re.sub(r"terminal-\d+", "terminal", svg)
    svg = re.sub(r"\s*@font-face \{[^}]*\}", "", svg)
    svg = re.sub(r">(?=<(?:text|rect|g|circle)\b)", ">\n", svg)
    return re.sub(r"[ \t]+\n", "\n", svg).rstrip() + "\n"


def svg_rows(svg: str) -> list[str]:
    """The rows of text on a screen that was normalised."""
    rows: dict[int, str] = {}
    for match in _TEXT_ELEMENT.finditer(svg):
        x, row, content = float(match[1]), int(match[2]), html.unescape(match[3]).replace("\xa0", " ")
        before = rows.get(row, "")
        gap = round(x / _CELL) - cell_len(before)
        rows[row] = before + " " * gap + content.rstrip("\n")
    return [rows.get(row, "").rstrip() for row in range(max(rows, default=-1) + 1)]


def _svg_difference(expected: str, got: str) -> Iterator[str]:
    """The rows that differ; when only colours or styles do, the elements."""
    before, after = svg_rows(expected), svg_rows(got)
    if before != after:
        yield from _unified(before, after)
        return
    yield "the text is the same; colours or styles differ:"
    yield from _unified(expected.split("\n"), got.split("\n"), context=0)


def _text_difference(expected: str, got: str) -> Iterator[str]:
    yield from _unified(expected.split("\n"), got.split("\n"))


def _unified(before: list[str], after: list[str], context: int = 2) -> Iterator[str]:
    yield from difflib.unified_diff(before, after, "golden", "seen", lineterm="", n=context)


def _first(lines: Iterator[str], count: int) -> Iterator[str]:
    for number, line in enumerate(lines):
        if number == count:
            yield "(and more)"
            return
        yield line


def _versions() -> str:
    return f"drawn by textual {version('textual')} and rich {version('rich')}"


# What one process of several used comes together in the process that leads the run.

_used_elsewhere: set[str] = set()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over which goldens a worker used."""
    _used_elsewhere.update(getattr(node, "workeroutput", {}).get("goldens", ()))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a whole and successful run that leaves a golden unused."""
    config = session.config
    if hasattr(config, "workeroutput"):
        config.workeroutput["goldens"] = sorted(GOLDENS.used)
        return
    unused = GOLDENS.unused(GOLDENS.used | _used_elsewhere)
    if unused and session.exitstatus == pytest.ExitCode.OK and _is_whole_run(config):
        config.stash[_UNUSED] = unused
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Name the goldens that were left unused."""
    unused = config.stash.get(_UNUSED, None)
    if unused:
        terminalreporter.section("unused goldens: this run fails", red=True, bold=True)
        for name in unused:
            terminalreporter.line(f"{GOLDENS.directory / name}")


_UNUSED = pytest.StashKey[list[str]]()


def _is_whole_run(config: pytest.Config) -> bool:
    """Whether every test was asked for."""
    options = config.option
    if options.keyword or options.markexpr or options.deselect or options.collectonly:
        return False
    if options.ignore or options.ignore_glob:
        return False
    wanted = {(config.rootpath / path).resolve() for path in config.getini("testpaths")}
    given = {Path(argument).resolve() for argument in config.args}
    return all(any(path == root or root in path.parents for root in given) for path in wanted)
