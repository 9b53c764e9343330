from __future__ import annotations

from typing import Any

import pytest
from bundle_builder import compact, letter, message
from hypothesis import given
from hypothesis import strategies as st

from reducer.model import Body, ConversationItem
from reducer.rules.matching import Candidates, matches, usable
from reducer.rules.normalize import NormalItem, normalize_document
from reducer.schemas.v2 import SCHEMA_2
from reducer.wire.json_text import JsonDocument

Json = Any


def normal(item: Json, payload: str = "p") -> NormalItem:
    return normalize_document(JsonDocument(compact(item)), payload, SCHEMA_2)


def stored(item: Json, number: int = 1, payload: str = "p") -> ConversationItem:
    form = normal(item, payload)
    return ConversationItem(
        item_id=f"conversation_item:{number}",
        responses_item_id=form.responses_item_id,
        thread_id="t",
        codex_turn_id=None,
        first_seen_at_unix_ms=0,
        role=form.role,
        channel=form.channel,
        kind=form.kind,
        agent_message=form.agent_message,
        body=Body(form.parts),
        call_id=form.call_id,
        produced_by=[],
    )


def picture(url: str) -> Json:
    return {"type": "message", "role": "user", "content": [{"type": "input_image", "url": url}]}


def no_content() -> Json:
    return {"type": "message", "role": "user"}


def reasoning(**fields: Json) -> Json:
    return {"type": "reasoning", "summary": [], **fields}


def summary(text: str) -> list[Json]:
    return [{"type": "summary_text", "text": text}]


SAME = [
    (message("a"), message("a")),
    (message("a", id="x"), message("a", id="y")),
    (picture("u"), picture("u")),
    (reasoning(encrypted_content="e"), reasoning(encrypted_content="e", summary=summary("s"))),
    (letter("a", "x", "y"), letter("a", "x", "y")),
    (
        {"type": "function_call", "arguments": {"a": "x" * 300}},
        {"type": "function_call", "arguments": {"a": "x" * 301}},
    ),
]
DIFFERENT = [
    (message("a"), message("b")),
    (message("a"), message("a", "assistant")),
    (message("a", "assistant"), message("a", "assistant", phase="commentary")),
    (picture("u"), picture("v")),
    (picture("u"), no_content()),
    (reasoning(encrypted_content="e"), reasoning(encrypted_content="f")),
    (reasoning(summary=summary("s")), reasoning(summary=summary("s"), encrypted_content="e")),
    (letter("a", "x", "y"), letter("a", "x", "z")),
    (letter("a", "x", "y"), message("a", "assistant")),
    ({"type": "function_call", "call_id": "1"}, {"type": "function_call", "call_id": "2"}),
    (message("a"), {"type": "message", "role": "user", "content": []}),
]


@pytest.mark.parametrize(("left", "right"), SAME)
def test_the_same_content_matches_whatever_the_payload(left: Json, right: Json) -> None:
    assert matches(normal(left, "p"), stored(right, payload="q"))
    assert matches(normal(right, "p"), stored(left, payload="q"))


@pytest.mark.parametrize(("left", "right"), DIFFERENT)
def test_different_content_does_not_match(left: Json, right: Json) -> None:
    assert not matches(normal(left), stored(right))
    assert not matches(normal(right), stored(left))


def test_a_reference_without_hash_is_of_its_payload() -> None:
    assert matches(normal(no_content(), "p"), stored(no_content(), payload="p"))
    assert not matches(normal(no_content(), "p"), stored(no_content(), payload="q"))


@pytest.mark.parametrize(
    ("ours", "theirs", "fits"),
    [
        (None, None, True),
        ("x", None, True),
        (None, "x", True),
        ("x", "x", True),
        ("x", "y", False),
        ("", "x", False),
    ],
)
def test_ids_must_not_contradict(ours: str | None, theirs: str | None, fits: bool) -> None:
    assert usable(normal(message("a", id=ours)), stored(message("a", id=theirs))) is fits


POOL = st.sampled_from(
    [
        message("a"),
        message("b"),
        picture("u"),
        picture("v"),
        no_content(),
        reasoning(encrypted_content="e"),
        reasoning(encrypted_content="e", summary=summary("s")),
        reasoning(summary=summary("s")),
        {"type": "function_call", "call_id": "1", "arguments": "{}"},
    ]
)
ITEMS = st.tuples(POOL, st.sampled_from([None, "x", "y"]), st.sampled_from(["p", "q"]))


@pytest.mark.slow
@given(st.lists(ITEMS, max_size=12), st.lists(ITEMS, max_size=12))
def test_the_first_usable_item_is_found(base: list[Any], asked: list[Any]) -> None:
    """The index gives what a search through the whole list would."""
    known = [stored({**item, "id": id_}, number, payload) for number, (item, id_, payload) in enumerate(base)]
    by_id = {item.item_id: item for item in known}
    candidates, picked = Candidates([*by_id], by_id.__getitem__), set[str]()
    for item, id_, payload in asked:
        wanted = normal({**item, "id": id_}, payload)
        free = (one for one in known if one.item_id not in picked and usable(wanted, one))
        expected = next(free, None)
        assert candidates.first(wanted, picked) is expected
        if expected is not None:
            picked.add(expected.item_id)
