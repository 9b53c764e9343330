"""Fixtures of the end-to-end tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from places import PROGRAM
from pty_terminal import Terminal

from rollout_tui.cli import COMMANDS


@pytest.fixture
def start() -> Iterator[Callable[..., Terminal]]:
    """Starts `rollout-tui` with arguments in a pseudo-terminal; the test's end ends it.

    What opens a run begins with the panes, unless `overview` is true.
    """
    with ExitStack() as stack:

        def start(*arguments: object, overview: bool = False, **options: object) -> Terminal:
            if not overview and (not arguments or arguments[0] == "open" or arguments[0] not in COMMANDS):
                arguments = (*arguments, "--panes")
            return stack.enter_context(Terminal([*PROGRAM, *map(str, arguments)], **options))

        yield start


@pytest.fixture(params=["codex_169", "codex_171"])
def codex_program(request: pytest.FixtureRequest) -> Path:
    """Each codex of a trace schema that scripted sessions are recorded with."""
    program = request.getfixturevalue(request.param)
    assert isinstance(program, Path)
    return program


@pytest.fixture(params=["codex_164", "codex_169", "codex_171"])
def codex_of_each_schema(request: pytest.FixtureRequest) -> Path:
    """A codex of each trace schema; all of them keep sessions."""
    program = request.getfixturevalue(request.param)
    assert isinstance(program, Path)
    return program
