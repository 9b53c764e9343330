"""Runs a Textual application so that it ends well: by signals, and when the terminal is gone."""

from __future__ import annotations

import os
import select
import signal
import sys
import termios
from asyncio import AbstractEventLoop, get_running_loop
from collections.abc import Callable, Iterable
from contextlib import suppress
from threading import Thread
from types import FrameType
from typing import IO, Any, TypeVar

from rich.console import RenderableType
from textual import events
from textual._xterm_parser import XTermParser
from textual.app import App
from textual.driver import Driver
from textual.drivers import linux_driver
from textual.drivers.linux_driver import LinuxDriver

from rollout_tui.ending import end_by, signals_handled, terminal_gone
from rollout_tui.outcomes import EndedBySignal

T = TypeVar("T")

PATIENCE = 2.0
"""Seconds that an application has to leave once a signal told it to; then the process ends without it."""

_OUT_SECONDS = 0.2
"""Seconds that a terminal has to take the last bytes; one that was stopped takes none."""

_TO_NORMAL = (
    b"\x18\x1b[?2004l\x1b[?7h\x1b[?2048l\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l"
    b"\x1b[<u\x1b[?1049l\x1b[?25h\x1b[?1004l\x1b[0m"
)
"""Undoes what Textual does to a terminal; CAN first, which ends a sequence that was cut off."""


class TerminalApp(App[T]):
    """An application that can send to its terminal what is not drawn, and tells when it is left.

    Attributes:
        send_to_terminal: sends characters to the terminal as they are. Where there is none nobody gets them.
        tell_left: told when the application begins to end.
    """

    def __init__(self, *, ansi_color: bool = False) -> None:
        super().__init__(ansi_color=ansi_color)
        self.send_to_terminal: Callable[[str], object] = _to_nobody
        self.tell_left: Callable[[], object] = _nobody_told

    def exit(
        self, result: T | None = None, return_code: int = 0, message: RenderableType | None = None
    ) -> None:
        """Leave the application; see `App.exit`."""
        self.tell_left()
        super().exit(result, return_code, message)


def run_app(app: TerminalApp[T], *, mouse: bool) -> T | None:
    """Run an application until it is left.

    Args:
        app: the application.
        mouse: let the mouse work.

    Returns:
        Its result.

    Raises:
        EndedBySignal: a signal asked for the end; the terminal is as it was before.
        TerminalGone: there is no terminal any more, and the signal that says so is ignored.
    """
    end = _End(app)
    app.driver_class = end.driver_class()
    before = signal.signal(signal.SIGALRM, end.force)
    interrupted = signal.getsignal(signal.SIGINT)
    try:
        with signals_handled(end.by_signal):
            result = app.run(mouse=mouse)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        signal.signal(signal.SIGINT, interrupted)
    if end.number is not None:
        raise EndedBySignal(end.number)
    if end.is_gone:
        terminal_gone()
    return result


_ESC = "\x1b"

_INTRODUCERS = "[O]P_^"
"""What goes on behind esc in sequences that terminals send: keys, reports, answers."""


class _EscapeParser(XTermParser):
    """Tells keys from bytes; of a key with alt, esc and the key.

    On the wire both are the same, no key of this program is one with alt, and Textual would drop the esc.
    """

    def _sequence_to_key_events(self, sequence: str, alt: bool = False) -> Iterable[events.Key]:
        if len(sequence) == 2 and sequence[0] == _ESC and sequence[1] not in _INTRODUCERS:
            alt, sequence = True, sequence[1]
        if alt:
            yield events.Key("escape", _ESC)
        yield from super()._sequence_to_key_events(sequence)


# The driver makes its parser itself, and has no other way to be given one.
linux_driver.XTermParser = _EscapeParser  # type: ignore[attr-defined]


