"""Sessions for codex to live through against a scripted server."""

from __future__ import annotations

from collections.abc import Mapping

from responses_server import Answer, Gate, Script, agent, message, reasoning, shell

TEAM_PROMPT = "TEAM-PROMPT: look around and let somebody look it up"
"""What to ask for the session of `tools_child_compaction`."""

RESEARCH_TASK = "RESEARCH-TASK: look it up"
"""What the child is told."""

COMPACT_ABOVE = 12_000
"""For `CodexHome`: with this limit the session of `tools_child_compaction` compacts once, and only once."""

GATES = ("tools", "child", "waiting", "compacted")
"""Where `tools_child_compaction` can stand still: before the answer that calls tools a second time, before
the child's first answer, before the parent waits for it, and before the first answer after the compaction."""


def tools_child_compaction(gates: Mapping[str, Gate] | None = None) -> list[Script]:
    """A turn that runs commands, one of which fails, starts a child, waits for it, and compacts its history.

    Args:
        gates: by the names in `GATES`, where the session is held up.
    """
    held = gates or {}
    root = Script(
        TEAM_PROMPT,
        [
            Answer(
                [
                    reasoning("**Looking around**"),
                    message("I look around first.", "commentary"),
                    shell("printf 'one\\ntwo\\nthree\\n'"),
                ]
            ),
            Answer([shell("echo out; echo err >&2"), shell("cat nothing-here")], gate=held.get("tools")),
            Answer(
                [agent("spawn_agent", task_name="researcher", message=RESEARCH_TASK, fork_turns="none")],
            ),
            Answer([agent("wait_agent", timeout_ms=30_000)], gate=held.get("waiting")),
            # It has seen what the child found. Its history is too long after this.
            Answer([shell("echo the child said 42")], COMPACT_ABOVE + 8_000),
            Answer([message("All done: the answer is 42.", "final_answer")], 900, gate=held.get("compacted")),
        ],
    )
    child = Script(
        RESEARCH_TASK,
        [
            Answer([shell("echo researching")], gate=held.get("child")),
            Answer([message("RESEARCH RESULT: 42", "final_answer")]),
        ],
    )
    return [root, child]
