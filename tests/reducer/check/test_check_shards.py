"""The integrity report on payloads in shards, rule by rule."""

from __future__ import annotations

from pathlib import Path

import pytest
from bundle_builder import ROOT, Json, message
from sharded_builder import ShardedBuilder

from reducer.check import Finding, Place, Report, check_bundle
from reducer.wire.payload_refs import shard_path

FIRST, SECOND = shard_path(1), shard_path(2)


@pytest.fixture
def b(tmp_path: Path) -> ShardedBuilder:
    return ShardedBuilder(tmp_path / "bundle")


def checked(b: ShardedBuilder, *, completed: bool = True) -> Report:
    if completed:
        b.event("recording_completed")
    return check_bundle(b.write())


def found(report: Report, rule: str) -> Finding:
    (finding,) = [one for one in report.findings if one.rule == rule]
    return finding


def place(report: Report, rule: str, severity: str) -> Place:
    finding = found(report, rule)
    assert (finding.section, finding.severity) == ("payloads", severity)
    (only,) = finding.places
    return only


def rules(report: Report) -> set[str]:
    return {finding.rule for finding in report.findings if finding.section == "payloads"}


def session(b: ShardedBuilder) -> None:
    b.thread()
    b.turn()
    b.request("i1", [message("a"), message("b")])
    b.response("i1", [])
    b.turn_ended()
    b.event("thread_ended", thread_id=ROOT, status="completed")
    b.event("rollout_ended", status="completed")


def test_a_sound_bundle_has_nothing_to_remark(b: ShardedBuilder) -> None:
    session(b)
    report = checked(b)
    assert report.is_clean
    assert report.findings == []
    assert (report.session, report.recording) == ("completed", "completed")
    assert report.totals.payloads == 5  # two items, the prompt of them, the request, the response
    assert report.totals.payload_bytes == (b.path / FIRST).stat().st_size


def test_a_missing_shard_is_one_problem_with_its_payloads(b: ShardedBuilder) -> None:
    b.observe(*[b.payload({}, shard=2) for _ in range(5)])
    b.shards[1] = b.shards.pop(2)
    report = checked(b)
    missing = place(report, "missing_shard", "problem")
    assert (missing.path, missing.line) == (SECOND, 1)
    assert missing.text.endswith("raw_payload:1, raw_payload:2, raw_payload:3 and 2 more")
    assert place(report, "unreferenced_shard", "note").path == FIRST
    assert "missing_record" not in rules(report)


@pytest.mark.parametrize("name", ["000001.ZST", "1.zst"])
def test_a_shard_under_a_name_that_leads_to_none(b: ShardedBuilder, name: str) -> None:
    b.observe(b.payload({}))
    path = b.write()
    (path / FIRST).rename(path / "payloads" / name)
    report = check_bundle(path)
    assert f"payloads/{name} is there" in place(report, "missing_shard", "problem").text
    assert place(report, "other_file", "note").path == f"payloads/{name}"


def test_a_damaged_shard_tells_what_can_still_be_read(b: ShardedBuilder) -> None:
    b.observe(b.payload({"a": 1}), b.payload({"a": 2}))
    path = b.write()
    with (path / FIRST).open("ab") as file:
        file.write(b"garbage")
    damaged = place(check_bundle(path), "unusable_shard", "problem")
    assert damaged.path == FIRST
    assert damaged.text.endswith(
        "2 records can be read (raw_payload:1 to raw_payload:2), and nothing else is referred to"
    )


def test_the_records_behind_a_damage_are_named(b: ShardedBuilder) -> None:
    b.observe(b.payload({"a": 1}), b.payload({"a": 2}))
    path = b.write()
    (path / FIRST).write_bytes(b"no frame")
    damaged = place(check_bundle(path), "unusable_shard", "problem")
    assert damaged.text.endswith("lost are raw_payload:1, raw_payload:2")


@pytest.mark.parametrize(
    ("unfinished", "completed", "expected"),
    [
        (set(), True, set()),
        (set(), False, {"closed_shard"}),
        ({2}, False, {"open_shard"}),
        ({2}, True, {"missing_footer"}),
        ({1}, False, {"missing_footer", "closed_shard"}),
        ({1, 2}, False, {"missing_footer", "open_shard"}),
    ],
)
def test_only_the_last_shard_may_be_unfinished_and_only_while_the_recording_is(
    b: ShardedBuilder, unfinished: set[int], completed: bool, expected: set[str]
) -> None:
    b.observe(b.payload({}), b.payload({}, shard=2))
    b.unfinished = unfinished
    report = checked(b, completed=completed)
    assert rules(report) == expected
    assert report.is_clean is ("missing_footer" not in expected)


