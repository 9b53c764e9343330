"""What is said of payloads in shards: their parts, the calls that carry them, what a limit left of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from bundle_builder import message
from inspecting import inspecting
from places import REPOSITORY
from sharded_builder import ShardedBuilder

from reducer import ObjectRef, Reduction, reduce_bundle
from reducer.model import PayloadRefPart
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.items.captures import lost_part_words
from rollout_tui.insight.items.prompts import calls_with_part
from rollout_tui.lines.json_paint import value_row
from rollout_tui.lines.json_view import JsonView
from rollout_tui.lines.spans import spans_text, spans_width
from rollout_tui.texts.json_index import JsonIndex
from rollout_tui.views.detail.describe import describe
from rollout_tui.views.detail.facts import Fact
from rollout_tui.views.timeline import Timelines
from rollout_tui.widgets.virtual_list import VirtualList


@pytest.fixture
def builder(tmp_path: Path) -> ShardedBuilder:
    builder = ShardedBuilder(tmp_path / "bundle")
    builder.thread()
    builder.turn()
    return builder


def facts(reduction: Reduction, type_: str, id_: str) -> list[Fact]:
    detail = describe(TraceIndex(reduction), ObjectRef(type_, id_))
    assert detail is not None
    return detail.facts


def call(builder: ShardedBuilder, name: str, items: list[Any], request: Any) -> None:
    """A call whose prompt consists of items, with its request."""
    thread, turn = next(iter(builder.turns.items()))
    fragments = ['{"input":[', *[","] * (len(items) - 1), "]}"]
    builder.event(
        "inference_started",
        thread,
        turn,
        inference_call_id=name,
        thread_id=thread,
        codex_turn_id=turn,
        model="m",
        provider_name="p",
        request_payload=request,
        prepared_prompt_payload=builder.payload(fragments, "prepared_prompt", parts=items),
    )


def test_each_part_leads_to_itself_and_those_beyond_a_bound_are_counted(builder: ShardedBuilder) -> None:
    part = builder.payload(1, "model_item")
    whole = builder.payload(["[", *[","] * 1001, "]"], "protocol_event", parts=[part] * 1002)
    builder.observe(whole)
    told = facts(reduce_bundle(builder.write(), strict=True), "Payload", whole["raw_payload_id"])
    links = [fact.link for fact in told if fact.name.startswith("part ")]
    assert links == [ObjectRef("Payload", part["raw_payload_id"])] * 1000
    assert "and 2 parts more" in [fact.value for fact in told]


def test_a_picture_in_an_item_is_carried_by_the_calls_that_carry_the_item(builder: ShardedBuilder) -> None:
    picture = builder.payload("data:image/png;base64,AA==", "content_value")
    fragments = ['{"type":"message","role":"user","content":[{"type":"input_image","image_url":', "}]}"]
    item = builder.payload(fragments, "model_item", parts=[picture])
    other = builder.payload(message("two"), "model_item")
    for name, items in (("i1", [other]), ("i2", [other, item]), ("i3", [item, item])):
        call(builder, name, items, builder.payload({"input": []}, "inference_request"))
    reduction = reduce_bundle(builder.write(), strict=True)
    assert calls_with_part(TraceIndex(reduction), picture["raw_payload_id"]) == ["i2", "i3"]
    links = [fact.link for fact in facts(reduction, "Payload", picture["raw_payload_id"])]
    assert [link.id for link in links if link is not None and link.type == "InferenceCall"] == ["i2", "i3"]


def test_a_payload_that_was_cut_tells_its_whole_size(builder: ShardedBuilder) -> None:
    for capture in ({"status": "truncated", "retained_bytes": 6}, {"status": "omitted"}):
        payload = builder.payload(b'"begin', "protocol_event")
        payload["capture"] = {**capture, "original_bytes": 12345}
        if capture["status"] == "omitted":
            payload["shard"] = None
        builder.observe(payload)
        told = facts(reduce_bundle(builder.write()), "Payload", payload["raw_payload_id"])
        assert [fact.value for fact in told if fact.name == "whole size"] == ["12,345 bytes"]


def test_an_item_names_the_calls_that_carried_it(team_timelines: Timelines) -> None:
    """Against the lists of the requests themselves."""
    index, several = team_timelines.index, 0
    for item in index.trace.conversation_items.values():
        detail = describe(index, ObjectRef("ConversationItem", item.item_id), team_timelines.links)
        assert detail is not None
        told = [fact for fact in detail.facts if fact.name == "carried by"]
        calls = index.contents[item.thread_id].calls
        carried = [item.item_id in call.request_item_ids for call in calls]
        begins = [at for at, has in enumerate(carried) if has and not (at and carried[at - 1])]
        linked = [None if fact.link is None else fact.link.id for fact in told]
        assert linked == ([calls[at].inference_call_id for at in begins] or [None])
        several += any(f"calls {begins[0] + 1} to " in fact.value for fact in told) if begins else 0
    assert several > 10


def test_content_leads_to_the_payload_that_holds_it(team_timelines: Timelines) -> None:
    index = team_timelines.index
    items = index.trace.conversation_items.values()
    parts = [(item, part) for item in items for part in item.body.parts if isinstance(part, PayloadRefPart)]
    for item, part in parts:
        detail = describe(index, ObjectRef("ConversationItem", item.item_id), team_timelines.links)
        assert detail is not None
        assert ObjectRef("Payload", part.raw_payload_id) in [fact.link for fact in detail.facts]


async def test_what_limits_cut_stands_among_what_is_wrong_with_the_recording() -> None:
    async with inspecting(REPOSITORY / "demo_traces/capped") as at:
        timelines = at.screen.session.timelines
        assert timelines is not None
        cut = [ref for ref in timelines.index.trace.raw_payloads.values() if ref.is_lost]
        await at.press("i")
        text = " ".join(" ".join(at.screen_text()).split())
        assert "Nothing is wrong" not in text
        assert f"{len(cut)} payload{'s' * (len(cut) > 1)} cut by the recorder's limits" in text
        rows = at.rows(at.app.screen.query_one(VirtualList))
        assert [ref.raw_payload_id in row for ref, row in zip(cut, rows, strict=False)] == [True] * len(cut)
        await at.press("enter")
        assert at.screen.detail.payload == cut[0]


def test_an_item_whose_text_was_cut_says_how_much_and_leads_to_what_was_kept(builder: ShardedBuilder) -> None:
    text = builder.payload(b'"begin', "content_value")
    text["capture"] = {"status": "truncated", "original_bytes": 12345, "retained_bytes": 6}
    fragments = [
        '{"input":[{"type":"message","role":"user","content":[{"type":"input_text","text":',
        "}]}]}",
    ]
    request = builder.payload(fragments, "inference_request", parts=[text])
    call(builder, "i1", [builder.payload(message("x"), "model_item")], request)
    reduction = reduce_bundle(builder.write(), strict=True)
    item = next(iter(reduction.trace.conversation_items.values()))
    assert [part.raw_payload_id for part in item.body.parts if isinstance(part, PayloadRefPart)] == [
        text["raw_payload_id"]
    ]
    held = next(fact for fact in facts(reduction, "ConversationItem", item.item_id) if fact.name == "holds")
    assert held.link == ObjectRef("Payload", text["raw_payload_id"])
    assert held.value.endswith("cut by the recorder's limit: the first 6 of 12,345 bytes were kept")


# Stand-ins of lost parts in the JSON tree


def rows(text: bytes, lost: dict[str, str], width: int = 90) -> list[str]:
    view = JsonView(JsonIndex(text).build_all(), 2, lost=lost)
    painted = [value_row(view, view.spot(row).node, width) for row in range(view.row_count)]
    assert all(spans_width(row) <= width for row in painted)
    return [spans_text(row).strip() for row in painted]


def test_a_stand_in_says_what_became_of_the_part_even_when_folded() -> None:
    text = b'{"input":[{"$trace_unavailable":"raw_payload:9"},{"a":{"$trace_unavailable":"raw_payload:8"}}]}'
    told = rows(text, {"raw_payload:9": "left out by the recorder's limit: 90,210 bytes"})
    assert "raw_payload:9 left out by the recorder's limit: 90,210 bytes" in told[2]
    assert sum("left out" in row for row in told) == 1


@pytest.mark.parametrize(
    "data",
    [
        b'{"$trace_unavailable":"raw_payload:8"}',
        b'{"$trace_unavailable":9}',
        b'{"$trace_unavailable":{"x":"raw_payload:9"}}',
        b'{"$trace_unavailable":"raw_payload:9","more":1}',
        b'{"more":"raw_payload:9"}',
        b'["raw_payload:9"]',
        b"{}",
    ],
)
def test_data_that_only_looks_like_a_stand_in_is_ordinary_data(data: bytes) -> None:
    assert not any("left out" in row for row in rows(data, {"raw_payload:9": "left out"}))


def test_what_a_stand_in_names_is_made_safe() -> None:
    told = rows(b'{"$trace_unavailable":"a\\u001b[31m\\u202e"}', {"a\x1b[31m\u202e": "left out"})
    assert "left out" in told[0]
    assert not {"\x1b", "\u202e"} & set("".join(told))


def test_the_stand_ins_of_a_recorded_request_are_those_of_its_lost_parts(shared_dir: Path) -> None:
    reduction = reduce_bundle(shared_dir / "bundles-v3/limit-payload-300/bundle")
    call = min(reduction.trace.inference_calls.values(), key=lambda one: one.execution.started_seq)
    request = reduction.trace.raw_payloads[call.raw_request_payload_id]
    lost = lost_part_words(request)
    view = JsonView(JsonIndex(reduction.recording.read_payload(request)).build_all(), None, lost=lost)
    painted = [value_row(view, view.spot(row).node, 120) for row in range(view.row_count)]
    marked = [row for row in map(spans_text, painted) if "cut by the recorder's limit" in row]
    assert lost
    assert all(any(one in row for row in marked) for one in lost)
