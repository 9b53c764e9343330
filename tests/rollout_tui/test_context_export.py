"""A context as Markdown and as JSON: all of it, and nothing of it as markup."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from places import REPOSITORY
from recorded import call_at

from rollout_tui.exports import context_text
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.items.sections import TextSection
from rollout_tui.insight.items.texts import item_text
from rollout_tui.safe_text import safe_block
from rollout_tui.session import Session
from rollout_tui.views.contexts.export import (
    RequestTexts,
    code_span,
    context_json,
    context_markdown,
    fenced,
    request_texts,
)

ODD = st.text(st.sampled_from("`~ab \n\t\r\x1b\u202e#<"), max_size=60)


def said_in(section: TextSection) -> str:
    """The text of a section as far as the graph has it."""
    return section.text or ""


def blocks_of(document: str) -> tuple[list[str], list[str]]:
    """The contents of the fenced blocks of a Markdown document, and the lines outside them (CommonMark)."""
    blocks, outside = [], []
    fence: str | None = None
    block: list[str] = []
    for line in document.split("\n"):
        if fence is None:
            opened = re.match(r"(`{3,})([^`]*)$", line)
            if opened:
                fence, block = opened[1], []
            else:
                outside.append(line)
        elif re.fullmatch(r" {0,3}(`{3,})[ \t]*", line) and len(line.strip()) >= len(fence):
            blocks.append("\n".join(block))
            fence = None
        else:
            block.append(line)
    assert fence is None, "a fence was never closed"
    return blocks, outside


@given(ODD)
def test_a_text_cannot_end_its_fence(text: str) -> None:
    blocks, outside = blocks_of("\n".join(fenced(text)))
    assert blocks == [safe_block(text).removesuffix("\n")]
    assert outside == []


@given(ODD)
def test_a_line_cannot_end_its_code_span(text: str) -> None:
    span = code_span(text)
    ticks = re.match("`+", span)
    assert ticks is not None
    inside = span[len(ticks[0]) : -len(ticks[0])]
    assert ticks[0] not in re.findall("`+", inside)
    assert "\n" not in span
    assert span.endswith(ticks[0])


def test_the_whole_context_is_in_the_document(team: TraceIndex) -> None:
    session = Session(REPOSITORY / "demo_traces/team")
    session.load(lambda done, total: None)
    call = call_at(team, "/root", 3)
    document = context_text(session, team, call)
    blocks, outside = blocks_of(document)
    for item in team.items([*call.request_item_ids, *call.response_item_ids]):
        for part in item.body.parts:
            if getattr(part, "text", None):
                assert safe_block(part.text).removesuffix("\n") in blocks  # type: ignore[union-attr]
    request = json.loads(session.payload(team.trace.raw_payloads[call.raw_request_payload_id]))
    assert request["tools"] in [json.loads(block) for block in blocks if block.startswith("[")]
    headings = [line for line in outside if line.startswith("#")]
    assert headings[:2] == ["# Context of call 3 of 20, `/root`", "## Tools"]
    assert f"## Received: {len(call.request_item_ids)} items" in headings
    assert sum(line.startswith("### ") for line in headings) == len(call.request_item_ids) + len(
        call.response_item_ids
    )


@pytest.mark.slow
def test_hostile_evidence_stays_text() -> None:
    session = Session(REPOSITORY / "demo_traces/hostile")
    timelines = session.load(lambda done, total: None)
    index = timelines.index
    calls = list(index.trace.inference_calls.values())
    assert calls
    for call in calls:
        document = context_text(session, index, call)
        _blocks, outside = blocks_of(document)
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", document)
        allowed = r"#{1,3} |- [a-z ]+: |`|\(empty\)|$"
        assert all(re.match(allowed, line) for line in outside), outside


def test_json_is_the_items_and_the_request_as_they_are(team: TraceIndex) -> None:
    call = call_at(team, "/root", 3)
    tools = b'[{"a": 1.50, "b\\u00e9": "\xc3\xa9"}]'
    data = context_json(team, call, RequestTexts("say\x1b[31m half \ud800", tools), said_in)
    document = json.loads(data)
    assert document["instructions"] == "say\x1b[31m half ?"
    assert document["tools"] == [{"a": 1.5, "bé": "é"}]
    assert b"1.50" in data
    assert b"\x1b" not in data
    assert [item["item_id"] for item in document["received"]] == call.request_item_ids
    assert [item["item_id"] for item in document["answered"]] == call.response_item_ids
    assert document["inference_call"]["inference_call_id"] == call.inference_call_id


def test_instructions_and_tools_are_found_wherever_a_request_has_them(team: TraceIndex) -> None:
    parts = request_texts(b'{"instructions": "Be\\n```brief", "tools": [{"name": "x"}], "input": []}')
    assert parts == RequestTexts("Be\n```brief", b'[{"name": "x"}]')
    blocks, outside = blocks_of(context_markdown(team, call_at(team, "/root", 1), parts, lambda _one: "said"))
    assert blocks[:2] == ["Be\n```brief", '[\n  {\n    "name": "x"\n  }\n]']
    assert "## Instructions" in outside
    inside = b'{"input": [{"type": "message"}, {"type": "additional_tools", "tools": [1, 2]}]}'
    assert request_texts(inside) == RequestTexts(None, b"[1, 2]")


@pytest.mark.parametrize("payload", [b"", b"[]", b"nothing", b'{"input": [', b'{"instructions": 3}'])
def test_a_request_that_says_nothing_has_no_parts(payload: bytes, team: TraceIndex) -> None:
    parts = request_texts(payload)
    assert parts == RequestTexts()
    call = call_at(team, "/root", 1)
    document = context_markdown(team, call, parts, said_in)
    assert "## Instructions" not in document
    assert json.loads(context_json(team, call, parts, said_in))["tools"] is None


def test_tools_that_are_no_json_do_not_spoil_the_document(team: TraceIndex) -> None:
    call = call_at(team, "/root", 1)
    parts = request_texts(b'{"tools": [NaN, "\xff"]}')
    assert json.loads(context_json(team, call, parts, said_in))["tools"] == '[NaN, "\\xff"]'
    assert '[NaN, "\\xff"]' in context_markdown(team, call, parts, said_in)


def test_the_text_of_an_item_has_every_readable_part(team: TraceIndex) -> None:
    said = [item_text(item) for item in team.trace.conversation_items.values()]
    assert any("\n" in text for text in said)
    assert all(isinstance(text, str) for text in said)
