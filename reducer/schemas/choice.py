"""By the rules of which schema a bundle is read: the manifest says it, and where it cannot, the events do."""

from __future__ import annotations

from reducer.errors import BundleError, Malformed
from reducer.schemas.rules import NEWEST, SCHEMA_1, SCHEMAS, Schema
from reducer.storage.bundle import Bundle
from reducer.wire.log import decode_event


def schema_of(bundle: Bundle) -> Schema:
    """The schema by whose rules a bundle is read.

    It is that of the manifest, if it is known. If not, it is that of the first event which names a known
    one; failing that, the newest one if it can read some event that schema 1 cannot, and else schema 1, whose
    reference reads bundles of every number.
    """
    claimed = SCHEMAS.get(bundle.manifest.schema_version)
    return _told_by_events(bundle) if claimed is None else claimed


def _told_by_events(bundle: Bundle) -> Schema:
    found = SCHEMA_1
    try:
        for line in bundle.lines():
            try:
                event = decode_event(line.data, NEWEST.line)
            except Malformed:
                continue
            if event.schema_version in SCHEMAS:
                return SCHEMAS[event.schema_version]
            if found is SCHEMA_1 and not _is_of_schema_1(line.data):
                found = NEWEST
    except BundleError:
        return NEWEST
    return found


def _is_of_schema_1(data: bytes) -> bool:
    try:
        decode_event(data, SCHEMA_1.line)
    except Malformed:
        return False
    return True
