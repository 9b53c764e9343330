"""The demo bundles as graphs, for tests of views."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from called_program import call
from parsed_styles import parse_once
from places import REPOSITORY
from quiet_steps import end_steps_when_quiet

from reducer import reduce_bundle
from rollout_tui.insight.index import TraceIndex
from rollout_tui.session import Session
from rollout_tui.views.timeline import Timelines

HERE = Path(__file__).parent

COSTLY = (
    "commands",
    "panes",
    "screens",
    "insight/test_failures_agree.py",
    "insight/test_search.py",
    "views/test_token_rows.py",
)
"""Where a test opens a screen, starts a program or reads a recording for each of its parameters."""

OF_SCREENS = ("panes", "screens")
"""Where an asynchronous test opens a screen: of these only those are not slow that are marked quick."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as slow what opens screens, and all but the first of the many times that a costly test is run."""
    seen = set()
    for item in items:
        if not _is_in(item.path, COSTLY):
            continue
        test = item.nodeid.partition("[")[0]
        opens_screen = _is_in(item.path, OF_SCREENS) and item.get_closest_marker("asyncio") is not None
        if test in seen or (opens_screen and item.get_closest_marker("quick") is None):
            item.add_marker(pytest.mark.slow)
        elif item.get_closest_marker("slow") is None:
            seen.add(test)


@cache
def _is_in(file: Path, places: tuple[str, ...]) -> bool:
    return any(file.is_relative_to(HERE / place) for place in places)


@pytest.fixture(scope="session")
def team() -> TraceIndex:
    """The demo of four agents."""
    return TraceIndex(reduce_bundle(REPOSITORY / "demo_traces/team"))


@pytest.fixture(scope="session")
def team_timelines() -> Timelines:
    """The demo of four agents as the inspector loads it."""
    return Session(REPOSITORY / "demo_traces/team").load(lambda done, total: None)


@pytest.fixture(autouse=True)
def _quiet_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """A step of a pilot ends once nothing is left to do."""
    end_steps_when_quiet(monkeypatch)
    parse_once(monkeypatch)


@pytest.fixture
def call_program(
    tmp_path: Path, run_program: Callable[..., subprocess.CompletedProcess[bytes]]
) -> Callable[..., subprocess.CompletedProcess[bytes]]:
    """As `run_program`, but in this process, unless something is asked for that only another one can have."""

    def run(*arguments: str | bytes | Path, **options: Any) -> subprocess.CompletedProcess[bytes]:
        if options.keys() - {"environment"}:
            return run_program(*arguments, **options)
        return call(arguments, tmp_path / "cwd", options.get("environment", {}))

    return run
