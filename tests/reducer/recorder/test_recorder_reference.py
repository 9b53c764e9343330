"""The real codex 0.169.0 reduces what the recorder writes: every kind of event, and the demo traces."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from recorder_fixtures import CHILD, ROOT, kinds, only_bundle, record_everything, recorded_session

from reducer.schemas.v2 import SCHEMA_2

REPOSITORY = Path(__file__).resolve().parents[3]

Reduce = Callable[[Path], bytes]


@pytest.fixture
def reduce(tmp_path: Path, codex_169: Path) -> Reduce:
    """Lets codex reduce a bundle, and gives the bytes of its graph."""
    return lambda bundle: reduced_by(codex_169, bundle, tmp_path)


def reduced_by(codex: Path, bundle: Path, work: Path) -> bytes:
    """The bytes of the graph that a codex makes of a bundle, which it must accept."""
    home = work / "home"
    home.mkdir()
    result = work / "reference.json"
    finished = subprocess.run(
        [str(codex), "debug", "trace-reduce", str(bundle), "-o", str(result)],
        env={"HOME": str(home), "CODEX_HOME": str(home), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert finished.returncode == 0, finished.stderr
    return result.read_bytes()


@pytest.fixture
def graph_of_everything(tmp_path: Path, reduce: Reduce) -> dict[str, Any]:
    record_everything(recorded_session(tmp_path / "root"))
    graph: dict[str, Any] = json.loads(reduce(only_bundle(tmp_path / "root")))
    return graph


def test_the_recorder_can_write_every_kind_of_event(tmp_path: Path) -> None:
    record_everything(recorded_session(tmp_path))
    possible = {kind for kind in SCHEMA_2.events if kind != "other"}
    assert set(kinds(only_bundle(tmp_path))) == possible


def statuses(graph: dict[str, Any], objects: str) -> list[str]:
    return [found["execution"]["status"] for found in graph[objects].values()]


def test_codex_accepts_every_kind_of_event(graph_of_everything: dict[str, Any]) -> None:
    graph = graph_of_everything
    assert graph["status"] == "completed"
    assert graph["recording_complete"] is True
    assert statuses(graph, "codex_turns") == ["completed", "completed", "cancelled"]
    assert sorted(set(statuses(graph, "inference_calls"))) == ["cancelled", "completed", "failed"]
    assert statuses(graph, "compaction_requests") == ["failed", "completed"]
    assert statuses(graph, "threads") == ["completed", "completed"]


def test_codex_sees_the_terminal_and_the_cell(graph_of_everything: dict[str, Any]) -> None:
    graph = graph_of_everything
    calls = graph["tool_calls"]
    (session,) = graph["terminal_sessions"].values()
    operations = [graph["terminal_operations"][operation]["kind"] for operation in session["operation_ids"]]
    assert operations == ["exec_command", "write_stdin"]
    assert calls["call_3"]["kind"] == {"type": "mcp", "server": "toy", "tool": "echo"}
    assert calls["call_3"]["mcp_call_id"] is not None
    (cell,) = graph["code_cells"].values()
    (nested,) = cell["nested_tool_call_ids"]
    assert calls[nested]["code_mode_runtime_tool_id"] == "tool-1"
    assert calls["call_4"]["started_code_cell_id"] == "code_cell:call_4"


def test_codex_sees_the_child_and_the_compaction(graph_of_everything: dict[str, Any]) -> None:
    graph = graph_of_everything
    targets = {edge["kind"]: edge["target"]["type"] for edge in graph["interaction_edges"].values()}
    assert targets == {"spawn_agent": "conversation_item", "agent_result": "conversation_item"}
    assert graph["threads"][CHILD]["origin"] == {
        "type": "spawned",
        "parent_thread_id": ROOT,
        "spawn_edge_id": f"edge:spawn:{ROOT}:{CHILD}",
        "task_name": "kid",
        "agent_role": "worker",
    }
    (compaction,) = graph["compactions"].values()
    assert compaction["request_ids"] == ["compaction_request:1", "compaction_request:2"]


def test_codex_of_schema_1_reduces_the_demo_trace_to_its_snapshot(tmp_path: Path, codex_164: Path) -> None:
    bundle = tmp_path / "schema-1"
    shutil.copytree(REPOSITORY / "demo_traces" / "schema-1", bundle)
    snapshot = REPOSITORY / "snapshots" / "demo_traces" / "schema-1.state.json"
    assert reduced_by(codex_164, bundle, tmp_path) == snapshot.read_bytes()


@pytest.mark.parametrize("demo", ["quickstart", "team"])
def test_codex_reduces_a_demo_trace_to_its_snapshot(demo: str, tmp_path: Path, reduce: Reduce) -> None:
    bundle = tmp_path / demo
    shutil.copytree(REPOSITORY / "demo_traces" / demo, bundle)
    assert reduce(bundle) == (REPOSITORY / "snapshots" / "demo_traces" / f"{demo}.state.json").read_bytes()


def test_codex_reduces_what_of_the_hostile_trace_the_recorder_wrote(tmp_path: Path, reduce: Reduce) -> None:
    """Without its end, which codex must not be shown: it opens every path that an event names."""
    bundle = tmp_path / "hostile"
    shutil.copytree(REPOSITORY / "demo_traces" / "hostile", bundle, symlinks=True)
    lines = (bundle / "trace.jsonl").read_bytes().split(b"\n")
    (end,) = [number for number, line in enumerate(lines) if b'"type":"rollout_ended"' in line]
    (bundle / "trace.jsonl").write_bytes(b"\n".join(lines[: end + 1]))
    graph = json.loads(reduce(bundle))
    assert graph["status"] == "failed"
    assert len(graph["threads"]) == 2
