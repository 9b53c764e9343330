from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reducer.wire.json_text import (
    MAX_DEPTH,
    JsonDocument,
    JsonError,
    check_readable,
    compact_exact,
    depth,
    holds_wide_integer,
    is_valid,
    parse_exact,
    parse_exact_pairs,
    sorted_compact,
)


def compact(data: str) -> str:
    document = JsonDocument(data.encode())
    return document.compact(document.value, ())


@pytest.mark.parametrize(
    ("spelled", "written"),
    [
        ("5", "5"),
        ("-0", "0"),
        ("-0.0", "-0.0"),
        ("-0e1", "-0e+1"),
        ("1.10", "1.10"),
        ("2.0E-3", "2.0e-3"),
        ("1E5", "1e+5"),
        ("1e05", "1e+05"),
        ("1e400", "1e+400"),
        ("18446744073709551615", "18446744073709551615"),
        ("18446744073709551616", "18446744073709551616"),
        ("-123456789012345678901234567890", "-123456789012345678901234567890"),
        ("0.1", "0.1"),
        ("100000000000000000000.5", "100000000000000000000.5"),
    ],
)
def test_numbers_keep_their_spelling(spelled: str, written: str) -> None:
    assert compact(spelled) == written
    assert compact(f'{{"a": [{spelled}, 1]}}') == f'{{"a":[{written},1]}}'


def test_a_part_of_a_document_keeps_its_spelling() -> None:
    document = JsonDocument(b'{"a": [1.50, {"b": 1E2}], "c": 2.0}')
    assert document.compact(document.value["a"][1], ("a", 1)) == '{"b":1e+2}'
    assert document.compact(document.value["c"], ("c",)) == "2.0"
    assert document.compact("text", ("x",)) == '"text"'


def test_texts_are_escaped_as_little_as_possible() -> None:
    written = r'"\"\\/\b\f\n\r\t\u0000\u001f' + '\x7f\u2028é😀"'
    assert compact(r'"\"\\\/\b\f\n\r\t\u0000\u001f\u007f\u2028\u00e9\ud83d\ude00"') == written


def test_a_repeated_key_keeps_its_first_place_and_its_last_value() -> None:
    assert compact('{"a":1.0,"b":2,"a":3}') == '{"a":3,"b":2}'
    assert compact('{"a":1,"b":2,"a":3.0}') == '{"a":3.0,"b":2}'


def test_keys_are_sorted_by_their_bytes_at_every_level() -> None:
    value = parse_exact('{"\uffff":1,"😀":2,"Z":{"b":1.0,"a":[{"d":1,"c":2}]},"a":3}'.encode())
    assert sorted_compact(value) == '{"Z":{"a":[{"c":2,"d":1}],"b":1.0},"a":3,"\uffff":1,"😀":2}'


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "nul",
        "NaN",
        "-Infinity",
        "[1,]",
        "{'a':1}",
        '"\t"',
        '"\\x41"',
        "01",
        "1.",
        ".5",
        "+1",
        "- 1",
        "1 2",
        "\ufeff1",
        '"\\ud800"',
        '"\\udc00\\ud800"',
        '{"a":"\\ud800","a":1}',
        '{"\\ud800":1}',
        '[1e400,"\\ud800\\ud83d\\ude00"]',
    ],
)
def test_what_is_not_json_is_refused(bad: str) -> None:
    with pytest.raises(JsonError):
        JsonDocument(bad.encode())


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(JsonError, match=r"^not valid UTF-8 at byte 1$"):
        JsonDocument(b'"\xff"')


def test_errors_say_where_in_plain_words() -> None:
    said = {
        b'{"a":1 2}': "not valid JSON: expecting ',' delimiter at character 8",
        b"": "not valid JSON: expecting value at character 1",
        b'"\x01"': "not valid JSON: invalid control character at character 2",
        b'"a': "not valid JSON: unterminated string starting at character 1",
        b"1 2": "not valid JSON: extra data at character 3",
        b"[-Infinity]": "not valid JSON: -Infinity is no number",
    }
    for data, words in said.items():
        with pytest.raises(JsonError) as caught:
            JsonDocument(data)
        assert str(caught.value) == words


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_documents_nest_127_levels(opening: str) -> None:
    closing = "]" if opening == "[" else "}"

    def nested(levels: int) -> bytes:
        return (opening * levels + "1" + closing * levels).encode()

    assert JsonDocument(nested(MAX_DEPTH)).value
    with pytest.raises(JsonError, match="127 levels"):
        JsonDocument(nested(MAX_DEPTH + 1))


def test_brackets_in_texts_are_no_levels() -> None:
    inner = '"' + "[{" * 200 + '\\"' + "[" * 200 + '\\\\"'
    assert depth(f"[[{inner}]]".encode()) == 2
    assert JsonDocument(inner.encode()).value.startswith("[{")


