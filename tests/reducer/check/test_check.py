"""The integrity report, rule by rule."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
from bundle_builder import CHILD, ROOT, BundleBuilder, compact, exec_item, message
from reference_places import recorded_bundles

from reducer import BundleError
from reducer.check import Finding, Report, check_bundle


@pytest.fixture
def b(tmp_path: Path) -> BundleBuilder:
    builder = BundleBuilder(tmp_path / "bundle")
    builder.event("rollout_started", trace_id="trace", root_thread_id=ROOT)
    builder.thread()
    builder.turn()
    builder.request("i1", [message("a")])
    return builder


def end(b: BundleBuilder) -> Path:
    """End everything in an orderly way."""
    b.response("i1", [])
    b.turn_ended()
    b.event("thread_ended", thread_id=ROOT, status="completed")
    b.event("rollout_ended", status="completed")
    b.event("recording_completed")
    return b.write()


def found(report: Report, rule: str) -> Finding:
    (finding,) = [one for one in report.findings if one.rule == rule]
    return finding


def rules(report: Report) -> set[str]:
    return {finding.rule for finding in report.findings}


def test_references_are_references_however_they_are_spelled(b: BundleBuilder) -> None:
    for spell in (lambda ref: [*ref.values()], lambda ref: {**ref, "kind": ["protocol_event", None]}):
        b.event("protocol_event_observed", event_type="x", event_payload=spell(b.payload({})))
    b.raw(["protocol_event_observed", "x", b.payload({})])
    seq, event = len(b.lines) + 1, {"type": "protocol_event_observed", "event_type": "x"}
    whole_line = [2, seq, 1000 + seq, "rollout", None, None, {**event, "event_payload": b.payload({})}]
    b.line(compact(whole_line))
    report = check_bundle(end(b))
    assert (report.findings, report.totals.payloads) == ([], 6)


def test_a_sound_bundle_has_nothing_to_remark(b: BundleBuilder) -> None:
    report = check_bundle(end(b))
    assert report.is_clean
    assert report.findings == []
    assert (report.session, report.recording) == ("completed", "completed")
    totals = report.totals
    assert (totals.lines, totals.events, totals.refused_events) == (9, 9, 0)
    assert (totals.threads, totals.turns, totals.inference_calls, totals.conversation_items) == (1, 1, 1, 1)
    assert totals.events_by_kind["inference_started"] == 1
    assert totals.payloads == 2
    assert totals.payload_bytes == sum(file.stat().st_size for file in (b.path / "payloads").iterdir())
    assert totals.duration_ms == 8


# Log


def test_gaps_repeats_and_late_lines(b: BundleBuilder) -> None:
    end(b)
    lines = b.lines
    b.lines = [*lines[:4], lines[5], lines[5], lines[4], *lines[6:]]
    report = check_bundle(b.write())
    assert not report.is_clean
    assert [(place.line, place.text) for place in found(report, "missing_seq").places] == [(5, "5 missing")]
    assert [place.line for place in found(report, "repeated_seq").places] == [6]
    assert [place.line for place in found(report, "late_seq").places] == [7]


def test_clock_blank_lines_and_a_torn_end(b: BundleBuilder) -> None:
    b.lines[2] = b.lines[2].replace(b":1003,", b":990,")
    b.lines.insert(1, b" ")
    b.lines.append(b'{"schema_version":2,"seq":5,')
    report = check_bundle(b.write(ending=b""))
    assert found(report, "clock_back").severity == "note"
    assert found(report, "clock_back").places[0].text == "12 ms back"
    assert (found(report, "blank_line").places[0].line, found(report, "blank_line").severity) == (2, "note")
    assert (found(report, "torn_line").places[0].line, found(report, "torn_line").severity) == (6, "problem")


def test_the_drift_ledger_counts_and_names_the_first_line(b: BundleBuilder) -> None:
    more = b'"payload":{"flavour":1,'
    b.lines[1], b.lines[3] = (line.replace(b'"payload":{', more) for line in (b.lines[1], b.lines[3]))
    b.lines[3] = (
        b.lines[3].replace(b'"path":', b'"size":5,"path":').replace(b'{"schema', b'{"host":0,"schema')
    )
    b.raw({"type": "thread_levitated"})
    b.raw({"type": "thread_levitated"})
    b.manifest["colour"] = "red"
    report = check_bundle(b.write())
    assert {(place.text, place.line, place.count) for place in found(report, "unknown_field").places} == {
        ("payload.flavour of thread_started", 2, 1),
        ("payload.flavour of inference_started", 4, 1),
        ("payload.request_payload.size of inference_started", 4, 1),
        ("host of inference_started", 4, 1),
    }
    assert found(report, "unknown_field").severity == "note"
    (kind,) = found(report, "unknown_kind").places
    assert (kind.text, kind.line, kind.count) == ("thread_levitated", 5, 2)
    assert found(report, "unknown_kind").severity == "problem"
    assert found(report, "unknown_manifest_key").places[0].text == "colour"


def test_unknown_names(b: BundleBuilder) -> None:
    b.tool("t1", {"type": "teleport"})
    b.event("rollout_ended", status="puzzled")
    places = found(check_bundle(b.write()), "unknown_name").places
    assert [(place.text, place.line) for place in places] == [
        ("teleport as payload.kind.type", 5),
        ("puzzled as payload.status", 6),
    ]


def test_unknown_things_without_end_are_counted(b: BundleBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reducer.check.ledger.MAX_ENTRIES", 3)
    b.raw({"type": "recording_completed", **{f"k{number}": 0 for number in range(10)}})
    report = check_bundle(b.write())
    assert len(found(report, "unknown_field").places) == 3
    assert found(report, "more_unknown").count == 7


def test_an_empty_log(tmp_path: Path) -> None:
    b = BundleBuilder(tmp_path / "bundle")
    report = check_bundle(b.write())
    assert report.is_clean
    assert "empty_log" in rules(report)


# Payloads


def ref(path: str, payload_id: str = "raw_payload:77") -> dict[str, Any]:
    return {"raw_payload_id": payload_id, "kind": {"type": "protocol_event"}, "path": path}


def observe(b: BundleBuilder, *refs: dict[str, Any]) -> Report:
    for one in refs:
        b.event("protocol_event_observed", event_type="x", event_payload=one)
    return check_bundle(b.write())


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        ("/etc/hostname", "outside"),
        ("../secret.json", "outside"),
        ("out.json", "outside"),
        ("payloads/none.json", "missing"),
        ("Payloads/1.JSON", "missing"),
        ("payloads", "unusable"),
        ("fifo", "unusable"),
        ("device", "outside"),
        ("payloads/bad.json", "unusable"),
    ],
)
@pytest.mark.timeout(10)
def test_payloads_that_cannot_be_used(b: BundleBuilder, tmp_path: Path, path: str, rule: str) -> None:
    (tmp_path / "secret.json").write_text("{}")
    (b.path / "out.json").symlink_to(tmp_path / "secret.json")
    (b.path / "device").symlink_to("/dev/zero")
    (b.path / "payloads/bad.json").write_text("{")
    os.mkfifo(b.path / "fifo")
    report = observe(b, ref(path))
    (place,) = found(report, rule).places
    assert (place.id, place.path, place.line) == ("raw_payload:77", path, 5)
    assert found(report, rule).severity == "problem"
    assert ("payloads/1.json is there, in other case" in place.text) is (path == "Payloads/1.JSON")
    assert not report.is_clean


def test_ids_and_files_that_are_used_twice(b: BundleBuilder) -> None:
    for name in "xyz":
        (b.path / f"payloads/{name}.json").write_text("{}")
    report = observe(
        b, ref("payloads/x.json"), ref("payloads/y.json"), ref("payloads/y.json", "raw_payload:78")
    )
    (twice,) = found(report, "duplicate_id").places
    assert (twice.id, twice.line, twice.text) == (
        "raw_payload:77",
        6,
        "first payloads/x.json, then payloads/y.json",
    )
    assert found(report, "duplicate_id").severity == "problem"
    assert found(report, "shared_file").severity == "note"
    assert [place.path for place in found(report, "unreferenced").places] == ["payloads/z.json"]
    assert found(report, "unreferenced").severity == "note"


def test_references_of_refused_events_count(b: BundleBuilder) -> None:
    b.event("inference_completed", inference_call_id="none", response_payload=ref("payloads/gone.json"))
    assert found(check_bundle(b.write()), "missing").places[0].line == 5


def test_large_files_are_a_note(b: BundleBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reducer.check.payload_files.LARGE_BYTES", 10)
    assert found(check_bundle(end(b)), "large").severity == "note"


# Lifecycles


def test_what_runs_when_the_recording_stops_is_a_note(b: BundleBuilder) -> None:
    b.tool("t1")
    report = check_bundle(b.write())
    assert report.is_clean
    assert {"open_session", "open_recording", "open_thread", "open_turn", "open_inference_call"} <= rules(
        report
    )
    assert "it ran when the recording stopped" in found(report, "open_tool_call").places[0].text


def test_what_was_cancelled_with_its_turn_is_a_note(b: BundleBuilder) -> None:
    b.tool("t1")
    b.turn_ended("cancelled")
    b.event("thread_ended", thread_id=ROOT, status="completed")
    b.event("rollout_ended", status="completed")
    b.event("recording_completed")
    report = check_bundle(b.write())
    assert report.is_clean
    assert "it was cancelled with its turn" in found(report, "open_tool_call").places[0].text


def test_what_never_ended_in_a_complete_recording_is_a_problem(b: BundleBuilder) -> None:
    b.response("i1", [])
    b.event("rollout_ended", status="completed")
    b.event("recording_completed")
    report = check_bundle(b.write())
    assert not report.is_clean
    assert found(report, "open_turn").severity == "problem"
    assert "nothing in the log says why" in found(report, "open_turn").places[0].text


def test_an_end_that_could_not_be_applied_explains_what_is_open(b: BundleBuilder) -> None:
    b.event("inference_completed", inference_call_id="i1", response_payload=ref("payloads/gone.json"))
    assert (
        "its end, line 5, could not be applied"
        in found(check_bundle(b.write()), "open_inference_call").places[0].text
    )


def test_what_ends_without_having_started(b: BundleBuilder) -> None:
    b.tool_ended("t9")
    b.cell_ended("completed", "8")
    report = check_bundle(b.write())
    assert (
        found(report, "unstarted_tool_call").places[0].text == "tool call t9: no event of this log started it"
    )
    assert "runtime cell 8" in found(report, "unstarted_code_cell").places[0].text
    del b.lines[3]
    b.response("i1", [])
    lost = found(check_bundle(b.write()), "unstarted_inference_call").places[0].text
    assert lost == "inference call i1: its start may be among the events lost at line 4"


# Graph


def test_items_and_outputs_that_no_call_saw(b: BundleBuilder) -> None:
    b.response("i1", [])
    b.installed("c1", [message("a")], [message("new")])
    report = check_bundle(b.write())
    assert found(report, "unseen_item").count == 1
    assert report.is_clean


def test_a_cell_without_source_item(b: BundleBuilder) -> None:
    b.cell("c1")
    assert found(check_bundle(b.write()), "lost_cell").severity == "note"
    finding = found(check_bundle(end(b)), "lost_cell")
    assert (finding.severity, finding.places[0].id, finding.places[0].line) == ("problem", "code_cell:c1", 5)


def test_a_cell_with_its_item_is_fine(b: BundleBuilder) -> None:
    b.request("i2", [message("a"), exec_item("c1")])
    b.cell("c1")
    assert "lost_cell" not in rules(check_bundle(b.write()))


def test_undelivered_edges_and_unsent_messages(b: BundleBuilder) -> None:
    source = {"subagent": {"thread_spawn": {"parent_thread_id": "nowhere"}}}
    b.thread(CHILD, "/root/kid", metadata={"session_source": source})
    b.tool("s1", "spawn_agent", invocation={"payload": {"arguments": '{"message":"go"}'}})
    b.tool("m1", "send_message", invocation={"payload": {"arguments": "{}"}})
    b.runtime_ended(
        "s1", {"event_id": "e", "agent_thread_id": CHILD, "agent_path": "/root/kid", "kind": "started"}
    )
    b.event(
        "agent_result_observed",
        edge_id="edge-r",
        child_thread_id=CHILD,
        child_codex_turn_id="none",
        parent_thread_id=ROOT,
        message="done",
        carried_payload=None,
    )
    report = check_bundle(b.write())
    assert found(report, "undelivered_edge").places[0].id == f"edge:spawn:{ROOT}:{CHILD}"
    assert [place.id for place in found(report, "unsent_message").places] == ["m1"]
    assert [place.id for place in found(report, "lost_result").places] == ["edge-r"]
    assert [place.id for place in found(report, "unknown_parent").places] == [CHILD]


def test_receipts_of_what_never_came(b: BundleBuilder) -> None:
    b.accepted("msg_1")
    assert found(check_bundle(b.write()), "unused_receipt").places[0].id == "msg_1"


def test_compactions_that_were_not_installed(b: BundleBuilder) -> None:
    b.event(
        "compaction_request_started",
        ROOT,
        "turn",
        compaction_id="c1",
        compaction_request_id="r1",
        thread_id=ROOT,
        codex_turn_id="turn",
        model="m",
        provider_name="p",
        request_payload=b.payload({}),
    )
    assert found(check_bundle(b.write()), "unused_compaction").places[0].id == "r1"


# Whole bundles


@pytest.mark.slow
def test_recordings_that_the_reference_reduces_are_clean(shared_dir: Path) -> None:
    """What sound recordings hold is never more than a note."""
    checked = 0
    for path in recorded_bundles(shared_dir):
        report = check_bundle(path)
        assert report.is_clean, (path, report)
        assert report.schema_version in (1, 2)
        assert report.totals.events == report.totals.lines
        assert "unknown_field" not in rules(report)
        checked += 1
    assert checked > 30


def test_progress_is_told_and_can_end_the_check(b: BundleBuilder) -> None:
    b.lines += [b" "] * 200

    def stop(done: int, total: int) -> None:
        raise InterruptedError(f"{done} of {total}")

    with pytest.raises(InterruptedError, match=re.compile(r"\d+ of \d+")):
        check_bundle(b.write(), progress=stop)


def test_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(BundleError):
        check_bundle(tmp_path)


def test_what_is_no_event_at_all(b: BundleBuilder) -> None:
    b.lines += [
        b"[]",
        b"5",
        compact({"payload": 3}),
        compact({"seq": -1, "payload": {"type": 5}}),
        b'{"seq":true}',
    ]
    report = check_bundle(b.write())
    assert [problem.line for problem in report.replay] == [5, 6, 7, 8, 9]
    assert report.totals.refused_events == 5
