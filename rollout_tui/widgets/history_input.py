"""A line to type on that remembers what was typed on it before."""

from __future__ import annotations

from collections import defaultdict

from textual import events
from textual.geometry import Region
from textual.widgets import Input

from rollout_tui.keys import Scope, bindings

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


class LineInput(Input):
    """One line to type on, whose cursor does not blink; what is pasted becomes one line as well."""

    def __init__(
        self,
        text: str,
        *,
        placeholder: str = "",
        max_length: int = MAX_LENGTH,
        id: str | None = None,  # noqa: A002
    ) -> None:
        """Begin with a text, selected so that typing replaces it."""
        super().__init__(text, placeholder=placeholder, max_length=max_length, id=id)
        self._most = max_length
        self.cursor_blink = False  # a blinking cursor sends bytes for as long as it is looked at

    def on_resize(self) -> None:
        """Keep the cursor in what is seen of the line."""
        self.call_after_refresh(self._show_cursor)

    def _show_cursor(self) -> None:
        at = self.cursor_screen_offset.x - self.content_region.x + self.scroll_offset.x
        self.scroll_to_region(Region(at, 0, 1, 1), force=True, animate=False)

    def on_paste(self, event: events.Paste) -> None:
        """Insert what was pasted, with a space for each line break within, as far as there is room."""
        event.stop()
        event.prevent_default()
        start, end = sorted(self.selection)
        room = self._most - len(self.value) + end - start
        self.replace(" ".join(event.text.splitlines())[:room], start, end)


class HistoryInput(LineInput):
    """An input field without a border that remembers earlier inputs."""

    BINDINGS = [*bindings(Scope.HISTORY)]
    DEFAULT_CSS = """
    HistoryInput, HistoryInput:focus, HistoryInput:ansi { border: none; height: 1; padding: 0; width: 1fr; }
    """

    def __init__(self, text: str, history: InputHistory, *, placeholder: str = "") -> None:
        """Begin with a text, selected so that typing replaces it."""
        super().__init__(text, placeholder=placeholder)
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
