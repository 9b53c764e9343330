"""Large evidence: what is beyond a limit is a problem; what is below is read as ever, in little memory."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import orjson
import pytest
from bundle_builder import ROOT, BundleBuilder, message
from hypothesis import given
from hypothesis import strategies as st
from places import REPOSITORY

from reducer import limits, reduce_bundle
from reducer.check import check_bundle
from reducer.wire import json_text
from reducer.wire.json_text import JsonDocument, JsonError, is_valid, refuse_excess

SCALE = int(os.environ.get("ROLLOUT_TUI_SIZES", "10"))
"""Megabytes of the large pieces of evidence; 200 is what is promised."""


@pytest.fixture
def b(tmp_path: Path) -> BundleBuilder:
    builder = BundleBuilder(tmp_path / "bundle")
    builder.thread()
    builder.turn()
    return builder


def peak_of(bundle: Path) -> float:
    """Peak memory, in MB, of a process that reduces and checks a bundle."""
    program = (
        "import sys; from pathlib import Path\n"
        "from reducer import reduce_bundle; from reducer.check import check_bundle\n"
        "reduce_bundle(Path(sys.argv[1])); check_bundle(Path(sys.argv[1]))\n"
        # Not that of `getrusage`: it counts what the parent had, too.
        "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, bundle], cwd=REPOSITORY, check=True, capture_output=True, timeout=110
    )
    return int(done.stdout) / 1024


def request_of(b: BundleBuilder, data: bytes) -> None:
    b.event(
        "inference_started",
        ROOT,
        "turn",
        inference_call_id="i1",
        thread_id=ROOT,
        codex_turn_id="turn",
        model="m",
        provider_name="p",
        request_payload=b.payload(data),
    )


def test_a_long_line_takes_some_times_its_size(b: BundleBuilder) -> None:
    b.line(b'{"schema_version":2,"seq":3,' + b"x" * SCALE * 10**6)
    b.request("i1", [message("a")])
    problems = reduce_bundle(b.write()).problems
    assert [problem.line for problem in problems] == [3]
    assert peak_of(b.path) < 60 + 5 * SCALE


def test_a_long_text_is_read(b: BundleBuilder) -> None:
    b.request("i1", [message("s," * (SCALE * 500_000))])
    assert b.reduce().problems == []
    assert peak_of(b.path) < 60 + 6 * SCALE


@pytest.mark.parametrize("levels", [1_000, 100_000])
def test_deep_payloads_are_problems_or_nothing(b: BundleBuilder, levels: int) -> None:
    data = b'{"input":[],"x":' + b"[" * levels + b"]" * levels + b"}"
    request_of(b, data)
    b.event("protocol_event_observed", event_type="x", event_payload=b.payload(data))
    (problem,) = b.reduce().problems
    assert "nests more than 127 levels" in problem.reason
    assert problem.line == 3
    assert check_bundle(b.path).replay == [problem]


@pytest.mark.parametrize("levels", [1_000, 100_000])
def test_deep_lines_are_problems(b: BundleBuilder, levels: int) -> None:
    b.line(b'{"payload":{"type":"thread_ended","x":' + b"[" * levels + b"]" * levels + b"}}")
    (problem,) = b.reduce().problems
    assert problem.line == 3
    assert not check_bundle(b.path).is_clean


def test_too_many_values_are_a_problem(b: BundleBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_text, "MAX_VALUES", 1000)
    keys = b"{" + b",".join(b'"k%d":%d' % (i, i) for i in range(2000)) + b"}"
    request_of(b, b'{"input":[],"x":' + keys + b"}")
    b.event("protocol_event_observed", event_type="x", event_payload=b.payload(keys))
    b.line(b'{"payload":{"type":"thread_ended","x":' + keys + b"}}")
    problems = b.reduce().problems
    assert [problem.line for problem in problems] == [3, 5]
    assert all("holds more than 1,000 values" in problem.reason for problem in problems)


@pytest.mark.slow
def test_uninterpreted_keys_take_no_more_than_their_bytes(b: BundleBuilder) -> None:
    keys = b"{" + b",".join(b'"k%d":%d' % (i, i) for i in range(50_000 * SCALE)) + b"}"
    b.event("protocol_event_observed", event_type="x", event_payload=b.payload(keys))
    assert b.reduce().problems == []
    assert peak_of(b.path) < 60 + 4 * SCALE


def test_a_line_beyond_the_limit_is_cut_and_the_next_is_found(
    b: BundleBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("reducer.wire.log", "reducer.storage.bundle"):
        monkeypatch.setattr(f"{module}.MAX_LINE_BYTES", 1000)
    monkeypatch.setattr("reducer.storage.bundle._CHUNK", 64)
    b.line(b'{"x":"' + b"y" * 5000 + b'"}')
    b.request("i1", [])
    reduction = b.reduce()
    (problem,) = reduction.problems
    assert problem.line == 3
    assert "too long to be read" in problem.reason
    assert list(reduction.trace.inference_calls) == ["i1"]
    offsets = [line.offset for line in reduction.recording.lines()]
    whole = (b.path / "trace.jsonl").read_bytes()
    assert [whole[offset : offset + 1] for offset in offsets] == [b"{"] * 4
    assert [line.number for line in reduction.recording.lines(3, offsets[2])] == [3, 4]


@pytest.mark.parametrize("length", [999, 1000, 1001, 1002])
def test_lines_around_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, length: int) -> None:
    monkeypatch.setattr("reducer.storage.bundle.MAX_LINE_BYTES", 1000)
    b = BundleBuilder(tmp_path / "bundle")
    b.lines = [b"x" * length, b"y"]
    b.write()
    lines = list(b.reduce().recording.lines())
    assert [(line.number, line.data[-1:], line.ended) for line in lines] == [(1, b"x", True), (2, b"y", True)]
    assert len(lines[0].data) == min(length, 1001)


def test_a_payload_beyond_the_limit_is_a_problem(b: BundleBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reducer.storage.payload_files.MAX_PAYLOAD_BYTES", 1000)
    b.request("i1", [message("x" * 2000)])
    (problem,) = b.reduce().problems
    assert "too large to be read" in problem.reason
    assert [finding.rule for finding in check_bundle(b.path).section("payloads")] == ["unusable"]


def test_limits_are_far_from_real_recordings() -> None:
    assert min(limits.MAX_LINE_BYTES, limits.MAX_PAYLOAD_BYTES) >= 200 * 10**6
    assert limits.MAX_VALUES >= 10**6


# JSON without objects


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@pytest.mark.slow
@given(JSON, st.integers(0, 10**6), st.sampled_from(b'\x00\xff"}{[],:0-.eE\\u \n'))
def test_is_valid_agrees_with_a_parser(value: object, place: int, byte: int) -> None:
    data = bytearray(orjson.dumps(value, option=orjson.OPT_PASSTHROUGH_SUBCLASS) if fits(value) else b"[]")
    assert is_valid(bytes(data))
    data[place % len(data)] = byte
    try:
        orjson.loads(data)
    except orjson.JSONDecodeError:
        # orjson refuses more than the format does: unpaired surrogates, numbers out of range, depth.
        if is_valid(bytes(data)):
            assert b"\\u" in data or b"e" in data.lower()
    else:
        assert is_valid(bytes(data))


def fits(value: object) -> bool:
    try:
        orjson.dumps(value)
    except (TypeError, ValueError):
        return False
    return True


def test_commas_in_texts_are_no_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_text, "MAX_VALUES", 10)
    monkeypatch.setattr(json_text, "_CHUNK", 3)
    rng = random.Random(1)
    for _ in range(300):
        values = ["".join(rng.choices(',[{"\\x', k=rng.randrange(8))) for _ in range(rng.randrange(1, 20))]
        data = orjson.dumps(values)
        if len(values) > 10:
            with pytest.raises(JsonError, match="holds more than 10 values"):
                JsonDocument(data)
        else:
            refuse_excess(data)
