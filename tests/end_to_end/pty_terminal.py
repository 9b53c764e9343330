"""A terminal for tests: runs a program in a pseudo-terminal, keeps its screen and every byte it sent."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import pyte
from escape_audit import Kind, Token, Tokenizer
from patience import LOOK_SECONDS, PATIENCE, Late

KEYS = {
    "enter": b"\r",
    "esc": b"\x1b",
    "tab": b"\t",
    "shift+tab": b"\x1b[Z",
    "backspace": b"\x7f",
    "up": b"\x1b[A",
    "down": b"\x1b[B",
    "right": b"\x1b[C",
    "left": b"\x1b[D",
    "home": b"\x1b[H",
    "end": b"\x1b[F",
    "pageup": b"\x1b[5~",
    "pagedown": b"\x1b[6~",
    "f1": b"\x1bOP",
    **{f"ctrl+{letter}": bytes([ord(letter) - 96]) for letter in "abcdefghijklmnopqrstuvwxyz"},
}
"""What a terminal sends for keys that are not one character."""

QUIET_SECONDS = 0.25
"""Without output for this long, a program that was sent a key has drawn what it had to draw."""

MARK_CELLS = 8
"""Cells in reverse that make a row a marked one."""

_TAKE_TERMINAL = """\
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execvp(sys.argv[1], sys.argv[1:])
"""
"""Runs first in the child: makes the pseudo-terminal its controlling one, for ctrl+c and resizing."""


class Terminal:
    """A program in a pseudo-terminal.

    To be used as a context manager, which ends the program.

    Args:
        arguments: The program and its arguments.
        columns: Width of the terminal.
        rows: Height of the terminal.
        environment: Variables set beside, or with None removed from, those of the test.
        directory: Where the program runs.
    """

    def __init__(
        self,
        arguments: Sequence[str | os.PathLike[str]],
        *,
        columns: int = 120,
        rows: int = 40,
        environment: Mapping[str, str | None] | None = None,
        directory: Path | None = None,
    ) -> None:
        self._screen = pyte.Screen(columns, rows)
        self._rows: list[str] = []
        self._stream = pyte.Stream(self._screen)
        self._tokenizer = Tokenizer()
        self._output = bytearray()
        self._changed = threading.Condition()
        self._last_output = time.monotonic()
        self._closed = False
        self._let_read = threading.Event()
        self._let_read.set()
        self._woken, self._wake = os.pipe()
        self._master, slave = pty.openpty()
        _set_size(slave, columns, rows)
        self.process = subprocess.Popen(
            [sys.executable, "-S", "-E", "-c", _TAKE_TERMINAL, *map(os.fspath, arguments)],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=directory,
            env=_environment(environment or {}),
            start_new_session=True,
        )
        os.close(slave)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def output(self) -> bytes:
        """Every byte sent so far."""
        with self._changed:
            return bytes(self._output)

    @property
    def screen(self) -> list[str]:
        """The rows of the screen as text, without the blanks at their ends."""
        with self._changed:
            if len(self._rows) != self._screen.lines:
                self._rows = [""] * self._screen.lines
                self._screen.dirty.update(range(self._screen.lines))
            for row in self._screen.dirty:
                if row < len(self._rows):
                    self._rows[row] = self._text_of(row)
            self._screen.dirty.clear()
            return list(self._rows)

    def _text_of(self, row: int) -> str:
        cells = self._screen.buffer[row]
        # What is behind a wide character is an empty cell.
        return "".join(cells[column].data for column in range(self._screen.columns)).rstrip()

    @property
    def marked(self) -> list[int]:
        """The rows, from 0, with a stretch of text in reverse: where cursors are, scroll bars left out."""
        with self._changed:
            rows = range(self._screen.lines)
            return [row for row in rows if self._reversed_cells(row) >= MARK_CELLS]

    def _reversed_cells(self, row: int) -> int:
        return sum(cell.reverse for cell in self._screen.buffer[row].values())

    def type(self, text: str) -> None:
        """Send characters as a keyboard does."""
        os.write(self._master, text.encode())

    def press(self, *keys: str, quiet: float = QUIET_SECONDS) -> None:
        """Send keys one at a time, by the names of `KEYS` or as characters, each drawn before the next.

        Args:
            keys: The keys.
            quiet: Seconds without output after which a key has done what it does.
        """
        for key in keys:
            self.send(KEYS.get(key) or key.encode())
            # A program waits for what may follow an escape before it takes it for the key.
            self.wait_until_quiet(max(quiet, QUIET_SECONDS) if key == "esc" else quiet)

    def send(self, data: bytes) -> None:
        """Send bytes and go on at once; `wait_until_quiet` then waits for what they cause."""
        with self._changed:
            self._last_output = time.monotonic()
        os.write(self._master, data)

    def wait_for(self, wanted: str | Callable[[list[str]], object], seconds: float = PATIENCE) -> list[str]:
        """Wait for a text on the screen, or until a function of the rows is true.

        Returns:
            The rows that satisfied it.

        Raises:
            Late: It did not come, or the program ended first; shows the screen.
        """
        if isinstance(wanted, str):
            what, text = f"the text {wanted!r}", wanted
            return self._wait(what, lambda: any(text in row for row in self.screen), seconds)
        return self._wait("the screen to change", lambda: bool(wanted(self.screen)), seconds)

    def wait_until_gone(self, text: str, seconds: float = PATIENCE) -> list[str]:
        """Wait until a text is nowhere on the screen."""
        return self._wait(f"no {text!r}", lambda: not any(text in row for row in self.screen), seconds)

    def wait_until_quiet(self, quiet: float = QUIET_SECONDS, seconds: float = PATIENCE) -> list[str]:
        """Wait until the program, with what it started, sent nothing and did nothing for `quiet` seconds."""
        worked = self._work_done()

        def is_quiet() -> bool:
            nonlocal worked
            now = self._work_done()
            if now != worked or now is None:
                worked = now
                self._last_output = time.monotonic()
            return self._closed or time.monotonic() - self._last_output >= quiet

        return self._wait("quiet", is_quiet, seconds, or_end=True)

    def resize(self, columns: int, rows: int) -> None:
        """Give the terminal another size."""
        with self._changed:
            self._screen.resize(rows, columns)
            self._last_output = time.monotonic()
        _set_size(self._master, columns, rows)

    def wait_exit(self, seconds: float = PATIENCE) -> int:
        """Wait for the end of the program.

        Returns:
            The exit status; negative for a signal.

        Raises:
            Late: It runs on.
        """
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Late(f"still running after {seconds} s\n{self.describe()}") from None
        self._reader.join(seconds)
        return status

    def hang_up(self) -> None:
        """Take the terminal away, as closing its window does."""
        self._let_read.set()
        # The thread that reads must not be in the middle of it.
        os.write(self._wake, b"x")
        self._reader.join(PATIENCE)
        self._close_descriptors()

    def _close_descriptors(self) -> None:
        for descriptor in (self._master, self._wake, self._woken):
            os.close(descriptor)
        self._master = -1

    @contextmanager
    def not_reading(self) -> Iterator[None]:
        """Take nothing of what the program sends meanwhile."""
        self._let_read.clear()
        try:
            yield
        finally:
            self._let_read.set()

    def close(self) -> None:
        """End the program and whatever it started."""
        if self.process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self._reader.join(PATIENCE)
        if self._master >= 0:
            self._close_descriptors()

    def describe(self) -> str:
        """The screen between two rules, for messages."""
        width = self._screen.columns
        return "\n".join(["-" * width, *self.screen, "-" * width])

    def _wait(self, what: str, done: Callable[[], bool], seconds: float, or_end: bool = False) -> list[str]:
        end = time.monotonic() + seconds
        with self._changed:
            while not done():
                if self._closed and not or_end:
                    raise Late(f"the program ended before {what}\n{self.describe()}")
                if time.monotonic() >= end:
                    raise Late(f"no {what} in {seconds} s\n{self.describe()}")
                self._changed.wait(LOOK_SECONDS)
            return self.screen

    def _work_done(self) -> int | None:
        """Processor time that it and what it started used up, in ticks; None while one is at work."""
        used, processes = 0, [self.process.pid]
        for process in processes:
            for task in _tasks(process):
                with suppress(OSError):
                    fields = _said(f"{task}/stat").rpartition(b")")[2].split()
                    if fields[0] in b"RD":
                        return None
                    used += int(fields[11]) + int(fields[12])
                    processes += map(int, _said(f"{task}/children").split())
        return used

    def _read(self) -> None:
        while True:
            try:
                ready = select.select([self._master, self._woken], [], [])[0]
                self._let_read.wait()
                data = b"" if self._woken in ready else os.read(self._master, 65536)
            except (OSError, ValueError):
                data = b""
            with self._changed:
                tokens = self._tokenizer.feed(data) if data else self._tokenizer.finish()
                self._stream.feed("".join(map(_drawn, tokens)))
                self._output += data
                self._last_output = time.monotonic()
                self._closed = not data
                self._changed.notify_all()
            if not data:
                return


def _drawn(token: Token) -> str:
    """What a token is for the screen; pyte takes the tails of sequences that it does not know for text."""
    unknown = token.kind is Kind.CSI and (token.data[2:3] in (b"<", b"=", b">") or token.data[-2:-1] == b"$")
    if unknown or token.kind in (Kind.STRING, Kind.TORN):
        return ""
    return token.data.decode("utf-8", "replace")


def _tasks(process: int) -> list[str]:
    """The threads of a process in /proc; none of one that is gone."""
    tasks = f"/proc/{process}/task"
    with suppress(OSError):
        return [f"{tasks}/{task}" for task in os.listdir(tasks)]
    return []


def _said(file: str) -> bytes:
    """What a file of /proc says. It is asked for often: paths and buffers would cost more than that does."""
    descriptor = os.open(file, os.O_RDONLY)
    try:
        return os.read(descriptor, 65536)
    finally:
        os.close(descriptor)


def _set_size(descriptor: int, columns: int, rows: int) -> None:
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def _environment(changes: Mapping[str, str | None]) -> dict[str, str]:
    merged = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", **changes}
    return {name: value for name, value in merged.items() if value is not None}
