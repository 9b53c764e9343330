"""What commands say on standard output and standard error: clean lines, and status instead of tracebacks."""

from __future__ import annotations

import io
import json
import os
import sys
from contextlib import suppress
from typing import TextIO

from rollout_tui import glyphs
from rollout_tui.commands.terminal_forms import escaped_json
from rollout_tui.outcomes import READER_GONE, CommandEndedError, CommandError, plain_reason
from rollout_tui.safe_text import SafeText, clip, flowing_text, safe_text
from rollout_tui.write_file import Contents, pieces_of

MAX_LISTED_LINE = 1000
"""Cells of one line of a list; ids and reasons come from the bundle and may be of any length."""

MAX_MESSAGE = 5000
"""Cells of a message: the longest path there can be, and what is wrong with it."""


class ClosedOutput(io.TextIOBase):
    """Standard output that was closed before the program began: it refuses what is written."""

    @property
    def buffer(self) -> ClosedOutput:
        """Where bytes go: nowhere either."""
        return self

    def write(self, text: object) -> int:
        """Refuse.

        Raises:
            CommandError: always.
        """
        raise CommandError("cannot write to standard output: it is closed")


def prepare_streams() -> None:
    """Settle how the standard streams are used.

    Messages are ASCII where standard error is not UTF-8; results have the marks of a Linux console only where
    they are shown on one. Python has None for a closed stream, and whoever
    prints, such as typer its help, takes that for a place where everything may go: a result would be lost.
    """
    if sys.stdout is None:
        sys.stdout = ClosedOutput()
    term = os.environ.get("TERM") if sys.stdout.isatty() else None
    glyphs.use(glyphs.for_terminal(sys.stderr.encoding if sys.stderr else None, term=term))


def complain(text: str) -> None:
    """A line on standard error that says what is wrong; it may quote a bundle, a path or an argument."""
    write_line(sys.stderr, _one_line(f"rollout-tui: {text}", MAX_MESSAGE))


def report(text: str) -> None:
    """A line on standard error that is one of a list; it may quote a bundle or a path."""
    write_line(sys.stderr, _one_line(text, MAX_LISTED_LINE))


def print_path(path: str) -> None:
    """A path on standard output: made safe for a terminal, byte for byte for a program."""
    if sys.stdout and sys.stdout.isatty():
        write_line(sys.stdout, safe_text(path))
    else:
        write_bytes(os.fsencode(path) + b"\n")


def write_line(stream: TextIO | None, line: str) -> None:
    """A line of text that is safe already; a terminal gets it through the sanitiser all the same.

    Args:
        stream: Where to; None, as Python has it for closed standard error, takes everything.
        line: The line without its line feed.

    Raises:
        CommandEndedError: The reader went away.
        CommandError: Standard output could not be written.
    """
    if stream is None:
        return
    try:
        stream.write((flowing_text(line) if stream.isatty() else line) + "\n")
        stream.flush()
    except OSError as error:
        _give_up(stream, error)


def write_json(stream: TextIO | None, value: object) -> None:
    """What a program is told: one JSON document in ASCII. A terminal gets no DEL either, which JSON allows.

    Args:
        stream: As for `write_line`.
        value: What `json` can write.

    Raises:
        CommandEndedError: The reader went away.
        CommandError: Standard output could not be written.
    """
    if stream is None:
        return
    text = json.dumps(value, indent=2) + "\n"
    try:
        stream.write(escaped_json(text.encode()).decode() if stream.isatty() else text)
        stream.flush()
    except OSError as error:
        _give_up(stream, error)


def write_bytes(data: Contents) -> None:
    """Bytes on standard output, exactly these; `print_result` is for what a terminal must not get so.

    Raises:
        CommandEndedError: The reader went away.
        CommandError: Standard output is closed or could not be written.
    """
    try:
        sys.stdout.flush()
        sys.stdout.buffer.writelines(pieces_of(data))
        sys.stdout.buffer.flush()
    except OSError as error:
        _give_up(sys.stdout, error)


def flush_standard_output() -> None:
    """Find out now, and not when the interpreter ends, that standard output cannot be written.

    Raises:
        CommandEndedError: The reader went away.
        CommandError: Standard output could not be written.
    """
    if sys.stdout is not None:
        try:
            sys.stdout.flush()
        except OSError as error:
            _give_up(sys.stdout, error)


def drop_unwritten() -> None:
    """Let what standard output did not take, which was said, not fail once more when the interpreter ends."""
    with suppress(CommandEndedError, CommandError):
        flush_standard_output()


def _one_line(text: str, cells: int) -> SafeText:
    # A character is seldom less than a cell: what is far beyond the end need not be looked at.
    return clip(safe_text(text[: 4 * cells]), cells)


def _give_up(stream: TextIO, error: OSError) -> None:
    """What is left in the stream's buffer must not fail once more when the interpreter ends."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, stream.fileno())
    os.close(null)
    if isinstance(error, BrokenPipeError):
        raise CommandEndedError(READER_GONE) from None
    if stream is sys.stdout:
        raise CommandError(f"cannot write to standard output: {plain_reason(error)}") from None
