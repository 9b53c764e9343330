"""`rollout-tui record`: run a command with tracing on, and look at the bundle it writes."""

from __future__ import annotations

import locale
import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reducer import BundleError
from rollout_tui import glyphs
from rollout_tui.commands.inspector import check_terminal
from rollout_tui.commands.output import complain, report
from rollout_tui.default_root import TRACE_ROOT_VARIABLE, default_root
from rollout_tui.ending import signals_raise
from rollout_tui.outcomes import CommandError, plain_reason
from rollout_tui.recording.appearing import Appearing
from rollout_tui.recording.foreground import NotStarted, run_in_foreground
from rollout_tui.recording.pty_command import PtyCommand, read_key

_MAX_NAMED = 60
"""Characters of a command that a sentence shows."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """How the inspector is drawn: with ASCII only, with colours, with the mouse taken."""

    ascii_wanted: bool = False
    color: bool = True
    mouse: bool = False


def record(command: Sequence[str], root: Path | None, *, with_tui: bool, drawing: Drawing) -> int:
    """Run a command that records, and pass on its exit status.

    Args:
        command: the program and its arguments.
        root: where bundles go; None for `$CODEX_ROLLOUT_TRACE_ROOT`, or else a directory of our own.
        with_tui: open the inspector on the first bundle that appears; otherwise only record.
        drawing: how the inspector is drawn.

    Returns:
        The exit status of the command, 128 and the number of the signal if one ended it.

    Raises:
        CommandError: there is nowhere to record to, or no terminal.
    """
    if with_tui:
        check_terminal(os.environ, "`rollout-tui record --no-tui` works without one")
    directory = _made(root if root is not None else default_root(os.environ))
    if root is None and not os.environ.get(TRACE_ROOT_VARIABLE):
        report(f"rollout-tui: recording into {directory}")
    appearing = Appearing(directory)
    environ = {**os.environ, TRACE_ROOT_VARIABLE: str(directory)}
    try:
        status = (
            _follow(command, environ, appearing, drawing) if with_tui else run_in_foreground(command, environ)
        )
    except NotStarted as error:
        complain(str(error))
        return error.status
    bundles = appearing.bundles()
    for bundle in bundles:
        report(str(bundle))
    if not bundles:
        report(f"rollout-tui: no bundle appeared in {directory}")
    return status


def _made(root: Path) -> Path:
    """The trace root as an absolute path; only its owner may read one that is made here."""
    directory = Path(os.path.abspath(root))
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.listdir(directory)
    except OSError as error:
        raise CommandError(f"cannot record into {directory}: {plain_reason(error)}") from None
    return directory


def _follow(
    command: Sequence[str], environ: Mapping[str, str], appearing: Appearing, drawing: Drawing
) -> int:
    """The exit status of a command beside the inspector; a signal that ends this program ends it."""
    with signals_raise():
        return _Following(command, environ, appearing, drawing).run()


class _Following:
    """A command in a pseudo-terminal, and the inspector on its bundle."""

    def __init__(
        self, command: Sequence[str], environ: Mapping[str, str], appearing: Appearing, drawing: Drawing
    ) -> None:
        self._name = shlex.join(command)[:_MAX_NAMED]
        self._appearing = appearing
        self._drawing = drawing
        self._command = PtyCommand(command, environ)

    def run(self) -> int:
        """Until the command has ended and the reader left; the exit status of the command.

        Until a bundle appears the command has the real terminal. Then the inspector has it, and what the
        command prints is kept and shown when the reader has left.
        """
        command = self._command
        try:
            command.attach(until=lambda: self._appearing.first_begun() is not None)
            bundle = self._appearing.first_begun()
            is_looking = bundle is not None
            while bundle is not None and is_looking:
                self._inspect(bundle)
                is_looking = command.is_running and self._what_now() == "inspect"
            return command.finish()
        except BaseException:
            command.end_and_show()
            raise

    def _inspect(self, bundle: Path) -> None:
        """The inspector on the bundle, which it follows while the command runs."""
        from rollout_tui.app import run_inspector

        drawing = self._drawing
        ascii_only = glyphs.for_terminal(locale.getencoding(), drawing.ascii_wanted).ascii_only
        try:
            run_inspector(
                bundle,
                ascii_only=ascii_only,
                color=drawing.color and not os.environ.get("NO_COLOR"),
                mouse=drawing.mouse,
                at=None,
                follow=self._command.is_running,
            )
        except BundleError as error:
            complain(str(error))

    def _what_now(self) -> str:
        """Ask what is to become of a command that still runs: `wait` or `inspect`; it may be ended here."""
        report(f"still running: {self._name}")
        report("w waits for it, e ends it, i goes back to the inspector")
        while self._command.is_running:
            key = read_key(sys.stdin.fileno(), 0.5)
            if key in ("w", "W", "\r", "\n"):
                self._command.attach(until=lambda: False)
                return "wait"
            if key in ("e", "E", "\x03"):
                self._command.end()
                return "wait"
            if key in ("i", "I"):
                return "inspect"
        return "wait"
