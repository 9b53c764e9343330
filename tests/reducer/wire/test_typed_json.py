from __future__ import annotations

import subprocess
import sys
from typing import Any, Literal

import pytest
from msgspec import Struct

from reducer.errors import Inconsistent, Malformed
from reducer.wire.json_text import parse_exact
from reducer.wire.typed_json import convert, decode_strictly, dig, refuse_wide_integers


class Inner(Struct, tag_field="type", tag="inner"):
    size: int = 0


class Outer(Struct):
    name: str
    count: int
    mode: Literal["a", "b"] = "a"
    inner: Inner | None = None


def read(text: str) -> Outer:
    return decode_strictly(text.encode(), Outer)


def reason(text: str) -> str:
    with pytest.raises(Malformed) as caught:
        read(text)
    return str(caught.value)


def test_unknown_keys_are_ignored_however_odd() -> None:
    assert read('{"name":"n","count":1,"x":{"a":1,"a":2}}') == Outer("n", 1)
    assert read('{"name":"n","x":1,"x":1e400,"count":1}') == Outer("n", 1)
    assert read('{"name":"n","x":"\\ud800","count":1}') == Outer("n", 1)
    deep = "[" * 300 + "]" * 300
    assert read(f'{{"x":{deep},"name":"n","count":1}}') == Outer("n", 1)


def test_known_keys_stand_once() -> None:
    assert reason('{"name":"n","count":1,"name":"n"}') == "repeats the key name"
    assert reason('{"name":"n","count":1,"inner":{"type":"inner","type":"inner"}}') == "repeats the key type"
    assert (
        reason('{"name":"n","count":1,"inner":{"type":"inner","size":1,"size":1}}') == "repeats the key size"
    )


def test_known_keys_are_read_to_the_ground() -> None:
    assert "unpaired surrogate" in reason('{"name":"\\ud800","count":1}')
    assert "unpaired surrogate" in reason('{"name":"n","count":1,"inner":{"type":"inner","x":"\\ud800"}}')
    assert "unpaired surrogate" in reason('{"name":"n","count":1,"\\ud800":1}')
    assert "unpaired surrogate" in reason('["\\ud800"]')
    deep = "[" * 127 + "]" * 127
    assert "127 levels" in reason(f'{{"name":"n","count":1,"inner":{deep}}}')


def test_integers_are_spelled_as_integers() -> None:
    assert read('{"name":"n","count": 5}').count == 5
    for number in ("5.0", "5e0", "-0", "1e400", '"5"', "true", "123456789012345678901234567890"):
        assert reason(f'{{"name":"n","count":{number}}}').startswith("expected integer, got ")


def test_reasons_are_in_plain_words() -> None:
    assert reason('{"name":1,"count":1}') == "expected text, got integer at name"
    assert reason('{"count":1}') == "object missing required field name"
    assert reason('{"name":"n","count":1,"mode":"c"}') == "invalid enum value 'c' at mode"
    assert reason('{"name":"n","count":1,"inner":5}') == "expected object or null, got integer at inner"
    assert reason('{"name":"n","count":-0}') == "expected integer, got number at count"
    assert reason("5") == "expected object, got integer"
    assert reason('{"name"').startswith("not valid JSON: ")
    with pytest.raises(Malformed, match="not valid UTF-8 at byte 9"):
        decode_strictly(b'{"name":"\xff","count":1}', Outer)


def test_an_array_of_all_values_stands_for_the_object() -> None:
    assert read('["n",1,"b",null]') == Outer("n", 1, "b")
    assert reason('["n",1]') == "expected object, got array"


def test_a_part_of_a_payload_is_converted() -> None:
    assert convert({"name": "n", "count": 1, "x": 2}, Outer, "the thing") == Outer("n", 1)
    with pytest.raises(Inconsistent, match=r"^the thing: expected integer, got text at count$"):
        convert({"name": "n", "count": "1"}, Outer, "the thing")


def test_wide_integers_are_refused() -> None:
    refuse_wide_integers(parse_exact(b'{"a":18446744073709551615,"b":1e30}'), "the thing")
    with pytest.raises(Inconsistent, match="the thing holds an integer of more than 64 bits"):
        refuse_wide_integers(parse_exact(b'{"a":[18446744073709551616]}'), "the thing")


@pytest.mark.parametrize(
    ("value", "found"), [({"a": {"b": 1}}, 1), ({"a": [1]}, None), ([], None), (None, None)]
)
def test_dig_gives_nothing_where_a_step_is_missing(value: Any, found: Any) -> None:
    assert dig(value, "a", "b") == found


IN_FOUR_THREADS = """
import sys, threading
from msgspec import defstruct
from reducer.wire.typed_json import decode_strictly

sys.setswitchinterval(1e-6)
for number in range(60):
    inner = defstruct(f"Inner{number}", [(f"field_{name}", int, 0) for name in range(20)])
    outer = defstruct(f"Outer{number}", [("inner", inner), ("more", list[inner])])
    start = threading.Barrier(4)

    def decode():
        start.wait()
        decode_strictly(b'{"inner":{},"more":[{}]}', outer)

    threads = [threading.Thread(target=decode) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
"""


def test_threads_may_be_the_first_to_decode_a_type_at_once() -> None:
    """By itself, msgspec crashes then; so this is done in a process of its own."""
    finished = subprocess.run([sys.executable, "-c", IN_FOUR_THREADS], capture_output=True, timeout=60)
    assert (finished.returncode, finished.stderr) == (0, b"")
