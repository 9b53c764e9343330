"""How the program ends when it is told to, or when nobody is there any more: signals, hang-ups, `timeout`."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from patience import STAYS, wait_until
from places import PROGRAM
from pty_terminal import Terminal

pytestmark = pytest.mark.slow

Start = Callable[..., Terminal]
Demo = Callable[[str], Path]

SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)

HOST = [sys.executable, str(Path(__file__).with_name("recording_host.py"))]

# A parent that outlives the program, as a shell does: says how it ended, and whether the modes are the same.
WITNESS = """\
import json, os, resource, signal, subprocess, sys, termios
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
report, ignored = sys.argv[1], sys.argv[2] == "ignored"
signal.signal(signal.SIGHUP, signal.SIG_IGN)
def begin():
    signal.signal(signal.SIGHUP, signal.SIG_IGN if ignored else signal.SIG_DFL)
before = termios.tcgetattr(0)
child = subprocess.Popen(sys.argv[3:], preexec_fn=begin)
with open(report + ".pid", "w") as file: file.write(str(child.pid))
os.rename(report + ".pid", report + "-pid")
status = child.wait()
try: same = termios.tcgetattr(0) == before
except termios.error: same = None
with open(report + ".new", "w") as file: json.dump({"status": status, "same": same}, file)
os.rename(report + ".new", report)
"""

WAYS = {
    "inspector": ("2 Timeline", lambda demo, tmp: ["--panes", demo("quickstart")]),
    "overview": ("Overview", lambda demo, tmp: [demo("quickstart")]),
    "unseen": ("", lambda demo, tmp: [demo("quickstart")]),
    "picker": ("2 bundles", lambda demo, tmp: [demo("quickstart").parent, demo("team")][:1]),
    "record": (
        "2 Timeline",
        lambda demo, tmp: ["record", "--root", tmp / "root", *HOST, "1", "0", str(STAYS)],
    ),
    "record-before": (
        "waiting",
        lambda demo, tmp: [
            *("record", "--root", tmp / "root", sys.executable, "-c"),
            f"import time; print('waiting', flush=True); time.sleep({STAYS})",
        ],
    ),
    "record-asking": (
        "2 Timeline",
        lambda demo, tmp: ["record", "--root", tmp / "root", *HOST, "1", "0", str(STAYS)],
    ),
}

SEEN = [way for way in WAYS if way != "unseen"]


def is_there(word: str) -> bool:
    """Whether a process has this word in its command line."""
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if word.encode() in process.read_bytes().split(b"\0"):
                return True
    return False


class Witnessed:
    """The program under a parent that tells how it ended."""

    def __init__(
        self,
        way: str,
        demo: Demo,
        tmp: Path,
        *,
        hang_up: str = "heeded",
        before: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._report = tmp / "report"
        words, arguments = WAYS[way]
        command = [*before, *PROGRAM, *map(str, arguments(demo, tmp))]
        witness = [sys.executable, "-c", WITNESS, str(self._report), hang_up]
        self.terminal = Terminal([*witness, *command], environment=environment)
        self.terminal.wait_for(words)
        self.terminal.wait_until_quiet()
        if way == "record-asking":
            self.terminal.press("q")
            self.terminal.wait_for("e ends it")

    @property
    def pid(self) -> int:
        return int(self._report.with_name("report-pid").read_text())

    def ended(self) -> dict[str, object]:
        """How it ended: the status, negative for a signal, and whether the modes are those of before."""
        wait_until(self._report.exists, lambda: f"the program has ended\n{self.terminal.describe()}")
        found = json.loads(self._report.read_text())
        assert isinstance(found, dict)
        return found


def assert_screen_is_left(output: bytes) -> None:
    """The normal screen with its cursor, and none of the modes that were switched on."""
    modes = [
        (b"\x1b[?1049h", b"\x1b[?1049l"),
        (b"\x1b[?25l", b"\x1b[?25h"),
        (b"\x1b[?2004h", b"\x1b[?2004l"),
        (b"\x1b[?7l", b"\x1b[?7h"),
    ]
    for on, off in modes:
        assert output.rfind(off) >= output.rfind(on), (on, off)


@pytest.mark.parametrize("number", SIGNALS, ids=lambda one: one.name)
@pytest.mark.parametrize("way", SEEN)
def test_a_signal_restores_the_terminal_and_ends_the_program(
    demo_trace: Demo, tmp_path: Path, way: str, number: signal.Signals
) -> None:
    witnessed = Witnessed(way, demo_trace, tmp_path)
    with witnessed.terminal as terminal:
        os.kill(witnessed.pid, number)
        assert witnessed.ended() == {"status": -number, "same": True}
        terminal.wait_exit()
        assert_screen_is_left(terminal.output)


@pytest.mark.parametrize("hang_up", ["heeded", "ignored"])
@pytest.mark.parametrize("way", SEEN)
def test_a_terminal_that_is_gone_ends_the_program(
    demo_trace: Demo, tmp_path: Path, way: str, hang_up: str
) -> None:
    witnessed = Witnessed(way, demo_trace, tmp_path, hang_up=hang_up)
    witnessed.terminal.hang_up()
    # Where nothing else says so, it is the end of the input that ends it.
    status = 2 if hang_up == "ignored" else -signal.SIGHUP
    assert witnessed.ended() == {"status": status, "same": None}
    witnessed.terminal.close()


@pytest.mark.parametrize("options", [[], ["--foreground"]], ids=["background", "foreground"])
def test_timeout_ends_it(demo_trace: Demo, tmp_path: Path, options: list[str]) -> None:
    limit = ["timeout", "--preserve-status", *options, str(STAYS)]
    way = "inspector" if options else "unseen"
    witnessed = Witnessed(way, demo_trace, tmp_path, before=limit)
    with witnessed.terminal as terminal:
        # So `timeout` learns that the time is over, however long it took until there was something to end.
        os.kill(witnessed.pid, signal.SIGALRM)
        assert witnessed.ended() == {"status": 128 + signal.SIGTERM, "same": True}
        terminal.wait_exit()
        assert_screen_is_left(terminal.output)


def test_a_terminal_that_takes_no_output_does_not_hold_it_up(demo_trace: Demo, tmp_path: Path) -> None:
    witnessed = Witnessed("inspector", demo_trace, tmp_path)
    with witnessed.terminal as terminal, terminal.not_reading():
        for _ in range(40):
            terminal.send(b"jk" * 20)
            time.sleep(0.02)
        os.kill(witnessed.pid, signal.SIGTERM)
        assert witnessed.ended() == {"status": -signal.SIGTERM, "same": True}


@pytest.mark.parametrize("key", [b"Q", b"\x03"], ids=["Q", "ctrl+c"])
def test_a_ctrl_c_too_many_does_not_make_a_failure_of_leaving(demo_trace: Demo, key: bytes) -> None:
    with Terminal([*PROGRAM, "--panes", demo_trace("team")]) as terminal:
        terminal.wait_for("Timeline")
        terminal.send(key)
        while terminal.process.poll() is None:
            with suppress(OSError):
                terminal.send(b"\x03")
            time.sleep(0.01)
        assert terminal.wait_exit() == 0
        assert b"Traceback" not in terminal.output


def test_a_signal_ends_the_pager_as_well(demo_trace: Demo, tmp_path: Path) -> None:
    pager, nap = tmp_path / "pager", f"{STAYS:.0f}.{os.getpid()}"
    pager.write_text(f"#!/bin/sh\necho paging\nexec sleep {nap}\n")
    pager.chmod(0o755)
    witnessed = Witnessed("inspector", demo_trace, tmp_path, environment={"PAGER": str(pager)})
    with witnessed.terminal as terminal:
        terminal.press("4", "p")
        terminal.wait_for("paging")
        os.kill(witnessed.pid, signal.SIGTERM)
        assert witnessed.ended() == {"status": -signal.SIGTERM, "same": True}
        terminal.wait_exit()
        assert_screen_is_left(terminal.output)
    assert not is_there(nap)


def test_a_program_that_goes_on_has_its_terminal_once(demo_trace: Demo, tmp_path: Path) -> None:
    witnessed = Witnessed("inspector", demo_trace, tmp_path)
    with witnessed.terminal as terminal:
        threads = Path(f"/proc/{witnessed.pid}/task")
        before = len(list(threads.iterdir()))
        # Nobody stopped it in an orderly way, as ctrl+z does; `timeout` sends this as well.
        os.kill(witnessed.pid, signal.SIGSTOP)
        os.kill(witnessed.pid, signal.SIGCONT)
        terminal.wait_until_quiet()
        assert len(list(threads.iterdir())) == before
        terminal.press("q")
        assert witnessed.ended() == {"status": 0, "same": True}


def test_a_program_that_was_stopped_ends_when_it_goes_on(demo_trace: Demo, tmp_path: Path) -> None:
    witnessed = Witnessed("inspector", demo_trace, tmp_path)
    with witnessed.terminal:
        pid = witnessed.pid
        os.kill(pid, signal.SIGSTOP)
        os.kill(pid, signal.SIGTERM)
        os.kill(pid, signal.SIGCONT)
        assert witnessed.ended() == {"status": -signal.SIGTERM, "same": True}
