"""The sets of marks: the same in each, of one width, and for a Linux console only what its font has."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from inspecting import SCREENS, inspecting
from msgspec.structs import fields
from rich.cells import cell_len

from rollout_tui import glyphs
from rollout_tui.safe_text import safe_text
from rollout_tui.views.bundle_rows import columns_for, status_mark
from rollout_tui.views.status import STATUS_STYLES, status_span

Demo = Callable[[str], Path]

MARKS = [field.name for field in fields(glyphs.GlyphSet) if field.type is str]
STATES = {"succeeded", "failed", "running", "cancelled", "unknown", "warning"}
SETS = {"unicode": glyphs.UNICODE, "console": glyphs.CONSOLE, "ascii": glyphs.ASCII}

KERNEL_FONT = frozenset(
    bytes(range(0x20, 0x7F)).decode() + bytes(range(0x80, 0x100)).decode("cp437")
) | frozenset("☺☻♥♦♣♠•◘○◙♂♀♪♫☼▶►◀◄↕‼¶§▬↨↑↓→←∟↔▲▼")
"""What the font that is built into Linux can show: code page 437, by the table drivers/tty/vt/cp437.uni."""

DEBIAN_LACKS = frozenset("√≡○◘◙►◄♂♀♪♫☼‼∟◆…✓")
"""Of that, and of what one would wish for, what the fonts Lat15-* of Debian's console-setup do not have."""

CONSOLE_FONT = KERNEL_FONT - DEBIAN_LACKS


@pytest.fixture(params=SETS)
def marks(request: pytest.FixtureRequest) -> Iterator[glyphs.GlyphSet]:
    """Each set in use."""
    chosen = SETS[request.param]
    glyphs.use(chosen)
    yield chosen
    glyphs.use(glyphs.UNICODE)


@pytest.mark.parametrize("name", MARKS)
def test_a_mark_is_one_cell_and_its_own_safe_text(marks: glyphs.GlyphSet, name: str) -> None:
    mark = getattr(marks, name)
    assert mark
    assert safe_text(mark) == mark
    may_be_two = (name in STATES and marks.state_width == 2) or (name, mark) == ("line_feed", "\\n")
    assert cell_len(mark) == len(mark) <= (2 if may_be_two else 1)


def test_the_ascii_set_is_ascii_and_its_states_are_words() -> None:
    assert all(getattr(glyphs.ASCII, name).isascii() for name in MARKS)
    assert (glyphs.ASCII.succeeded, glyphs.ASCII.failed, glyphs.ASCII.running) == ("ok", "x", "..")


@pytest.mark.parametrize("name", MARKS)
def test_the_console_set_is_within_its_font(name: str) -> None:
    assert set(getattr(glyphs.CONSOLE, name)) <= CONSOLE_FONT


def test_states_and_verdicts_are_told_apart_by_their_marks(marks: glyphs.GlyphSet) -> None:
    assert len(set(marks.states)) == len(marks.states)
    assert len({marks.added, marks.kept, marks.dropped, marks.restored, marks.becomes}) == 5
    assert marks.rule != marks.strong_rule


def test_columns_of_states_are_aligned(marks: glyphs.GlyphSet) -> None:
    assert {cell_len(status_span(status).text) for status in STATUS_STYLES} == {marks.state_width}
    column = next(one for one in columns_for(80, with_name=False) if "STATUS" in one.title)
    widest = max(
        len(f"{status_mark(status):<{marks.state_width}} {status}") for status in ("completed", "unusable")
    )
    assert column.width == widest
    assert column.title == " " * marks.state_width + " STATUS"


@pytest.mark.parametrize(
    ("encoding", "wanted", "term", "chosen"),
    [
        ("utf-8", False, None, glyphs.UNICODE),
        ("UTF8", False, "xterm-256color", glyphs.UNICODE),
        ("utf-8", False, "linux", glyphs.CONSOLE),
        ("utf-8", False, "linux-16color", glyphs.CONSOLE),
        ("utf-8", True, "linux", glyphs.ASCII),
        ("utf-8", True, None, glyphs.ASCII),
        ("ISO-8859-1", False, "linux", glyphs.ASCII),
        ("ANSI_X3.4-1968", False, None, glyphs.ASCII),
        (None, False, None, glyphs.ASCII),
    ],
)
def test_glyphs_follow_the_terminal(
    encoding: str | None, wanted: bool, term: str | None, chosen: glyphs.GlyphSet
) -> None:
    assert glyphs.for_terminal(encoding, wanted, term) is chosen


@pytest.mark.slow
@pytest.mark.parametrize("set_name", ["console", "ascii"])
@pytest.mark.parametrize("name", [*SCREENS, "palette"])
async def test_every_screen_is_drawn_with_marks_of_the_set(
    demo_trace: Demo, name: str, set_name: str
) -> None:
    """Evidence of the demo is ASCII but for some punctuation, which is not the program's own."""
    glyphs.use(SETS[set_name])
    evidence = set("–—’“”é…")
    frame = set("┌┐└┘─│")
    allowed = (
        frozenset(map(chr, range(0x20, 0x7F))) if set_name == "ascii" else CONSOLE_FONT | evidence | frame
    )
    try:
        async with inspecting(demo_trace("team"), (80, 24)) as inspection:
            await inspection.press("j", *(("ctrl+p",) if name == "palette" else SCREENS[name][0]))
            drawn = set("".join(inspection.screen_text()))
            # The pilot draws scroll bars in eighths; in a terminal they are blanks in reverse.
            assert drawn - allowed - set("▁▂▃▄▅▆▇█") == set()
    finally:
        glyphs.use(glyphs.UNICODE)


def test_a_console_without_pictures_gets_controls_as_carets() -> None:
    glyphs.use(glyphs.CONSOLE)
    try:
        assert safe_text("a\x1b[31m\x7f é") == "a^[[31m^? é"
        assert safe_text(safe_text("\x00\x85")) == safe_text("\x00\x85") == "^@<U+0085>"
    finally:
        glyphs.use(glyphs.UNICODE)
