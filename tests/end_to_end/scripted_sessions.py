"""Sessions for codex to live through against a scripted server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from responses_server import Answer, Gate, Script, agent, call, cell, message, reasoning, shell

SHELL_PROMPT = "SHELL-PROMPT: look around"
"""What to ask for the session of `shell_tools`."""

TEAM_PROMPT = "TEAM-PROMPT: look around and let somebody look it up"
"""What to ask for the session of `tools_child_compaction`."""

RESEARCH_TASK = "RESEARCH-TASK: look it up"
"""What the child is told."""

COMPACT_ABOVE = 12_000
"""For `CodexHome`: with this limit the session of `tools_child_compaction` compacts once, and only once."""

GATES = ("tools", "child", "waiting", "compacted")
"""Where `tools_child_compaction` can stand still: before the answer that calls tools a second time, before
the child's first answer, before the parent waits for it, and before the first answer after the compaction."""


_PICTURE = (
    "iVBORw0KGgoAAAANSUhEUgAAAAQAAAAECAIAAAAmkwkpAAAAEElEQVR42mP4z8AARwzEcQCukw/xOF6MEQAAAABJRU5ErkJggg=="
)
"""A PNG of four by four red pixels."""


def shell_tools() -> list[Script]:
    """A turn that runs commands, one of which fails."""
    return [Script(SHELL_PROMPT, [*_commands(None), Answer([message("I have seen it.", "final_answer")])])]


def _commands(gate: Gate | None) -> list[Answer]:
    return [
        Answer(
            [
                reasoning("**Looking around**"),
                message("I look around first.", "commentary"),
                shell("printf 'one\\ntwo\\nthree\\n'"),
            ]
        ),
        Answer([shell("echo out; echo err >&2"), shell("cat nothing-here")], gate=gate),
    ]


def picture_and_cell() -> list[Answer]:
    """For `between`: looks at a picture, then runs a code cell that is waited for; wants code mode."""
    source = (
        "text('before the wait'); yield_control();"
        " const slow = await tools.exec_command({cmd: 'sleep 0.3; echo from the cell'}); text(slow.output);"
    )
    return [
        Answer([shell(f"echo {_PICTURE} | base64 -d >red.png")]),
        Answer([call("view_image", path="red.png")]),
        Answer([cell(source)]),
        Answer([call("wait", cell_id="1", yield_time_ms=10_000)]),
    ]


def tools_child_compaction(
    gates: Mapping[str, Gate] | None = None, between: Sequence[Answer] = ()
) -> list[Script]:
    """A turn that runs commands, one of which fails, starts a child, waits for it, and compacts its history.

    Args:
        gates: by the names in `GATES`, where the session is held up.
        between: answers after the commands and before the child.
    """
    held = gates or {}
    root = Script(
        TEAM_PROMPT,
        [
            *_commands(held.get("tools")),
            *between,
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
