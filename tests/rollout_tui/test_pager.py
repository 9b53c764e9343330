"""Texts in the reader's pager."""

from __future__ import annotations

import itertools
import json
import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from patience import PATIENCE

from rollout_tui.pager import (
    BLOCK,
    LONGEST_LINE,
    lines_of,
    open_in_pager,
    pager_command,
    pager_environment,
    safe_blocks,
)
from rollout_tui.safe_text import safe_lines


class APager:
    """A program that stands for a pager: it keeps what it gets."""

    def __init__(self, directory: Path, script: str = 'cat > "$OUT/text"') -> None:
        self._directory = directory
        self._program = directory / "my pager"
        self._program.write_text(f"#!/bin/sh\n{script}\n")
        self._program.chmod(0o755)
        self.environment = {"PATH": "/usr/bin:/bin", "OUT": str(directory), "PAGER": f"'{self._program}'"}

    def kept(self, name: str = "text") -> str:
        return (self._directory / name).read_text()


def test_a_text_reaches_the_pager_and_no_file(tmp_path: Path) -> None:
    pager = APager(tmp_path)
    before = set(tmp_path.iterdir())
    assert open_in_pager("one\ntwo\r\nthree", pager.environment) is None
    assert pager.kept() == "one\ntwo\nthree\n"
    assert set(tmp_path.iterdir()) - before == {tmp_path / "text"}


def test_nothing_that_a_terminal_obeys_reaches_the_pager(tmp_path: Path) -> None:
    pager = APager(tmp_path)
    assert open_in_pager("a\x1b[2J\x9b31m\u202eb\x07\rc\x00", pager.environment) is None
    assert pager.kept() == "a␛[2J<U+009B>31m<U+202E>b␇␍c␀\n"


def test_arguments_of_the_pager_are_words_and_not_for_a_shell(tmp_path: Path) -> None:
    pager = APager(tmp_path, 'for word in "$@"; do echo "<$word>"; done > "$OUT/words"; cat > "$OUT/text"')
    pager.environment["PAGER"] += " -x 'two words' plain"
    assert open_in_pager("x", pager.environment) is None
    assert pager.kept("words") == "<-x>\n<two words>\n<plain>\n"


def test_a_pager_that_is_a_pipeline_is_run_by_a_shell(tmp_path: Path) -> None:
    environment = {"PATH": "/usr/bin:/bin", "OUT": str(tmp_path), "PAGER": 'tr a-z A-Z > "$OUT/text"'}
    assert open_in_pager("one $(echo two)\n`three`", environment) is None
    assert (tmp_path / "text").read_text() == "ONE $(ECHO TWO)\n`THREE`\n"


@pytest.mark.parametrize(
    ("wanted", "command"),
    [
        ("less", ["less"]),
        ("less -R -S", ["less", "-R", "-S"]),
        ("'/opt/my pager/run' -n", ["/opt/my pager/run", "-n"]),
        ("LESS=-R less", ["/bin/sh", "-c", "LESS=-R less"]),
        ("less | cat", ["/bin/sh", "-c", "less | cat"]),
        ("$HOME/bin/pager", ["/bin/sh", "-c", "$HOME/bin/pager"]),
        ("~/bin/pager", ["/bin/sh", "-c", "~/bin/pager"]),
        ("less 'open", ["/bin/sh", "-c", "less 'open"]),
        ("  most  ", ["most"]),
    ],
)
def test_what_pager_says_is_run(wanted: str, command: list[str]) -> None:
    assert pager_command({"PAGER": wanted, "PATH": ""}) == command


def test_without_pager_less_is_taken_and_else_more(tmp_path: Path) -> None:
    for name in ("more", "less"):
        for wanted in ({}, {"PAGER": ""}, {"PAGER": "  "}):
            (tmp_path / name).write_text("")
            (tmp_path / name).chmod(0o755)
            assert pager_command({"PATH": str(tmp_path), **wanted}) == [name]


def test_without_any_pager_it_says_so(tmp_path: Path) -> None:
    sentence = open_in_pager("x", {"PATH": str(tmp_path)})
    assert sentence == "there is no pager: less and more are not installed, and PAGER names none"


