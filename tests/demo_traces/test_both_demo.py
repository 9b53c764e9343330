"""The run of which there is a bundle and a session: what both tell is the same, what one cannot is known."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from beside_bundle import differences, rows_shown
from demo_reading import DEMOS, REPOSITORY

from reducer import ObjectRef, Reduction, open_bundle, reduce_bundle
from reducer.certainty import START
from reducer.sessions import SessionReduction, read_session, session_state_json
from reducer.state_json import state_json
from rollout_tui.bundles.root import RunList
from rollout_tui.insight.following.steps import NoStep
from rollout_tui.session import Session

BUNDLE = DEMOS / "both/bundle"
GRAPHS = REPOSITORY / "snapshots/demo_traces/both"


def session_file() -> Path:
    """The file of the root: the eldest."""
    return min((DEMOS / "both/sessions").rglob("rollout-*.jsonl"))


@pytest.fixture(scope="module")
def bundle() -> Reduction:
    return reduce_bundle(open_bundle(BUNDLE))


@pytest.fixture(scope="module")
def session() -> SessionReduction:
    return read_session(session_file())


def kept(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((GRAPHS / f"{name}.state.json").read_bytes())
    return found


def test_the_graphs_are_those_that_are_kept(bundle: Reduction, session: SessionReduction) -> None:
    """That of the bundle is one that codex wrote; `rollout-tui reduce` renews that of the session."""
    assert state_json(bundle.trace) == (GRAPHS / "bundle.state.json").read_bytes()
    assert session_state_json(session) == (GRAPHS / "session.state.json").read_bytes()


def test_both_are_whole(bundle: Reduction, session: SessionReduction) -> None:
    assert bundle.problems == session.problems == []
    assert session.drift.unknown == {}
    assert len(session.recording.files) == len(session.trace.threads) == 3


def test_there_is_something_of_most_kinds(session: SessionReduction) -> None:
    trace = session.trace
    assert Counter(edge.kind for edge in trace.interaction_edges.values()) == {
        "spawn_agent": 2,
        "send_message": 1,
        "assign_agent_task": 1,
        "agent_result": 3,
    }
    assert len(trace.compactions) == 1
    [cell] = trace.code_cells.values()
    assert (len(cell.nested_tool_call_ids), len(cell.wait_tool_call_ids)) == (2, 1)
    codes = [one.result.exit_code for one in trace.terminal_operations.values() if one.result is not None]
    assert {0, 1, 127} <= set(codes)


def test_threads_turns_contexts_tools_edges_and_tokens_are_equal(
    bundle: Reduction, session: SessionReduction
) -> None:
    assert differences([bundle], session) == []


def test_the_timelines_have_the_same_rows() -> None:
    assert rows_shown(session_file()) == rows_shown(BUNDLE)


def test_what_the_session_does_not_keep_is_said(session: SessionReduction) -> None:
    """Where the graphs are not equal: requests as they were sent, and when calls began."""
    told, rebuilt = kept("bundle"), kept("session")
    assert rebuilt["rebuilt_from"] == "session"
    assert all(one["raw_request_payload_id"] for one in told["inference_calls"].values())
    for call_id in rebuilt["inference_calls"]:
        certainty = session.certainty.of(call_id)
        assert "request (tools, parameters, headers)" in certainty.not_recorded
        assert START in certainty.rebuilt


def test_it_is_one_run_in_a_list() -> None:
    [run] = RunList(DEMOS / "both", DEMOS / "both").look()
    assert run.evidence == "both"


@pytest.mark.slow
def test_nothing_tells_where_it_was_recorded() -> None:
    """Paths are of the place where the run was played, of the system, or words of codex about them."""
    homes = re.compile(rb"(?<![\w-])/(?:home|root|work|Users)/[A-Za-z._-]+")
    agents = {b"/root/data", b"/root/clock", b"/root/task", b"/root/researcher"}
    found: set[bytes] = set()
    for file in (DEMOS / "both").rglob("*"):
        if file.is_file() and file.suffix != ".zst":
            found.update(homes.findall(file.read_bytes()))
    reader = Session(BUNDLE)
    graph = reader.load(lambda done, total: None).index.trace
    for payload in graph.raw_payloads.values():
        found.update(homes.findall(b"".join(open_bundle(BUNDLE).payloads.pieces(payload))))
    assert found <= agents


def test_results_have_an_entry_where_they_leave_and_where_they_arrive() -> None:
    timelines = Session(session_file()).load(lambda done, total: None)
    index = timelines.index
    results = [one for one in index.trace.interaction_edges.values() if one.kind == "agent_result"]
    for edge in results:
        [event] = index.reduction.provenance.of("InteractionEdge", edge.edge_id)[:1]
        near = ObjectRef("Event", str(event.seq))
        child, parent = index.thread_of_anchor(edge.source), index.thread_of_anchor(edge.target)
        assert child is not None
        assert timelines.tree(child).find(near) is not None
        assert timelines.tree(parent).find(ObjectRef("InteractionEdge", edge.edge_id)) is not None


def ways_of_results(path: Path) -> dict[str, list[list[tuple[str, str]]]]:
    """Of each turn of a child: where the near end of its result leads, where that came from, and the item."""
    opened = Session(path)
    opened.load(lambda done, total: None)
    follower = opened.follower
    assert follower is not None
    found = {}
    for turn_id, report in follower.index.lookups.reports.by_turn.items():
        near = ObjectRef("Event", str(report.seq))
        ways = [follower.forward(near), follower.back(near)]
        assert not any(isinstance(way, NoStep) for way in ways)
        steps = [
            [(step.target.type, step.why) for step in way] for way in ways if not isinstance(way, NoStep)
        ]
        found[turn_id] = steps
    return found


def test_a_result_is_followed_from_its_near_end_and_back_as_in_the_bundle() -> None:
    found = ways_of_results(session_file())
    assert len(found) == 3
    assert found == ways_of_results(BUNDLE)
