"""The demo bundles as graphs, for tests of views."""

from __future__ import annotations

import pytest
from places import REPOSITORY
from quiet_steps import end_steps_when_quiet

from reducer import reduce_bundle
from rollout_tui.insight.index import TraceIndex
from rollout_tui.session import Session
from rollout_tui.views.timeline import Timelines


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
