"""Reads the committed demo traces for tests."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from reducer.errors import Malformed
from reducer.schemas.choice import schema_of
from reducer.storage.bundle import open_bundle
from reducer.wire.events import RawEvent
from reducer.wire.log import decode_event
from reducer.wire.payload_refs import PayloadRef, ShardRef

REPOSITORY = Path(__file__).resolve().parents[2]
DEMOS = REPOSITORY / "demo_traces"
STORIES = ["quickstart", "team", "capped", "schema-2", "schema-1"]
HOSTILE = ["hostile", "hostile-2"]

sys.path.insert(0, str(REPOSITORY))


def decoded(demo: str) -> tuple[list[RawEvent], int]:
    """The events of a demo trace, and how many lines are none."""
    found, bad = [], 0
    bundle = open_bundle(DEMOS / demo)
    for line in bundle.lines():
        try:
            found.append(decode_event(line.data, schema_of(bundle).line))
        except Malformed:
            bad += 1
    return found, bad


def events(demo: str) -> list[RawEvent]:
    """The events of a demo trace whose lines are all events."""
    found, bad = decoded(demo)
    assert bad == 0
    return found


def references(event: RawEvent) -> Iterator[PayloadRef]:
    """The references of an event in the order of its fields, without parts."""
    for field in event.payload.__struct_fields__:
        value = getattr(event.payload, field)
        if isinstance(value, PayloadRef):
            yield value


def with_parts(reference: PayloadRef) -> Iterator[PayloadRef]:
    """A reference and its parts, at any depth."""
    yield reference
    if isinstance(reference, ShardRef):
        for part in reference.parts:
            yield from with_parts(part)


def all_references(demo: str) -> list[PayloadRef]:
    """Every reference of a demo trace, with parts."""
    return [
        one for event in decoded(demo)[0] for reference in references(event) for one in with_parts(reference)
    ]


def payload(demo: str, reference: PayloadRef) -> Any:
    """A payload as JSON."""
    return json.loads(b"".join(open_bundle(DEMOS / demo).payloads.pieces(reference)))


def graph(demo: str) -> dict[str, Any]:
    """The reduced graph as it is kept beside the screens."""
    snapshot = REPOSITORY / "snapshots/demo_traces" / f"{demo}.state.json"
    found: dict[str, Any] = json.loads(snapshot.read_bytes())
    return found


def strings(value: Any) -> Iterator[str]:
    """Every text and key in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from (key, *strings(part))
    elif isinstance(value, list):
        for part in value:
            yield from strings(part)


def texts_by_key(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Every text in a JSON value with the key it stands under."""
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, dict):
        for name, part in value.items():
            yield from texts_by_key(part, name)
    elif isinstance(value, list):
        for part in value:
            yield from texts_by_key(part, key)


def plain(event: RawEvent) -> Any:
    """An event as JSON."""
    return msgspec.to_builtins(event)
