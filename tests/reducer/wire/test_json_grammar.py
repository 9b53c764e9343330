"""The grammar of JSON at any depth says what a parser says, wherever that one can follow."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reducer.wire import json_grammar
from reducer.wire.json_grammar import is_json
from reducer.wire.json_text import MAX_DEPTH, depth, is_valid


def refuse(_name: str) -> NoReturn:
    raise ValueError


def parses(text: str) -> bool:
    """What Python's own parser says; it stops at the same characters."""
    try:
        json.loads(text, parse_constant=refuse)
    except (ValueError, RecursionError):
        return False
    return True


pieces = st.sampled_from(
    [
        *(
            "[",
            "]",
            "{",
            "}",
            ",",
            ":",
            " ",
            "\n",
            '"',
            '"a"',
            '"a":',
            "1",
            "-1",
            "0",
            "01",
            "1.5",
            "1e5",
            "-",
            ".",
        ),
        *(
            "true",
            "false",
            "null",
            "nul",
            "E",
            "NaN",
            '"\\u00e9"',
            '"\\ud800"',
            '"\\x"',
            '"\\',
            "\\",
            "\t",
            "\x00",
        ),
        *(
            "\x01",
            "\x02",
            "\u00e9",
            '"\u00e9"',
            "k",
            "v",
            "s",
            ";",
            '"[{,"',
            "[]",
            "{}",
            '{"a":1}',
            "[1,2]",
            "\ufeff",
        ),
    ]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=25,
)


@contextmanager
def pieces_of(how_many: int) -> Iterator[None]:
    """Texts are looked at in pieces of so many lexemes, strings of so many characters; 0: as ever."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("_PIECE", "_PIECE_OF_STRING", "_STRINGS") if how_many else ():
            pattern = getattr(json_grammar, name).pattern
            fewer = re.sub(rb"\{([01]),\d+\}", rb"{\1,%d}" % how_many, pattern)
            patch.setattr(json_grammar, name, re.compile(fewer))
        yield


sizes = st.sampled_from([0, 1, 2, 3])


@given(st.lists(pieces, max_size=12).map("".join), sizes)
def test_any_text(text: str, how_many: int) -> None:
    with pieces_of(how_many):
        assert is_json(text.encode()) is parses(text)


@pytest.mark.slow
@given(values, st.integers(0, 30), st.sampled_from([None, 0, 2]), sizes)
def test_any_value_however_deep_it_stands(
    value: object, levels: int, indent: int | None, how_many: int
) -> None:
    for level in range(levels):
        value = [1, value, {}] if level % 3 else {"a": "[", "b": value, "c": [[]]}
    with pieces_of(how_many):
        assert is_json(json.dumps(value, indent=indent, ensure_ascii=bool(indent)).encode())


@pytest.mark.slow
@given(values, st.integers(0, 10), st.data(), sizes)
def test_any_value_with_one_byte_changed(
    value: object, levels: int, data: st.DataObject, how_many: int
) -> None:
    for _ in range(levels):
        value = [value, {"b": value}]
    text = json.dumps(value)
    place = data.draw(st.integers(0, len(text) - 1))
    instead = data.draw(st.sampled_from(["", *'[]{},:"\\ 0a-.', "\x01", "\x02"]))
    changed = text[:place] + instead + text[place + 1 :]
    with pieces_of(how_many):
        assert is_json(changed.encode()) is parses(changed)


MIB = 2**20
LARGE = 10 * MIB


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        b'"' + b"x" * LARGE + b'"',
        b'["' + rb"\n" * (LARGE // 2) + b'"]',
        b"[" + b"1," * (LARGE // 2) + b"1]",
        b"[" + b'{"a":[]},' * (LARGE // 9) + b"1]",
        b"[" * (LARGE // 2) + b"]" * (LARGE // 2),
        b"[" + b" " * LARGE + b"]",
        ('"' + "\u00e9" * (LARGE // 2) + '"').encode(),
    ],
    ids=["text", "escapes", "numbers", "objects", "deep", "space", "not ASCII"],
)
def test_a_large_text_can_be_given_up_at_every_megabyte(text: bytes) -> None:
    """Nothing else says how long it takes: what is done between two steps is limited by what it looks at."""
    steps = []
    assert is_valid(text, lambda: steps.append(1))
    assert len(steps) >= LARGE // MIB
    with pytest.raises(InterruptedError):
        is_valid(text, interrupt)


def interrupt() -> NoReturn:
    raise InterruptedError


DEEP = 100_000


@pytest.mark.slow
@pytest.mark.parametrize(
    ("opening", "inmost", "closing", "sound"),
    [
        ("[", "", "]", True),
        ('{"a":', "1", "}", True),
        ('[{"a":', "[]", "}]", True),
        ('[1,{"a":2,"b":', "3", '},"x"]', True),
        ("[[[],[[]]],", "0", ",[]]", True),
        ("[", "", "}", False),
        ('{"a":', "", "}", False),
        ('[{"a":', "1", "]}", False),
        ('[1,{"a":2,', "3", "}]", False),
        ("[1,", "2,", "]", False),
        ('["a":', "1", "]", False),
    ],
)
def test_at_any_depth(opening: str, inmost: str, closing: str, sound: bool) -> None:
    text = (opening * DEEP + inmost + closing * DEEP).encode()
    assert is_json(text) is sound
    assert is_valid(text) is sound
    assert is_json(text[:-1]) is False
    assert is_json(text + b"]") is False


shapes = st.recursive(st.just([]), lambda inner: st.lists(inner, min_size=1, max_size=3), max_leaves=12)


def levels_of(value: list[object]) -> int:
    return 1 + max((levels_of(one) for one in value if isinstance(one, list)), default=0)


@pytest.mark.slow
@given(shapes, st.lists(shapes, max_size=3), st.sampled_from([1, 100, 110, 120, 125, 126, 127, 128, 200]))
def test_the_depth_is_the_same_however_it_is_counted(
    inmost: list[object], beside: list[list[object]], levels: int
) -> None:
    value = inmost
    for _ in range(levels):
        value = [*beside, value]
    text = json.dumps([value, [[]] * MAX_DEPTH]).encode()
    assert depth(text) == min(max(levels_of(value) + 1, 3), MAX_DEPTH + 1)
