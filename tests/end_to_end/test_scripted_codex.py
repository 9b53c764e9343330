"""The real codex against the scripted server: a whole session, reduced alike by both."""

from __future__ import annotations

import subprocess
from collections import Counter
from pathlib import Path

from responses_server import CodexHome, Gate, ResponsesServer
from scripted_sessions import COMPACT_ABOVE, TEAM_PROMPT, tools_child_compaction

from reducer import Reduction, open_bundle, reduce_bundle, state_json


def reduced(bundle: Path) -> Reduction:
    return reduce_bundle(open_bundle(bundle))


def test_a_turn_with_tools_a_child_and_a_compaction(codex_169: Path, tmp_path: Path) -> None:
    with ResponsesServer(tools_child_compaction()) as server:
        codex = CodexHome(tmp_path / "codex", codex_169, server, compact_above=COMPACT_ABOVE)
        ran = codex.run(TEAM_PROMPT)
    assert ran.returncode == 0, ran.stderr.decode()
    assert server.complaints == []
    [bundle] = codex.bundles()
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
    reference = tmp_path / "reference.json"
    subprocess.run(
        [codex_169, "debug", "trace-reduce", bundle, "-o", reference],
        env=codex.environment,
        check=True,
        capture_output=True,
    )
    assert state_json(trace) == reference.read_bytes()


def test_a_gate_holds_the_recording_where_it_is(codex_169: Path, tmp_path: Path) -> None:
    gate = Gate()
    with ResponsesServer(tools_child_compaction({"tools": gate})) as server:
        codex = CodexHome(tmp_path / "codex", codex_169, server, compact_above=COMPACT_ABOVE)
        with subprocess.Popen(
            codex.command(TEAM_PROMPT),
            env=codex.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as running:
            try:
                assert gate.reached.wait(30)
                [bundle] = codex.bundles()
                held = reduced(bundle)
            finally:
                gate.open()
            assert running.wait(30) == 0
        assert server.complaints == []
    assert held.trace.status == "running"
    statuses = [call.execution.status for call in held.trace.inference_calls.values()]
    assert statuses == ["completed", "running"]
    assert reduced(bundle).trace.status == "completed"
