"""Together the demo traces show whatever the recorder can write, in each trace schema."""

from __future__ import annotations

from collections import Counter
from typing import Any, get_args

import pytest
from demo_reading import all_references, decoded, events, graph, plain

from reducer.schemas import SCHEMAS
from reducer.wire.payload_refs import PayloadKindName, ShardedKindName, ShardRef, Truncated

DEMOS_OF = {
    3: ["quickstart", "team", "capped", "hostile"],
    2: ["schema-2", "hostile-2"],
    1: ["schema-1"],
}
STORIES_OF_3 = ["quickstart", "team", "capped"]
UNRECORDED_EVENTS = {
    3: {"other"},
    2: {"other"},
    1: {"other", "inference_failed", "compaction_request_failed"},
}
"""Kinds of event that no demo has: codex never wrote `other`, and of schema 1 there is one story only."""


@pytest.mark.parametrize("schema", DEMOS_OF)
def test_the_demos_have_every_kind_of_event(schema: int) -> None:
    shown = {event.payload.name_of_type for demo in DEMOS_OF[schema] for event in decoded(demo)[0]}
    assert set(SCHEMAS[schema].events) - shown == UNRECORDED_EVENTS[schema]


@pytest.mark.parametrize("schema", DEMOS_OF)
def test_the_demos_have_every_kind_of_payload_that_codex_writes(schema: int) -> None:
    known = set(get_args(ShardedKindName if schema == 3 else PayloadKindName))
    shown = {one.kind.type for demo in DEMOS_OF[schema] for one in all_references(demo)}
    assert known - shown == {"terminal_runtime_event"}


def test_the_stories_of_schema_3_have_every_kind_of_event() -> None:
    shown = {event.payload.name_of_type for demo in STORIES_OF_3 for event in events(demo)}
    assert set(SCHEMAS[3].events) - shown == {"other"}


@pytest.mark.parametrize(
    "field",
    [
        "agent_message_payload",
        "tool_output_payload",
        "warmup_context_payload",
        "stripped_tool_output_ids",
        "partial_response_payload",
    ],
)
def test_the_stories_of_schema_3_use_every_field_that_may_be_absent(field: str) -> None:
    told = [plain(event)["payload"] for demo in STORIES_OF_3 for event in events(demo)]
    assert any(event.get(field) for event in told)


def sharded(demo: str) -> list[ShardRef]:
    return [one for one in all_references(demo) if isinstance(one, ShardRef)]


def test_in_team_items_are_shared_between_prompts_and_pictures_stand_apart() -> None:
    items = [one for one in sharded("team") if one.kind.type == "model_item"]
    uses = Counter(one.raw_payload_id for one in items)
    assert max(uses.values()) > 10
    assert {part.kind.type for one in items for part in one.parts} == {"content_value"}
    pictures = {one.shard for one in sharded("team") if one.kind.type == "content_value"}
    others = {one.shard for one in sharded("team") if one.kind.type != "content_value"}
    assert (pictures, others) == ({2}, {1, 3})


def test_in_capped_what_is_cut_once_is_missing_in_many_prompts() -> None:
    cut = [one for one in sharded("capped") if isinstance(one.capture, Truncated)]
    assert len(cut) > 2 * len({one.raw_payload_id for one in cut})


def test_the_stories_of_schema_3_have_every_status() -> None:
    found: dict[str, set[Any]] = {}
    for demo in STORIES_OF_3:
        state = graph(demo)
        found.setdefault("recording", set()).add(state["recording_status"])
        for call in state["tool_calls"].values():
            found.setdefault("tools", set()).add(call["execution"]["status"])
        for call in state["inference_calls"].values():
            found.setdefault("calls", set()).add(call["execution"]["status"])
    assert found["recording"] == {"complete", "closed_with_partial_payloads"}
    assert found["tools"] == {"completed", "failed", "aborted"}
    assert found["calls"] == {"completed", "failed", "cancelled"}
