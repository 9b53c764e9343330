"""What shells offer: the answer by itself, and through the shells that this machine has."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from imported_modules import modules_after
from places import PROGRAM, REPOSITORY

from rollout_tui.cli import COMMANDS, app
from rollout_tui.completion import OPTIONS, SCRIPTS, answer, install
from rollout_tui.default_root import MANIFEST, TRACE_ROOT_VARIABLE
from rollout_tui.language.vocabulary import words_of

Run = Callable[..., subprocess.CompletedProcess[bytes]]

HOSTILE = "trace-31dd'$(touch hit)`touch hit`; touch hit"
"""A name that a shell would run if it evaluated it."""

SHELLS = [shell for shell in SCRIPTS if shutil.which(shell)]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A trace root with three bundles, and what is none."""
    for name in ("trace-31aabbcc-1", "trace-31ddeeff-2", HOSTILE):
        (tmp_path / "root" / name).mkdir(parents=True)
        (tmp_path / "root" / name / MANIFEST).touch()
    (tmp_path / "root" / "trace-31-none").mkdir()
    (tmp_path / "root" / "trace-31\x1b[31m").mkdir()
    (tmp_path / "root" / "trace-31\x1b[31m" / MANIFEST).touch()
    return tmp_path / "root"


def test_threads_of_codex_are_offered_once_an_id_begins(tmp_path: Path) -> None:
    thread = "01a22225-0000-7000-8000-00000000000"
    day = tmp_path / "sessions/2026/11/28"
    day.mkdir(parents=True)
    (tmp_path / "archived_sessions").mkdir()
    for folder, number in ((day, 1), (day, 2), (tmp_path / "archived_sessions", 3)):
        (folder / f"rollout-2026-11-28T12-00-00-{thread}{number}.jsonl").touch()
    (day / f"rollout-2026-11-28T12-00-00-{thread}1_{thread}4.jsonl").touch()
    (day / "rollout-2026-11-28T12-00-00-01a2;touch hit.jsonl").touch()
    environ = {"CODEX_HOME": str(tmp_path), "HOME": str(tmp_path)}
    assert sorted(answer(["01a2"], "1", environ)[1:]) == [f"{thread}{number}" for number in (1, 2, 3)]
    assert sorted(answer(["show", "01a2"], "2", environ)[1:]) == [f"{thread}{number}" for number in (1, 2, 3)]
    assert answer(["01b"], "1", environ)[1:] == []
    assert not [one for one in answer([""], "1", environ) if one.startswith("01a2")]


@pytest.mark.parametrize(
    ("line", "kind", "offered"),
    [
        ("s", "files", ["show"]),
        ("31a", "files", ["31aabbcc-1"]),
        ("show 31a", "files", ["31aabbcc-1"]),
        ("check --json 31a", "files", ["31aabbcc-1"]),
        ("show B co", "words", ["compaction", "compactions"]),
        ("show B call 3 ", "words", ["of"]),
        ("show B --j", "words", ["--json"]),
        ("ls --", "words", ["--json", "--help"]),
        ("--v", "words", ["--version"]),
        ("--install-completion z", "words", ["zsh"]),
        ("show B failures ", "words", ["of"]),
        ("reduce B -o ", "files", []),
        ("record -- s", "files", []),
    ],
)
def test_what_is_offered(root: Path, line: str, kind: str, offered: list[str]) -> None:
    words = line.split(" ")
    assert answer(words, str(len(words)), {TRACE_ROOT_VARIABLE: str(root)}) == [kind, *offered]


def test_every_word_of_show_and_every_printable_name_is_offered(root: Path) -> None:
    environ = {TRACE_ROOT_VARIABLE: str(root)}
    assert answer(["show", "B", ""], "3", environ)[1:] == [word.name for word in words_of("shown")]
    names = [HOSTILE.removeprefix("trace-"), "31aabbcc-1", "31ddeeff-2"]
    assert sorted(answer(["show", ""], "2", environ)[1:]) == sorted(names)


