"""Who saw an item, and what removed it."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from bundle_builder import ROOT, message
from hypothesis import given
from hypothesis import strategies as st
from places import REPOSITORY
from recorded import index_of, raw_requests, recorded, thread_at
from scenes import HOLE, started, with_holes
from sharded_builder import ShardedBuilder

from reducer import ObjectRef, reduce_bundle
from reducer.model import ConversationItem, ExecutionWindow, InferenceCall
from rollout_tui.insight.contexts.item_signs import same_text_key
from rollout_tui.insight.contexts.visibility import (
    Ending,
    Run,
    Sightings,
    Visibility,
    after_arrival,
    ending_of,
    visibility_of,
)
from rollout_tui.insight.index import ThreadContents, TraceIndex
from rollout_tui.insight.lookups import Lookups
from rollout_tui.views.detail.visibility_facts import visibility_facts

BUNDLES = (
    "long-200",
    "multi-agent-v2",
    "everything-ws",
    "compaction-remote",
    "compaction-local",
    "multi-turn",
)


def item_of(index: TraceIndex, number: int) -> ConversationItem:
    return index.trace.conversation_items[f"conversation_item:{number}"]


def seen(index: TraceIndex, number: int) -> Visibility:
    return visibility_of(Sightings(index), item_of(index, number))


def told(index: TraceIndex, number: int) -> list[str]:
    return [f"{fact.name}: {fact.value}" for fact in visibility_facts(index, seen(index, number))]


# Sightings


def a_call(number: int, item_ids: list[str]) -> InferenceCall:
    return InferenceCall(
        inference_call_id=f"call {number}",
        thread_id="thread",
        codex_turn_id="turn",
        execution=ExecutionWindow(number, number, number, number, "completed"),
        model="model",
        provider_name="provider",
        response_id=None,
        upstream_request_id=None,
        request_item_ids=item_ids,
        response_item_ids=[],
        tool_call_ids_started_by_response=[],
        usage=None,
        raw_request_payload_id="raw_payload:1",
        raw_response_payload_id=None,
    )


def sightings_of(requests: list[list[str]]) -> Sightings:
    """The sightings of one agent whose calls had these requests."""
    calls = [a_call(number, ids) for number, ids in enumerate(requests)]
    lookups = Lookups()
    for place, ids in enumerate(requests):
        lookups.see("thread", place, ids)
    items = {item_id: SimpleNamespace(thread_id="thread") for ids in requests for item_id in ids}
    index: Any = SimpleNamespace(
        contents={"thread": ThreadContents(calls=calls)},
        trace=SimpleNamespace(conversation_items=items),
        lookups=lookups,
        place_of_call=calls.index,
    )
    return Sightings(index)


def test_what_a_compaction_did_not_hold_is_left_out_after_it() -> None:
    requests = [["a"], ["b"]]
    sightings = sightings_of(requests)
    (run,) = by_counting(requests, "a")
    item: Any = SimpleNamespace(item_id="a", thread_id="thread")
    compaction = SimpleNamespace(compaction_id="c", input_item_ids=["other"])
    index: Any = sightings.index
    index.installs_of = lambda _thread_id: [(0, compaction)]
    ending = ending_of(sightings, item, run)
    assert ending.words == "left out of call 2, the first after a compaction that did not hold it"
    assert (ending.ref, ending.removed, ending.is_judged) == (
        ObjectRef("InferenceCall", "call 1"),
        True,
        False,
    )


@pytest.fixture
def b(tmp_path: Path) -> ShardedBuilder:
    builder = ShardedBuilder(tmp_path / "bundle")
    builder.thread()
    builder.turn()
    return builder


def ending(b: ShardedBuilder) -> Ending:
    """What ended the first calls in a row that saw the first item of a bundle."""
    index = TraceIndex(reduce_bundle(b.write()))
    sightings, item = Sightings(index), item_of(index, 1)
    return ending_of(sightings, item, sightings.runs(item.item_id)[0])


def test_a_compaction_after_which_no_call_came_removes_all_the_same(b: ShardedBuilder) -> None:
    b.request("i1", [message("a")])
    seq = b.installed("k", [message("a")], [message("b")])
    words = f"compaction at seq {seq}; no call came after it"
    assert ending(b) == Ending(words, ObjectRef("Compaction", "k"), removed=True)
    b.request("i2", [message("b")])
    assert ending(b).words == f"compaction at seq {seq}"


def test_a_compaction_after_the_next_call_has_removed_nothing_before(b: ShardedBuilder) -> None:
    b.request("i1", [message("a"), message("b")])
    b.request("i2", [message("b")])
    b.installed("k", [message("a"), message("b")], [message("c")])
    words = "history edited before call 2, told from the requests"
    assert ending(b) == Ending(words, ObjectRef("InferenceCall", "i2"), removed=True, is_judged=True)


@pytest.mark.parametrize(("items", "how"), [([message("b")], "edited"), ([], "cut back")])
def test_how_a_history_was_rewritten(b: ShardedBuilder, items: list[Any], how: str) -> None:
    b.request("i0", [message("kept"), message("a"), message("b")])
    b.request("i1", [message("kept"), *items])
    index = TraceIndex(reduce_bundle(b.write()))
    (stay,) = visibility_of(Sightings(index), item_of(index, 2)).stays
    assert stay.ending.words == f"history {how} before call 2, told from the requests"


def test_what_a_limit_cut_away_is_not_known_to_be_gone(b: ShardedBuilder) -> None:
    b.request("i1", [message("a")])
    started(b, "i2", with_holes(b, {"input": [HOLE]}))
    words = "not known at call 2: the recorder's limit cut what it saw"
    assert ending(b) == Ending(words, ObjectRef("InferenceCall", "i2"), removed=False, is_judged=True)


def test_what_is_seen_to_the_end_says_how_its_agent_stands(b: ShardedBuilder) -> None:
    b.request("i1", [message("a")])
    assert ending(b) == Ending("still visible at the last call")
    b.event("recording_completed")
    assert ending(b) == Ending("still visible at the last call; the recording ends there")
    b.lines.pop()
    seq = b.event("thread_ended", thread_id=ROOT, status="completed")
    assert ending(b) == Ending(f"still visible at the last call; the agent ended at seq {seq}")


def by_counting(requests: list[list[str]], item_id: str) -> list[Run]:
    """The runs of an item, found by looking into every request."""
    runs: list[Run] = []
    for place, ids in enumerate(requests):
        if item_id in ids:
            grows = bool(runs) and runs[-1].last == place - 1
            runs[-1:] = [Run(runs[-1].first, place)] if grows else [*runs[-1:], Run(place, place)]
    return runs


ids = st.sampled_from([f"item {number}" for number in range(6)])


@given(st.lists(st.lists(ids, max_size=6), max_size=8))
def test_runs_are_what_looking_into_every_request_finds(requests: list[list[str]]) -> None:
    sightings = sightings_of(requests)
    for item_id in {item_id for request in requests for item_id in request}:
        assert sightings.runs(item_id) == by_counting(requests, item_id)
        assert sightings.count(item_id) == sum(item_id in request for request in requests)
    assert sightings.runs("nobody saw it") == []


@given(st.lists(st.lists(ids, max_size=6), min_size=1, max_size=8))
def test_each_item_is_first_seen_by_one_call(requests: list[list[str]]) -> None:
    sightings = sightings_of(requests)
    calls = sightings.index.contents["thread"].calls
    first = [item_id for call in calls for item_id in sightings.first_seen_by(call)]
    assert sorted(first) == sorted({item_id for request in requests for item_id in request})


@pytest.mark.slow
def test_a_history_that_only_grows_takes_one_run_an_item() -> None:
    length = 2000
    history = [f"item {number}" for number in range(2 * length)]
    sightings = sightings_of([history[: 2 * number] for number in range(1, length + 1)])
    for number in (0, 1, length, 2 * length - 1):
        assert sightings.runs(f"item {number}") == [Run(number // 2, length - 1)]


@pytest.mark.parametrize("name", BUNDLES)
def test_sightings_agree_with_all_requests_of_a_bundle(shared_dir: Path, name: str) -> None:
    index = recorded(shared_dir, name)
    sightings = Sightings(index)
    counted: dict[str, int] = {}
    for call in index.trace.inference_calls.values():
        for item_id in set(call.request_item_ids):
            counted[item_id] = counted.get(item_id, 0) + 1
    for item_id in index.trace.conversation_items:
        assert sightings.count(item_id) == counted.get(item_id, 0)


# Visibility


def test_an_item_is_seen_by_the_requests_that_hold_its_text(shared_dir: Path) -> None:
    bundle = shared_dir / "bundles/multi-agent-v2/bundle"
    index = recorded(shared_dir, "multi-agent-v2")
    root = index.trace.root_thread_id
    for number, text in (
        (48, "ALPHA RESULT: looked around."),
        (54, "BETA RESULT"),
        (67, "ALPHA SECOND RESULT"),
    ):
        holding = [seq for seq, thread_id, sent in raw_requests(bundle) if thread_id == root and text in sent]
        stay = seen(index, number).stays[0]
        assert (stay.first.execution.started_seq, stay.last.execution.started_seq) == (
            holding[0],
            holding[-1],
        )
        assert stay.calls == len(holding)


def test_a_compaction_removes_items_and_puts_some_back(shared_dir: Path) -> None:
    # Raw: the checkpoint of seq 151 (payload 97) takes `do everything` over with its id, and so do those of
    # 180, 284 and 291. builder, spawned with the history, got it in payload 37.
    assert told(recorded(shared_dir, "everything-ws"), 6) == [
        "seen by: calls 1 to 7 of /root, 7 calls, seq 13 to 142",
        "  removed by: compaction at seq 151",
        "seen by: calls 8 to 9 of /root, 2 calls, seq 153 to 166",
        "  as: another item with the same Responses id",
        "  removed by: compaction at seq 180",
        "seen by: calls 10 to 17 of /root, 8 calls, seq 181 to 275",
        "  as: another item with the same Responses id",
        "  removed by: compaction at seq 284",
        "seen by: call 18 of /root, seq 293",
        "  as: another item with the same Responses id",
        "  then: still visible at the last call; the agent ended at seq 302",
        "seen by: calls 1 to 2 of /root/builder, 2 calls, seq 69 to 120",
        "  as: another item with the same Responses id",
        "  then: still visible at the last call; the agent ended at seq 300",
    ]
    bundle = shared_dir / "bundles/everything-ws/bundle"
    identity = item_of(recorded(shared_dir, "everything-ws"), 6).responses_item_id
    for path in (97, 118, 188, 193):
        checkpoint = json.loads((bundle / f"payloads/{path}.json").read_bytes())
        assert identity in [one.get("id") for one in checkpoint["replacement_history"]]
    inherited = json.loads((bundle / "payloads/37.json").read_bytes())
    assert identity in [one.get("id") for one in inherited["input"]]


def test_instructions_put_back_under_a_new_id_are_a_judgement(shared_dir: Path) -> None:
    stays = seen(recorded(shared_dir, "everything-ws"), 1).stays
    assert [(stay.likeness, stay.calls) for stay in stays] == [
        ("this item", 7),
        ("same text", 2),
        ("same text", 8),
        ("same text", 1),
        ("same id", 2),
    ]


def test_the_same_chain_is_found_from_its_middle(shared_dir: Path) -> None:
    index = recorded(shared_dir, "everything-ws")
    chain = {
        stay.item.item_id
        for stay in seen(index, 1).stays
        if stay.item.thread_id == item_of(index, 1).thread_id
    }
    for item_id in chain:
        stays = visibility_of(Sightings(index), index.trace.conversation_items[item_id]).stays
        assert {
            stay.item.item_id for stay in stays if stay.item.thread_id == item_of(index, 1).thread_id
        } == chain


def test_saying_the_same_twice_is_no_putting_back(shared_dir: Path) -> None:
    index = TraceIndex(reduce_bundle(shared_dir / "bundles/multi-turn/bundle"))
    said = [
        one for one in index.trace.conversation_items.values() if one.role == "user" and one.kind == "message"
    ]
    first, second = said[-2:]
    assert Sightings(index).first_call(first) is not Sightings(index).first_call(second)
    second.body = first.body
    assert same_text_key(first) == same_text_key(second)
    for one in (first, second):
        assert {stay.likeness for stay in visibility_of(Sightings(index), one).stays} == {"this item"}


def test_a_rewritten_history_is_told_from_the_requests(shared_dir: Path) -> None:
    index = recorded(shared_dir, "compaction-local")
    calls = index.contents[index.trace.root_thread_id].calls
    gone = [one for one in calls[2].request_item_ids if one not in calls[3].request_item_ids]
    assert gone
    for item_id in gone:
        visibility = visibility_of(Sightings(index), index.trace.conversation_items[item_id])
        ending = next(stay.ending for stay in visibility.stays if stay.likeness == "this item")
        assert ending.words == "history compacted before call 4, told from the requests"
        assert (ending.removed, ending.is_judged) == (True, True)
        assert ending.ref == ObjectRef("InferenceCall", calls[3].inference_call_id)


def test_a_recorded_compaction_is_no_judgement(shared_dir: Path) -> None:
    index = recorded(shared_dir, "compaction-remote")
    sightings = Sightings(index)
    for compaction in index.trace.compactions.values():
        ref = ObjectRef("Compaction", compaction.compaction_id)
        endings = [
            stay.ending
            for item in index.items(compaction.input_item_ids)
            for stay in visibility_of(sightings, item).stays
            if stay.item is item
        ]
        assert ref in [ending.ref for ending in endings]
        assert not any(ending.is_judged for ending in endings)


def test_an_answer_that_no_call_saw(shared_dir: Path) -> None:
    lines = told(recorded(shared_dir, "multi-agent-v2"), 99)
    assert lines == [
        "seen by: no call: call 17 answered with it; no later call came; the agent ended at seq 259"
    ]


def test_a_result_is_seen_by_the_parent_as_the_item_that_delivered_it(shared_dir: Path) -> None:
    index = recorded(shared_dir, "multi-agent-v2")
    assert told(index, 47) == [
        "seen by: calls 5 to 7 of /root/alpha, 3 calls, seq 132 to 150",
        "  then: still visible at the last call; the agent ended at seq 257",
        "seen by: calls 5 to 17 of /root, 13 calls, seq 94 to 251",
        "  as: the item that delivered it",
        "  then: still visible at the last call; the agent ended at seq 259",
    ]
    assert [stay.likeness for stay in seen(index, 48).stays] == ["this item", "delivered from"]


def test_why_nothing_arrived_after_an_end_or_a_call(shared_dir: Path) -> None:
    index = recorded(shared_dir, "multi-agent-v2")
    alpha = thread_at(index, "/root/alpha").thread_id
    assert after_arrival(index, alpha, 140) == "/root/alpha made 2 more calls, without it"
    assert after_arrival(index, alpha, 150) == "/root/alpha made no call after that and ended (seq 257)"
    assert after_arrival(index, alpha, 258) == "/root/alpha had ended before (seq 257)"
    assert after_arrival(index, "nobody", 1) == "the agent nobody is not in this bundle"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["hostile", "team", "quickstart", "capped", "schema-2"])
def test_every_item_of_the_demos_has_a_visibility(name: str) -> None:
    index = index_of(REPOSITORY / "demo_traces" / name)
    sightings = Sightings(index)
    for item in index.trace.conversation_items.values():
        visibility = visibility_of(sightings, item)
        own = [stay for stay in visibility.stays if stay.item is item]
        assert (visibility.unseen is None) == bool(own)
        assert sum(stay.calls for stay in own) == sightings.count(item.item_id)
        assert all(fact.value for fact in visibility_facts(index, visibility))
