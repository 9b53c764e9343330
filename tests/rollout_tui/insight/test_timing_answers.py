"""Where time went: what an agent did at each moment, who waited for whom, what the end had to wait for."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
from bundle_builder import CHILD, ROOT, BundleBuilder, Json, letter, message
from scenes import SPAWN_INVOCATION, activity, metadata, stdin_invocation

from reducer import reduce_bundle
from rollout_tui.insight.agents.links import AgentLinks
from rollout_tui.insight.contexts.visibility import Sightings
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.timing.lanes import Lane, lanes
from rollout_tui.insight.timing.path import critical_path
from rollout_tui.insight.timing.waiting import unended, waits


class Story(BundleBuilder):
    """A recording whose events come when they are said to."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.now = 0
        self.event("rollout_started", trace_id="trace", root_thread_id=ROOT)
        self.thread(metadata=metadata("/root"))
        self.turn()

    def raw(self, payload: Json, **envelope: Json) -> int:
        return super().raw(payload, **{"wall_time_unix_ms": self.now, **envelope})

    def at(self, now: int) -> Story:
        self.now = now
        return self

    def call(self, name: str, first: int, last: int, thread: str = ROOT, items: Json = ()) -> None:
        self.at(first).request(name, [message("x"), *items], thread)
        self.at(last).response(name, [])

    def ran(self, name: str, kind: Json, first: int, last: int, thread: str = ROOT) -> None:
        self.at(first).tool(name, kind, thread)
        self.at(last).tool_ended(name)

    def over(self, now: int) -> None:
        self.at(now).event("rollout_ended", status="completed")
        self.event("recording_completed")

    def links(self) -> AgentLinks:
        reduction = self.reduce()
        assert reduction.problems == []
        return AgentLinks(Sightings(TraceIndex(reduction)))

    def lane(self, thread: str = ROOT) -> Lane:
        return lanes(self.links().index)[thread]


@pytest.fixture
def story(tmp_path: Path) -> Story:
    return Story(tmp_path / "bundle")


def did(lane: Lane) -> list[tuple[str, int]]:
    return [(one.kind, one.ms) for one in lane.segments if one.ms]


def path_of(story: Story) -> list[tuple[str, str, str | None, int]]:
    links = story.links()
    return [
        (links.index.thread_path(one.thread_id), one.kind, None if one.ref is None else one.ref.id, one.ms)
        for one in critical_path(links).links
        if one.ms
    ]


def test_a_turn_consists_of_calls_tools_and_what_is_between(story: Story) -> None:
    story.call("c1", 10, 100)
    story.ran("t", "web", 105, 205)
    story.call("c2", 210, 300)
    story.at(310).turn_ended()
    story.over(400)
    lane = story.lane()
    assert did(lane) == [
        ("between", 10),
        ("model", 90),
        ("between", 5),
        ("tool", 100),
        ("between", 5),
        ("model", 90),
        ("between", 10),
        ("idle", 90),
    ]
    assert (lane.active_ms, lane.waiting_ms, lane.idle_ms) == (310, 0, 90)


def test_of_tools_side_by_side_the_one_that_ends_last_holds_up(story: Story) -> None:
    story.at(0).tool("t1")
    story.at(50).tool("t2")
    story.at(300).tool_ended("t1")
    story.at(500).tool_ended("t2")
    story.turn_ended()
    assert path_of(story) == [("/root", "tool", "t1", 50), ("/root", "tool", "t2", 450)]


def test_a_poll_waits_and_a_write_works(story: Story) -> None:
    for name, chars, first in (("poll", "", 0), ("write", "y", 100)):
        story.at(first).tool(name, "write_stdin", invocation=stdin_invocation(7, chars))
        story.at(first + 90).tool_ended(name)
    story.at(200).turn_ended()
    found = dict(did(story.lane()))
    assert (found["wait for tool"], found["tool"]) == (90, 90)
    (wait,) = waits(story.links().index)
    assert (wait.ref.id, wait.kind, wait.ms) == ("poll", "wait for tool", 90)


