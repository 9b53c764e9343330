"""The context of a call against that of another one, and what both begin with."""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from places import REPOSITORY
from recorded import call_at, index_of, recorded

from reducer.certainty import Certainties
from reducer.model import Body, ConversationItem, ExecutionWindow, InferenceCall, TextPart, Usage
from rollout_tui.insight.contexts.delta import ContextDelta, context_delta
from rollout_tui.insight.contexts.item_sizes import ItemSize, item_size
from rollout_tui.insight.contexts.prefix import estimate_tokens, prefix_break, shares
from rollout_tui.insight.index import TraceIndex
from rollout_tui.lines.rows import lay_out
from rollout_tui.lines.spans import spans_text
from rollout_tui.views.contexts.delta_rows import DeltaRows, delta_header
from rollout_tui.views.contexts.prefix_words import prefix_facts, share_facts

GRAPHS = ("everything-ws", "compaction-remote", "compaction-local", "long-200", "multi-turn", "demo:team")


def index_named(shared: Path, name: str) -> TraceIndex:
    if name.startswith("demo:"):
        return index_of(REPOSITORY / "demo_traces" / name.removeprefix("demo:"))
    return recorded(shared, name)


def marked(delta: ContextDelta) -> list[str]:
    """Mark and number of each item, in order; `|` where the contexts begin to differ."""
    signs = {"new": "+", "kept": "=", "dropped": "-", "restored": "»"}
    lines = []
    for line in delta.seen:
        if line.kind == "break":
            lines.append("|")
        elif line.mark is not None and line.ref is not None:
            lines.append(signs[line.mark] + line.ref.id.removeprefix("conversation_item:"))
    return lines


def rows(index: TraceIndex, delta: ContextDelta) -> list[str]:
    words = DeltaRows(index, delta)
    return [spans_text(lay_out(words.row(line), 60)).rstrip() for line in delta.seen]


# Recorded contexts


def test_a_call_that_goes_on(team: TraceIndex) -> None:
    delta = context_delta(team, call_at(team, "/root", 5))
    assert delta.base is call_at(team, "/root", 4)
    assert delta.counts == Counter(kept=16, new=2)
    assert delta_header(team, delta) == "against call 4:  +2 new  =16 kept"
    assert [line.kind for line in delta.seen].count("break") == 0
    assert marked(delta)[-2:] == ["+44", "+45"]
    assert delta.seen[delta.first_change].ref == delta.seen[-4].ref


def test_the_first_call_has_everything_new(team: TraceIndex) -> None:
    delta = context_delta(team, call_at(team, "/root/reader", 1))
    assert (delta.base, delta.prefix, delta.counts) == (None, None, Counter(new=4))
    assert delta_header(team, delta) == "the first call of this agent: everything is new"


def test_a_recorded_compaction(shared_dir: Path) -> None:
    # Raw: the request of call 4 (payload 23) has six items. The ids of the first, second and fifth are in
    # that of call 3 (payload 14), too; the third and fourth have new ids, and texts of its second and third.
    index = recorded(shared_dir, "compaction-remote")
    delta = context_delta(index, call_at(index, "/root", 4))
    lines = [line for line in delta.seen if line.mark not in (None, "dropped")]
    assert [(line.mark, line.basis, line.is_judged) for line in lines] == [
        ("kept", "same id", False),
        ("kept", "same id", False),
        ("restored", "same text, new id", True),
        ("restored", "same text, new id", True),
        ("kept", "same id", False),
        ("new", None, False),
    ]
    dropped = [line.ref.id for line in delta.seen if line.mark == "dropped" and line.ref is not None]
    assert [item.kind for item in index.items(dropped)] == [
        *("reasoning", "function_call", "function_call_output", "message"),
        *("reasoning", "function_call"),
    ]
    words = DeltaRows(index, delta)
    assert words.why(lines[1]) == "kept: another item with the same Responses id"
    new_id = "put back: another item with the same text under a new Responses id: a judgement"
    assert words.why(lines[2]) == new_id


def test_a_local_compaction_shows_what_was_dropped_in_its_place(shared_dir: Path) -> None:
    index = recorded(shared_dir, "compaction-local")
    delta = context_delta(index, call_at(index, "/root", 4))
    assert rows(index, delta)[2:14] == [
        "= developer You are Codex, a coding agent based on GPT-5. Y…",
        "── history compacted, inferred: the contexts differ after 1…",
        "= user      user turn 1: keep going",
        "- reasoning **Step 1**  (encrypted, 648 B)",
        "- call      command seq 1 31",
        "- output    exit 0 · 21 tok · 1",
        "- assistant Answer 1.",
        "» developer <skills_instructions>  <permis… put back, judged",
        "» user      <environment_context>           put back, judged",
        "= user      user turn 2: keep going",
        "- reasoning **Step 2**  (encrypted, 648 B)",
        "- call      command seq 2 32",
    ]
    assert delta.counts == Counter(kept=3, dropped=6, restored=2, new=1)


