"""Of what failed every word for its state is its verdict, wherever it is told, in every recording."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from places import REPOSITORY
from recorded import index_of

from reducer import ObjectRef
from rollout_tui import glyphs
from rollout_tui.insight.agents.links import AgentLinks
from rollout_tui.insight.compaction.steps import StepView, compaction_steps
from rollout_tui.insight.contexts.visibility import Sightings
from rollout_tui.insight.failures.definition import Failure, failure_of, failures
from rollout_tui.insight.failures.words import verdict
from rollout_tui.insight.following.steps import Steps
from rollout_tui.insight.index import TraceIndex
from rollout_tui.lines.spans import spans_text
from rollout_tui.views.compaction.facts import request_facts
from rollout_tui.views.compaction.titles import call_spans
from rollout_tui.views.contexts.context_rows import call_header
from rollout_tui.views.detail.describe import describe
from rollout_tui.views.detail.facts import Detail
from rollout_tui.views.failure_spans import STYLES

GROUPS = ("bundles", "bundles-v1", "bundles-v3")
DEMOS = ("capped", "quickstart", "schema-1", "schema-2", "team")


def graphs(shared: Path) -> Iterator[TraceIndex]:
    for group in GROUPS:
        for manifest in sorted((shared / group).glob("*/bundle/manifest.json")):
            yield index_of(manifest.parent)
    for demo in DEMOS:
        yield index_of(REPOSITORY / "demo_traces" / demo)


@pytest.fixture(scope="module")
def failed(shared_dir: Path) -> list[tuple[TraceIndex, Failure]]:
    """All failures of all recordings, agents among them, each with its graph."""
    found = []
    for index in graphs(shared_dir):
        found += [(index, one) for one in failures(index)]
        agents = (failure_of(index, ObjectRef("Thread", thread.thread_id)) for thread in index.threads)
        found += [(index, one) for one in agents if one is not None]
    return found


def state_of(detail: Detail) -> tuple[str, str]:
    (fact,) = (one for one in detail.facts if one.name == "state")
    return fact.value, fact.style


@pytest.mark.slow
def test_the_detail_has_the_verdict_as_state(failed: list[tuple[TraceIndex, Failure]]) -> None:
    seen = 0
    for index, failure in failed:
        detail = describe(index, failure.ref)
        if detail is None or failure.ref.type == "Event":
            continue
        words, style = state_of(detail)
        assert failure.verdict in words or words == "running when the recording ended"
        assert style in (STYLES[failure.manner], "warn")
        assert style != "good"
        seen += 1
    assert seen > 60


def test_so_has_that_of_a_terminal_operation(failed: list[tuple[TraceIndex, Failure]]) -> None:
    seen = 0
    for index, failure in failed:
        call = index.trace.tool_calls.get(failure.ref.id)
        operation = (
            None if call is None else index.trace.terminal_operations.get(call.terminal_operation_id or "")
        )
        if operation is not None:
            detail = describe(index, ObjectRef("TerminalOperation", operation.operation_id))
            assert detail is not None
            words, style = state_of(detail)
            assert failure.verdict in words or words == "running when the recording ended"
            assert style != "good"
            seen += 1
    assert seen > 5


def test_so_have_the_lines_about_a_call(failed: list[tuple[TraceIndex, Failure]]) -> None:
    seen = 0
    for index, failure in failed:
        call = index.trace.inference_calls.get(failure.ref.id)
        if call is not None:
            assert verdict(failure) in spans_text(call_spans(index, call))
            assert verdict(failure) in call_header(index, call)
            seen += 1
    assert seen > 10


def test_so_has_a_step_to_a_turn(failed: list[tuple[TraceIndex, Failure]]) -> None:
    seen = 0
    for index, failure in failed:
        turn = index.trace.codex_turns.get(failure.ref.id)
        if turn is not None:
            assert Steps(index).turn(turn, "").words.endswith(f", {verdict(failure)}")
            seen += 1
    assert seen > 10


def test_so_has_the_request_of_a_compaction(failed: list[tuple[TraceIndex, Failure]]) -> None:
    seen = 0
    for index, failure in failed:
        if failure.ref.type != "CompactionRequest":
            continue
        (step,) = (
            one
            for one in compaction_steps(index)
            if failure.ref.id in [request.compaction_request_id for request in one.requests]
        )
        states = [fact for fact in request_facts(index, StepView(index, step)) if fact.name == "state"]
        assert any(fact.value.startswith(verdict(failure)) and fact.style != "good" for fact in states)
        seen += 1
    assert seen > 0


def test_a_turn_that_failed_gave_no_answer_even_if_it_is_said_to_be_completed(
    failed: list[tuple[TraceIndex, Failure]],
) -> None:
    """Schema 1 knows no failed turns."""
    seen = 0
    for index, failure in failed:
        turn = index.trace.codex_turns.get(failure.ref.id)
        if turn is None or turn.execution.status != "completed":
            continue
        links = AgentLinks(Sightings(index))
        if links.result_of(turn) is None:
            assert links.answer_of(turn) is None
            assert links.why_no_answer(turn).startswith("the turn failed before it answered")
            seen += 1
    assert seen > 0


def test_the_mark_of_success_never_stands_on_what_failed(failed: list[tuple[TraceIndex, Failure]]) -> None:
    for index, failure in failed:
        detail = describe(index, failure.ref)
        told = (
            []
            if detail is None
            else [fact.value for fact in detail.facts if fact.name in ("state", "failure")]
        )
        assert not any(glyphs.active().succeeded in words for words in told)
