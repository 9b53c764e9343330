"""Pages of lists: none is longer than asked for, each says what is missing, together they are the whole."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from documents import ANSWERS, DEMOS, LISTS, loaded, told
from hypothesis import given
from hypothesis import strategies as st
from places import REPOSITORY

from rollout_tui.language.asking import AllOf
from rollout_tui.language.refused import InputRefused
from rollout_tui.safe_text import safe_text
from rollout_tui.showing.document import Document, Section
from rollout_tui.showing.lists import list_document
from rollout_tui.showing.pages import TRUNCATED, Cursor, Page, Steps, data_page, text_page
from rollout_tui.texts.written_json import plain_values

Run = Callable[..., subprocess.CompletedProcess[bytes]]
TEAM = REPOSITORY / "demo_traces/team"

KEYS = st.sampled_from(["a", "b", "c"])
VALUES = st.recursive(
    st.integers(0, 9) | st.text("xy", max_size=2),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=40,
)
DOCUMENTS = st.dictionaries(KEYS, VALUES, max_size=3)


def lists_in(value: Any, path: Steps = ()) -> Iterator[tuple[tuple[str | int, ...], list[Any]]]:
    if isinstance(value, list):
        yield path, value
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from lists_in(one, (*path, key))


def elements_of(document: dict[str, Any], limit: int, path: Steps) -> list[Any]:
    """All elements of one list, page by page, without what is in them."""
    found: list[Any] = []
    after: str | None = str(Cursor(path, 0))
    while after is not None:
        page = data_page(document, Page(limit, after))
        here: Any = page
        for step in path:  # of a list that leads to it there is only the element on the way
            here = here[0] if isinstance(step, int) else here[step]
        assert len(here) <= limit
        found += here
        after = page.get(TRUNCATED, {}).get("/".join(map(str, path)), {}).get("after")
    return found


def outline(value: Any) -> Any:
    return type(value) if isinstance(value, list | dict) else value


@pytest.mark.slow
@given(DOCUMENTS, st.integers(1, 4))
def test_pages_put_together_are_the_whole(document: dict[str, Any], limit: int) -> None:
    for path, whole in lists_in(document):
        assert [*map(outline, elements_of(document, limit, path))] == [*map(outline, whole)]


@pytest.mark.slow
@given(DOCUMENTS, st.integers(1, 4))
def test_every_list_that_is_cut_says_so(document: dict[str, Any], limit: int) -> None:
    page = data_page(document, Page(limit))
    truncated = page.pop(TRUNCATED, {})
    cut = {"/".join(map(str, path)) for path, one in lists_in(document) if len(one) > limit}
    reached = {
        name for name in cut if all(not step.isdecimal() or int(step) < limit for step in name.split("/"))
    }
    assert set(truncated) == reached
    assert all(one["shown"] == limit < one["of"] for one in truncated.values())
    assert all(len(one) <= limit for _, one in lists_in(page))


@pytest.mark.slow
@given(DOCUMENTS)
def test_without_a_bound_nothing_is_cut(document: dict[str, Any]) -> None:
    assert data_page(document, Page()) == document


@pytest.mark.slow
@pytest.mark.parametrize("words", [*ANSWERS, *LISTS])
def test_pages_of_what_is_shown_are_the_whole(words: str) -> None:
    whole = told(TEAM, words, content=True)
    for key, elements in whole.items():
        if not isinstance(elements, list):
            continue
        found: list[Any] = []
        after: str | None = f"{key}:0"
        while after is not None:
            page = told(TEAM, words, Page(7, after), content=True)
            found += page[key]
            after = page.get(TRUNCATED, {}).get(key, {}).get("after")
        assert len(found) == len(elements)
        # What is in an element is cut as well, each list with a cursor of its own.
        assert [same(one) for one in found] == [same(one) for one in elements]


def same(element: Any) -> Any:
    """What of an element no page cuts."""
    if isinstance(element, dict):
        return {key: same(value) for key, value in element.items() if not isinstance(value, list)}
    return element


def test_an_id_and_a_place_are_cursors_too() -> None:
    calls = told(TEAM, "calls")["calls"]
    by_id = told(TEAM, "calls", Page(2, calls[4]["id"]))
    assert [one["number"] for one in by_id["calls"]] == [6, 7]
    seq = calls[4]["object"]["execution"]["started_seq"]
    assert told(TEAM, "calls", Page(2, f"#{seq}"))["calls"] == by_id["calls"]
    assert told(TEAM, "calls", Page(2, f"demo_traces/team#{seq}"))["calls"] == by_id["calls"]
    assert by_id[TRUNCATED]["calls"] == {"shown": 2, "of": len(calls), "after": "calls:7"}


@pytest.mark.parametrize("after", ["nothing", "calls:x", "turns:3", "#99999", "calls/0/number:1"])
def test_what_is_no_cursor_is_refused(after: str) -> None:
    with pytest.raises(InputRefused, match="a cursor is one such as calls:1"):
        told(TEAM, "calls", Page(2, after))


def rows_of(lines: list[str]) -> list[str]:
    return [line for line in lines if re.match(r" +\d+  ", line)]


@pytest.mark.parametrize("what", ["turns", "calls", "tools", "edges"])
def test_pages_of_text_are_the_whole(what: Any) -> None:
    index = loaded(TEAM).timelines.index  # type: ignore[union-attr]
    document = list_document(index, AllOf(what))
    data = plain_values(document.data)
    whole, found, after = rows_of([*document.lines()]), [], f"{what}:0"
    while True:
        lines = [*text_page(document, data, Page(3, after)).lines()]
        rows = rows_of(lines)
        assert len(rows) <= 3
        found += rows
        following = re.search(r"goes on with --after (\S+)$", lines[-1])
        if following is None:
            break
        after = following[1]
    assert found == whole


def test_the_head_of_a_table_stands_on_every_page() -> None:
    lines = [safe_text(text) for text in ("head", "one", "two", "three")]
    document = Document("t", sections=[Section("a", lines, "rows", 1), Section("b", [safe_text("else")])])
    page = [*text_page(document, {}, Page(1, "rows:1")).lines()]
    assert page == ["t", "", "── a ──", "head", "two", "", *page[6:]]
    assert page[-1] == "rows: 2 to 2 of 3; it goes on with --after rows:2"
    assert [*text_page(document, {}, Page(5)).lines()] == [*document.lines()]


@pytest.mark.parametrize("by", ["tool", "item"])
def test_a_list_that_is_told_in_brief_says_where_all_of_it_is(run_program: Run, by: str) -> None:
    """Of the run as a whole the first rows; all of it where it is asked for, and in pages."""

    def sections(*arguments: str) -> dict[str, list[str]]:
        text = run_program("show", TEAM, "tokens", *arguments).stdout.decode()
        parts = [part.split("\n") for part in re.split(r"\n\n?── ", text)[1:]]
        return {head.removesuffix(" ──"): [line for line in rows if line] for head, *rows in parts}

    whole = sections("by", by)[f"by {by}"]
    (heading,) = (one for one in sections() if one.startswith(f"by {by}"))
    rows = len(whole) - 1
    assert rows > 20
    assert heading == f"by {by}, 10 of {rows}: show BUNDLE tokens by {by} has all"
    brief = sections()[heading]
    assert [line.split() for line in brief] == [line.split() for line in whole[:11]]
    assert sections("--limit", "0")[f"by {by}"] == whole
    found: list[str] = []
    after: str | None = f"by_{by}:0"
    while after is not None:
        page = sections("--limit", "15", "--after", after)
        found += page[f"by {by}"][1:]
        on = re.search(rf"--after (by_{by}:\d+)", "\n".join(page["not all is shown"]))
        after = None if on is None else on[1]
    assert [line.split() for line in found] == [line.split() for line in whole[1:]]


@pytest.mark.slow
def test_json_is_bounded_by_itself_and_text_is_not(run_program: Run, shared_dir: Path) -> None:
    bundle = shared_dir / "bundles/long-200/bundle"
    document = json.loads(run_program("show", bundle, "calls", "--json").stdout)
    assert next(iter(document)) == TRUNCATED
    assert document[TRUNCATED]["calls"] == {"shown": 100, "of": 200, "after": "calls:100"}
    assert len(document["calls"]) == 100
    everything = json.loads(run_program("show", bundle, "calls", "--json", "--limit", "0").stdout)
    assert TRUNCATED not in everything
    assert len(everything["calls"]) == 200
    assert run_program("show", bundle, "calls").stdout.decode().count("\n") > 200


def test_the_last_line_of_a_text_says_that_it_is_not_all(run_program: Run) -> None:
    finished = run_program("show", TEAM, "waits", "--limit=1", "--after=waits:2")
    assert finished.stdout.decode().splitlines()[-1] == "waits: 3 to 3 of 5; it goes on with --after waits:3"


@pytest.mark.parametrize("what", [["call", "1"], ["payload", "3"]])
def test_what_is_no_list_has_no_pages(run_program: Run, what: list[str]) -> None:
    finished = run_program("show", TEAM, *what, "--limit", "3")
    assert finished.returncode == 2
    assert b"is no list" in finished.stderr


@pytest.mark.parametrize("what", [("payload", "1"), ("call", "1")])
def test_what_is_no_list_has_all_of_its_content_unasked(run_program: Run, what: tuple[str, str]) -> None:
    finished = run_program("show", TEAM, *what, "--json", "--content")
    assert finished.returncode == 0, finished.stderr
    assert json.loads(finished.stdout)


def test_every_demo_is_there() -> None:
    assert len(DEMOS) > 5