def test_what_was_dropped_is_not_in_the_raw_request(shared_dir: Path) -> None:
    bundle = shared_dir / "bundles/compaction-local/bundle"
    index = recorded(shared_dir, "compaction-local")
    call = call_at(index, "/root", 4)
    request = json.loads((bundle / index.trace.raw_payloads[call.raw_request_payload_id].path).read_bytes())
    ids = [one.get("id") for one in request["input"]]
    delta = context_delta(index, call)
    for line in delta.seen:
        if line.mark is None or line.ref is None:
            continue
        identity = index.trace.conversation_items[line.ref.id].responses_item_id
        assert (identity in ids) == (line.mark != "dropped")


def test_a_delta_over_several_compactions(shared_dir: Path) -> None:
    index = recorded(shared_dir, "everything-ws")
    first, last = call_at(index, "/root", 1), call_at(index, "/root", 18)
    delta = context_delta(index, last, first)
    kept = [line for line in delta.seen if line.mark == "kept"]
    asked = index.trace.conversation_items["conversation_item:6"].responses_item_id
    by_id = [line.ref.id for line in kept if line.basis == "same id" and line.ref is not None]
    assert [index.trace.conversation_items[one].responses_item_id for one in by_id] == [asked]


def test_a_later_call_may_be_the_base(shared_dir: Path) -> None:
    index = recorded(shared_dir, "multi-turn")
    calls = index.contents[index.trace.root_thread_id].calls
    delta = context_delta(index, calls[0], calls[1])
    assert delta.counts["new"] == 0
    assert delta.counts["dropped"] >= len(calls[1].request_item_ids) - len(calls[0].request_item_ids)


@pytest.mark.slow
@pytest.mark.parametrize("name", GRAPHS)
def test_marks_against_the_call_before_are_those_of_the_context(shared_dir: Path, name: str) -> None:
    index = index_named(shared_dir, name)
    for contents in index.contents.values():
        for base, call in pairwise(contents.calls):
            delta = context_delta(index, call)
            known = {*base.request_item_ids, *base.response_item_ids}
            for line in delta.seen:
                if line.mark is not None and line.mark != "dropped":
                    assert line.ref is not None
                    if line.ref.id in known:
                        assert (line.mark, line.basis) == ("kept", "same item")
                    else:
                        assert line.basis != "same item"


# Any contexts


def an_item(number: int, text: str, identity: str | None) -> ConversationItem:
    return ConversationItem(
        item_id=f"conversation_item:{number}",
        responses_item_id=identity,
        thread_id="thread",
        codex_turn_id="turn",
        first_seen_at_unix_ms=number,
        role="user" if number % 2 else "assistant",
        channel=None,
        kind="message",
        body=Body([TextPart(text)]),
        call_id=None,
        produced_by=[],
    )


def a_call(name: str, request: list[str], response: list[str]) -> InferenceCall:
    return InferenceCall(
        inference_call_id=name,
        thread_id="thread",
        codex_turn_id="turn",
        execution=ExecutionWindow(1, 1, 2, 2, "completed"),
        model="model",
        provider_name="provider",
        response_id=None,
        upstream_request_id=None,
        request_item_ids=request,
        response_item_ids=response,
        tool_call_ids_started_by_response=[],
        usage=None,
        raw_request_payload_id="raw_payload:1",
        raw_response_payload_id=None,
    )


def an_index(items: list[ConversationItem], calls: list[InferenceCall]) -> Any:
    by_id = {item.item_id: item for item in items}
    return SimpleNamespace(
        trace=SimpleNamespace(conversation_items=by_id, compactions={}),
        items=lambda ids: [by_id[one] for one in ids],
        place_of_call=calls.index,
        previous_call=lambda call: calls[calls.index(call) - 1] if calls.index(call) else None,
        tool_of_item=lambda _item: None,
        size_of=lambda item_id: item_size(by_id[item_id]),
        compactions_of=lambda _thread_id: [],
    )


POOL = [
    an_item(number, f"text {number % 5}", None if number % 3 == 0 else f"msg_{number % 7}")
    for number in range(16)
]
lists_of_items = st.lists(st.sampled_from([item.item_id for item in POOL]), max_size=10)


