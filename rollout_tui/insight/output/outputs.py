"""What the output of a tool says of how the call went: its state, its size, and the line that tells most.

Codex puts an envelope around what a tool gave back: how its process ended, how long it took, how many tokens
it had before it was cut. What is left is the body. Of its lines the one that tells most is:

- of what went well the first that says something: blank lines, separators and progress do not;
- of what failed the first line of a summary of failed tests; else the end of the last traceback; else the
  first line with the name of an error and a colon; else the first with a word of failure; else the last one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal

import orjson
from msgspec import Struct

State = Literal["", "running", "completed", "failed", "terminated"]
"""What an envelope says of a process or script beside an exit status; empty for nothing."""

CHARACTERS_PER_TOKEN = 4
"""Characters that make a token, roughly: the rate by which codex counts the tokens of an output."""

LONGEST_LINE = 400
"""Characters of a line that are looked at and given."""

_LOOKED_AT = 20_000
"""Characters at the beginning, and as many at the end of a text, among whose lines one is looked for."""

_LARGEST_JSON = 200_000
"""Characters of a JSON value that is looked into; of a larger one the first line stands for it."""

_HEADER = re.compile(
    r"(?:Chunk ID: |Wall time:? |Exit code: (?P<code>-?\d{1,10})"
    r"|Process exited with code (?P<exited>-?\d{1,10})|(?P<runs>Process running with session)"
    r"|Original token count: (?P<made>\d{1,15})"
    r"|Script (?P<state>completed|failed|terminated|running)\b|Output:|Script error:"
    r"|Warning: truncated output \(original token count: (?P<before>\d{1,15})\)|Total output lines: \d"
    r"|\.\.\. \d+ bytes omitted \.\.\.).*"
)
"""A line of an envelope. It ends with the first line that is none."""

_HEADER_LINES = 16
"""Lines of an envelope at most; codex writes ten."""

_CUT = re.compile(r"…\d+ (?:tokens|chars) truncated…|^Warning: truncated output|^Total output lines: ", re.M)
_LARGEST_CUT = 200_000
"""Characters in which the sign of a cut is looked for: codex cuts to less."""

_SEPARATOR = re.compile(r"([^\w\s])\1{3}")
_PROGRESS = re.compile(r"[.FEsxX]{3,}\s*(?:\[\s*\d{1,3}%\])?|\[?\s*\d{1,3}%\]?(?:\s*[|\[█▉-▏━#=>].*)?")
_TRACEBACK = "Traceback (most recent call last):"
_TELLS_FAILURE = (
    re.compile(r"(?:FAILED|ERROR) \S|--- FAIL: "),
    re.compile(
        r".*?(?:panicked at|\b(?:[A-Z]\w*(?:Error|Exception)|[Ee]rror|ERROR|fatal|panic)\b(?:\[\w+\])?:)"
    ),
    re.compile(
        r"(?i).*?\b(?:error|failed|failure|fatal|denied|not found|no such|cannot|refused|unsupported)\b"
    ),
)
"""What a line begins with that tells a failure, the surest first."""


class ToolOutput(Struct, frozen=True):
    """What an output says.

    Attributes:
        exit_code: the exit status of a process, if it says one.
        state: what it says of the process or script beside that.
        made_tokens: how many tokens there were before anything was cut, as codex counted; None if not told.
        shown_tokens: about how many the model got.
        is_cut: whether codex cut something out.
        line_count: lines that say anything at all.
        line: the line that tells most, empty if there is none. It is evidence: not safe for a terminal.
    """

    exit_code: int | None = None
    state: State = ""
    made_tokens: int | None = None
    shown_tokens: int = 0
    is_cut: bool = False
    line_count: int = 0
    line: str = ""


def read_output(texts: Sequence[str], *, failed: bool = False) -> ToolOutput:
    """Read an output.

    Args:
        texts: its texts in order; an envelope stands at the beginning of one.
        failed: whether the call is known to have failed, if the envelope does not say it.
    """
    code: int | None = None
    made: int | None = None
    state: State = ""
    bodies = []
    for text in texts:
        opened = _opened(text)
        code = opened.exit_code if code is None else code
        made = opened.made_tokens if made is None else made
        state = state or opened.state
        bodies.append(opened.line)
    body = "\n".join(bodies)
    return ToolOutput(
        code,
        state,
        made,
        -(-len(body) // CHARACTERS_PER_TOKEN),
        any(_CUT.search(text, 0, _LARGEST_CUT) for text in texts),
        sum(1 for _ in _lines(body)),
        telling_line(body, failed=failed or bool(code) or state == "failed"),
    )


def telling_line(text: str, *, failed: bool = False) -> str:
    """The line of a text that tells most; see above for the rule.

    Returns:
        The beginning of a line of the text, without white space around it; empty for a blank text.
    """
    lines = [*_lines(text)]
    saying = [line for line in lines if _says_something(line)]
    if not saying:
        return lines[0] if lines else ""
    return (_failure_line(text, saying) or saying[-1]) if failed else saying[0]


def _failure_line(text: str, lines: Sequence[str]) -> str:
    summary, named, worded = (
        next((line for line in lines if pattern.match(line)), "") for pattern in _TELLS_FAILURE
    )
    return summary or _end_of_traceback(text) or named or worded


def _end_of_traceback(text: str) -> str:
    """The error below the last traceback: the first line after it that is not indented."""
    _before, found, after = text[-_LOOKED_AT:].rpartition(_TRACEBACK)
    if not found:
        return ""
    ends = (line for line in after.splitlines() if line.strip() and not line[0].isspace())
    return next((end.strip()[:LONGEST_LINE] for end in ends), "")


def _says_something(line: str) -> bool:
    return any(map(str.isalnum, line)) and not (_SEPARATOR.match(line) or _PROGRESS.fullmatch(line))


def _lines(text: str) -> Iterator[str]:
    """The lines at both ends of a text that are not blank."""
    lines = text[:_LOOKED_AT].splitlines()
    if len(text) > _LOOKED_AT:
        # What stands at the two cuts are no whole lines.
        lines = [*(lines[:-1] or lines), *text[-_LOOKED_AT:].splitlines()[1:]]
    return (line.strip()[:LONGEST_LINE] for line in lines if line.strip())


# Envelopes


def _opened(text: str) -> ToolOutput:
    """What an envelope says; `line` is all that is in it."""
    inner = _of_json(text)
    if inner is not None:
        return inner
    code: int | None = None
    made: int | None = None
    state: State = ""
    rest = text
    for _ in range(_HEADER_LINES):
        line, newline, after = rest.partition("\n")
        header = _HEADER.fullmatch(line)
        if header is None and (line.strip() or rest is text):
            break
        if header is not None:
            code = _number(header["code"] or header["exited"], code)
            made = _number(header["made"] or header["before"], made)
            state = "running" if header["runs"] else _STATES.get(header["state"] or "", state)
        rest = after if newline else ""
    inner = _of_json(rest) or ToolOutput(line=rest)
    return ToolOutput(
        inner.exit_code if code is None else code,
        state,
        inner.made_tokens if made is None else made,
        line=inner.line,
    )


_STATES: dict[str, State] = {
    "running": "running",
    "completed": "completed",
    "failed": "failed",
    "terminated": "terminated",
}


def _number(digits: str | None, known: int | None) -> int | None:
    return known if digits is None else int(digits)


def _of_json(text: str) -> ToolOutput | None:
    """What a JSON object says that holds an output, as a script receives it; None for any other text."""
    if not text.startswith("{") or len(text) > _LARGEST_JSON:
        return None
    try:
        value = orjson.loads(text)
    except (orjson.JSONDecodeError, UnicodeEncodeError):
        return None
    body = _body_of(value)
    if body is None:
        return None
    told = value.get("metadata")
    code = value.get("exit_code", told.get("exit_code") if isinstance(told, dict) else None)
    made = value.get("original_token_count")
    return ToolOutput(
        code if type(code) is int else None, made_tokens=made if type(made) is int else None, line=body
    )


def _body_of(value: dict[str, Any]) -> str | None:
    """The text that a result is about: the output of a command, the content of an MCP result, a message."""
    for name in ("output", "message"):
        if isinstance(value.get(name), str):
            return str(value[name])
    content = value.get("content")
    return "\n".join(_content_texts(content)) or None if isinstance(content, list) else None


def _content_texts(content: Iterable[Any]) -> Iterator[str]:
    for part in content:
        if isinstance(part, dict) and isinstance(part.get("text"), str):
            yield part["text"]
