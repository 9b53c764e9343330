"""What the panes have in common."""

from __future__ import annotations

from textual.message import Message

from rollout_tui import keys
from rollout_tui.panes.titled import Titled

READING = "Reading the bundle ..."
"""What a list says before there is a graph."""


class Pane(Titled):
    """A pane of the main screen.

    Attributes:
        pane: which pane it is.
    """

    DEFAULT_CSS = "Pane { height: 1fr; width: 1fr; }"

    class WorkFailed(Message):
        """What the pane was to show will not come; a title has no room to say why."""

        def __init__(self, sentence: str) -> None:
            super().__init__()
            self.sentence = sentence

    def __init__(self, pane: keys.Pane, number: int) -> None:
        super().__init__(number, pane.value, id=pane.name.lower())
        self.pane = pane

    def focus_view(self) -> None:
        """Give the focus to the view under the title."""
        raise NotImplementedError

    def focus_name(self) -> keys.Pane:
        """Which keys hold while this pane has the focus."""
        return self.pane