def test_no_variable_makes_a_pager_pass_control_characters_on(tmp_path: Path) -> None:
    script = f"{sys.executable} -c 'import json, os; print(json.dumps(dict(os.environ)))' > \"$OUT/seen\""
    pager = APager(tmp_path, f"{script}; cat > /dev/null")
    hostile = {"LESS": "-R", "LESSOPEN": "|touch x", "LESSKEY": "/x", "LV": "-c", "MORE": "-f", "LANG": "de"}
    assert open_in_pager("x", {**pager.environment, **hostile, "LESSSECURE": "0"}) is None
    seen = json.loads(pager.kept("seen"))
    assert (seen["LESS"], seen["LESSSECURE"], seen["LANG"]) == ("-M -+R -+r", "1", "de")
    assert not seen.keys() & (hostile.keys() - {"LESS", "LANG"})
    assert pager_environment({}) == {"LESS": "-M -+R -+r", "LESSSECURE": "1"}


@pytest.mark.parametrize(
    ("pager", "sentence"),
    [
        ("/nowhere/at/all", "the pager /nowhere/at/all cannot be started: No such file or directory"),
        ("/etc", "the pager /etc cannot be started: Permission denied"),
        ("no-such-pager | cat >&2; exit 127", "the pager no-such-pager | cat >&2; exit 127 is not installed"),
        ("exit 3;", "the pager exit 3; failed with status 3"),
        ("kill -9 $$", "the pager kill -9 $$ was ended by signal 9"),
        ("\x1b]0;x\x07", "the pager ␛]0;x␇ is not installed"),
    ],
)
@pytest.mark.usefixtures("capfd")
def test_a_pager_that_fails_is_named_in_a_sentence(pager: str, sentence: str) -> None:
    assert open_in_pager("x\n", {"PATH": "/usr/bin:/bin", "PAGER": pager}) == sentence


@pytest.mark.parametrize("pager", ["kill -2 $$", "kill -13 $$", "exit 130;", "true"])
def test_a_reader_who_has_enough_is_no_failure(pager: str) -> None:
    assert open_in_pager("x\n" * 100_000, {"PATH": "/usr/bin:/bin", "PAGER": pager}) is None


def test_an_endless_text_ends_with_the_pager(tmp_path: Path) -> None:
    made = 0

    def lines() -> Iterator[str]:
        nonlocal made
        for number in itertools.count():
            made = number
            yield f"line {number}"

    pager = APager(tmp_path, 'head -n 3 > "$OUT/text"')
    assert open_in_pager(lines(), pager.environment) is None
    assert pager.kept() == "line 0\nline 1\nline 2\n"
    assert made < 100_000


def test_lines_that_cannot_be_made_end_the_pager_and_are_reported(tmp_path: Path) -> None:
    def lines() -> Iterator[str]:
        yield "x" * BLOCK
        raise RuntimeError("the payload is gone")

    pager = APager(tmp_path)
    with pytest.raises(RuntimeError, match="the payload is gone"):
        open_in_pager(lines(), pager.environment)
    assert pager.kept() == "x" * BLOCK


def test_ctrl_c_is_left_to_the_pager(tmp_path: Path) -> None:
    """The terminal interrupts all its programs: the pager ends, and this one can be interrupted later."""
    before = signal.getsignal(signal.SIGINT)
    pager = APager(tmp_path, f"kill -2 {os.getpid()}; kill -2 $$; sleep 600")
    assert open_in_pager("x", pager.environment) is None
    assert signal.getsignal(signal.SIGINT) is before


def test_a_pager_can_be_opened_from_a_thread(tmp_path: Path) -> None:
    pager, answers = APager(tmp_path), []
    thread = threading.Thread(target=lambda: answers.append(open_in_pager("x", pager.environment)))
    thread.start()
    thread.join(PATIENCE)
    assert answers == [None]
    assert pager.kept() == "x\n"


@given(st.text(alphabet=st.characters(blacklist_characters="\r"), max_size=200))
def test_blocks_are_the_safe_lines(text: str) -> None:
    assert b"".join(safe_blocks(lines_of(text))).decode() == "".join(
        f"{line}\n" for line in (safe_lines(text) if text else [])
    )


def test_a_line_of_megabytes_is_not_made_at_once() -> None:
    blocks = list(safe_blocks(["\x1b" + "x" * (4 * BLOCK), "end"]))
    assert b"".join(blocks).decode() == "␛" + "x" * (4 * BLOCK) + "\nend\n"
    assert len(blocks) == 5
    assert max(map(len, blocks)) <= BLOCK + LONGEST_LINE + 2
