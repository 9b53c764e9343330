"""Without `--content` nothing that a recording says is told but names."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from documents import DEMOS, all_told, leaves, told
from hypothesis import given
from hypothesis import strategies as st

from reducer import UnreadablePayload, open_bundle, reduce_bundle
from rollout_tui.insight.agents.table import Outcome
from rollout_tui.insight.agents.waits import Kind as WaitEnd
from rollout_tui.insight.cells.steps import StepKind
from rollout_tui.insight.compaction.steps import Outcome as CompactionOutcome
from rollout_tui.insight.compaction.verdicts import Basis, Verdict
from rollout_tui.insight.failures.definition import Manner
from rollout_tui.insight.timing.lanes import Kind
from rollout_tui.insight.tokens.contexts import Cause
from rollout_tui.insight.tokens.filling import GroupKind
from rollout_tui.showing.content import MOST_OF_A_NAME, NAMES, OWN_SENTENCES, OWN_WORDS, without_content

STAND_IN = {"chars", "sha256", "place"}


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)


def evidence(bundle: Path) -> set[str]:
    """Every line of every text that a bundle has, if it is more than an identifier."""
    texts = list(strings(json.loads((bundle / "manifest.json").read_bytes())))
    for line in (bundle / "trace.jsonl").read_bytes().splitlines():
        try:
            texts += strings(json.loads(line))
        except ValueError:
            texts.append(line.decode("utf-8", "replace"))
    opened = open_bundle(bundle)
    for ref in reduce_bundle(bundle).trace.raw_payloads.values():
        try:
            data = opened.read_payload(ref)
            texts += strings(json.loads(data))
        except UnreadablePayload:
            continue
        except (ValueError, RecursionError):
            texts.append(data.decode("utf-8", "replace"))
    lines = {line.strip() for text in texts for line in text.splitlines()}
    return {line for line in lines if len(line) > MOST_OF_A_NAME or (" " in line and len(line) > 5)}


@pytest.mark.slow
@pytest.mark.parametrize("demo", DEMOS, ids=lambda path: path.name)
def test_no_text_of_the_recording_comes_out(demo: Path) -> None:
    known = evidence(demo) - OWN_WORDS
    assert len(known) > 20
    seen = 0
    for words, document in all_told(demo):
        for key, place, leaf in leaves(document):
            if not isinstance(leaf, str) or leaf in OWN_WORDS or (place.endswith("/facts") or key == "name"):
                continue
            seen += 1
            assert not any(line in leaf for line in known), f"{words}: {place}/{key}: {leaf}"
            if key not in OWN_SENTENCES:
                assert " " not in leaf, f"{words}: {place}/{key}: {leaf}"
                assert leaf.isascii(), f"{words}: {place}/{key}"
                assert len(leaf) <= MOST_OF_A_NAME, f"{words}: {place}/{key}"
    assert seen > 500


@pytest.mark.slow
@pytest.mark.parametrize("demo", DEMOS, ids=lambda path: path.name)
def test_names_of_facts_are_our_own(demo: Path) -> None:
    known = evidence(demo)
    for words, document in all_told(demo):
        for fact in document.get("facts", []):
            assert not any(line in fact["name"] for line in known), f"{words}: {fact['name']}"


@pytest.mark.slow
@pytest.mark.parametrize("demo", DEMOS, ids=lambda path: path.name)
def test_what_is_left_out_is_where_it_is_said_to_be(demo: Path) -> None:
    whole = dict(all_told(demo, content=True))
    found = 0
    for words, document in all_told(demo):
        for one in stand_ins(document):
            value = at(whole[words], one["place"])
            if isinstance(value, str):
                assert len(value) == one["chars"]
                assert hashlib.sha256(value.encode()).hexdigest().startswith(one["sha256"])
                found += 1
            else:
                assert one["chars"] > 1
    assert found > 50


def stand_ins(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if set(value) == STAND_IN:
            yield value
            return
        for inner in value.values():
            yield from stand_ins(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from stand_ins(inner)


def at(value: Any, pointer: str) -> Any:
    for step in pointer.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        value = value[int(key)] if isinstance(value, list) else value[key]
    return value


def test_with_content_everything_is_there() -> None:
    team = next(path for path in DEMOS if path.name == "team")
    document = told(team, "item 5", content=True)
    assert document["texts"][0]["text"] in document["object"]["body"]["parts"][0].values()
    assert [*stand_ins(document)] == []


def test_of_a_payload_there_is_what_it_is() -> None:
    team = next(path for path in DEMOS if path.name == "team")
    ref = reduce_bundle(team).trace.raw_payloads["raw_payload:3"]
    data = open_bundle(team).read_payload(ref)
    document = told(team, "payload 3")
    assert document["bytes"] == len(data)
    assert document["sha256"] == hashlib.sha256(data).hexdigest()
    assert told(team, "payload 3", content=True) == json.loads(data)


@pytest.mark.parametrize(
    "words",
    [Outcome, WaitEnd, StepKind, CompactionOutcome, Basis, Verdict, Manner, Kind, Cause, GroupKind],
    ids=str,
)
def test_words_of_this_program_are_known(words: Any) -> None:
    members = {one for union in (words, *get_args(words)) for one in get_args(union)} or set(get_args(words))
    with_blank = {one for one in members if isinstance(one, str) and " " in one}
    assert with_blank <= OWN_WORDS


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=300),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from([*sorted(NAMES)[:6], "text", "a b", "title"]), inner, max_size=4)
    ),
    max_leaves=20,
)


@pytest.mark.slow
@given(st.dictionaries(st.sampled_from(["kind", "text", "facts", "id", "new key", "tools"]), JSON))
def test_whatever_a_document_has_only_names_are_told(document: dict[str, Any]) -> None:
    for key, place, leaf in leaves(
        {key: one for key, one in without_content(document).items() if " " not in key}
    ):
        if isinstance(leaf, str) and leaf not in OWN_WORDS and not place.endswith("/place"):
            parent = place.rstrip("/0123456789").rpartition("/")[0]
            if not (parent.endswith("/facts") and key == "name"):
                assert all(char.isascii() and (char.isalnum() or char in "_./:@#+~-") for char in leaf)
                assert len(leaf) <= MOST_OF_A_NAME


def test_a_text_under_a_key_that_is_not_known_is_left_out() -> None:
    assert without_content({"novelty": "secret"})["novelty"].keys() == STAND_IN
    assert without_content({"kind": "run this now"})["kind"].keys() == STAND_IN
    assert without_content({"kind": "model"}) == {"kind": "model"}
