"""Objects found by their ids."""

from __future__ import annotations

from typing import Any

import pytest

from reducer import ObjectRef
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.search.query import parse_query
from rollout_tui.insight.search.search import Hit, Search, Where


def id_hits(index: TraceIndex, text: str) -> list[Hit]:
    search = Search(index, parse_query(text), index.reduction.recording.read_payload)
    return [hit for hits in search.steps() for hit in hits if hit.where is Where.ID]


def test_ids_come_before_what_is_found_in_texts(team: TraceIndex) -> None:
    search = Search(team, parse_query(team.trace.root_thread_id), team.reduction.recording.read_payload)
    wheres = [hit.where for hits in search.steps() for hit in hits]
    assert wheres.count(Where.ID) == 1
    assert wheres[0] is Where.ID
    assert len(wheres) > 1


@pytest.mark.slow
def test_every_id_of_the_graph_leads_to_its_object(team: TraceIndex) -> None:
    trace = team.trace
    objects: dict[str, dict[str, Any]] = {
        "Thread": trace.threads,
        "Turn": trace.codex_turns,
        "ConversationItem": trace.conversation_items,
        "InferenceCall": trace.inference_calls,
        "ToolCall": trace.tool_calls,
        "CodeCell": trace.code_cells,
        "TerminalSession": trace.terminal_sessions,
        "Compaction": trace.compactions,
        "CompactionRequest": trace.compaction_requests,
        "InteractionEdge": trace.interaction_edges,
    }
    for type_, found in objects.items():
        for object_id in list(found)[:3]:
            hits = id_hits(team, object_id)
            assert ObjectRef(type_, object_id) in [hit.ref for hit in hits]
            assert all(hit.seq > 0 for hit in hits if hit.ref.type != "TerminalSession")


def test_ids_that_the_model_knows_lead_to_items_and_calls(team: TraceIndex) -> None:
    call = next(one for one in team.trace.tool_calls.values() if one.model_visible_output_item_ids)
    assert call.model_visible_call_id is not None
    refs = {hit.ref.type for hit in id_hits(team, call.model_visible_call_id)}
    assert refs == {"ToolCall", "ConversationItem"}
    item = next(one for one in team.trace.conversation_items.values() if one.responses_item_id)
    found = {hit.ref.id for hit in id_hits(team, item.responses_item_id or "")}
    items = team.trace.conversation_items.values()
    assert found == {one.item_id for one in items if one.responses_item_id == item.responses_item_id}


@pytest.mark.slow
def test_payloads_lead_to_what_they_are_evidence_of(team: TraceIndex) -> None:
    call = next(iter(team.trace.inference_calls.values()))
    number = call.raw_request_payload_id.rpartition(":")[2]
    for text in (call.raw_request_payload_id, f"payload {number}", f"payloads/{number}.json"):
        (hit,) = id_hits(team, text)
        assert hit.ref == ObjectRef("InferenceCall", call.inference_call_id)
        assert hit.payload is not None
        assert hit.payload.raw_payload_id == call.raw_request_payload_id


def test_numbers_with_a_word_lead_to_events_and_items(team: TraceIndex) -> None:
    event = team.reduction.provenance.events[40]
    for text in (f"seq {event.seq}", f"SEQ  {event.seq}", f"line {event.line}"):
        (hit,) = id_hits(team, text)
        assert (hit.ref, hit.seq) == (ObjectRef("Event", str(event.seq)), event.seq)
    (hit,) = id_hits(team, "item 3")
    assert hit.ref == ObjectRef("ConversationItem", "conversation_item:3")
    assert id_hits(team, "seq 999999999") == []


@pytest.mark.slow
def test_the_beginning_of_a_long_id_is_enough(team: TraceIndex) -> None:
    thread_id = team.trace.root_thread_id
    assert ObjectRef("Thread", thread_id) in [hit.ref for hit in id_hits(team, thread_id[:13])]
    assert id_hits(team, thread_id[:5]) == []
    assert [hit.ref.id for hit in id_hits(team, "conversation_item:1")] == ["conversation_item:1"]
