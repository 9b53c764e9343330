"""Each schema's real codex reduces what the recorder writes: every kind of event, and the demo traces."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from recorder_fixtures import (
    CHILD,
    ROOT,
    events,
    finish,
    function_call,
    infer,
    kinds,
    message,
    only_bundle,
    output_of,
    record_everything,
    recorded_session,
)

from reducer import reduce_bundle, state_json
from reducer.recorder import Limits, ToolInvocation
from reducer.recorder.writer import SchemaNumber
from reducer.schemas import SCHEMAS

REPOSITORY = Path(__file__).resolve().parents[3]

ReduceAs = Callable[[SchemaNumber, Path], dict[str, Any]]


def reduced_by(codex: Path, bundle: Path, work: Path) -> bytes:
    """The bytes of the graph that a codex makes of a bundle, which it must accept."""
    home = work / "home"
    home.mkdir(exist_ok=True)
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


RECORDED: list[SchemaNumber] = [2, 3]
CODEX = {1: "codex_164", 2: "codex_169", 3: "codex_171"}


@pytest.fixture(params=RECORDED)
def schema(request: pytest.FixtureRequest) -> SchemaNumber:
    """The schemas that have every kind of event that is looked at here."""
    number: SchemaNumber = request.param
    return number


@pytest.fixture
def reduce_as(tmp_path: Path, request: pytest.FixtureRequest) -> ReduceAs:
    """Lets the codex of a schema reduce a bundle, and gives the graph; the reducer must make the same one."""

    def reduce(schema: SchemaNumber, bundle: Path) -> dict[str, Any]:
        expected = reduced_by(request.getfixturevalue(CODEX[schema]), bundle, tmp_path)
        reduction = reduce_bundle(bundle)
        assert reduction.problems == []
        assert state_json(reduction.trace) == expected
        graph: dict[str, Any] = json.loads(expected)
        return graph

    return reduce


@pytest.fixture
def graph_of_everything(tmp_path: Path, schema: SchemaNumber, reduce_as: ReduceAs) -> dict[str, Any]:
    record_everything(recorded_session(tmp_path / "root", schema=schema))
    return reduce_as(schema, only_bundle(tmp_path / "root"))


def test_the_recorder_can_write_every_kind_of_event(tmp_path: Path, schema: SchemaNumber) -> None:
    record_everything(recorded_session(tmp_path, schema=schema))
    assert set(kinds(only_bundle(tmp_path))) == set(SCHEMAS[schema].events) - {"other"}


def statuses(graph: dict[str, Any], objects: str) -> list[str]:
    return [found["execution"]["status"] for found in graph[objects].values()]


def test_codex_accepts_every_kind_of_event(graph_of_everything: dict[str, Any], schema: SchemaNumber) -> None:
    graph = graph_of_everything
    assert graph["status"] == "completed"
    assert graph["schema_version"] == schema
    assert graph.get("recording_complete", graph.get("recording_status")) in (True, "complete")
    assert statuses(graph, "codex_turns") == ["completed", "completed", "cancelled"]
    assert sorted(set(statuses(graph, "inference_calls"))) == ["cancelled", "completed", "failed"]
    assert statuses(graph, "compaction_requests") == ["failed", "completed"]
    assert statuses(graph, "threads") == ["completed", "completed"]


def test_codex_accepts_what_schema_1_has_of_it(tmp_path: Path, reduce_as: ReduceAs) -> None:
    record_everything(recorded_session(tmp_path / "root", schema=1))
    assert reduce_as(1, only_bundle(tmp_path / "root"))["status"] == "completed"


def test_codex_accepts_a_recording_that_goes_on(tmp_path: Path, reduce_as: ReduceAs) -> None:
    session = recorded_session(tmp_path / "root")
    infer(session.root.start_turn("turn"), [], [message("assistant", "Hello.", "msg_1")])
    graph = reduce_as(3, only_bundle(tmp_path / "root"))
    assert (graph["status"], graph["recording_status"]) == ("running", "unclosed")
    assert len(graph["conversation_items"]) == 1


def test_codex_sees_the_terminal_and_the_cell(graph_of_everything: dict[str, Any]) -> None:
    graph = graph_of_everything
    calls = graph["tool_calls"]
    (session,) = graph["terminal_sessions"].values()
    operations = [graph["terminal_operations"][operation]["kind"] for operation in session["operation_ids"]]
    assert operations == ["exec_command", "write_stdin"]
    assert calls["call_3"]["kind"] == {"type": "mcp", "server": "toy", "tool": "echo"}
    assert calls["call_3"]["mcp_call_id"] is not None
    cell = graph["code_cells"]["code_cell:call_4"]
    (nested,) = cell["nested_tool_call_ids"]
    assert calls[nested]["code_mode_runtime_tool_id"] == "tool-1"
    assert calls["call_4"]["started_code_cell_id"] == "code_cell:call_4"
    assert graph["code_cells"]["code_cell:call_6"]["wait_tool_call_ids"] == ["call_7"]


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


# Limits of schema 3


@pytest.mark.parametrize("limit", [0, 100, 300, 1000])
def test_codex_accepts_payloads_that_were_cut(limit: int, tmp_path: Path, reduce_as: ReduceAs) -> None:
    limits = Limits(max_payload_bytes=limit)
    record_everything(recorded_session(tmp_path / "root", limits=limits))
    graph = reduce_as(3, only_bundle(tmp_path / "root"))
    assert graph["recording_status"] == "closed_with_partial_payloads"
    assert graph["status"] == "completed"
    cut = {ref["capture"]["status"] for ref in graph["raw_payloads"].values() if "capture" in ref}
    assert cut == {"truncated"}


def test_a_text_that_was_cut_is_a_hole_in_a_message_that_is_there(
    tmp_path: Path, reduce_as: ReduceAs
) -> None:
    record_everything(recorded_session(tmp_path / "root", limits=Limits(max_payload_bytes=300)))
    graph = reduce_as(3, only_bundle(tmp_path / "root"))
    labels = {
        part["label"]
        for item in graph["conversation_items"].values()
        if item["role"] == "assistant" and item["body"]
        for part in item["body"]["parts"]
        if part["type"] == "payload_ref"
    }
    assert labels == {"text"}


@pytest.mark.parametrize("limit", [1000, 5000, 9000, 13_000, 17_000, 21_000, 25_000, 10**6])
def test_codex_accepts_a_bundle_that_was_full(limit: int, tmp_path: Path, reduce_as: ReduceAs) -> None:
    record_everything(recorded_session(tmp_path / "root", limits=Limits(max_bytes=limit)))
    bundle = only_bundle(tmp_path / "root")
    assert sum(path.stat().st_size for path in bundle.rglob("*") if path.is_file()) <= limit
    graph = reduce_as(3, bundle)
    ended = limit == 10**6
    assert (graph["recording_status"], graph["status"]) == (
        ("complete", "completed") if ended else ("unclosed", "running")
    )


def test_codex_accepts_payloads_that_were_left_out(tmp_path: Path, reduce_as: ReduceAs) -> None:
    """What one tool gave fits nowhere, and neither do requests with it; all events fit."""
    session = recorded_session(tmp_path / "root", limits=Limits(max_bytes=15_000))
    turn = session.root.start_turn("turn")
    context: list[Any] = []
    asked = function_call("call_1", "dump", "{}")
    infer(turn, context, [asked])
    call = turn.start_tool_call("call_1", ToolInvocation.function("dump", "{}"))
    finish(turn, context, call, output_of(asked, random.Random(1).randbytes(20_000).hex()))
    infer(turn, context, [message("assistant", "Too much.", "msg_1")])
    turn.end()
    session.root.end()
    session.end()
    session.complete()
    graph = reduce_as(3, only_bundle(tmp_path / "root"))
    assert (graph["status"], graph["recording_status"]) == ("completed", "closed_with_partial_payloads")
    left_out = [ref for ref in graph["raw_payloads"].values() if ref["shard"] is None]
    assert {ref["capture"]["status"] for ref in left_out} == {"omitted"}
    assert sorted(ref["kind"]["type"] for ref in left_out) == [
        "inference_request",
        "model_item",
        "protocol_event",
        "tool_result",
    ]


def without_ids(outputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in output.items() if key != "id"} for output in outputs]


def outputs_of_many_lengths() -> list[dict[str, Any]]:
    picture = {"type": "input_image", "image_url": "data:image/png;base64," + "A" * 400}
    said: list[Any] = ["short", "x" * 400, [picture], "y" * 500, [{"type": "input_text", "text": "z" * 400}]]
    return [output_of(function_call(f"call_{at}", "ls", "{}"), one) for at, one in enumerate(said)]


@pytest.mark.parametrize("is_context", [False, True], ids=["request", "warm-up context"])
@pytest.mark.parametrize(
    "limits",
    [Limits(max_payload_bytes=300), *(Limits(max_bytes=limit) for limit in range(1500, 5500, 500))],
    ids=str,
)
def test_codex_accepts_ids_of_outputs_of_which_a_limit_cuts_some(
    tmp_path: Path, reduce_as: ReduceAs, limits: Limits, is_context: bool
) -> None:
    turn = recorded_session(tmp_path / "root", limits=limits).root.start_turn("turn")
    outputs = outputs_of_many_lengths()
    items = [message("user", "hello", "msg_1"), *without_ids(outputs)]
    call = turn.start_inference(
        model="m",
        provider_name="p",
        request={"previous_response_id": "warm", "input": []} if is_context else {"input": items},
        warmup_context=items if is_context else None,
        stripped_tool_output_ids=[(at, output["id"]) for at, output in enumerate(outputs, 1)],
    )
    call.complete([])
    reduce_as(3, only_bundle(tmp_path / "root"))


def test_ids_are_kept_of_outputs_that_are_kept(tmp_path: Path) -> None:
    turn = recorded_session(tmp_path / "root", limits=Limits(max_payload_bytes=300)).root.start_turn("turn")
    outputs = outputs_of_many_lengths()
    ids = [(at, output["id"]) for at, output in enumerate(outputs)]
    turn.start_inference(
        model="m",
        provider_name="p",
        request={"input": without_ids(outputs)},
        stripped_tool_output_ids=ids,
    )
    bodies = [event["payload"] for event in events(only_bundle(tmp_path / "root"))]
    (started,) = [body for body in bodies if body["type"] == "inference_started"]
    # The first, and those of which only something inside was cut.
    assert started["stripped_tool_output_ids"] == [[*ids[0]], [*ids[2]], [*ids[4]]]


# Demo traces


@pytest.mark.parametrize(
    ("demo", "schema"),
    [
        ("quickstart", 3),
        ("team", 3),
        ("capped", 3),
        ("both/bundle", 3),
        ("schema-2", 2),
        ("schema-1", 1),
    ],
)
def test_codex_reduces_a_demo_trace_to_its_snapshot(
    demo: str, schema: SchemaNumber, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    bundle = tmp_path / demo
    shutil.copytree(REPOSITORY / "demo_traces" / demo, bundle)
    snapshot = REPOSITORY / "snapshots" / "demo_traces" / f"{demo}.state.json"
    assert reduced_by(request.getfixturevalue(CODEX[schema]), bundle, tmp_path) == snapshot.read_bytes()


@pytest.mark.parametrize(("demo", "schema"), [("hostile", 3), ("hostile-2", 2)])
def test_codex_reduces_what_of_a_hostile_trace_the_recorder_wrote(
    demo: str, schema: SchemaNumber, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Without its end, which codex must not be shown: it opens what paths and links of a bundle lead to."""
    bundle = tmp_path / demo
    shutil.copytree(REPOSITORY / "demo_traces" / demo, bundle, symlinks=True)
    lines = (bundle / "trace.jsonl").read_bytes().split(b"\n")
    (end,) = [number for number, line in enumerate(lines) if b'"type":"rollout_ended"' in line]
    (bundle / "trace.jsonl").write_bytes(b"\n".join(lines[: end + 1]))
    graph = json.loads(reduced_by(request.getfixturevalue(CODEX[schema]), bundle, tmp_path))
    assert graph["status"] == "failed"
    assert len(graph["threads"]) == 2
