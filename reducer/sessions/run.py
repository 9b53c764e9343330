"""All files of one run, read as one log: record by record, in the order in which they were written."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush

from msgspec import structs

from reducer.errors import Malformed, Problem
from reducer.model import ConversationItem
from reducer.sessions.agents import Agents
from reducer.sessions.drift import Drift
from reducer.sessions.far_texts import FarTexts
from reducer.sessions.files import SessionFile, SessionFolder
from reducer.sessions.graph import SessionGraph
from reducer.sessions.history import Entry
from reducer.sessions.lines import Record, SessionLine, read_record
from reducer.sessions.provenance import SessionProvenance
from reducer.sessions.segment import Segment
from reducer.sessions.shared import Shared
from reducer.sessions.sources import LineSource
from reducer.sessions.turns import Threads

LINE_LOST = "Nothing of this line is in the graph."
MISSING_THREAD = "What it did is not in the graph; only what others recorded of it."
REST_LOST = "What follows in the file is not in the graph."
HISTORY_MISSING = (
    "What its calls saw is known only from where the file begins; what came before is not in the graph."
)

SPAWN = "edge:spawn:"
"""How the ids of edges begin that lead to a child, whose thread is named at their end."""


class _Stream:
    """The records of one file that were not read yet, with the next one at hand."""

    def __init__(self, segment: Segment, source: LineSource) -> None:
        self.segment = segment
        self.source = source
        self.head: Record | None = None
        self.records: Iterator[Record] | None = None
        self.last_ms = 0


class Run:
    """The graph of a run, as far as its files were read.

    Attributes:
        graph: the graph.
        provenance: the records behind its objects.
        lines: how many lines were read.
    """

    def __init__(self, folder: SessionFolder, root_thread_id: str, started_at_unix_ms: int) -> None:
        self.folder = folder
        self.graph = SessionGraph(root_thread_id, started_at_unix_ms, FarTexts(folder.folder))
        self.provenance = SessionProvenance(self.graph.lines, self.graph.ids)
        self.lines = 0
        threads = Threads(self.graph)
        self.shared = Shared(self.graph, threads, Agents(self.graph, threads), Drift(), {}, {})
        self._streams: dict[str, _Stream] = {}
        self._by_file_id: dict[str, _Stream] = {}
        self._missing: set[str] = set()
        self._seq = 0
        self._last_ms = started_at_unix_ms

    def add(self, file: SessionFile) -> None:
        """Read another file besides, from the next time on."""
        if file.file in self._streams:
            return
        segment = Segment(self.shared, file.file, file.ids.file_id, self._begin)
        stream = _Stream(segment, LineSource(self.folder.folder, file.file))
        self._streams[file.file] = stream
        self._by_file_id.setdefault(file.ids.file_id, stream)

    @property
    def files(self) -> list[str]:
        """The files of the run."""
        return [*self._streams]

    @property
    def taken(self) -> int:
        """Bytes of the files that were read."""
        return sum(stream.source.taken for stream in self._streams.values())

    def what_happened(self) -> str:
        """Which file is not the one any more that was read before, and why; empty if all are."""
        reasons = ((file, stream.source.what_happened()) for file, stream in self._streams.items())
        return next((f"{file}: {reason}" for file, reason in reasons if reason), "")

    def has_more(self) -> bool:
        """Whether there may be more to read: a file has changed, or reading was stopped."""
        return any(
            stream.records is not None or stream.source.has_more() for stream in self._streams.values()
        )

    def records(self, *, is_whole: bool) -> Iterator[Record]:
        """Read what the files have now, and give each record as soon as it is in the graph.

        Args:
            is_whole: whether nothing will be added any more; else a last line without line feed waits.
        """
        heap: list[tuple[int, int, str]] = []
        for place, (file, stream) in enumerate(self._streams.items()):
            if stream.records is None and (stream.source.has_more() or (is_whole and stream.source.torn)):
                stream.records = self._read(stream, is_whole=is_whole)
            if stream.head is not None or self._advance(stream):
                heappush(heap, (stream.last_ms, place, file))
        while heap:
            _, place, file = heappop(heap)
            stream = self._streams[file]
            record, stream.head = stream.head, None
            if record is None:
                continue
            fed = self._feed(stream, record)
            self.graph.settle()
            yield fed
            if self._advance(stream):
                heappush(heap, (stream.last_ms, place, file))

    def _advance(self, stream: _Stream) -> bool:
        """Bring the next record of a file to hand; say whether there is one."""
        stream.head = None if stream.records is None else next(stream.records, None)
        if stream.head is None:
            stream.records = None
            return False
        at = stream.head.at_unix_ms
        # A clock may be set back; the order in a file is the order of what happened.
        stream.last_ms = max(stream.last_ms, at or 0)
        return True

    def _read(self, stream: _Stream, *, is_whole: bool) -> Iterator[Record]:
        source = stream.source
        for line in source.lines(is_whole=is_whole):
            self.lines += 1
            try:
                record = read_record(line)
            except Malformed as error:
                self._report_line(line, str(error), stream.segment.thread_id)
                continue
            if record is not None:
                yield record
        if source.fault is not None:
            self.graph.report_file(source.file, source.fault, REST_LOST)

    def _report_line(self, line: SessionLine, reason: str, thread_id: str) -> None:
        if not line.ended:
            reason = f"the file ends in the middle of this line ({reason})"
        self.graph.report(reason, LINE_LOST, line, thread_id=thread_id)

    def _feed(self, stream: _Stream, record: Record) -> Record:
        self._seq += 1
        record.seq = self._seq
        if record.at_unix_ms is None:
            record.at_unix_ms = stream.last_ms or self._last_ms
        self._last_ms = record.at_unix_ms
        self.graph.touched.clear()
        stream.segment.feed(record)
        self.provenance.add(record, stream.segment.thread_id or None, self.graph.touched)
        return record

    def note_missing(self) -> None:
        """Note the threads that others name, but whose files are not there, as problems."""
        trace = self.graph.trace
        named = {
            edge_id.rpartition(":")[2] for edge_id in trace.interaction_edges if edge_id.startswith(SPAWN)
        }
        for header in self.shared.threads.headers.values():
            named |= {header.parent_id or header.thread_id}
        for one in sorted(named - trace.threads.keys() - self._missing):
            self._missing.add(one)
            reason = f"there is no session file of thread {one}"
            self.graph.problems.append(Problem(reason=reason, consequence=MISSING_THREAD, thread_id=one))

    # Histories that files go on from

    def _begin(self, segment: Segment, record: Record) -> None:
        """Give a file the history that its header names."""
        base = None if segment.header is None else segment.header.base
        if base is None:
            return
        stream = self._by_file_id.get(base.file_id)
        if stream is None or stream.segment is segment:
            self._report_base(
                segment, record, f"the file {base.file_id}, whose history it goes on from, is missing"
            )
            return
        self._drain(stream, base.end_ordinal)
        other = stream.segment
        end = other.end_of(base.end_ordinal)
        if end is None:
            self._report_base(segment, record, f"{other.file} does not reach record {base.end_ordinal - 1}")
        elif base.end_offset is not None and end != base.end_offset:
            reason = f"record {base.end_ordinal} does not begin at byte {base.end_offset} of {other.file}"
            self._report_base(segment, record, reason)
        entries, window = other.history.at(base.end_ordinal)
        if other.thread_id != segment.thread_id:
            entries = [self._inherited(entry, segment.thread_id, other.thread_id) for entry in entries]
        segment.history.is_whole = segment.history.is_whole and other.history.is_whole
        segment.history.begin(base.end_ordinal, entries, window)
        segment.form.is_lite = other.form.is_lite

    def _drain(self, stream: _Stream, end_ordinal: int) -> None:
        """Read another file up to a record first, should its clock have been ahead."""
        touched = dict(self.graph.touched)
        while stream.head is not None and (stream.head.ordinal or 0) < end_ordinal:
            self._feed(stream, stream.head)
            touched |= self.graph.touched
            self._advance(stream)
        self.graph.touched = touched

    def _inherited(self, entry: Entry, thread_id: str, from_thread_id: str) -> Entry:
        items = self.graph.trace.conversation_items
        known = items[entry.item_id]
        item: ConversationItem = structs.replace(
            known, item_id=self.graph.next_item_id(), thread_id=thread_id, produced_by=[]
        )
        self.graph.add_item(item)
        self.graph.inherited[item.item_id] = from_thread_id
        return structs.replace(entry, item_id=item.item_id)

    def _report_base(self, segment: Segment, record: Record, reason: str) -> None:
        segment.history.is_whole = False
        self.graph.report(reason, HISTORY_MISSING, record.line, record, thread_id=segment.thread_id)
