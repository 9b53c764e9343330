"""Lenient replay: sound logs as strict, failing events without a trace, damage named and survived."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from bundle_builder import ROOT, BundleBuilder, WholePayloads, compact, message
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs
from places import REPOSITORY
from scenes import everything

from reducer import (
    Bundle,
    BundleError,
    Problem,
    Refused,
    Replay,
    UnreadablePayload,
    open_bundle,
    reduce_bundle,
    state_json,
)
from reducer.consequences import DONE_WITHOUT
from reducer.schemas import SCHEMAS
from reducer.storage.bundle import LogLine
from reducer.storage.stored_payloads import StoredPayloads
from reducer.wire.payload_refs import PayloadRef

Json = Any


class Sample:
    """A sound bundle: its lines, and a directory with its payloads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.bundle = open_bundle(path)
        self.lines = [line.data for line in self.bundle.lines()]


@cache
def sample(name: str) -> Sample:
    path = Path(_directory.name) / name
    if name in EVERYTHING:
        everything(path, EVERYTHING[name]).write()
    elif name == UNFINISHED:
        everything(path, 3, unfinished={2}).write()
    else:
        shutil.copytree(REPOSITORY / "demo_traces" / name, path)
    return Sample(path)


_directory = TemporaryDirectory()
EVERYTHING = {f"everything of schema {schema}": schema for schema in SCHEMAS}
UNFINISHED = "everything, and a last shard without its end"
SAMPLES = st.sampled_from([*EVERYTHING, "quickstart"])
DAMAGED_SAMPLES = SAMPLES.filter(lambda name: EVERYTHING.get(name) != 1)
"""Of schema 1, lenient replay remarks on more than strict replay refuses."""


@pytest.fixture(autouse=True, scope="module")
def _samples() -> Iterator[None]:
    yield
    sample.cache_clear()
    _directory.cleanup()


def log_line(number: int, data: bytes, *, ended: bool = True) -> LogLine:
    return LogLine(number, 0, data, ended, len(data) + ended)


def fed(bundle: Bundle, lines: list[bytes], *, strict: bool = False) -> Replay:
    """A replay of these lines, payloads not verified."""
    replay = Replay(bundle, strict=strict)
    for number, data in enumerate(lines, 1):
        replay.feed(log_line(number, data))
    return replay


def graph_of(replay: Replay) -> bytes:
    return state_json(replay.graph())


# Sound logs


@pytest.mark.slow
@pytest.mark.parametrize("name", EVERYTHING)
def test_every_prefix_is_reduced_as_strictly(name: str) -> None:
    """One replay that goes on equals a strict one for every place where the log could end."""
    found = sample(name)
    growing = Replay(found.bundle)
    for end in range(len(found.lines) + 1):
        if end:
            growing.feed(log_line(end, found.lines[end - 1]))
        strict = fed(found.bundle, found.lines[:end], strict=True)
        assert graph_of(growing) == graph_of(strict)
        assert len(growing.provenance.events) == end
    growing.verify_payloads()
    assert growing.problems == []


@pytest.mark.slow
def test_every_prefix_with_an_unfinished_shard_is_reduced_as_strictly() -> None:
    """That shard is sound until the log says that the recorder had done with it."""
    found = sample(UNFINISHED)
    growing = Replay(found.bundle)
    for end, line in enumerate(found.lines, 1):
        strict = fed(found.bundle, found.lines[:end], strict=True)
        growing.feed(log_line(end, line))
        growing.verify_payloads()
        assert graph_of(growing) == graph_of(strict)
        if end < len(found.lines):
            strict.verify_payloads()
            assert growing.problems == []
    with pytest.raises(Refused) as refused:
        strict.verify_payloads()
    assert growing.problems == [refused.value.problem]
    assert refused.value.problem.reference_says == "missing footer in payload shard 2"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["quickstart", "team", "schema-1"])
def test_prefixes_of_demo_traces(name: str) -> None:
    found = sample(name)
    for end in range(0, len(found.lines), 9):
        lenient, strict = (fed(found.bundle, found.lines[:end], strict=one) for one in (False, True))
        assert graph_of(lenient) == graph_of(strict)
        assert lenient.problems == []