class _End:
    """The end of one application, and why it came if it was not by the reader.

    Attributes:
        number: the signal that asked for it.
        is_gone: whether the terminal is gone.
    """

    def __init__(self, app: TerminalApp[Any]) -> None:
        self.number: int | None = None
        self.is_gone = False
        self._app = app
        self._forced_by: int = signal.SIGHUP
        self._loop: AbstractEventLoop | None = None
        self._modes = _modes()

    def by_signal(self, number: int) -> None:
        """Ask the application to leave, but not for long. For the main thread, in a signal handler."""
        if self.number is None:
            self.number = number
            self._leave()

    def terminal_gone(self) -> None:
        """Likewise, from any thread."""
        if not self.is_gone:
            self.is_gone = True
            self._leave()

    def _leave(self) -> None:
        # What Textual has for this waits for its loop, which a signal handler may not.
        loop = self._loop
        if loop is None or loop.is_closed():
            return  # it has not begun, or it is over
        signal.setitimer(signal.ITIMER_REAL, PATIENCE)
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(self._app.exit)

    def leaves(self) -> None:
        """The reader leaves. From here on ctrl+c is no key but a signal, with nothing left to interrupt."""
        signal.signal(signal.SIGINT, self._hurry)

    def _hurry(self, number: int, _frame: FrameType | None) -> None:
        """The reader does not want to wait: what is still at work has not long to end."""
        self._forced_by = number
        signal.setitimer(signal.ITIMER_REAL, PATIENCE)

    def force(self, _number: int, _frame: FrameType | None) -> None:
        """Put the terminal in order without the application, which does not answer, and end."""
        descriptor = sys.__stderr__.fileno() if sys.__stderr__ is not None else 2
        with suppress(OSError, ValueError):
            if select.select([], [descriptor], [], _OUT_SECONDS)[1]:
                os.write(descriptor, _TO_NORMAL)
        with suppress(OSError, termios.error):
            if self._modes is not None:
                termios.tcsetattr(0, termios.TCSANOW, self._modes)
        end_by(self.number if self.number is not None else self._forced_by)

    def begins(self, driver: Driver) -> None:
        """Take notice of what connects the application with the terminal; in the loop of the application."""
        self._loop = get_running_loop()
        self._app.send_to_terminal = driver.write
        self._app.tell_left = self.leaves

    def draw_again(self) -> None:
        """Draw everything anew, once it is its turn."""
        self._app.call_later(self._app.refresh)

    def driver_class(self) -> type[Driver]:
        """What connects the application with the terminal, and notices the end of that."""
        end = self

        class TerminalDriver(LinuxDriver):
            def __init__(self, app: App[Any], *, debug: bool, mouse: bool, size: tuple[int, int] | None):
                super().__init__(app, debug=debug, mouse=mouse, size=size)
                end.begins(self)
                self._file: Any = _Output(sys.__stderr__, end.terminal_gone)

            def _sigcont_application(self, *_args: object) -> None:
                # Textual begins anew at each, also when it had not left the terminal before.
                if self._must_signal_resume:
                    super()._sigcont_application()
                else:
                    end.draw_again()

            def run_input_thread(self) -> None:
                # Textual reads on at the end of the input, as fast as it can.
                with _HangUpWatch(self.fileno, end.terminal_gone):
                    try:
                        super().run_input_thread()
                    except OSError:
                        end.terminal_gone()

        return TerminalDriver


def _to_nobody(_characters: str) -> None:
    pass


def _nobody_told() -> None:
    pass


def _modes() -> list[Any] | None:
    try:
        return termios.tcgetattr(0)
    except (termios.error, OSError):
        return None


class _Output:
    """The terminal to write to. What cannot be written is dropped: the thread that writes must live on."""

    def __init__(self, file: IO[str] | None, gone: Callable[[], None]) -> None:
        assert file is not None  # the inspector is not opened without a terminal
        self._file = file
        self._gone = gone

    def write(self, text: str) -> None:
        try:
            self._file.write(text)
        except OSError:
            self._gone()

    def flush(self) -> None:
        try:
            self._file.flush()
        except OSError:
            self._gone()

    def fileno(self) -> int:
        return self._file.fileno()


class _HangUpWatch:
    """A thread that waits for the end of a terminal, at no cost meanwhile."""

    def __init__(self, descriptor: int, gone: Callable[[], None]) -> None:
        self._descriptor = descriptor
        self._gone = gone
        self._thread = Thread(target=self._wait, name="hang-up", daemon=True)

    def __enter__(self) -> None:
        self._woken, self._wake = os.pipe()
        self._thread.start()

    def __exit__(self, *_error: object) -> None:
        os.close(self._wake)
        self._thread.join()
        os.close(self._woken)

    def _wait(self) -> None:
        poll = select.poll()
        poll.register(self._descriptor, 0)  # a hang-up is told even if nothing is asked for
        poll.register(self._woken, 0)
        if any(descriptor == self._descriptor for descriptor, _events in poll.poll()):
            self._gone()
