"""The command line: which command runs, what it says, and its exit status. Runs the real program."""

from __future__ import annotations

import ctypes
import gc
import json
import os
import shlex
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest
from patience import PATIENCE, wait_until
from places import PROGRAM, REPOSITORY

from rollout_tui.__main__ import run
from rollout_tui.cli import main, with_command

Run = Callable[..., subprocess.CompletedProcess[bytes]]
Demo = Callable[[str], Path]

HOSTILE_NAME = "a\x1b]0;owned\x07b\x9b31m\u202ec"
"""A file name that is an escape sequence, a C1 one, and text written backwards."""


def error_line(finished: subprocess.CompletedProcess[bytes], status: int = 2) -> str:
    """The one line of an error, after it was checked to be nothing but that."""
    assert finished.returncode == status, finished.stderr
    assert finished.stdout == b""
    text = finished.stderr.decode()
    lines = text.splitlines()
    assert len(lines) == 1
    assert "Traceback" not in text
    assert all(char.isprintable() for char in lines[0])
    return lines[0]


def drop_override() -> None:
    """Take from the super-user the right to ignore permissions; others have it not."""
    libc = ctypes.CDLL(None)
    for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
        libc.prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP


# --- Which command


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ([], ["open"]),
        (["some/bundle"], ["open", "some/bundle"]),
        (["--ascii", "some/bundle"], ["open", "--ascii", "some/bundle"]),
        (["some/bundle", "--mouse"], ["open", "some/bundle", "--mouse"]),
        (["reduce", "x", "-o", "-"], ["reduce", "x", "-o", "-"]),
        (["open", "x"], ["open", "x"]),
        (["./reduce"], ["open", "./reduce"]),
        (["--help"], ["--help"]),
        (["--version"], ["--version"]),
    ],
)
def test_a_first_argument_that_is_no_command_is_a_bundle_to_open(given: list[str], meant: list[str]) -> None:
    assert with_command(given) == meant


def test_every_command_is_one_that_needs_no_open(run_program: Run) -> None:
    from rollout_tui.cli import COMMANDS, app

    assert {command.name for command in app.registered_commands} == set(COMMANDS)


def test_help_names_the_commands_and_goes_to_standard_output(run_program: Run) -> None:
    finished = run_program("--help")
    assert finished.returncode == 0
    assert finished.stderr == b""
    text = finished.stdout.decode()
    assert "Usage: rollout-tui [BUNDLE | COMMAND] [OPTIONS]" in text
    assert "open " in text
    assert "reduce " in text


def test_open_help_names_its_options(run_program: Run) -> None:
    text = run_program("open", "--help").stdout.decode()
    assert all(option in text for option in ("--ascii", "--no-color", "--mouse"))


def test_version(run_program: Run) -> None:
    finished = run_program("--version")
    assert finished.returncode == 0
    assert finished.stdout.startswith(b"rollout-tui ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["reduce"], "BUNDLE"),
        (["reduce", "a", "b"], "b"),
        (["reduce", "--nonsense", "a"], "--nonsense"),
        (["--nonsense"], "--nonsense"),
        (["reduce", "a", "-o"], "-o"),
        (["reduce", f"--{HOSTILE_NAME}"], "owned"),
    ],
)
def test_wrong_usage_is_said_in_two_lines(run_program: Run, arguments: list[str], said: str) -> None:
    finished = run_program(*arguments)
    assert finished.returncode == 2
    assert finished.stdout == b""
    first, second = finished.stderr.decode().splitlines()
    assert said in first
    assert first.isprintable()
    assert second == "rollout-tui: `rollout-tui --help` says how it is used"


# --- reduce


