"""The language of `:`: what was typed, as a declared command."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal, get_args

from rollout_tui.language.asking import OneOf, Single, parse_what
from rollout_tui.language.refused import InputRefused
from rollout_tui.language.vocabulary import word_meant, words_of

MAX_NUMBER = 2**63
"""What no sequence number, line or id reaches."""


@dataclass(frozen=True, slots=True)
class GoToNumber:
    """Go to something by its number.

    Attributes:
        what: what is counted: sequence numbers and log lines of the bundle; calls and turns of the agent at
            the cursor, from 1; conversation items and payloads by the number in their ids.
        number: which one.
    """

    what: Literal["seq", "line", "call", "turn", "item", "payload"]
    number: int


@dataclass(frozen=True, slots=True)
class GoToObject:
    """Go to something that `show` finds, by its number or its id.

    Attributes:
        wish: what, as `show` takes it.
    """

    wish: OneOf


@dataclass(frozen=True, slots=True)
class AsOf:
    """Show everything as of an event, as if the log ended with it.

    Attributes:
        percent: which share of the events there was, from 0 to 100.
    """

    percent: float


@dataclass(frozen=True, slots=True)
class AsOfNow:
    """Show everything as it is now."""


@dataclass(frozen=True, slots=True)
class GoToAgent:
    """Go to an agent by its path, or by the end of it."""

    name: str


@dataclass(frozen=True, slots=True)
class AskWhoSaw:
    """Find out which calls saw something.

    Attributes:
        what: what, as `show seen` takes it.
    """

    what: str


@dataclass(frozen=True, slots=True)
class ShowProblems:
    """List the problems of the bundle."""


@dataclass(frozen=True, slots=True)
class ShowHelp:
    """Show what the keys do."""


@dataclass(frozen=True, slots=True)
class Quit:
    """Leave."""


Exported = Literal["state", "payload", "context"]
"""What can be written: the reduced graph, the payload or the context at the cursor."""


@dataclass(frozen=True, slots=True)
class Write:
    """Write something to a file.

    Attributes:
        what: what to write.
        path: where to, as typed; None to ask. A context is JSON where it ends in `.json`, else Markdown.
    """

    what: Exported = "state"
    path: str | None = None


Command = (
    GoToNumber | GoToObject | AsOf | AsOfNow | GoToAgent | AskWhoSaw | ShowProblems | ShowHelp | Quit | Write
)


_PERCENT = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)\s*%")
_ID_PREFIXES = {"item": "conversation_item:", "payload": "raw_payload:"}
_EXPORTS: tuple[Exported, ...] = get_args(Exported)


def parse_command(text: str) -> Command:
    """Read a command.

    Args:
        text: what was typed, with or without the colon before it.

    Raises:
        InputRefused: it is none; the sentence names the nearest one, or what is wrong with its argument.
    """
    words = text.strip().removeprefix(":").strip()
    if not words:
        raise InputRefused(f"Type a command: {', '.join(word.name for word in words_of('typed'))}.")
    percent = _PERCENT.fullmatch(words)
    if percent is not None:
        return _share(float(percent[1]))
    if words.lstrip("#").isdecimal():
        return GoToNumber("seq", _number("seq", words.lstrip("#")))
    name, _, argument = words.partition(" ")
    return _READERS[_full_name(name.lower())](argument.strip())


def _full_name(name: str) -> str:
    """The command that a word means."""
    try:
        return word_meant(name, "typed").name
    except InputRefused as refused:
        sentence = str(refused)
        end = "" if sentence.endswith("?") else "."
        raise InputRefused(f"{_capital(sentence)}{end}") from None


def _capital(sentence: str) -> str:
    """What stands on a line of its own begins with a capital, unless it begins with what was typed."""
    return f"There{sentence[5:]}" if sentence.startswith("there ") else sentence


def _share(percent: float) -> AsOf:
    if percent > 100:
        raise InputRefused("There is nothing beyond 100%.")
    return AsOf(percent=percent)


def _number(what: str, argument: str) -> int:
    """The number after a command; an id that ends in it will do."""
    digits = argument.removeprefix(_ID_PREFIXES.get(what, "#")).removeprefix("#")
    if not digits.isdecimal():
        raise InputRefused(f"After {what} there must be a number, as in {what} 12.")
    number = int(digits) if len(digits) < 20 else MAX_NUMBER
    if number >= MAX_NUMBER:
        raise InputRefused(f"No {what} has a number like that.")
    if number == 0 and what != "seq":
        raise InputRefused(f"{what} is counted from 1.")
    return number


def _without_argument(name: str, command: Command) -> Callable[[str], Command]:
    def read(argument: str) -> Command:
        if argument:
            raise InputRefused(f"{name} stands alone.")
        return command

    return read


def _to_number(what: Literal["seq", "line", "call", "turn", "item", "payload"]) -> Callable[[str], Command]:
    return lambda argument: GoToNumber(what, _number(what, argument))


def _to_object(what: Single) -> Callable[[str], Command]:
    def read(argument: str) -> Command:
        try:
            wish = parse_what([what, argument])
        except InputRefused as refused:
            sentence = str(refused)
            raise InputRefused(f"{sentence[:1].upper()}{sentence[1:]}.") from None
        assert isinstance(wish, OneOf), "what is asked for one at a time"
        return GoToObject(wish)

    return read


def _agent(argument: str) -> Command:
    if not argument:
        raise InputRefused("After agent there must be a name, as in agent root.")
    return GoToAgent(argument)


def _seen(argument: str) -> Command:
    if not argument:
        raise InputRefused("After seen there must be a text, item N, tool N or file PATH.")
    return AskWhoSaw(argument)


def _write(argument: str) -> Command:
    return Write("state", argument or None)


def _export(argument: str) -> Command:
    word, _, path = argument.partition(" ")
    what = next((one for one in _EXPORTS if one == word), None)
    if what is None:
        raise InputRefused(f"What can be exported: {', '.join(_EXPORTS)}; as in export state.")
    return Write(what, path.strip() or None)


_READERS: dict[str, Callable[[str], Command]] = {
    "seq": _to_number("seq"),
    "now": _without_argument("now", AsOfNow()),
    "line": _to_number("line"),
    "call": _to_number("call"),
    "turn": _to_number("turn"),
    "item": _to_number("item"),
    "payload": _to_number("payload"),
    "prompt": _to_object("prompt"),
    "tool": _to_object("tool"),
    "cell": _to_object("cell"),
    "compaction": _to_object("compaction"),
    "edge": _to_object("edge"),
    "problem": _to_object("problem"),
    "agent": _agent,
    "seen": _seen,
    "problems": _without_argument("problems", ShowProblems()),
    "write": _write,
    "export": _export,
    "help": _without_argument("help", ShowHelp()),
    "quit": _without_argument("quit", Quit()),
}


def command_completions(text: str, agents: Sequence[str] = ()) -> list[str]:
    """What an unfinished command could become.

    Args:
        text: what was typed so far, without the colon.
        agents: paths of the agents there are.

    Returns:
        Whole commands that begin with the text, the text itself left out; with a blank where more follows.
    """
    name, blank, argument = text.lstrip().partition(" ")
    if not blank:
        offered = [word.name + (" " if word.argument else "") for word in words_of("typed")]
        return [one for one in offered if one.startswith(name.lower()) and one != text]
    if name == "agent":
        wanted = argument.strip().lower()
        return [f"agent {one}" for one in agents if _is_named(one, wanted) and one != argument]
    if name == "export":
        return [f"export {one}" for one in _EXPORTS if one.startswith(argument) and one != argument]
    return []


def _is_named(path: str, wanted: str) -> bool:
    return path.lower().startswith(wanted) or path.lower().rpartition("/")[2].startswith(wanted)


def agent_named(name: str, paths: Sequence[str]) -> str:
    """The agent that a name means: a whole path, the end of one, or the beginning of a last part.

    Args:
        name: what was typed.
        paths: agent paths there are.

    Raises:
        InputRefused: none is called so, or several.
    """
    wanted = name.strip().lower()
    tests: tuple[Callable[[str], bool], ...] = (
        lambda path: path == wanted,
        lambda path: path.endswith("/" + wanted.lstrip("/")),
        lambda path: path.rpartition("/")[2].startswith(wanted.lstrip("/")),
    )
    for test in tests:
        found = [path for path in paths if test(path.lower())]
        if len(found) == 1:
            return found[0]
        if found:
            raise InputRefused(f"Several agents are called so: {', '.join(found[:4])}.")
    near = get_close_matches(wanted, [path.rpartition("/")[2].lower() for path in paths], 1, 0.5)
    raise InputRefused(f"There is no agent {name}" + (f"; did you mean {near[0]}?" if near else "."))
