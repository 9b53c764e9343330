"""What repeats and gives nothing back holds in every Python there is.

Python before 3.11.5 (gh-106052) goes on where the last repetition broke off, if that one failed half way.
Each alternative begins anew, so where the last of them is `(?!)`, which fails at once, it goes on behind the
last whole one.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from typing import Any

import pytest

import reducer
import rollout_tui

parser: Any = importlib.import_module("re._parser")
PLAIN = {"LITERAL", "NOT_LITERAL", "IN", "ANY", "CATEGORY"}


def patterns() -> list[tuple[str, re.Pattern[Any]]]:
    found = []
    for package in (reducer, rollout_tui):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if module.name.endswith("__main__"):
                continue
            for name, value in vars(importlib.import_module(module.name)).items():
                if isinstance(value, re.Pattern):
                    found.append((f"{module.name}.{name}", value))
    return found


def open_ended(parsed: Any) -> Iterator[Any]:
    """The bodies of possessive repeats that could stay half way."""
    for op, value in parsed:
        if str(op) == "POSSESSIVE_REPEAT":
            body = value[2]
            if not (len(body) == 1 and str(body[0][0]) in PLAIN) and not fails_at_once(body):
                yield body
        for part in parts_of(value):
            yield from open_ended(part)


def parts_of(value: Any) -> Iterator[Any]:
    if isinstance(value, parser.SubPattern):
        yield value
    elif isinstance(value, (tuple, list)):
        for one in value:
            yield from parts_of(one)


def fails_at_once(body: Any) -> bool:
    op, value = body[-1] if len(body) == 1 else (None, None)
    if str(op) != "BRANCH":
        return False
    last = value[1][-1]
    never = {("FAILURE", True), ("ASSERT_NOT", True)}
    return len(last) == 1 and (str(last[0][0]), not last[0][1] or not last[0][1][1]) in never


@pytest.mark.parametrize(
    ("name", "pattern"), patterns(), ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_possessive_repeat_ends_where_its_last_repetition_did(name: str, pattern: re.Pattern[Any]) -> None:
    assert not [
        *open_ended(
            parser.parse(
                pattern.pattern,
                pattern.flags & ~re.UNICODE if isinstance(pattern.pattern, bytes) else pattern.flags,
            )
        )
    ], name


def test_what_could_stay_half_way_is_found() -> None:
    assert [*open_ended(parser.parse("(?:ab?c)++"))]
    assert not [*open_ended(parser.parse("(?:ab?c|(?!))++"))]
    assert not [*open_ended(parser.parse("[ab]++x*+"))]