def test_reduce_writes_state_json_into_the_bundle_and_prints_its_path(
    run_program: Run, demo_trace: Demo
) -> None:
    bundle = demo_trace("quickstart")
    (bundle / "state.json").unlink(missing_ok=True)
    before = sorted(path for path in bundle.rglob("*"))
    finished = run_program("reduce", bundle)
    assert finished.returncode == 0
    assert finished.stdout == os.fsencode(bundle / "state.json") + b"\n"
    assert finished.stderr == b""
    assert sorted(path for path in bundle.rglob("*")) == sorted([*before, bundle / "state.json"])
    graph = json.loads((bundle / "state.json").read_bytes())
    assert graph["schema_version"] == 3
    assert graph["threads"]


def test_reduce_to_standard_output_writes_the_graph_and_nothing_else(
    run_program: Run, demo_trace: Demo
) -> None:
    bundle = demo_trace("quickstart")
    run_program("reduce", bundle, "-o", bundle.parent / "out.json")
    finished = run_program("reduce", bundle, "-o", "-")
    assert finished.returncode == 0
    assert finished.stdout == (bundle.parent / "out.json").read_bytes()
    assert not (bundle / "state.json").exists()


@pytest.mark.parametrize(
    ("demo", "name"),
    [
        ("quickstart", "manifest.json"),
        ("quickstart", "trace.jsonl"),
        ("quickstart", "payloads/000001.zst"),
        ("schema-2", "payloads/1.json"),
    ],
)
def test_any_file_of_a_bundle_names_it(run_program: Run, demo_trace: Demo, demo: str, name: str) -> None:
    bundle = demo_trace(demo)
    assert (bundle / name).is_file()
    finished = run_program("reduce", bundle / name)
    assert finished.stdout == os.fsencode(bundle / "state.json") + b"\n"


def test_a_relative_output_is_relative_to_where_one_is(run_program: Run, demo_trace: Demo) -> None:
    bundle = demo_trace("quickstart")
    finished = run_program("reduce", bundle, "-o", "graph.json", cwd=bundle.parent)
    assert finished.stdout == b"graph.json\n"
    assert (bundle.parent / "graph.json").is_file()


@pytest.mark.parametrize("place", ["trace.jsonl", "manifest.json", "payloads/new.json", "link/trace.jsonl"])
def test_reduce_writes_over_no_evidence(run_program: Run, demo_trace: Demo, place: str) -> None:
    bundle = demo_trace("quickstart")
    link = bundle.parent / "link"
    link.symlink_to(bundle)
    before = {path: path.read_bytes() for path in bundle.rglob("*") if path.is_file()}
    target = bundle.parent / place if place.startswith("link") else bundle / place
    finished = run_program("reduce", bundle, "-o", target)
    assert finished.returncode == 2
    assert b"it is evidence, which is only read" in finished.stderr
    assert {path: path.read_bytes() for path in bundle.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    "name", ["düne ☃", os.fsdecode(b"caf\xe9 \xff"), HOSTILE_NAME, "-dash", "two\nlines"]
)
def test_any_file_name_works(run_program: Run, demo_trace: Demo, name: str) -> None:
    bundle = demo_trace("quickstart").rename(demo_trace("team").parent / name)
    finished = run_program("reduce", "--", bundle, "--output", bundle / "out.json")
    finished = run_program("reduce", "-o", bundle / "out.json", "--", bundle)
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout == os.fsencode(bundle / "out.json") + b"\n"
    assert (bundle / "out.json").is_file()


@pytest.mark.parametrize("name", [os.fsdecode(b"caf\xe9 \xff"), HOSTILE_NAME, "two\nlines"])
def test_any_file_name_is_quoted_in_one_printable_line(run_program: Run, name: str) -> None:
    line = error_line(run_program("reduce", name))
    assert line.endswith(": no such file or directory")


def test_the_json_report_gives_any_path_exactly(run_program: Run, demo_trace: Demo) -> None:
    name = os.fsdecode(b"caf\xe9 ") + HOSTILE_NAME
    bundle = demo_trace("quickstart").rename(demo_trace("team").parent / name)
    finished = run_program("reduce", bundle, "--json")
    assert finished.stdout.isascii()
    report = json.loads(finished.stdout)
    assert report == {"path": str(bundle / "state.json"), "refused": False, "problems": []}


