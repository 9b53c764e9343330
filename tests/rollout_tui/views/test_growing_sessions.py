"""Views of a session that is read piece by piece are those of one that ends there."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from growing_pieces import told

from reducer.sessions import SessionReader
from rollout_tui.insight.following.follower import Follower
from rollout_tui.views.timeline import Timelines
from rollout_tui.views.view_maker import ViewMaker
from tests.session_cases import case_named, files_of_runs

CASES = (
    "compaction-local-0.140.0",
    "compaction-local",
    "everything",
    "multi-agent-v2-0.140.0",
    "review",
    "guardian",
    "sess-chain",
    "sess-rollback-over-0.125.0",
    "sess-upgrade-140",
)


class Pieces:
    """One way through a session with the views on it."""

    def __init__(self, file: Path) -> None:
        self.reader = SessionReader(file)
        self.maker = ViewMaker()

    def read_to(self, seq: int) -> tuple[Timelines, Follower]:
        """The view after so many records."""
        if self.reader.last_seq < seq:
            self.reader.read_on(lambda: self.reader.last_seq >= seq, is_whole=True)
        reduction, events = self.reader.reduction(), self.reader.new_events()
        return self.maker.view(reduction, self.reader.changed(), events)


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("seed", range(2))
def test_in_pieces_as_at_once(name: str, seed: int, shared_dir: Path) -> None:
    file = files_of_runs(case_named(shared_dir, name))[0]
    whole = SessionReader(file)
    records = whole.read_on(is_whole=True)
    chance = random.Random(f"{name} {seed}")
    stops = sorted({chance.randint(1, records) for _ in range(14)} | {records})
    pieces, earlier = Pieces(file), []
    for stop in stops:
        view = pieces.read_to(stop)
        at_once = [*told(*Pieces(file).read_to(stop))]
        assert [*told(*view)] == at_once, f"after record {stop}"
        earlier.append((view, at_once, stop))
    for view, at_once, stop in earlier[::5]:
        assert [*told(*view)] == at_once, f"the view after record {stop}, later"
