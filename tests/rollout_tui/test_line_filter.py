"""The last net: whatever a widget draws, a terminal gets nothing to obey."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.segment import ControlType, Segment
from rich.style import Style
from textual.app import App, ComposeResult
from textual.color import Color
from textual.filter import LineFilter
from textual.strip import Strip
from textual.widgets import Label, Static

from rollout_tui.line_filter import SafeLineFilter
from rollout_tui.safe_text import safe_text

BLACK = Color(0, 0, 0)
EVIL = "\x1b]52;c;QUFB\x07\x1b[31mred\x9b2J\x00\x7f\u202e\u2066abc\u200d\ud800 end"


def filtered(segments: list[Segment]) -> list[Segment]:
    return SafeLineFilter().apply(segments, BLACK)


def test_a_clean_line_is_given_back_as_it_is() -> None:
    segments = [Segment("plain ", Style(bold=True)), Segment("中 é"), Segment("x", Style(meta={"line": 3}))]
    assert filtered(segments) is segments


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(st.lists(st.text(st.characters(codec=None, exclude_categories=()), max_size=20), max_size=5))
def test_only_printable_text_of_the_same_width_comes_through(texts: list[str]) -> None:
    segments = [Segment(text, Style(italic=True)) for text in texts]
    for before, after in zip(segments, filtered(segments), strict=True):
        assert after.text.replace("\u200c", "").isprintable()
        assert cell_len(after.text) == cell_len(before.text)
        assert after.style == before.style


def test_a_word_keeps_its_joiner_even_where_a_style_ends_and_no_other_stays() -> None:
    bold = Style(bold=True)
    after = filtered([Segment("ad\u200cmin می\u200c", bold), Segment("خواهم 👨\u200d👩")])
    assert [segment.text for segment in after] == ["admin می\u200c", "خواهم 👨"]


def test_control_segments_go() -> None:
    bell = Segment("\x07", None, [(ControlType.BELL,)])
    assert filtered([Segment("a"), bell, Segment("b")]) == [Segment("a"), Segment("b")]


def test_links_and_actions_go_and_the_look_stays() -> None:
    link = Style(bold=True, link="https://example.org")
    action = Style(color="red", meta={"@click": "app.evil", "row": 1})
    first, second = filtered([Segment("here", link), Segment("there", action)])
    assert first.style is not None
    assert second.style is not None
    assert first.style.link is None
    assert first.style.bold
    assert second.style.meta == {"row": 1}
    assert second.style.color is not None
    assert "\x1b]8" not in Strip([first, second]).render(App().console)


@pytest.mark.parametrize("action", ["grab", "scroll_up", "scroll_down"])
def test_scrollbars_keep_working(action: str) -> None:
    segments = [Segment(" ", Style(meta={"@mouse.down": action}))]
    assert filtered(segments) is segments
    evil = [Segment(" ", Style(meta={"@mouse.down": "app.evil"}))]
    style = filtered(evil)[0].style
    assert style is not None
    assert style.meta == {}


def test_a_line_is_filtered_once_whichever_instance_asks() -> None:
    strip = Strip([Segment("\x1b[2J")])
    assert strip.apply_filter(SafeLineFilter(), BLACK) is strip.apply_filter(SafeLineFilter(), BLACK)


class EvilApp(App[None]):
    """Draws hostile text in the careless ways that Textual allows."""

    clicked = False

    def __init__(self) -> None:
        super().__init__()
        self._net = SafeLineFilter()

    def get_line_filters(self) -> list[LineFilter]:
        return [*super().get_line_filters(), self._net]

    def compose(self) -> ComposeResult:
        yield Static(EVIL, markup=False)
        yield Static('[@click=app.evil]press here[/] and [link="https://example.org"]there[/]', id="markup")
        yield Label(EVIL, markup=False, id="label")

    def on_mount(self) -> None:
        self.query_one("#label").border_title = safe_text(EVIL)

    def action_evil(self) -> None:
        self.clicked = True


async def test_nothing_of_a_careless_widget_reaches_the_terminal() -> None:
    app = EvilApp()
    async with app.run_test(size=(60, 12)) as pilot:
        await pilot.click("#markup", offset=(2, 0))
        assert not app.clicked
        for row in app.screen._compositor.render_strips():
            assert row.text.isprintable()
            assert "\x1b]8" not in row.render(app.console)