# --- Problems


@pytest.fixture
def damaged(demo_trace: Demo) -> Path:
    """A bundle with a line that is no JSON in its middle."""
    bundle = demo_trace("quickstart")
    log = bundle / "trace.jsonl"
    lines = log.read_bytes().splitlines(keepends=True)
    lines[5] = b"{torn \x1b]0;owned\x07\n"
    log.write_bytes(b"".join(lines))
    return bundle


def test_problems_are_lines_on_standard_error_and_status_1(run_program: Run, damaged: Path) -> None:
    finished = run_program("reduce", damaged)
    assert finished.returncode == 1
    assert finished.stdout == os.fsencode(damaged / "state.json") + b"\n"
    lines = finished.stderr.decode().splitlines()
    assert any(line.startswith("trace.jsonl line 6") for line in lines)
    assert all(line.isprintable() and ": " in line for line in lines)
    assert json.loads((damaged / "state.json").read_bytes())["threads"]


def test_problems_do_not_disturb_standard_output(run_program: Run, damaged: Path) -> None:
    finished = run_program("reduce", damaged, "-o", "-")
    assert finished.returncode == 1
    assert json.loads(finished.stdout)["threads"]
    assert finished.stderr


def test_strict_refuses_in_one_or_two_lines_and_writes_nothing(run_program: Run, damaged: Path) -> None:
    (damaged / "state.json").write_bytes(b"old")
    finished = run_program("reduce", damaged, "--strict")
    assert finished.returncode == 1
    assert finished.stdout == b""
    lines = finished.stderr.decode().splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("rollout-tui: refused: trace.jsonl line 6")
    assert all(line.isprintable() for line in lines)
    assert (damaged / "state.json").read_bytes() == b"old"


def test_strict_accepts_what_is_sound(run_program: Run, demo_trace: Demo) -> None:
    bundle = demo_trace("team")
    assert run_program("reduce", bundle, "--strict").returncode == 0
    strict = (bundle / "state.json").read_bytes()
    assert run_program("reduce", bundle).returncode == 0
    assert (bundle / "state.json").read_bytes() == strict


def test_the_json_report_has_every_problem_with_its_consequence(run_program: Run, damaged: Path) -> None:
    finished = run_program("reduce", damaged, "--json")
    assert finished.returncode == 1
    assert finished.stderr == b""
    report = json.loads(finished.stdout)
    assert report["path"] == str(damaged / "state.json")
    first = report["problems"][0]
    assert first["line"] == 6
    assert first["reason"]
    assert first["consequence"]


def test_the_json_report_of_a_refusal(run_program: Run, damaged: Path) -> None:
    finished = run_program("reduce", damaged, "--strict", "--json")
    assert finished.returncode == 1
    report = json.loads(finished.stdout)
    assert report["path"] is None
    assert report["refused"] is True
    assert [problem["line"] for problem in report["problems"]] == [6]


def test_with_the_graph_on_standard_output_the_json_report_goes_to_standard_error(
    run_program: Run, damaged: Path
) -> None:
    finished = run_program("reduce", damaged, "-o", "-", "--json")
    assert json.loads(finished.stdout)["threads"]
    assert json.loads(finished.stderr)["path"] is None


def test_very_many_problems_are_counted(run_program: Run, demo_trace: Demo) -> None:
    bundle = demo_trace("quickstart")
    with open(bundle / "trace.jsonl", "ab") as log:
        log.write(b"{not json\n" * 500)
    finished = run_program("reduce", bundle)
    lines = finished.stderr.decode().splitlines()
    assert len(lines) == 101
    assert lines[-1].startswith("and ")
    assert "--json lists them all" in lines[-1]
    assert len(json.loads(run_program("reduce", bundle, "--json").stdout)["problems"]) >= 500


