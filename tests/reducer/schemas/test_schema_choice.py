"""Bundles that mix schemas or claim an unknown one: a clear problem, and read as far as they can be."""

from __future__ import annotations

from pathlib import Path

import pytest
from bundle_builder import ROOT, BundleBuilder, compact, message

from reducer import open_bundle
from reducer.schemas.choice import schema_of

NOT_OF_2 = (
    "trace schema {} cannot establish accepted history; use its matching reducer or record a new bundle"
)


def bundle(path: Path, *, claimed: int, shape: int, numbers: int) -> BundleBuilder:
    """A manifest that claims a schema, over events in the shape of one, with the number of another."""
    b = BundleBuilder(path / "bundle", shape)
    b.manifest["schema_version"] = claimed
    b.thread()
    b.turn()
    b.request("i1", [message("a", id="m")])
    b.accepted("m")
    numbered = b'{"schema_version":%d,' % numbers
    b.lines = [line.replace(b'{"schema_version":%d,' % shape, numbered) for line in b.lines]
    return b


@pytest.mark.parametrize(
    ("claimed", "shape", "numbers", "chosen"),
    [
        (1, 1, 1, 1),
        (2, 2, 2, 2),
        (1, 2, 2, 1),
        (2, 1, 1, 2),
        (9, 1, 9, 1),
        (9, 1, 2, 2),
        (9, 2, 1, 1),
        (0, 2, 2, 2),
    ],
)
def test_the_manifest_says_it_and_else_the_events(
    tmp_path: Path, claimed: int, shape: int, numbers: int, chosen: int
) -> None:
    b = bundle(tmp_path, claimed=claimed, shape=shape, numbers=numbers)
    schema = schema_of(open_bundle(b.write()))
    assert schema is not None
    assert schema.version == chosen
    trace = b.reduce().trace
    assert trace.schema_version == chosen
    assert list(trace.inference_calls) == ["i1"]


def test_a_schema_that_nothing_tells_is_not_known(tmp_path: Path) -> None:
    b = bundle(tmp_path, claimed=9, shape=1, numbers=9)
    b.lines = [b"", b"no event"]
    assert schema_of(open_bundle(b.write())) is None
    (b.path / "trace.jsonl").unlink()
    assert schema_of(open_bundle(b.path)) is None


def test_of_an_unknown_schema_there_is_one_problem_and_the_raw_evidence(tmp_path: Path) -> None:
    b = bundle(tmp_path, claimed=9, shape=2, numbers=9)
    reduction = b.reduce()
    (problem,) = reduction.problems
    assert problem.where() == "manifest.json"
    assert problem.reason == "trace schema 9 is not one this program knows (1, 2 and 3)"
    assert problem.consequence.startswith("There is no graph of it")
    assert problem.reference_says is None
    assert b.refusal() == f"manifest.json: {problem.reason}"
    assert not reduction.trace.threads
    kinds = ["thread_started", "codex_turn_started", "inference_started", "history_item_accepted"]
    assert [event.kind for event in reduction.provenance.events] == kinds
    assert [event.line for event in reduction.provenance.events] == [1, 2, 3, 4]
    (ref,) = reduction.trace.raw_payloads.values()
    assert b'"input"' in reduction.recording.read_payload(ref)


def test_a_broken_line_of_an_unknown_schema_is_a_problem(tmp_path: Path) -> None:
    b = bundle(tmp_path, claimed=9, shape=2, numbers=9)
    b.lines.insert(2, b"{")
    assert [problem.line for problem in b.reduce().problems] == [None, 3]


def test_a_manifest_with_another_number_than_its_events(tmp_path: Path) -> None:
    b = bundle(tmp_path, claimed=9, shape=2, numbers=2)
    problem = b.reduce().problems[0]
    assert problem.where() == "manifest.json"
    assert problem.consequence == "The bundle is read as one of schema 2, as its events say."
    assert problem.reference_says == NOT_OF_2.format(9)
    assert b.reduce().trace.conversation_items["conversation_item:1"].accepted_seq == 4


def test_an_unknown_schema_that_the_reference_for_schema_1_reads(tmp_path: Path) -> None:
    """It compares no numbers; so strict replay accepts the bundle, and lenient replay remarks on it."""
    b = bundle(tmp_path, claimed=9, shape=1, numbers=42)
    assert b.graph().schema_version == 1
    first, *mixed = b.reduce().problems
    assert (first.where(), first.reference_says) == ("manifest.json", None)
    assert {problem.reason for problem in mixed} == {"an event of trace schema 42 in a bundle of schema 9"}
    assert len(mixed) == len(b.lines)


def test_events_of_schema_2_in_a_bundle_of_schema_1(tmp_path: Path) -> None:
    """What both schemas have is applied; strict replay refuses, as the reference for schema 2 does."""
    b = bundle(tmp_path, claimed=1, shape=2, numbers=2)
    problems = b.reduce().problems
    assert [problem.line for problem in problems] == [1, 2, 3, 4]
    assert [problem.reason for problem in problems[:3]] == [
        "an event of trace schema 2 in a bundle of schema 1"
    ] * 3
    assert problems[0].reference_says == NOT_OF_2.format(1)
    assert "history_item_accepted" in problems[3].reason
    assert "line 1, seq 1" in b.refusal()


def test_events_of_schema_1_in_a_bundle_of_schema_2(tmp_path: Path) -> None:
    b = bundle(tmp_path, claimed=2, shape=2, numbers=1)
    problems = b.reduce().problems
    assert len(problems) == 4
    assert problems[0].reference_says == "unsupported trace event schema 1 at line 1"
    assert list(b.reduce().trace.threads) == [ROOT]


def test_one_foreign_number_among_events_of_schema_1(tmp_path: Path) -> None:
    b = bundle(tmp_path, claimed=1, shape=1, numbers=1)
    b.line(compact({"schema_version": 7, "seq": 4, "wall_time_unix_ms": 0, "rollout_id": "rollout"})[:-1])
    b.lines[-1] += b',"payload":{"type":"rollout_ended","status":"failed"}}'
    (problem,) = b.reduce().problems
    assert problem.reason == "an event of trace schema 7 in a bundle of schema 1"
    assert problem.reference_says is None
    assert b.graph().status == "failed"
