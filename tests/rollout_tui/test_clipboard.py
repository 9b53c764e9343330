"""Copies to the terminal's clipboard."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollout_tui import clipboard
from rollout_tui.clipboard import MAX_BYTES, SCREEN_CHUNK, Copied, copy, osc52, wrappings
from rollout_tui.safe_text import safe_block

PLAIN = {"TERM": "xterm-256color"}

_OSC52 = re.compile("\x1b\\]52;c;([A-Za-z0-9+/=]*)\x07")
_STRING = re.compile("\x1bP(.*?)\x1b\\\\", re.DOTALL)


def clipboard_after(sent: str) -> bytes:
    """What a terminal that got this has on its clipboard; it got nothing else."""
    found = _OSC52.fullmatch(sent)
    assert found is not None, sent
    return base64.b64decode(found[1], validate=True)


def through_tmux(sent: str) -> str:
    """What tmux, with passthrough allowed, sends on: the inside, each doubled ESC as one."""
    assert sent.startswith("\x1bPtmux;")
    assert sent.endswith("\x1b\\")
    inside = sent.removeprefix("\x1bPtmux;").removesuffix("\x1b\\")
    assert "\x1b" not in inside.replace("\x1b\x1b", "")
    return inside.replace("\x1b\x1b", "\x1b")


def through_screen(sent: str) -> str:
    """What screen sends on: the insides of its device control strings, none longer than it keeps."""
    strings = _STRING.findall(sent)
    assert "".join(f"\x1bP{one}\x1b\\" for one in strings) == sent
    assert all(0 < len(one) <= 256 for one in strings)
    return "".join(strings)


def copied(
    text: str | bytes, environment: dict[str, str] = PLAIN, *, raw: bool = False
) -> tuple[Copied, str]:
    """The result, and all that was written."""
    written: list[str] = []
    result = copy(text, written.append, environment, raw=raw)
    return result, "".join(written)


def test_a_text_is_sent_and_said_to_be_sent() -> None:
    result, sent = copied("täglich\n\tgrüßen")
    assert clipboard_after(sent) == "täglich\n\tgrüßen".encode()
    assert result == Copied("sent to the terminal's clipboard, 18 B", sent=True, too_large=False, size=18)


def test_what_was_copied_is_never_called_copied() -> None:
    for text in ("x", "", "x" * (MAX_BYTES + 1)):
        assert "copied" not in copied(text)[0].sentence


@given(st.binary(max_size=3000))
def test_every_wrapping_brings_the_same_bytes(data: bytes) -> None:
    assert clipboard_after(osc52(data)) == data
    assert clipboard_after(through_tmux(osc52(data, "tmux"))) == data
    assert clipboard_after(through_screen(osc52(data, "screen"))) == data


def test_the_longest_text_makes_a_sequence_of_100_000_bytes() -> None:
    result, sent = copied("x" * MAX_BYTES)
    assert result.sent
    assert len(sent) == 100_000
    assert clipboard_after(sent) == b"x" * MAX_BYTES
    strings = _STRING.findall(osc52(b"x" * MAX_BYTES, "screen"))
    assert {len(one) for one in strings[:-1]} == {SCREEN_CHUNK}


@pytest.mark.parametrize("raw", [False, True])
@pytest.mark.parametrize(
    "text", ["x" * (MAX_BYTES + 1), "ü" * (MAX_BYTES // 2 + 1), "\x1b" * (MAX_BYTES + 1)]
)
def test_one_byte_more_is_refused(text: str, raw: bool) -> None:
    result, sent = copied(text, raw=raw)
    assert sent == ""
    assert (result.sent, result.too_large) == (False, True)
    assert result.sentence.endswith(" kB is too much for a terminal's clipboard, which takes 75 kB")
    assert result.size > MAX_BYTES


def test_nothing_is_sent_of_nothing() -> None:
    result, sent = copied("")
    assert (result.sentence, result.sent, sent) == ("there is nothing to copy", False, "")


def test_a_text_is_sanitised_unless_it_is_asked_for_raw() -> None:
    hostile = "a\x1b]52;c;AAAA\x07b\x9b2J\u202ec\r\nd\x00"
    _result, sent = copied(hostile)
    assert clipboard_after(sent).decode() == "a␛]52;c;AAAA␇b<U+009B>2J<U+202E>c\nd␀"
    _result, sent = copied(hostile, raw=True)
    assert clipboard_after(sent).decode() == hostile


def test_bytes_are_sent_as_they_are_only_when_asked_for_raw() -> None:
    data = b"caf\xe9 \x1b[31m"
    assert clipboard_after(copied(data, raw=True)[1]) == data
    assert clipboard_after(copied(data)[1]).decode() == "caf\\xe9 ␛[31m"


@given(st.text(max_size=300))
def test_nothing_but_the_frame_is_a_control_character(text: str) -> None:
    kept = safe_block(text)
    assert all(char.isprintable() or char in "\n\t\u200c\u200d" for char in kept)
    assert kept.count("\n") == text.count("\n")
    for environment in (PLAIN, {"STY": "1.pts"}, {"TERM": "tmux-256color"}):
        _result, sent = copied(text, environment)
        assert sent.isascii()
        assert not set(sent) & (set(map(chr, range(0x20))) - {"\x1b", "\x07"})


def test_lone_surrogates_do_not_stop_a_copy() -> None:
    assert clipboard_after(copied("a\ud800b", raw=True)[1]) == b"a?b"
    assert clipboard_after(copied("a\ud800b")[1]).decode() == "a<U+D800>b"


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, ("plain",)),
        (PLAIN, ("plain",)),
        ({"TMUX": "/tmp/tmux-0/default,1,0", "TERM": "screen-256color"}, ("tmux",)),
        ({"STY": "123.pts-0.host", "TERM": "screen"}, ("screen",)),
        ({"TERM": "tmux-256color"}, ("plain", "tmux")),
        ({"TERM": "screen.xterm-256color"}, ("plain", "screen")),
        ({"TMUX": "", "STY": "", "TERM": "foot"}, ("plain",)),
    ],
)
def test_the_environment_says_how_to_send(environment: dict[str, str], expected: tuple[str, ...]) -> None:
    assert wrappings(environment) == expected


def a_tmux(directory: Path, script: str) -> dict[str, str]:
    """The environment inside a tmux that does what a script says."""
    program = directory / "tmux"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return {
        "TMUX": "/nowhere,1,0",
        "TERM": "screen",
        "PATH": f"{directory}:/usr/bin:/bin",
        "OUT": str(directory),
    }


def test_tmux_gets_its_buffer_filled_too(tmp_path: Path) -> None:
    environment = a_tmux(tmp_path, 'echo "$@" > "$OUT/arguments"; cat > "$OUT/buffer"')
    result, sent = copied("two\nlines \x1b[m", environment)
    assert (tmp_path / "arguments").read_text() == "load-buffer -w -\n"
    assert (tmp_path / "buffer").read_bytes() == "two\nlines ␛[m".encode()
    assert clipboard_after(through_tmux(sent)).decode() == "two\nlines ␛[m"
    assert result.sentence == "sent to the terminal's clipboard and tmux's buffer, 15 B"


@pytest.mark.parametrize("script", ["exit 1", "kill -9 $$", "exec sleep 30", "exec 0<&-; exit 3"])
def test_a_tmux_that_does_not_want_it_changes_nothing(
    tmp_path: Path, script: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clipboard, "TMUX_TIMEOUT", 0.3)
    result, sent = copied("x" * MAX_BYTES, a_tmux(tmp_path, script))
    assert result.sentence == "sent to the terminal's clipboard, 75 kB"
    assert clipboard_after(through_tmux(sent)) == b"x" * MAX_BYTES


def test_a_tmux_that_is_not_there_changes_nothing(tmp_path: Path) -> None:
    result, _sent = copied("x", {"TMUX": "/nowhere,1,0", "PATH": str(tmp_path)})
    assert result.sentence == "sent to the terminal's clipboard, 1 B"


def test_a_terminal_that_cannot_be_written_to_is_reported() -> None:
    def broken(_text: str) -> None:
        raise OSError("the line is \x1b[1mgone")

    result = copy("x", broken, PLAIN)
    assert result == Copied("the terminal did not take it: the line is ␛[1mgone", False, False, 1)
