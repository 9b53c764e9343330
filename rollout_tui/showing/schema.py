"""The JSON Schema of what `show --json` prints, made of the declared types."""

from __future__ import annotations

from typing import Any

import msgspec

from rollout_tui.language.vocabulary import word_meant
from rollout_tui.showing import answer_shapes as answers
from rollout_tui.showing import object_shapes as objects
from rollout_tui.showing.content import EVIDENCE
from rollout_tui.showing.shapes import LeftOut, Truncation

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_REF = "#/$defs/{name}"
_LEFT_OUT = {"$ref": _REF.format(name=LeftOut.__name__)}
_TEXT = {"$ref": _REF.format(name="Text")}
_TEXT_ITSELF = {"description": "A text, or what stands for it.", "anyOf": [{"type": "string"}, _LEFT_OUT]}
_LEFT_OUT_OF = {objects.CallDocument.__name__: "tools", "Prompt": "tools"}
"""Keys of which nothing is told without content, by the type that has them; beside `EVIDENCE`."""


DOCUMENTS: dict[str, type] = {
    "seq": objects.EventDocument,
    "call": objects.CallDocument,
    "turn": objects.TurnDocument,
    "item": objects.ItemDocument,
    "payload": objects.PayloadDocument,
    "line": objects.EventDocument,
    "agent": objects.ThreadDocument,
    "prompt": objects.PromptDocument,
    "tool": objects.ToolDocument,
    "cell": objects.CellDocument,
    "compaction": objects.CompactionDocument,
    "edge": objects.EdgeDocument,
    "problem": objects.EventDocument,
    "summary": answers.Summary,
    "tokens": answers.TokensAnswer,
    "time": answers.TimeAnswer,
    "waits": answers.WaitsAnswer,
    "path": answers.PathAnswer,
    "seen": answers.SeenAnswer,
    "threads": objects.Threads,
    "turns": objects.Turns,
    "calls": objects.Calls,
    "tools": objects.Tools,
    "cells": objects.Cells,
    "compactions": objects.Compactions,
    "items": objects.Items,
    "edges": objects.Edges,
    "failures": objects.Failures,
    "problems": objects.Problems,
}
"""The document of each word of `show`."""


def schema_of(what: str | None) -> dict[str, Any]:
    """The schema of a document.

    Args:
        what: a word of `show`; None for all of them: each is then a definition under its word.

    Raises:
        InputRefused: it is no such word.
    """
    words = list(DOCUMENTS) if what is None else [word_meant(what.lower(), "shown").name]
    types = [DOCUMENTS[word] for word in words]
    _, definitions = msgspec.json.schema_components([*dict.fromkeys(types), LeftOut], ref_template=_REF)
    made = {"Text": _TEXT_ITSELF}
    made |= {name: _with_stand_ins(name, one) for name, one in definitions.items()}
    refs = {word: {"$ref": _REF.format(name=DOCUMENTS[word].__name__)} for word in words}
    if what is not None:
        return {"$schema": DIALECT, **refs[words[0]], "$defs": made}
    whole = {"title": "The documents of show --json, each a definition by the word it is asked for with"}
    return {"$schema": DIALECT, **whole, "anyOf": [*refs.values()], "$defs": {**made, **refs}}


def _with_stand_ins(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """A definition in which something else may stand in the place of what may be evidence."""
    if name in (LeftOut.__name__, Truncation.__name__):
        return schema
    return {key: _open(name, key, value) for key, value in schema.items()}


def _open(name: str, key: str, value: Any) -> Any:
    if key == "properties":
        return {one: _property(name, one, inner) for one, inner in value.items()}
    if key in ("items", "additionalProperties") and isinstance(value, dict):
        return _opened(name, value)
    if key in ("anyOf", "prefixItems"):
        return [_opened(name, one) for one in value]
    return value


def _property(name: str, key: str, schema: dict[str, Any]) -> dict[str, Any]:
    opened = _opened(name, schema)
    if (key in EVIDENCE or _LEFT_OUT_OF.get(name) == key) and opened.get("type") == "array":
        return {"anyOf": [opened, _LEFT_OUT]}
    return opened


def _opened(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """A schema; a text, and a mapping by what a recording names, may be left out."""
    if schema.get("type") == "string":
        return {**_TEXT, **({"default": schema["default"]} if "default" in schema else {})}
    inner = {key: _open(name, key, value) for key, value in schema.items()}
    is_mapping = schema.get("type") == "object" and "additionalProperties" in schema
    return {"anyOf": [inner, _LEFT_OUT]} if is_mapping else inner
