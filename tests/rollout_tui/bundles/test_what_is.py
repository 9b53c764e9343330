"""What is no trace bundle is named, with what to do instead, by every command."""

from __future__ import annotations

import gzip
import io
import json
import os
import socket
import subprocess
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from places import REPOSITORY

from reducer.recorder import TRACE_ROOT_VARIABLE
from reducer.storage.bundle import MANIFEST
from rollout_tui import default_root
from rollout_tui.bundles.what_is import Kind, what_is

Run = Callable[..., subprocess.CompletedProcess[bytes]]
TEAM = REPOSITORY / "demo_traces/team"

SESSION_LINE = b'{"timestamp":"2026-11-28T13:52:17.578Z","type":"session_meta","payload":{}}\n'
GRAPH = json.dumps({"schema_version": 3, "trace_id": "t", "rollout_id": "r", "root_thread_id": "r"}).encode()

COMMANDS = {
    "inspector": ([], []),
    "show": (["show"], ["threads"]),
    "reduce": (["reduce"], []),
    "check": (["check"], []),
    "ls": (["ls"], []),
}


def tar_gz() -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w:gz") as archive:
        archive.add(TEAM, "team")
    return written.getvalue()


def zipped() -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.write(TEAM / MANIFEST, MANIFEST)
    return written.getvalue()


FILES: dict[str, tuple[str, bytes, str]] = {
    "session file": ("rollout-2026-11-28T13-52-17-01a2.jsonl", SESSION_LINE, "a session file of codex"),
    "renamed session file": ("mine.jsonl", SESSION_LINE, "a session file of codex"),
    "compressed session file": ("rollout-2026.jsonl.zst", b"\x28\xb5\x2f\xfd", "a session file of codex"),
    "tar.gz": ("team.tar.gz", tar_gz(), "a gzip archive, which is not opened here: unpack it"),
    "tar": ("team.tar", gzip.decompress(tar_gz()), "a tar archive"),
    "zip": ("team.zip", zipped(), "a zip archive"),
    "state.json": ("state.json", GRAPH, "a reduced graph by itself"),
    "log": ("trace.jsonl.bak", (TEAM / "trace.jsonl").read_bytes(), "an event log by itself"),
    "empty": ("nothing", b"", "an empty file"),
    "text": ("notes.txt", b"Some words.\n", "not a file of a trace bundle"),
    "hostile": ("a\x1b]0;owned\x07b\x9b31m\u202ec.zip", b"PK\x03\x04", "a zip archive"),
}


def refusal(finished: subprocess.CompletedProcess[bytes]) -> str:
    """The one line of an error, after it was checked to be nothing but that."""
    assert (finished.returncode, finished.stdout) == (2, b""), finished.stderr
    [line] = finished.stderr.decode().splitlines()
    assert line.isprintable()
    return line


def refused(run_program: Run, command: str, path: str | Path) -> str:
    before, after = COMMANDS[command]
    return refusal(run_program(*before, path, *after))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_says_what_it_is_and_what_to_do(run_program: Run, tmp_path: Path, command: str) -> None:
    name, content, said = FILES["tar.gz"]
    (tmp_path / name).write_bytes(content)
    assert f"{tmp_path / name}: {said}" in refused(run_program, command, tmp_path / name)
    assert "/dev/null: a device, no trace bundle" in refused(run_program, command, "/dev/null")
    assert "not read from standard input" in refused(run_program, command, "-")


@pytest.mark.parametrize("kind", FILES)
def test_each_kind_of_file_is_told(run_program: Run, tmp_path: Path, kind: str) -> None:
    name, content, said = FILES[kind]
    (tmp_path / name).write_bytes(content)
    assert said in refused(run_program, "reduce", tmp_path / name)


def test_real_session_files_are_told(shared_dir: Path) -> None:
    files = [*(shared_dir / "sessions").rglob("rollout-*.jsonl*")]
    assert len(files) > 20
    assert {what_is(path).kind for path in files} == {Kind.SESSION_FILE}


@pytest.fixture
def odd(tmp_path: Path) -> Iterator[dict[str, Path]]:
    """What is neither a file nor a directory."""
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
        yield {"a pipe": tmp_path / "pipe", "a socket": tmp_path / "socket"}


def test_what_can_be_waited_on_is_never_opened(run_program: Run, odd: dict[str, Path]) -> None:
    for words, path in odd.items():
        assert f"{path}: {words}, no trace bundle" in refused(run_program, "check", path)


@pytest.mark.parametrize("command", ["inspector", "show", "reduce", "check"])
def test_directories_without_a_bundle(run_program: Run, tmp_path: Path, command: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "other/below").mkdir(parents=True)
    (tmp_path / "sessions").mkdir()
    (tmp_path / "sessions/rollout-2026.jsonl").touch()
    assert "an empty directory" in refused(run_program, command, tmp_path / "empty")
    assert "nor a directory that holds one" in refused(run_program, command, tmp_path / "other")
    if command != "inspector":
        assert "session files of codex" in refused(run_program, command, tmp_path / "sessions")


