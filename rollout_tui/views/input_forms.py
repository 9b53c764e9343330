"""What can be typed after `&`, `:`, `/` and in the search over everything, in a few lines each."""

from __future__ import annotations

from typing import NamedTuple

from rollout_tui.language.vocabulary import words_of
from rollout_tui.views.filters import STATUSES


class Form(NamedTuple):
    """Something that can be typed.

    Attributes:
        text: an example of it.
        meaning: what it does.
    """

    text: str
    meaning: str


class InputLanguage(NamedTuple):
    """What can be typed on one of the lines.

    Attributes:
        title: the line, by the key that opens it.
        forms: examples, the simplest first.
    """

    title: str
    forms: tuple[Form, ...]


LANGUAGES: tuple[InputLanguage, ...] = (
    InputLanguage(
        "after / in a pane",
        (
            Form("text", "rows and texts that have it; capitals count if there are any"),
            Form("", "n the next one, N the one before, round the end; esc ends it"),
        ),
    ),
    InputLanguage(
        "in the search over everything",
        (
            Form("text", "whatever has it, in capitals or not"),
            Form("/expr/i", "a regular expression; i: the case of letters does not count"),
            Form("seq 812", "the event; an id, or the end of one, finds its object"),
        ),
    ),
    InputLanguage(
        "after & for the timeline",
        (
            Form("word !word", "rows that have the one and not the other"),
            Form("kind:tool", "a kind of row: call, exec, mcp, spawn ...; a|b is either"),
            Form("status:failed", ", ".join(STATUSES)),
            Form("agent:name", "the rows of an agent"),
            Form('"a b"', "a text with blanks; an empty line shows every row"),
        ),
    ),
    InputLanguage(
        "after : as a command",
        (
            Form("812  seq 812  50%", "go to an event; show all as of it; as of half of the log"),
            *(Form(f"{word.name} {word.argument}".strip(), word.typed) for word in words_of("typed")),
        ),
    ),
)
"""Every line to type on, in the order in which help shows them."""
