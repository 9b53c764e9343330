"""Fixtures of the end-to-end tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from places import PROGRAM
from pty_terminal import Terminal


@pytest.fixture
def start() -> Iterator[Callable[..., Terminal]]:
    """Starts `rollout-tui` with arguments in a pseudo-terminal; the test's end ends it."""
    with ExitStack() as stack:

        def start(*arguments: object, **options: object) -> Terminal:
            return stack.enter_context(Terminal([*PROGRAM, *map(str, arguments)], **options))

        yield start
