"""What nothing tells is said to be not recorded, in every answer: no 0, no blank, and null has a reason."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from places import REPOSITORY

from rollout_tui.language.asking import AnswerTo, parse_what
from rollout_tui.session import Session
from rollout_tui.showing.answers import answer_document
from rollout_tui.showing.document import Document
from rollout_tui.showing.tables import Table
from rollout_tui.views.figures import NOT_TOLD

BYS = ("agent", "turn", "call", "tool", "item", "repeat")
WORDS = ("summary", "tokens", *(f"tokens by {by}" for by in BYS), "time", "waits", "path", "seen e")

RECORDINGS = (
    "bundles-v3/limit-payload-300/bundle",
    "bundles/crash-midstream/bundle",
    "bundles/multi-turn/bundle",
    "damaged-v3/payloads-dir-missing/bundle",
    "damaged-v3/shard-missing-last/bundle",
    "sessions/damaged-no-usage-record",
    "sessions/multi-agent-v2",
    "sessions/multi-turn",
    "sessions/odd-incomplete",
    "team",
    "hostile",
)
NOTHING_TOLD = "damaged-v3/payloads-dir-missing/bundle"


@cache
def session_of(path: Path) -> Session:
    session = Session(path)
    session.load(lambda _done, _total: None)
    return session


def path_of(shared: Path, name: str) -> Path:
    if "/" not in name:
        return REPOSITORY / "demo_traces" / name
    place = shared / name
    return min(place.rglob("rollout-*.jsonl*")) if name.startswith("sessions/") else place


def told(path: Path, words: str) -> Document:
    session, wish = session_of(path), parse_what([words])
    assert session.timelines is not None
    assert isinstance(wish, AnswerTo)
    return answer_document(session, session.timelines.links, wish)


def sums_in(value: Any) -> Iterator[dict[str, Any]]:
    """All sums of tokens in a document."""
    if isinstance(value, dict):
        if "calls_without_figures" in value and "input" in value:
            yield value
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from sums_in(one)


def nulls_in(value: Any) -> Iterator[tuple[str, list[str]]]:
    """All figures in a document that are null, each with what is said to be not recorded beside it."""
    if isinstance(value, dict):
        said = value.get("not_recorded", [])
        yield from ((key, said) for key, one in value.items() if one is None and key in FIGURES)
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from nulls_in(one)


FIGURES = {
    *("input", "cached", "new", "output", "reasoning"),
    *("context_now", "context_most", "context_window", "tokens_estimate", "paid_estimate"),
}


@pytest.mark.parametrize("words", WORDS)
@pytest.mark.parametrize("name", RECORDINGS)
def test_null_has_a_reason_and_a_sum_is_null_if_no_call_tells_it(
    shared_dir: Path, name: str, words: str
) -> None:
    data = told(path_of(shared_dir, name), words).data
    for one in sums_in(data):
        is_told = one["calls_without_figures"] < one["calls"] or not one["calls"]
        for figure in ("input", "cached", "new", "output", "reasoning"):
            assert (one[figure] is not None) is is_told
        assert ("not_recorded" in one) is not is_told
    for key, said in nulls_in(data):
        assert any(key in one.partition(" (")[0].split(", ") for one in said), (key, said)


@pytest.mark.parametrize("words", WORDS)
def test_in_a_table_what_is_not_recorded_is_marked(shared_dir: Path, words: str) -> None:
    document = told(path_of(shared_dir, NOTHING_TOLD), words)
    marked = 0
    for section in document.sections:
        if not isinstance(section.lines, Table) or not section.lines.heading:
            continue
        columns = dict.fromkeys(range(len(section.lines.heading)))
        names = {place: section.lines.heading[place] for place in columns}
        for row in section.lines.rows:
            for place, cell in enumerate(row):
                if names[place] in ("in", "cached", "new", "out", "context", "most", "tokens", "paid for"):
                    assert cell == NOT_TOLD, (section.heading, names[place])
                    marked += 1
    assert bool(marked) is (
        words == "summary" or (words.startswith("tokens") and words != "tokens by repeat")
    )
    assert ((NOT_TOLD, "not recorded") in document.facts) is bool(marked)
    if words.startswith("tokens"):
        assert document.title == "tokens: not recorded, 3 calls"


def test_an_average_is_that_of_the_calls_that_were_told(shared_dir: Path) -> None:
    """Of two calls that carried an item one was cut off in the middle of its answer."""
    path = path_of(shared_dir, "bundles/crash-midstream/bundle")
    rows = told(path, "tokens by item").data["by_item"]
    carried = [row for row in rows if row["calls"] == 2]
    assert carried
    for row in carried:
        assert row["calls_without_figures"] == 1
        assert row["tokens_estimate"] == row["paid_estimate"]
    late = [row for row in rows if row["calls"] == row["calls_without_figures"]]
    assert late
    assert {(row["tokens_estimate"], row["paid_estimate"]) for row in late} == {(None, None)}
