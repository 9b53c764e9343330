"""The audit of terminal output finds what a terminal would obey, and lets the program's own drawing pass."""

from __future__ import annotations

import pytest
from escape_audit import Kind, Tokenizer, escape_audit, smuggled

ALLOWED = [
    b"",
    b"plain text ~",
    "│ ▾ ✓ ␛ \ufffd 漢字 é e\u0301".encode(),
    b"\x1b[0m\x1b[1;38;2;10;20;30;48;5;8mx\x1b[m",
    b"\x1b[1;1H\x1b[40;120H",
    b"\x1b[?1049h\x1b[?25l\x1b[?1004h\x1b[>25u\x1b[?2004h\x1b[?2026$p\x1b[?2048$p\x1b[?7l",
    b"\x1b[?2026h\x1b[?2026l",
    b"\x1b[1;1H\x1b[0mrow\x1b[0m\r\nrow\x1b[0m\r\n",
    b"\x1b[1;1Hrow\r\n\x1b[2;1Hrow",
    b"\x1b]22;default\x07",
    b"\x1b[<u\x1b[?1049l\x1b[?25h\x1b[?1004l\x1b[?2004l\x1b[?1000l",
]

HOSTILE = [
    (b"\x1b]52;c;QUFB\x07", Kind.OSC),
    (b"\x1b]52;c;QUFB\x1b\\", Kind.OSC),
    (b"\x1b]0;owned\x07", Kind.OSC),
    (b"\x1b]8;;https://example.org\x1b\\", Kind.OSC),
    (b"\x1bP+q544e\x1b\\", Kind.STRING),
    (b"\x1b_Gf=24\x1b\\", Kind.STRING),
    (b"\x1b^x\x1b\\", Kind.STRING),
    (b"\x1bc", Kind.ESCAPE),
    (b"\x1b(0", Kind.ESCAPE),
    (b"\x1b7", Kind.ESCAPE),
    (b"\x1b[2J", Kind.CSI),
    (b"\x1b[3J", Kind.CSI),
    (b"\x1b[K", Kind.CSI),
    (b"\x1b[H", Kind.CSI),
    (b"\x1b[5A", Kind.CSI),
    (b"\x1b[5;31m", Kind.CSI),
    (b"\x1b[8m", Kind.CSI),
    (b"\x1b[38;2;1;2;3;8m", Kind.CSI),
    (b"\x1b[?1003h", Kind.CSI),
    (b"\x1b[?1047h", Kind.CSI),
    (b"\x1b[6n", Kind.CSI),
    (b"\x1b[c", Kind.CSI),
    (b"\x1b[21t", Kind.CSI),
    (b"\x1b[1;5r", Kind.CSI),
    (b"\x07", Kind.CONTROL),
    (b"\x00", Kind.CONTROL),
    (b"\x08", Kind.CONTROL),
    (b"\r", Kind.CONTROL),
    (b"\n", Kind.CONTROL),
    (b"\x0c", Kind.CONTROL),
    (b"x\r\n", Kind.NEW_LINE),
    (b"x\r\n\x1b[1m", Kind.NEW_LINE),
    (b"\x1b]22;url(x)\x07", Kind.OSC),
    (b"\x0e", Kind.CONTROL),
    (b"\x7f", Kind.CONTROL),
    (b"\x9b31m", Kind.NOT_UTF8),
    (b"\xff", Kind.NOT_UTF8),
    (b"\xed\xa0\x80", Kind.NOT_UTF8),
    (b"\x1b]0;never ended", Kind.TORN),
    (b"\x1b[31", Kind.CSI),
    (b"\x1b\x1b[31m", Kind.TORN),
]

UNSEEN = [
    "\x80", "\x85",
    "\x9b", "\x9d", "\x9f", "\u200b", "\u200e", "\u200f", "\u202a", "\u202e", "\u2066", "\u2069",
    "\u061c", "\u2028", "\u2029", "\ufeff", "\u00ad", "\U000e0041", "\ue000", "\uffff", "\ufe0f", "\u3164",
]  # fmt: skip


