"""One line to type at the foot of the screen: for a search in a pane, a filter, a command."""

from __future__ import annotations

from collections.abc import Callable
from itertools import takewhile

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Input

from rollout_tui import keys
from rollout_tui.language.refused import InputRefused
from rollout_tui.lines.spans import Span, span
from rollout_tui.screens.modal import Modal
from rollout_tui.screens.speaking import Actions
from rollout_tui.widgets.bars import Bar
from rollout_tui.widgets.history_input import HistoryInput, InputHistory


def checked_by(parse: Callable[[str], object]) -> Callable[[str], str | None]:
    """A check for a prompt: the sentence with which a parser refuses a text, or None.

    Args:
        parse: reads the text; what it cannot read it refuses with `InputRefused`.
    """

    def check(text: str) -> str | None:
        try:
            parse(text)
        except InputRefused as error:
            return str(error)
        return None

    return check


class Prompt(Modal[str]):
    """Asks for one line; its result is the text, or None if the reader does not want to.

    A text that the check refuses stays to be corrected, with the reason above it.
    """

    BINDINGS = [*keys.bindings(keys.Scope.PROMPT)]
    own_focus = keys.Focus.PROMPT
    DEFAULT_CSS = """
    Prompt > #prompt { dock: bottom; width: 100%; height: auto; background: $background; }
    Prompt #prompt > Horizontal { height: 1; }
    Prompt > #prompt:ansi { background: ansi_default; }
    Prompt #prefix { width: auto; }
    """

    def __init__(
        self,
        prefix: str,
        history: InputHistory,
        check: Callable[[str], str | None],
        *,
        complete: Callable[[str], list[str]] | None = None,
        text: str = "",
        hint: str = "",
        empty_is_answer: bool = False,
    ) -> None:
        """Prepare to ask.

        Args:
            prefix: what stands before the line, such as `:`.
            history: earlier inputs of this kind.
            check: why a text will not do, in one sentence, or None if it will.
            complete: whole texts that an unfinished one could become.
            text: what the line holds at first.
            hint: one line about what can be typed.
            empty_is_answer: whether an empty line is an answer like any other, or means that there is none.
        """
        super().__init__()
        self._prefix = prefix
        self._check = check
        self._complete = complete
        self._hint = hint
        self._empty_is_answer = empty_is_answer
        self.input = HistoryInput(text, history)

    def compose(self) -> ComposeResult:
        """A line for hints and refusals, and below it the line to type on."""
        with Vertical(id="prompt"):
            yield Bar(id="said")
            with Horizontal():
                yield Bar(id="prefix")
                yield self.input

    def on_mount(self) -> None:
        """The line can be typed on at once."""
        prefix = self.query_one("#prefix", Bar)
        prefix.styles.width = len(self._prefix) + 1
        prefix.show([span(f" {self._prefix}", "strong")])
        self._offer()
        self.input.focus()

    def _say(self, spans: list[Span]) -> None:
        self.query_one("#said", Bar).show(spans, is_sentence=True)

    def _options(self) -> list[str]:
        return [] if self._complete is None else self._complete(self.input.value)

    def _offer(self) -> None:
        """Show what the text could become, or else the hint."""
        options = self._options() if self.input.value else []
        words = "   ".join(option.strip() for option in options) or self._hint
        self._say([span(f" {words}" if words else "", "muted")])

    @on(Input.Changed)
    def _changed(self) -> None:
        self._offer()

    @on(Input.Submitted)
    def _submitted(self) -> None:
        text = self.input.value
        if not text.strip() and not self._empty_is_answer:
            self.dismiss(None)
            return
        refusal = self._check(text)
        if refusal is not None:
            self._say([span(f" {refusal}", "bad")])
            return
        self.input.remember()
        self.dismiss(text)

    @property
    def actions(self) -> Actions:
        """What its keys do."""
        return {**super().actions, "complete": self._complete_text}

    def _complete_text(self) -> None:
        """Complete the text as far as there is only one way, and show the ways there are."""
        options = self._options()
        begun = _common_beginning(options)
        if len(begun) > len(self.input.value):
            self.input.value = begun
            self.input.cursor_position = len(begun)
        elif options:
            self._offer()


def _common_beginning(texts: list[str]) -> str:
    """The characters that all texts begin with."""
    columns = takewhile(lambda column: len(set(column)) == 1, zip(*texts, strict=False))
    return "".join(column[0] for column in columns)