def test_the_options_are_those_of_the_commands() -> None:
    program = typer.main.get_command(app)
    commands = {"": program, **program.commands}  # type: ignore[attr-defined]
    assert set(commands) == {"", *COMMANDS}
    for name, command in commands.items():
        options = {opt for param in command.params for opt in param.opts if opt.startswith("--")}
        assert {*options, "--help"} == set(OPTIONS[name])


def test_it_imports_nothing_that_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_ROLLOUT_TUI_COMPLETE", "3")
    imported = modules_after(*PROGRAM[1:], "show", "B", "c")
    assert "rollout_tui" in imported
    assert imported.isdisjoint({"typer", "reducer", "msgspec", "rich", "textual"})


def test_it_says_nothing_of_what_goes_wrong(run_program: Run) -> None:
    finished = run_program("show", "\xff", environment={"_ROLLOUT_TUI_COMPLETE": "x", "HOME": ""})
    assert finished.stderr == b""


ASKED = {
    "bash": """source "$1"; COMP_WORDS=(rollout-tui {line}); COMP_CWORD={at}
_rollout_tui rollout-tui '{word}' before; printf '%s\\n' "${{COMPREPLY[@]}}" """,
    "zsh": """compdef() {{ :; }}; compadd() {{ shift; print -rl -- "$@"; }}; _files() {{ :; }}
source "$1"; words=(rollout-tui {line}); CURRENT={at}+1; _rollout_tui""",
    "fish": """source "$argv[1]"; complete -C 'rollout-tui {typed}'""",
}
"""How each shell is asked without a terminal, for a script whose path is its first argument."""


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("show 31", {"31aabbcc-1", "31ddeeff-2", HOSTILE.removeprefix("trace-")}),
        ("show B ca", {"call", "calls"}),
    ],
)
def test_a_real_shell_offers_it_and_evaluates_nothing(
    root: Path, tmp_path: Path, shell: str, typed: str, offered: set[str]
) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "rollout-tui").write_text(f'#!/bin/sh\nexec {sys.executable} -m rollout_tui "$@"\n')
    (programs / "rollout-tui").chmod(0o755)
    environ = {
        **os.environ,
        "HOME": str(tmp_path),
        "PATH": f"{programs}:{os.environ['PATH']}",
        "PYTHONPATH": str(REPOSITORY),
        TRACE_ROOT_VARIABLE: str(root),
    }
    script = tmp_path / f"completion.{shell}"
    script.write_text(SCRIPTS[shell])
    *_, word = words = typed.split(" ")
    asked = ASKED[shell].format(line=typed, at=len(words), word=word, typed=typed)
    arguments = [shell, "-c", asked, *([] if shell == "fish" else ["x"]), str(script)]
    finished = subprocess.run(arguments, env=environ, cwd=tmp_path, capture_output=True, timeout=60)
    lines = {line.partition("\t")[0] for line in finished.stdout.decode().splitlines()}
    assert offered <= {line.replace("\\", "") for line in lines}, finished
    assert not (tmp_path / "hit").exists()


@pytest.mark.parametrize("shell", SCRIPTS)
def test_installing_twice_is_installing_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shell: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".bashrc").write_text("alias ll='ls -l'")
    written = install(shell, {})
    assert all(path.is_file() and tmp_path in path.parents for path in written)
    assert written[0].read_text() == SCRIPTS[shell]
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert install(shell, {}) == written[:1]
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    assert (tmp_path / ".bashrc").read_text().startswith("alias ll='ls -l'")
    if shell == "bash":
        assert (tmp_path / ".bashrc").read_text().splitlines()[1] == f"source '{written[0]}'"


def test_the_command_line_installs_and_refuses_what_it_does_not_know(
    run_program: Run, tmp_path: Path
) -> None:
    environment = {"HOME": str(tmp_path), "XDG_DATA_HOME": "", "SHELL": "/bin/bash"}
    finished = run_program("--install-completion", environment=environment)
    assert (finished.returncode, finished.stderr) == (0, b"")
    assert (tmp_path / ".bashrc").is_file()
    refused = run_program("--install-completion", "csh", environment=environment)
    assert (refused.returncode, refused.stdout) == (2, b"")
    assert b"bash | zsh | fish" in refused.stderr
