"""The virtual list: row models and layout without a terminal, then the widget in a headless app."""

from __future__ import annotations

from collections.abc import Hashable

import pytest
from textual.app import App, ComposeResult
from textual.message import Message

from rollout_tui import glyphs
from rollout_tui.lines.rows import MIN_MAIN, TAIL_GAP, Fold, ListRows, Row, lay_out, row_list
from rollout_tui.lines.spans import Span, fit, mark_matches, span, spans_text, spans_width
from rollout_tui.widgets.virtual_list import VirtualList

WIDTH, HEIGHT = 40, 20


def plain_row(key: Hashable, text: str = "") -> Row:
    return Row(key, (span(text or f"row {key}"),))


def numbers(count: int, start: int = 0) -> ListRows[int]:
    return ListRows(range(start, start + count), plain_row, key=lambda number: number, depth=lambda _n: 0)


class ListApp(App[None]):
    def __init__(self, view: VirtualList) -> None:
        super().__init__()
        self.view = view
        self.heard: list[Message] = []
        self.animation_level = "none"
        self.theme = "ansi-dark"

    def compose(self) -> ComposeResult:
        yield self.view

    def on_mount(self) -> None:
        self.view.focus()

    def on_virtual_list_cursor_moved(self, message: VirtualList.CursorMoved) -> None:
        self.heard.append(message)

    def on_virtual_list_row_opened(self, message: VirtualList.RowOpened) -> None:
        self.heard.append(message)

    def on_virtual_list_fold_requested(self, message: VirtualList.FoldRequested) -> None:
        self.heard.append(message)

    def on_line_view_at_edge(self, message: VirtualList.AtEdge) -> None:
        self.heard.append(message)


def screen_text(view: VirtualList) -> list[str]:
    return [view.render_line(y).text.rstrip() for y in range(view.size.height)]


# --- rows and spans


def test_fit_cuts_across_spans_and_says_so() -> None:
    spans = [span("abcd"), span("efgh", "good"), span("ijkl")]
    assert spans_text(fit(spans, 12)) == "abcdefghijkl"
    assert spans_text(fit(spans, 11)) == "abcdefghij…"
    assert spans_text(fit(spans, 8)) == "abcdefg…"
    assert spans_text(fit(spans, 4)) == "abc…"
    assert spans_text(fit(spans, 1)) == "…"
    assert fit(spans, 0) == []


@pytest.mark.parametrize("width", range(12))
def test_fit_never_exceeds_its_width_with_wide_characters(width: int) -> None:
    assert spans_width(fit([span("中中"), span("a中"), span("e\u0301x")], width)) <= width


def test_matches_are_marked_across_spans() -> None:
    import re

    marked = mark_matches([span("abc"), span("def", "good"), span("abcdef")], re.compile("cd"))
    assert marked == [
        span("ab"),
        span("c", "match"),
        span("d", "match"),
        span("ef", "good"),
        span("ab"),
        span("cd", "match"),
        span("ef"),
    ]


def test_layout_puts_the_tail_at_the_right_edge_and_drops_it_piece_by_piece() -> None:
    row = Row("k", (span("what happened in this row"),), (span("ok"), span("1.2s"), span("7.0k")))
    assert spans_text(lay_out(row, 50)).split() == [
        "what",
        "happened",
        "in",
        "this",
        "row",
        "ok",
        "1.2s",
        "7.0k",
    ]
    columns = ["ok", "1.2s", "7.0k"]
    for kept in range(3, -1, -1):
        tail = "".join(" " * TAIL_GAP + column for column in columns[:kept])
        for width in (MIN_MAIN + len(tail), MIN_MAIN + len(tail) + 1):
            line = spans_text(lay_out(row, width))
            main = width - len(tail)
            assert line == "what happened in this row"[: main - 1] + "…" + tail


def test_layout_draws_depth_and_fold_marks() -> None:
    assert spans_text(lay_out(Row(1, (span("x"),), depth=2, fold=Fold.OPEN), 20)) == "    ▾ x"
    assert spans_text(lay_out(Row(1, (span("x"),), depth=1, fold=Fold.CLOSED), 20)) == "  ▸ x"
    assert spans_text(lay_out(Row(1, (span("x"),), fold=Fold.LEAF), 20)) == "  x"
    assert spans_text(lay_out(Row(1, (span("x"),)), 20)) == "x"
    deep = spans_text(lay_out(Row(1, (span("still readable"),), depth=500), 40))
    assert "still readable" in deep


