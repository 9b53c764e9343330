"""Where results of commands go: to a terminal in a form that it cannot obey, elsewhere byte for byte."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from rollout_tui.commands.output import complain, write_bytes
from rollout_tui.commands.terminal_forms import escaped_json, escaped_pieces, visible_text
from rollout_tui.outcomes import CommandError, plain_reason
from rollout_tui.showing.result import Form, Result
from rollout_tui.write_file import (
    Evidence,
    is_device,
    pieces_of,
    refuse_evidence,
    write_atomically,
    write_to_device,
)

STANDARD_OUTPUT = ("-", "/dev/stdout")
"""Names of standard output."""

EXACT_BYTES = (
    "what a terminal would obey or hide is shown escaped; "
    "for the exact bytes pipe it, or write it with -o FILE"
)
"""Said when a terminal got something else than the result."""


def print_result(result: Result) -> None:
    """Put a result on standard output.

    Raises:
        CommandEndedError: The reader went away.
        CommandError: Standard output is closed or could not be written.
    """
    if not sys.stdout.isatty():
        write_bytes(result.data)
        return
    shown = _Shown(result)
    write_bytes(shown.pieces())
    _say_unless(shown.is_exact)


def write_result(result: Result, target: Path, bundle: Evidence, *, is_typed: bool = True) -> None:
    """Write a result into a file, whole or not at all.

    Args:
        result: what to write.
        target: where to.
        bundle: what it comes of, which is not written over.
        is_typed: whether the reader named it. Only then it may be a device or a pipe: one in a bundle is
            somebody else's doing.

    Raises:
        CommandError: it could not be written.
    """
    try:
        refuse_evidence(target, bundle)
        if not is_typed or not is_device(target):
            write_atomically(target, result.data)
        elif not _is_terminal(target):
            write_to_device(target, result.data)
        else:
            shown = _Shown(result)
            write_to_device(target, shown.pieces())
            _say_unless(shown.is_exact)
    except (OSError, ValueError) as error:
        reason = plain_reason(error) if isinstance(error, OSError) else str(error)
        way_out = "" if is_typed else "; -o FILE writes it somewhere else"
        raise CommandError(f"cannot write {target}: {reason}{way_out}") from None


class _Shown:
    """A result as a terminal may get it, piece by piece: a graph is too large to be held as text.

    Attributes:
        is_exact: whether what was given so far is the same but for a last line feed.
    """

    def __init__(self, result: Result) -> None:
        self.is_exact = True
        self._result = result

    def pieces(self) -> Iterator[bytes]:
        """All of it; it can be taken once."""
        pieces = pieces_of(self._result.data)
        if self._result.form is Form.JSON:
            yield from escaped_pieces(map(self._look_at, pieces))
            return
        for piece in pieces:  # whole lines each
            shown = visible_text(piece)
            if self._result.form is Form.RAW and shown.removesuffix(b"\n") != piece.removesuffix(b"\n"):
                self.is_exact = False
            yield shown

    def _look_at(self, piece: bytes) -> bytes:
        self.is_exact = self.is_exact and escaped_json(piece) == piece
        return piece


def _say_unless(is_exact: bool) -> None:
    if not is_exact:
        complain(EXACT_BYTES)


def _is_terminal(path: Path) -> bool:
    """Whether a device is a terminal, such as `/dev/tty`; a pipe is none, and is not opened to find out."""
    if not path.is_char_device():
        return False
    descriptor = os.open(path, os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        return os.isatty(descriptor)
    finally:
        os.close(descriptor)
