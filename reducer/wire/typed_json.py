"""JSON as declared types: strictly from a text, or from a part of a payload that was parsed before."""

from __future__ import annotations

import re
from collections.abc import Callable
from threading import Lock
from typing import Any, TypeVar

import msgspec
import orjson
from msgspec import Struct

from reducer.errors import Inconsistent, Malformed
from reducer.wire.json_text import (
    MAX_DEPTH,
    JsonError,
    RepeatableKeys,
    check_readable,
    depth,
    holds_wide_integer,
    parse_exact_pairs,
    refuse_excess,
)
from reducer.wire.spellings import spelled_plainly

T = TypeVar("T")
S = TypeVar("S", bound=Struct)


def _as_it_is(value: Any) -> Any:
    return value


def decode_strictly(data: bytes, type_: type[S], respelled: Callable[[Any], Any] = _as_it_is) -> S:
    """A JSON text as a declared type.

    Unknown keys are ignored; a repeated known key is not. An array of all the fields' values in their order
    stands for the object.

    Args:
        data: the text.
        type_: the declared type.
        respelled: gives what was parsed as the type has it, where more spellings of that are taken.

    Raises:
        Malformed: not valid UTF-8 or JSON, nested too deep, a field missing, repeated or of a wrong type,
            an unknown variant or value of an enumeration.
    """
    try:
        refuse_excess(data)
    except JsonError as error:
        raise Malformed(str(error)) from None
    if depth(data) <= MAX_DEPTH:
        plain = _decode_plain(data, type_, respelled)
        if plain is not None:
            return plain
    value = respelled(_parse_slowly(data, type_))
    decoded = _converted(value, type_)
    _refuse_repeated_keys(value, decoded)
    return decoded


def _decode_plain(data: bytes, type_: type[S], respelled: Callable[[Any], Any]) -> S | None:
    """A text as a declared type, provided that it is spelled plainly; None if it is not, or not of the type.

    Raises:
        Malformed: spelled plainly, but not of the type.
    """
    if _WIDE_INTEGER.search(data) is not None:
        return None  # integer fields hold 64 bits, which msgspec does not know
    # A text that is written back to the same bytes repeats no key and spells no number oddly.
    try:
        decoded: S = decoder_of(type_).decode(data)
        if _ENCODER.encode(decoded) == data:
            return decoded
    except (msgspec.MsgspecError, OverflowError, ValueError, RecursionError):
        pass
    # It may have unknown keys, or be of another type.
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(value, dict) or orjson.dumps(value) != data:
        return None
    try:
        return converted(value, type_)
    except msgspec.ValidationError:
        return _converted(respelled(value), type_)


_MAKING = Lock()
_DECODERS: dict[object, msgspec.json.Decoder[Any]] = {}


def decoder_of(type_: type[T]) -> msgspec.json.Decoder[T]:
    """The decoder of a declared type, made when it is first asked for.

    Making it lets msgspec look at all that the type consists of. If two threads let it do so at once, it
    crashes; so whatever decodes or converts to a declared type asks for this first.
    """
    found = _DECODERS.get(type_)
    if found is None:
        with _MAKING:
            found = _DECODERS[type_] = msgspec.json.Decoder(type_)
    return found


_ENCODER = msgspec.json.Encoder()
_WIDE_INTEGER = re.compile(rb"[:\[][1-9][0-9]{19}")


def _converted(value: Any, type_: type[S]) -> S:
    try:
        return converted(value, type_)
    except msgspec.ValidationError as error:
        raise Malformed(_in_plain_words(str(error))) from None


def _parse_slowly(data: bytes, type_: type[Struct]) -> Any:
    fields = type_.__struct_encode_fields__
    try:
        value = parse_exact_pairs(data)
        if isinstance(value, list) and len(value) == len(fields):
            value = RepeatableKeys([*zip(fields, value, strict=True)])
        if isinstance(value, RepeatableKeys):
            # What stands under other keys is skipped unseen: it may nest at will and be no text at all.
            check_readable([*value])
            check_readable({key: value[key] for key in fields if key in value})
        else:
            check_readable(value)
    except JsonError as error:
        raise Malformed(str(error)) from None
    return value


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


_PLAIN_NAMES = {"str": "text", "int": "integer", "float": "number", "Numeral": "number", "bool": "boolean"}


def _in_plain_words(message: str) -> str:
    """A validation message of msgspec without the names and the typography of Python."""

    def plain(name: re.Match[str]) -> str:
        return " or ".join(_PLAIN_NAMES.get(part, part) for part in name[1].split(" | "))

    words = re.sub("`([^`]*)`", plain, message).replace(" - at $.", " at ").replace(" - at $", "")
    return words[0].lower() + words[1:]


def converted(value: Any, type_: type[T]) -> T:
    """A parsed JSON value as a declared type.

    Raises:
        msgspec.ValidationError: it is not of that type.
    """
    decoder_of(type_)
    return msgspec.convert(value, type_)


def convert(value: Any, type_: type[T], what: str, reference_says: str | None = None) -> T:
    """A part of a payload as a declared type.

    Args:
        value: parsed JSON.
        type_: the declared type; unknown keys are ignored.
        what: what the value is, for the error message.
        reference_says: what the reference says if it is not of that type.

    Raises:
        Inconsistent: it is not of that type.
    """
    try:
        return converted(value, type_)
    except msgspec.ValidationError:
        pass
    try:
        return converted(spelled_plainly(value, type_), type_)
    except msgspec.ValidationError as error:
        raise Inconsistent(f"{what}: {_in_plain_words(str(error))}", reference_says) from None


def refuse_wide_integers(exact: Any, what: str, reference_says: str | None = None) -> None:
    """Refuse integers of 65 to 128 bits, wherever they stand in an object that is read by its `type`.

    The reference cannot carry such integers from a payload into an object of that sort; it can carry
    larger ones.

    Args:
        exact: the object, as `JsonDocument.exact` gives it.
        what: what it is, for the error message.
        reference_says: what the reference says if there is one.

    Raises:
        Inconsistent: there is one.
    """
    if holds_wide_integer(exact):
        raise Inconsistent(f"{what} holds an integer of more than 64 bits", reference_says)


def dig(value: Any, *keys: str) -> Any:
    """A value inside nested objects, or None where any step is missing or not an object."""
    for key in keys:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value