def test_layout_in_ascii() -> None:
    glyphs.use(glyphs.ASCII)
    try:
        row = Row(1, (span("é and a long text that is cut"),), depth=1, fold=Fold.OPEN)
        line = spans_text(lay_out(row, 20))
    finally:
        glyphs.use(glyphs.UNICODE)
    assert line.isascii()
    assert line == "  v \\xe9 and a long~"


def test_list_rows_find_by_key_after_append_and_replace() -> None:
    rows = numbers(3)
    assert rows.find(2) == 2
    assert rows.find(3) is None
    rows.append([3, 4])
    assert rows.find(4) == 4
    rows.replace([9, 2])
    assert rows.find(2) == 1
    assert rows.find(4) is None
    assert [rows.key(index) for index in range(len(rows))] == [9, 2]


def test_list_rows_parent_is_the_nearest_shallower_row() -> None:
    depths = [0, 1, 2, 2, 1, 0]
    rows = row_list(Row(i, (span(str(i)),), depth=d) for i, d in enumerate(depths))
    assert [rows.parent(i) for i in range(6)] == [None, 0, 1, 1, 0, None]


# --- the widget


async def test_only_visible_rows_are_made_of_a_hundred_thousand() -> None:
    made: list[int] = []

    def render(number: int) -> Row:
        made.append(number)
        return plain_row(number)

    rows = ListRows(range(100_000), render, key=lambda number: number, depth=lambda _n: 0)
    app = ListApp(VirtualList(rows))
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        assert screen_text(app.view)[:2] == ["row 0", "row 1"]
        await pilot.press("G")
        assert screen_text(app.view)[-1] == "row 99999"
        assert app.view.cursor == 99_999
        await pilot.press("g")
        assert app.view.cursor == 0
    assert len(set(made)) <= 3 * HEIGHT


async def test_a_cursor_move_draws_two_lines() -> None:
    app = ListApp(VirtualList(numbers(1000)))
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        drawn: list[int] = []
        draw = app.view.render_line
        await pilot.pause()  # all of it is drawn
        app.view.render_line = lambda y: (drawn.append(y), draw(y))[1]  # type: ignore[method-assign]
        await pilot.press("j")
        await pilot.pause()
        assert sorted(drawn) == [0, 1]


