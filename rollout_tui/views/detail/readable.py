"""Values of payloads as texts for reading: JSON in strings unfolded, blobs and sealed content named. Pure.

The Raw tab shows what was written; what stands here says at its top where it differs.
"""

from __future__ import annotations

from typing import Any

import orjson

from rollout_tui.insight.evidence import pretty, unfolded
from rollout_tui.insight.items.blobs import blob_of, without_data_urls
from rollout_tui.lines.diff_colour import holds_diff
from rollout_tui.texts.short_forms import size
from rollout_tui.texts.syntax import Language

UNFOLDED = "(strings that are JSON themselves are shown unfolded)"
"""Stands above a text in which strings became objects or arrays."""

_DEEPEST = 100
"""Levels that are looked into; what nests deeper is shown as it is."""

_SEALED_KEYS = frozenset({"encrypted_content"})


def readable(value: Any) -> str:
    """A value as a text for reading: a string as it is, anything else as indented JSON.

    Args:
        value: parsed JSON.
    """
    if isinstance(value, str):
        blob = blob_of(value)
        return without_data_urls(value) if blob is None else f"({blob.words})"
    walk = _Walk()
    text = pretty(walk.shown(value))
    return f"{UNFOLDED}\n{text}" if walk.has_unfolded else text


class _Walk:
    """Replaces strings within a value by what they hold.

    Attributes:
        has_unfolded: whether a string was replaced by the JSON in it.
    """

    def __init__(self) -> None:
        self.has_unfolded = False

    def shown(self, value: Any, key: str = "", depth: int = 0) -> Any:
        if depth > _DEEPEST:
            return value
        if isinstance(value, dict):
            return {name: self.shown(one, name, depth + 1) for name, one in value.items()}
        if isinstance(value, list):
            return [self.shown(one, key, depth + 1) for one in value]
        return self._string(value, key, depth) if isinstance(value, str) else value

    def _string(self, text: str, key: str, depth: int) -> Any:
        if key in _SEALED_KEYS:
            return f"(encrypted, {size(len(text))})"
        blob = blob_of(text)
        if blob is not None:
            return f"({blob.words})"
        inner = unfolded(text)
        if inner is text or isinstance(inner, str):
            return without_data_urls(text)
        self.has_unfolded = True
        return self.shown(inner, key, depth + 1)


def language_of(text: str, expected: Language) -> Language:
    """How to colour a text that was read: a diff where it holds one, JSON only where it is some.

    Args:
        text: the text.
        expected: what it was expected to be.
    """
    if expected in ("text", "json", "diff") and holds_diff(text) and not _is_json(text):
        return "diff"
    if expected == "json":
        body = text.removeprefix(UNFOLDED).lstrip()
        return "json" if body.startswith(("{", "[")) else "text"
    return expected


def _is_json(text: str) -> bool:
    if not text.startswith(("{", "[", UNFOLDED)):
        return False
    try:
        orjson.loads(text.removeprefix(UNFOLDED))
    except orjson.JSONDecodeError:
        return False
    return True