@given(lists_of_items, lists_of_items, lists_of_items)
def test_every_item_of_both_contexts_is_accounted_for_once(
    before: list[str], answer: list[str], now: list[str]
) -> None:
    calls = [a_call("before", before, answer), a_call("now", now, [])]
    delta = context_delta(an_index(POOL, calls), calls[1])
    items = [line for line in delta.seen if line.mark is not None]
    shown = [line.ref.id for line in items if line.mark != "dropped" and line.ref is not None]
    dropped = [line.ref.id for line in items if line.mark == "dropped" and line.ref is not None]
    assert shown == now
    stays = sum(line.mark in ("kept", "restored") for line in items)
    assert stays + len(dropped) == len(before) + len(answer)
    everything = Counter([*before, *answer])
    assert Counter(dropped) <= everything
    assert Counter(line.ref.id for line in items if line.basis == "same item" and line.ref) <= everything
    assert [line.place for line in delta.seen] == list(range(len(delta.seen)))
    assert [line.kind for line in delta.seen].count("break") == (
        delta.prefix is not None and not delta.prefix.continues
    )


@given(lists_of_items, lists_of_items)
def test_dropped_items_keep_their_order_and_stand_behind_what_stood_before_them(
    before: list[str], now: list[str]
) -> None:
    before, now = list(dict.fromkeys(before)), [one for one in before if one in set(now)]
    now = list(dict.fromkeys(now))
    pool = [msgspec.structs.replace(one, body=Body([TextPart(one.item_id)])) for one in POOL]
    pool = [msgspec.structs.replace(one, responses_item_id=one.item_id) for one in pool]
    calls = [a_call("before", before, []), a_call("now", now, [])]
    delta = context_delta(an_index(pool, calls), calls[1])
    assert [line.ref.id for line in delta.seen if line.mark is not None and line.ref] == before


@given(lists_of_items, lists_of_items)
def test_the_prefix_is_as_long_as_both_say_the_same(before: list[str], now: list[str]) -> None:
    calls = [a_call("before", before, []), a_call("now", now, [])]
    prefix = prefix_break(an_index(POOL, calls), calls[0], calls[1])
    texts = {item.item_id: (item.role, item.body) for item in POOL}
    assert [texts[one] for one in before[: prefix.shared]] == [texts[one] for one in now[: prefix.shared]]
    assert before[: prefix.items] == now[: prefix.items]
    assert prefix.continues == (prefix.lost is None)
    if prefix.shared < min(len(before), len(now)):
        assert texts[before[prefix.shared]] != texts[now[prefix.shared]]


@pytest.mark.slow
def test_a_long_context_is_compared_in_no_time() -> None:
    items = [an_item(number, f"text {number}", None) for number in range(60_000)]
    ids = [item.item_id for item in items]
    calls = [a_call("before", ids[:30_000], []), a_call("now", ids[30_000:], [])]
    delta = context_delta(an_index(items, calls), calls[1])
    assert delta.counts == Counter(new=30_000, dropped=30_000)


def test_the_header_says_at_which_item_the_prefix_breaks() -> None:
    items = [an_item(number, f"text {number}", None) for number in range(9)]
    ids = [item.item_id for item in items]
    calls = [a_call("before", ids[:4], []), a_call("now", [*ids[:2], ids[8]], [])]
    index = an_index(items, calls)
    index.reduction = SimpleNamespace(
        provenance=SimpleNamespace(of=lambda *_ref: []), certainty=Certainties()
    )
    delta = context_delta(index, calls[1])
    assert delta.prefix is not None
    assert delta.prefix.shared == 2
    assert "the prefix breaks at item 3" in delta_header(index, delta)


# What was cached


def test_a_prefix_that_goes_on_beside_the_cached_tokens(team: TraceIndex) -> None:
    base, call = call_at(team, "/root", 4), call_at(team, "/root", 5)
    prefix = prefix_break(team, base, call)
    assert (prefix.items, prefix.shared, prefix.of, prefix.continues) == (16, 16, 15, True)
    facts = prefix_facts(team, prefix)
    assert [(fact.name, fact.value) for fact in facts[:3]] == [
        ("prefix", "all 15 items of call 4 and 1 of its answer, est. 996 tok"),
        ("call 4", "exact: 2,432 of 3,270 input tokens cached (74%)"),
        ("call 5", "exact: 3,200 of 3,641 input tokens cached (87%)"),
    ]
    assert "instructions and tools stand before the items" in facts[3].value
    assert facts[3].style == "muted"