def test_a_question_to_the_user_waits_for_a_person(story: Story) -> None:
    seq = story.at(0).tool("ask", {"type": "other", "name": "request_user_input"})
    line = json.loads(story.lines[seq - 1])
    line["payload"]["summary"]["label"] = "request_user_input"
    story.lines[seq - 1] = json.dumps(line).encode()
    story.at(700).tool_ended("ask")
    story.turn_ended()
    lane = story.lane()
    assert (lane.waiting_ms, lane.active_ms) == (700, 0)
    assert [(one.kind, one.target) for one in waits(story.links().index)] == [("wait for person", None)]


def test_a_script_that_waits_for_an_agent_waits(story: Story) -> None:
    """What the script does besides its calls is work; the call that it waits in is not."""
    exec_call = {"type": "custom_tool_call", "call_id": "x", "name": "exec", "input": "1"}
    story.at(0).request("c1", [message("x")])
    story.at(10).response("c1", [exec_call])
    story.tool("x", {"type": "other", "name": "exec"}, call_id="x")
    story.cell("x")
    story.at(30).tool("w", "wait_agent", cell="1")
    story.at(130).tool_ended("w")
    story.at(150).cell_response("completed")
    story.cell_ended()
    story.tool_ended("x")
    story.turn_ended()
    assert did(story.lane()) == [("model", 10), ("tool", 20), ("wait for agent", 100), ("tool", 20)]


def test_what_never_ended_ends_with_its_turn(story: Story) -> None:
    story.at(0).tool("t")
    story.at(100).turn_ended("cancelled")
    story.over(500)
    lane = story.lane()
    assert did(lane) == [("tool", 100), ("idle", 400)]
    (found,) = unended(story.links().index)
    assert (found.ref.id, found.ms) == ("t", 500)


def test_while_a_session_goes_on_what_runs_goes_up_to_the_end_of_the_log(story: Story) -> None:
    story.at(0).request("c1", [message("x")])
    story.at(50).event("protocol_event_observed", event_type="warning", event_payload=story.payload({}))
    assert did(story.lane()) == [("model", 50)]
    assert path_of(story) == [("/root", "model", "c1", 50)]


# Agents


def spawned(story: Story, first: int, last: int) -> None:
    """A child that starts while it is spawned."""
    story.at(first).tool("spawn", "spawn_agent", invocation=SPAWN_INVOCATION)
    story.at(first + 5).thread(CHILD, "/root/a", metadata("/root/a", ROOT))
    story.turn("tc", CHILD)
    story.at(last).runtime_ended("spawn", activity("started", CHILD, "/root/a"))
    story.tool_ended("spawn")


def reported(story: Story, now: int) -> None:
    """The end of the child's turn, and its result."""
    story.at(now).turn_ended("completed", "tc", CHILD)
    story.event(
        "agent_result_observed",
        CHILD,
        "tc",
        edge_id="e",
        child_thread_id=CHILD,
        child_codex_turn_id="tc",
        parent_thread_id=ROOT,
        message="found it",
        carried_payload=story.payload({"message": "found it"}, "agent_result"),
    )


FOUND = letter("found it", "/root/a", "/root")


def waited(story: Story) -> None:
    """The root spawns a child, goes on by itself, and then waits for its answer."""
    story.call("c1", 0, 100)
    spawned(story, 100, 120)
    story.at(120).request("c2", [message("x")])
    story.at(125).request("k1", [message("x")], CHILD)
    story.at(150).response("c2", [])
    story.at(400).response("k1", [])
    story.tool("w", "wait_agent")
    story.ran("x", "web", 400, 900, CHILD)
    story.call("k2", 900, 1000, CHILD)
    reported(story, 1000)
    story.at(1005).tool_ended("w")


