"""Several files are one run: children, forks, segments, reviewers."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
import zstandard
from session_builder import CHILD, FORK, ROOT, TURN, SessionWriter, plain_session, spoken
from session_values import contexts

from reducer.model import ItemAnchor, RootOrigin, SpawnedOrigin, ThreadAnchor, ToolCallAnchor
from reducer.sessions import NoSessionError, read_session

SPAWN = {
    "subagent": {
        "thread_spawn": {
            "parent_thread_id": ROOT,
            "depth": 1,
            "agent_path": "/root/alpha",
            "agent_nickname": "Curie",
            "agent_role": "helper",
        }
    }
}


def fork(home: Path, base: SessionWriter, ordinal: int, offset: int | None, **more: object) -> SessionWriter:
    writer = SessionWriter(home, FORK, first_ordinal=ordinal, at=5)
    where = {"thread_id": base.thread_id, "end_ordinal_exclusive": ordinal, "end_byte_offset": offset}
    writer.meta(forked_from_id=base.thread_id, history_base=where, **more)
    writer.sequence = base.sequence
    writer.start_turn(5)
    writer.user("in the fork")
    writer.sees()
    writer.assistant("Forked.")
    writer.usage("resp_fork")
    writer.end_turn()
    return writer


def cut_at(writer: SessionWriter, line: int) -> int:
    """Where a line begins, from 0."""
    return sum(len(one) for one in writer.path.read_bytes().splitlines(keepends=True)[:line])


def test_a_fork_goes_on_from_a_part_of_another_file(home: Path) -> None:
    base = plain_session(home)
    writer = fork(home, base, 5, cut_at(base, 5))  # up to the call
    session = read_session(writer.path)
    assert session.problems == []
    assert session.recording.files == sorted(session.recording.files, key=lambda name: FORK not in name)
    assert len(session.recording.files) == 2
    seen = contexts(session)[-1]
    assert seen[0] == "look"
    assert seen[2:] == ["aborted", "in the fork"]
    inherited = {item_id for item_id, thread_id in session.inherited.items() if thread_id == ROOT}
    assert len(inherited) == 2
    assert isinstance(session.trace.threads[FORK].origin, RootOrigin)


@pytest.mark.parametrize("how", ["archived", "compressed"])
def test_the_base_of_a_fork_may_be_elsewhere(home: Path, how: str) -> None:
    base = plain_session(home)
    writer = fork(home, base, 5, cut_at(base, 5))
    if how == "archived":
        (home / "archived_sessions").mkdir()
        base.path.rename(home / "archived_sessions" / base.path.name)
    else:
        packed = zstandard.ZstdCompressor().compress(base.path.read_bytes())
        base.path.with_name(base.path.name + ".zst").write_bytes(packed)
        base.path.unlink()
    session = read_session(writer.path)
    assert session.problems == []
    assert contexts(session)[-1][0] == "look"


def test_a_base_that_is_missing(home: Path) -> None:
    base = plain_session(home)
    writer = fork(home, base, 5, None)
    base.path.unlink()
    session = read_session(writer.path)
    [problem] = session.problems
    assert ROOT in problem.reason
    assert problem.file is not None
    assert contexts(session) == [["in the fork"]]
    [call] = session.trace.inference_calls.values()
    assert any("missing" in one for one in session.certainty.of(call.inference_call_id).rebuilt)


def test_a_base_that_is_another_one(home: Path) -> None:
    base = plain_session(home)
    assert "does not begin at byte" in read_session(fork(home, base, 5, 7).path).problems[0].reason
    assert "does not reach" in read_session(fork(home, base, 500, 7).path).problems[0].reason


def test_a_segment_is_the_same_thread(home: Path) -> None:
    base = plain_session(home)
    writer = SessionWriter(home, segment=CHILD, first_ordinal=5, at=5)
    where = {"thread_id": ROOT, "end_ordinal_exclusive": 5, "end_byte_offset": cut_at(base, 5)}
    writer.meta(history_base=where)
    writer.sequence = 2
    writer.start_turn(5)
    writer.user("again")
    writer.sees()
    writer.assistant("Another answer.")
    writer.usage("resp_again")
    session = read_session(base.path)
    assert [*session.trace.threads] == [ROOT]
    assert session.inherited == {}
    calls = session.trace.inference_calls
    assert len(calls) == 3
    last = [*calls.values()][-1]
    first = next(iter(calls.values()))
    assert last.request_item_ids[0] == first.request_item_ids[1]  # the first has base instructions, too


def test_a_child_its_edges_and_what_came_back(home: Path) -> None:
    parent = SessionWriter(home)
    parent.meta(session_id=ROOT)
    turn = parent.start_turn()
    parent.user("delegate")
    parent.sees()
    parent.call("call_spawn", "spawn_agent", task_name="alpha", message="do it")
    parent.usage()
    activity = {"type": "SubAgentActivity", "agent_thread_id": CHILD, "agent_path": "/root/alpha"}
    parent.event("item_completed", turn_id=turn, item={**activity, "id": "call_spawn", "kind": "started"})
    parent.output("call_spawn", '{"task_name":"/root/alpha"}')
    child = SessionWriter(home, CHILD, at=0.2)
    child.meta(session_id=ROOT, parent_thread_id=ROOT, source=SPAWN)
    child_turn = child.start_turn(6)
    letter = {"type": "agent_message", "author": "/root", "recipient": "/root/alpha"}
    child.item({**letter, "content": [{"type": "input_text", "text": "Message Type: NEW_TASK\ndo it"}]})
    child.sees()
    child.assistant("It is done.")
    child.usage("resp_child")
    child.end_turn("It is done.")
    parent._time = child._time
    note = f"subagent-completed-{child_turn}"
    parent.event("item_completed", turn_id=turn, item={**activity, "id": note, "kind": "completed"})
    answer = {"type": "agent_message", "author": "/root/alpha", "recipient": "/root"}
    said = "Message Type: FINAL_ANSWER\nIt is done."
    parent.item({**answer, "content": [{"type": "input_text", "text": said}]})
    session = read_session(child.path)
    graph = session.trace
    assert session.problems == []
    assert graph.root_thread_id == ROOT
    origin = graph.threads[CHILD].origin
    assert isinstance(origin, SpawnedOrigin)
    assert (origin.parent_thread_id, origin.task_name, origin.agent_role) == (ROOT, "alpha", "helper")
    spawn = graph.interaction_edges[f"edge:spawn:{ROOT}:{CHILD}"]
    result = graph.interaction_edges[f"edge:agent_result:{CHILD}:{child_turn}:{ROOT}"]
    assert isinstance(spawn.source, ToolCallAnchor)
    assert isinstance(spawn.target, ItemAnchor)
    assert graph.conversation_items[spawn.target.item_id].thread_id == CHILD
    assert isinstance(result.source, ItemAnchor)
    assert isinstance(result.target, ItemAnchor)
    assert graph.conversation_items[result.target.item_id].thread_id == ROOT


def test_a_child_whose_file_is_missing(home: Path) -> None:
    parent = SessionWriter(home)
    parent.meta()
    turn = parent.start_turn()
    parent.user("delegate")
    parent.sees()
    parent.call("call_spawn", "spawn_agent", task_name="alpha", message="do it")
    item = {"type": "SubAgentActivity", "id": "call_spawn", "kind": "started", "agent_thread_id": CHILD}
    parent.event("item_completed", turn_id=turn, item=item)
    session = read_session(parent.path)
    [problem] = session.problems
    assert problem.thread_id == CHILD
    assert f"edge:spawn:{ROOT}:{CHILD}" in session.trace.interaction_edges


def test_what_a_child_copied_is_not_its_own(home: Path) -> None:
    parent = SessionWriter(home, first_ordinal=None)
    parent.meta()
    parent.start_turn(1, new=False)
    parent.user("begin")
    child = SessionWriter(home, FORK, first_ordinal=None, at=1)
    child.meta(forked_from_id=ROOT, source=SPAWN)
    child.line("session_meta", {"id": ROOT})
    child.event("task_started", turn_id=TURN.format(1))
    child.user("begin")
    child.call("call_open", "spawn_agent")
    child.count(more=True)
    child.event("turn_aborted", turn_id=TURN.format(1), reason="interrupted")
    child.event("task_started", turn_id=FORK.replace("0003", "0004", 1))
    child.turn = FORK.replace("0003", "0004", 1)
    child.user("the task")
    child.assistant("Done.")
    child.count(more=True)
    child.end_turn()
    session = read_session(child.path)
    assert contexts(session)[0][0] == "begin"
    assert contexts(session)[0][2:] == ["aborted", "the task"]
    assert len(session.trace.inference_calls) == 1
    assert session.trace.tool_calls == {}
    assert set(session.inherited.values()) == {ROOT}
    assert [turn.thread_id for turn in session.trace.codex_turns.values()] == [ROOT, FORK]


def test_a_turn_belongs_to_the_file_that_has_its_items(home: Path) -> None:
    parent = SessionWriter(home)
    parent.meta(session_id=ROOT)
    parent.event("task_started", turn_id=TURN.format(3))  # the reviewer's, told of by its parent
    reviewer = SessionWriter(home, CHILD, at=1)
    reviewer.meta(session_id=ROOT, parent_thread_id=ROOT, source={"subagent": "review"})
    reviewer.start_turn(3)
    reviewer.user("review")
    reviewer.sees()
    reviewer.assistant("No findings.")
    reviewer.usage()
    reviewer.end_turn()
    session = read_session(parent.path)
    [turn] = session.trace.codex_turns.values()
    assert turn.thread_id == CHILD
    assert turn.execution.status == "completed"
    assert session.headers[CHILD].kind == "review"
    assert session.trace.interaction_edges == {}


def test_sessions_of_other_runs_are_left_alone(home: Path) -> None:
    mine = plain_session(home)
    other = SessionWriter(home, FORK)
    other.meta()
    assert len(read_session(mine.path).recording.files) == 1


def test_a_plain_file_is_taken_before_its_compressed_form(home: Path) -> None:
    writer = plain_session(home)
    writer.path.with_name(writer.path.name + ".zst").write_bytes(b"nonsense")
    session = read_session(writer.path)
    assert session.problems == []
    assert len(session.recording.files) == 1


def test_links_are_not_followed(home: Path, tmp_path: Path) -> None:
    mine = plain_session(home)
    outside = SessionWriter(tmp_path / "elsewhere", CHILD)
    outside.meta(parent_thread_id=ROOT)
    os.symlink(outside.path, mine.path.parent / outside.path.name)
    os.symlink(tmp_path / "elsewhere" / "sessions", home / "archived_sessions")
    os.symlink(tmp_path / "elsewhere" / "sessions", home / "sessions" / "2027")
    session = read_session(mine.path)
    assert session.recording.files == [str(mine.path.relative_to(home))]
    linked = read_session(mine.path.parent / outside.path.name)
    assert linked.trace.threads == {}
    assert "a symbolic link; it was not followed" in linked.problems[0].reason


def test_what_is_no_file_is_not_waited_for(home: Path) -> None:
    mine = plain_session(home)
    os.mkfifo(mine.path.parent / f"rollout-2026-11-28T12-00-00-{CHILD}.jsonl")
    assert len(read_session(mine.path).recording.files) == 1
    with pytest.raises(NoSessionError):
        read_session(home / "nothing.jsonl")


def test_nothing_is_written(home: Path) -> None:
    writer = plain_session(home)
    before = subprocess.run(["find", str(home), "-printf", "%p %s %T@ %m\n"], capture_output=True, check=True)
    read_session(writer.path)
    after = subprocess.run(["find", str(home), "-printf", "%p %s %T@ %m\n"], capture_output=True, check=True)
    assert after.stdout == before.stdout


def test_a_message_in_old_files_is_an_item_of_its_own(home: Path) -> None:
    writer = SessionWriter(home, first_ordinal=None)
    writer.meta()
    writer.start_turn(new=False)
    letter = {"author": "/root/a", "recipient": "/root", "other_recipients": [], "trigger_turn": False}
    writer.line("inter_agent_communication", {**letter, "content": "", "encrypted_content": "sealed"})
    writer.item(
        spoken(
            "assistant",
            '{"author":"/root/a","recipient":"/root","other_recipients":[],'
            '"content":"plain","trigger_turn":false}',
            "output_text",
        )
    )
    writer.assistant("Heard.")
    writer.count(more=True)
    session = read_session(writer.path)
    [call] = session.trace.inference_calls.values()
    seen = [session.trace.conversation_items[one] for one in call.request_item_ids]
    assert [one.agent_message and one.agent_message.author for one in seen] == ["/root/a", "/root/a"]


def test_what_old_codex_did_to_agents_is_told_by_its_calls(home: Path) -> None:
    parent = SessionWriter(home, first_ordinal=None)
    parent.meta()
    parent.start_turn(new=False)
    parent.user("delegate")
    parent.call("call_spawn", "spawn_agent", task_name="alpha", message="do it")
    parent.call("call_send", "send_message", target="alpha", message="hurry")
    parent.call("call_failed", "send_message", target="alpha", message="hurry")
    parent.output("call_spawn", '{"task_name":"/root/alpha"}')
    parent.output("call_send", "")
    parent.output("call_failed", "live agent path `/root/alpha` not found")
    child = SessionWriter(home, CHILD, first_ordinal=None, at=1)
    child.meta(source=SPAWN)
    session = read_session(parent.path)
    edge = session.trace.interaction_edges["edge:tool:call_send"]
    assert (edge.kind, edge.target) == ("send_message", ThreadAnchor(CHILD))
    spawn = session.trace.interaction_edges[f"edge:spawn:{ROOT}:{CHILD}"]
    assert spawn.source == ToolCallAnchor("call_spawn")
    assert session.certainty.of("edge:tool:call_send").grade == "rebuilt"
    assert [*session.trace.interaction_edges] == [f"edge:spawn:{ROOT}:{CHILD}", "edge:tool:call_send"]