def test_a_prefix_that_a_compaction_breaks(team: TraceIndex) -> None:
    base, call = call_at(team, "/root", 14), call_at(team, "/root", 15)
    prefix = prefix_break(team, base, call)
    assert (prefix.items, prefix.shared, prefix.of, prefix.continues) == (0, 1, 45, False)
    facts = {fact.name: fact for fact in prefix_facts(team, prefix)}
    assert facts["prefix"].value == "breaks at item 2, after 1 of 45 items of call 14, est. 135 tok"
    assert facts["  was there"].value.startswith("developer  <permissions instructions>")
    assert facts["  is there"].value.startswith("user  <image name=[Image #1]>")
    assert facts["  is there"].link is not None
    assert facts["call 15"].value == "exact: 896 of 1,918 input tokens cached (46%)"
    assert facts["  judged"].value == "from item 1 on they are other items that say the same"


def with_usage(call: InferenceCall, tokens: int, cached: int, model: str = "model") -> InferenceCall:
    usage = Usage(tokens, cached, 0, 10, 0)
    return msgspec.structs.replace(call, usage=usage, model=model)


def test_a_cache_that_falls_short_though_the_items_go_on() -> None:
    ids = [item.item_id for item in POOL[:3]]
    base, call = a_call("before", ids, []), a_call("now", [*ids, POOL[4].item_id], [])

    def last_fact(base: InferenceCall, call: InferenceCall) -> tuple[str, str]:
        fact = prefix_facts(an_index(POOL, [base, call]), prefix_break(an_index(POOL, []), base, call))[-1]
        return fact.value.split(":")[0], fact.style

    same = "whether instructions and tools are the same", "muted"
    short = "why so little was cached", "warn"
    assert last_fact(base, call) == same
    assert last_fact(with_usage(base, 4000, 2048), with_usage(call, 4100, 3968)) == same
    assert last_fact(with_usage(base, 4000, 2048), with_usage(call, 4100, 1024)) == short
    assert last_fact(with_usage(base, 4000, 0), with_usage(call, 4100, 0)) == short
    assert last_fact(with_usage(base, 400, 0), with_usage(call, 500, 0)) == same
    switched = prefix_facts(
        an_index(POOL, [with_usage(base, 9, 0), with_usage(call, 9, 0, "other")]),
        prefix_break(an_index(POOL, []), with_usage(base, 9, 0), with_usage(call, 9, 0, "other")),
    )
    assert "model, then other" in [fact.value for fact in switched]


# Shares


def test_an_estimate_is_of_what_can_be_counted() -> None:
    assert estimate_tokens(ItemSize(1, characters=9)) == 3
    assert estimate_tokens(ItemSize(1, encrypted=648)) == 0
    assert estimate_tokens(ItemSize(1, encrypted=4000)) == (3000 - 650 + 3) // 4
    assert estimate_tokens(ItemSize(1, characters=8, encrypted=4000, unread=2)) == 2 + 588


@pytest.mark.parametrize("name", GRAPHS)
def test_shares_add_up(shared_dir: Path, name: str) -> None:
    index = index_named(shared_dir, name)
    for call in list(index.trace.inference_calls.values())[-5:]:
        parts = shares(index, call)
        assert [part.item_id for part in parts] == call.request_item_ids
        total = sum(part.percent for part in parts)
        assert total == pytest.approx(100) or all(part.tokens == 0 for part in parts)


def test_the_largest_items_come_first_and_the_exact_totals_stand_apart(team: TraceIndex) -> None:
    facts = share_facts(team, call_at(team, "/root", 5))
    assert [fact.name for fact in facts[:3]] == ["exact tokens", "items", "the rest"]
    assert facts[0].value == "3,641 in, of them 3,200 cached"
    assert facts[1].value == "est. 1,137 tok, >4,522 chars, 654 B encrypted, 1 part not text"
    shown = [float(fact.name.removesuffix("%")) for fact in facts[3:]]
    assert shown == sorted(shown, reverse=True)
    assert all("est. " in fact.value for fact in facts[3:])


@pytest.mark.slow
def test_rows_of_a_hostile_context_are_safe() -> None:
    index = index_of(REPOSITORY / "demo_traces/hostile")
    for call in index.trace.inference_calls.values():
        delta = context_delta(index, call)
        words = DeltaRows(index, delta)
        for line in delta.seen:
            assert spans_text(words.row(line).spans).isprintable()
            assert (words.why(line) is None) == (line.mark is None and line.kind != "break")
        assert delta_header(index, delta).isprintable()