async def test_leaving_the_window_scrolls_half_a_page_once() -> None:
    app = ListApp(VirtualList(numbers(1000)))
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        app.view.cursor = HEIGHT - 1
        await pilot.pause()
        assert app.view.scroll_offset.y == 0
        await pilot.press("j")
        assert app.view.scroll_offset.y == HEIGHT // 2
        await pilot.press(*["k"] * (HEIGHT // 2 + 1))
        assert app.view.cursor == HEIGHT // 2 - 1
        assert app.view.scroll_offset.y == 0


async def test_paging_moves_window_and_cursor_and_stops_at_the_ends() -> None:
    app = ListApp(VirtualList(numbers(100)))
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        await pilot.press("ctrl+d")
        assert (app.view.cursor, app.view.scroll_offset.y) == (10, 10)
        await pilot.press("pagedown")
        assert (app.view.cursor, app.view.scroll_offset.y) == (29, 29)
        await pilot.press("pageup", "ctrl+u", "ctrl+u")
        assert (app.view.cursor, app.view.scroll_offset.y) == (0, 0)
        await pilot.press(*["pagedown"] * 8)
        assert (app.view.cursor, app.view.scroll_offset.y) == (99, 80)


async def test_jump_keeps_context_around_the_target() -> None:
    app = ListApp(VirtualList(numbers(1000)))
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        app.view.jump(500)
        await pilot.pause()
        top = app.view.scroll_offset.y
        assert top + 3 <= 500 <= top + HEIGHT - 4
        app.view.jump(top + HEIGHT - 1)
        await pilot.pause()
        assert app.view.scroll_offset.y == top + 3
        assert app.view.go_to(7)
        await pilot.pause()
        assert app.view.cursor == 7
        assert not app.view.go_to("nowhere")


async def test_the_cursor_stays_on_its_row_and_the_row_on_its_line() -> None:
    rows = numbers(200, start=1000)
    app = ListApp(VirtualList(rows))
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        app.view.jump(100)
        await pilot.pause()
        line = app.view.cursor - app.view.scroll_offset.y
        app.heard.clear()
        rows.replace(range(900, 1200))
        app.view.rows_changed()
        await pilot.pause()
        assert app.view.cursor == 200
        assert app.view.cursor_key == 1100
        assert app.view.cursor - app.view.scroll_offset.y == line
        assert screen_text(app.view)[line] == "row 1100"
        assert app.heard == []
        rows.replace(range(900, 1000))
        app.view.rows_changed()
        await pilot.pause()
        assert app.view.cursor == 99
        assert [(m.index, m.key) for m in app.heard if isinstance(m, VirtualList.CursorMoved)] == [(99, 999)]


async def test_rows_appended_are_drawn_and_move_nothing() -> None:
    rows = numbers(5)
    app = ListApp(VirtualList(rows, empty="nothing yet"))
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        await pilot.press("j")
        rows.append(range(5, 50))
        app.view.rows_appended(5)
        await pilot.pause()
        assert app.view.cursor == 1
        assert screen_text(app.view)[10] == "row 10"
        await pilot.press("G")
        assert app.view.cursor == 49


async def test_an_empty_list_says_why_and_survives_every_key() -> None:
    app = ListApp(VirtualList(empty="No agent was spawned in this session, and this sentence is long"))
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        assert " ".join(screen_text(app.view)).split() == app.view.empty.split()
        await pilot.press("j", "k", "g", "G", "pagedown", "ctrl+u", "h", "l", "enter")
        assert app.view.cursor == 0
        assert not any(isinstance(m, VirtualList.RowOpened) for m in app.heard)
        app.view.set_source(numbers(3))
        await pilot.pause()
        assert screen_text(app.view)[:3] == ["row 0", "row 1", "row 2"]


async def test_tree_keys_ask_for_folding_and_walk_the_tree() -> None:
    rows = row_list(
        [
            Row("a", (span("a"),), fold=Fold.OPEN),
            Row("b", (span("b"),), depth=1, fold=Fold.CLOSED),
            Row("c", (span("c"),), depth=1, fold=Fold.LEAF),
        ]
    )
    app = ListApp(VirtualList(rows))
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        await pilot.press("l")
        assert app.view.cursor_key == "b"
        await pilot.press("l")
        await pilot.press("j", "h")
        assert app.view.cursor_key == "a"
        await pilot.press("h", "j", "j", "l")
        folds = [(m.key, m.fold) for m in app.heard if isinstance(m, VirtualList.FoldRequested)]
        assert folds == [("b", False), ("a", True)]
        assert [m.direction for m in app.heard if isinstance(m, VirtualList.AtEdge)] == [1]


async def test_enter_and_double_click_open_and_a_click_moves() -> None:
    app = ListApp(VirtualList(numbers(100)))
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        await pilot.press("j", "enter")
        await pilot.click(app.view, offset=(3, 5))
        assert app.view.cursor == 5
        await pilot.click(app.view, offset=(3, 7), times=2)
        opened = [m.key for m in app.heard if isinstance(m, VirtualList.RowOpened)]
        assert opened == [1, 7]


async def test_the_wheel_scrolls_without_animation_and_leaves_the_cursor() -> None:
    from textual import events

    app = ListApp(VirtualList(numbers(100)))
    app.animation_level = "full"
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        wheel = events.MouseScrollDown(app.view, 1, 1, 0, 0, 0, False, False, False)
        app.view.post_message(wheel)
        await pilot.pause()
        assert app.view.scroll_offset.y > 0
        assert app.view.cursor == 0
        await pilot.press("pagedown")
        assert app.view.scroll_offset.y == app.view.scroll_target_y
        assert app.view.cursor in range(app.view.scroll_offset.y, app.view.scroll_offset.y + HEIGHT)


async def test_highlight_and_cursor_are_visible_without_colour() -> None:
    app = ListApp(VirtualList(numbers(30)))
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        app.view.highlight("row 1")
        await pilot.pause()
        cursor, other, match = (list(app.view.render_line(y)) for y in (0, 2, 1))
        assert cursor[0].style is not None
        assert cursor[0].style.reverse
        assert other[0].style is not None
        assert not other[0].style.reverse
        assert match[0].text == "row 1"
        assert match[0].style is not None
        assert match[0].style.reverse
        app.view.blur()
        await pilot.pause()
        blurred = next(iter(app.view.render_line(0))).style
        assert blurred is not None
        assert blurred.underline
        assert not blurred.reverse


async def test_long_and_hostile_rows_fill_exactly_the_line() -> None:
    rows = row_list(
        [
            Row(0, (span("x" * 2_000_000),)),
            Row(1, (span("\x1b]0;owned\x07" + "中" * 100),)),
            Row(2, (Span(span("e" + "\u0301" * 5000).text),)),
            Row(3, (span("\u202eabc\u200b"),), (span("7"),)),
        ]
    )
    app = ListApp(VirtualList(rows))
    async with app.run_test(size=(WIDTH, HEIGHT)):
        for y in range(HEIGHT):
            strip = app.view.render_line(y)
            assert strip.cell_length == app.view.line_width
            assert strip.text.isprintable()
