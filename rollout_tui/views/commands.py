"""The language of `:`: what was typed, as a declared command."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal, get_args

MAX_NUMBER = 2**63
"""What no sequence number, line or id reaches."""


class CommandRefused(ValueError):  # noqa: N818 - not a fault of the program
    """What was typed is no command; the text is one sentence."""


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
class AsOf:
    """Show everything as of an event, as if the log ended with it.

    Attributes:
        seq: its sequence number; None for one that is told by a share.
        percent: which share of the events there was, from 0 to 100.
    """

    seq: int | None = None
    percent: float = 100.0


@dataclass(frozen=True, slots=True)
class AsOfNow:
    """Show everything as it is now."""


@dataclass(frozen=True, slots=True)
class GoToAgent:
    """Go to an agent by its path, or by the end of it."""

    name: str


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


Command = GoToNumber | AsOf | AsOfNow | GoToAgent | ShowProblems | ShowHelp | Quit | Write


@dataclass(frozen=True, slots=True)
class CommandWord:
    """A command as it is offered.

    Attributes:
        name: the word it begins with.
        argument: what follows, in capitals; in brackets if it may be left out.
        help: what it does, in a few words.
    """

    name: str
    argument: str
    help: str


COMMANDS: tuple[CommandWord, ...] = (
    CommandWord("seq", "N", "show everything as of an event; 50% does so for a share of the log"),
    CommandWord("now", "", "show everything as it is now"),
    CommandWord("go", "N", "go to a sequence number; a bare number does the same"),
    CommandWord("call", "N", "go to a call of this agent"),
    CommandWord("turn", "N", "go to a turn of this agent"),
    CommandWord("item", "N", "show a conversation item"),
    CommandWord("payload", "N", "show a raw payload"),
    CommandWord("line", "N", "go to a line of the log"),
    CommandWord("agent", "NAME", "go to an agent"),
    CommandWord("problems", "", "list the problems"),
    CommandWord("write", "[PATH]", "write state.json"),
    CommandWord("export", "WHAT [PATH]", "write the state, this payload, or this context"),
    CommandWord("help", "", "show what the keys do"),
    CommandWord("quit", "", "quit"),
)
"""Every command, in the order in which they are offered."""

_SHORT = {"q": "quit", "q!": "quit", "w": "write", "h": "help", "?": "help"}
_PERCENT = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)\s*%")
_ID_PREFIXES = {"item": "conversation_item:", "payload": "raw_payload:"}
_EXPORTS: tuple[Exported, ...] = get_args(Exported)


def parse_command(text: str) -> Command:
    """Read a command.

    Args:
        text: what was typed, with or without the colon before it.

    Raises:
        CommandRefused: it is none; the sentence names the nearest one, or what is wrong with its argument.
    """
    words = text.strip().removeprefix(":").strip()
    if not words:
        raise CommandRefused(f"Type a command: {', '.join(one.name for one in COMMANDS)}.")
    percent = _PERCENT.fullmatch(words)
    if percent is not None:
        return _share(float(percent[1]))
    if words.lstrip("#").isdecimal():
        return GoToNumber("seq", _number("seq", words.lstrip("#")))
    name, _, argument = words.partition(" ")
    return _READERS[_full_name(name.lower())](argument.strip())


def _full_name(name: str) -> str:
    """The command that a word means: its name, a short form, or a beginning that only one has."""
    names = [one.name for one in COMMANDS]
    if name in names:
        return name
    if name in _SHORT:
        return _SHORT[name]
    begun = [one for one in names if one.startswith(name)]
    if len(begun) == 1:
        return begun[0]
    if begun:
        raise CommandRefused(f"{name} could be {' or '.join(begun)}.")
    near = get_close_matches(name, names, 1, 0.5)
    nearest = f"; did you mean {near[0]}?" if near else f": there are {', '.join(names)}."
    raise CommandRefused(f"There is no command {name[:40]}{nearest}")


def _share(percent: float) -> AsOf:
    if percent > 100:
        raise CommandRefused("There is nothing beyond 100%.")
    return AsOf(percent=percent)


def _number(what: str, argument: str) -> int:
    """The number after a command; an id that ends in it will do."""
    digits = argument.removeprefix(_ID_PREFIXES.get(what, "#")).removeprefix("#")
    if not digits.isdecimal():
        raise CommandRefused(f"After {what} there must be a number, as in {what} 12.")
    number = int(digits) if len(digits) < 20 else MAX_NUMBER
    if number >= MAX_NUMBER:
        raise CommandRefused(f"No {what} has a number like that.")
    if number == 0 and what != "seq":
        raise CommandRefused(f"{what} is counted from 1.")
    return number


def _without_argument(name: str, command: Command) -> Callable[[str], Command]:
    def read(argument: str) -> Command:
        if argument:
            raise CommandRefused(f"{name} stands alone.")
        return command

    return read


def _to_number(what: Literal["seq", "line", "call", "turn", "item", "payload"]) -> Callable[[str], Command]:
    return lambda argument: GoToNumber(what, _number(what, argument))


def _agent(argument: str) -> Command:
    if not argument:
        raise CommandRefused("After agent there must be a name, as in agent root.")
    return GoToAgent(argument)


def _write(argument: str) -> Command:
    return Write("state", argument or None)


def _export(argument: str) -> Command:
    word, _, path = argument.partition(" ")
    what = next((one for one in _EXPORTS if one == word), None)
    if what is None:
        raise CommandRefused(f"What can be exported: {', '.join(_EXPORTS)}; as in export state.")
    return Write(what, path.strip() or None)


_READERS: dict[str, Callable[[str], Command]] = {
    "seq": lambda argument: AsOf(_number("seq", argument)),
    "now": _without_argument("now", AsOfNow()),
    "go": _to_number("seq"),
    "line": _to_number("line"),
    "call": _to_number("call"),
    "turn": _to_number("turn"),
    "item": _to_number("item"),
    "payload": _to_number("payload"),
    "agent": _agent,
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
        offered = [one.name + (" " if one.argument else "") for one in COMMANDS]
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
        CommandRefused: none is called so, or several.
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
            raise CommandRefused(f"Several agents are called so: {', '.join(found[:4])}.")
    near = get_close_matches(wanted, [path.rpartition("/")[2].lower() for path in paths], 1, 0.5)
    raise CommandRefused(f"There is no agent {name}" + (f"; did you mean {near[0]}?" if near else "."))
