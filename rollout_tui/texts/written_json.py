"""Values as JSON: what holds declared types of the graph, and evidence that is JSON already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec


def formatted_json(value: object) -> bytes:
    """A value as JSON with line ends and indents; it may hold the declared types of the graph."""
    return msgspec.json.format(msgspec.json.encode(value, enc_hook=_as_list), indent=2) + b"\n"


def plain_values(data: Mapping[str, Any]) -> dict[str, Any]:
    """A document of nothing but dictionaries, lists, strings and numbers, but for evidence at its top."""
    return {key: value if isinstance(value, msgspec.Raw) else _plain(value) for key, value in data.items()}


def raw_text(value: object) -> str | None:
    """The text of evidence that is JSON already; None for anything else."""
    return bytes(value).decode("utf-8", "replace") if isinstance(value, msgspec.Raw) else None


def _plain(value: Any) -> Any:
    return msgspec.json.decode(msgspec.json.encode(value, enc_hook=_as_list))


def _as_list(value: Any) -> list[Any]:
    """A list of the graph that is told by another one, for what knows only lists."""
    if isinstance(value, Sequence):
        return [*value]
    raise NotImplementedError(f"{type(value).__name__} is nothing that a graph has")
