"""By the rules of which schema a bundle is read: the manifest says it, or else the events may."""

from __future__ import annotations

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from reducer.errors import BundleError, Malformed
from reducer.schemas import SCHEMAS, Schema
from reducer.schemas.v1 import SCHEMA_1
from reducer.storage.bundle import Bundle, LogLine
from reducer.wire.events import U32
from reducer.wire.log import decode_event, is_blank
from reducer.wire.typed_json import decoder_of


def unknown_schema(version: int) -> Schema:
    """A schema of which nothing is known: none of its events is applied."""
    return replace(SCHEMAS[max(SCHEMAS)], version=version, events={}, tells_recording=None)


class _Numbered(Struct):
    schema_version: U32


def schema_of(bundle: Bundle) -> Schema | None:
    """The schema by whose rules a bundle is read; None if it is of one that is not known.

    It is that of the manifest, if it is known. If not, it is that of the first event which names a known
    one. Failing that, it is schema 1 if all events are sound ones of it: its reference compares no numbers.
    """
    claimed = SCHEMAS.get(bundle.manifest.schema_version)
    return _told_by_events(bundle) if claimed is None else claimed


def _told_by_events(bundle: Bundle) -> Schema | None:
    guess: Schema | None = None
    may_be_first = True
    try:
        for line in bundle.lines():
            if is_blank(line.data):
                continue
            named = _named_by(line)
            if named is not None:
                return named
            may_be_first = may_be_first and _is_of_schema_1(line)
            guess = SCHEMA_1 if may_be_first else None
    except BundleError:
        return None
    return guess


def _named_by(line: LogLine) -> Schema | None:
    try:
        return SCHEMAS.get(decoder_of(_Numbered).decode(line.data).schema_version)
    except (msgspec.MsgspecError, RecursionError):
        return None


def _is_of_schema_1(line: LogLine) -> bool:
    try:
        decode_event(line.data, SCHEMA_1.line)
    except Malformed:
        return False
    return True
