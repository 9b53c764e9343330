"""Log lines that did not become part of the graph, and the payloads that only they name."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import orjson

from reducer import BundleError, EventRecord, LogLine
from reducer.wire.json_text import JsonError, refuse_excess
from reducer.wire.payload_refs import PayloadRef, read_ref
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.search.owners import Owner


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
    problems: dict[tuple[str, int], int] = {}
    for place, problem in enumerate(index.reduction.problems):
        if problem.line is not None:
            problems.setdefault((problem.file or "", problem.line), place)
    for event in index.reduction.provenance.events if problems else ():
        problems.pop((event.file, event.line), None)
    known: dict[str, tuple[int, int]] = {}
    for (file, wanted), place in sorted(problems.items()):
        try:
            line = line_at(index, wanted, known.get(file, (1, 0)), file)
        except BundleError:
            line = None
        if line is None:
            continue  # the log went away after it was reduced: all else can still be searched
        known[file], data = (line.number, line.offset), line.data
        owner = Owner(index.problem_ref(place), None)
        seq = index.reduction.problems[place].seq or 0
        yield RefusedLine(wanted, seq, owner, data, payloads_in(data))


def line_at(
    index: TraceIndex, wanted: int, known: tuple[int, int] = (1, 0), file: str = ""
) -> LogLine | None:
    """A line of the log by its number; None where the log has no such line any more.

    It is read from where the applied event before it stands.

    Args:
        index: the graph.
        wanted: the number of the line, from 1.
        known: number and byte offset of a line that is not after it.
        file: the log file, where the recording has several.

    Raises:
        BundleError: the log cannot be read.
    """
    events: Sequence[EventRecord] = index.reduction.provenance.events
    if file:
        events = [event for event in events if event.file == file]
    before = bisect_left(events, wanted, key=lambda event: event.line)
    nearby = [(event.line, event.offset) for event in events[max(0, before - 1) : before + 1]]
    number, offset = max(place for place in (known, *nearby) if place[0] <= wanted)
    for line in index.reduction.recording.lines(number, offset, file):
        if line.number == wanted:
            return line
    return None


def payloads_in(line: bytes) -> list[PayloadRef]:
    """The payload references anywhere in a line, as far as it is JSON."""
    try:
        refuse_excess(line)
        layer: list[Any] = [orjson.loads(line)]
    except (JsonError, orjson.JSONDecodeError):
        return []
    found = []
    while layer:
        one = layer.pop()
        if isinstance(one, dict):
            ref = read_ref(one)
            if ref is not None:
                found.append(ref)
            layer += one.values()
        elif isinstance(one, list):
            layer += one
    return found