def test_a_problem_line_is_of_bounded_length(run_program: Run, demo_trace: Demo) -> None:
    bundle = demo_trace("quickstart")
    lines = (bundle / "trace.jsonl").read_bytes().splitlines()
    event = json.loads(lines[-1])
    event["seq"] += 1
    event["rollout_id"] = "\x1b[31m" + "x" * 3_000_000
    with open(bundle / "trace.jsonl", "ab") as log:
        log.write(json.dumps(event).encode() + b"\n")
    finished = run_program("reduce", bundle)
    assert finished.returncode == 1
    assert all(len(line) <= 1000 and line.isprintable() for line in finished.stderr.decode().splitlines())


# --- Not a bundle


def test_no_such_path(run_program: Run) -> None:
    for command in ([], ["reduce"]):
        assert (
            error_line(run_program(*command, "missing")) == "rollout-tui: missing: no such file or directory"
        )


def test_an_empty_directory(run_program: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for command in ([], ["reduce"]):
        assert str(tmp_path / "empty") in error_line(run_program(*command, tmp_path / "empty"))


def test_a_file_that_is_no_part_of_a_bundle(run_program: Run, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not json")
    for command in ([], ["reduce"]):
        line = error_line(run_program(*command, tmp_path / "notes.txt"))
        assert f"{tmp_path / 'notes.txt'}: not a file of a trace bundle" in line


@pytest.mark.slow
@pytest.mark.parametrize(
    "content", [b"not json", b"", b"[]", b"\xff\xfe", b'{"schema_version": 2}', b"[" * 5000]
)
def test_a_manifest_that_is_none(run_program: Run, demo_trace: Demo, content: bytes) -> None:
    bundle = demo_trace("quickstart")
    (bundle / "manifest.json").write_bytes(content)
    for command in ([], ["reduce"]):
        assert f"{bundle / 'manifest.json'}: " in error_line(run_program(*command, bundle))


def test_a_schema_from_the_future(run_program: Run, demo_trace: Demo) -> None:
    bundle = demo_trace("quickstart")
    manifest = json.loads((bundle / "manifest.json").read_bytes())
    (bundle / "manifest.json").write_text(json.dumps({**manifest, "schema_version": 99}))
    finished = run_program("reduce", bundle, "-o", "-")
    assert finished.returncode == 1
    said = b"manifest.json: trace schema 99 is not one this program knows"
    assert said in finished.stderr
    assert json.loads(finished.stdout)["schema_version"] == 3
    refused = run_program("reduce", bundle, "--strict", "-o", "-")
    assert (refused.returncode, refused.stdout) == (1, b"")
    assert said in refused.stderr


def test_a_bundle_without_its_log(run_program: Run, demo_trace: Demo) -> None:
    bundle = demo_trace("quickstart")
    (bundle / "trace.jsonl").unlink()
    assert f"{bundle / 'trace.jsonl'}: no such file" in error_line(run_program("reduce", bundle))


@pytest.mark.parametrize("command", [[], ["reduce"]])
def test_a_directory_without_read_permission(run_program: Run, demo_trace: Demo, command: list[str]) -> None:
    bundle = demo_trace("quickstart")
    bundle.chmod(0)
    try:
        line = error_line(run_program(*command, bundle, preexec_fn=drop_override))
    finally:
        bundle.chmod(0o700)
    assert "permission denied" in line
    assert str(bundle) in line


# --- Output that cannot be written


def test_a_read_only_bundle_names_the_way_out(run_program: Run, demo_trace: Demo) -> None:
    bundle = demo_trace("quickstart")
    bundle.chmod(0o500)
    try:
        line = error_line(run_program("reduce", bundle, preexec_fn=drop_override))
    finally:
        bundle.chmod(0o700)
    assert f"cannot write {bundle / 'state.json'}: permission denied" in line
    assert "-o FILE" in line
    assert not list(bundle.glob(".rollout-tui-*"))


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        ("no/such/place.json", "no such file or directory"),
        (".", "is a directory"),
        ("/dev/full", "no space left on device"),
        ("x" * 300, "file name too long"),
        ("", ""),
    ],
)
def test_an_output_that_cannot_be_written(
    run_program: Run, demo_trace: Demo, output: str, reason: str
) -> None:
    line = error_line(run_program("reduce", demo_trace("quickstart"), "-o", output))
    assert line.startswith("rollout-tui: cannot write ")
    assert reason in line


