"""Shows a text in the reader's pager, sanitised while it is read: no copy is kept in memory or on disk."""

from __future__ import annotations

import re
import shlex
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from types import FrameType
from typing import IO

from rollout_tui.ending import ended_as_well
from rollout_tui.safe_text import safe_text

DEFAULT_PAGERS = ("less", "more")
"""What is looked for, in this order, where `PAGER` names nothing."""

LONGEST_LINE = 32_768
"""Characters of one line that are sanitised at a time: a payload may be a single line of many megabytes."""

BLOCK = 65_536
"""Characters that are handed to the pager at a time."""

_LEFT_EARLY = frozenset({-signal.SIGINT, -signal.SIGPIPE, 128 + signal.SIGINT, 128 + signal.SIGPIPE})
"""Ways in which a pager ends, or a shell says so, when the reader had enough: nothing went wrong."""

_NOT_FOUND = 127
"""How a shell says that there is no such program."""

_SHELL_SIGNS = re.compile(r"[|&;<>()$`*?\[\]#~{}!\n]|^\w+=")
"""What makes a command more than words: only a shell can run it."""

_RAW_MODES = frozenset(
    {"LESS", "LESSOPEN", "LESSCLOSE", "LESSKEY", "LESSKEYIN", "MORE", "LV", "MOST_SWITCHES"}
)
"""Variables by which pagers are told to pass control characters on, or to run programs."""


def open_in_pager(text: str | Iterable[str], environment: Mapping[str, str]) -> str | None:
    """Show a text in `PAGER` until the reader leaves it.

    The terminal must be the pager's: call it inside `with app.suspend():`. The text goes to its standard
    input, never into a command line. A reader who leaves early ends the making of the text, too.

    Args:
        text: the text, or its lines without their ends, which may be made while they are read.
        environment: the environment of the program; the pager gets it, but for what would make it pass
            control characters on.

    Returns:
        What went wrong, in a sentence that is safe to show; None if nothing did.

    Raises:
        Exception: what the lines raise while they are made; the pager has ended then.
    """
    command = pager_command(environment)
    if command is None:
        return f"there is no pager: {' and '.join(DEFAULT_PAGERS)} are not installed, and PAGER names none"
    name = safe_text(environment.get("PAGER", "").strip() or command[0])
    lines = lines_of(text) if isinstance(text, str) else text
    with _interrupts_left_to_the_pager():
        try:
            pager = subprocess.Popen(command, stdin=subprocess.PIPE, env=pager_environment(environment))
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else None
            return f"the pager {name} cannot be started: {safe_text(reason or str(error))}"
        with pager, ended_as_well(pager):
            assert pager.stdin is not None
            _feed(pager.stdin, lines)
            status = pager.wait()
    return _trouble(name, status)


def _trouble(name: str, status: int) -> str | None:
    """What the exit status of a pager says, negative for a signal."""
    if status == 0 or status in _LEFT_EARLY:
        return None
    if status == _NOT_FOUND:
        return f"the pager {name} is not installed"
    how = f"was ended by signal {-status}" if status < 0 else f"failed with status {status}"
    return f"the pager {name} {how}"


def pager_command(environment: Mapping[str, str]) -> list[str] | None:
    """The command line of the pager, as a list; None where there is no pager.

    A `PAGER` that is a program with arguments is run as such. One with pipes, variables or assignments is run
    by `sh`, as other programs run it; it is the reader's own, and nothing of a bundle is in it.
    """
    wanted = environment.get("PAGER", "").strip()
    if not wanted:
        path = environment.get("PATH")
        found = next((name for name in DEFAULT_PAGERS if shutil.which(name, path=path)), None)
        return None if found is None else [found]
    if not _SHELL_SIGNS.search(wanted):
        with suppress(ValueError):  # a quote that is not closed: let the shell say so
            return shlex.split(wanted)
    return ["/bin/sh", "-c", wanted]


def pager_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of a pager that shows control characters, should there be any, and runs no programs."""
    kept = {name: value for name, value in environment.items() if name not in _RAW_MODES}
    # M: a prompt that tells the place. R and r, which pass control characters on, are taken back.
    return {**kept, "LESS": "-M -+R -+r", "LESSSECURE": "1"}


def safe_blocks(lines: Iterable[str]) -> Iterator[bytes]:
    """The lines sanitised, in blocks of UTF-8, each of about `BLOCK` characters.

    Args:
        lines: lines without their ends; a line end inside one is shown as a picture.
    """
    block: list[str] = []
    length = 0
    for piece in _safe_pieces(lines):
        block.append(piece)
        length += len(piece)
        if length >= BLOCK:
            yield "".join(block).encode("utf-8")
            block, length = [], 0
    if block:
        yield "".join(block).encode("utf-8")


def _safe_pieces(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        for start in range(0, len(line), LONGEST_LINE):
            yield safe_text(line[start : start + LONGEST_LINE])
        yield "\n"


def lines_of(text: str) -> Iterator[str]:
    r"""The lines of a text, one at a time; they end at `\n` or `\r\n`."""
    start = 0
    while start < len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        yield text[start:end].removesuffix("\r")
        start = end + 1


def _feed(pipe: IO[bytes], lines: Iterable[str]) -> None:
    """Write until the text or the pager ends."""
    # The reader has seen enough when the pipe breaks, while writing or when the rest is flushed.
    with suppress(BrokenPipeError), pipe:
        for block in safe_blocks(lines):
            pipe.write(block)


@contextmanager
def _interrupts_left_to_the_pager() -> Iterator[None]:
    """Let `ctrl+c` end the pager alone: a terminal sends it to all its programs.

    A handler is set back when another program starts, so the pager can be interrupted; ignoring the signal
    would be inherited. Only the main thread can set one, and only it is interrupted.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def ignore(_signal: int, _frame: FrameType | None) -> None:
        return None

    before = signal.signal(signal.SIGINT, ignore)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
