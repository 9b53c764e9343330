"""Damaging sound bundles in memory, and telling what the damage can have reached."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from bundle_builder import WholePayloads
from hypothesis import strategies as st
from places import REPOSITORY, SHARED

from reducer import Bundle, Replay, RolloutTrace, UnreadablePayload, open_bundle
from reducer.errors import Malformed
from reducer.schemas import SCHEMAS, Schema
from reducer.storage.bundle import LogLine
from reducer.wire.log import decode_event
from reducer.wire.payload_refs import PayloadRef

Json = Any
Key = tuple[Hashable, ...]

AGENT_KINDS = {"spawn_agent", "assign_agent_task", "send_message", "close_agent"}
TERMINAL_KINDS = {"exec_command", "write_stdin"}
INTERPRETED = {"inference_started", "inference_completed", "compaction_installed"}


# Bundles in memory


class MemoryBundle(WholePayloads):
    """A bundle whose payloads are held in memory."""

    def __init__(self, found: Bundle, payloads: dict[str, bytes]) -> None:
        super().__init__(found.folder, found.manifest)
        self.kept = payloads

    def read_payload(self, ref: PayloadRef) -> bytes:
        data = self.kept.get(ref.place)
        if data is None:
            raise UnreadablePayload("no such file or directory")
        return data


def replayed(bundle: Bundle, lines: Iterable[bytes]) -> Replay:
    """A replay to the end of these lines, payloads verified."""
    replay = Replay(bundle)
    for number, data in enumerate(lines, 1):
        replay.feed(LogLine(number, 0, data, True, len(data) + 1))
    return replay


@dataclass(repr=False)
class Sample:
    """A sound bundle, what came of it, and what each of its events reads and writes."""

    bundle: MemoryBundle
    lines: list[bytes]
    schema: Schema

    def __post_init__(self) -> None:
        replay = replayed(self.bundle, self.lines)
        self.trace = replay.graph()
        replay.verify_payloads()
        assert replay.problems == []
        self.provenance = replay.provenance
        self.events: list[Json] = [json.loads(line) for line in self.lines]
        self.footprints = Footprints(self).all()

    def __repr__(self) -> str:
        return f"{len(self.lines)} lines of {self.bundle.path}"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))


def is_sound(path: Path) -> bool:
    bundle = open_bundle(path)
    replay = replayed(bundle, (line.data for line in bundle.lines()))
    replay.graph()
    replay.verify_payloads()
    return not replay.problems


@cache
def sample(path: Path, length: int) -> Sample:
    """The first lines of a bundle: what a recorder that was killed would have left."""
    bundle = open_bundle(path)
    lines = [line.data for line in bundle.lines()][:length]
    payloads = {f"payloads/{file.name}": file.read_bytes() for file in (path / "payloads").iterdir()}
    schema = SCHEMAS[bundle.manifest.schema_version]
    return Sample(MemoryBundle(bundle, payloads), lines, schema)


@cache
def sound_bundles(schema: int) -> list[Path]:
    """Recorded bundles of a schema, and the demo bundles, as far as nothing is wrong with them."""
    found = {1: SHARED / "bundles-v1", 2: SHARED / "bundles"}[schema]
    paths = sorted(found.glob("*/bundle"))
    if schema == 2:
        paths += [REPOSITORY / "demo_traces" / name for name in ("schema-2",)]
    return [path for path in paths if is_sound(path)]


# Damage


@dataclass
class Line:
    """A line of a damaged log.

    Attributes:
        origin: which event it is, or was, from 0.
        data: its bytes.
        touched: whether it was damaged or moved.
    """

    origin: int
    data: bytes
    touched: bool = False


@dataclass(repr=False)
class Damaged:
    """A damaged log and the damaged payloads; `done` says how they were damaged."""

    lines: list[Line]
    dropped: set[int] = field(default_factory=set)
    payloads: dict[str, bytes | None] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)

    def __repr__(self) -> str:
        return f"damaged by {self.done}"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))


LINE_DAMAGES = ("drop", "repeat", "swap", "truncate", "corrupt", "blank")
PAYLOAD_DAMAGES = ("delete", "truncate", "swap", "corrupt")


@st.composite
def damages(draw: st.DrawFn, whole: Sample) -> Damaged:
    """One to four damages of lines and payloads."""
    count = len(whole.lines)
    damaged = Damaged([Line(place, data) for place, data in enumerate(whole.lines)])
    paths = sorted({path for event in whole.events for _, path in references(event)})
    for _ in range(draw(st.integers(1, 4))):
        first, second = draw(st.integers(0, count - 1)), draw(st.integers(0, count - 1))
        if paths and draw(st.integers(0, 3)) == 0:
            one, other = paths[first % len(paths)], paths[second % len(paths)]
            what, place, byte = (
                draw(st.sampled_from(PAYLOAD_DAMAGES)),
                draw(st.integers(0, 10**6)),
                draw(BYTES),
            )
            damage_payload(damaged, whole.bundle.kept, what, one, other, place, byte)
        elif damaged.lines:
            what, place, byte = draw(st.sampled_from(LINE_DAMAGES)), draw(st.integers(0, 10**6)), draw(BYTES)
            damage_line(damaged, what, first % len(damaged.lines), second % len(damaged.lines), place, byte)
    return damaged


BYTES = st.sampled_from([b"\x00", b"\xff", b'"', b"}", b"0", b"a", b"\\", b" "])


def damage_line(damaged: Damaged, what: str, first: int, second: int, place: int, byte: bytes) -> None:
    lines = damaged.lines
    line = lines[first]
    damaged.done.append(f"{what} {first} {second} {place} {byte!r}")
    cut = place % max(len(line.data), 1)
    if what == "drop":
        del lines[first]
        damaged.dropped.add(line.origin)
    elif what == "repeat":
        line.touched = True
        lines.insert(second, Line(line.origin, line.data, True))
    elif what == "swap":
        lines[first], lines[second] = lines[second], lines[first]
        lines[first].touched = lines[second].touched = True
    elif what == "truncate":
        lines[first] = Line(line.origin, line.data[:cut], True)
    elif what == "corrupt" and line.data:
        lines[first] = Line(line.origin, line.data[:cut] + byte + line.data[cut + 1 :], True)
    elif what == "blank":
        lines.insert(first, Line(-1, b" "))


def damage_payload(
    damaged: Damaged, sound: dict[str, bytes], what: str, one: str, other: str, place: int, byte: bytes
) -> None:
    data = damaged.payloads.get(one, sound.get(one))
    damaged.done.append(f"{what} {one} {other} {place} {byte!r}")
    if what == "swap":
        damaged.payloads[other], damaged.payloads[one] = data, damaged.payloads.get(other, sound.get(other))
    elif what == "delete" or not data:
        damaged.payloads[one] = None
    elif what == "truncate":
        damaged.payloads[one] = data[: place % len(data)]
    else:
        cut = place % len(data)
        damaged.payloads[one] = data[:cut] + byte + data[cut + 1 :]


def references(event: Json) -> Iterator[tuple[str, str]]:
    """Ids and paths of the payloads that an event refers to."""
    for value in event["payload"].values():
        for one in value if isinstance(value, list) else (value,):
            if isinstance(one, dict) and "raw_payload_id" in one:
                yield one["raw_payload_id"], one["path"]


# What an event reads and writes


class Footprints:
    """Which parts of the reducer's state each event can read and write, by the rules of the format.

    A part is named by a tuple such as `("tool", id)`. An event that reads a part may fail, or do
    something else, when that part is not as it was. What is only linked on sight (tools to items, cells to
    tools) is no part.
    """

    def __init__(self, whole: Sample) -> None:
        self._whole = whole
        trace = whole.trace
        self._threads = list(trace.threads)
        self._calls_of_turn: dict[str, list[str]] = defaultdict(list)
        for call in trace.inference_calls.values():
            self._calls_of_turn[call.codex_turn_id].append(call.inference_call_id)
        self._tool_names = self._named_by_tools()

    def all(self) -> list[tuple[set[Key], set[Key]]]:
        return [self._of(event) for event in self._whole.events]

    def _named_by_tools(self) -> dict[str, set[str]]:
        """The threads that the events of a tool call name anywhere, payloads included; the own one aside."""
        named: dict[str, set[str]] = defaultdict(set)
        for event in self._whole.events:
            tool = event["payload"].get("tool_call_id")
            if tool is None:
                continue
            text = json.dumps(event["payload"]).encode()
            for _, path in references(event):
                text += self._whole.bundle.kept.get(path, b"")
            named[tool] |= {thread for thread in self._threads if thread.encode() in text}
        return named

    def _thread_of(self, event: Json) -> str | None:
        """The thread in which an event happens."""
        trace: RolloutTrace = self._whole.trace
        body = event["payload"]
        if event.get("thread_id") or body.get("thread_id"):
            return str(event.get("thread_id") or body["thread_id"])
        for name, known in (
            ("tool_call_id", trace.tool_calls),
            ("inference_call_id", trace.inference_calls),
            ("compaction_request_id", trace.compaction_requests),
            ("codex_turn_id", trace.codex_turns),
        ):
            found = known.get(body.get(name) or event.get(name))  # type: ignore[attr-defined]
            if found is not None:
                return str(found.thread_id)
        return None

    def _of(self, event: Json) -> tuple[set[Key], set[Key]]:
        body, kind = event["payload"], event["payload"]["type"]
        thread = self._thread_of(event)
        turn = body.get("codex_turn_id") or event.get("codex_turn_id")
        reads: set[Key] = set()
        if kind in ("rollout_started", "rollout_ended", "recording_completed", "protocol_event_observed"):
            return reads, {("rollout", kind)} if kind != "protocol_event_observed" else set()
        reads = {("thread", thread)} | ({("turn", turn)} if turn else set())
        make = getattr(self, f"_{kind.partition('_')[0]}")
        more, writes = make(body, kind, thread, turn)
        return reads | more, writes

    def _context(self, thread: Hashable) -> set[Key]:
        """What mapping a list of items reads and writes."""
        return {("context", thread), ("edges", thread)}

    def _thread(self, body: Json, kind: str, thread: str, turn: str) -> tuple[set[Key], set[Key]]:
        writes: set[Key] = {("thread", thread)}
        if kind != "thread_ended":
            # Its path tells who sent a letter, its being there where an undelivered spawn leads.
            writes |= {("edges", one) for one in self._threads} | {("cells", thread), ("terminal", thread)}
        return set(), writes

    def _codex(self, body: Json, kind: str, thread: str, turn: str) -> tuple[set[Key], set[Key]]:
        writes: set[Key] = {("turn", turn)}
        if kind == "codex_turn_ended":
            writes |= {("cells", thread), *(("call", call) for call in self._calls_of_turn[turn])}
        return set(), writes

    def _history(self, body: Json, kind: str, thread: str, turn: str) -> tuple[set[Key], set[Key]]:
        touched = self._context(thread) if body.get("agent_message_payload") else set()
        return touched, {*touched, ("receipt", thread, body["item_id"]), ("receipts", thread)}

    def _inference(self, body: Json, kind: str, thread: str, turn: str) -> tuple[set[Key], set[Key]]:
        touched = {*self._context(thread), ("call", body["inference_call_id"])}
        return touched, {*touched, ("cells", thread)}

    def _tool(self, body: Json, kind: str, thread: str, turn: str) -> tuple[set[Key], set[Key]]:
        tool = body["tool_call_id"]
        reads: set[Key] = {("tool", tool)}
        if body.get("model_visible_call_id"):
            reads.add(("call id", body["model_visible_call_id"]))
        if body.get("requester", {}).get("type") == "code_cell":
            reads.add(("cells", thread))
        writes = {*reads} - {("cells", thread)} | {("tools", thread)}
        call = self._whole.trace.tool_calls.get(tool)
        named = self._tool_names[tool] - {thread}
        kinds = {type(call.kind).__struct_config__.tag if call else None, body.get("kind", {}).get("type")}
        if kinds & TERMINAL_KINDS or (call and call.terminal_operation_id):
            writes.add(("terminal", thread))
        if kinds & AGENT_KINDS or named:
            edges: set[Key] = {("edges", one) for one in named or self._threads}
            writes |= edges
            reads |= edges if "runtime" in kind else set()
        return reads, writes

    def _mcp(self, body: Json, kind: str, thread: str, turn: str) -> tuple[set[Key], set[Key]]:
        return {("tool", body["tool_call_id"])}, {("tool", body["tool_call_id"])}

    def _stdin(self, body: Json, kind: str, thread: str, turn: str) -> tuple[set[Key], set[Key]]:
        tools: set[Key] = {("tool", body["tool_call_id"]), ("tool", body["exec_tool_call_id"])}
        # A terminal that is moved to is that of the other operation.
        return {*tools, ("terminal", thread)}, {("tool", body["tool_call_id"]), ("terminal", thread)}

    def _code(self, body: Json, kind: str, thread: str, turn: str) -> tuple[set[Key], set[Key]]:
        cells: set[Key] = {("cells", thread)}
        if "model_visible_call_id" in body:
            cells.add(("cell id", body["model_visible_call_id"]))
        return {*cells, ("context", thread)}, cells

    def _compaction(self, body: Json, kind: str, thread: str, turn: str) -> tuple[set[Key], set[Key]]:
        if kind != "compaction_installed":
            request: Key = ("compaction request", body["compaction_request_id"])
            return {request}, {request, ("compaction", body["compaction_id"])}
        touched = {*self._context(thread), ("compaction", body["compaction_id"])}
        return touched, {*touched, ("cells", thread)}

    def _agent(self, body: Json, kind: str, thread: str, turn: str) -> tuple[set[Key], set[Key]]:
        child, parent = body["child_thread_id"], body["parent_thread_id"]
        reads: set[Key] = {("edges", parent), ("context", child), ("thread", child)}
        return reads, {("edges", parent)}


# What the damage reached


@dataclass
class Reach:
    """What may be other than in the undamaged reduction.

    Attributes:
        events: the events, by their place in the undamaged log.
        parts: the parts of the state that they write.
        forged_from: the place from which nothing can be told, since a damaged line says something else now.
    """

    events: set[int]
    parts: set[Key]
    forged_from: int


_SEQ = re.compile(rb'"seq":(\d+)')


def decodes(line: bytes, schema: Schema) -> bool:
    try:
        decode_event(line, schema.line)
    except Malformed:
        return False
    return True


def reach(whole: Sample, damaged: Damaged) -> Reach:
    """Follow the damage: an event that reads something damaged is damaged, and so is what it writes."""
    begins: dict[int, int] = {}
    forged_from = len(whole.lines)
    following = len(whole.lines)
    copies: dict[int, list[tuple[int, Line]]] = defaultdict(list)
    # From the end: `following` is the first untouched event after a line.
    for position in range(len(damaged.lines) - 1, -1, -1):
        line = damaged.lines[position]
        if line.origin < 0:
            continue
        if not line.touched:
            following = line.origin
            continue
        copies[line.origin].append((position, line))
        begins[line.origin] = min(begins.get(line.origin, line.origin), following, line.origin)
        if line.data != whole.lines[line.origin] and is_forged(line, whole):
            forged_from = min(forged_from, begins[line.origin], following)
    for origin in damaged.dropped:
        begins[origin] = min(begins.get(origin, origin), origin)
    for origin, event in enumerate(whole.events):
        if any(path in damaged.payloads for _, path in references(event)):
            begins[origin] = min(begins.get(origin, origin), origin)
    return followed(whole, begins, forged_from)


def is_forged(line: Line, whole: Sample) -> bool:
    """Whether a damaged line still says something, and not what it said: an event, or another number."""
    claimed, own = _SEQ.search(line.data), _SEQ.search(whole.lines[line.origin])
    if claimed is not None and own is not None and claimed[1] != own[1]:
        return True
    return decodes(line.data, whole.schema)


def followed(whole: Sample, begins: dict[int, int], forged_from: int) -> Reach:
    starting: dict[int, list[int]] = defaultdict(list)
    for origin, begin in begins.items():
        starting[begin].append(origin)
    events, parts = set(begins), set[Key]()
    for place, (reads, writes) in enumerate(whole.footprints):
        for origin in starting[place]:
            parts |= whole.footprints[origin][1]
        if place in events or place >= forged_from or not parts.isdisjoint(reads):
            events.add(place)
            parts |= writes
    return Reach(events, parts, forged_from)
