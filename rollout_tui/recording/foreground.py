"""A command that has the terminal to itself while this program waits for it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import FrameType

_FROM_THE_KEYBOARD = (signal.SIGINT, signal.SIGQUIT)
"""Signals that a terminal sends to the command and to this program alike. The command is to decide."""

_FROM_OUTSIDE = (signal.SIGTERM, signal.SIGHUP)
"""Signals that only this program gets, and passes on."""

NOT_FOUND = 127
"""Exit status when there is no such command, as shells have it."""

NOT_EXECUTABLE = 126
"""Exit status when a command cannot be executed, as shells have it."""


class NotStarted(Exception):  # noqa: N818 - what a shell would say
    """A command could not be started.

    Attributes:
        status: the exit status that shells have for it.
    """

    def __init__(self, command: str, error: OSError) -> None:
        reason = (error.strerror or str(error)).lower()
        super().__init__(f"cannot run {command}: {reason}")
        self.status = NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE


def exit_status(returned: int) -> int:
    """The exit status of a process as shells have it.

    Args:
        returned: what `subprocess` says; negative for a signal.
    """
    return returned if returned >= 0 else 128 - returned


def run_in_foreground(command: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run a command with the input, the output and the terminal of this program.

    The command is in the same process group, so keys that send signals reach it as if it had been started by
    the shell, and job control stops both. This program only waits; the modes of the terminal are put back.

    Args:
        command: the program and its arguments.
        environ: its environment.

    Returns:
        Its exit status, 128 and the number of the signal if one ended it.

    Raises:
        NotStarted: there is no such program, or it cannot be executed.
    """
    with _terminal_modes_kept():
        try:
            process = subprocess.Popen(command, env=dict(environ))
        except OSError as error:
            raise NotStarted(command[0], error) from None
        with _signals_left_to(process):
            return exit_status(process.wait())


@contextmanager
def _signals_left_to(process: subprocess.Popen[bytes]) -> Iterator[None]:
    # The handlers are set when the command runs already: it must not begin with signals ignored.
    def ignore(_number: int, _frame: FrameType | None) -> None:
        """The command got it, too."""

    def pass_on(number: int, _frame: FrameType | None) -> None:
        with suppress(OSError):
            process.send_signal(number)

    before = {
        **{number: signal.signal(number, ignore) for number in _FROM_THE_KEYBOARD},
        **{number: signal.signal(number, pass_on) for number in _FROM_OUTSIDE},
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _terminal_modes_kept() -> Iterator[None]:
    descriptor = next((fd for fd in _standard_descriptors() if os.isatty(fd)), None)
    if descriptor is None:
        yield
        return
    try:
        modes = termios.tcgetattr(descriptor)
    except termios.error:
        yield
        return
    try:
        yield
    finally:
        with suppress(termios.error, OSError):
            # Only who is in the foreground may: anybody else would be stopped for trying.
            if os.tcgetpgrp(descriptor) == os.getpgrp():
                termios.tcsetattr(descriptor, termios.TCSADRAIN, modes)


def _standard_descriptors() -> Iterator[int]:
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            yield stream.fileno()
