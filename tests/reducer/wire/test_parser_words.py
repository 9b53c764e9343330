"""The words of the reference's parser; `tests/conformance/test_odd_spellings.py` asks for them."""

from __future__ import annotations

from typing import Any

import pytest

from reducer.wire.json_text import parse_exact
from reducer.wire.parser_words import fault_of_message_content


def fault(text: str) -> str | None:
    value: Any = parse_exact(text.encode())
    return fault_of_message_content(value)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("5", "integer `5`"),
        ("-5", "integer `-5`"),
        ("-0", "integer `0`"),
        ("18446744073709551615", "integer `18446744073709551615`"),
        ("1.5", "floating point `1.5`"),
        ("2.0", "floating point `2.0`"),
        ("-0.0", "floating point `-0.0`"),
        ("0.00001", "floating point `0.00001`"),
        ("1e-7", "floating point `1e-7`"),
        ("1.5e-7", "floating point `1.5e-7`"),
        ("1e-12", "floating point `1e-12`"),
        ("1e30", "floating point `1e+30`"),
        ("1000000000000000000000000000000000000000000", "floating point `1e+42`"),
        ("1.50", "map"),
        ("1e5", "map"),
        ("1e-5", "map"),
        ("10000000000000000.0", "map"),
        ("1e400", "map"),
        ("340282366920938463463374607431768211456", "map"),
    ],
)
def test_a_number_that_was_kept_is_named_by_what_it_is(number: str, words: str) -> None:
    said = f"invalid type: {words}, expected a string"
    assert fault(f'{{"type":"input_text","text":{number}}}') == said
    assert fault(f'["input_text",{number}]') == said


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ('{"type":"input_text","text":18446744073709551616}', "18446744073709551616` as u128"),
        ('{"type":"input_text","text":-9223372036854775809}', "-9223372036854775809` as i128"),
        (
            '{"type":"input_text","text":"a","x":{"y":[18446744073709551616]}}',
            "18446744073709551616` as u128",
        ),
        ('{"x":18446744073709551616,"type":"y"}', "18446744073709551616` as u128"),
        ('{"x":[-9223372036854775809,18446744073709551616]}', "-9223372036854775809` as i128"),
        ('["input_text",18446744073709551616]', "18446744073709551616` as u128"),
    ],
)
def test_what_cannot_be_kept_is_named_before_anything_that_is_missing(text: str, number: str) -> None:
    assert fault(text) == f"invalid type: integer `{number}, expected any value"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            '{"type":"y","x":18446744073709551616}',
            "unknown variant `y`, expected `input_text` or `encrypted_content`",
        ),
        ('{"type":0,"text":"a"}', "invalid type: number, expected variant identifier"),
        ('{"type":{},"text":"a"}', "invalid type: map, expected variant identifier"),
        ("[null]", "invalid type: null, expected variant identifier"),
        ("{}", "missing field `type`"),
        ("[]", "missing field `type`"),
        ('{"type":"input_text"}', "missing field `text`"),
        ('{"type":"encrypted_content","text":"a"}', "missing field `encrypted_content`"),
        (
            '["encrypted_content"]',
            "invalid length 0, "
            "expected struct variant AgentMessageInputContent::EncryptedContent with 1 element",
        ),
        ('["input_text","a",5]', "invalid length 2, expected 1 element in sequence"),
        ('["input_text",null,5]', "invalid type: null, expected a string"),
        ('"a"', 'invalid type: string "a", expected internally tagged enum AgentMessageInputContent'),
        ("5", "invalid type: integer `5`, expected internally tagged enum AgentMessageInputContent"),
        (
            "18446744073709551616",
            "invalid type: integer `18446744073709551616` as u128, "
            "expected internally tagged enum AgentMessageInputContent",
        ),
        ("1e400", "missing field `type`"),
    ],
)
def test_what_is_no_content_of_a_message(text: str, said: str) -> None:
    assert fault(text) == said


@pytest.mark.parametrize(
    "text", ['{"type":"input_text","text":"a","x":1e400}', '["encrypted_content","a"]'], ids=str
)
def test_content_without_fault(text: str) -> None:
    assert fault(text) is None
