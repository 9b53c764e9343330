"""All that the overview of a run tells, at once: the run, its longest waits, what compactions took away."""

from __future__ import annotations

from msgspec import Struct

from rollout_tui.insight.agents.links import AgentLinks
from rollout_tui.insight.agents.table import Read, RunSummary, run_summary
from rollout_tui.insight.compaction.forgotten import Forgotten, forgotten
from rollout_tui.insight.timing.waiting import Wait, waits

LONGEST_WAITS = 3
"""Waits that are told."""


class Overview(Struct, frozen=True):
    """A run at a glance, and what is behind it.

    Attributes:
        run: the run and its agents.
        waits: the longest waits, the longest first; none that took no time.
        forgotten: what compactions took away.
    """

    run: RunSummary
    waits: list[Wait]
    forgotten: list[Forgotten]


def overview_of(links: AgentLinks, read: Read) -> Overview:
    """Look at a run as a whole.

    Args:
        links: the graph, with what went between its agents.
        read: reads the metadata of the root.
    """
    run = run_summary(links, read)
    longest = [one for one in waits(links.index, run.clock) if one.ms]
    return Overview(run, longest[:LONGEST_WAITS], forgotten(links.sightings))
