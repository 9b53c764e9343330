"""Text from a bundle, made safe: properties that hold for any input, and the cases a reader meets."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from rollout_tui import glyphs
from rollout_tui.safe_text import (
    MAX_MARKS,
    clip,
    clip_start,
    flowing_lines,
    flowing_text,
    join,
    safe_block,
    safe_bytes,
    safe_filename,
    safe_lines,
    safe_pieces,
    safe_text,
)

HOSTILE = st.sampled_from(
    [
        *map(chr, range(0x20)),
        *map(chr, range(0x7F, 0xA1)),
        *"\u00ad\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u2028\u2029\u202a\u202b\u202d\u202e\u2060\u2066\u2069\ufeff",
        *"\u0301\u0308\u20e3\u0489\u034f\u115f\u1160\u17b4\u180b\u3164\uffa0\ufe00\ufe0e\ufe0f",
        *"\ud800\udc00\udcff\ue000\uf8ff\ufdd0\ufffe\uffff\ufffd\ufffc\u2065\u0378",
        *"\U000e0001\U000e0041\U000e007f\U000e0100\U000f0000\U0010ffff\U0001d159\U0001bca0",
        *"یخكहक्ष👨👩🔥",
        *"❤1#*☝👍🏽\U0001f1e6 \u00a0\u3000\u2003中가각é◌␛aZ",
        "\x1b[31m",
        "\x1b]52;c;QUFB\x07",
        "\x1b]8;;http://x\x1b\\",
        "\r\n",
    ]
)
ANY_TEXT = st.one_of(
    st.text(st.characters(codec=None, exclude_categories=())),
    st.lists(HOSTILE, max_size=40).map("".join),
    st.text(alphabet="\u0301\u0302\u0303e ", max_size=40),
    st.text(alphabet="\u200c\u200dیخ\u0651क\u094dष\u093e\u0301a👨👩❤\ufe0f🏽◌ ", max_size=20),
)
FORBIDDEN_CATEGORIES = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@pytest.fixture
def ascii_glyphs() -> Iterator[None]:
    glyphs.use(glyphs.ASCII)
    yield
    glyphs.use(glyphs.UNICODE)


def assert_harmless(text: str) -> None:
    visible = text.replace("\u200c", "")
    assert visible.isprintable()
    assert not {unicodedata.category(char) for char in visible} & FORBIDDEN_CATEGORIES
    assert_non_joiners_are_in_words(text)
    marks = 0
    for char in text:
        if cell_len(char) == 0:
            marks += 1
            assert not 0xFE00 <= ord(char) <= 0xFE0F, "a variation selector"
            assert not 0xE0000 <= ord(char) <= 0xE0FFF, "a tag or a variation selector"
        else:
            marks = 0
        assert marks <= MAX_MARKS
    if text:
        assert cell_len(text[0]) > 0, "a mark that would sit on what stands before"


def assert_non_joiners_are_in_words(text: str) -> None:
    for place, char in enumerate(text):
        if char == "\u200c":
            around = text[place - 1] + text[place + 1 : place + 2]
            assert {unicodedata.category(one)[0] for one in around} <= {"L", "M"}, "not in a word"
            assert not set(around) & set("aeZ가각é中"), "a script whose letters stand alone"


@settings(max_examples=600, deadline=None)
@given(ANY_TEXT)
def test_nothing_a_terminal_obeys_or_hides_comes_through(text: str) -> None:
    shown = safe_text(text)
    assert_harmless(shown)
    assert safe_text(shown) == shown
    # The whole is as wide as its characters: no joiner or selector changes that.
    assert cell_len(shown) == sum(map(cell_len, shown))


@settings(max_examples=600, deadline=None)
@given(ANY_TEXT)
def test_flowing_text_keeps_what_belongs_to_words_and_emoji_and_nothing_else_that_is_not_seen(
    text: str,
) -> None:
    shown = flowing_text(text)
    assert flowing_text(shown) == shown
    assert flowing_text(safe_text(text)) == safe_text(text)
    for place, char in enumerate(shown):
        before, after = shown[:place], shown[place + 1 : place + 2]
        if char == "\u200d":
            assert not after or unicodedata.category(after)[0] in "LMS", "nothing after it to join"
            assert unicodedata.category(before[-1])[0] in "LMS", "nothing before it to join"
        elif char != "\u200c":
            assert char.isprintable()
            assert unicodedata.category(char) not in FORBIDDEN_CATEGORIES
        if 0xFE00 <= ord(char) <= 0xFE0F:
            assert unicodedata.category(before[-1]) in {"So", "Sm", "Po", "Nd"}, "selects nothing"


WORDS_AND_EMOJI = [
    "می\u200cخواهم", "क्\u200dष", "ක්\u200dර", "র\u200d্য", "👨\u200d👩\u200d👧\u200d👦", "❤\ufe0f\u200d🔥",
    "👩🏽\u200d🚀", "🏳\ufe0f\u200d🌈", "👍🏽", "☝\ufe0f",
]  # fmt: skip


@pytest.mark.parametrize("text", WORDS_AND_EMOJI)
def test_words_and_emoji_stay_what_they_are_where_width_does_not_matter(text: str) -> None:
    assert flowing_text(text) == text
    assert flowing_lines(f"{text}\n{text}\n") == [text, text]
    assert safe_block(f"{text}\t{text}\n") == f"{text}\t{text}\n"


@pytest.mark.parametrize("text", WORDS_AND_EMOJI)
def test_in_rows_words_and_emoji_are_as_wide_in_every_terminal(text: str) -> None:
    """One that joins what it draws and one that counts each character must come to the same width."""
    shown = safe_text(text)
    assert "<U+" not in shown
    assert not set(shown) & set("\u200d\ufe0f🏽")
    assert cell_len(shown) == sum(map(cell_len, shown))


@settings(max_examples=200, deadline=None)
@given(ANY_TEXT)
def test_pieces_are_one_per_character_and_give_the_text(text: str) -> None:
    pieces = safe_pieces(text)
    assert len(pieces) == len(text)
    assert "".join(pieces) == safe_text(text)


@settings(max_examples=200, deadline=None)
@given(ANY_TEXT)
@pytest.mark.usefixtures("ascii_glyphs")
def test_the_ascii_set_shows_ascii_only(text: str) -> None:
    glyphs.use(glyphs.ASCII)
    shown = safe_text(text)
    assert shown.isascii()
    assert shown.isprintable()
    assert safe_text(shown) == shown
    assert "".join(safe_pieces(text)) == shown


@settings(max_examples=300, deadline=None)
@given(ANY_TEXT, st.integers(-1, 30))
def test_clipped_text_fits_and_says_that_it_was_clipped(text: str, width: int) -> None:
    whole = safe_text(text)
    for cut in (clip(whole, width), clip_start(whole, width)):
        assert_harmless(cut)
        assert cell_len(cut) <= max(0, width)
        if width > 0 and cell_len(whole) <= width:
            assert cut == whole
        elif width > 0:
            assert "…" in cut


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_give_a_line(data: bytes) -> None:
    assert_harmless(safe_bytes(data))


@settings(max_examples=200, deadline=None)
@given(ANY_TEXT)
def test_lines_are_safe_and_lose_no_line(text: str) -> None:
    lines = safe_lines(text)
    for line in lines:
        assert_harmless(line)
    assert len(lines) == text.count("\n") + (1 if not text.endswith("\n") else 0)


@settings(max_examples=300, deadline=None)
@given(ANY_TEXT)
def test_a_file_name_is_one_plain_name(text: str) -> None:
    name = safe_filename(text)
    assert 1 <= len(name) <= 100
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
    assert name[0] not in ".-"
    assert ".." not in name


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text, [brackets] and \\n", "plain text, [brackets] and \\n"),
        ("\x1b[31mred\x1b[0m", "␛[31mred␛[0m"),
        ("\x1b]52;c;QUFB\x07", "␛]52;c;QUFB␇"),
        ("a\x00b\x7fc", "a␀b␡c"),
        ("\x9b31m\x85", "<U+009B>31m<U+0085>"),
        ("two\nlines\r", "two␊lines␍"),
        ("a\tb\tccccc\td", "a   b   ccccc   d"),
        ("user\u202etxt.exe", "user<U+202E>txt.exe"),
        ("zero\u200bwidth\ufeff", "zero<U+200B>width<U+FEFF>"),
        ("lone \ud83d half", "lone <U+D83D> half"),
        ("hidden\U000e0068\U000e0069", "hidden<U+E0068><U+E0069>"),
        ("no-break\u00a0space\u3000wide", "no-break space  wide"),
        ("e\u0301a\u0308\u0301", "e\u0301a\u0308\u0301"),
        ("\u0301x", "◌\u0301x"),
        ("a \u0301", "a ◌\u0301"),
        ("z" + "\u0301" * 50 + "y", "z" + "\u0301" * MAX_MARKS + "�y"),
        ("I ❤\ufe0f it 👍🏽", "I ❤ it 👍"),
        ("❤\ufe0f\ufe0f", "❤<U+FE0F>"),
        ("a\ufe0fb\U000e0100c", "a<U+FE0F>b<U+E0100>c"),
        ("👨\u200d👩\u200d👧", "👨👩👧"),
        ("❤\ufe0f\u200d🔥", "❤🔥"),
        ("👩🏽\u200d🚀", "👩🚀"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("क्\u200cष क्\u200dष", "क्\u200cष क्ष"),
        ("ad\u200cmin a\u200db", "ad<U+200C>min a<U+200D>b"),
        ("می\u200c\u200cخ", "می<U+200C><U+200C>خ"),
        ("می\u200cक", "می<U+200C>क"),
        ("می\u200c", "می\u200c"),
        ("\u200cخ", "<U+200C>خ"),
        ("👨\u200d", "👨"),
        ("👨\u200c👩", "👨<U+200C>👩"),
        ("👨\u200dx", "👨<U+200D>x"),
        ("ᄒ\u1161\u11ab", "ᄒ\u1161\u11ab"),
        ("\u115f\u3164\u1160", "<U+115F><U+3164><U+1160>"),
        ("日本語", "日本語"),
        ("naïve – “quoted”", "naïve – “quoted”"),
    ],
)
def test_what_a_reader_sees(text: str, shown: str) -> None:
    assert safe_text(text) == shown


@pytest.mark.usefixtures("ascii_glyphs")
def test_what_a_reader_sees_in_ascii() -> None:
    assert safe_text("\x1b[1m é\t中\x7f\u202e😀") == "^[[1m \\xe9  \\u4e2d^?\\u202e\\U0001f600"
    assert clip(safe_text("abcdef"), 4) == "abc~"


def test_bytes_that_are_not_utf8_are_named() -> None:
    assert safe_bytes(b"ok \xff\xc3( \xe4\xb8\xad \xed\xa0\x80") == "ok \\xff\\xc3( 中 \\xed\\xa0\\x80"


def test_lines_end_at_newlines_only() -> None:
    assert safe_lines("a\r\nb\rc\n\nd\u2028e\x0bf\n") == ["a", "b␍c", "", "d<U+2028>e␋f"]
    assert safe_lines("") == [""]


def test_clip_of_megabytes_looks_at_the_beginning_only() -> None:
    assert clip(safe_text("x" * 5_000_000), 5) == "xxxx…"
    assert clip(safe_text("中" * 1_000_000), 6) == "中中…"
    assert clip_start(safe_text("/very/long/" + "p" * 1_000_000 + "/end"), 6) == "…p/end"


def test_join_makes_the_separator_safe() -> None:
    assert join([safe_text("a"), safe_text("b")], "\x1b") == "a␛b"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("../../etc/passwd", "etc_passwd"),
        ("-rf", "rf"),
        (".hidden", "hidden"),
        ("a/b\x00c", "a_b_c"),
        ("...", "unnamed"),
        ("", "unnamed"),
        ("call-17.json", "call-17.json"),
        ("a..b", "a.b"),
    ],
)
def test_file_names(text: str, name: str) -> None:
    assert safe_filename(text) == name
