"""Views of what is read: also of a long recording never too much is new in one."""

from __future__ import annotations

from pathlib import Path

import pytest
from growing_pieces import told
from places import REPOSITORY

from reducer import Reduction
from rollout_tui import feed as feed_module
from rollout_tui.feed import Feed, View
from rollout_tui.recordings import open_recording
from tests.session_cases import case_named, files_of_runs

TEAM = REPOSITORY / "demo_traces" / "team"
MOST = 10


def read(path: Path) -> tuple[View, list[int]]:
    """The view of all of a recording, and how many objects were new at each view that was made."""
    feed, untold = Feed(open_recording(path)), []
    growing = feed._now.growing
    reduction = growing.reduction

    def noted() -> Reduction:
        untold.append(growing.untold)
        return reduction()

    growing.reduction = noted  # type: ignore[method-assign]
    return feed.read(lambda done, total: None), untold


@pytest.mark.parametrize("kind", ["bundle", "session"])
def test_views_are_made_before_too_much_is_new(
    kind: str, shared_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = TEAM if kind == "bundle" else files_of_runs(case_named(shared_dir, "everything"))[0]
    whole, at_once = read(path)
    assert len(at_once) == 1
    monkeypatch.setattr(feed_module, "MOST_UNTOLD", MOST)
    in_parts, bit_by_bit = read(path)
    assert len(bit_by_bit) > 3
    assert all(MOST <= one < at_once[0] for one in bit_by_bit[:-1])
    assert bit_by_bit[-1] < at_once[0]
    expected = told(whole.timelines, whole.follower)
    assert [*told(in_parts.timelines, in_parts.follower)] == [*expected]
