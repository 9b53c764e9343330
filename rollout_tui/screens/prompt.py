"""One line to type at the foot of the screen: for a search in a pane, a filter, a command."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from itertools import takewhile

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.widgets import Input

from rollout_tui.screens.dialog import Dialog
from rollout_tui.widgets.bars import Bar
from rollout_tui.widgets.spans import Span, span

HISTORY_LENGTH = 100
"""Earlier inputs of one kind that are kept."""

MAX_LENGTH = 1000
"""Characters that can be typed."""


class InputHistory:
    """Earlier inputs of one kind, oldest first, each once."""

    def __init__(self) -> None:
        self._texts: list[str] = []

    def __len__(self) -> int:
        return len(self._texts)

    def add(self, text: str) -> None:
        """Note an input as the latest."""
        if text:
            self._texts = [*(one for one in self._texts if one != text), text][-HISTORY_LENGTH:]

    def at(self, back: int) -> str:
        """The input so many steps back, 1 for the latest."""
        return self._texts[-back]


class InputHistories:
    """The history of every kind of input, for as long as the program runs."""

    def __init__(self) -> None:
        self._of: defaultdict[str, InputHistory] = defaultdict(InputHistory)

    def of(self, kind: str) -> InputHistory:
        """The history of one kind, such as `filter`."""
        return self._of[kind]


def checked_by(parse: Callable[[str], object], refused: type[Exception]) -> Callable[[str], str | None]:
    """A check for a prompt: the sentence with which a parser refuses a text, or None.

    Args:
        parse: reads the text.
        refused: what it raises, with the sentence, when it cannot.
    """

    def check(text: str) -> str | None:
        try:
            parse(text)
        except refused as error:
            return str(error)
        return None

    return check


class HistoryInput(Input):
    """An input field without a border, whose cursor does not blink, that remembers earlier inputs."""

    # What every input line does with these keys; nowhere else do they mean it.
    BINDINGS = [
        Binding("up", "earlier", "earlier input", show=False),
        Binding("down", "later", "later input", show=False),
    ]
    DEFAULT_CSS = """
    HistoryInput, HistoryInput:focus, HistoryInput:ansi { border: none; height: 1; padding: 0; width: 1fr; }
    """

    def __init__(self, text: str, history: InputHistory, *, placeholder: str = "") -> None:
        """Begin with a text, selected so that typing replaces it."""
        super().__init__(text, placeholder=placeholder, max_length=MAX_LENGTH)
        self.cursor_blink = False
        self._history = history
        self._back = 0
        self._draft = ""

    def remember(self) -> None:
        """Note the text as an input that was made."""
        self._history.add(self.value)
        self._back = 0

    def action_earlier(self) -> None:
        """The input before this one."""
        if self._back < len(self._history):
            if self._back == 0:
                self._draft = self.value
            self._show(self._back + 1)

    def action_later(self) -> None:
        """The input after this one; at last what was being typed."""
        if self._back > 0:
            self._show(self._back - 1)

    def _show(self, back: int) -> None:
        self._back = back
        self.value = self._history.at(back) if back else self._draft
        self.cursor_position = len(self.value)


class Prompt(Dialog[str]):
    """Asks for one line; its result is the text, or None if the reader does not want to.

    A text that the check refuses stays to be corrected, with the reason above it.
    """

    BINDINGS = [Binding("tab", "complete", "complete", show=False)]
    DEFAULT_CSS = """
    Prompt > #prompt { dock: bottom; width: 100%; height: 2; background: $background; }
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
        self.query_one("#said", Bar).show(spans)

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

    def action_complete(self) -> None:
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
