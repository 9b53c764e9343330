"""A list above the inspector, which can be searched like any other."""

from __future__ import annotations

from typing import TypeVar

from rollout_tui.screens.modal import Modal
from rollout_tui.screens.searchable import SearchableScreen

T = TypeVar("T")


class Dialog(Modal[T], SearchableScreen[T | None]):
    """A screen with a list, a tree or a text; its result is None when it was only closed."""

    def action_back(self) -> None:
        """End a search, or close."""
        if not self.end_search():
            self.dismiss(None)
