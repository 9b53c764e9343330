"""Rows of the timeline: rewritten histories, both ends of every edge, whose agent an event belongs to."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from inspecting import Inspection, inspecting
from msgspec.structs import replace

from reducer import ObjectRef
from reducer.model import ToolCall, ToolCallAnchor
from reducer.wire.events import CloseAgent
from rollout_tui.insight.agents.delivery import delivery_view
from rollout_tui.insight.compaction.steps import StepView, compaction_steps, nearest_step
from rollout_tui.insight.timeline.entries import Entry
from rollout_tui.lines.rows import lay_out
from rollout_tui.lines.spans import spans_text
from rollout_tui.screens.compaction_stepper import CompactionStepper
from rollout_tui.screens.prompt import Prompt
from rollout_tui.session import Session
from rollout_tui.views.arrivals import NOT_DELIVERED, UNSEEN, sent_arrival
from rollout_tui.views.compaction.titles import title_spans
from rollout_tui.views.detail.describe import describe
from rollout_tui.views.thread_rows import ThreadRows, delivery_of
from rollout_tui.views.timeline import Timelines
from rollout_tui.views.tree_rows import TreeNode

Demo = Callable[[str], Path]


def timelines_of(bundle: Path) -> Timelines:
    return Session(bundle).load(lambda done, total: None)


def recorded_timelines(shared: Path, name: str) -> Timelines:
    return timelines_of(shared / "bundles" / name / "bundle")


def rows_of(timelines: Timelines, path: str) -> dict[str, str]:
    """The rows of an agent by the type and id of what they stand for, as text."""
    thread = next(one for one in timelines.index.threads if one.agent_path == path)
    rows = timelines.rows(thread.thread_id)
    made = (rows.row(place) for place in range(len(rows)))
    return {f"{row.key.type} {row.key.id}": spans_text(lay_out(row, 110)).rstrip() for row in made}  # type: ignore[attr-defined]


def entries_of_type(timelines: Timelines, type_: str) -> list[Entry]:
    return [entry for entry in timelines.tree(None).values if entry.ref.type == type_]


# Rewritten histories


def test_a_rewritten_history_is_a_row_before_the_call_that_shows_it(shared_dir: Path) -> None:
    timelines = recorded_timelines(shared_dir, "odd-incomplete")
    rewrites = entries_of_type(timelines, "Rewrite")
    assert [entry.seq for entry in rewrites] == [27, 36, 62]
    rows = list(rows_of(timelines, "/root").values())
    place = next(place for place, row in enumerate(rows) if " rewrite " in row)
    assert rows[place].split() == [
        *("27", "rewrite", "6", "→", "7", "items"),
        *("compacted:", "history", "rewritten", "inferred"),
    ]
    assert " 27 call " in rows[place + 1]


def test_recorded_compactions_are_no_rewrites(shared_dir: Path) -> None:
    timelines = recorded_timelines(shared_dir, "compaction-remote")
    assert entries_of_type(timelines, "Compaction")
    assert entries_of_type(timelines, "Rewrite") == []


def test_a_rewrite_is_described_and_followed_to_its_calls(shared_dir: Path) -> None:
    session = Session(shared_dir / "bundles/odd-incomplete/bundle")
    timelines = session.load(lambda done, total: None)
    entry = entries_of_type(timelines, "Rewrite")[0]
    detail = describe(timelines.index, entry.ref)
    assert detail is not None
    assert "6 to 7 items" in detail.title
    assert any(fact.name == "inferred" for fact in detail.facts)
    assert session.follower is not None
    ahead, behind = session.follower.forward(entry.ref), session.follower.back(entry.ref)
    assert isinstance(ahead, list)
    assert isinstance(behind, list)
    rewrite = timelines.entries.rewrites[entry.ref.id]
    assert ahead[0].target == ObjectRef("InferenceCall", rewrite.after.inference_call_id)
    assert behind[0].target == ObjectRef("InferenceCall", rewrite.before.inference_call_id)


def test_a_history_that_was_cut_back_can_be_stepped_through_though_it_is_no_compaction(
    shared_dir: Path,
) -> None:
    timelines = recorded_timelines(shared_dir, "odd-incomplete")
    index = timelines.index
    found = replace(next(iter(timelines.entries.rewrites.values())), kind="cut back", summary_ids=())
    steps = compaction_steps(index, found)
    assert len(steps) == len(compaction_steps(index)) + 1
    seq = found.after.execution.started_seq
    own = next(place for place, step in enumerate(steps) if step.outcome == "rewritten")
    assert steps[own].first_after is found.after
    assert steps[own].last_before is found.before
    assert not steps[own].replaced_history
    assert "no compaction" in spans_text(title_spans(index, steps, own))
    assert StepView(index, steps[own]).checkpoint is not None
    near = nearest_step(steps, found.after.thread_id, seq)
    assert near is not None
    assert steps[near].seq == seq


async def test_c_on_a_rewritten_history_opens_the_stepper_there(shared_dir: Path) -> None:
    bundle = shared_dir / "bundles/odd-incomplete/bundle"
    async with inspecting(bundle) as inspection:
        timeline = inspection.screen.timeline
        assert inspection.screen.session.timelines is not None
        second = entries_of_type(inspection.screen.session.timelines, "Rewrite")[1]
        assert timeline.go_to(second.ref)
        await inspection.press("c")
        stepper = inspection.app.screen
        assert isinstance(stepper, CompactionStepper)
        assert stepper.walk.step is not None
        assert stepper.walk.step.seq == second.seq
        await inspection.press("escape")
        await inspection.press("K")
        assert timeline.entry is not None
        assert (timeline.entry.ref.type, timeline.entry.seq) == ("Rewrite", 27)
        await inspection.press("J", "J")
        assert timeline.entry.ref.type == "Rewrite"
        assert timeline.entry.seq == 62


@pytest.mark.slow
async def test_the_filter_knows_rewritten_histories(shared_dir: Path) -> None:
    async with inspecting(shared_dir / "bundles/odd-incomplete/bundle") as inspection:
        await filter_by(inspection, "kind:rewrite")
        rows = inspection.rows(inspection.screen.timeline.list)
        assert len(rows) == 3
        assert all(" rewrite " in row for row in rows)


async def filter_by(inspection: Inspection, text: str) -> None:
    await inspection.press("&")
    assert isinstance(inspection.app.screen, Prompt)
    inspection.app.screen.input.value = text
    await inspection.press("enter")


# Both ends of every edge


@pytest.mark.parametrize(
    "name", ["multi-agent-v2", "everything-ws", "interrupted-with-children", "demo:team"]
)
def test_both_ends_of_every_edge_are_rows(shared_dir: Path, demo_trace: Demo, name: str) -> None:
    demo = name.removeprefix("demo:")
    timelines = timelines_of(demo_trace(demo)) if demo != name else recorded_timelines(shared_dir, name)
    index, edges = timelines.index, timelines.index.trace.interaction_edges
    for edge in edges.values():
        source, target = index.thread_of_anchor(edge.source), index.thread_of_anchor(edge.target)
        assert source is not None
        assert target is not None
        into = rows_of(timelines, index.thread_path(target))[f"InteractionEdge {edge.edge_id}"]
        assert f"⇠ {index.thread_path(source)}" in into
        rows = rows_of(timelines, index.thread_path(source))
        if isinstance(edge.source, ToolCallAnchor):
            out = rows[f"ToolCall {edge.source.tool_call_id}"]
        else:
            assert edge.kind == "agent_result"
            out = next(row for key, row in rows.items() if key.startswith("Event") and " result " in row)
        assert f"⇢ {index.thread_path(target)}" in out
        item = index.target_item(edge)
        if item is not None:
            call = timelines.links.sightings.first_call(item)
            words = UNSEEN if call is None else f"at call {index.place_of_call(call) + 1}"
            assert into.endswith(words)


def test_a_result_that_reached_nobody_has_its_near_end_all_the_same(shared_dir: Path) -> None:
    timelines = recorded_timelines(shared_dir, "interrupted-with-children")
    row = next(row for row in rows_of(timelines, "/root/quick").values() if " result " in row)
    assert "⇢ /root" in row
    assert row.endswith(NOT_DELIVERED)
    session = Session(shared_dir / "bundles/interrupted-with-children/bundle")
    session.load(lambda done, total: None)
    assert session.follower is not None
    way = session.follower.forward(ObjectRef("Event", "136"))
    assert "made no call after that" in getattr(way, "sentence", "")
    back = session.follower.back(ObjectRef("Event", "136"))
    assert isinstance(back, list)
    assert back[0].target.type == "ConversationItem"


def test_a_message_without_an_edge_is_a_row_too(shared_dir: Path) -> None:
    timelines = recorded_timelines(shared_dir, "multi-agent-across-processes.2")
    rows = [row for key, row in rows_of(timelines, "/root").items() if key.startswith("ConversationItem")]
    assert ["⇠ /root/kid  KID RESULT" in row for row in rows] == [True, True]
    assert [row.split()[-3:] for row in rows] == [["at", "call", "1"], ["at", "call", "4"]]


def cut_log(bundle: Path, into: Path, keep: Callable[[dict[str, object]], bool]) -> Path:
    """A copy of a bundle without some of its events, which are renumbered."""
    copy = into / "bundle"
    shutil.copytree(bundle, copy)
    log = copy / "trace.jsonl"
    events = [json.loads(line) for line in log.read_text().splitlines()]
    kept = [event for event in events if keep(event)]
    for seq, event in enumerate(kept, 1):
        event["seq"] = seq
    log.write_text("".join(json.dumps(event) + "\n" for event in kept))
    return copy


def test_a_child_that_never_saw_its_task_is_marked_whatever_the_task_says(
    shared_dir: Path, tmp_path: Path
) -> None:
    # /root/sleeper gets its task, which is encrypted, with its first call at seq 208.
    bundle = shared_dir / "bundles/multi-agent-v2/bundle"

    def before_the_call(event: dict[str, object]) -> bool:
        return int(str(event["seq"])) < 205

    timelines = timelines_of(cut_log(bundle, tmp_path, before_the_call))
    links = timelines.links
    sleeper = next(one for one in timelines.index.threads if one.agent_path == "/root/sleeper")
    found = delivery_of(delivery_view(links, sleeper))
    assert (found.tasks, found.unseen_tasks) == (1, 1)
    spawn = timelines.index.trace.tool_calls[
        next(
            edge.source.tool_call_id
            for edge in timelines.index.edges_into(sleeper.thread_id)
            if isinstance(edge.source, ToolCallAnchor)
        )
    ]
    assert sent_arrival(links, spawn) is not None


def test_the_tree_of_agents_says_what_did_not_arrive(shared_dir: Path) -> None:
    def marks(name: str) -> dict[str, str]:
        timelines = recorded_timelines(shared_dir, name)
        words = ThreadRows(timelines)
        return {
            thread.agent_path: spans_text(words.row(TreeNode(thread, 0)).spans)
            for thread in timelines.index.threads
        }

    found = marks("multi-agent-v2")
    assert found["/root"] == "/root ⇠? 1 message unseen"
    assert found["/root/sleeper"] == "/sleeper ⇢? closed, no result"
    assert found["/root/alpha"] == "/alpha"
    assert found["/root/broken"] == "/broken", "it failed, and the parent was told so"
    assert marks("interrupted-with-children")["/root/quick"] == "/quick ⇢? result unseen"
    assert set(marks("everything-ws").values()) == {"/root", "/researcher", "/builder"}


def test_wide_rows_of_agents_say_what_they_cost(shared_dir: Path) -> None:
    timelines = recorded_timelines(shared_dir, "multi-agent-v2")
    words = ThreadRows(timelines)
    alpha = next(one for one in timelines.index.threads if one.agent_path == "/root/alpha")
    node = TreeNode(alpha, 1)
    row = spans_text(lay_out(words.row(node), 110))
    for expected in ("1.0s", "3 failures", "9.0k tok", "gpt-5.5"):
        assert expected in row


def test_a_closing_is_a_row_on_both_sides(shared_dir: Path) -> None:
    timelines = recorded_timelines(shared_dir, "multi-agent-v2")
    closed = [row for row in rows_of(timelines, "/root/sleeper").values() if " closed " in row]
    assert len(closed) == 1
    assert closed[0].endswith("⇠ /root")
    closing = [
        call for call in timelines.index.trace.tool_calls.values() if isinstance(call.kind, CloseAgent)
    ]
    assert all(isinstance(call, ToolCall) for call in closing)
    rows = rows_of(timelines, "/root")
    assert any("⇢ /root/sleeper" in rows[f"ToolCall {call.tool_call_id}"] for call in closing)


# Attribution


def test_a_protocol_event_that_names_a_turn_stands_with_the_agent_of_that_turn(shared_dir: Path) -> None:
    timelines = recorded_timelines(shared_dir, "multi-agent-v2")
    aborted = rows_of(timelines, "/root/sleeper")["Event 231"]
    assert " aborted " in aborted
    assert "Event 231" not in rows_of(timelines, "/root")
    assert " error " in rows_of(timelines, "/root")["Event 183"], "nothing says whose error it was"


def test_a_problem_stands_with_the_agent_that_its_event_names(shared_dir: Path, tmp_path: Path) -> None:
    bundle = shared_dir / "bundles/multi-agent-v2/bundle"
    log = (bundle / "trace.jsonl").read_text().splitlines()
    event = next(
        event
        for event in map(json.loads, log)
        if event["payload"]["type"] == "inference_started" and event["seq"] == 208
    )
    copy = tmp_path / "bundle"
    shutil.copytree(bundle, copy)
    (copy / event["payload"]["request_payload"]["path"]).write_text("torn")
    timelines = timelines_of(copy)
    problems = [
        entry
        for entry in entries_of_type(timelines, "Problem")
        if (problem := timelines.index.problem(entry.ref.id)) is not None and problem.seq == 208
    ]
    assert problems
    assert {timelines.index.thread_path(entry.thread_id) for entry in problems} == {"/root/sleeper"}


# What the detail says of it


def facts_of(timelines: Timelines, ref: ObjectRef) -> dict[str, str]:
    detail = describe(timelines.index, ref, timelines.links)
    assert detail is not None
    for fact in detail.facts:
        if fact.link is not None:
            assert describe(timelines.index, fact.link) is not None, fact
    return {fact.name.strip(): fact.value for fact in detail.facts}


def test_an_edge_says_which_call_saw_it_first(shared_dir: Path) -> None:
    timelines = recorded_timelines(shared_dir, "multi-agent-v2")
    for edge in timelines.index.trace.interaction_edges.values():
        facts = facts_of(timelines, ObjectRef("InteractionEdge", edge.edge_id))
        if edge.kind == "close_agent":
            assert "seen by" not in facts
        else:
            assert "the first to see it" in facts["seen by"]


def test_the_report_of_a_result_says_what_became_of_it(shared_dir: Path) -> None:
    timelines = recorded_timelines(shared_dir, "interrupted-with-children")
    facts = facts_of(timelines, ObjectRef("Event", "136"))
    assert facts["agent"] == "/root/quick"
    assert facts["seen by"].startswith("no call: reported at seq 136, but /root made no call after that")
    facts = facts_of(timelines, ObjectRef("Event", "122"))
    assert facts["seen by"].startswith("call 5 of 5 of /root")


def test_an_agent_says_what_it_was_sent_and_who_saw_its_answers(shared_dir: Path) -> None:
    timelines = recorded_timelines(shared_dir, "multi-agent-v2")
    sleeper = next(one for one in timelines.index.threads if one.agent_path == "/root/sleeper")
    detail = describe(timelines.index, ObjectRef("Thread", sleeper.thread_id), timelines.links)
    assert detail is not None
    names = [fact.name.strip() for fact in detail.facts]
    for name in ("task", "seen by", "no answer", "closed"):
        assert name in names