def test_a_device_is_written_into_and_stays(run_program: Run, demo_trace: Demo) -> None:
    finished = run_program("reduce", demo_trace("quickstart"), "-o", "/dev/null")
    assert finished.returncode == 0
    assert Path("/dev/null").is_char_device()
    assert not Path("/dev/null").is_symlink()
    with open("/dev/null", "rb") as null:
        assert null.read() == b""


def test_a_pipe_is_written_into_and_stays(run_program: Run, demo_trace: Demo, tmp_path: Path) -> None:
    bundle = demo_trace("team")
    graph = run_program("reduce", bundle, "-o", "-").stdout
    os.mkfifo(tmp_path / "pipe")
    with open(tmp_path / "read", "wb") as read:
        reader = subprocess.Popen(["cat", tmp_path / "pipe"], stdout=read)
    finished = run_program("reduce", bundle, "-o", tmp_path / "pipe")
    assert finished.returncode == 0
    assert reader.wait(PATIENCE) == 0
    assert (tmp_path / "read").read_bytes() == graph
    assert (tmp_path / "pipe").is_fifo()


@pytest.mark.parametrize("target", ["../outside", "/dev/tty", "pipe"])
def test_a_bundle_cannot_lead_its_state_json_elsewhere(
    run_program: Run, demo_trace: Demo, tmp_path: Path, target: str
) -> None:
    bundle = demo_trace("quickstart")
    (bundle.parent / "outside").write_bytes(b"mine")
    os.mkfifo(bundle / "pipe")
    (bundle / "state.json").symlink_to(target)
    for output in ([], ["-o", bundle / "state.json"]):
        finished = run_program("reduce", bundle, *output)
        assert finished.returncode == 0
        assert (bundle / "state.json").is_file()
        assert not (bundle / "state.json").is_symlink()
        assert (bundle.parent / "outside").read_bytes() == b"mine"


def test_a_pipe_in_the_place_of_state_json_is_refused(run_program: Run, demo_trace: Demo) -> None:
    bundle = demo_trace("quickstart")
    os.mkfifo(bundle / "state.json")
    assert "not a regular file" in error_line(run_program("reduce", bundle))
    assert (bundle / "state.json").is_fifo()


def test_the_device_of_standard_output_is_standard_output(
    run_program: Run, demo_trace: Demo, tmp_path: Path
) -> None:
    bundle = demo_trace("quickstart")
    graph = run_program("reduce", bundle, "-o", "-").stdout
    with open(tmp_path / "redirected", "wb") as file:
        run_program("reduce", bundle, "-o", "/dev/stdout", stdout=file, stderr=subprocess.PIPE)
    assert (tmp_path / "redirected").read_bytes() == graph
    assert Path("/dev/stdout").is_symlink()


def test_a_full_standard_output(run_program: Run, demo_trace: Demo) -> None:
    bundle = demo_trace("quickstart")
    with open("/dev/full", "wb") as full:
        helps = (["--help"], ["reduce", "--help"], ["--version"])
        for arguments in (["reduce", bundle, "-o", "-"], ["reduce", bundle], ["ls", bundle], *helps):
            finished = run_program(*arguments, stdout=full, stderr=subprocess.PIPE)
            assert finished.returncode == 2
            assert finished.stderr.endswith(b"no space left on device\n")
            assert b"Exception" not in finished.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        *(
            "reduce BUNDLE -o -",
            "reduce BUNDLE",
            "reduce BUNDLE --json",
            "check BUNDLE",
            "check BUNDLE --json",
        ),
        *("show BUNDLE call 1", "show BUNDLE calls", "show BUNDLE call 1 --json", "show BUNDLE payload 1"),
        *("ls BUNDLE", "ls BUNDLE --json", "--help", "show --help", "--version"),
    ],
)
def test_a_closed_standard_output_is_no_place_for_a_result(demo_trace: Demo, arguments: str) -> None:
    command = f"{' '.join(PROGRAM)} {arguments.replace('BUNDLE', str(demo_trace('quickstart')))} >&-"
    finished = subprocess.run(["sh", "-c", command], capture_output=True, timeout=60)
    assert error_line(finished) == "rollout-tui: cannot write to standard output: it is closed"
    assert finished.returncode == 2


