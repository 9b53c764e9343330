"""Where results of commands go: to a terminal in a form that it cannot obey, elsewhere byte for byte."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

from rollout_tui.commands.output import CommandError, complain, plain_reason, write_bytes
from rollout_tui.commands.terminal_forms import escaped_json, visible_text
from rollout_tui.safe_text import SafeText
from rollout_tui.write_file import (
    Contents,
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


class Form(Enum):
    """What a result consists of."""

    TEXT = auto()
    """Lines that are safe already."""
    JSON = auto()
    RAW = auto()
    """Bytes of the evidence, whatever they are."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a command found.

    Attributes:
        data: its bytes; where they are an iterator, they can be taken once.
        form: what they are.
    """

    data: Contents
    form: Form


def text_result(lines: Iterable[SafeText]) -> Result:
    """Lines as a result."""
    return Result((f"{line.rstrip()}\n".encode() for line in lines), Form.TEXT)


def print_result(result: Result) -> None:
    """Put a result on standard output.

    Raises:
        typer.Exit: The reader went away.
        CommandError: Standard output is closed or could not be written.
    """
    if not sys.stdout.isatty():
        write_bytes(result.data)
        return
    shown, is_exact = _for_terminal(result)
    write_bytes(shown)
    _say_unless(is_exact)


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
            shown, is_exact = _for_terminal(result)
            write_to_device(target, shown)
            _say_unless(is_exact)
    except (OSError, ValueError) as error:
        reason = plain_reason(error) if isinstance(error, OSError) else str(error)
        way_out = "" if is_typed else "; -o FILE writes it somewhere else"
        raise CommandError(f"cannot write {target}: {reason}{way_out}") from None


def _for_terminal(result: Result) -> tuple[bytes, bool]:
    """A result as a terminal may get it, and whether it is still the same but for a last line feed."""
    data = b"".join(pieces_of(result.data))
    shown = escaped_json(data) if result.form is Form.JSON else visible_text(data)
    return shown, result.form is Form.TEXT or shown.removesuffix(b"\n") == data.removesuffix(b"\n")


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
