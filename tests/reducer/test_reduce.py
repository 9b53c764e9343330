from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import pytest
from bundle_builder import ROOT, BundleBuilder, compact
from scenes import everything

from reducer import BundleError, Problem, Refused, Replay, open_bundle, reduce_bundle, state_json
from reducer.reduce import PROGRESS_EVERY

Json = Any


@pytest.fixture
def b(tmp_path: Path) -> BundleBuilder:
    return BundleBuilder(tmp_path / "bundle")


def test_progress_counts_the_bytes_of_the_log(b: BundleBuilder) -> None:
    for number in range(PROGRESS_EVERY * 2 + 1):
        b.thread(str(number))
    seen: list[tuple[int, int]] = []
    reduce_bundle(b.write(), progress=lambda done, total: seen.append((done, total)))
    size = (b.path / "trace.jsonl").stat().st_size
    assert [total for _, total in seen] == [size, size]
    assert 0 < seen[0][0] < seen[1][0] < size


def test_what_progress_raises_ends_the_reduction(b: BundleBuilder) -> None:
    for number in range(PROGRESS_EVERY):
        b.thread(str(number))

    def stop(done: int, total: int) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        reduce_bundle(b.write(), progress=stop)
    assert gc.isenabled()


def test_the_collector_stays_as_it_was(b: BundleBuilder) -> None:
    gc.disable()
    try:
        reduce_bundle(b.write())
        assert not gc.isenabled()
    finally:
        gc.enable()


@pytest.mark.parametrize("file", [".", "manifest.json", "trace.jsonl"])
def test_a_bundle_is_opened_by_its_directory_or_a_file_in_it(b: BundleBuilder, file: str) -> None:
    b.thread()
    bundle = open_bundle(b.write() / file)
    assert bundle.path == b.path
    assert bundle.manifest.trace_id == "trace"
    assert ROOT in reduce_bundle(bundle).trace.threads


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        (b"", "not a manifest: not valid JSON"),
        (b"\xef\xbb\xbf{}", "not a manifest: not valid JSON"),
        (b"{}", "object missing required field schema_version"),
        (b"[2]", "expected object, got array"),
        ({"schema_version": 2.0}, "expected integer, got number at schema_version"),
        ({"schema_version": 2**32}, "expected integer <= 4294967295 at schema_version"),
        ({"trace_id": None}, "expected text, got null at trace_id"),
        ({"started_at_unix_ms": 2**63}, "at started_at_unix_ms"),
    ],
)
def test_bad_manifests_are_refused_in_one_line(b: BundleBuilder, manifest: Json, said: str) -> None:
    b.manifest = manifest if isinstance(manifest, bytes) else {**b.manifest, **manifest}
    with pytest.raises(BundleError) as caught:
        reduce_bundle(b.write())
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_manifest_may_be_odd(b: BundleBuilder) -> None:
    b.manifest = {**b.manifest, "raw_event_log": "elsewhere", "payloads_dir": "", "more": 2**70}
    assert b.graph().trace_id == "trace"
    b.manifest = list(BundleBuilder(b.path.parent / "other").manifest.values())
    assert b.graph().trace_id == "trace"
    b.manifest = compact(b.manifest)[:-1] + b',"trace_id"]'
    assert "not a manifest" in b.refusal()


def test_what_is_no_bundle_is_said(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"not a trace bundle, it holds no manifest\.json"):
        open_bundle(tmp_path)
    with pytest.raises(BundleError, match="no such file or directory"):
        open_bundle(tmp_path / "nowhere")
    with pytest.raises(BundleError):
        open_bundle(tmp_path / "a\0b")
    with pytest.raises(BundleError):
        open_bundle(tmp_path / ("x" * 5000))


def test_a_missing_log_is_said(b: BundleBuilder) -> None:
    (b.write() / "trace.jsonl").unlink()
    bundle = open_bundle(b.path)
    assert bundle.log_size() == 0
    with pytest.raises(BundleError, match=r"trace\.jsonl: no such file or directory"):
        reduce_bundle(bundle)
    with pytest.raises(BundleError, match=r"trace\.jsonl: no such file or directory"):
        bundle.read_line(0)


def test_lines_can_be_read_again_by_their_offset(b: BundleBuilder) -> None:
    b.lines = [b"{}\r", b"", b"\xff", b"last"]
    bundle = open_bundle(b.write(ending=b""))
    lines = [*bundle.lines()]
    assert [(one.number, one.data, one.ended) for one in lines] == [
        (1, b"{}\r", True),
        (2, b"", True),
        (3, b"\xff", True),
        (4, b"last", False),
    ]
    assert [bundle.read_line(one.offset) for one in lines] == b.lines


def test_problems_say_where_they_are() -> None:
    problem = Problem(line=3, seq=2, event="thread_ended", reason="r", consequence="c")
    assert problem.where() == "trace.jsonl line 3, seq 2, thread_ended"
    assert str(Refused(problem)) == "trace.jsonl line 3, seq 2, thread_ended: r"
    assert Problem(line=3, reason="r", consequence="c").where() == "trace.jsonl line 3"
    assert Problem(reason="r", consequence="c").where() == "end of replay"


def test_payloads_are_checked_in_order_of_their_ids_and_last(b: BundleBuilder) -> None:
    for _ in range(11):
        b.event("protocol_event_observed", event_type="x", event_payload=b.payload(b"bad"))
    b.event("thread_ended", thread_id="x", status="failed")
    problems = b.reduce().problems
    assert [problem.seq for problem in problems[:1]] == [12]
    ids = [problem.raw_payload_id for problem in problems[1:]]
    assert ids == sorted(f"raw_payload:{number}" for number in range(1, 12))
    assert {problem.reason.partition(": ")[2] for problem in problems[1:]} == {"not valid JSON"}
    assert problems[1].where() == "end of replay"


def test_the_last_reference_of_a_payload_id_counts(b: BundleBuilder) -> None:
    bad, good = b.payload(b"bad"), b.payload({})
    for ref in (bad, {**good, "raw_payload_id": bad["raw_payload_id"]}):
        b.event("protocol_event_observed", event_type="x", event_payload=ref)
    assert b.graph().raw_payloads["raw_payload:1"].path == "payloads/2.json"


def test_a_replay_can_be_looked_at_at_any_time(tmp_path: Path) -> None:
    """Asking for the graph in between does not change what comes of the rest."""
    bundle = open_bundle(everything(tmp_path / "bundle").write())
    watched, unwatched = Replay(bundle), Replay(bundle)
    for line in bundle.lines():
        watched.feed(line)
        unwatched.feed(line)
        watched.graph()
    assert state_json(watched.graph()) == state_json(unwatched.graph())
    assert watched.problems == []


def test_feed_says_what_an_event_touched(tmp_path: Path) -> None:
    bundle = open_bundle(everything(tmp_path / "bundle").write())
    replay = Replay(bundle)
    touched = [[f"{ref.type} {ref.id}" for ref in replay.feed(line)] for line in bundle.lines()]
    assert touched[1:5] == [
        [f"Thread {ROOT}"],
        ["Turn t1"],
        [],
        ["ConversationItem conversation_item:1", "InferenceCall i1"],
    ]
