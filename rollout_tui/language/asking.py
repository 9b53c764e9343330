"""The language of WHAT: what was asked for, as a declared wish. It has the words that `:` has, and more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, get_args

from rollout_tui.language.refused import InputRefused
from rollout_tui.language.vocabulary import word_meant

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
    "threads", "turns", "calls", "tools", "cells", "compactions", "items", "edges", "failures", "problems"
]
"""What can be asked for as a list."""

Answer = Literal["summary", "tokens", "time", "waits", "path", "seen"]
"""What is told of the run as a whole."""

By = Literal["agent", "turn", "call", "tool", "item", "repeat"]
"""By what tokens are told."""

OF_AN_AGENT: frozenset[Single] = frozenset({"turn", "call", "prompt", "tool", "cell", "compaction"})
"""What is counted for each agent by itself, if an agent is named."""

_SORTS = {"agent": "thread"}
"""Words that are called otherwise here."""

_FILLERS = frozenset({"of", "in"})


class OneOf(NamedTuple):
    """One thing.

    Attributes:
        what: its sort.
        name: its number or its id, as typed.
        agent: the agent that it is counted for, as typed; None for the root, or for the whole bundle.
    """

    what: Single
    name: str
    agent: str | None = None


class AllOf(NamedTuple):
    """A list of things.

    Attributes:
        what: their sort.
        agent: the agent whose things they are, as typed; None for those of all agents.
    """

    what: Listed
    agent: str | None = None


class AnswerTo(NamedTuple):
    """Something that is told of the run.

    Attributes:
        what: what.
        agent: the agent that it is told of, as typed; None for the whole run.
        by: of tokens, by what they are told; None for the most important.
        text: of what was seen, what that is, as typed.
    """

    what: Answer
    agent: str | None = None
    by: By | None = None
    text: str = ""


Wish = OneOf | AllOf | AnswerTo
"""What can be asked for."""


def parse_what(words: Sequence[str]) -> Wish:
    """Read what was asked for.

    Args:
        words: such as `call 3 of /root/alpha`, in one word or in several.

    Raises:
        InputRefused: it means nothing; the sentence names what there is, or the nearest.
    """
    split = " ".join(words).split()
    if not split:
        raise InputRefused("say what to show")
    if len(split) == 1 and split[0].lstrip("#").isdecimal():
        return OneOf("seq", split[0])
    what = word_meant(split[0].lower(), "shown").name
    if what == "seen":
        # What is looked for stays as it was typed, blanks included.
        return AnswerTo("seen", text=" ".join(words).strip()[len(split[0]) :].strip())
    what, rest = _SORTS.get(what, what), [word for word in split[1:] if word not in _FILLERS]
    for answer in get_args(Answer):
        if what == answer:
            return _answer(answer, rest)
    for listed in get_args(Listed):
        if what == listed:
            return AllOf(listed, _last(listed, rest))
    for single in get_args(Single):
        if what == single:
            if not rest:
                raise InputRefused(f"after {single} there must be a number or an id, as in {single} 1")
            return OneOf(single, rest[0], _last(single, rest[1:]))
    raise AssertionError(f"{what} is in the table of words, but is no sort of thing")


def _answer(what: Answer, rest: list[str]) -> AnswerTo:
    if what in ("summary", "path") and rest:
        raise InputRefused(f"{what} is told of the whole run: nothing follows it")
    if what != "tokens" or "by" not in rest:
        return AnswerTo(what, _last(what, rest))
    place = rest.index("by")
    named, others = rest[place + 1 : place + 2], rest[:place] + rest[place + 2 :]
    by = next((one for one in get_args(By) if named and one == named[0].lower().removesuffix("s")), None)
    if by is None:
        raise InputRefused(f"tokens are told by {', '.join(get_args(By)[:-1])} or {get_args(By)[-1]}")
    return AnswerTo(what, _last(what, others), by)


def _last(what: Single | Listed | Answer, rest: Sequence[str]) -> str | None:
    if len(rest) > 1:
        raise InputRefused(f"{' '.join(rest)[:60]!r} after {what} is one word too many")
    return rest[0] if rest else None