def test_a_wait_leads_on_in_the_agent_that_ended_it(story: Story) -> None:
    waited(story)
    story.call("c3", 1010, 1100, items=[FOUND])
    story.at(1100).turn_ended()
    assert path_of(story) == [
        ("/root", "model", "c1", 100),
        ("/root", "tool", "spawn", 5),
        ("/root/a", "between", "tc", 20),
        ("/root/a", "model", "k1", 275),
        ("/root/a", "tool", "x", 500),
        ("/root/a", "model", "k2", 100),
        ("/root", "wait for agent", "w", 5),
        ("/root", "between", "turn", 5),
        ("/root", "model", "c3", 90),
    ], "what the root did meanwhile moved nothing"
    (wait,) = waits(story.links().index)
    assert wait.end is not None
    assert (wait.ms, wait.end.kind, wait.end.sender) == (605, "result", "/root/a")


def test_a_wait_that_began_after_the_answer_came_is_the_roots_own(story: Story) -> None:
    story.call("c1", 0, 100)
    spawned(story, 100, 120)
    story.at(125).request("c2", [message("x")])
    story.call("k1", 125, 200, CHILD)
    reported(story, 200)
    story.at(800).response("c2", [])
    story.ran("w", "wait_agent", 800, 810)
    story.call("c3", 820, 900, items=[FOUND])
    story.at(900).turn_ended()
    found = path_of(story)
    assert {path for path, *_ in found} == {"/root"}
    assert ("/root", "wait for agent", "w", 10) in found


def test_a_wait_whose_time_was_over_is_waited_out(story: Story) -> None:
    spawned(story, 0, 20)
    story.at(30).request("k1", [message("x")], CHILD)
    story.at(100).tool("w", "wait_agent", call_id="w")
    story.at(400).tool_ended("w")
    out = {"type": "function_call_output", "call_id": "w", "output": '{"timed_out": true}'}
    asked = {"type": "function_call", "call_id": "w", "name": "wait_agent", "arguments": "{}"}
    story.call("c2", 410, 600, items=[asked, out])
    story.at(600).turn_ended()
    found = path_of(story)
    assert ("/root", "wait for agent", "w", 300) in found
    assert {path for path, *_ in found} == {"/root"}


def test_between_turns_the_user_is_waited_for(story: Story) -> None:
    story.call("c1", 0, 100)
    story.at(100).turn_ended()
    story.at(1100).turn("turn-2")
    story.call("c2", 1110, 1200)
    story.turn_ended("completed", "turn-2")
    story.over(1300)
    assert path_of(story) == [
        ("/root", "model", "c1", 100),
        ("/root", "idle", None, 1000),
        ("/root", "between", "turn-2", 10),
        ("/root", "model", "c2", 90),
        ("/root", "idle", None, 100),
    ]


def test_clocks_that_go_back_change_no_order(story: Story) -> None:
    story.call("c1", 0, 100)
    story.ran("t", "web", 40, 60)
    story.call("c2", 130, 200)
    story.turn_ended()
    lane = story.lane()
    assert did(lane) == [("model", 100), ("between", 30), ("model", 70)]
    assert sum(ms for *_, ms in path_of(story)) == 200


def test_before_v2_the_path_leads_on_in_the_agent_that_was_sending(shared_dir: Path) -> None:
    """No edge tells of a message to an agent that is there already; the order of the log does."""
    bundle = shared_dir / "bundles-v3/agents-v1/bundle"
    index = TraceIndex(reduce_bundle(bundle))
    links = critical_path(AgentLinks(Sightings(index))).links
    idle = [place for place, one in enumerate(links) if one.kind == "idle"]
    assert idle == [0, 1, len(links) - 1], "before the first turn, and after the last one"
    goes_to = [one.thread_id for before, one in pairwise(links) if before.thread_id != one.thread_id]
    root = index.trace.root_thread_id
    assert [one == root for one in goes_to] == [False, True] * 3
