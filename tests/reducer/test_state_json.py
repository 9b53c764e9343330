from __future__ import annotations

import json
from pathlib import Path

from bundle_builder import BundleBuilder, message
from hypothesis import given
from hypothesis import strategies as st
from places import REPOSITORY
from scenes import everything

from reducer import RolloutTrace, state_json
from reducer.model import Body, ConversationItem, TextPart


def test_everything_is_reduced_to_the_snapshot(tmp_path: Path) -> None:
    """The snapshot is what codex 0.169.0 makes of this bundle."""
    found = state_json(everything(tmp_path / "bundle").graph())
    assert found == (REPOSITORY / "snapshots" / "reducer" / "everything.state.json").read_bytes()


def test_maps_are_in_byte_order_and_lists_as_they_are(tmp_path: Path) -> None:
    b = BundleBuilder(tmp_path / "bundle")
    for thread in ("\U0001f600", "\uffff", "a", "Z"):
        b.thread(thread, "/root")
    b.turn("turn", "a")
    b.request("i1", [message(str(number)) for number in range(11)], "a")
    graph = json.loads(state_json(b.graph()))
    assert list(graph["threads"]) == ["Z", "a", "\uffff", "\U0001f600"]
    assert list(graph["conversation_items"])[:3] == [
        "conversation_item:1",
        "conversation_item:10",
        "conversation_item:11",
    ]
    assert graph["inference_calls"]["i1"]["request_item_ids"][8:10] == [
        "conversation_item:9",
        "conversation_item:10",
    ]


def test_only_some_fields_are_left_out_when_unset(tmp_path: Path) -> None:
    b = BundleBuilder(tmp_path / "bundle")
    b.thread()
    b.turn()
    b.request("i1", [message("a"), {"type": "message", "role": "user"}])
    b.tool("T")
    graph = json.loads(state_json(b.graph()))
    first, second = graph["conversation_items"].values()
    assert list(first) == [
        *("item_id", "thread_id", "codex_turn_id", "first_seen_at_unix_ms", "role"),
        *("channel", "kind", "body", "call_id", "produced_by"),
    ]
    assert first["channel"] is first["call_id"] is None
    assert list(second["body"]["parts"][0]) == ["type", "label", "raw_payload_id"]
    assert "started_code_cell_id" not in graph["tool_calls"]["T"]
    assert graph["tool_calls"]["T"]["mcp_call_id"] is None


@given(st.text())
def test_the_form_is_that_of_pythons_indented_json(text: str) -> None:
    trace = RolloutTrace(
        schema_version=2, trace_id=text, rollout_id="r", started_at_unix_ms=-(2**63), root_thread_id="t"
    )
    trace.conversation_items[text] = ConversationItem(
        item_id=text,
        thread_id="t",
        codex_turn_id=None,
        first_seen_at_unix_ms=2**63 - 1,
        role="user",
        channel=None,
        kind="message",
        body=Body([TextPart(text)]),
        call_id=None,
        produced_by=[],
    )
    written = state_json(trace).decode()
    value = json.loads(written)
    assert value["conversation_items"][text]["body"]["parts"][0]["text"] == text
    assert written == json.dumps(value, indent=2, ensure_ascii=False)
    assert not written.endswith("\n")
