"""The real codex against the scripted server: whole sessions, and one cut short, reduced alike by both."""

from __future__ import annotations

import json
import signal
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from codex_home import CodexHome
from patience import PATIENCE
from pty_terminal import Terminal
from responses_server import Gate, ResponsesServer
from scripted_sessions import COMPACT_ABOVE, TEAM_PROMPT, picture_and_cell, tools_child_compaction

from reducer import Reduction, open_bundle, reduce_bundle, state_json

pytestmark = pytest.mark.slow


def reduced(bundle: Path) -> Reduction:
    return reduce_bundle(open_bundle(bundle))


def test_a_turn_with_tools_a_child_and_a_compaction(codex_program: Path, tmp_path: Path) -> None:
    with ResponsesServer(tools_child_compaction()) as server:
        codex = CodexHome(tmp_path / "codex", codex_program, server, compact_above=COMPACT_ABOVE)
        ran = codex.run(TEAM_PROMPT)
    assert ran.returncode == 0, ran.stderr.decode()
    assert server.complaints == []
    [bundle] = codex.bundles()
    reference = codex.reduced(bundle)
    reduction = reduced(bundle)
    trace = reduction.trace
    assert reduction.problems == []
    assert trace.status == "completed"
    assert [thread.agent_path for thread in trace.threads.values()] == ["/root", "/root/researcher"]
    assert len(trace.compactions) == 1
    assert Counter(edge.kind for edge in trace.interaction_edges.values()) == {
        "spawn_agent": 1,
        "agent_result": 1,
    }
    assert state_json(trace) == reference


def test_a_turn_with_a_picture_and_a_code_cell_that_is_waited_for(codex_171: Path, tmp_path: Path) -> None:
    with ResponsesServer(tools_child_compaction(between=picture_and_cell())) as server:
        codex = CodexHome(tmp_path / "codex", codex_171, server, compact_above=COMPACT_ABOVE, code_mode=True)
        ran = codex.run(TEAM_PROMPT)
    assert ran.returncode == 0, ran.stderr.decode()
    assert server.complaints == []
    [bundle] = codex.bundles()
    reference = codex.reduced(bundle)
    told = json.loads(reference)
    [cell] = told["code_cells"].values()
    [wait] = cell["wait_tool_call_ids"]
    assert told["tool_calls"][wait]["resolved_wait_runtime_cell_id"] == "1"
    assert "content_value" in {payload["kind"]["type"] for payload in told["raw_payloads"].values()}
    reduction = reduced(bundle)
    assert reduction.problems == []
    assert state_json(reduction.trace) == reference


def test_a_gate_holds_the_recording_where_it_is(codex_program: Path, tmp_path: Path) -> None:
    gate = Gate()
    with ResponsesServer(tools_child_compaction({"tools": gate})) as server:
        codex = CodexHome(tmp_path / "codex", codex_program, server, compact_above=COMPACT_ABOVE)
        with codex.started(TEAM_PROMPT) as running:
            assert gate.reached.wait(PATIENCE)
            [bundle] = codex.bundles()
            reference = codex.reduced(bundle)
            held = reduced(bundle)
            gate.open()
            assert running.wait(PATIENCE) == 0
        assert server.complaints == []
    assert state_json(held.trace) == reference
    assert held.trace.status == "running"
    statuses = [call.execution.status for call in held.trace.inference_calls.values()]
    assert statuses == ["completed", "running"]
    assert reduced(bundle).trace.status == "completed"


@pytest.mark.parametrize(
    ("program", "code_mode"), [("codex_169", False), ("codex_171", True)], ids=["schema 2", "schema 3"]
)
def test_what_a_killed_codex_recorded_is_all_there(
    program: str,
    code_mode: bool,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    run_program: Callable[..., subprocess.CompletedProcess[bytes]],
    start: Callable[..., Terminal],
) -> None:
    gate = Gate()
    between = picture_and_cell() if code_mode else []
    with ResponsesServer(tools_child_compaction({"compacted": gate}, between)) as server:
        codex = CodexHome(
            tmp_path / "codex",
            request.getfixturevalue(program),
            server,
            compact_above=COMPACT_ABOVE,
            code_mode=code_mode,
        )
        with codex.started(TEAM_PROMPT) as running:
            assert gate.reached.wait(PATIENCE)
            running.kill()
            assert running.wait(PATIENCE) == -signal.SIGKILL
        [bundle] = codex.bundles()
        reference = codex.reduced(bundle)
    events = len((bundle / "trace.jsonl").read_bytes().splitlines())
    checked = run_program("check", "--json", bundle)
    report = json.loads(checked.stdout)
    assert checked.returncode == 0, report
    assert report["clean"]
    assert report["session"] == "unfinished"
    assert report["recording"] == "unfinished"
    assert report["totals"]["events"] == events
    last = max(int(one.partition(":")[2]) for one in json.loads(reference)["raw_payloads"])
    shown = run_program("show", "--raw", bundle, "payload", str(last))
    assert shown.returncode == 0, shown.stderr.decode()
    assert json.loads(shown.stdout)
    written = run_program("reduce", "--strict", bundle, "-o", "-")
    assert written.returncode == 0, written.stderr.decode()
    assert written.stdout == reference
    terminal = start(bundle, columns=140, rows=40)
    terminal.wait_for("cat nothing-here")
    terminal.wait_for("/researcher")
    terminal.wait_for("compact")
    terminal.wait_for("unfinished")
    terminal.press("Q")
    assert terminal.wait_exit() == 0
