"""The prepared prompt of a call: what it holds, what is new in it, and how the request differs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from bundle_builder import message
from sharded_builder import ShardedBuilder

from reducer import Reduction, reduce_bundle
from reducer.wire.json_text import JsonDocument
from reducer.wire.payload_refs import PayloadRef
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.items.captures import is_cut, lost_words
from rollout_tui.insight.items.prompts import Prompt, calls_with_part, prompt_of
from rollout_tui.views.prompts import prompt_sections, prompt_text

BASE = "You are helpful."
PASSED = {"internal_chat_message_metadata_passthrough": {"turn_id": "t"}}


class Session(ShardedBuilder):
    """Calls whose prompts share items; each item is stored once."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.stored: dict[str, Any] = {}
        self.thread()
        self.turn()

    def call(self, number: int, history: list[Any], sent: list[Any], **body: Any) -> None:
        parts = [self._stored(item) for item in history]
        head = '{"tools":[{"type":"function","name":"shell"}],"output_schema":null,'
        head += '"base_instructions":{"text":"You are helpful.","provenance":{"type":"model"}},"input":['
        fragments = [head, *[","] * (len(parts) - 1), "]}"]
        prompt = self.payload(fragments, "prepared_prompt", parts=parts)
        request = {"input": sent, "tools": [{"type": "function", "name": "shell"}], "model": "m", **body}
        thread, turn = next(iter(self.turns.items()))
        self.event(
            "inference_started",
            thread,
            turn,
            inference_call_id=f"i{number}",
            thread_id=thread,
            codex_turn_id=turn,
            model="m",
            provider_name="p",
            request_payload=self.payload(request, "inference_request"),
            prepared_prompt_payload=prompt,
        )

    def _stored(self, item: Any) -> Any:
        key = repr(item)
        if key not in self.stored:
            self.stored[key] = self.payload(item, "model_item")
        return self.stored[key]


def reading(reduction: Reduction) -> Any:
    def read(ref: PayloadRef) -> Any:
        return JsonDocument(reduction.recording.read_payload(ref)).value

    return read


def prompt(reduction: Reduction, number: int) -> Prompt:
    calls = reduction.trace.inference_calls
    found = prompt_of(reduction.trace, calls[f"i{number}"], calls.get(f"i{number - 1}"), reading(reduction))
    assert found is not None
    return found


@pytest.fixture
def session(tmp_path: Path) -> Session:
    session = Session(tmp_path / "bundle")
    first = {**message("one", id="m1"), **PASSED}
    second = {**message("two", id="m2"), **PASSED}
    base = message(BASE, "developer")
    session.call(1, [first], [base, message("one", id="m1")])
    session.call(2, [first, second], [base, message("one", id="m1"), message("two!", id="m2")])
    return session


def test_items_say_what_is_new_and_what_was_sent(session: Session) -> None:
    reduction = reduce_bundle(session.write(), strict=True)
    items = prompt(reduction, 2).items
    assert [(item.kind, item.is_new, item.in_request) for item in items] == [
        ("user message", False, True),
        ("user message", True, False),
    ]
    assert items[0].raw_payload_id == prompt(reduction, 1).items[0].raw_payload_id


def test_what_only_one_of_prompt_and_request_has_is_said(session: Session) -> None:
    found = prompt(reduce_bundle(session.write(), strict=True), 2)
    assert (found.base_instructions, found.provenance) == (BASE, '{"type":"model"}')
    assert [name for name, _ in found.tools] == ["shell"]
    assert found.settings == {"output_schema": None}
    said = "\n".join(found.differences)
    assert "only in the request: model" in said
    assert "only in the prompt: base_instructions, output_schema" in said
    assert "only in the request: item 1, developer message" in said
    assert "which is the base instructions" in said
    assert "only in the request: item 3, user message" in said
    assert "only in the prompt: item 2, user message" in said
    assert "which is not sent; not compared" in said
    assert "tools" not in said


def test_a_request_that_continues_is_not_compared_item_by_item(session: Session) -> None:
    session.event(
        "inference_completed",
        *next(iter(session.turns.items())),
        inference_call_id="i2",
        response_id="r",
        response_payload=session.payload({"output_items": []}, "inference_response"),
    )
    session.call(3, [message("one")], [message("three")], previous_response_id="r")
    found = prompt(reduce_bundle(session.write(), strict=True), 3)
    assert found.continues == "r"
    assert "the request goes on from another response; its own item is the last one" in found.differences
    assert [item.in_request for item in found.items] == [None]


def test_an_item_has_many_users(session: Session) -> None:
    index = TraceIndex(reduce_bundle(session.write(), strict=True))
    shared, second = (ref["raw_payload_id"] for ref in session.stored.values())
    assert calls_with_part(index, shared) == ["i1", "i2"]
    assert calls_with_part(index, second) == ["i2"]
    assert calls_with_part(index, "raw_payload:999") == []


def test_every_heading_has_something_below_it(session: Session) -> None:
    sections = prompt_sections(prompt(reduce_bundle(session.write(), strict=True), 2))
    assert [heading.split(",")[0] for heading, _ in sections] == [
        "prompt against the request that was sent",
        "2 items",
        "1 tool",
        "settings",
        "base instructions",
    ]
    assert all(heading and text for heading, text in sections)


def test_one_item_that_was_cut_is_one(tmp_path: Path) -> None:
    session = Session(tmp_path / "bundle")
    cut = session.payload(b'"begin', "model_item")
    cut["capture"] = {"status": "truncated", "original_bytes": 99, "retained_bytes": 6}
    session.stored[repr("cut")] = cut
    session.call(1, ["cut", message("one")], [message("one")])
    found = prompt(reduce_bundle(session.write(), strict=True), 1)
    assert "1 item was cut by the recorder's limit; not compared" in found.differences


def test_a_part_that_went_and_came_back_is_carried_by_those_that_have_it(tmp_path: Path) -> None:
    session = Session(tmp_path / "bundle")
    one, two, three = message("one"), message("two"), message("three")
    for number, history in enumerate(([one, two], [one, three], [one, three, two], [two]), 1):
        session.call(number, history, history)
    index = TraceIndex(reduce_bundle(session.write(), strict=True))
    carried = [
        calls_with_part(index, session.stored[repr(item)]["raw_payload_id"]) for item in (one, two, three)
    ]
    assert carried == [["i1", "i2", "i3"], ["i1", "i3", "i4"], ["i2", "i3"]]


def test_the_text_has_all_of_it(session: Session) -> None:
    text = prompt_text(prompt(reduce_bundle(session.write(), strict=True), 2))
    for words in ("2 items, + 1 not in the prompt before", "1 tool", "output_schema", BASE, "not sent"):
        assert words in text


def test_what_a_limit_cut_is_said_and_not_taken_for_a_difference(shared_dir: Path) -> None:
    reduction = reduce_bundle(shared_dir / "bundles-v3/limit-payload-300/bundle")
    calls = sorted(reduction.trace.inference_calls.values(), key=lambda call: call.execution.started_seq)
    found = prompt_of(reduction.trace, calls[0], None, reading(reduction))
    assert found is not None
    cut = [item for item in found.items if item.lost]
    assert len(cut) == 2
    assert all(item.in_request is None for item in cut)
    assert any("cut by the recorder's limit; not compared" in said for said in found.differences)
    assert is_cut(reduction.provenance, calls[0])
    lost = reduction.trace.raw_payloads[cut[0].raw_payload_id or ""]
    assert (lost_words(lost) or "").startswith("cut by the recorder's limit: the first 300 of ")
