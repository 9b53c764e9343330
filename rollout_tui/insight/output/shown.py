"""Reading what a model was shown of a command: what Codex put before the output, and where it cut it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from rollout_tui.insight.cells.texts import json_in, strings_in

ShownKind = Literal["heading", "told", "line", "head cut", "notice", "tail cut"]
"""A `line` of output; what Codex `told` about it; a `notice` that something was left out, with the cut line
before it and the one after it; a `heading` of our own."""

_TOLD = re.compile(
    r"(?:Chunk ID: |Wall time:? |Process (?:exited|running) |Exit code: |Original token count: "
    r"|Total output lines: |Script (?:completed|failed|terminated|running)\b)"
)
_PREAMBLE = re.compile(r"(?:Warning: truncated output[^\n]*|Total output lines: \d+)\Z")
_NOTICE = re.compile(
    r"…\s?[\d,]+ (?:tokens|chars|characters|bytes|lines) truncated\s?…"
    r"|\[\.\.\. omitted [^\]\n]{1,80} \.\.\.\]"
    r"|\[\.\.\. output truncated to fit [^\]\n]{1,80} \.\.\.\]"
)
MAX_TOLD = 12
"""Lines that Codex puts before an output at most."""

_OUTPUT_KEYS = frozenset({"output", "stdout", "aggregated_output"})


class ShownLine(NamedTuple):
    """A line of what the model was shown.

    Attributes:
        kind: what it is.
        text: the line.
        joins: whether it goes on with the last line of output before.
        begins: whether it is the heading of an output.
    """

    kind: ShownKind
    text: str
    joins: bool = False
    begins: bool = False


def read_shown(text: str, printed: str) -> list[ShownLine]:
    """The lines of an output as the model was shown it.

    Args:
        text: what it was shown.
        printed: what the process printed; what looks like a notice but was printed is none.
    """
    told, body = _split_told(text)
    lines = [ShownLine("told", line) for line in told]
    preamble: list[str] = []
    rest = body
    while (first := rest.partition("\n"))[1] and (_PREAMBLE.match(first[0]) or (preamble and not first[0])):
        preamble.append(first[0])
        rest = first[2]
        if not first[0]:
            break
    if preamble and not printed.startswith(preamble[0]):
        lines += [ShownLine("notice", line) for line in preamble if line]
        body = rest
    return [*lines, *_body_lines(body, printed)]


def ends_in_line(text: str) -> bool:
    """Whether an output ends in the middle of a line, so that the next one of its process may go on there."""
    told, body = _split_told(text)
    return bool(told and body) and not body.endswith("\n")


def is_output(text: str) -> bool:
    """Whether a text is an output of a process, by what Codex puts before one."""
    return bool(_split_told(text)[0])


def _split_told(text: str) -> tuple[list[str], str]:
    """What Codex says about an output, and the output: they part at a line `Output:`."""
    told: list[str] = []
    rest = text
    for _line in range(MAX_TOLD):
        line, newline, after = rest.partition("\n")
        if line == "Output:":
            return [*told, line], after
        if not newline or not _TOLD.match(line):
            break
        told.append(line)
        rest = after
    return [], text


def _body_lines(body: str, printed: str) -> Iterator[ShownLine]:
    """The lines of an output, parted at the notices that something was left out of it."""
    start = 0
    after_notice = False
    for notice in _NOTICE.finditer(body):
        if notice[0] in printed:
            continue
        yield from _piece_lines(body[start : notice.start()], after_notice, before_notice=True)
        yield ShownLine("notice", notice[0])
        start, after_notice = notice.end(), True
    yield from _piece_lines(body[start:], after_notice, before_notice=False)


def _piece_lines(piece: str, after_notice: bool, *, before_notice: bool) -> Iterator[ShownLine]:
    """The lines of a stretch of output; the first and last may be halves of lines that a notice cut."""
    lines = split_lines(piece)
    if after_notice and lines:
        first = lines.pop(0)
        if first:
            yield ShownLine("tail cut", first)
    cut = lines.pop() if before_notice and lines and not piece.endswith("\n") else ""
    for line in lines:
        yield ShownLine("line", line)
    if cut:
        yield ShownLine("head cut", cut)


def split_lines(text: str) -> list[str]:
    """The lines of a text, each without its line end."""
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    return [line.removesuffix("\r") for line in lines]


def unwrapped(text: str, printed: str) -> str | None:
    """The output within a text that is JSON, such as a whole result; None for any other text."""
    value = json_in(text)
    if value is None:
        return None
    if isinstance(value, dict):
        for key in _OUTPUT_KEYS:
            if isinstance(value.get(key), str):
                return str(value[key])
    wanted = printed.strip()
    return next((one for one in strings_in(value) if wanted and one.strip() == wanted), None)


def shares_a_line(text: str, printed_lines: frozenset[str]) -> bool:
    """Whether any line of a text, but for blank ones, is among lines that were printed."""
    return any(line.strip() and line in printed_lines for line in split_lines(text))
