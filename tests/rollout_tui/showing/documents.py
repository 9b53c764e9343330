"""What `show --json` prints, of many bundles, without starting a process for each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, get_args

from places import REPOSITORY

from reducer import BundleError
from rollout_tui.language.asking import Listed, parse_what
from rollout_tui.language.refused import InputRefused
from rollout_tui.session import Session
from rollout_tui.showing.dispatch import Telling, result_of
from rollout_tui.showing.pages import Page

DEMOS = sorted(path.parent for path in (REPOSITORY / "demo_traces").glob("*/manifest.json"))

ANSWERS = ("summary", "tokens", "tokens by turn", "time", "waits", "path", "seen e")
LISTS: tuple[str, ...] = get_args(Listed)
SINGLES = (
    *("seq 5", "line 3", "call 1", "call 3", "turn 1", "item 1", "item 5", "payload 1", "payload 3"),
    *(
        "agent root",
        "prompt 1",
        "tool 1",
        "tool 2",
        "cell 1",
        "compaction 1",
        "edge 1",
        "edge 2",
        "problem 1",
    ),
)
WHOLE = Page()
WISHES = (*ANSWERS, *LISTS, *SINGLES)


@cache
def loaded(path: Path) -> Session:
    session = Session(path)
    session.load(lambda _done, _total: None)
    return session


def told(path: Path, words: str, page: Page = WHOLE, *, content: bool = False) -> Any:
    """The document that is printed.

    Raises:
        InputRefused, BundleError: there is none.
    """
    session = loaded(path)
    assert session.timelines is not None
    telling = Telling(as_json=True, content=content, page=page)
    wish = parse_what([words])
    result, _ = result_of(
        session, session.timelines.links, wish, telling=telling, prices=None, say=lambda _: None
    )
    data = result.data if isinstance(result.data, bytes) else b"".join(result.data)
    return json.loads(data)


def all_told(path: Path, *, content: bool = False, page: Page = WHOLE) -> Iterator[tuple[str, Any]]:
    """Every document that a bundle has, by the words that it is asked for with."""
    for words in WISHES:
        try:
            yield words, told(path, words, page, content=content)
        except (InputRefused, BundleError):
            continue


def leaves(value: Any, key: str = "", place: str = "") -> Iterator[tuple[str, str, Any]]:
    """Everything that stands in a document: under which key, where, and what; keys are told, too."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name, place, name
            yield from leaves(inner, name, f"{place}/{name.replace('~', '~0').replace('/', '~1')}")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from leaves(inner, key, f"{place}/{number}")
    else:
        yield key, place, value