def test_sessions_are_named_for_want_of_a_terminal_to_pick_one_in(run_program: Run, tmp_path: Path) -> None:
    (tmp_path / "sessions").mkdir()
    (tmp_path / "sessions/rollout-2026.jsonl").touch()
    finished = run_program(tmp_path / "sessions")
    assert (finished.returncode, finished.stdout) == (2, b"")
    said, named = finished.stderr.decode().splitlines()
    assert "holds 1 run; name the one to open" in said
    assert named == str(tmp_path / "sessions/rollout-2026.jsonl")


@pytest.mark.parametrize("command", ["show", "reduce", "check"])
def test_a_root_stands_for_its_only_bundle(
    run_program: Run, demo_trace: Callable[[str], Path], command: str
) -> None:
    root = demo_trace("quickstart").parent
    before, after = COMMANDS[command]
    assert run_program(*before, root, *after).returncode == 0
    demo_trace("team")
    assert "holds 2 bundles; name one, the newest is team" in refused(run_program, command, root)


def test_a_bundle_whose_manifest_is_gone_is_not_taken_for_something_else(
    run_program: Run, demo_trace: Callable[[str], Path]
) -> None:
    bundle = demo_trace("quickstart")
    (bundle / MANIFEST).unlink()
    assert f"it holds no {MANIFEST}" in refused(run_program, "reduce", bundle)


# The default root


def test_nothing_recorded_yet(run_program: Run, tmp_path: Path) -> None:
    for environment in ({"XDG_STATE_HOME": str(tmp_path)}, {TRACE_ROOT_VARIABLE: str(tmp_path)}):
        line = refusal(run_program(environment=environment))
        assert "no traces yet in" in line
        assert "`rollout-tui record -- COMMAND...` records one" in line
        listed = run_program("ls", environment=environment)
        assert (listed.returncode, listed.stdout, listed.stderr.decode()) == (0, b"", f"{line}\n")
        document = json.loads(run_program("ls", "--json", environment=environment).stdout)
        assert document["runs"] == []


def test_the_root_that_record_writes_to_is_the_default_of_all(
    run_program: Run, demo_trace: Callable[[str], Path], tmp_path: Path
) -> None:
    place = tmp_path / "state/rollout-tui/traces"
    place.mkdir(parents=True)
    demo_trace("quickstart").rename(place / "trace-31751eeb-x")
    environment = {"XDG_STATE_HOME": str(tmp_path / "state")}
    assert b"31751eeb" in run_program("ls", environment=environment).stdout
    assert "needs a terminal" in refusal(run_program(environment=environment))
    assert "needs a terminal" in refusal(run_program("31751eeb", environment=environment))
    assert run_program("show", "31751", "threads", environment=environment).returncode == 0


def test_what_completion_knows_without_the_reducer_is_what_the_reducer_says() -> None:
    assert default_root.TRACE_ROOT_VARIABLE == TRACE_ROOT_VARIABLE
    assert default_root.MANIFEST == MANIFEST


# Words of show and commands


def test_show_without_what_lists_what_it_can_be(run_program: Run) -> None:
    from rollout_tui.language.vocabulary import words_of

    finished = run_program("show", TEAM)
    assert (finished.returncode, finished.stderr) == (0, b"")
    lines = finished.stdout.decode().splitlines()[1:]
    assert [line.split()[0] for line in lines] == [word.name for word in words_of("shown")]
    assert "say what to show" in refusal(run_program("show", TEAM, "--json"))
    assert "no such file" in refused(run_program, "reduce", "no-such-bundle")


@pytest.mark.parametrize("options", [["--json", "--raw"], ["--raw", "--json", "-o", "x"]])
def test_two_forms_at_once_are_refused(run_program: Run, options: list[str]) -> None:
    assert "name one" in refusal(run_program("show", TEAM, "call", "1", *options))


@pytest.mark.parametrize(("typed", "meant"), [("shwo", "show"), ("recrod", "record"), ("chekc", "check")])
def test_a_misspelled_command_is_told_unless_it_is_a_file(
    run_program: Run, tmp_path: Path, typed: str, meant: str
) -> None:
    assert f"did you mean {meant}?" in refusal(run_program(typed, TEAM, "threads"))
    (tmp_path / "cwd" / typed).write_text("x")
    assert "not a file of a trace bundle" in refusal(run_program(typed))


def test_every_word_of_show_shows_something(run_program: Run) -> None:
    from rollout_tui.language.asking import parse_what
    from rollout_tui.language.vocabulary import words_of

    for word in words_of("shown"):
        for name in (word.name, *word.others):
            assert parse_what([name, "1"] if word.argument in ("N", "NAME") else [name])


@pytest.mark.slow
def test_a_payload_that_was_cut_is_json_that_says_so(run_program: Run) -> None:
    capped = REPOSITORY / "demo_traces/capped"
    state = json.loads(run_program("reduce", capped, "-o", "-").stdout)
    cut = [
        name
        for name, ref in state["raw_payloads"].items()
        if (ref.get("capture") or {}).get("status") == "truncated"
    ]
    assert cut
    for name in cut:
        finished = run_program("show", capped, "payload", name, "--json", "--content")
        assert finished.returncode == 0, finished.stderr
        document = json.loads(finished.stdout)
        assert document["raw_payload_id"] == name
        assert "cut by the recorder's limit" in document["problem"]
        exact = run_program("show", capped, "payload", name).stdout
        assert document["text"] == exact.decode("utf-8", "replace")
