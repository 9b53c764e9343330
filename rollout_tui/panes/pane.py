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
        own_focus: which pane it is.
    """

    DEFAULT_CSS = "Pane { height: 1fr; width: 1fr; }"

    class WorkFailed(Message):
        """What the pane was to show will not come; a title has no room to say why."""

        def __init__(self, sentence: str) -> None:
            super().__init__()
            self.sentence = sentence

    def __init__(self, own_focus: keys.Focus, number: int) -> None:
        super().__init__(number, own_focus.value, id=own_focus.name.lower())
        self.own_focus = own_focus

    def focus_view(self) -> None:
        """Give the focus to the view under the title."""
        raise NotImplementedError

    def focus_name(self) -> keys.Focus:
        """Which keys hold while this pane has the focus."""
        return self.own_focus
