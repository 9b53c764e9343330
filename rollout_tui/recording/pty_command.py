"""A command in a pseudo-terminal: it runs on while the screen shows something else; its output is kept."""

from __future__ import annotations

import fcntl
import os
import select
import signal
import struct
import subprocess
import termios
import threading
import tty
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from time import monotonic

from rollout_tui.ending import terminal_gone
from rollout_tui.recording.foreground import NotStarted, exit_status

MAX_KEPT = 1_000_000
"""Bytes of output that are kept while it is not shown; of more, the beginning is lost."""

POLL_SECONDS = 0.1
"""How often the end of the command, the size of the terminal, and what is waited for are looked at."""

DRAIN_SECONDS = 1.0
"""How long output is waited for after the end: whoever the command left behind may hold its terminal open."""

END_SECONDS = 5.0
"""How long a command that was told to end has before it is killed."""


class PtyCommand:
    """A command whose terminal is not the real one.

    Its output goes to the real terminal while it is attached, and is kept at other times. The terminal it has
    is as large as the real one, and follows its size.
    """

    def __init__(
        self, command: Sequence[str], environ: Mapping[str, str], *, stdin: int = 0, stdout: int = 1
    ):
        """Start it.

        Args:
            command: the program and its arguments.
            environ: its environment.
            stdin: descriptor of the real terminal, to read from.
            stdout: descriptor of the real terminal, to write to.

        Raises:
            NotStarted: there is no such program, or it cannot be executed.
        """
        self._stdin, self._stdout = stdin, stdout
        self._master, slave = os.openpty()
        self._size = b""
        self._lock = threading.Lock()
        self._kept = bytearray()
        self._is_cut = False
        self._is_attached = False
        self._follow_size()
        _leave_no_way_to_stop(slave)
        try:
            self._process = subprocess.Popen(
                command,
                env=dict(environ),
                stdin=slave,
                stdout=slave,
                stderr=slave,
                start_new_session=True,
                preexec_fn=_take_terminal,
            )
        except OSError as error:
            os.close(self._master)
            raise NotStarted(command[0], error) from None
        finally:
            os.close(slave)
        self._reader = threading.Thread(target=self._read, name="output of the command", daemon=True)
        self._reader.start()

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def attach(self, until: Callable[[], bool]) -> None:
        """Give it the real terminal: keys go to it, and its output, what was kept first, is shown.

        Args:
            until: asked now and then; ends this when true, as the end of the command does.
        """
        with _raw(self._stdin):
            self._show_kept()
            try:
                while self.is_running and not until():
                    self._pass_keys_on(POLL_SECONDS)
                # What is being written belongs before whatever the terminal is wanted for now.
                with self._lock:
                    self._is_attached = False
            finally:
                # After a signal that is not waited for: a terminal that was stopped would never take it.
                self._is_attached = False

    def end(self) -> None:
        """Tell it to end, and kill it if it does not."""
        if not self.is_running:
            return
        self._signal(signal.SIGTERM)
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._signal(signal.SIGKILL)
            self._process.wait()

    def end_and_show(self) -> None:
        """As `end`, and show what it said until then that was not shown yet.

        A terminal that takes nothing, because somebody stopped it, is not waited for very long.
        """
        self.end()
        showing = threading.Thread(target=self.finish, name="rest of the output", daemon=True)
        showing.start()
        showing.join(END_SECONDS)

    def finish(self) -> int:
        """Wait for its end and show the rest of its output.

        Returns:
            The exit status, 128 and the number of the signal if one ended it.
        """
        returned = self._process.wait()
        self._reader.join(DRAIN_SECONDS)
        self._show_kept()
        return exit_status(returned)

    def _signal(self, number: int) -> None:
        with suppress(OSError):
            os.killpg(self._process.pid, number)

    def _read(self) -> None:
        while True:
            try:
                if not select.select([self._master], [], [], POLL_SECONDS)[0]:
                    self._follow_size()
                    continue
                data = os.read(self._master, 65_536)
            except (OSError, ValueError):
                return  # nobody has the terminal open any more
            if not data:
                return
            with self._lock:
                if self._is_attached:
                    _write(self._stdout, data)
                else:
                    self._keep(data)

    def _keep(self, data: bytes) -> None:
        self._kept += data
        if len(self._kept) > MAX_KEPT:
            del self._kept[: len(self._kept) - MAX_KEPT]
            self._is_cut = True

    def _show_kept(self) -> None:
        """Write what was kept, from the beginning of a line, and from now on everything at once."""
        with self._lock:
            kept = bytes(self._kept)
            if self._is_cut:
                kept = b"(the beginning of the output was not kept)\r\n" + kept[kept.find(b"\n") + 1 :]
            self._kept.clear()
            self._is_cut = False
            self._is_attached = True
            _write(self._stdout, kept)

    def _pass_keys_on(self, seconds: float) -> None:
        if not select.select([self._stdin], [], [], seconds)[0]:
            return
        keys = _read(self._stdin, 4096)
        with suppress(OSError):
            os.write(self._master, keys)

    def _follow_size(self) -> None:
        with suppress(OSError):
            columns, rows = os.get_terminal_size(self._stdout)
            size = struct.pack("HHHH", rows, columns, 0, 0)
            if size != self._size:
                self._size = size
                fcntl.ioctl(self._master, termios.TIOCSWINSZ, size)


def read_key(stdin: int = 0, seconds: float | None = None) -> str:
    """The next key at the real terminal, without waiting for the end of a line.

    Args:
        stdin: descriptor of the terminal.
        seconds: how long to wait; None for ever.

    Returns:
        The character; `\\x03` for ctrl+c, empty if there was none.
    """
    end = None if seconds is None else monotonic() + seconds
    with _raw(stdin):
        left = None if end is None else max(0.0, end - monotonic())
        if not select.select([stdin], [], [], left)[0]:
            return ""
        return _read(stdin, 64).decode("utf-8", "replace")[:1]


def _read(stdin: int, size: int) -> bytes:
    """What was typed; in raw mode an end of the input is the end of the terminal."""
    try:
        keys = os.read(stdin, size)
    except OSError:
        keys = b""
    if not keys:
        terminal_gone()
    return keys


def _take_terminal() -> None:
    """Make standard input the controlling terminal; runs in the child, in its new session."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def _leave_no_way_to_stop(slave: int) -> None:
    """Let ctrl+z be a key like any other: nobody could make a command go on that stopped itself."""
    modes = termios.tcgetattr(slave)
    modes[6][termios.VSUSP] = os.fpathconf(slave, "PC_VDISABLE").to_bytes(1, "big")
    termios.tcsetattr(slave, termios.TCSANOW, modes)


@contextmanager
def _raw(descriptor: int) -> Iterator[None]:
    try:
        modes = termios.tcgetattr(descriptor)
        tty.setraw(descriptor, termios.TCSADRAIN)
    except termios.error:
        terminal_gone()
    try:
        yield
    finally:
        # Now, and not when all is written: a terminal that was stopped or is gone would never be done.
        with suppress(termios.error):
            termios.tcsetattr(descriptor, termios.TCSANOW, modes)


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    with suppress(OSError):
        while view:
            view = view[os.write(descriptor, view) :]
