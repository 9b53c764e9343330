"""Copies to the clipboard of the terminal, over SSH as well: OSC 52, and what tmux and screen want of it.

The terminal gives no answer: whether it took the text cannot be known, and nothing here says "copied".
"""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from rollout_tui.safe_text import safe_block, safe_text
from rollout_tui.texts.short_forms import size

MAX_BYTES = 74_994
"""Bytes of UTF-8 that are sent at most. In base64 and with its frame that is a sequence of 100,000 bytes;
common terminals drop longer ones."""

TMUX_TIMEOUT = 1.0
"""Seconds for tmux to take the text; it answers in milliseconds unless it hangs."""

SCREEN_CHUNK = 240
"""Characters of one device control string: screen keeps no more than 256 in its older versions."""

Wrapping = Literal["plain", "tmux", "screen"]

_ESC = "\x1b"
_ST = f"{_ESC}\\"


@dataclass(frozen=True, slots=True)
class Copied:
    """What became of a copy.

    Attributes:
        sentence: says it, in a line.
        sent: whether anything was sent to the terminal.
        too_large: whether it was too much for that, so that a file or a pager should be offered.
        size: bytes of the text in UTF-8.
    """

    sentence: str
    sent: bool
    too_large: bool
    size: int


def copy(
    text: str | bytes,
    write: Callable[[str], object],
    environment: Mapping[str, str],
    *,
    raw: bool = False,
) -> Copied:
    """Send a text to the clipboard of the terminal. Never raises.

    Inside tmux its own buffer is filled, too, by `tmux load-buffer -w -`: with the usual settings tmux drops
    what a program sends, but passes on what is loaded. That may take up to `TMUX_TIMEOUT` seconds.

    Args:
        text: what to copy, from the data and not from the screen. Bytes are taken for UTF-8.
        write: writes characters, all of them ASCII, to the terminal, such as the `write` of Textual's driver.
        environment: the environment of the program; `TMUX`, `STY`, `TERM` and `PATH` matter.
        raw: copy it as it is, control characters included. Ask for this only when the reader did.

    Returns:
        What became of it.
    """
    data = _bytes(text, raw)
    if not data:
        return Copied("there is nothing to copy", sent=False, too_large=False, size=0)
    if len(data) > MAX_BYTES:
        sentence = f"{size(len(data))} is too much for a terminal's clipboard, which takes {size(MAX_BYTES)}"
        return Copied(sentence, sent=False, too_large=True, size=len(data))
    try:
        for wrapping in wrappings(environment):
            write(osc52(data, wrapping))
    except Exception as error:
        # `write` may be anybody's, and a failed copy must not end the program.
        sentence = f"the terminal did not take it: {safe_text(str(error))}"
        return Copied(sentence, sent=False, too_large=False, size=len(data))
    loaded = bool(environment.get("TMUX")) and load_tmux_buffer(data, environment)
    where = "the terminal's clipboard and tmux's buffer" if loaded else "the terminal's clipboard"
    return Copied(f"sent to {where}, {size(len(data))}", sent=True, too_large=False, size=len(data))


def osc52(data: bytes, wrapping: Wrapping = "plain") -> str:
    """The sequence that asks a terminal to put bytes on its clipboard.

    Args:
        data: what to put there.
        wrapping: `tmux` for its passthrough, a device control string in which every ESC is doubled; `screen`
            for its passthrough, device control strings of limited length.
    """
    sequence = f"{_ESC}]52;c;{base64.b64encode(data).decode('ascii')}\a"
    if wrapping == "tmux":
        return f"{_ESC}Ptmux;{sequence.replace(_ESC, _ESC * 2)}{_ST}"
    if wrapping == "screen":
        chunks = (sequence[at : at + SCREEN_CHUNK] for at in range(0, len(sequence), SCREEN_CHUNK))
        return "".join(f"{_ESC}P{chunk}{_ST}" for chunk in chunks)
    return sequence


def wrappings(environment: Mapping[str, str]) -> tuple[Wrapping, ...]:
    """How to send a sequence, told from the environment; more than one where that leaves it open.

    `TMUX` and `STY` are set by multiplexers on this side. One on the other side of an SSH connection shows
    only in `TERM`, and only its settings say whether it takes the plain sequence or lets a wrapped one
    through; it drops the other.
    """
    if environment.get("TMUX"):
        return ("tmux",)
    if environment.get("STY"):
        return ("screen",)
    term = environment.get("TERM", "")
    if term.startswith("tmux"):
        return ("plain", "tmux")
    # tmux also calls itself `screen` in its older settings.
    return ("plain", "screen") if term.startswith("screen") else ("plain",)


def load_tmux_buffer(data: bytes, environment: Mapping[str, str]) -> bool:
    """Put bytes into tmux's paste buffer, and let tmux pass them on; say whether it did. Never raises.

    `-w` is known to tmux 3.2 and later.
    """
    try:
        done = subprocess.run(
            ["tmux", "load-buffer", "-w", "-"],
            input=data,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=dict(environment),
            timeout=TMUX_TIMEOUT,
            check=False,
        )
    except (OSError, ValueError, subprocess.SubprocessError):
        return False
    return done.returncode == 0


def _bytes(text: str | bytes, raw: bool) -> bytes:
    if raw:
        return text if isinstance(text, bytes) else text.encode("utf-8", "replace")
    if isinstance(text, bytes):
        text = text.decode("utf-8", "backslashreplace")
    if len(text) > MAX_BYTES:
        # It will be refused; sanitising megabytes for that would take seconds.
        return text.encode("utf-8", "replace")
    return safe_block(text).encode("utf-8")
