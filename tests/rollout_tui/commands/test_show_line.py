"""The command line of `show`, read without typer: it means what typer says, or is left to it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import Any

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from rollout_tui.cli import app
from rollout_tui.language.show_options import OPTIONS, Asked, read_plainly

Run = Callable[..., subprocess.CompletedProcess[bytes]]

NAMES = [name for option in OPTIONS.values() for name in option.names]
WORDS = st.sampled_from(
    [
        *NAMES,
        *("calls", "3", "of", "/root", "-", "--", "a b", "", "-o-", "-ofile", "--json=1", "--limit=3"),
        *("--limit=-1", "--after=calls:3", "--after=", "--lim", "-x", "٣", "007", "--output=-", "=", "--="),
        *("-oj", "--help"),
    ]
)


def by_typer(line: list[str]) -> Asked:
    """What typer makes of a command line.

    Raises:
        typer.TyperException, typer.Exit: it means nothing, or help.
    """
    found: list[Asked] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rollout_tui.commands.show.show_asked", lambda asked: found.append(asked) or 0)
        typer.main.get_command(app).main(line, prog_name="x", standalone_mode=False)
    return found[0]


@given(st.lists(WORDS, max_size=7))
def test_what_is_read_plainly_is_what_typer_reads(words: list[str]) -> None:
    plain = read_plainly(["show", *words])
    if plain is not None:
        assert by_typer(["show", *words]) == plain


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        (["b", "calls", "--json"], Asked(("b", "calls"), as_json=True)),
        (["b", "--limit", "3", "calls"], Asked(("b", "calls"), limit=3)),
        (["--json", "b", "calls", "--limit=0"], Asked(("b", "calls"), as_json=True, limit=0)),
        (["b", "call", "3", "-o", "-"], Asked(("b", "call", "3"), output="-")),
        (["--schema"], Asked(schema=True)),
    ],
)
def test_what_agents_write_is_read_plainly(words: list[str], asked: Asked) -> None:
    assert read_plainly(["show", *words]) == asked


@pytest.mark.parametrize(
    "line",
    [
        ["show"],
        ["ls"],
        ["show", "b", "--help"],
        ["show", "b", "--limit"],
        ["show", "b", "--limit", "x"],
        ["show", "b", "--json", "--json"],
        ["show", "b", "--", "--json"],
        ["show", "b", "-ofile"],
    ],
)
def test_anything_else_is_left_to_typer(line: list[str]) -> None:
    assert read_plainly(line) is None


def test_every_option_fills_a_field_and_is_one_of_the_command() -> None:
    assert [*OPTIONS] == [field for field in Asked._fields if field != "words"]
    command: Any = typer.main.get_command(app)
    declared = {name for one in command.commands["show"].params for name in one.opts}
    assert declared >= set(NAMES)


def test_errors_are_the_same_either_way(run_program: Run) -> None:
    plain = run_program("show", "no-such-bundle", "calls")
    by_typer_too = run_program("show", "--", "no-such-bundle", "calls")
    assert plain.returncode == by_typer_too.returncode == 2
    assert plain.stderr == by_typer_too.stderr != b""
