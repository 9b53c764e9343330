"""Runs of the real codex that left a bundle and a session: the session tells the same, where it can."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from beside_bundle import differences, rows_shown
from codex_home import CodexHome
from responses_server import Answer, ResponsesServer, Script, agent, cell, message, reasoning, shell
from scripted_sessions import COMPACT_ABOVE, TEAM_PROMPT, picture_and_cell, tools_child_compaction

from reducer import Reduction, open_bundle, reduce_bundle
from reducer.sessions import SessionReduction, read_session

pytestmark = pytest.mark.slow


def read_both(codex: CodexHome) -> tuple[list[Reduction], SessionReduction]:
    """The bundles of a run, and its session, which must be one."""
    bundles = [reduce_bundle(open_bundle(bundle)) for bundle in codex.bundles()]
    files = sorted((codex.home / "sessions").rglob("rollout-*.jsonl"))
    session = read_session(files[0])
    assert len(session.recording.files) == len(files)
    assert session.problems == []
    assert session.drift.unknown == {}
    return bundles, session


def run_all(codex: CodexHome, prompts: Sequence[str], session_options: Sequence[str] = ()) -> None:
    for prompt in prompts:
        ran = codex.run(prompt, *session_options)
        assert ran.returncode == 0, ran.stderr.decode()


def test_tools_a_child_and_a_compaction(codex_of_each_schema: Path, tmp_path: Path) -> None:
    with ResponsesServer(tools_child_compaction()) as server:
        codex = CodexHome(tmp_path / "codex", codex_of_each_schema, server, compact_above=COMPACT_ABOVE)
        run_all(codex, [TEAM_PROMPT])
    assert server.complaints == []
    bundles, session = read_both(codex)
    assert len(session.trace.compactions) == 1
    assert len(session.trace.threads) == 2
    assert differences(bundles, session) == []


def test_a_picture_and_a_code_cell_that_is_waited_for(codex_171: Path, tmp_path: Path) -> None:
    with ResponsesServer(tools_child_compaction(between=picture_and_cell())) as server:
        codex = CodexHome(tmp_path / "codex", codex_171, server, compact_above=COMPACT_ABOVE, code_mode=True)
        run_all(codex, [TEAM_PROMPT])
    bundles, session = read_both(codex)
    [found] = session.trace.code_cells.values()
    assert found.wait_tool_call_ids
    assert found.nested_tool_call_ids
    assert differences(bundles, session) == []
    [bundle] = codex.bundles()
    assert rows_shown(session.recording.path) == rows_shown(bundle)


def test_a_session_that_two_processes_wrote(codex_171: Path, tmp_path: Path) -> None:
    answers = [
        Answer([reasoning("**First**"), shell("echo one")]),
        Answer([message("One.", "final_answer")]),
        Answer([shell("sleep 0.2; echo two; exit 4")]),
        Answer([message("Two.", "final_answer")]),
    ]
    with ResponsesServer([Script("RESUMED: first", answers)]) as server:
        codex = CodexHome(tmp_path / "codex", codex_171, server)
        run_all(codex, ["RESUMED: first"])
        ran = codex.run("second", "resume", "--last")
        assert ran.returncode == 0, ran.stderr.decode()
    bundles, session = read_both(codex)
    assert len(bundles) == 2
    assert len(session.trace.inference_calls) == 4
    assert differences(bundles, session) == []


@pytest.mark.parametrize("fork_turns", ["all", "1"])
def test_a_child_that_has_the_history_of_its_parent(codex_171: Path, tmp_path: Path, fork_turns: str) -> None:
    parent = Script(
        "HEIR: begin",
        [
            Answer([shell("echo before")]),
            Answer(
                [
                    reasoning("**Sharing**"),
                    agent("spawn_agent", task_name="heir", message="HEIR-TASK: go on", fork_turns=fork_turns),
                ]
            ),
            Answer([agent("wait_agent", timeout_ms=30_000)]),
            Answer([agent("followup_task", target="heir", message="HEIR-TASK: once more")]),
            Answer([agent("wait_agent", timeout_ms=30_000)]),
            Answer([message("Done.", "final_answer")]),
        ],
    )
    heir = Script(
        "HEIR-TASK: go on",
        [
            Answer([shell("echo inherited")]),
            Answer([message("HEIR RESULT", "final_answer")]),
            Answer([message("HEIR SECOND RESULT", "final_answer")]),
        ],
    )
    with ResponsesServer([parent, heir]) as server:
        codex = CodexHome(tmp_path / "codex", codex_171, server)
        run_all(codex, ["HEIR: begin"])
    bundles, session = read_both(codex)
    assert session.inherited
    assert differences(bundles, session) == []


def test_responses_that_fail(codex_of_each_schema: Path, tmp_path: Path) -> None:
    answers = [
        Answer([shell("echo before")]),
        Answer([reasoning("**Breaking off**")], error=("server_error", "the model gave up")),
        Answer([message("Recovered.", "final_answer")]),
    ]
    with ResponsesServer([Script("FAILING: first", answers)]) as server:
        codex = CodexHome(tmp_path / "codex", codex_of_each_schema, server)
        codex.run("FAILING: first")
        codex.run("again", "resume", "--last")
    bundles, session = read_both(codex)
    statuses = [call.execution.status for call in session.trace.inference_calls.values()]
    assert statuses == ["completed", "failed", "completed"]
    assert differences(bundles, session) == []


def test_cells_whose_programs_run_beside_each_other(codex_171: Path, tmp_path: Path) -> None:
    quick = "text((await tools.exec_command({cmd: 'echo quick'})).output);"
    slow = "yield_control(); text((await tools.exec_command({cmd: 'sleep 0.4; echo slow'})).output);"
    answers = [
        Answer([cell(slow)]),
        Answer([cell(quick), cell("throw new Error('on purpose')")]),
        Answer([message("Done.", "final_answer")]),
    ]
    with ResponsesServer([Script("CELLS: both", answers)]) as server:
        codex = CodexHome(tmp_path / "codex", codex_171, server, code_mode=True)
        run_all(codex, ["CELLS: both"])
    bundles, session = read_both(codex)
    assert len(session.trace.code_cells) == 3
    found = differences(bundles, session)
    assert [one for one in found if not one.startswith(("cells:", "tool exec-"))] == []
