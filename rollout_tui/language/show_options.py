"""What may stand behind `show`: its arguments and options, declared once for all who read a command line.

typer makes the command, its help and its errors of these declarations, and takes a third of the time in
which an agent could have its answer. So a line that needs nothing of that - whole names, nothing missing,
nothing strange - is read here, by the same declarations; anything else is left to typer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

COMMAND = "show"


class Option(NamedTuple):
    """An option.

    Attributes:
        names: by which it is given.
        help: what it does.
        metavar: its value, in capitals; empty for one that has none.
    """

    names: tuple[str, ...]
    help: str
    metavar: str = ""


class Asked(NamedTuple):
    """What was asked of `show`.

    Attributes:
        words: the bundle and WHAT; of `--schema` only WHAT.
        as_json: one JSON document instead of text.
        content: in JSON, with what a user, a model or a tool wrote.
        limit: elements of a list at most; 0 for all, None for the usual number.
        after: where a page begins.
        schema: the JSON Schema of what `--json` prints.
        raw: the bytes of the evidence.
        output: a file to write it into; None or `-` is standard output.
        prices: a file of what tokens cost.
    """

    words: tuple[str, ...] = ()
    as_json: bool = False
    content: bool = False
    limit: int | None = None
    after: str | None = None
    schema: bool = False
    raw: bool = False
    output: str | None = None
    prices: str | None = None


OPTIONS: dict[str, Option] = {
    "as_json": Option(("--json",), "Print it as one JSON document: facts, without texts of the recording."),
    "content": Option(("--content",), "In JSON, print texts of the recording as well."),
    "limit": Option(
        ("--limit",), "Elements of a list at most, 0 for all. By default 100 in JSON, in text all.", "N"
    ),
    "after": Option(
        ("--after",),
        "Begin behind this: what the page before ended with, an id, or a place as #812.",
        "CURSOR",
    ),
    "schema": Option(("--schema",), "Print the JSON Schema of what --json prints, for WHAT or for all."),
    "raw": Option(("--raw",), "Print the bytes of the evidence: the request of a call, a log line."),
    "output": Option(
        ("--output", "-o"),
        "Where to write it, byte for byte. By default, and with -, standard output; a terminal gets "
        "the bytes in a form that it cannot obey.",
        "FILE",
    ),
    "prices": Option(
        ("--prices",),
        "With `tokens`: what a million tokens cost by model, as JSON; "
        '{"MODEL": {"in": 1.25, "cached": 0.125, "out": 10}}.',
        "FILE",
    ),
}
"""The options by the field of `Asked` that they fill."""

_BY_NAME = {name: field for field, option in OPTIONS.items() for name in option.names}


def read_plainly(line: Sequence[str]) -> Asked | None:
    """A command line of `show`, if nothing in it needs more than to be read.

    Args:
        line: the words behind the program's name.

    Returns:
        What was asked; None where help, an error or a rarer way to write it is meant, which typer knows.
    """
    if line[:1] != [COMMAND] or "" in line:
        return None
    words: list[str] = []
    found: dict[str, Any] = {}
    rest = iter(line[1:])
    for word in rest:
        if not word.startswith("-"):
            words.append(word)
            continue
        name, joined, value = word.partition("=")
        field = _BY_NAME.get(name)
        if field is None or field in found:
            return None
        if not OPTIONS[field].metavar:
            if joined:
                return None
            found[field] = True
            continue
        value = value if joined else next(rest, "")
        if not value or (value.startswith("-") and value != "-") or (joined and not name.startswith("--")):
            return None
        if field == "limit" and not (value.isascii() and value.isdecimal() and len(value) < 10):
            return None
        found[field] = int(value) if field == "limit" else value
    if not words and not found.get("schema"):
        return None
    return Asked(tuple(words), **found)
