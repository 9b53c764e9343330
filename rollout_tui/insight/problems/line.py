"""What the line of a problem tells beyond the problem itself."""

from __future__ import annotations

from typing import NamedTuple

from msgspec import Struct

from reducer import ObjectRef
from reducer.wire.payload_refs import PayloadRef


class ProblemLine(Struct, frozen=True):
    """What was read for a problem.

    Attributes:
        offset: where its line begins, in bytes; None for a problem of no line.
        objects: what each touched object is to the event, and the object; only those that the graph has.
        payloads: the payload references of the line.
    """

    offset: int | None
    objects: tuple[tuple[str, ObjectRef], ...]
    payloads: tuple[PayloadRef, ...]


class LinePlace(NamedTuple):
    """Where a line of the log is.

    Attributes:
        offset: where it begins, in bytes.
        file: the log file; empty where there is but one.
    """

    offset: int
    file: str = ""
