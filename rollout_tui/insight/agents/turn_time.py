"""For how long an agent worked."""

from __future__ import annotations

from rollout_tui.insight.thread_contents import ThreadContents
from rollout_tui.texts.short_forms import window_ms


def turn_time(contents: ThreadContents) -> int | None:
    """For how long an agent worked, in ms: the time of its turns that ended; None if none did.

    Between turns it waits to be asked, so its life may be much longer.
    """
    took = [ms for turn in contents.turns if (ms := window_ms(turn.execution)) is not None]
    return sum(took) if took else None
