"""The words of `:` and of `rollout-tui show`: one table, and one way in which a word is found in it.

It imports nothing but the standard library: a shell that completes a word waits for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from rollout_tui.language.refused import InputRefused

Use = Literal["typed", "shown"]
"""Where a word is used: after `:`, or as WHAT of `show`."""


class Word(NamedTuple):
    """A word by which something is asked for.

    Attributes:
        name: the word.
        argument: what follows, in capitals; in brackets if it may be left out.
        typed: what it does after `:`; empty if it is no word of `:`.
        shown: what `show` prints for it; empty if it is no word of `show`.
        others: other names of it.
    """

    name: str
    argument: str = ""
    typed: str = ""
    shown: str = ""
    others: tuple[str, ...] = ()


WORDS: tuple[Word, ...] = (
    Word("seq", "N", "go to a sequence number; a bare number does the same", "an event", ("go", "event")),
    Word("call", "N", "go to a call of this agent", "a call: its context, and the answer", ("context", "c")),
    Word("turn", "N", "go to a turn of this agent", "a turn", ("t",)),
    Word("item", "N", "show a conversation item", "a conversation item"),
    Word("payload", "N", "show a raw payload, at what it is evidence of", "a raw payload"),
    Word("line", "N", "go to a line of the log", "the event on a line of the log"),
    Word("agent", "NAME", "go to an agent", "an agent, its turns and calls", ("thread",)),
    Word("prompt", "N", "show the prompt of a call", "what codex prepared for a call, beside its request"),
    Word("tool", "N", "go to a tool call", "a tool call"),
    Word("cell", "N", "go to a code cell", "a code cell: script, steps, what the model saw", ("exec",)),
    Word("compaction", "N", "go to a compaction", "a compaction in its states"),
    Word("edge", "N", "show an interaction edge", "an interaction edge, and who saw it"),
    Word("problem", "N", "show a problem of the recording", "a problem of the recording"),
    Word("now", "", "show everything as it is now; 50%, as T, shows it as it was"),
    Word("summary", shown="the run at a glance: outcome, failures, each agent's task and answer"),
    Word("tokens", "[by WHAT]", shown="where the tokens went: by agent, turn, call, tool, item or repeat"),
    Word("time", "[of AGENT]", shown="what each agent did, when, and for how long"),
    Word("waits", "[of AGENT]", shown="who waited for whom, the longest first; what never ended"),
    Word("path", shown="the critical path: what the end of the run had to wait for"),
    Word(
        "seen", "TEXT", "which calls saw a text, item N, tool N or file PATH", "the same, and what ended it"
    ),
    Word("threads", shown="the agents", others=("agents",)),
    Word("turns", "[of AGENT]", shown="the turns"),
    Word("calls", "[of AGENT]", shown="the inference calls"),
    Word("tools", "[of AGENT]", shown="the tool calls"),
    Word("cells", "[of AGENT]", shown="the code cells"),
    Word("compactions", "[of AGENT]", shown="the compactions"),
    Word("items", "[of AGENT]", shown="the conversation items"),
    Word("edges", shown="the interaction edges"),
    Word("failures", "[of AGENT]", shown="what failed in the run; the status is 1 if anything did"),
    Word("problems", "", "list the problems", "the problems of the recording"),
    Word("write", "[PATH]", "write state.json", others=("w",)),
    Word("export", "WHAT [PATH]", "write the state, this payload, or this context"),
    Word("help", "", "show what the keys do", others=("h", "?")),
    Word("quit", "", "quit", others=("q", "q!")),
)
"""Every word, in the order in which they are offered."""


def words_of(use: Use) -> tuple[Word, ...]:
    """The words of one of the two."""
    return tuple(word for word in WORDS if getattr(word, use))


def word_meant(text: str, use: Use) -> Word:
    """The word that was meant: itself, another name of it, or a beginning that only one has.

    Args:
        text: what was typed, in small letters.
        use: whose words count.

    Raises:
        InputRefused: it is none; the sentence names the nearest, or all.
    """
    words = words_of(use)
    whole = next((word for word in words if text == word.name or text in word.others), None)
    if whole is not None:
        return whole
    begun = _begun(text, words)
    if len(begun) == 1:
        return begun[0]
    if begun:
        raise InputRefused(f"{text} could be {' or '.join(word.name for word in begun)}")
    elsewhere = next((word for word in WORDS if text == word.name or text in word.others), None)
    if elsewhere is not None:
        where = "`:` in the inspector" if use == "shown" else "`rollout-tui show`"
        raise InputRefused(f"{elsewhere.name} is a word of {where}")
    from difflib import get_close_matches  # imported for those who erred alone

    names = [word.name for word in words]
    near = get_close_matches(text, [*names, *(one for word in words for one in word.others)], 1, 0.5)
    if near:
        raise InputRefused(f"there is no word {text[:40]}; did you mean {near[0]}?")
    raise InputRefused(f"there is no word {text[:40]}: there are {', '.join(names)}")


def _begun(text: str, words: Sequence[Word]) -> list[Word]:
    """The words that begin so; of a thing and the list of such things only the thing."""
    begun = [word for word in words if word.name.startswith(text)]
    names = {word.name for word in begun}
    return [word for word in begun if word.name.removesuffix("s") not in names - {word.name}]


def usage_of_show() -> list[str]:
    """What WHAT can be, a line each."""
    words = [(f"{word.name} {word.argument}".strip(), word.shown) for word in words_of("shown")]
    return [
        "WHAT is one of these; N is a number or an id, and `of AGENT` may follow a number:",
        *(f"  {form:<24}{meaning}" for form, meaning in words),
    ]