def test_brackets_that_do_not_pair_are_some_depth() -> None:
    for data in (b"]" * 200, b"[" * 200, b"[]]" * 100):
        assert depth(data) in (0, 1)
        with pytest.raises(JsonError, match="not valid JSON"):
            JsonDocument(data)


def test_a_text_that_python_cannot_follow_is_refused() -> None:
    with pytest.raises(JsonError, match="nests too deep to be read"):
        parse_exact_pairs(b"[" * 100_000 + b"]" * 100_000)


def test_many_shallow_brackets_are_no_depth() -> None:
    assert depth(b"[" + b"[]," * 500 + b"{}]") == 2


@pytest.mark.slow
@given(st.recursive(st.integers() | st.text('[]{}"\\a'), lambda inner: st.lists(inner), max_leaves=20))
def test_depth_is_how_deep_a_value_nests(value: Any) -> None:
    levels = depth(json.dumps([[value]] * 130).encode())

    def nesting(one: Any) -> int:
        return 1 + max(map(nesting, one), default=0) if isinstance(one, list) else 0

    assert levels == nesting([[value]])


VALID_BUT_REFUSED_BY_ORJSON = ['"\\ud800"', "1e400", "[" * 2000 + "]" * 2000, '{"\\udfff":[{},[],""]}']


@pytest.mark.parametrize("text", [*VALID_BUT_REFUSED_BY_ORJSON, " [1, {}] ", '{"a":null}', "\r\n\t-0.5e+7"])
def test_valid_at_any_depth_and_range(text: str) -> None:
    assert is_valid(text.encode())


BROKEN = """
    {"a" 1}  {"a":1 "b":2}  [1 2]  [1,]  [,1]  {,}  {1:2}  {"a":1,}  ]  [}  {]  {:1}  {"a"}  {"a":}  [:]
    [1  "  tru  [01]  ["\\u12g4"]  {"a":1]  [1}  ,  :  {"a",1}  [1:2]  {{}}  ["a":1]
"""


@pytest.mark.parametrize("broken", ["{}", *re.split(r"\s\s+", BROKEN.strip())])
def test_the_validator_for_any_depth_knows_the_grammar(broken: str) -> None:
    """Beside something that orjson refuses, so that the slow validator is the one that decides."""
    sound = broken == "{}"
    assert is_valid(f'[1e400,"\\ud800",{broken}]'.encode()) is sound
    assert is_valid(f"{{}}{broken}".encode()) is False


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=15,
)


@given(JSON, st.sampled_from([None, 1]))
def test_the_validator_accepts_what_python_writes(value: Any, indent: int | None) -> None:
    written = json.dumps(value, indent=indent)
    assert is_valid(f"[1e400,{written}]".encode())


@given(JSON, st.data())
def test_the_validator_agrees_with_python_on_damaged_texts(value: Any, data: st.DataObject) -> None:
    written = json.dumps([1, value])
    position = data.draw(st.integers(0, len(written) - 1))
    damaged = written[:position] + data.draw(st.sampled_from(["", ",", "]", "}", ":", "0"]))
    damaged += written[position + 1 :]
    try:
        json.loads(damaged)
        sound = True
    except ValueError:
        sound = False
    assert is_valid(f"[1e400,{damaged}]".encode()) is sound


@given(JSON)
def test_compact_is_what_python_writes_for_values_without_fractions(value: Any) -> None:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        document = JsonDocument(text.encode())
    except (JsonError, UnicodeEncodeError):
        return
    assert json.loads(compact_exact(document.exact_value())) == value


def test_bytes_that_are_no_text_are_not_valid() -> None:
    assert not is_valid(b'[1e400,"\xff"]')


@pytest.mark.parametrize(
    ("number", "wide"),
    [
        (2**64 - 1, False),
        (2**64, True),
        (2**128 - 1, True),
        (2**128, False),
        (-(2**63), False),
        (-(2**63) - 1, True),
        (-(2**127), True),
        (-(2**127) - 1, False),
        ("1e30", False),
        ("18446744073709551616.0", False),
    ],
)
def test_integers_of_65_to_128_bits_are_wide(number: int | str, wide: bool) -> None:
    assert holds_wide_integer(parse_exact(f'[{{"a":[{number}]}}]'.encode())) is wide


def test_unpaired_surrogates_are_found_wherever_they_hide() -> None:
    for text in ('{"a":{"\\ud800":1}}', '{"a":["\\udfff"]}', '{"a":{"b":"\\ud800","b":1}}', '"\\ud800"'):
        with pytest.raises(JsonError, match="unpaired surrogate"):
            check_readable(parse_exact_pairs(text.encode()))
    check_readable(parse_exact_pairs(b'{"a":"\\ud83d\\ude00 \\\\ud800"}'))


def test_repeated_keys_are_remembered() -> None:
    value = parse_exact_pairs(b'{"a":1,"b":{"c":1,"c":2,"d":3},"a":4}')
    assert value.repeated == {"a"}
    assert value["b"].repeated == {"c"}
    assert value == {"a": 4, "b": {"c": 2, "d": 3}}
