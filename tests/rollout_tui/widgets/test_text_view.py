"""Long texts: lines, rows of a width, colours, and the widget that shows them."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from patience import until
from rich.cells import cell_len
from textual.app import App, ComposeResult
from textual.message import Message
from textual.pilot import Pilot

from rollout_tui import glyphs
from rollout_tui.lines import text_colour
from rollout_tui.lines.text_colour import TextColours
from rollout_tui.safe_text import MAX_MARKS, safe_text
from rollout_tui.texts.syntax import Language
from rollout_tui.texts.text_lines import TextLayout, TextLines, TextRows, decode_pieces, text_hits
from rollout_tui.texts.view_search import Looked
from rollout_tui.widgets.line_view import LineView
from rollout_tui.widgets.text_view import INLINE_CHARS, TextView

ODD_TEXT = st.text(st.sampled_from("ab \t\n\r中é\u0301\u200b\x1b❤\ufe0f😀\u200c\u200dیخ"), max_size=120)


def rows_of(text: str, width: int) -> list[str]:
    rows = TextRows(TextLines(text).build_all(), width).build_all()
    return [text[slice(*rows.span(row))] for row in range(len(rows))]


# --- lines and rows


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", [""]),
        ("a", ["a"]),
        ("a\n", ["a"]),
        ("a\n\n", ["a", ""]),
        ("\n", [""]),
        ("a\r\nb\rc\n d", ["a", "b\rc", " d"]),
        ("\r\n", [""]),
        ("x\u2028y\x0bz\x85", ["x\u2028y\x0bz\x85"]),
    ],
)
def test_lines_end_at_newlines(text: str, lines: list[str]) -> None:
    found = TextLines(text).build_all()
    assert [text[slice(*found.span(line))] for line in range(len(found))] == lines
    assert rows_of(text, 0) == lines


def test_lines_and_rows_are_found_by_character() -> None:
    text = "first\nsecond line\n\nlast"
    rows = TextRows(TextLines(text).build_all(), 4).build_all()
    assert [text[slice(*rows.span(row))] for row in range(len(rows))] == [
        *("firs", "t"),
        *("seco", "nd l", "ine"),
        "",
        "last",
    ]
    assert [rows.is_first(row) for row in range(len(rows))] == [True, False, True, False, False, True, True]
    assert rows.row_at(text.index("line")) == 3
    assert rows.lines.line_at(text.index("last")) == 3
    assert rows.row_at(0) == 0
    assert rows.row_at(10_000) == 6


@pytest.mark.slow
@settings(max_examples=500, deadline=None)
@given(ODD_TEXT, st.integers(2, 12), st.booleans())
def test_rows_fit_the_width_and_lose_no_character(text: str, width: int, in_ascii: bool) -> None:
    glyphs.use(glyphs.ASCII if in_ascii else glyphs.UNICODE)
    try:
        rows = TextRows(TextLines(text).build_all(), width).build_all()
        pieces = [text[slice(*rows.span(row))] for row in range(len(rows))]
        assert "".join(pieces) == text.replace("\r\n", "\n").replace("\n", "")
        for piece in pieces:
            # One character may be wider than the row, as an escape or a tab.
            assert cell_len(safe_text(piece)) <= width or len(piece) == 1
    finally:
        glyphs.use(glyphs.UNICODE)


@settings(max_examples=200, deadline=None)
@given(ODD_TEXT, st.integers(2, 12))
def test_windows_do_not_change_the_rows(text: str, width: int) -> None:
    from unittest.mock import patch

    whole = rows_of(text, width)
    with patch("rollout_tui.texts.text_lines.WINDOW", 1):
        assert rows_of(text, width) == whole


def test_a_flood_of_marks_does_not_make_a_row_endless() -> None:
    rows = rows_of("e" + "\u0301" * 100_000, 10)
    assert len(rows) > 1000
    assert all(cell_len(safe_text(row)) <= MAX_MARKS for row in rows)


def test_wide_and_tabbed_lines_are_broken_where_they_are_full() -> None:
    assert rows_of("中中中中中", 5) == ["中中", "中中", "中"]
    assert rows_of("a\tb\tc", 5) == ["a\tb", "\tc"]
    assert rows_of("\x1b\x1b\x1b", 2) == ["\x1b\x1b", "\x1b"]


@given(st.binary(max_size=50))
def test_bytes_decode_the_same_in_pieces(data: bytes) -> None:
    from unittest.mock import patch

    with patch("rollout_tui.texts.text_lines._DECODE_BYTES", 3):
        assert "".join(decode_pieces(data)) == data.decode("utf-8", "backslashreplace")


def test_a_layout_changes_only_when_told() -> None:
    layout = TextLayout("word " * 100)
    result: list[TextRows] = []
    for _pause in layout.build(10, result):
        assert not result
    assert len(layout.rows) == 0
    layout.rows = result[0]
    assert len(layout.rows) == 50
    assert len(layout.build_all(0).rows) == 1


def found(looked: Iterable[Looked]) -> list[int]:
    return [one.position for one in looked if one.is_hit]


def test_search_minds_case_only_if_asked() -> None:
    assert found(text_hits("Abc abc ABC", "abc")) == [0, 4, 8]
    assert found(text_hits("Abc abc ABC", "Abc")) == [0]
    assert found(text_hits("a.c", ".")) == [1]
    assert found(text_hits("aaaa", "aa")) == [0, 2]
    assert found(text_hits("aaaa", "")) == []


def test_search_looks_across_the_pieces_it_searches_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rollout_tui.texts.text_lines._SEARCH_CHARS", 5)
    text = "needle in hay, needle"
    assert found(text_hits(text, "needle")) == [0, 15]
    assert found(text_hits(text, "needle", 3)) == [15, 0]
    assert found(text_hits(text, "needle", 15)) == [15, 0]
    assert found(text_hits(text, "needle", 16)) == [0, 15]


# --- colours


def coloured(text: str, language: Language) -> dict[str, str]:
    colours = TextColours(text, language)
    for _pause in colours.build():
        pass
    return {text[start:end]: style for start, end, style in colours.between(0, len(text))}


def test_languages_have_their_colours() -> None:
    script = 'const x = "text"; // why\nreturn 42;'
    assert coloured(script, "javascript").items() >= {
        ("const", "keyword"),
        ('"text"', "string"),
        ("// why", "comment"),
        ("42", "number"),
    }
    assert coloured("for f in *; do echo 'x'; done # all", "bash").items() >= {
        ("'x'", "string"),
        ("# all", "comment"),
    }
    patch = coloured("@@ -1 +1 @@\n-old\n+new\n same\n", "diff")
    assert {patch[key] for key in patch if "old" in key} == {"removed"}
    assert {patch[key] for key in patch if "new" in key} == {"added"}
    assert coloured('{"k": [1, true]}', "json").items() >= {
        ('"k"', "key"),
        ("1", "number"),
        ("true", "literal"),
    }
    assert coloured(script, "text") == {}


def test_colours_between_two_places_are_cut_to_them() -> None:
    text = "x = `many\nlines`;"
    colours = TextColours(text, "javascript")
    for _pause in colours.build():
        pass
    start, end = text.index("y"), text.index("l") + 3
    inside = list(colours.between(start, end))
    assert inside[0][0] == start
    assert inside[-1][1] == end
    assert {style for _first, _last, style in inside} == {"string"}


def test_long_lines_and_slow_texts_stay_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    assert coloured("const x = 1;" * 1000, "javascript") == {}
    monkeypatch.setattr(text_colour, "MAX_SECONDS", -1.0)
    monkeypatch.setattr(text_colour, "STEP_TOKENS", 10)
    assert len(coloured("const a = 1;\n" * 100, "javascript")) <= 10


@pytest.mark.slow
def test_only_the_beginning_of_a_huge_text_is_coloured() -> None:
    text = "return 1;\n" * 100_000
    colours = TextColours(text, "javascript")
    for _pause in colours.build():
        pass
    assert list(colours.between(0, 6)) == [(0, 6, "keyword")]
    assert list(colours.between(len(text) - 1000, len(text))) == []


# --- the widget


class TextApp(App[None]):
    def __init__(self) -> None:
        super().__init__(ansi_color=True)
        self.view = TextView(empty="No text.")
        self.edges: list[int] = []
        self.animation_level = "none"

    def compose(self) -> ComposeResult:
        yield self.view

    def on_mount(self) -> None:
        self.view.focus()

    def on_line_view_at_edge(self, message: LineView.AtEdge) -> None:
        self.edges.append(message.direction)


def shown(view: TextView) -> list[str]:
    return [view.render_line(y).text.rstrip() for y in range(min(view.size.height, view.line_count))]


async def settle(pilot: Pilot[None]) -> None:
    await until(lambda: not any(worker.is_running for worker in pilot.app.workers))
    await pilot.pause()


async def test_wraps_and_cuts_with_the_cursor_on_the_same_text() -> None:
    app = TextApp()
    async with app.run_test(size=(21, 10)) as pilot:
        view = app.view
        view.show("short\n" + "0123456789" * 6 + "\nend")
        assert view.line_width == 20
        assert shown(view) == ["short", "0123456789" * 2, "0123456789" * 2, "0123456789" * 2, "end"]
        await pilot.press("G", "W")
        assert shown(view) == ["short", "0123456789012345678…", "end"]
        assert view.cursor == 2
        await pilot.press("l")
        assert shown(view) == ["", "6789012345678901234…", ""]
        await pilot.press("l", "l", "l")
        assert shown(view)[1] == "890123456789"
        assert app.edges == [1]
        await pilot.press("h", "h", "h", "h")
        assert shown(view)[0] == "short"
        assert app.edges == [1, -1]
        await pilot.press("W", "l", "h")
        assert view.cursor == 4
        assert app.edges == [1, -1, 1, -1]


async def test_line_numbers_stand_beside_the_first_row_of_a_line() -> None:
    app = TextApp()
    async with app.run_test(size=(14, 20)) as pilot:
        view = app.view
        view.show("\n".join(["abcdefghijkl", *"bcdefghijk"]), numbers=True)
        await settle(pilot)
        assert shown(view)[:4] == [" 1 abcdefghij", " ↪ kl", " 2 b", " 3 c"]
        assert shown(view)[-1] == "11 k"
        view.go_to_line(10)
        assert view.cursor == 11
        view.go_to_line(99)
        assert view.cursor == 11


async def test_a_change_of_width_breaks_lines_anew() -> None:
    app = TextApp()
    async with app.run_test(size=(41, 10)) as pilot:
        view = app.view
        view.show("word " * 20)
        assert len(shown(view)) == 3
        await pilot.press("G")
        await pilot.resize_terminal(21, 10)
        await settle(pilot)
        assert len(shown(view)) == 5
        assert view.cursor == 4


async def test_a_line_of_megabytes_shows_at_once_and_reaches_its_end() -> None:
    text = "x" * 5_000_000 + " END"
    app = TextApp()
    async with app.run_test(size=(41, 10)) as pilot:
        view = app.view
        view.show(text, "javascript")
        assert shown(view)[0] == "x" * 40
        assert not view.is_complete
        await pilot.press("j", "j")
        await settle(pilot)
        assert view.is_complete
        assert view.cursor == 2
        await pilot.press("G")
        assert shown(view)[-1].endswith("END")
        assert view.line_count == 125_001
        hits = found(view.find_hits("end", 0))
        assert hits == [5_000_001]
        await pilot.press("g", "W")
        await settle(pilot)
        assert view.line_count == 1
        view.go_to(hits[0])
        await pilot.pause()
        assert shown(view)[0].endswith("x END")
        await pilot.press("G", "l", "pagedown")


async def test_many_lines_are_swapped_in_under_the_cursor() -> None:
    text = "\n".join(f"line {number}" for number in range(60_000))
    assert len(text) > INLINE_CHARS
    app = TextApp()
    async with app.run_test(size=(41, 10)) as pilot:
        view = app.view
        view.show(text)
        await pilot.press("ctrl+d", "j")
        row = view.cursor
        before = shown(view)
        await settle(pilot)
        assert view.cursor == row
        assert shown(view) == before
        await pilot.press("G")
        assert shown(view)[-1] == "line 59999"


async def test_found_text_is_reached_with_context_and_marked() -> None:
    app = TextApp()
    async with app.run_test(size=(41, 20)) as pilot:
        view = app.view
        view.show("\n".join(f"line {number} of the text" for number in range(2000)))
        hits = found(view.find_hits("LINE 1234".lower(), 0))
        view.highlight("line 1234")
        view.go_to(hits[0])
        await pilot.pause()
        line = view.cursor - view.scroll_offset.y
        assert 3 <= line <= 16
        assert shown(view)[line] == "line 1234 of the text"
        marked = [part.text for part in view.render_line(line) if part.style and part.style.bold]
        assert marked == ["line 1234"]


async def test_colours_come_later_and_change_no_character() -> None:
    script = "const x = '\x1b[31m\u202e\t中';\n// done\n"
    app = TextApp()
    async with app.run_test(size=(41, 10)) as pilot:
        view = app.view
        view.show(script, "javascript")
        before = shown(view)
        await settle(pilot)
        assert shown(view) == before
        assert before[0] == "const x = '␛[31m<U+202E>    中';"
        comment = next(iter(view.render_line(1)))
        assert comment.text == "// done"
        assert comment.style is not None
        assert comment.style.dim


async def test_hostile_text_fills_whole_lines_of_printable_characters() -> None:
    app = TextApp()
    async with app.run_test(size=(30, 12)) as pilot:
        view = app.view
        view.show(
            "\x1b]0;x\x07\x9b2J\u202e\u2066" * 20 + "\ud800" + "e" + "\u0301" * 3000 + "\r" + "\t中" * 50
        )
        await settle(pilot)
        for wrap in (True, False):
            view.wrap = wrap
            await settle(pilot)
            for y in range(view.size.height):
                strip = view.render_line(y)
                assert strip.text.isprintable()
                assert strip.cell_length == view.line_width
                assert sum(cell_len(part.text) for part in strip) == view.line_width


async def test_no_text_is_a_sentence_and_survives_every_key() -> None:
    app = TextApp()
    async with app.run_test(size=(30, 12)) as pilot:
        view = app.view
        assert view.render_line(0).text.rstrip() == "No text."
        await pilot.press("j", "k", "G", "g", "l", "h", "W", "l", "pagedown", "enter")
        view.show("x\n" * 50_000)
        view.clear("Encrypted, 1.2 kB.")
        await settle(pilot)
        assert view.render_line(0).text.rstrip() == "Encrypted, 1.2 kB."
        assert view.line_count == 0
        assert found(view.find_hits("x", 0)) == []
        view.go_to(5)
        view.go_to_line(3)


@pytest.mark.slow
async def test_messages_of_jobs_stay_inside() -> None:
    heard: list[Message] = []
    app = TextApp()
    async with app.run_test(size=(30, 12), message_hook=heard.append) as pilot:
        app.view.show("const x = 1;\n" * 20_000, "javascript")
        await settle(pilot)
    stepped = [message for message in heard if isinstance(message, LineView.Stepped)]
    assert stepped
    assert all(message._sender is not app for message in stepped)