@pytest.mark.parametrize("data", ALLOWED)
def test_drawing_passes(data: bytes) -> None:
    assert escape_audit(data).violations == []


@pytest.mark.parametrize(("data", "kind"), HOSTILE)
def test_what_a_terminal_obeys_is_found_where_it_stands(data: bytes, kind: Kind) -> None:
    audit = escape_audit(b"before \x1b[0m" + data + b" after")
    first = audit.violations[0]
    assert first.what == kind
    assert first.offset == 11 + data.index(first.data[:1])
    assert first.data in data or first.data.startswith(data)


@pytest.mark.parametrize("char", UNSEEN)
def test_characters_that_hide_or_reorder_are_found(char: str) -> None:
    audit = escape_audit(f"héllo{char}x".encode())
    assert [(v.offset, v.data) for v in audit.violations] == [(6, char.encode())]
    assert f"U+{ord(char):04X}" in audit.violations[0].what


JOINED = ["👨\u200d👩", "👩🏽\u200d🚀", "❤\ufe0f\u200d🔥", "क्\u200dष", "ه\u200dا"]


@pytest.mark.parametrize("text", JOINED)
def test_what_joins_is_found_only_where_widths_matter(text: str) -> None:
    assert escape_audit(text.encode()).violations
    assert escape_audit(text.encode(), in_columns=False).violations == []


@pytest.mark.parametrize("text", ["می\u200cخواهم", "क्\u200cष"])
def test_words_keep_what_keeps_their_letters_apart(text: str) -> None:
    assert escape_audit(text.encode()).violations == []


@pytest.mark.parametrize(
    "text",
    ["ad\u200cmin", "a\u200db", "👨\u200c👩", "👨\u200dx", "\u200cخ", "م\u200c ", "中\u200d中", "a\ufe0f"],
)
def test_joiners_that_belong_to_nothing_are_found_everywhere(text: str) -> None:
    assert len(escape_audit(text.encode(), in_columns=False).violations) == 1


def test_the_text_around_a_violation_is_kept() -> None:
    audit = escape_audit(b"one\x1b]0;t\x07two\x1b[1mthree")
    assert audit.text == "onetwothree"
    assert audit.sequences == {"\x1b[#m": 1}
    assert "byte 3: operating system command" in audit.describe()


def test_the_mouse_is_allowed_only_on_request() -> None:
    on = b"\x1b[?1000h\x1b[?1003h\x1b[?1006h"
    assert len(escape_audit(on).violations) == 3
    assert escape_audit(on, mouse=True).violations == []


def test_a_wanted_clipboard_write_passes_and_no_other() -> None:
    wanted, other = b"\x1b]52;c;QQ==\x07", b"\x1b]52;c;Qg==\x07"
    audit = escape_audit(wanted + other, allowed_osc=[wanted])
    assert [violation.data for violation in audit.violations] == [other]


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_output_in_pieces_gives_the_same_as_at_once(size: int) -> None:
    data = b"".join([*ALLOWED, *(hostile for hostile, kind in HOSTILE if kind is not Kind.TORN)])
    whole, pieces = Tokenizer(), Tokenizer()
    expected = [*whole.feed(data), *whole.finish()]
    split = [token for at in range(0, len(data), size) for token in pieces.feed(data[at : at + size])]
    split += pieces.finish()
    assert b"".join(token.data for token in split) == data
    keep = (Kind.NEW_LINE, Kind.CSI, Kind.OSC, Kind.STRING, Kind.ESCAPE, Kind.CONTROL)
    assert [t for t in split if t.kind in keep] == [t for t in expected if t.kind in keep]


def test_evidence_that_imitates_drawing_is_recognised_by_the_text_after_it() -> None:
    evidence = ["see \x1b[31mred alert", "\x9b2Jclear!", "tab\tand\nnewline are fine"]
    assert smuggled(evidence, b"\x1b[31mred dress \xe2\x90\x9b[31mred alert") == []
    assert smuggled(evidence, b"..\x1b[31mred alert..") == [b"\x1b[31mred al"]
    assert smuggled(evidence, "\x9b2Jclear!".encode()) == ["\x9b2Jclear!".encode()]
