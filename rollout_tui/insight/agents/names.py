"""What tells an agent from the others: its path, and more where several have the same."""

from __future__ import annotations

from rollout_tui.insight.index import TraceIndex

END_OF_ID = 4
"""Characters at the end of an id by which agents of one path are told apart: their beginnings are alike."""


def agent_label(index: TraceIndex, thread_id: str) -> str:
    """The path of an agent, and behind it its nickname or the end of its id where others have that path.

    Before multi-agent v2 all have the same. It is evidence.
    """
    thread = index.trace.threads.get(thread_id)
    if thread is None:
        return thread_id
    same = [one.nickname for one in index.threads if one.agent_path == thread.agent_path]
    if len(same) < 2 or (thread.nickname is None and same.count(None) == 1):
        return thread.agent_path
    return f"{thread.agent_path} ({thread.nickname or thread_id[-END_OF_ID:]})"