def test_memory_that_is_used_up_is_no_fault(
    demo_trace: Demo, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def use_up(*_arguments: object, **_options: object) -> NoReturn:
        raise MemoryError

    monkeypatch.setattr("rollout_tui.commands.reduce.reduce_bundle", use_up)
    assert main(["reduce", str(demo_trace("quickstart"))]) == 2
    assert capsys.readouterr().err == "rollout-tui: there is not enough memory for this\n"


@pytest.mark.slow
@pytest.mark.parametrize("command", ["reduce", "check"])
def test_a_limit_of_memory_is_met_with_one_sentence(demo_trace: Demo, command: str) -> None:
    bundle = demo_trace("schema-2")
    (bundle / "payloads/1.json").write_bytes(b'{"text":"' + b"x" * 200_000_000 + b'"}')
    # In KiB, of addresses: enough to start, and less than the payload needs.
    limited = f"ulimit -v 300000; exec {shlex.join([*PROGRAM, command, str(bundle)])}"
    finished = subprocess.run(["sh", "-c", limited], capture_output=True, timeout=60)
    assert error_line(finished) == "rollout-tui: there is not enough memory for this"
    assert finished.returncode == 2


@pytest.mark.parametrize("arguments", [["reduce", "BUNDLE", "-o", "-"], ["--help"], ["--version"]])
def test_a_reader_that_went_away_gets_no_complaint(demo_trace: Demo, arguments: list[str]) -> None:
    bundle = str(demo_trace("team"))
    reader, writer = os.pipe()
    os.close(reader)
    finished = subprocess.run(
        [*PROGRAM, *(bundle if word == "BUNDLE" else word for word in arguments)],
        stdout=writer,
        stderr=subprocess.PIPE,
        timeout=60,
    )
    os.close(writer)
    assert finished.returncode == 141
    assert finished.stderr == b""


def test_ctrl_c_ends_it_without_a_word(demo_trace: Demo, tmp_path: Path) -> None:
    bundle = demo_trace("quickstart")
    os.mkfifo(tmp_path / "pipe")
    # Opening a pipe that nobody reads waits: the program is certainly inside its command.
    process = subprocess.Popen(
        [*PROGRAM, "reduce", str(bundle), "-o", str(tmp_path / "pipe")], stderr=subprocess.PIPE
    )
    try:
        wait_for_sleep(process.pid)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
    assert process.returncode == 130
    assert errors == b""


def wait_for_sleep(pid: int) -> None:
    """Wait until a process waits in opening a pipe."""

    def is_asleep() -> bool:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return fields[0] == "S" and sum(map(int, fields[11:13])) >= 10

    wait_until(is_asleep)
    time.sleep(0.1)


def test_a_fault_of_the_program_is_one_line_and_status_70(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], demo_trace: Demo
) -> None:
    def broken(*_arguments: Any, **_options: Any) -> None:
        raise RuntimeError("evidence \x1b]0;owned\x07 of \x9b31m a fault")

    monkeypatch.setattr("rollout_tui.commands.reduce.reduce_bundle", broken)
    assert main(["reduce", str(demo_trace("quickstart"))]) == 70
    said = capfd.readouterr()
    assert said.out == ""
    assert (
        said.err
        == "rollout-tui: a fault in this program: RuntimeError: evidence ␛]0;owned␇ of <U+009B>31m a fault\n"
    )
    monkeypatch.setenv("ROLLOUT_TUI_DEBUG", "1")
    with pytest.raises(RuntimeError):
        main(["reduce", str(demo_trace("quickstart"))])


