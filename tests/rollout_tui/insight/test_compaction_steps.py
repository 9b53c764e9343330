"""The compactions of the recorded bundles, checked against their raw payloads."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from compaction_cases import fact_pairs, outline, reduced, verdicts, with_log

from rollout_tui.insight.compaction.rewrites import rewrites_of
from rollout_tui.insight.compaction.steps import (
    CompactionStep,
    StepView,
    compaction_steps,
    nearest_step,
    thread_steps,
)
from rollout_tui.insight.contexts.item_signs import SUMMARY_OPENING
from rollout_tui.insight.index import TraceIndex
from rollout_tui.views.compaction.history_rows import State, first_call_lines, states_of
from rollout_tui.views.compaction.titles import no_call_after, no_checkpoint, token_words

BUNDLES_WITHOUT = (
    "code-mode",
    "inputs",
    "long-200",
    "multi-agent-v2",
    "multi-turn",
    "odd-no-ids",
    "websocket",
)


@pytest.fixture(scope="session")
def bundle_index(shared_dir: Path) -> Callable[[str], TraceIndex]:
    return lambda name: reduced(shared_dir / "bundles" / name / "bundle")


Index = Callable[[str], TraceIndex]


def test_remote_compactions(bundle_index: Index) -> None:
    assert outline(bundle_index("compaction-remote")) == [
        ("installed", 35, 37, 1, 26, 38),
        ("installed", 45, 47, 1, 38, 49),
        ("installed", 58, 60, 1, 49, 61),
        ("installed", 95, 97, 1, 86, 98),
        ("installed", 105, 107, 1, 98, 109),
        ("installed", 118, 120, 1, 109, 121),
        ("installed", 128, 130, 1, 121, 136),
        ("installed", 152, 154, 1, 145, 160),
        ("installed", 169, 171, 1, 160, 172),
    ]


def test_local_compactions_are_inferred_from_the_requests(bundle_index: Index) -> None:
    index = bundle_index("compaction-local")
    assert not index.trace.compactions
    assert not index.trace.compaction_requests
    assert outline(index) == [
        ("inferred", seq, seq, 0, before, seq)
        for before, seq in [
            (26, 36),
            (36, 45),
            (45, 55),
            (80, 90),
            (90, 99),
            (99, 109),
            (109, 122),
            (131, 144),
            (144, 154),
        ]
    ]
    assert states_of(compaction_steps(index)[0]) == [State.LAST_CALL, State.CHECKPOINT, State.FIRST_CALL]


def test_failed_compactions(bundle_index: Index) -> None:
    assert outline(bundle_index("compaction-failing")) == [
        ("failed", 25, 25, 1, 18, 33),
        ("failed", 49, 49, 1, 42, 57),
    ]


def test_compactions_of_a_session_that_was_resumed_later(bundle_index: Index) -> None:
    assert [one[2] for one in outline(bundle_index("resumed-compacted"))] == [37, 47, 60]


def test_a_compaction_that_no_call_follows_before_the_next(bundle_index: Index) -> None:
    index = bundle_index("everything-ws")
    assert outline(index)[2:] == [("installed", 282, 284, 1, 275, None), ("installed", 289, 291, 1, 275, 293)]
    third, fourth = compaction_steps(index)[2:]
    assert (third.earlier_seq, third.later_seq) == (None, 289)
    assert (fourth.earlier_seq, fourth.later_seq) == (284, None)


def test_compactions_after_a_failed_call_and_at_a_switch_of_models(bundle_index: Index) -> None:
    index = bundle_index("odd-incomplete")
    assert [one[0::2] for one in outline(index)] == [
        ("inferred", 27, 18),
        ("inferred", 36, 27),
        ("inferred", 62, 53),
    ]
    assert [found.kind for found in rewrites_of(index, index.trace.root_thread_id)] == ["compacted"] * 3


@pytest.mark.slow
@pytest.mark.parametrize("name", BUNDLES_WITHOUT)
def test_bundles_without_a_compaction(bundle_index: Index, name: str) -> None:
    index = bundle_index(name)
    assert compaction_steps(index) == []
    assert [found for thread in index.threads for found in rewrites_of(index, thread.thread_id)] == []


def test_the_demo_has_a_request_that_failed_before_one_that_did_not(team: TraceIndex) -> None:
    assert outline(team) == [("installed", 305, 307, 1, 290, 308), ("installed", 331, 335, 2, 324, 337)]
    assert [thread.thread_id for thread in team.threads[1:] if thread_steps(team, thread.thread_id)] == []


def test_a_recording_that_ends_with_the_request(tmp_path: Path, shared_dir: Path) -> None:
    source = shared_dir / "bundles/compaction-remote/bundle"
    index = with_log(tmp_path / "cut", source, lambda number, _line: number <= 36)
    assert outline(index) == [("not installed", 35, 35, 1, 26, None)]
    step = compaction_steps(index)[0]
    assert StepView(index, step).checkpoint is None
    assert no_checkpoint(step).startswith("No checkpoint was recorded: the request was answered")
    assert ("checkpoint", "none was installed: the history stayed as it was") in fact_pairs(index, step)


def test_a_recording_that_ends_with_the_install(tmp_path: Path, shared_dir: Path) -> None:
    source = shared_dir / "bundles/compaction-remote/bundle"
    index = with_log(tmp_path / "cut", source, lambda number, _line: number <= 37)
    assert outline(index) == [("installed", 35, 37, 1, 26, None)]
    step = compaction_steps(index)[0]
    assert StepView(index, step).aftermath is None
    assert first_call_lines(StepView(index, step)) == []
    assert no_call_after(index, step).startswith("No call came after")
    assert token_words(index, step) == "exact tok  13,500 in + 50 out at call 3 → no call after"


@pytest.mark.slow
def test_a_checkpoint_that_got_lost_is_inferred_and_keeps_its_request(
    tmp_path: Path, shared_dir: Path
) -> None:
    source = shared_dir / "bundles/compaction-remote/bundle"
    index = with_log(
        tmp_path / "lost", source, lambda number, line: number <= 40 and "compaction_installed" not in line
    )
    assert outline(index) == [("inferred", 35, 38, 1, 26, 38)]
    step = compaction_steps(index)[0]
    assert states_of(step) == list(State)
    assert ("inferred", "the request was recorded, a checkpoint was not") in fact_pairs(index, step)
    found = StepView(index, step).checkpoint
    assert found is not None
    assert Counter(one.verdict for one in found.after) == {"carried over": 3, "re-inserted": 2, "new": 1}


# --- verdicts against the raw payloads


def raw(bundle: Path, index: TraceIndex, payload_id: str) -> Any:
    return json.loads((bundle / index.trace.raw_payloads[payload_id].path).read_bytes())


def recorded_steps(index: TraceIndex) -> list[CompactionStep]:
    return [step for step in compaction_steps(index) if step.compaction is not None]


@pytest.mark.parametrize("name", ["compaction-remote", "resumed-compacted", "everything-ws"])
def test_kept_is_what_both_raw_histories_hold_under_one_id(
    bundle_index: Index, shared_dir: Path, name: str
) -> None:
    index, bundle = bundle_index(name), shared_dir / "bundles" / name / "bundle"
    events = index.reduction.provenance
    for step in recorded_steps(index):
        assert step.compaction is not None
        payload = events.of("Compaction", step.compaction.compaction_id)[0].payloads[0].raw_payload_id
        checkpoint = raw(bundle, index, payload)
        histories = [
            [element["id"] for element in checkpoint[key] if element["type"] != "additional_tools"]
            for key in ("input_history", "replacement_history")
        ]
        found = StepView(index, step).checkpoint
        assert found is not None
        for judged, ids, verdict in zip(
            (found.before, found.after), histories, ("kept", "carried over"), strict=True
        ):
            assert len(judged) == len(ids)
            kept = [ids[one.place] for one in judged if one.verdict == verdict]
            assert kept == [one for one in ids if one in histories[0] and one in histories[1]]
        assert found.summary is not None
        assert found.summary.place == len(histories[1]) - 1
        sealed_content = checkpoint["replacement_history"][-1]["encrypted_content"]
        assert (
            f"encrypted, {len(sealed_content)} B; only the provider can read it"
            in dict(fact_pairs(index, step))["summary"]
        )


def test_inferred_verdicts_follow_the_raw_requests(bundle_index: Index, shared_dir: Path) -> None:
    index, bundle = bundle_index("compaction-local"), shared_dir / "bundles/compaction-local/bundle"
    for step in compaction_steps(index):
        before, after = step.last_before, step.first_after
        assert before is not None
        assert after is not None
        assert before.raw_response_payload_id is not None
        seen = [
            *raw(bundle, index, before.raw_request_payload_id)["input"],
            *raw(bundle, index, before.raw_response_payload_id)["output_items"],
        ]
        now = raw(bundle, index, after.raw_request_payload_id)["input"]
        found = StepView(index, step).checkpoint
        assert found is not None
        ids = {element["id"] for element in seen} & {element["id"] for element in now}
        assert {seen[one.place]["id"] for one in found.before if one.verdict == "kept"} == ids
        assert found.summary is not None
        text = now[found.summary.place]["content"][0]["text"]
        assert text.startswith(SUMMARY_OPENING)
        for one in found.after:
            if one.verdict == "re-inserted":
                assert one.partner is not None
                assert seen[one.partner]["content"] == now[one.place]["content"]
                assert seen[one.partner]["id"] != now[one.place]["id"]


def test_the_first_remote_compaction_item_by_item(bundle_index: Index) -> None:
    index = bundle_index("compaction-remote")
    view = StepView(index, compaction_steps(index)[0])
    assert view.checkpoint is not None
    assert verdicts(view.checkpoint) == (
        ["replaced?", "replaced?", "kept", *["summarised"] * 4, "kept", *["summarised"] * 3],
        ["carried over", "re-inserted?", "re-inserted?", "carried over", "new"],
    )
    assert view.aftermath is not None
    assert Counter(one.verdict for one in view.aftermath.after) == {
        "carried over": 3,
        "re-inserted": 2,
        "new": 1,
    }
    assert len(view.aftermath.gone) == 7
    assert view.summary is not None
    assert view.summary.responses_item_id == "cmp_01a20345-c51e-7d00-b0d7-0e5f6db027d0"


def test_an_interrupted_exec_leaves_a_note_that_is_dropped(bundle_index: Index) -> None:
    index = bundle_index("everything-ws")
    found = StepView(index, compaction_steps(index)[2]).checkpoint
    assert found is not None
    assert Counter(one.verdict for one in found.before) == {
        "replaced": 6,
        "kept": 4,
        "summarised": 16,
        "dropped": 1,
    }


def test_an_answer_that_never_entered_the_history_is_no_part_of_the_summary(team: TraceIndex) -> None:
    view = StepView(team, compaction_steps(team)[1])
    assert view.aftermath is not None
    left_out = [one for one in view.aftermath.before if one.basis == "not compacted"]
    assert [team.trace.conversation_items[one.item_id].kind for one in left_out] == ["reasoning"]
    assert view.checkpoint is not None
    assert view.checkpoint.summary is not None
    assert view.checkpoint.summary.summary == "place"


# --- the nearest one


def test_the_nearest_compaction_is_of_the_same_thread_first(bundle_index: Index) -> None:
    steps = compaction_steps(bundle_index("compaction-remote"))
    root = steps[0].thread_id
    assert [nearest_step(steps, root, seq) for seq in (0, 36, 40, 43, 55, 9_999)] == [0, 0, 0, 1, 2, 8]
    assert nearest_step([], root, 5) is None
    elsewhere = [*steps, CompactionStep("other", 36, 36, "inferred")]
    assert nearest_step(elsewhere, "other", 500) == 9
    assert nearest_step(elsewhere, "unknown", 36) == 0
