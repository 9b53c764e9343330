"""Search over everything of one bundle: items, arguments, results, payloads, ids; hits in order of the log.

Nearly every text of a bundle stands in its payloads, so these are searched, each file once; the graph answers
for ids and for what only the log says. Lines that were refused are searched as they are, with the payloads
that only they name. A text that stands in many payloads is reported for one place:

- Requests repeat the history. Where one only adds to the one before it in its thread, only that is looked at;
  and a hit in an item is reported where the item is first seen, as a hit of the item.
- What else a request repeats, such as its tools, is reported once per thread.
- Of several payloads of one tool call that say the same, the first is reported.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Hashable, Iterable, Iterator
from enum import StrEnum
from heapq import merge
from itertools import chain
from operator import attrgetter
from time import monotonic
from typing import NamedTuple

from reducer import EventRecord, ObjectRef, UnreadablePayload
from reducer.model import ConversationItem
from reducer.wire.payload_refs import PayloadRef, ShardRef
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.search.ids import Said, find_ids, texts_of_log
from rollout_tui.insight.search.owners import Owner, Owners, element_around
from rollout_tui.insight.search.query import Match, Query, match_plain, places_in
from rollout_tui.insight.search.refused import RefusedLine, refused_lines
from rollout_tui.texts.json_value import JsonValues

MAX_HITS = 2000
"""Hits that are kept; further ones are counted."""

MAX_COUNTED = 100_000
"""A search that found so many ends."""

STEP_SECONDS = 0.002
"""Work between two pauses."""

_THREADS_REMEMBERED = 8
"""Threads whose last request is kept to compare the next one with."""

_MARGIN = 512
"""Bytes of what two requests share that are looked at again, for matches across its border."""

_BLANKS = 256
"""White space between two elements of a list, at most; with more, nothing is taken to be shared."""

_CHUNK = 1 << 16
_BACKSLASH = b"\\"[0]
_ENVELOPE = frozenset({"type", "role", "id", "call_id", "status", "phase"})
"""Keys of an item whose values are not what it says."""


class Where(StrEnum):
    """In what kind of place a hit is."""

    ID = "id"
    ITEM = "item text"
    PAYLOAD = "payload"
    LOG = "log"


class Hit(NamedTuple):
    """A place where the query was found.

    Attributes:
        ref: the object it belongs to; `Event` by sequence number where the graph has no object for it.
        seq: sequence number of the event that brought it.
        thread_id: the thread of the object, if it has one.
        where: the kind of place.
        what: the place in words: the kind of an id, or a payload and the path in it.
        payload: the payload it stands in, if it stands in one.
        path: keys and positions from the top of the payload to the value; empty where it is no JSON.
        match: the text around it.
    """

    ref: ObjectRef
    seq: int
    thread_id: str | None
    where: Where
    what: str
    payload: PayloadRef | None
    path: tuple[str | int, ...]
    match: Match


class Search:
    """One search. `steps` does the work; the other attributes say how far it is, also to another thread.

    Attributes:
        query: what is searched for.
        payloads: payload files there are.
        payloads_read: how many of them were searched so far.
        bytes_read: bytes of these.
        unreadable: payload files that could not be read, and were skipped.
        found: hits so far, those beyond `max_hits` included.
        is_cut: whether the search ended early because there were too many hits.
    """

    def __init__(
        self,
        index: TraceIndex,
        query: Query,
        read: Callable[[PayloadRef], bytes],
        *,
        max_hits: int = MAX_HITS,
    ) -> None:
        """Prepare a search.

        Args:
            index: the graph of the bundle.
            query: what to look for.
            read: reads what a payload holds itself, without its parts; raises `UnreadablePayload`.
            max_hits: hits to give; further ones are counted only.
        """
        self.query = query
        self.payloads = len({ref.place for ref in index.trace.raw_payloads.values()})
        self._is_session = index.reduction.rebuilt_from is not None
        if self._is_session:
            self.payloads = len(index.reduction.provenance.events)
        self.payloads_read = self.bytes_read = self.unreadable = self.found = 0
        self.is_cut = False
        self._index = index
        self._read = read
        self._max_hits = max_hits
        self._owners: Owners | None = None
        self._hits: list[Hit] = []
        self._reported: set[int] = set()
        self._places_read: set[str] = set()
        self._last_request: OrderedDict[str, bytes] = OrderedDict()

    @property
    def more(self) -> int:
        """Hits that were counted but not given."""
        return max(0, self.found - self._max_hits)

    def steps(self) -> Iterator[list[Hit]]:
        """Search, pausing every few milliseconds.

        Yields:
            The hits since the last pause, in order of the log after those found by id; often none.
        """
        due = monotonic() + STEP_SECONDS
        for _step in self._work():
            if self.found >= MAX_COUNTED:
                self.is_cut = True
                break
            if monotonic() >= due:
                yield self._take()
                due = monotonic() + STEP_SECONDS
        yield self._take()

    def _take(self) -> list[Hit]:
        taken, self._hits = self._hits, []
        return taken

    def _work(self) -> Iterator[None]:
        owners = self._owners = Owners(self._index)
        yield
        self._find_ids(owners)
        yield
        said = deque(texts_of_log(self._index))
        for line in self._lines():
            while said and said[0][0] <= line.seq:
                self._look_at_said(*said.popleft())
            if isinstance(line, RefusedLine):
                yield from self._search_refused(line)
                continue
            for ref in self._index.reduction.provenance.evidence_of(line):
                owner = owners.of_payload(line, ref.raw_payload_id)
                yield from self._search_payload(ref, line.seq, owner)
            yield
        for one in said:
            self._look_at_said(*one)
            yield

    def _lines(self) -> Iterator[EventRecord | RefusedLine]:
        """All lines in their order; those of several files that tell nothing come behind the others."""
        events: Iterable[EventRecord | RefusedLine] = self._index.reduction.provenance.events
        refused = refused_lines(self._index)
        if self._is_session:
            return chain(events, refused)
        return merge(events, refused, key=attrgetter("line"))

    # What is no payload

    def _find_ids(self, owners: Owners) -> None:
        events = self._index.reduction.provenance.events
        brought_by = {ref.raw_payload_id: event for event in events for ref in event.payloads}
        for (ref, thread_id), found_id, what in find_ids(self._index, self.query.text):
            payload = None
            if ref.type == "Payload":
                payload = self._index.trace.raw_payloads[ref.id]
                event = brought_by.get(ref.id)
                if event is None:
                    continue
                ref, thread_id = owners.of_payload(event, payload.raw_payload_id)
                seq: int | None = event.seq
            else:
                seq = int(ref.id) if ref.type == "Event" else self._index.first_seq(ref)
            match = Match(found_id, 0, len(found_id))
            self._add(Hit(ref, seq or 0, thread_id, Where.ID, what, payload, (), match))

    def _look_at_said(self, seq: int, said: Said) -> None:
        match = match_plain(self.query, said.text)
        if match is not None and self._is_new(Scope(said.owner.ref), said.text):
            (ref, thread_id), what = said.owner, said.what
            self._add(Hit(ref, seq, thread_id, Where.LOG, what, None, (), match))

    def _search_refused(self, line: RefusedLine) -> Iterator[None]:
        """Search a line that is not in the graph, and the payloads that it names."""
        for place in places_in(self.query, line.data):
            if place is None:
                yield
                continue
            path = "" if place.values is None else place.values.path(place.node)
            what = f"log line {line.line} {path}".rstrip()
            self._add(Hit(line.owner.ref, line.seq, None, Where.LOG, what, None, (), place.match))
        for ref in line.payloads:
            self.payloads += ref.raw_payload_id not in self._index.trace.raw_payloads
            yield from self._search_payload(ref, line.seq, line.owner)

    # Payloads

    def _search_payload(self, ref: PayloadRef, seq: int, owner: Owner) -> Iterator[None]:
        if ref.place in self._places_read:
            return
        self._places_read.add(ref.place)
        try:
            data = self._read(ref)
        except UnreadablePayload:
            self.unreadable += 1
            return
        yield
        payload = _Payload(ref, seq, owner, data)
        for place in places_in(self.query, data, self._first_new(payload)):
            if place is None:
                yield
            elif place.values is None:
                (of, thread_id), what = owner, _payload_words(ref)
                self._add(Hit(of, seq, thread_id, Where.PAYLOAD, what, ref, (), place.match))
            else:
                self._report(payload, place.values, place.node, place.match)
        self.payloads_read += 1
        self.bytes_read += len(data)
        # What many prompts have in common is searched once, with the first of them.
        for part in ref.parts if isinstance(ref, ShardRef) else ():
            yield from self._search_payload(part, seq, owner)

    def _first_new(self, payload: _Payload) -> int:
        """Where in a payload that begins which the request before it did not have, in bytes."""
        thread_id = payload.owner.thread_id
        if payload.ref.kind.type != "inference_request" or thread_id is None:
            return 0
        before = self._last_request.pop(thread_id, b"")
        self._last_request[thread_id] = payload.data
        if len(self._last_request) > _THREADS_REMEMBERED:
            self._last_request.popitem(last=False)
        return first_new(before, payload.data)

    def _report(self, payload: _Payload, values: JsonValues, node: int, match: Match) -> None:
        """Make a hit of a match, unless it was reported elsewhere."""
        path = tuple(values.steps(node))
        said = _identity(values, node, match)
        ref, thread_id = payload.owner
        where, scope = Where.PAYLOAD, Scope(ref)
        item, depth = self._item_around(payload, values, node)
        if item is not None:
            ref, thread_id = ObjectRef("ConversationItem", item.item_id), item.thread_id
            self._is_new(Scope(thread_id), said)
            scope = Scope(ref)
            where = Where.ITEM if match.part == "value" and _is_said(path[depth:]) else Where.PAYLOAD
        elif depth or payload.ref.kind.type == "inference_request" or self._repeats(payload):
            scope = Scope(thread_id)
        if self._is_new(scope, said):
            what = f"{_payload_words(payload.ref)} {values.path(node)}"
            self._add(Hit(ref, payload.seq, thread_id, where, what, payload.ref, path, match))

    def _repeats(self, payload: _Payload) -> bool:
        """Whether a payload is a record of a session that has items again which were recorded before."""
        return self._is_session and payload.owner.ref.type == "Compaction"

    def _item_around(
        self, payload: _Payload, values: JsonValues, node: int
    ) -> tuple[ConversationItem | None, int]:
        """The item that a value belongs to, and how many steps of its path lead to that item."""
        owner = payload.owner
        if owner.ref.type == "ConversationItem":
            # A record of a session has its item as one of its members.
            return self._index.trace.conversation_items.get(owner.ref.id), int(self._is_session)
        if payload.ref.kind.type == "model_item" and self._owners is not None:
            return self._owners.item_like(owner.thread_id, values, 0), 0
        around = element_around(values, node)
        if around is None or self._owners is None:
            return None, 0
        item = self._owners.item_at(payload.ref.raw_payload_id, owner.thread_id, values, *around)
        return item, 2

    def _is_new(self, scope: Scope, said: Hashable) -> bool:
        """Whether something was not reported in a scope before; it is now."""
        key = hash((scope, said))
        if key in self._reported:
            return False
        self._reported.add(key)
        return True

    def _add(self, hit: Hit) -> None:
        self.found += 1
        if self.found <= self._max_hits:
            self._hits.append(hit)


class Scope(NamedTuple):
    """Within what a text is reported once: an object, or all requests of a thread."""

    within: ObjectRef | str | None


class _Payload(NamedTuple):
    """A payload that was read."""

    ref: PayloadRef
    seq: int
    owner: Owner
    data: bytes


def first_new(before: bytes, data: bytes) -> int:
    """Where what one JSON text adds to another begins, if all it does is to add elements to a list.

    What follows the list in both does not count. Where a string could begin before that place and end after
    it, the place is before the string.

    Args:
        before: the other text.
        data: the text.

    Returns:
        The place in bytes; 0 where the text differs in any other way; its length where it does not.
    """
    head = _common_head(before, data)
    if head == len(data) == len(before):
        return head
    ends_list = before[head : head + _BLANKS].lstrip().startswith(b"]")
    if not ends_list or not data[head : head + _BLANKS].lstrip().startswith(b","):
        return 0
    # Inside a string, every quote has a backslash before it.
    start = data.rfind(b'"', 0, head)
    while start > 0 and data[start - 1] == _BACKSLASH:
        start = data.rfind(b'"', 0, start)
    return max(0, start - _MARGIN)


def _common_head(one: bytes, other: bytes) -> int:
    """How many bytes two texts have in common at their beginnings."""
    shorter = min(len(one), len(other))
    low = 0
    while low < shorter and one[low : low + _CHUNK] == other[low : low + _CHUNK]:
        low += _CHUNK
    low = min(low, shorter)
    high = min(shorter, low + _CHUNK)
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _is_said(path: tuple[str | int, ...]) -> bool:
    """Whether what stands at a path in an item is what the item says, not how it is labelled."""
    return bool(path) and path[0] not in _ENVELOPE and path[-1] != "type"


def _identity(values: JsonValues, node: int, match: Match) -> Hashable:
    """What was matched: the same text elsewhere is the same."""
    if match.part == "key":
        return ("key", values.key(node))
    if match.part == "value":
        return values.text(node)
    return (values.key(node), b"" if values.index.is_container(node) else values.value_bytes(node))


def _payload_words(ref: PayloadRef) -> str:
    """A payload in a few words: its number and its kind."""
    return f"{ref.raw_payload_id.rpartition(':')[2]} {ref.kind.type.replace('_', ' ')}"
