"""JSON as declared types: strictly from a text, or from a part of a payload that was parsed before."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
import orjson
from msgspec import Struct

from reducer.errors import Inconsistent, Malformed
from reducer.json_text import MAX_DEPTH, JsonError, depth, parse_exact_pairs

T = TypeVar("T")
S = TypeVar("S", bound=Struct)


def decode_strictly(data: bytes, type_: type[S]) -> S:
    """A JSON text as a declared type; unknown keys are ignored, a repeated known key is not.

    Raises:
        Malformed: not valid UTF-8 or JSON, nested too deep, a field missing, repeated or of a wrong type,
            an unknown variant or value of an enumeration.
    """
    try:
        value = orjson.loads(data)
        # A text that is written back to the same bytes repeats no key and spells no number oddly.
        canonical = orjson.dumps(value) == data
    except orjson.JSONDecodeError:
        canonical = False
    if not canonical:
        value = _decode_slowly(data)
    elif depth(data) > MAX_DEPTH:
        raise Malformed(f"nests more than {MAX_DEPTH} levels")
    try:
        decoded = msgspec.convert(value, type_)
    except msgspec.ValidationError as error:
        raise Malformed(_in_plain_words(str(error))) from None
    if not canonical:
        _refuse_repeated_keys(value, decoded)
    return decoded


def _decode_slowly(data: bytes) -> Any:
    try:
        data.decode()
    except UnicodeDecodeError as error:
        raise Malformed(f"not valid UTF-8 at byte {error.start}") from None
    if depth(data) > MAX_DEPTH:
        raise Malformed(f"nests more than {MAX_DEPTH} levels")
    try:
        return parse_exact_pairs(data)
    except JsonError as error:
        raise Malformed(f"not valid JSON: {error}") from None


def _refuse_repeated_keys(value: Any, decoded: Any) -> None:
    """Refuse a known key that stands twice in an object; the struct says which keys are known."""
    if isinstance(decoded, list):
        for item_value, item in zip(value, decoded, strict=True):
            _refuse_repeated_keys(item_value, item)
    if not isinstance(decoded, Struct):
        return
    tag_field = decoded.__struct_config__.tag_field
    known = {*decoded.__struct_encode_fields__, *([tag_field] if tag_field else [])}
    for key in sorted(known & value.repeated):
        raise Malformed(f"repeats the key {key}")
    for name, key in zip(decoded.__struct_fields__, decoded.__struct_encode_fields__, strict=True):
        if key in value:
            _refuse_repeated_keys(value[key], getattr(decoded, name))


def _in_plain_words(message: str) -> str:
    """A validation message of msgspec without its typography."""
    words = message.replace("`", "").replace(" - at $.", " at ").replace(" - at $", "")
    return words[0].lower() + words[1:]


def convert(value: Any, type_: type[T], what: str) -> T:
    """A part of a payload as a declared type.

    Args:
        value: parsed JSON.
        type_: the declared type; unknown keys are ignored.
        what: what the value is, for the error message.

    Raises:
        Inconsistent: it is not of that type.
    """
    try:
        return msgspec.convert(value, type_)
    except msgspec.ValidationError as error:
        raise Inconsistent(f"{what}: {error}") from None


def dig(value: Any, *keys: str) -> Any:
    """A value inside nested objects, or None where any step is missing or not an object."""
    for key in keys:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value
