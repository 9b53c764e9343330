"""Log lines that did not become part of the graph, and the payloads that only they name."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec
import orjson

from reducer import BundleError, ObjectRef
from reducer.events import PayloadRef
from rollout_tui.views.index import TraceIndex
from rollout_tui.views.search.owners import Owner


class RefusedLine(NamedTuple):
    """A line of the log whose event was refused.

    Attributes:
        line: its number, from 1.
        seq: its sequence number; 0 where it has none.
        owner: the problem that says why.
        data: the line.
        payloads: the payload references in it that are whole.
    """

    line: int
    seq: int
    owner: Owner
    data: bytes
    payloads: list[PayloadRef]


def refused_lines(index: TraceIndex) -> Iterator[RefusedLine]:
    """The lines that problems are about and on which no applied event stands, in order.

    Each is read from where the event before it stands: the log is not read as a whole.
    """
    problems: dict[int, int] = {}
    for place, problem in enumerate(index.reduction.problems):
        if problem.line is not None:
            problems.setdefault(problem.line, place)
    known = sorted((event.line, event.offset) for event in index.reduction.provenance.events)
    for number, _offset in known:
        problems.pop(number, None)
    number, offset = 1, 0
    for wanted, place in sorted(problems.items()):
        before = bisect_left(known, (wanted, 0)) - 1
        if before >= 0 and known[before][0] > number:
            number, offset = known[before]
        try:
            while number <= wanted:
                data = index.reduction.bundle.read_line(offset)
                number, offset = number + 1, offset + len(data) + 1
        except BundleError:
            return  # the log went away after it was reduced: all else can still be searched
        owner = Owner(ObjectRef("Problem", str(place)), None)
        seq = index.reduction.problems[place].seq or 0
        yield RefusedLine(wanted, seq, owner, data, _payloads_in(data))


def _payloads_in(line: bytes) -> list[PayloadRef]:
    """The payload references anywhere in a line, as far as it is JSON."""
    try:
        layer: list[Any] = [orjson.loads(line)]
    except orjson.JSONDecodeError:
        return []
    found = []
    while layer:
        one = layer.pop()
        if isinstance(one, dict):
            try:
                found.append(msgspec.convert(one, PayloadRef))
            except msgspec.ValidationError:
                layer += one.values()
        elif isinstance(one, list):
            layer += one
    return found