@pytest.mark.slow
def test_prefixes_of_recordings(shared_dir: Path) -> None:
    for path in sorted(shared_dir.glob("bundles*/*/state.json")):
        if path.stat().st_size > 2_000_000:
            continue
        bundle = open_bundle(path.parent / "bundle")
        lines = [line.data for line in bundle.lines()]
        for end in (len(lines) // 3, len(lines) * 2 // 3):
            lenient, strict = (fed(bundle, lines[:end], strict=one) for one in (False, True))
            assert graph_of(lenient) == graph_of(strict)
            assert lenient.problems == []


# Events that fail


def references(event: Json) -> Iterator[tuple[Json, str]]:
    for key, value in event["payload"].items():
        if isinstance(value, dict) and "raw_payload_id" in value:
            yield event["payload"], key


@st.composite
def foreign_events(draw: st.DrawFn, lines: list[bytes]) -> bytes:
    """An event of the log in which ids, references and values were exchanged for others of the log."""
    event = json.loads(draw(st.sampled_from(lines)))
    other = json.loads(draw(st.sampled_from(lines)))
    for holder, key in [*references(event)]:
        choices = [line["payload"][name] for line in map(json.loads, lines) for _, name in references(line)]
        if draw(st.booleans()):
            holder[key] = draw(st.sampled_from(choices))
    for name in ("thread_id", "codex_turn_id"):
        if draw(st.integers(0, 3)) == 0:
            event[name] = other[name]
    for name, value in other["payload"].items():
        if name in event["payload"] and name != "type" and draw(st.booleans()):
            event["payload"][name] = value
    if draw(st.booleans()):
        name = draw(st.sampled_from(sorted(event["payload"])))
        fresh = draw(st.sampled_from(["fresh", None, 5, {"type": "write_stdin"}]))
        event["payload"][name] = event["payload"]["type"] if name == "type" else fresh
    return compact(event)


@pytest.mark.slow
@settings(max_examples=250)
@given(data=st.data(), name=SAMPLES)
def test_an_event_that_fails_leaves_nothing(data: st.DataObject, name: str) -> None:
    """The graph is as before, and the rest of the log is reduced as if the line were not there."""
    found = sample(name)
    position = data.draw(st.integers(1, len(found.lines)))
    foreign = with_seq(data.draw(foreign_events(found.lines)), position + 1)
    replay = fed(found.bundle, found.lines[:position])
    before, events = graph_of(replay), len(replay.provenance.events)
    touched = replay.feed(log_line(position + 1, foreign))
    # Events of schema 3 may be applied with a problem.
    failed = len(replay.provenance.events) == events
    if failed:
        assert replay.problems[0].line == position + 1
        assert graph_of(replay) == before
        assert touched == []
    without = fed(found.bundle, found.lines[:position])
    for number, line in enumerate(found.lines[position:], position + 2):
        shifted = log_line(number, with_seq(line, number))
        replay.feed(shifted)
        if failed:
            without.feed(shifted)
    if failed:
        assert graph_of(replay) == graph_of(without)
        assert replay.provenance.events == without.provenance.events
        gap = [problem for problem in without.problems if "is missing here" in problem.reason]
        own = [problem for problem in replay.problems if problem.line == position + 1]
        assert len(replay.problems) == len(own) + len(without.problems) - len(gap)


def with_seq(line: bytes, seq: int) -> bytes:
    return re.sub(rb'"seq":\d+', b'"seq":%d' % seq, line, count=1)


# Damage


DAMAGES = st.lists(
    st.tuples(
        st.sampled_from(["drop", "repeat", "swap", "truncate", "corrupt", "blank"]),
        st.integers(0, 10**6),
        st.integers(0, 10**6),
    ),
    min_size=1,
    max_size=4,
)
PAYLOAD_DAMAGES = st.lists(
    st.tuples(st.sampled_from(["delete", "empty", "truncate", "corrupt", "other"]), st.integers(0, 10**6)),
    max_size=3,
)


def damage_lines(lines: list[bytes], damages: list[Any]) -> list[bytes]:
    lines = [*lines]
    for what, first, second in damages:
        position, other = first % len(lines), second % len(lines)
        line = lines[position]
        cut = second % max(len(line), 1)
        if what == "drop" and len(lines) > 1:
            del lines[position]
        elif what == "repeat":
            lines.insert(other, line)
        elif what == "swap":
            lines[position], lines[other] = lines[other], line
        elif what == "truncate":
            lines[position] = line[:cut]
        elif what == "corrupt":
            lines[position] = line[:cut] + b'\xff"}' + line[cut + 3 :]
        elif what == "blank":
            lines.insert(position, b" \r")
    return lines


class DamagedBundle(WholePayloads):
    """Reads the payloads of a sound bundle, except for the damaged ones."""

    def __init__(self, found: Sample, damages: list[Any]) -> None:
        super().__init__(found.bundle.folder, found.bundle.manifest)
        self.damaged: dict[str, tuple[str, int]] = {}
        ids = sorted(fed(found.bundle, found.lines).graph().raw_payloads)
        for what, number in damages:
            self.damaged[ids[number % len(ids)]] = (what, number)

    def read_payload(self, ref: PayloadRef) -> bytes:
        data = b"".join(StoredPayloads(self.folder, strict=False).pieces(ref))
        what, number = self.damaged.get(ref.raw_payload_id, ("", 0))
        if what == "delete":
            raise UnreadablePayload("no such file or directory")
        if what == "corrupt":
            cut = number % len(data)
            return data[:cut] + b"\x00" + data[cut + 1 :]
        kept = {"empty": b"", "truncate": data[: number % len(data)], "other": b'{"type":"message"}'}
        return kept.get(what, data)


@pytest.mark.slow
@settings(max_examples=200)
@given(name=DAMAGED_SAMPLES, damages=DAMAGES, payload_damages=PAYLOAD_DAMAGES)
def test_damage_never_raises_and_is_named(name: str, damages: list[Any], payload_damages: list[Any]) -> None:
    found = sample(name)
    bundle = DamagedBundle(found, payload_damages)
    lines = damage_lines(found.lines, damages)
    replay = fed(bundle, lines)
    state_json(replay.graph())
    replay.verify_payloads()
    named = {problem.line for problem in replay.problems}
    for number, line in enumerate(lines, 1):
        if line.strip() and not is_json(line):
            assert number in named
    events = sum(1 for line in lines if line.strip())
    assert len(replay.provenance.events) <= events
    for problem in replay.problems:
        assert problem.reason
        assert problem.consequence.endswith(".")
        assert "\n" not in problem.where() + problem.reason + problem.consequence
    sound = [line for line in lines if is_json(line)]
    for payload_id, (what, _) in bundle.damaged.items():
        if what in ("delete", "empty") and any(b'"%s"' % payload_id.encode() in line for line in sound):
            assert replay.problems
    assert_strict_agrees(bundle, lines, replay.problems)


def assert_strict_agrees(bundle: Bundle, lines: list[bytes], problems: list[Problem]) -> None:
    """Strict stops at the first problem that lenient has."""
    strict = Replay(bundle, strict=True)

    def replay() -> None:
        for number, line in enumerate(lines, 1):
            strict.feed(log_line(number, line))
        strict.graph()
        strict.verify_payloads()

    if not problems:
        replay()
        return
    with pytest.raises(Refused) as refused:
        replay()
    first = problems[0]
    if first.consequence == DONE_WITHOUT:
        first = structs.replace(first, consequence=refused.value.problem.consequence)
    assert refused.value.problem == first


def is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


@settings(max_examples=60)
@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_are_some_log(data: bytes, ended: bool) -> None:
    found = sample("quickstart")
    replay = Replay(found.bundle)
    for number, line in enumerate(data.split(b"\n"), 1):
        replay.feed(log_line(number, line, ended=ended))
    assert replay.provenance.events == []


# One damage at a time


@pytest.fixture
def b(tmp_path: Path) -> BundleBuilder:
    builder = BundleBuilder(tmp_path / "bundle")
    builder.thread()
    builder.turn()
    builder.request("i1", [message("a")])
    return builder


def said(b: BundleBuilder, ending: bytes = b"\n") -> list[str]:
    b.write(ending)
    return [f"{problem.where()}: {problem.reason}" for problem in reduce_bundle(b.path).problems]


def test_a_torn_last_line_is_one_problem(b: BundleBuilder) -> None:
    b.line(b'{"schema_version":2,"seq":4,"wall_ti')
    (problem,) = said(b, ending=b"")
    assert problem == (
        "trace.jsonl line 4, seq 4: the log ends in the middle of this line "
        "(not valid JSON: unterminated string starting at character 29)"
    )
    assert list(b.reduce().trace.inference_calls) == ["i1"]


def test_a_torn_line_tells_what_it_still_can(b: BundleBuilder) -> None:
    whole = b.lines.pop()
    b.line(whole[: whole.index(b"inference_call_id")])
    (problem,) = b.reduce().problems
    assert (problem.seq, problem.event) == (3, "inference_started")
    assert problem.consequence.startswith("The inference call, what it showed the model")


def test_a_broken_line_does_not_upset_the_numbering(b: BundleBuilder) -> None:
    b.lines[1] = with_seq(b.lines[1], 9000)[:-1]
    assert [problem.line for problem in b.reduce().problems] == [2, 3]
    b.lines[2] = with_seq(b.lines[0], 3).replace(ROOT.encode(), b"other")
    assert [problem.line for problem in b.reduce().problems] == [2]


def test_problems_of_the_end_are_said_once(tmp_path: Path) -> None:
    b = BundleBuilder(tmp_path / "bundle")
    b.event("protocol_event_observed", event_type="x", event_payload=b.payload(b"bad"))
    replay = fed(open_bundle(b.write()), b.lines)
    for _ in range(2):
        replay.graph()
        replay.verify_payloads()
    assert [problem.raw_payload_id for problem in replay.problems] == ["raw_payload:1"]


def test_a_last_line_without_line_feed_is_fine(b: BundleBuilder) -> None:
    assert said(b, ending=b"") == []


def test_an_unknown_kind_of_event_is_one_problem(b: BundleBuilder) -> None:
    b.raw({"type": "thread_levitated", "thread_id": ROOT})
    b.request("i2", [])
    assert said(b) == [
        "trace.jsonl line 4, seq 4, thread_levitated: invalid value 'thread_levitated' at payload.type"
    ]
    assert list(b.reduce().trace.inference_calls) == ["i1", "i2"]


def test_a_gap_is_one_problem(b: BundleBuilder) -> None:
    b.lines += [with_seq(b.lines[0], 6).replace(ROOT.encode(), b"x")]
    b.lines += [with_seq(b.lines[0], 7).replace(ROOT.encode(), b"y")]
    assert said(b) == ["trace.jsonl line 4, seq 6, thread_started: the event with seq 4 to 5 is missing here"]
    assert list(b.reduce().trace.threads) == [ROOT, "x", "y"]


def test_a_missing_payload_is_one_problem(b: BundleBuilder) -> None:
    (b.path / "payloads/1.json").unlink()
    b.request("i2", [message("a")])
    (problem,) = said(b)
    assert problem == (
        "trace.jsonl line 3, seq 3, inference_started: "
        "payload raw_payload:1 (payloads/1.json): no such file or directory"
    )
    assert list(b.reduce().trace.inference_calls) == ["i2"]


def test_a_line_in_the_middle_that_cannot_be_read_is_one_problem(b: BundleBuilder) -> None:
    b.lines[1] = b"\xff\xfe"
    b.lines.pop()
    b.thread("other")
    assert said(b) == ["trace.jsonl line 2: not valid UTF-8 at byte 0"]
    assert list(b.reduce().trace.threads) == [ROOT, "other"]


def test_lines_that_changed_places_are_applied_where_they_stand(b: BundleBuilder) -> None:
    b.thread("other")
    b.lines[2:] = [b.lines[3], b.lines[2]]
    assert said(b) == [
        "trace.jsonl line 3, seq 4, thread_started: the event with seq 3 is missing here",
        "trace.jsonl line 4, seq 3, inference_started: out of order: seq 5 should come here",
    ]
    graph = b.reduce().trace
    assert list(graph.inference_calls) == ["i1"]
    assert list(graph.threads) == [ROOT, "other"]


def test_a_line_that_stands_twice_is_applied_once(b: BundleBuilder) -> None:
    b.line(b.lines[2])
    assert said(b) == [
        "trace.jsonl line 4, seq 3, inference_started: this seq was there before: 4 should come here"
    ]


def test_numbers_begin_with_one(b: BundleBuilder) -> None:
    b.lines = [with_seq(b.lines[0], 0)]
    assert said(b) == [
        "trace.jsonl line 1, seq 0, thread_started: numbers begin with 1: seq 1 should come here"
    ]
    assert list(b.reduce().trace.threads) == [ROOT]


def test_a_foreign_event_is_not_applied(b: BundleBuilder) -> None:
    b.lines[0] = b.lines[0].replace(b'"rollout"', b'"other"')
    problems = said(b)
    assert problems[0] == (
        "trace.jsonl line 1, seq 1, thread_started: the event belongs to rollout other, the bundle to rollout"
    )
    assert b.reduce().trace.threads == {}


def test_an_event_of_another_schema_is_applied_if_it_can_be_read(b: BundleBuilder) -> None:
    b.lines[0] = b.lines[0].replace(b'"schema_version":2', b'"schema_version":3')
    assert said(b) == [
        "trace.jsonl line 1, seq 1, thread_started: an event of trace schema 3 in a bundle of schema 2"
    ]
    assert list(b.reduce().trace.threads) == [ROOT]


def test_every_problem_says_what_is_missing(b: BundleBuilder) -> None:
    b.event("codex_turn_started", codex_turn_id="t", thread_id="nowhere")
    (problem,) = b.reduce().problems
    assert problem.consequence == "The turn and all that happened in it are missing."


def test_a_bundle_without_a_log_is_no_bundle(b: BundleBuilder) -> None:
    (b.write() / "trace.jsonl").unlink()
    with pytest.raises(BundleError):
        reduce_bundle(b.path)
