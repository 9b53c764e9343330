"""What a user asked, among the items that a model was shown in the user's name."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

MAX_INSTRUCTION = 500
"""Characters of an instruction that are kept."""

_PUT_IN = re.compile(r"\s*(?:<(\w+)[ >].*</\1>\s*\Z|# AGENTS\.md )", re.DOTALL)
"""What Codex itself says in the user's name."""

_IMAGE_TAG = re.compile(r"\s*</?image\b[^>]*>\s*")
"""What stands around an image."""


def asked_by(item: Any) -> str:
    """What a user says with an item; empty if it is another's, or Codex put it in."""
    if not isinstance(item, dict) or item.get("role") != "user":
        return ""
    said = text_of(item)
    return "" if _PUT_IN.match(said) else said[:MAX_INSTRUCTION]


def last_asked(items: Iterable[Any]) -> str:
    """The last thing that a user says with some items, given the newest first; empty if there is none."""
    return next(filter(None, map(asked_by, items)), "")


def text_of(item: dict[str, Any]) -> str:
    """What an item says, without what stands around its images."""
    content = item.get("content")
    if isinstance(content, str):
        return content.strip()
    parts = content if isinstance(content, list) else []
    texts = (part.get("text") for part in parts if isinstance(part, dict))
    said = (text for text in texts if isinstance(text, str) and not _IMAGE_TAG.fullmatch(text))
    return "\n".join(said).strip()