def test_records_that_are_missing_left_over_or_elsewhere(b: ShardedBuilder) -> None:
    refs = [b.payload({}), b.payload({}, shard=2)]
    b.observe(*refs)
    b.shards[1]["raw_payload:2"] = b.shards[2].pop("raw_payload:2")
    b.shards[2]["raw_payload:9"] = b"12345"
    report = checked(b)
    missing = place(report, "missing_record", "problem")
    assert (missing.id, missing.path, missing.line) == ("raw_payload:2", SECOND, 2)
    assert missing.text == f"not in its shard, but in {FIRST}"
    left = [(one.id, one.path, one.text) for one in found(report, "unreferenced").places]
    assert left == [("raw_payload:2", FIRST, "2 bytes"), ("raw_payload:9", SECOND, "5 bytes")]
    assert found(report, "unreferenced").severity == "note"


def test_an_id_in_several_shards_and_records_out_of_order_are_notes(b: ShardedBuilder) -> None:
    first, second = b.payload({}), b.payload({}, shard=2)
    b.observe(first, second, b.payload({}))
    b.shards[2]["raw_payload:1"] = b"{}"
    report = checked(b)
    assert place(report, "doubled_record", "note").text == f"in {FIRST}, too"
    order = place(report, "record_order", "note")
    assert (order.id, order.path, order.text) == ("raw_payload:1", SECOND, "after raw_payload:2")


