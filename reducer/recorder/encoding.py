"""JSON as codex writes it: compact in the log and in shards, two spaces of indentation in all other files."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def compact_json(value: object) -> bytes:
    """A value as compact JSON: no spaces, keys in the producer's order, non-ASCII characters raw.

    Half of a surrogate pair, which Python strings may hold and UTF-8 cannot, becomes U+FFFD: it is what is
    left of bytes that nobody could decode, and losing one character beats losing the text around it.

    Raises:
        TypeError: the value, or something in it, has no JSON form.
    """
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        return msgspec.json.encode(_with_whole_characters(value))


def pretty_json(value: object) -> bytes:
    """A value as the text of a payload file or a manifest: indented by two spaces, no newline at the end.

    A `msgspec.Raw` directly under a top-level key stays as it is. Codex writes the tools of a request that
    way, and a host that holds ready-made JSON need not parse it.

    Raises:
        TypeError: the value, or something in it, has no JSON form.
        msgspec.DecodeError: a `Raw` value is not JSON.
    """
    if not isinstance(value, dict) or not any(isinstance(part, Raw) for part in value.values()):
        return _indented(value)
    members = [b"  " + compact_json(key) + b": " + _member(part) for key, part in value.items()]
    return b"{\n" + b",\n".join(members) + b"\n}"


def _member(value: object) -> bytes:
    if isinstance(value, Raw):
        msgspec.json.decode(value, type=Raw)
        return bytes(value)
    # Newlines in JSON text stand between tokens only, so every one of them is an indentation.
    return _indented(value).replace(b"\n", b"\n  ")


def _indented(value: object) -> bytes:
    return msgspec.json.format(compact_json(value), indent=2)


def _with_whole_characters(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_with_whole_characters(key): _with_whole_characters(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_with_whole_characters(part) for part in value]
    if value is None or isinstance(value, (int, float, Raw)):
        return value
    return _with_whole_characters(msgspec.to_builtins(value))
