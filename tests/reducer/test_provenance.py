from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from bundle_builder import CHILD, ROOT, BundleBuilder, exec_item, letter, message
from places import REPOSITORY
from scenes import SPAWN_INVOCATION, activity, everything

from reducer import Reduction, reduce_bundle
from reducer.schemas import SCHEMAS
from reducer.wire.payload_refs import PayloadRef

MAKERS = {
    "Thread": {"thread_started"},
    "Turn": {"codex_turn_started"},
    "InferenceCall": {"inference_started"},
    "ToolCall": {"tool_call_started"},
    "CodeCell": {"code_cell_started"},
    "Compaction": {"compaction_installed"},
    "CompactionRequest": {"compaction_request_started"},
    "TerminalOperation": {"tool_call_started", "tool_call_runtime_started"},
    "TerminalSession": {
        *("tool_call_started", "tool_call_runtime_started", "tool_call_runtime_ended", "tool_call_ended"),
        "stdin_target_resolved",
    },
    "ConversationItem": {
        *("inference_started", "inference_completed", "inference_failed", "inference_cancelled"),
        *("history_item_accepted", "compaction_installed"),
    },
    "InteractionEdge": {
        *("tool_call_runtime_started", "tool_call_runtime_ended", "agent_result_observed"),
    },
}
MAPS = {
    "Thread": "threads",
    "Turn": "codex_turns",
    "InferenceCall": "inference_calls",
    "ToolCall": "tool_calls",
    "CodeCell": "code_cells",
    "Compaction": "compactions",
    "CompactionRequest": "compaction_requests",
    "TerminalOperation": "terminal_operations",
    "TerminalSession": "terminal_sessions",
    "ConversationItem": "conversation_items",
    "InteractionEdge": "interaction_edges",
}


def check_provenance(reduction: Reduction) -> None:
    """Every object was made by an event that can make it, and no event or payload is lost."""
    trace, provenance = reduction.trace, reduction.provenance
    for type_, makers in MAKERS.items():
        for object_id in getattr(trace, MAPS[type_]):
            trail = provenance.of(type_, object_id)
            assert trail, f"{type_} {object_id} comes from nowhere"
            assert trail[0].kind in makers, f"{type_} {object_id} was made by {trail[0].kind}"
            assert [one.line for one in trail] == sorted({one.line for one in trail})
    carried = [one for event in provenance.events for ref in event.payloads for one in with_parts(ref)]
    assert {ref.raw_payload_id: ref for ref in carried} == trace.raw_payloads


def with_parts(ref: PayloadRef) -> Iterator[PayloadRef]:
    yield ref
    for part in getattr(ref, "parts", ()):
        yield from with_parts(part)


@pytest.mark.parametrize("schema", SCHEMAS)
def test_every_object_of_every_kind_has_a_maker(schema: int, tmp_path: Path) -> None:
    b = everything(tmp_path / "bundle", schema)
    reduction = b.reduce(strict=True)
    check_provenance(reduction)
    assert [event.seq for event in reduction.provenance.events] == [*range(1, len(b.lines) + 1)]
    possible = {kind for kind in SCHEMAS[schema].events if kind != "other"}
    assert {event.kind for event in reduction.provenance.events} == possible
    for name in MAPS.values():
        assert getattr(reduction.trace, name), f"the scene makes no {name}"


@pytest.mark.parametrize("name", ["quickstart", "team", "schema-1"])
def test_every_object_of_a_demo_trace_has_a_maker(name: str) -> None:
    check_provenance(reduce_bundle(REPOSITORY / "demo_traces" / name, strict=True))


@pytest.mark.slow
def test_every_object_of_a_recording_has_a_maker(shared_dir: Path) -> None:
    recorded = [*(shared_dir / "bundles").glob("*/state.json"), *small_recordings(shared_dir / "bundles-v3")]
    for path in sorted(recorded):
        check_provenance(reduce_bundle(path.parent / "bundle"))


def small_recordings(folder: Path) -> list[Path]:
    found = folder.glob("*/state.json")
    return [path for path in found if path.stat().st_size < 2_000_000]


def kinds(b: BundleBuilder, type_: str, object_id: str) -> list[str]:
    return [event.kind for event in b.reduce(strict=True).provenance.of(type_, object_id)]


@pytest.fixture
def b(tmp_path: Path) -> BundleBuilder:
    builder = BundleBuilder(tmp_path / "bundle")
    builder.thread()
    builder.turn()
    return builder


def test_a_record_tells_where_its_event_stands(b: BundleBuilder) -> None:
    b.lines.insert(1, b" ")
    b.event("protocol_event_observed", event_type="warning", event_payload=b.payload({}))
    b.lines[-1] = b.lines[-1].replace(b'"seq":4', b'"seq":3')
    _, turn, event = b.reduce(strict=True).provenance.events
    assert (turn.seq, turn.line, turn.kind, turn.thread_id) == (2, 3, "codex_turn_started", ROOT)
    assert (event.seq, event.line, event.note) == (3, 4, "warning")
    assert event.at_unix_ms == 1004
    assert [ref.path for ref in event.payloads] == ["payloads/1.json"]
    log = (b.path / "trace.jsonl").read_bytes()
    assert log[event.offset :].startswith(b.lines[3])
    assert log[turn.offset :].startswith(b.lines[2])


def test_an_item_remembers_its_sightings_that_changed_it(b: BundleBuilder) -> None:
    b.request("i1", [message("a")])
    b.request("i2", [message("a")])
    b.request("i3", [message("a", id="x")])
    b.accepted("x")
    trail = ["inference_started", "inference_started", "history_item_accepted"]
    assert kinds(b, "ConversationItem", "conversation_item:1") == trail


def test_a_cell_that_waited_was_made_by_its_start(b: BundleBuilder) -> None:
    b.cell("x")
    b.cell_response("yielded")
    assert b.reduce().provenance.of("CodeCell", "code_cell:x")[0].seq == 3
    b.request("i1", [exec_item("x")])
    b.cell_ended()
    assert kinds(b, "CodeCell", "code_cell:x") == [
        "code_cell_started",
        "code_cell_initial_response",
        "inference_started",
        "code_cell_ended",
    ]


def test_an_edge_was_made_by_the_event_that_told_it(b: BundleBuilder) -> None:
    b.thread(CHILD, "/root/a")
    b.turn("tc", CHILD)
    b.tool("T", "spawn_agent", invocation=SPAWN_INVOCATION)
    b.runtime_ended("T", activity("started", CHILD, "/root/a"))
    edge = f"edge:spawn:{ROOT}:{CHILD}"
    assert kinds(b, "InteractionEdge", edge) == ["tool_call_runtime_ended"]
    b.request("i1", [letter("look around", "/root", "/root/a")], CHILD)
    assert kinds(b, "InteractionEdge", edge) == ["tool_call_runtime_ended", "inference_started"]


def test_an_event_that_failed_leaves_no_trace(b: BundleBuilder) -> None:
    b.tool("T", cell="unknown")
    provenance = b.reduce().provenance
    assert len(provenance.events) == 2
    assert provenance.of("ToolCall", "T") == []
