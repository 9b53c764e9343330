"""`team`: a test fails one night in twenty. A root agent, two children and a grandchild find out why.

What there is to see: agents that are spawned, told something, given more to do, stopped, and one that dies
before it answers; code cells with nested calls, a yield and waits; a terminal that is typed into; a build
server behind MCP; a sealed compaction and a readable one; a patch that does not fit, a script that throws, a
turn cut short.
"""

from __future__ import annotations

from pathlib import Path

from demo_traces import wire
from demo_traces.story import Story
from demo_traces.team_fix import docs_cut_short, fix_it, wrap_up
from demo_traces.team_search import find_out_why

START_MS = 1_795_444_203_918
"""23 November 2026, in the afternoon."""


def tell(directory: Path) -> None:
    """Record the story as a bundle."""
    story = Story(directory, seed="team", start_ms=START_MS, tools=wire.TEAM_TOOLS, source="cli")
    reader = find_out_why(story)
    story.clock.sleep(151.0)
    fix_it(story, reader)
    story.clock.sleep(64.0)
    docs_cut_short(story)
    story.clock.sleep(18.0)
    wrap_up(story)
    story.clock.sleep(35.0)
    story.finish()
