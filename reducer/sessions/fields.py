"""Values of parsed JSON as what they should be: a session has no schema, so anything may stand anywhere."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

_NOTHING: dict[str, Any] = {}


def text(value: Any, key: str) -> str | None:
    """The text at a key; None where there is none."""
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, str) else None


def number(value: Any, key: str) -> int | None:
    """The integer at a key; None where there is none."""
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def mapping(value: Any, key: str) -> dict[str, Any]:
    """The object at a key; an empty one, which nobody may change, where there is none."""
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else _NOTHING


def array(value: Any, key: str) -> list[Any]:
    """The array at a key; an empty one where there is none."""
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, list) else []


def unix_ms(stamp: object) -> int | None:
    """An ISO time as milliseconds since 1970; None if it is none. Without a zone it counts as UTC."""
    if not isinstance(stamp, str):
        return None
    try:
        time = datetime.fromisoformat(stamp)
        time = time if time.tzinfo is not None else time.replace(tzinfo=UTC)
        return round(time.timestamp() * 1000)
    except (ValueError, OverflowError):
        return None
