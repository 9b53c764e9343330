"""The goldens' own tests: what is compared, what a failure shows, and that unused goldens fail a run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from places import REPOSITORY
from snapshot_support import UPDATE_VARIABLE, Goldens, normalise_svg, svg_rows
from textual.app import App, ComposeResult
from textual.widgets import Static

ROWS = ["plain │ ✓ <b>&amp;", "wide 漢字 after", "  last"]


class Picture(App[None]):
    """Three rows of text on a small screen."""

    def __init__(self, style: str = "red") -> None:
        super().__init__()
        self.style = style

    def compose(self) -> ComposeResult:
        for row in ROWS:
            line = Static(row, markup=False)
            line.styles.color = self.style
            yield line


async def picture(style: str = "red") -> str:
    app = Picture(style)
    async with app.run_test(size=(30, 4)):
        return app.export_screenshot(simplify=True)


@pytest.fixture
def goldens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Goldens:
    monkeypatch.delenv(UPDATE_VARIABLE, raising=False)
    return Goldens(tmp_path / "snapshots", tmp_path / "actual")


def check_fails(goldens: Goldens, name: str, got: str, differences: str) -> str:
    """The message with which a comparison fails."""
    with pytest.raises(pytest.fail.Exception) as failed:
        goldens.check(name, got, differences)
    return str(failed.value)


def test_a_missing_golden_fails_and_what_was_seen_is_kept(goldens: Goldens) -> None:
    assert "no golden" in check_fails(goldens, "a.txt", "one\n", "text")
    assert not (goldens.directory / "a.txt").exists()
    assert (goldens.actual / "a.txt").read_text() == "one\n"


def test_goldens_are_written_on_request_and_then_hold(
    goldens: Goldens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(UPDATE_VARIABLE, "1")
    monkeypatch.delenv("CI", raising=False)
    goldens.check("folder/a.txt", "one\n", "text")
    monkeypatch.delenv(UPDATE_VARIABLE)
    goldens.check("folder/a.txt", "one\n", "text")
    monkeypatch.setenv(UPDATE_VARIABLE, "1")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(AssertionError, match="CI"):
        goldens.check("folder/a.txt", "two\n", "text")
    assert (goldens.directory / "folder" / "a.txt").read_text() == "one\n"


def test_a_difference_in_text_is_shown_by_lines(goldens: Goldens) -> None:
    goldens.directory.mkdir()
    (goldens.directory / "a.txt").write_text("one\ntwo\n")
    message = check_fails(goldens, "a.txt", "one\nthree\n", "text")
    assert "-two" in message
    assert "+three" in message


def test_a_long_difference_is_cut(goldens: Goldens) -> None:
    goldens.directory.mkdir()
    (goldens.directory / "a.txt").write_text("x\n" * 1000)
    message = check_fails(goldens, "a.txt", "y\n" * 1000, "text")
    assert "(and more)" in message
    assert len(message.splitlines()) < 100


async def test_the_rows_of_a_screen_are_read_back() -> None:
    assert svg_rows(normalise_svg(await picture())) == ROWS


async def test_a_picture_is_the_same_every_time_and_refers_to_nothing_outside() -> None:
    first, second = normalise_svg(await picture()), normalise_svg(await picture())
    assert first == second
    assert "http" not in first.replace("http://www.w3.org/2000/svg", "").replace(
        "https://www.textualize.io", ""
    )
    assert "url(http" not in first


async def test_a_difference_on_a_screen_is_shown_by_rows(goldens: Goldens) -> None:
    svg = normalise_svg(await picture())
    goldens.directory.mkdir()
    (goldens.directory / "a.svg").write_text(svg.replace("after", "before"))
    message = check_fails(goldens, "a.svg", svg, "svg")
    assert "-wide 漢字 before" in message
    assert "+wide 漢字 after" in message
    assert "<text" not in message


async def test_a_difference_in_colour_alone_is_found_and_named(goldens: Goldens) -> None:
    goldens.directory.mkdir()
    (goldens.directory / "a.svg").write_text(normalise_svg(await picture("red")))
    message = check_fails(goldens, "a.svg", normalise_svg(await picture("blue")), "svg")
    assert "colours or styles differ" in message
    assert "#0000ff" in message


def test_goldens_nobody_used_are_known(goldens: Goldens) -> None:
    (goldens.directory / "folder").mkdir(parents=True)
    for name in ("used.svg", "old.svg", "folder/old.txt", "graph.json"):
        (goldens.directory / name).write_text("")
    assert goldens.unused({"used.svg"}) == ["folder/old.txt", "old.svg"]


CONFTEST = """\
from pathlib import Path

import snapshot_support
from snapshot_support import pytest_sessionfinish, pytest_terminal_summary, pytest_testnodedown

HERE = Path(__file__).parent
snapshot_support.GOLDENS = snapshot_support.Goldens(HERE / "snapshots", HERE / "actual")
"""

TESTS = """\
from snapshot_support import assert_text_snapshot

def test_one():
    assert_text_snapshot(["one"], "one")

def test_two():
    assert_text_snapshot(["two"], "two")
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with two tests, their goldens, and one golden more."""
    (tmp_path / "snapshots").mkdir()
    for name in ("one", "two", "three"):
        (tmp_path / "snapshots" / f"{name}.txt").write_text(f"{name}\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\ntestpaths = tests\n")
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_it.py").write_text(TESTS)
    return tmp_path


def run_pytest(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    environment["PYTHONPATH"] = str(REPOSITORY / "tests")
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
    )


@pytest.mark.slow
@pytest.mark.parametrize("processes", ["0", "2"])
def test_a_whole_run_that_leaves_a_golden_unused_fails(project: Path, processes: str) -> None:
    failed = run_pytest(project, "-n", processes)
    assert failed.returncode == 1, failed.stdout
    assert "unused goldens" in failed.stdout
    assert "three.txt" in failed.stdout
    assert "one.txt" not in failed.stdout
    (project / "snapshots" / "three.txt").unlink()
    assert run_pytest(project, "-n", processes).returncode == 0


@pytest.mark.parametrize("arguments", [["tests/test_it.py"], ["-k", "one"], ["tests/test_it.py::test_one"]])
def test_a_part_of_the_tests_says_nothing_about_unused_goldens(project: Path, arguments: list[str]) -> None:
    assert run_pytest(project, "-n", "0", *arguments).returncode == 0


def test_the_folder_of_all_tests_is_a_whole_run(project: Path) -> None:
    assert run_pytest(project, "-n", "0", "tests").returncode == 1
