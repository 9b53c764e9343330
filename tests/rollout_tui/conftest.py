"""The demo bundles as graphs, for tests of views."""

from __future__ import annotations

import sys

import pytest
from places import REPOSITORY

# Bundles are built here as they are there.
sys.path.append(str(REPOSITORY / "tests/reducer"))

from reducer import reduce_bundle
from rollout_tui.session import Session
from rollout_tui.views.index import TraceIndex
from rollout_tui.views.timeline import Timelines


@pytest.fixture(scope="session")
def team() -> TraceIndex:
    """The demo of four agents."""
    return TraceIndex(reduce_bundle(REPOSITORY / "demo_traces/team"))


@pytest.fixture(scope="session")
def team_timelines() -> Timelines:
    """The demo of four agents as the inspector loads it."""
    return Session(REPOSITORY / "demo_traces/team").load(lambda done, total: None)
