"""`rollout-tui ls`: a trace root as lines and as JSON."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from places import REPOSITORY
from rich.cells import cell_len

from reducer import BundleError
from rollout_tui.bundles.listing import ListedRun
from rollout_tui.bundles.root import RunList
from rollout_tui.bundles.trace_root import bundle_directory
from rollout_tui.commands.ls import list_runs

Run = Callable[..., subprocess.CompletedProcess[bytes]]

HOSTILE_NAME = "zz\x1b]0;owned\x07\x1b[31m"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A trace root with all demos."""
    for demo in ("quickstart", "team", "hostile"):
        shutil.copytree(REPOSITORY / "demo_traces" / demo, tmp_path / "root" / demo, symlinks=True)
    return tmp_path / "root"


@pytest.mark.parametrize("width", [80, 120, 200])
def test_the_lines_fit_and_say_what_there_is(run_program: Run, root: Path, width: int) -> None:
    finished = run_program("ls", root, environment={"COLUMNS": str(width)})
    assert (finished.returncode, finished.stderr) == (0, b"")
    heading, *lines = finished.stdout.decode().splitlines()
    assert all(cell_len(line) <= width for line in (heading, *lines))
    assert heading.split() == [
        *("UTC", "NAME", "STATUS", "AGENTS", "CALLS", "TOKENS", "SIZE"),
        *(["FAILED", "MODEL"] if width >= 120 else []),
        *(["DIRECTORY"] if width >= 200 else []),
        "INSTRUCTION",
    ]
    # Newest first.
    assert [line.split()[2] for line in lines] == ["hostile", "team", "quickst…"]
    assert re.search(r"team +✓ completed +4 +32 +107k +\d+ kB", lines[1])
    assert "The nightly run" in lines[1]


def test_nothing_is_cut_short_where_nobody_looks_at_a_width(run_program: Run, root: Path) -> None:
    text = run_program("ls", root).stdout.decode()
    assert "/home/mara/src/quaycache" in text.replace("…", "")


def test_json_has_everything(run_program: Run, root: Path) -> None:
    finished = run_program("ls", root, "--json")
    assert finished.returncode == 0
    document = json.loads(finished.stdout)
    assert document["root"] == str(root)
    quickstart = next(one for one in document["runs"] if one["path"] == str(root / "quickstart"))
    assert quickstart["calls"] == 9
    assert quickstart["status"] == "completed"
    assert quickstart["instruction"].startswith("tests/test_ttl.py::test_entry_is_gone")
    assert quickstart["group"] == quickstart["root_thread_id"]
    assert finished.stdout.isascii()


def test_the_root_of_the_environment_is_listed(run_program: Run, root: Path) -> None:
    finished = run_program("ls", environment={"CODEX_ROLLOUT_TRACE_ROOT": str(root)})
    assert finished.stdout.count(b"\n") == 4


def test_one_bundle_is_a_list_of_one(run_program: Run, root: Path) -> None:
    assert run_program("ls", root / "team").stdout.count(b"\n") == 2


def test_an_empty_root_and_none_at_all(run_program: Run, tmp_path: Path) -> None:
    empty = run_program("ls", tmp_path)
    assert (empty.returncode, empty.stdout) == (0, b"")
    assert b"holds no trace bundles or sessions" in empty.stderr
    assert json.loads(run_program("ls", tmp_path, "--json").stdout)["runs"] == []
    refused = run_program("ls", tmp_path / "nothing")
    assert (refused.returncode, refused.stdout) == (2, b"")
    assert refused.stderr.count(b"\n") == 1


def test_nothing_that_a_terminal_obeys_comes_out(run_program: Run, root: Path) -> None:
    (root / "quickstart").rename(root / HOSTILE_NAME)
    (root / HOSTILE_NAME / "manifest.json").write_text('{"\x1b[31m')
    for arguments in ([], ["--json"]):
        text = run_program("ls", root, *arguments).stdout.decode()
        assert all(line.isprintable() for line in text.splitlines())
        assert "owned" in text


def test_a_short_name_is_enough_to_open_a_bundle_of_the_root(tmp_path: Path) -> None:
    for name in ("trace-12345678-aaaa", "trace-12349999-bbbb"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").write_text("{}")
    environ = {"CODEX_ROLLOUT_TRACE_ROOT": str(tmp_path)}
    assert bundle_directory(Path("12345678"), environ) == tmp_path / "trace-12345678-aaaa"
    for none in ("99", "123", "", "../x"):
        assert bundle_directory(Path(none), environ) == Path(none)
    assert bundle_directory(Path("12345678"), {}) == Path("12345678")
    with pytest.raises(BundleError, match=r"2 runs begin so: 12345678-aaaa, 12349999-bbbb"):
        bundle_directory(Path("1234"), environ)


def test_a_pipe_gets_names_and_instructions_whole(run_program: Run, root: Path) -> None:
    name = "a-name-that-no-column-has-room-for-" + "x" * 150
    (root / "team").rename(root / name)
    heading, *lines = run_program("ls", root).stdout.decode().splitlines()
    line = next(line for line in lines if name in line)
    assert line.endswith("read the code. Don't change anything yet.")
    assert "/home/mara/src/quaycache" in line
    assert line.index("✓") == heading.index("STATUS") - 2, "columns are as wide as what is in them"
    cut = run_program("ls", root, environment={"COLUMNS": "100"}).stdout.decode()
    assert name not in cut
    assert all(cell_len(line) <= 100 for line in cut.splitlines())


def test_very_many_bundles_come_in_pages_newest_first(root: Path) -> None:
    trace_root = RunList(root)
    whole = [one.summary.path.name for one in trace_root.look()]
    assert [[one.summary.path.name for one in page] for page in trace_root.pages()] == [whole]
    pages = trace_root.pages(size=2, first=1)
    assert [one.summary.path.name for one in next(pages)] == whole[:1]
    assert [[one.summary.path.name for one in page] for page in pages] == [whole[1:3]]


def test_the_first_page_is_printed_before_the_rest_is_read(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pages = RunList.pages
    lines_at_page: list[int] = []

    def watched(self: RunList) -> Iterator[list[ListedRun]]:
        for page in pages(self, size=1, first=1):
            lines_at_page.append(capsys.readouterr().out.count("\n"))
            yield page

    monkeypatch.setattr(RunList, "pages", watched)
    assert list_runs(root, as_json=False) == 0
    assert lines_at_page == [0, 2, 1], "each page is out before the next one is read"
