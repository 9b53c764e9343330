"""`rollout-tui record`: a command with tracing on, with and without the inspector beside it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from codex_home import CodexHome
from patience import PATIENCE, STAYS, wait_until
from places import PROGRAM, REPOSITORY
from pty_terminal import Terminal
from responses_server import Gate, ResponsesServer
from scripted_sessions import COMPACT_ABOVE, TEAM_PROMPT, tools_child_compaction

from reducer import reduce_bundle

Start = Callable[..., Terminal]
Run = Callable[..., subprocess.CompletedProcess[bytes]]

HOST = [sys.executable, str(Path(__file__).with_name("recording_host.py"))]


def only_bundle(root: Path) -> Path:
    [bundle] = [path for path in root.iterdir() if path.name.startswith("trace-")]
    return bundle


# Only recording


@pytest.mark.parametrize("status", [0, 7])
def test_the_streams_and_the_status_are_those_of_the_command(
    run_program: Run, tmp_path: Path, status: int
) -> None:
    root = tmp_path / "made" / "here"
    finished = run_program("record", "--no-tui", "--root", root, "--", *HOST, "2", str(status), "-")
    assert finished.returncode == status
    assert finished.stdout == b"host begins False\nturn 1 is over\nturn 2 is over\nhost ends\n"
    bundle = only_bundle(root)
    assert finished.stderr.decode() == f"{bundle}\n"
    assert root.stat().st_mode & 0o777 == 0o700
    assert len(reduce_bundle(bundle).trace.codex_turns) == 2


def test_standard_input_is_that_of_the_command(run_program: Run, tmp_path: Path) -> None:
    script = "import sys; sys.stdout.write(sys.stdin.read().upper()); sys.exit(3)"
    given = {"stdin": None, "input": b"some words"}
    command = [sys.executable, "-c", script]
    finished = run_program("record", "--no-tui", "--root", tmp_path, "--", *command, **given)
    assert (finished.returncode, finished.stdout) == (3, b"SOME WORDS")
    assert b"no bundle appeared in" in finished.stderr


def test_options_of_the_command_are_its_own(run_program: Run, tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import sys; print(sys.argv[1:])", "--json", "--root", "x", "--help"]
    finished = run_program("record", "--no-tui", "--root", tmp_path, *command)
    assert finished.stdout == b"['--json', '--root', 'x', '--help']\n"


@pytest.mark.parametrize(
    ("environment", "where"),
    [
        ({"CODEX_ROLLOUT_TRACE_ROOT": "named"}, "named"),
        ({"XDG_STATE_HOME": "{tmp}/state"}, "state/rollout-tui/traces"),
        ({"XDG_STATE_HOME": "", "HOME": "{tmp}/home"}, "home/.local/state/rollout-tui/traces"),
    ],
)
def test_where_bundles_go_unless_it_is_said(
    run_program: Run, tmp_path: Path, environment: dict[str, str], where: str
) -> None:
    filled = {name: value.format(tmp=tmp_path) for name, value in environment.items()}
    finished = run_program("record", "--no-tui", *HOST, "1", "0", "-", environment=filled, cwd=tmp_path)
    said = finished.stderr.decode().splitlines()
    assert said[-1] == str(only_bundle(tmp_path / where))
    assert ("recording into" in said[0]) == ("CODEX_ROLLOUT_TRACE_ROOT" not in environment)


def test_a_command_that_a_signal_ends(run_program: Run, tmp_path: Path) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGINT):
        script = f"import os, signal; signal.signal(2, 0); os.kill(os.getpid(), {int(number)})"
        finished = run_program("record", "--no-tui", "--root", tmp_path, sys.executable, "-c", script)
        assert finished.returncode == 128 + number


@pytest.mark.parametrize("options", [["--no-tui"]])
def test_no_such_command(run_program: Run, tmp_path: Path, options: list[str]) -> None:
    finished = run_program("record", *options, "--root", tmp_path, "--", "no-such-\x1b[31mprogram")
    assert finished.returncode == 127
    [sentence] = finished.stderr.decode().splitlines()
    assert "no such file or directory" in sentence
    assert sentence.isprintable()
    (tmp_path / "file").write_text("x")
    assert run_program("record", *options, "--root", tmp_path, tmp_path / "file").returncode == 126


def test_nowhere_to_record_to(run_program: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    finished = run_program("record", "--no-tui", "--root", tmp_path / "file" / "root", "true")
    assert finished.returncode == 2
    assert b"cannot record into" in finished.stderr


def test_without_a_terminal_there_is_no_inspector(run_program: Run, tmp_path: Path) -> None:
    finished = run_program("record", "--root", tmp_path / "root", "--", *HOST, "1", "0", "-")
    assert finished.returncode == 2
    assert b"--no-tui" in finished.stderr
    assert not (tmp_path / "root").exists()


def test_a_signal_from_outside_is_passed_on(tmp_path: Path) -> None:
    command = [*PROGRAM, "record", "--no-tui", "--root", str(tmp_path), "--", *HOST, "1", "33", str(STAYS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        while b"turn 1 is over" not in process.stdout.readline():
            pass
        process.send_signal(signal.SIGTERM)
        rest, _errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 33
    assert b"got signal 15" in rest


# In a terminal


@pytest.mark.slow
def test_only_recording_in_a_terminal_leaves_the_keyboard_to_the_command(
    start: Start, tmp_path: Path
) -> None:
    terminal = start("record", "--no-tui", "--root", tmp_path, "--", *HOST, "1", "33", str(STAYS))
    terminal.wait_for("host begins True")
    terminal.wait_for("turn 1 is over")
    terminal.send(b"\x03")
    terminal.wait_for("got signal 2")
    assert terminal.wait_exit() == 33
    assert str(only_bundle(tmp_path))[-40:] in terminal.output.decode()


@pytest.mark.slow
def test_modes_that_the_command_left_behind_are_put_back(start: Start, tmp_path: Path) -> None:
    raw = "import tty, os; tty.setraw(0); os._exit(5)"
    arguments = [*PROGRAM, "record", "--no-tui", "--root", str(tmp_path), sys.executable, "-c", raw]
    script = (
        "import subprocess, sys, termios\n"
        "before = termios.tcgetattr(0)\n"
        "status = subprocess.call(sys.argv[1:])\n"
        "print('status', status, 'same', termios.tcgetattr(0) == before)\n"
    )
    with Terminal([sys.executable, "-c", script, *arguments]) as terminal:
        terminal.wait_for("status 5 same True")


@pytest.mark.slow
def test_the_inspector_opens_as_the_bundle_appears(start: Start, tmp_path: Path) -> None:
    go_on = tmp_path / "go-on"
    root = tmp_path / "root"
    terminal = start("record", "--root", root, "--", *HOST, "2", "9", go_on, columns=120, rows=40)
    terminal.wait_for("2 Timeline")
    terminal.wait_for("turn 1")

    # Left while the command runs: it is asked what is to become of it, and the inspector opens once more.
    terminal.press("q")
    terminal.wait_for("w waits for it, e ends it, i goes back to the inspector")
    terminal.send(b"i")
    wait_until(lambda: terminal.output.count(b"\x1b[?1049h") == 2)
    terminal.wait_until_quiet()
    terminal.press("q")
    wait_until(lambda: terminal.output.count(b"w waits for it") == 2)
    terminal.send(b"w")
    go_on.touch()
    terminal.wait_for("host ends")
    assert terminal.wait_exit() == 9
    # What the command printed came out once and in its order, wherever it stood still meanwhile.
    said = [b"host begins True", b"turn 1 is over", b"turn 2 is over", b"host ends"]
    assert [terminal.output.count(words) for words in said] == [1, 1, 1, 1]
    places = [terminal.output.index(words) for words in said]
    assert places == sorted(places)
    assert terminal.output.rindex(b"\x1b[?1049l") < places[2]
    assert len(reduce_bundle(only_bundle(root)).trace.codex_turns) == 2


@pytest.mark.slow
def test_a_line_that_the_inspector_opens_amid_is_not_lost(start: Start, tmp_path: Path) -> None:
    go_on, root, demo = tmp_path / "go-on", tmp_path / "root", REPOSITORY / "demo_traces/quickstart"
    script = (
        "import itertools, os, shutil, time\n"
        "write = lambda text: os.write(1, text.encode())\n"
        "write('one line:')\n"
        f"shutil.copytree({str(demo)!r}, {str(root / 'trace-new')!r})\n"
        "for number in itertools.count():\n"
        "    write(f' {number}')\n"
        f"    if os.path.exists({str(go_on)!r}): break\n"
        "    time.sleep(0.01)\n"
        "write(' end\\n')\n"
    )
    terminal = start("record", "--root", root, "--", sys.executable, "-c", script, columns=120, rows=40)
    terminal.wait_for("2 Timeline")
    terminal.press("q")
    terminal.wait_for("w waits for it")
    terminal.send(b"w")
    go_on.touch()
    assert terminal.wait_exit() == 0
    before, _, rest = terminal.output.partition(b"\x1b[?1049h")
    after = rest.rpartition(b"\x1b[?1049l")[2]
    said = re.sub(rb"\x1b\[[^A-Za-z]*[A-Za-z]|still running: .*\r\n|w waits .*\r\n", b"", before + after)
    numbers = re.fullmatch(r"one line:(.*) end", said.decode().splitlines()[0])
    assert numbers, said
    assert [*map(int, numbers[1].split())] == [*range(len(numbers[1].split()))]


@pytest.mark.slow
def test_a_command_that_is_over_is_not_asked_about(start: Start, tmp_path: Path) -> None:
    terminal = start("record", "--root", tmp_path, "--", *HOST, "1", "4", "-", columns=120, rows=40)
    terminal.wait_for("2 Timeline")
    terminal.wait_until_quiet()
    terminal.press("Q")
    assert terminal.wait_exit() == 4
    assert b"still running" not in terminal.output
    # Before the inspector or after it, depending on which was faster; never both.
    assert terminal.output.count(b"host ends") == 1


@pytest.mark.slow
@pytest.mark.parametrize("key", [b"e", b"\x03"], ids=["e", "ctrl+c"])
def test_a_command_can_be_ended(start: Start, tmp_path: Path, key: bytes) -> None:
    terminal = start("record", "--root", tmp_path, "--", *HOST, "1", "33", str(STAYS), columns=120, rows=40)
    terminal.wait_for("2 Timeline")
    terminal.wait_until_quiet()
    terminal.press("q")
    terminal.wait_for("e ends it")
    terminal.send(key)
    assert terminal.wait_exit() == 33
    assert b"got signal 15" in terminal.output


@pytest.mark.slow
def test_until_a_bundle_appears_the_command_has_the_terminal(start: Start, tmp_path: Path) -> None:
    script = "import os; print(os.get_terminal_size(), input('your name? ').upper()); raise SystemExit(6)"
    terminal = start("record", "--root", tmp_path, "--", sys.executable, "-c", script, columns=100, rows=30)
    terminal.wait_for("your name?")
    terminal.type("mara\r")
    terminal.wait_for("MARA")
    assert terminal.wait_exit() == 6
    assert b"columns=100, lines=30" in terminal.output
    assert b"no bundle appeared" in terminal.output


@pytest.mark.slow
def test_ctrl_c_before_a_bundle_appears_is_for_the_command(start: Start, tmp_path: Path) -> None:
    script = f"import time; print('waiting', flush=True); time.sleep({STAYS})"
    terminal = start("record", "--root", tmp_path, "--", sys.executable, "-c", script)
    terminal.wait_for("waiting")
    terminal.send(b"\x03")
    terminal.wait_for("KeyboardInterrupt")
    assert terminal.wait_exit() == 128 + signal.SIGINT


# Ended by a signal


@pytest.mark.slow
@pytest.mark.parametrize("is_open", [True, False], ids=["inspector", "before a bundle"])
def test_what_the_command_said_is_shown_when_a_signal_ends_the_program(
    start: Start, tmp_path: Path, is_open: bool
) -> None:
    script = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: (print('last words', flush=True), sys.exit(3)))\n"
        "print('waiting', flush=True)\n"
        f"time.sleep({STAYS})\n"
    )
    command = [*HOST, "1", "33", str(STAYS)] if is_open else [sys.executable, "-c", script]
    terminal = start("record", "--root", tmp_path, "--", *command, columns=120, rows=40)
    terminal.wait_for("2 Timeline" if is_open else "waiting")
    terminal.wait_until_quiet()
    terminal.process.send_signal(signal.SIGTERM)
    assert terminal.wait_exit() == -signal.SIGTERM
    said = (
        [b"host begins True", b"turn 1 is over", b"got signal 15"] if is_open else [b"waiting", b"last words"]
    )
    assert [terminal.output.count(words) for words in said] == [1] * len(said)
    if is_open:
        assert terminal.output.rindex(said[-1]) > terminal.output.rindex(b"\x1b[?1049l")


@pytest.mark.slow
def test_a_terminal_that_takes_nothing_does_not_hold_up_the_end(start: Start, tmp_path: Path) -> None:
    script = "import time; print('begun', flush=True); print('x' * 500_000, flush=True); time.sleep(600)"
    terminal = start("record", "--root", tmp_path, "--", sys.executable, "-c", script)
    with terminal.not_reading():
        terminal.wait_until_quiet(1.0)  # until the terminal is full
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.process.wait(PATIENCE) == -signal.SIGTERM


# The real codex


@pytest.mark.slow
def test_codex_is_recorded_without_the_inspector(
    codex_program: Path, tmp_path: Path, run_program: Run
) -> None:
    with ResponsesServer(tools_child_compaction()) as server:
        codex = CodexHome(tmp_path / "codex", codex_program, server, compact_above=COMPACT_ABOVE)
        command = codex.command(TEAM_PROMPT)
        environment = {name: value for name, value in codex.changes.items() if value is not None}
        finished = run_program("record", "--no-tui", "--", *command, environment=environment)
    assert finished.returncode == 0
    assert b"All done: the answer is 42." in finished.stdout
    [bundle] = codex.bundles()
    assert finished.stderr.decode().splitlines()[-1] == str(bundle)
    assert reduce_bundle(bundle).trace.status == "completed"


@pytest.mark.slow
def test_codex_is_recorded_beside_the_inspector(codex_program: Path, tmp_path: Path, start: Start) -> None:
    gate = Gate()
    with ResponsesServer(tools_child_compaction({"tools": gate})) as server:
        codex = CodexHome(tmp_path / "codex", codex_program, server, compact_above=COMPACT_ABOVE)
        terminal = start(
            "record", "--", *codex.command(TEAM_PROMPT), environment=codex.changes, columns=120, rows=40
        )
        try:
            terminal.wait_for("2 Timeline")
            assert gate.reached.wait(PATIENCE)
            terminal.wait_for("printf")
        finally:
            gate.open()
        [bundle] = codex.bundles()
        wait_until(lambda: b'"recording_completed"' in (bundle / "trace.jsonl").read_bytes()[-400:])
        terminal.wait_for("compaction")
        terminal.press("q")
        assert terminal.wait_exit() == 0
    assert server.complaints == []
    assert b"All done: the answer is 42." in terminal.output.rpartition(b"\x1b[?1049l")[2]
    assert os.fsencode(bundle)[-60:] in terminal.output.replace(b"\r\n", b"")
