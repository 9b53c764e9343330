"""A step of a pilot ends at rest, and all that is to be drawn then is drawn."""

from __future__ import annotations

import pytest
from textual.app import App, ComposeResult
from textual.strip import Strip
from textual.widget import Widget


class Counting(Widget, can_focus=True):
    """Counts how often its first line is drawn; cannot be drawn for ever."""

    drawn = 0
    most = 1000

    def render_line(self, y: int) -> Strip:
        self.drawn += y == 0
        assert self.drawn <= self.most, "it cannot be drawn"
        return Strip.blank(self.size.width)

    def key_j(self) -> None:
        self.refresh()
        self.call_later(self.call_after_refresh, self.refresh)


class CountingApp(App[None]):
    def compose(self) -> ComposeResult:
        yield Counting()


async def test_a_key_is_drawn_and_drawn_once() -> None:
    async with CountingApp().run_test() as pilot:
        widget = pilot.app.query_one(Counting)
        before = widget.drawn
        await pilot.press("j")
        assert widget.drawn == before + 1


async def test_what_cannot_be_drawn_fails_the_step() -> None:
    async with CountingApp().run_test() as pilot:
        widget = pilot.app.query_one(Counting)
        widget.most = widget.drawn
        with pytest.raises(AssertionError, match="it cannot be drawn"):
            await pilot.press("j")
        widget.most = 1000


async def test_a_size_is_heard_of_before_the_step_is_over() -> None:
    async with CountingApp().run_test(size=(80, 24)) as pilot:
        await pilot.resize_terminal(60, 20)
        assert pilot.app.query_one(Counting).size == (60, 20)
