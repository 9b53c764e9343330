"""Following edges there and back, on recorded runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from places import REPOSITORY
from recorded import call_at, cut_off, index_of, raw_requests, recorded, thread_at

from reducer import ObjectRef
from reducer.model import CALL_KINDS, OUTPUT_KINDS, CodeCellRequester, ItemAnchor
from reducer.wire.events import CloseAgent
from rollout_tui.insight.agents.links import anchor_ref
from rollout_tui.insight.contexts.visibility import Sightings
from rollout_tui.insight.following.follower import Follower
from rollout_tui.insight.following.steps import NoStep, Step, Way
from rollout_tui.insight.index import TraceIndex

BUNDLES = (
    "multi-agent-v2",
    "interrupted-with-children",
    "everything-ws",
    "code-mode",
    "compaction-remote",
    "compaction-failing",
    "review-app",
    "multi-agent-across-processes.2",
)


def follower_of(index: TraceIndex) -> Follower:
    return Follower(Sightings(index))


def only(way: Way) -> Step:
    """The one step there is."""
    assert isinstance(way, list), way
    assert len(way) == 1, way
    return way[0]


def why_not(way: Way) -> str:
    assert isinstance(way, NoStep), way
    return way.sentence


def chain(follower: Follower, start: ObjectRef, steps: int) -> list[Step]:
    """One key each: the places that `f` visits."""
    visited: list[Step] = []
    for _ in range(steps):
        visited.append(only(follower.forward(visited[-1].target if visited else start)))
    return visited


def tool(call_id: str) -> ObjectRef:
    return ObjectRef("ToolCall", call_id)


def item(number: int) -> ObjectRef:
    return ObjectRef("ConversationItem", f"conversation_item:{number}")


def seq_of_call(index: TraceIndex, step: Step) -> int:
    assert step.target.type == "InferenceCall"
    return index.trace.inference_calls[step.target.id].execution.started_seq


# From agent to agent


def test_a_spawn_leads_to_the_child_and_back_to_the_parent_one_step_each(shared_dir: Path) -> None:
    bundle = shared_dir / "bundles/multi-agent-v2/bundle"
    index = recorded(shared_dir, "multi-agent-v2")
    follower = follower_of(index)
    visited = chain(follower, tool("call_00003"), 5)
    assert [step.why for step in visited] == [
        "task delivered as",
        "first seen by",
        "answered with",
        "result delivered as",
        "first seen by",
    ]
    task, child_saw, answer, result, parent_saw = visited
    assert (task.target, answer.target, result.target) == (item(10), item(47), item(48))
    assert "ALPHA RESULT: looked around." in answer.words
    assert child_saw.words == "/root/alpha: call 1, seq 30"
    assert parent_saw.words == "/root: call 5, seq 94"
    # The raw requests say the same: who has the texts first, and nobody before.
    alpha = thread_at(index, "/root/alpha").thread_id
    root = index.trace.root_thread_id
    requests = raw_requests(bundle)
    task_seen = [seq for seq, thread_id, text in requests if thread_id == alpha and "ALPHA-TASK" in text]
    result_seen = [seq for seq, thread_id, text in requests if thread_id == root and "ALPHA RESULT" in text]
    assert (task_seen[0], result_seen[0]) == (seq_of_call(index, child_saw), seq_of_call(index, parent_saw))


def test_the_chain_goes_back_the_same_way(shared_dir: Path) -> None:
    follower = follower_of(recorded(shared_dir, "multi-agent-v2"))
    call = call_at(follower.index, "/root", 5)
    received = only(follower.back(ObjectRef("InferenceCall", call.inference_call_id)))
    assert (received.target, received.why) == (item(48), "first to see")
    answer = only(follower.back(received.target))
    assert (answer.target, answer.why) == (item(47), "result of")
    answered = only(follower.back(answer.target))
    assert answered.words == "/root/alpha: call 4, seq 84"
    first = call_at(follower.index, "/root/alpha", 1)
    task = only(follower.back(ObjectRef("InferenceCall", first.inference_call_id)))
    assert task.target == item(10)
    spawn = only(follower.back(task.target))
    assert (spawn.target, spawn.why) == (tool("call_00003"), "task sent by")
    asked = only(follower.back(spawn.target))
    assert (asked.words, asked.why) == ("/root: call 1, seq 11", "asked for by")


def test_messages_and_later_tasks_are_followed_alike(shared_dir: Path) -> None:
    follower = follower_of(recorded(shared_dir, "multi-agent-v2"))
    message = chain(follower, tool("call_00014"), 4)
    assert [step.target for step in message[:1] + message[2:]] == [item(41), item(47), item(48)]
    assert message[1].words == "/root/alpha: call 2, seq 72"
    task = chain(follower, tool("call_00029"), 5)
    assert [step.target for step in task[:1] + task[2:4]] == [item(59), item(66), item(67)]
    assert (task[1].words, task[4].words) == ("/root/alpha: call 5, seq 132", "/root: call 9, seq 160")


def test_a_close_leads_to_the_agent_it_closed_and_the_agent_back_to_it(shared_dir: Path) -> None:
    follower = follower_of(recorded(shared_dir, "multi-agent-v2"))
    sleeper = thread_at(follower.index, "/root/sleeper")
    closed = only(follower.forward(tool("call_00048")))
    assert (closed.target, closed.why) == (ObjectRef("Thread", sleeper.thread_id), "closed")
    back = follower.back(closed.target)
    assert isinstance(back, list)
    assert [(step.target, step.why) for step in back] == [
        (tool("call_00042"), "spawned by"),
        (tool("call_00048"), "closed by"),
    ]


def test_a_failed_child_leads_to_what_its_parent_was_told(shared_dir: Path) -> None:
    follower = follower_of(recorded(shared_dir, "multi-agent-v2"))
    visited = chain(follower, tool("call_00038"), 4)
    assert [step.target for step in (visited[0], visited[2])] == [item(71), item(78)]
    assert (visited[2].why, visited[3].words) == ("result delivered as", "/root: call 11, seq 191")
    back = only(follower.back(item(78)))
    assert back.target == ObjectRef("Thread", thread_at(follower.index, "/root/broken").thread_id)


def test_an_edge_row_leads_to_both_of_its_ends(shared_dir: Path) -> None:
    follower = follower_of(recorded(shared_dir, "multi-agent-v2"))
    for edge_id, edge in follower.index.trace.interaction_edges.items():
        ref = ObjectRef("InteractionEdge", edge_id)
        assert only(follower.back(ref)).target == anchor_ref(edge.source)
        assert only(follower.forward(ref)).target == anchor_ref(edge.target)


def test_an_agent_leads_to_all_that_it_sent_in_order(shared_dir: Path) -> None:
    follower = follower_of(recorded(shared_dir, "multi-agent-v2"))
    way = follower.forward(ObjectRef("Thread", follower.index.trace.root_thread_id))
    assert isinstance(way, list)
    sleeper = ObjectRef("Thread", thread_at(follower.index, "/root/sleeper").thread_id)
    assert [step.target for step in way] == [*map(item, (10, 20, 41, 59, 71, 82)), sleeper]
    alpha = follower.forward(ObjectRef("Thread", thread_at(follower.index, "/root/alpha").thread_id))
    assert isinstance(alpha, list)
    assert [step.target for step in alpha] == [item(48), item(67)]


def test_the_demo_team_is_followed_through_three_levels(team: TraceIndex) -> None:
    follower = follower_of(team)
    spawn = follower.back(ObjectRef("Thread", thread_at(team, "/root/repro/stress").thread_id))
    visited = chain(follower, only(spawn).target, 4)
    assert visited[1].words == "/root/repro/stress: call 1, seq 102"
    assert "exceeded retry limit" in visited[2].words
    assert visited[3].words == "/root/repro: call 5, seq 174"


# Where there is no other end


def test_a_result_that_came_after_the_last_call_of_the_parent(shared_dir: Path) -> None:
    follower = follower_of(recorded(shared_dir, "interrupted-with-children"))
    quick = thread_at(follower.index, "/root/quick")
    turn = follower.index.contents[quick.thread_id].turns[0]
    answer = only(follower.forward(ObjectRef("Turn", turn.codex_turn_id)))
    # Raw: agent_result_observed is event 136; the last request of the parent is event 127, its end event 138.
    assert "SLOW RESULT" in answer.words
    way = follower.forward(answer.target)
    sentence = "reported at seq 136, but /root made no call after that and ended (seq 138)"
    assert way == NoStep(sentence, ObjectRef("Event", "136"))
    assert follower.forward(ObjectRef("Thread", quick.thread_id)) == way


def test_a_child_that_was_closed_before_it_answered(shared_dir: Path) -> None:
    follower = follower_of(recorded(shared_dir, "multi-agent-v2"))
    child_saw = chain(follower, tool("call_00042"), 2)[1]
    assert child_saw.words == "/root/sleeper: call 1, seq 208"
    reason = why_not(follower.forward(child_saw.target))
    assert reason == "the turn was cancelled before it answered (seq 229, closed by /root)"


def test_tool_calls_that_reached_no_agent_say_what_the_model_was_told(shared_dir: Path) -> None:
    follower = follower_of(recorded(shared_dir, "multi-agent-v2"))
    unsupported = follower.forward(tool("call_00018"))
    assert unsupported == NoStep(
        "the spawn call failed: unsupported call: collaborationspawn_agent", item(44)
    )
    nobody = follower.forward(tool("call_00050"))
    assert nobody == NoStep("the close call failed: live agent path `/root/nobody` not found", item(94))
    to_parent = follower.forward(tool("call_00035"))
    assert isinstance(to_parent, NoStep)
    assert to_parent.nearest == ObjectRef("Thread", follower.index.trace.root_thread_id)


def test_a_task_that_no_call_saw_before_the_log_ends(shared_dir: Path, tmp_path: Path) -> None:
    # Event 21 ends the spawn of alpha, 29 accepts its task, 30 is its first request.
    bundle = shared_dir / "bundles/multi-agent-v2/bundle"
    follower = follower_of(cut_off(bundle, 22, tmp_path / "early"))
    way = follower.forward(tool("call_00003"))
    alpha = ObjectRef("Thread", thread_at(follower.index, "/root/alpha").thread_id)
    assert way == NoStep(
        "delivered to nobody: /root/alpha made no call after that, as far as the log goes", alpha
    )
    assert only(follower.back(alpha)).target == tool("call_00003")
    later = follower_of(cut_off(bundle, 29, tmp_path / "later", ends=True))
    task = only(later.forward(tool("call_00003")))
    assert why_not(later.forward(task.target)) == (
        "no call saw it: accepted at seq 29; /root/alpha made no call after that"
    )


def test_a_child_that_died_in_its_first_call(shared_dir: Path, tmp_path: Path) -> None:
    bundle = shared_dir / "bundles/multi-agent-v2/bundle"
    follower = follower_of(cut_off(bundle, 31, tmp_path / "dead", ends=True))
    child_saw = chain(follower, tool("call_00003"), 2)[1]
    assert why_not(follower.forward(child_saw.target)) == (
        "the agent died before it answered: the recording ends during call 1"
    )
    growing = follower_of(cut_off(bundle, 31, tmp_path / "growing"))
    assert why_not(growing.forward(child_saw.target)) == "the turn has not ended, as far as the log goes"


def test_a_result_that_was_on_its_way_when_the_log_ends(shared_dir: Path, tmp_path: Path) -> None:
    # Event 89 reports alpha's result; the parent's next request is event 94.
    bundle = shared_dir / "bundles/multi-agent-v2/bundle"
    follower = follower_of(cut_off(bundle, 91, tmp_path / "short"))
    way = follower.forward(item(47))
    assert way == NoStep(
        "reported at seq 89, but /root made no call after that, as far as the log goes",
        ObjectRef("Event", "89"),
    )


def test_what_no_edge_leads_from_or_to(shared_dir: Path) -> None:
    follower = follower_of(recorded(shared_dir, "multi-agent-v2"))
    assert why_not(follower.forward(ObjectRef("Event", "136"))) == "no edge leads from here or to here"
    assert why_not(follower.back(ObjectRef("ToolCall", "call_unknown"))) == "this is not in the graph"
    root = ObjectRef("Thread", follower.index.trace.root_thread_id)
    assert why_not(follower.back(root)) == "no other agent started /root"
    assert why_not(follower.back(item(6))) == "it came from the user, or from Codex in the user's name"


# Along a tool call


def test_a_tool_call_leads_to_its_output_and_to_the_call_that_saw_it(shared_dir: Path) -> None:
    follower = follower_of(recorded(shared_dir, "multi-agent-v2"))
    call_item = follower.index.trace.tool_calls["call_00010"].model_visible_call_item_ids[0]
    asked = only(follower.forward(ObjectRef("ConversationItem", call_item)))
    assert (asked.target, asked.why) == (tool("call_00010"), "asks for")
    output = only(follower.forward(asked.target))
    assert output.target == item(37)
    saw = only(follower.forward(output.target))
    assert saw.words == "/root: call 3, seq 54"
    assert only(follower.back(output.target)).target == tool("call_00010")
    started = follower.back(saw.target)
    assert isinstance(started, list)
    assert [step.target for step in started] == [item(37)]


def test_items_that_a_child_inherited_do_not_lead_a_tool_call_astray(shared_dir: Path) -> None:
    # Items 32 and 33 of everything-ws are builder's copies of root's items 8 and 9.
    follower = follower_of(recorded(shared_dir, "everything-ws"))
    call = follower.index.tool_of_item(follower.index.trace.conversation_items["conversation_item:32"])
    assert call is not None
    assert call.model_visible_output_item_ids == ["conversation_item:9", "conversation_item:33"]
    assert only(follower.forward(tool(call.tool_call_id))).target == item(9)
    assert only(follower.back(tool(call.tool_call_id))).words.startswith("/root: call 1")
    inherited = "this agent did not produce it: it was inherited with the history of its parent"
    assert why_not(follower.back(item(34))) == inherited


def test_cells_nested_calls_and_waits(shared_dir: Path) -> None:
    follower = follower_of(recorded(shared_dir, "code-mode"))
    trace = follower.index.trace
    cell = next(one for one in trace.code_cells.values() if len(one.nested_tool_call_ids) > 1)
    way = follower.forward(ObjectRef("CodeCell", cell.code_cell_id))
    assert isinstance(way, list)
    assert [step.target.id for step in way] == cell.nested_tool_call_ids
    for step in way:
        assert only(follower.back(step.target)).target == follower.index.entry_of_cell(cell)
    waited = next(one for one in trace.code_cells.values() if one.wait_tool_call_ids)
    wait = follower.forward(tool(waited.wait_tool_call_ids[0]))
    assert isinstance(wait, list)
    assert wait[0] == Step(follower.index.entry_of_cell(waited), wait[0].words, "waits for")
    assert [step.why for step in wait[1:]] == ["output"] * (len(wait) - 1)


def test_a_compaction_leads_from_its_request_to_the_first_call_after_it(shared_dir: Path) -> None:
    follower = follower_of(recorded(shared_dir, "compaction-remote"))
    request_id = min(follower.index.trace.compaction_requests)
    visited = chain(follower, ObjectRef("CompactionRequest", request_id), 2)
    compaction = follower.index.trace.compactions[visited[0].target.id]
    assert request_id in compaction.request_ids
    first_after = follower.index.trace.inference_calls[visited[1].target.id]
    assert set(compaction.replacement_item_ids) <= set(first_after.request_item_ids)
    assert only(follower.back(visited[0].target)).target.id == request_id


def test_a_compaction_that_failed_says_so(shared_dir: Path) -> None:
    follower = follower_of(recorded(shared_dir, "compaction-failing"))
    requests = follower.index.trace.compaction_requests
    assert requests
    for request_id in requests:
        way = follower.forward(ObjectRef("CompactionRequest", request_id))
        assert why_not(way) == "no compaction was installed: the request is ✗ failed"


# Everywhere


def everything(index: TraceIndex) -> list[ObjectRef]:
    trace = index.trace
    maps = {
        "Thread": trace.threads,
        "Turn": trace.codex_turns,
        "InferenceCall": trace.inference_calls,
        "ToolCall": trace.tool_calls,
        "CodeCell": trace.code_cells,
        "ConversationItem": trace.conversation_items,
        "InteractionEdge": trace.interaction_edges,
        "Compaction": trace.compactions,
        "CompactionRequest": trace.compaction_requests,
        "TerminalSession": trace.terminal_sessions,
    }
    return [ObjectRef(type_, object_id) for type_, objects in maps.items() for object_id in objects]


@pytest.fixture(params=[*BUNDLES, "demo:team", "demo:hostile", "demo:quickstart"])
def any_index(request: pytest.FixtureRequest, shared_dir: Path) -> TraceIndex:
    name: str = request.param
    if name.startswith("demo:"):
        return index_of(REPOSITORY / "demo_traces" / name.removeprefix("demo:"))
    return recorded(shared_dir, name)


def test_every_object_leads_somewhere_or_says_why_not(any_index: TraceIndex) -> None:
    follower = follower_of(any_index)
    known = set(everything(any_index))
    for ref in known:
        for way in (follower.forward(ref), follower.back(ref)):
            if isinstance(way, NoStep):
                assert way.sentence
                assert way.nearest is None or way.nearest.type == "Event" or way.nearest in known
            else:
                assert way
                assert {step.target for step in way} <= known


@pytest.mark.slow
def test_every_delivered_edge_is_followed_there_and_back(any_index: TraceIndex) -> None:
    follower = follower_of(any_index)
    for edge in any_index.trace.interaction_edges.values():
        source, target = anchor_ref(edge.source), anchor_ref(edge.target)
        if not isinstance(edge.target, ItemAnchor):
            continue
        way = follower.forward(source)
        assert isinstance(way, list)
        assert target in [step.target for step in way]
        assert only(follower.back(target)).target == source


def test_the_first_call_that_saw_an_item_knows_it(any_index: TraceIndex) -> None:
    follower = follower_of(any_index)
    for item_id, one in any_index.trace.conversation_items.items():
        call = follower.sightings.first_call(one)
        if call is None or one.kind not in OUTPUT_KINDS:
            continue
        back = follower.back(ObjectRef("InferenceCall", call.inference_call_id))
        assert isinstance(back, list)
        arrived = {step.target.id for step in back}
        messages = arrived & follower.links.edge_to.keys()
        assert item_id in arrived or messages == arrived


def test_call_items_lead_to_their_tool_calls_and_these_back_to_the_response(any_index: TraceIndex) -> None:
    follower = follower_of(any_index)
    for call in any_index.trace.inference_calls.values():
        asking = [one for one in any_index.items(call.response_item_ids) if one.kind in CALL_KINDS]
        for one in asking:
            if any_index.tool_of_item(one) is None:
                continue
            target = only(follower.forward(ObjectRef("ConversationItem", one.item_id))).target
            back = follower.back(target)
            assert isinstance(back, list)
            assert call.inference_call_id in [step.target.id for step in back]


@pytest.mark.slow
def test_what_a_tool_call_leads_to_came_after_it(any_index: TraceIndex) -> None:
    follower = follower_of(any_index)
    for call in any_index.trace.tool_calls.values():
        if isinstance(call.requester, CodeCellRequester) or isinstance(call.kind, CloseAgent):
            continue  # these lead to the cell or the agent around them, which began before
        refs = [tool(call.tool_call_id)]
        for _ in range(2):
            way = follower.forward(refs[-1])
            if isinstance(way, NoStep):
                break
            refs.append(way[-1].target)
        seqs = [seq for ref in refs if (seq := any_index.first_seq(ref)) is not None]
        assert seqs == sorted(seqs), refs