def test_how_codex_fills_shards(b: ShardedBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reducer.check.payload_shards.FULL_BYTES", 50)
    b.observe(b.payload({}), b.payload("data", "content_value"), b.payload("x" * 100, shard=2))
    report = checked(b)
    assert place(report, "overfull_shard", "note").path == FIRST  # one large record may be alone in its shard
    mixed = place(report, "mixed_shard", "note")
    assert (mixed.path, mixed.text) == (FIRST, "content_value and protocol_event")


@pytest.mark.parametrize(
    ("record", "parts", "said"),
    [
        (b"{", 0, "not valid JSON"),
        (b"", 0, "not valid JSON"),
        (b'"\xff"', 0, "not valid JSON"),
        (b'["[","]"]', 2, "its fragments are 2"),
        (b"{}", 1, "its fragments are not a list of texts"),
        (b'["[",0]', 1, "its fragments are not a list of texts"),
        (b'["[","}"]', 1, "its fragments are not valid JSON"),
        (b'["["', 1, "its fragments are not valid JSON"),
    ],
)
def test_records_that_cannot_be_used(b: ShardedBuilder, record: bytes, parts: int, said: str) -> None:
    b.observe(b.payload(record, parts=[b.payload({}) for _ in range(parts)]))
    unusable = place(checked(b), "unusable_record", "problem")
    assert (unusable.id, unusable.line) == (f"raw_payload:{parts + 1}", 1)
    assert said in unusable.text


def test_references_with_one_id_must_be_equal(b: ShardedBuilder) -> None:
    part = b.payload({})
    b.observe(part, b.payload(["[", "]"], parts=[{**part, "kind": {"type": "model_item"}, "shard": 2}]))
    b.observe({**part, "capture": {"status": "complete"}, "parts": []})
    b.lines.append(b.lines[1].replace(b'"seq":2', b'"seq":4'))  # the same conflict once more
    conflict = place(checked(b), "conflicting_reference", "problem")
    assert (conflict.id, conflict.line) == ("raw_payload:1", 2)
    assert conflict.text == "unlike the one in line 1 by its kind and shard"


def cut(ref: Json, **capture: Json) -> Json:
    return {**ref, "capture": {"status": "truncated", **capture}}


@pytest.mark.parametrize(
    ("original", "retained", "said"),
    [(9, 5, "5 bytes are said to be kept, but it holds 4"), (4, 4, "cut to 4 of 4 bytes")],
)
def test_lengths_of_a_cut_payload_must_fit(
    b: ShardedBuilder, original: int, retained: int, said: str
) -> None:
    b.observe(cut(b.payload(b"[1,2"), original_bytes=original, retained_bytes=retained))
    assert place(checked(b), "wrong_length", "problem").text == said


def test_a_payload_is_in_a_shard_if_and_only_if_something_was_kept(b: ShardedBuilder) -> None:
    out = {"status": "omitted", "original_bytes": 7}
    b.observe({**b.payload({}), "shard": None}, {**b.payload({}), "capture": out})
    report = checked(b)
    assert place(report, "no_shard", "problem").id == "raw_payload:1"
    assert place(report, "omitted_with_shard", "problem").id == "raw_payload:2"


def test_what_limits_of_the_recorder_took_is_summed_up_in_a_note(b: ShardedBuilder) -> None:
    b.observe(
        cut(b.payload(b"[12"), original_bytes=1000, retained_bytes=3),
        cut(b.payload(b"{"), original_bytes=2000, retained_bytes=1),
    )
    gone = {"raw_payload_id": "raw_payload:3", "kind": {"type": "tool_result"}, "shard": None}
    b.observe({**gone, "capture": {"status": "omitted", "original_bytes": 90210}})
    report = checked(b)
    assert report.is_clean
    assert report.recording == "completed with cut payloads"
    note = found(report, "lost_payloads")
    size = report.totals.log_bytes + report.totals.payload_bytes
    assert note.summary == (
        "limits of the recorder cut 2 payloads and left out 1: 4 of 93,210 bytes were kept; "
        f"it seems to have run with max_payload_bytes ≈ 3, max_bytes ≈ {size:,}"
    )
    assert [(one.text, one.line, one.count) for one in note.places] == [
        ("protocol_event cut, 4 of 3,000 bytes kept", 1, 2),
        ("tool_result left out, 0 of 90,210 bytes kept", 3, 1),
    ]


def test_references_of_refused_events_count_and_so_do_their_parts(b: ShardedBuilder) -> None:
    lost = b.payload({})
    b.shards[1].clear()
    b.event(
        "inference_completed",
        inference_call_id="none",
        response_payload=b.payload(["", ""], parts=[b.payload(["", ""], parts=[lost])]),
    )
    assert place(checked(b), "missing_record", "problem").id == "raw_payload:1"


def test_the_drift_ledger_looks_into_parts(b: ShardedBuilder) -> None:
    inner = {**b.payload({}), "colour": 1}
    outer = b.payload(["", ""], parts=[inner, inner])
    outer["parts"][1] = {**inner, "kind": {"type": "poem"}, "capture": {"status": "complete", "by": 2}}
    b.observe(outer)
    report = checked(b)
    path = "payload.event_payload.parts[]"
    unknown = {one.text for one in found(report, "unknown_field").places}
    assert unknown == {
        f"{path}.colour of protocol_event_observed",
        f"{path}.capture.by of protocol_event_observed",
    }
    assert [one.text for one in found(report, "unknown_name").places] == [f"poem as {path}.kind.type"]


def test_parts_in_parts_without_end_are_no_reason_to_stop(b: ShardedBuilder) -> None:
    b.observe(b.payload({}))
    whole = b.lines[0]
    part = whole[whole.index(b'{"raw') : -2]
    nested = part[:-1] + b',"parts":['
    b.lines[0] = whole.replace(part, nested * 480 + part + b"]}" * 480)
    report = checked(b)
    assert [problem.line for problem in report.replay] == [1]


def test_of_an_unknown_schema_only_the_lines_are_looked_at(b: ShardedBuilder) -> None:
    session(b)
    b.raw({"type": "thread_levitated", "weight": 0})
    b.lines = [line.replace(b'"schema_version":3', b'"schema_version":4') for line in b.lines]
    b.lines.append(b'{"schema_version":4,')
    b.manifest |= {"schema_version": 4, "shared_run": "run-1"}
    report = check_bundle(b.write(b""))
    assert not report.is_schema_known
    assert (report.session, report.recording) == ("not told", "not told")
    assert [problem.where() for problem in report.replay] == ["manifest.json", "trace.jsonl line 9"]
    assert [finding.rule for finding in report.findings] == ["torn_line"]
    assert report.totals.events == 8


@pytest.mark.slow
def test_recordings_that_the_reference_reduces_are_clean(shared_dir: Path) -> None:
    """What codex itself writes is no more than a note, and of its form there is nothing to remark."""
    seen: set[str] = set()
    for state in sorted((shared_dir / "bundles-v3").glob("*/state.json")):
        report = check_bundle(state.parent / "bundle")
        assert report.is_clean, (state.parent, report)
        assert not [one.rule for one in report.findings if one.section == "log"], state.parent
        seen |= rules(report)
    assert seen == {"open_shard", "closed_shard", "unreferenced_shard", "lost_payloads"}
