"""Documents without the evidence in them: what an agent may read that must not be told what to do.

What a user wrote, a model answered or a command printed may be an instruction to whoever reads it. So a
text stands in a document for programs only if it was asked for. Without that a string stands only if it is
one of our own words, or names something under a key that is known to hold names, and has the form of a
name: no blank, nothing but letters, digits and a few signs, and not long. Whatever is not known to be
harmless is left out: in its place stands how long it is, a hash by which it is known again, and where it
stands in the same document with its content.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from rollout_tui.texts.written_json import raw_text

MOST_OF_A_NAME = 160
"""Characters of a name at most: the ids of two agents and what is between them."""

HASHED = 16
"""Hexadecimal digits of the SHA-256 that are told."""

_NAME = re.compile(rf"[A-Za-z0-9_./:@#+~-]{{0,{MOST_OF_A_NAME}}}")

NAMES = frozenset(
    {
        "after",
        "agent",
        "agent_path",
        "agent_role",
        "because",
        "call",
        "carried_item_ids",
        "certainty",
        "channel",
        "codex_version",
        "continues",
        "contents",
        "default_model",
        "directory",
        "event",
        "first_call_after",
        "first_seen_by",
        "gone_for_good",
        "id",
        "kind",
        "language",
        "last_call_before",
        "manner",
        "model",
        "nickname",
        "outcome",
        "partner",
        "path",
        "place",
        "provider_name",
        "provenance",
        "rebuilt_from",
        "role",
        "runtime_status",
        "seen",
        "sender",
        "server",
        "session",
        "sha256",
        "started_by",
        "status",
        "syntax",
        "target",
        "target_agent_path",
        "task_name",
        "tool",
        "tool_call_ids_started_by_response",
        "trace_schema",
        "type",
        "verdict",
    }
)
"""Keys of names, beside `id` and those that end like ids and states."""

_NAME_ENDINGS = ("_id", "_ids", "_status", "_version", "_sha256")

OWN_SENTENCES = frozenset({"consequence", "lost", "not_recorded", "problem", "rebuilt", "truncated"})
"""Keys of what this program says, which has nothing of a recording in it."""

OWN_WORDS = frozenset(
    {
        "arguments of the sender's tool call",
        "before the items",
        "carried over",
        "cut back",
        "delivered as",
        "delivered from",
        "developer message",
        "earlier summary",
        "into the summary",
        "never ended",
        "no answer",
        "no end",
        "no summary",
        "not compacted",
        "not installed",
        "not looked at",
        "nothing began",
        "nothing like it",
        "opening words",
        "put in",
        "rewritten history",
        "same id",
        "same id, other text",
        "same item",
        "same sort",
        "same text",
        "same text, new id",
        "same text, no id",
        "this item",
        "turn end",
        "user message",
        "wait for agent",
        "wait for person",
        "wait for tool",
    }
)
"""Words of this program that have a blank in them; a recording that says the same says nothing more."""

EVIDENCE = frozenset({"instructions", "parameters", "settings"})
"""Keys of what is left out as a whole, whatever it consists of."""


def without_content(data: dict[str, Any], also: frozenset[str] = frozenset()) -> dict[str, Any]:
    """A document without texts of the recording.

    Args:
        data: plain values.
        also: further keys of it of which nothing is to be told but how much there is.
    """
    left_out = EVIDENCE | also
    return {key: _judged(value, key, "", f"/{key}", left_out) for key, value in data.items()}


def is_name(text: str) -> bool:
    """Whether a text has the form of a name: what that may say is no instruction."""
    return _NAME.fullmatch(text) is not None


def stand_in(value: Any, place: str) -> dict[str, Any]:
    """What stands in the place of a text, or of anything else that is left out.

    Args:
        value: a string, or a JSON value, of which the text is counted.
        place: a JSON pointer to it in the document with its content.
    """
    text = value if isinstance(value, str) else raw_text(value)
    if text is None:
        text = json.dumps(value, separators=(",", ":"))
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return {"chars": len(text), "sha256": digest[:HASHED], "place": place}


def _judged(value: Any, key: str, parent: str, place: str, left_out: frozenset[str]) -> Any:
    """A value, or what stands for it.

    Args:
        value: it.
        key: the key that it, or the list that it is in, stands under.
        parent: the key above that.
        place: a JSON pointer to it.
        left_out: keys of which nothing is told.
    """
    if isinstance(value, str):
        return value if _is_harmless(value, key, parent) else stand_in(value, place)
    if value is None or isinstance(value, int | float) or value in ({}, []):
        return value
    if key in left_out or not isinstance(value, dict | list):
        return stand_in(value, place)
    if isinstance(value, list):
        return [_judged(one, key, parent, f"{place}/{number}", left_out) for number, one in enumerate(value)]
    if not all(is_name(one) or one in OWN_WORDS for one in value):
        return stand_in(value, place)
    return {one: _judged(inner, one, key, f"{place}/{_step(one)}", left_out) for one, inner in value.items()}


def _is_harmless(text: str, key: str, parent: str) -> bool:
    if not text or text in OWN_WORDS or key in OWN_SENTENCES or (parent, key) == ("facts", "name"):
        return True
    return (key in NAMES or key.endswith(_NAME_ENDINGS)) and is_name(text)


def _step(key: str) -> str:
    """A key as a step of a JSON pointer."""
    return key.replace("~", "~0").replace("/", "~1")
