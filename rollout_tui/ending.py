"""Ending by a signal: everything is put in order first, and then the process ends by that very signal.

Who waits for this program, such as a shell or `timeout`, learns so what ended it. Nothing of Textual here.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

from rollout_tui.outcomes import CommandError, EndedBySignal

ENDING_SIGNALS = (signal.SIGHUP, signal.SIGQUIT, signal.SIGTERM)
"""Signals that ask for an end. One that is ignored from the start stays ignored, as `nohup` wants."""

_beside: list[subprocess.Popen[bytes]] = []
"""Programs that have the terminal while this one waits for them."""


class TerminalGone(CommandError):  # noqa: N818 - what it says
    """Nobody is at the terminal any more: its window was closed, or the connection broke."""

    def __init__(self) -> None:
        super().__init__("the terminal is gone")


def end_by(number: int) -> NoReturn:
    """End this process by a signal, at once.

    Args:
        number: of the signal; also one that is ignored.
    """
    signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [number])
    os.kill(os.getpid(), number)
    os._exit(128 + number)  # only where the signal was stopped on its way


def is_hang_up_heeded() -> bool:
    """Whether the end of the terminal is to end this program by SIGHUP."""
    return signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN


def terminal_gone() -> NoReturn:
    """Leave because the terminal is gone, by the signal that says so unless it is ignored.

    Raises:
        EndedBySignal: as if the signal had come before the end of the input.
        TerminalGone: the signal is ignored, so it is not what ends the program.
    """
    if is_hang_up_heeded():
        raise EndedBySignal(signal.SIGHUP)
    raise TerminalGone


@contextmanager
def signals_handled(handle: Callable[[int], None]) -> Iterator[None]:
    """Call a function for signals that ask for the end, from the main thread.

    In the background the terminal is somebody else's: nothing is put in order there, as that would stop the
    process for good. It ends at once.
    """

    def handler(number: int, _frame: FrameType | None) -> None:
        if _is_in_background():
            end_by(number)
        for process in _beside:
            with suppress(OSError):
                process.terminate()
        handle(number)

    heeded = [one for one in ENDING_SIGNALS if signal.getsignal(one) is not signal.SIG_IGN]
    before = {number: signal.signal(number, handler) for number in heeded}
    try:
        yield
    finally:
        for number, was in before.items():
            signal.signal(number, was)


@contextmanager
def signals_raise() -> Iterator[None]:
    """Let signals that ask for the end raise `EndedBySignal`, wherever the main thread is."""

    def raise_it(number: int) -> None:
        raise EndedBySignal(number)

    with signals_handled(raise_it):
        yield


@contextmanager
def ended_as_well(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """While a program has the terminal and this one waits for it, a signal that ends this one ends both."""
    _beside.append(process)
    try:
        yield
    finally:
        _beside.remove(process)


def _is_in_background() -> bool:
    if sys.__stdin__ is None:
        return False
    try:
        return os.tcgetpgrp(sys.__stdin__.fileno()) != os.getpgrp()
    except (OSError, ValueError):
        return False  # there is no terminal that could be another's