# --- open, as far as it goes without a terminal


def test_the_inspector_needs_a_terminal(run_program: Run, demo_trace: Demo) -> None:
    assert "needs a terminal" in error_line(run_program(demo_trace("quickstart")))


def test_without_a_bundle_and_a_trace_root_it_says_what_to_do(run_program: Run) -> None:
    for environment in ({}, {"CODEX_ROLLOUT_TRACE_ROOT": ""}):
        line = error_line(run_program(environment=environment))
        assert "no traces yet in " in line
        assert "`rollout-tui record -- COMMAND...` records one" in line


def test_the_trace_root_with_one_bundle_is_that_bundle(run_program: Run, demo_trace: Demo) -> None:
    bundle = demo_trace("quickstart")
    for root in (bundle, bundle.parent):
        finished = run_program(environment={"CODEX_ROLLOUT_TRACE_ROOT": str(root)})
        assert "needs a terminal" in error_line(finished)


def test_a_trace_root_with_several_bundles_lists_them_newest_first(
    run_program: Run, demo_trace: Demo
) -> None:
    root = demo_trace("quickstart").parent
    demo_trace("team")
    for name, started in (("quickstart", 2_000), ("team", 1_000)):
        manifest = json.loads((root / name / "manifest.json").read_bytes())
        manifest["started_at_unix_ms"] = started
        (root / name / "manifest.json").write_text(json.dumps(manifest))
    (root / HOSTILE_NAME).mkdir()
    (root / HOSTILE_NAME / "manifest.json").write_text("broken")
    (root / "empty").mkdir()
    for finished in (
        run_program(root),
        run_program(environment={"CODEX_ROLLOUT_TRACE_ROOT": str(root)}),
    ):
        assert finished.returncode == 2
        assert finished.stdout == b""
        sentence, *listed = finished.stderr.decode().splitlines()
        assert "holds 3 bundles" in sentence
        assert listed[1:] == [str(root / "quickstart"), str(root / "team")]
        assert listed[0].isprintable()
        assert "owned" in listed[0]


@pytest.mark.slow
def test_messages_are_ascii_where_the_terminal_is(run_program: Run) -> None:
    environment = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"}
    finished = run_program("reduce", "düne\x1b", environment=environment)
    assert finished.stderr.isascii()
    assert b"d\\udcc3\\udcbcne^[" in finished.stderr


def test_the_module_runs_from_a_checkout() -> None:
    finished = subprocess.run([*PROGRAM, "--version"], cwd=REPOSITORY, capture_output=True, timeout=60)
    assert finished.returncode == 0


def test_a_place_that_is_none_is_refused(
    run_program: Callable[..., Any], demo_trace: Callable[[str], Path]
) -> None:
    refused = run_program("open", demo_trace("quickstart"), "--at", "soon")
    assert refused.returncode == 2
    assert b"no sequence number" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "function"),
    [
        (["open", "x"], "rollout_tui.commands.inspector.run"),
        (["record", "--", "x"], "rollout_tui.commands.record.record"),
    ],
)
def test_commands_that_last_collect_garbage(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], function: str
) -> None:
    collecting: list[bool] = []
    monkeypatch.setattr(function, lambda *_, **__: collecting.append(gc.isenabled()))
    gc.disable()
    try:
        assert main(arguments) == 0
    finally:
        gc.enable()
    assert collecting == [True]


def test_the_process_ends_with_the_status_of_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    frozen: list[bool] = []
    monkeypatch.setattr(gc, "freeze", lambda: frozen.append(gc.isenabled()))
    monkeypatch.setattr("rollout_tui.cli.main", lambda: 1)
    try:
        assert run() == 1
    finally:
        gc.enable()
    assert frozen == [False]
