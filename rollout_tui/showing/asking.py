"""The language of WHAT: what was asked for, as a declared wish. It has the words that `:` has, and more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal, get_args

Single = Literal[
    "thread",
    "turn",
    "call",
    "prompt",
    "tool",
    "cell",
    "compaction",
    "edge",
    "item",
    "payload",
    "seq",
    "line",
    "problem",
]
"""What can be asked for one at a time."""

Listed = Literal[
    "threads", "turns", "calls", "tools", "cells", "compactions", "edges", "failures", "problems"
]
"""What can be asked for as a list."""

OF_AN_AGENT: frozenset[Single] = frozenset({"turn", "call", "prompt", "tool", "cell", "compaction"})
"""What is counted for each agent by itself, if an agent is named."""

_OTHER_NAMES = {"agent": "thread", "agents": "threads", "context": "call", "exec": "cell", "event": "seq"}
_FILLERS = frozenset({"of", "in"})

HELP = (
    "threads, turns, calls, tools, cells, compactions, edges, failures, problems, or one of them by its "
    "number, id or path, as in call 3; prompt N of a call; item N, payload N, seq N, line N"
)


class AskedWrongly(ValueError):  # noqa: N818 - not a fault of the program
    """Nothing can be shown for what was asked; the text is one sentence."""


@dataclass(frozen=True, slots=True)
class OneOf:
    """One thing.

    Attributes:
        what: its sort.
        name: its number or its id, as typed.
        agent: the agent that it is counted for, as typed; None for the root, or for the whole bundle.
    """

    what: Single
    name: str
    agent: str | None = None


@dataclass(frozen=True, slots=True)
class AllOf:
    """A list of things.

    Attributes:
        what: their sort.
        agent: the agent whose things they are, as typed; None for those of all agents.
    """

    what: Listed
    agent: str | None = None


def parse_what(words: Sequence[str]) -> OneOf | AllOf:
    """Read what was asked for.

    Args:
        words: such as `call 3 of /root/alpha`, in one word or in several.

    Raises:
        AskedWrongly: it means nothing; the sentence names what there is, or the nearest.
    """
    split = " ".join(words).split()
    if not split:
        raise AskedWrongly(f"say what to show: {HELP}")
    what, rest = _full_name(split[0].lower()), [word for word in split[1:] if word not in _FILLERS]
    for listed in get_args(Listed):
        if what == listed:
            return AllOf(listed, _last(listed, rest))
    for single in get_args(Single):
        if what == single:
            if not rest:
                raise AskedWrongly(f"after {single} there must be a number or an id, as in {single} 1")
            return OneOf(single, rest[0], _last(single, rest[1:]))
    raise AskedWrongly(f"there is no {split[0]!r} to show: {HELP}")


def _full_name(word: str) -> str:
    """The word of the language that was meant: itself, another name, or a beginning that only one has."""
    names: list[str] = [*get_args(Single), *get_args(Listed)]
    if word in names:
        return word
    if word in _OTHER_NAMES:
        return _OTHER_NAMES[word]
    begun: set[str] = {name.removesuffix("s") for name in names if name.startswith(word)}
    if len(begun) == 1:
        return next(name for name in names if name.startswith(word))
    if begun:
        raise AskedWrongly(f"{word!r} could be {' or '.join(sorted(begun))}")
    near = get_close_matches(word, names, 1, 0.5)
    nearest = f"; did you mean {near[0]}?" if near else f": {HELP}"
    raise AskedWrongly(f"there is no {word[:40]!r} to show{nearest}")


def _last(what: Single | Listed, rest: Sequence[str]) -> str | None:
    if len(rest) > 1:
        raise AskedWrongly(f"{' '.join(rest)[:60]!r} after {what} is one word too many")
    return rest[0] if rest else None
