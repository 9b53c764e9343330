"""Calls are found by what they left, whichever codex wrote the file."""

from __future__ import annotations

from pathlib import Path

import pytest
from session_builder import SessionWriter, plain_session, spoken
from session_values import contexts, responses, statuses

from reducer.sessions import read_session


def test_calls_with_their_contexts_tokens_and_responses(home: Path) -> None:
    session = read_session(plain_session(home).path)
    assert session.problems == []
    calls = [*session.trace.inference_calls.values()]
    assert [call.response_id for call in calls] == ["resp_1", "resp_2"]
    assert [call.usage and call.usage.input_tokens for call in calls] == [10, 10]
    seen = contexts(session)
    assert seen[0] == ["Be good.", "look"]
    assert seen[1][:2] == seen[0]
    assert len(seen[1]) == 4
    assert responses(session)[1] == ["Seen."]
    assert [session.certainty.of(call.inference_call_id).inferred for call in calls] == [False, False]


def test_what_came_while_a_model_spoke_was_not_seen(home: Path) -> None:
    writer = SessionWriter(home)
    writer.meta()
    writer.start_turn()
    writer.user("look")
    writer.sees()
    writer.user("too late")
    writer.assistant("I did not hear that.")
    writer.usage()
    assert contexts(read_session(writer.path)) == [["look"]]


def test_old_codex_ends_a_call_where_something_else_is_recorded(home: Path) -> None:
    writer = SessionWriter(home, first_ordinal=None)
    writer.meta(base_instructions={"text": "Be good."})
    writer.start_turn(new=False)
    writer.user("look")
    writer.call("call_1")
    writer.output("call_1")
    writer.count(more=True)
    writer.assistant("Seen.")
    writer.count(more=True)
    writer.end_turn()
    session = read_session(writer.path)
    assert statuses(session) == ["completed", "completed"]
    assert contexts(session)[0] == ["look"]  # base instructions were not among the items
    for call in session.trace.inference_calls.values():
        assert "request_item_ids" in session.certainty.of(call.inference_call_id).rebuilt
        assert "response_id" in session.certainty.of(call.inference_call_id).not_recorded


def test_a_count_before_each_call_is_the_beginning_of_a_response(home: Path) -> None:
    writer = SessionWriter(home, first_ordinal=None)
    writer.meta()
    for number in (1, 2, 3):
        writer.start_turn(number, new=False)
        writer.user("go on")
        writer.count(more=False)
        writer.assistant("Yes.")
        writer.count(more=True)
        writer.end_turn("Yes.")
    assert statuses(read_session(writer.path)) == ["completed"] * 3


def test_a_count_without_a_response_is_a_request_that_failed(home: Path) -> None:
    writer = SessionWriter(home, first_ordinal=None)
    writer.meta()
    writer.start_turn(1, new=False)
    writer.user("go on")
    writer.count(more=False)  # what it means, only the next call tells
    writer.assistant("After all.")
    writer.count(more=True)
    writer.end_turn()
    writer.start_turn(2, new=False)
    writer.user("and on")
    writer.assistant("At once.")
    writer.count(more=True)
    writer.end_turn()
    session = read_session(writer.path)
    assert statuses(session) == ["failed", "completed", "completed"]
    inferred = [
        call_id
        for call_id in session.trace.inference_calls
        if session.certainty.of(call_id).grade == "inferred"
    ]
    assert len(inferred) == 1


def test_a_beginning_of_a_response_that_broke_off(home: Path) -> None:
    writer = SessionWriter(home, first_ordinal=None)
    writer.meta()
    for number in (1, 2):
        writer.start_turn(number, new=False)
        writer.user("go on")
        writer.count(more=False)
        writer.assistant("Yes.")
        writer.count(more=True)
        writer.end_turn("Yes.")
    writer.start_turn(3, new=False)
    writer.user("go on")
    writer.count(more=False)
    writer.assistant("Half")
    writer.count(more=False)
    writer.assistant("Whole.")
    writer.count(more=True)
    writer.end_turn("Whole.")
    assert statuses(read_session(writer.path)) == ["completed", "completed", "failed", "completed"]


@pytest.mark.parametrize("new", [True, False])
def test_a_turn_that_failed_before_anything_came(home: Path, new: bool) -> None:
    writer = SessionWriter(home, first_ordinal=0 if new else None)
    writer.meta()
    writer.start_turn(new=new)
    writer.user("fail")
    writer.end_turn(None, **({"error": {"message": "400"}} if new else {}))
    session = read_session(writer.path)
    assert statuses(session) == ["failed"]
    assert contexts(session) == [["fail"]]
    [call] = session.trace.inference_calls.values()
    assert session.certainty.of(call.inference_call_id).inferred


def test_a_turn_that_only_compacts_makes_no_call(home: Path) -> None:
    writer = SessionWriter(home)
    writer.meta()
    writer.start_turn(settings=False)
    writer.end_turn(None, error={"message": "Error running remote compact task"})
    assert statuses(read_session(writer.path)) == []


def test_a_command_of_the_user_is_no_question(home: Path) -> None:
    writer = SessionWriter(home, first_ordinal=None)
    writer.meta()
    writer.start_turn(new=False)
    writer.user("<user_shell_command>ls</user_shell_command>")
    writer.end_turn(None)
    assert statuses(read_session(writer.path)) == []


def test_a_stream_that_was_cut_and_taken_up_again(home: Path) -> None:
    writer = SessionWriter(home)
    writer.meta()
    writer.start_turn()
    writer.user("go")
    writer.sees()
    writer.assistant("Ha")
    writer.count(more=False)
    writer.sees()
    writer.assistant("Half is not whole.")
    writer.usage()
    writer.count(more=True)
    writer.end_turn()
    session = read_session(writer.path)
    assert statuses(session) == ["failed", "completed"]
    assert contexts(session)[1] == ["go", "Ha"]


def test_who_speaks_up_cuts_the_model_short(home: Path) -> None:
    writer = SessionWriter(home)
    writer.meta()
    writer.start_turn()
    writer.user("go")
    writer.sees()
    writer.assistant("Ha")
    writer.count(more=False)
    writer.user("stop that")
    writer.sees()
    writer.assistant("I did.")
    writer.usage()
    writer.count(more=True)
    writer.end_turn()
    assert statuses(read_session(writer.path)) == ["cancelled", "completed"]


def test_an_interrupted_turn(home: Path) -> None:
    writer = SessionWriter(home)
    writer.meta()
    writer.start_turn()
    writer.user("go")
    writer.sees()
    writer.assistant("Ha")
    writer.count(more=False)
    writer.user("<turn_aborted>\nThe user interrupted it.\n</turn_aborted>")
    writer.abort_turn()
    session = read_session(writer.path)
    assert statuses(session) == ["cancelled"]
    assert [turn.execution.status for turn in session.trace.codex_turns.values()] == ["cancelled"]


def test_a_killed_session_leaves_its_last_call_open(home: Path) -> None:
    writer = SessionWriter(home)
    writer.meta()
    writer.start_turn()
    writer.user("go")
    writer.sees()
    writer.call("call_1")
    session = read_session(writer.path)
    assert statuses(session) == ["running"]
    assert session.trace.status == "running"
    assert session.trace.tool_calls["call_1"].execution.status == "running"


def test_tokens_without_items_are_an_empty_response(home: Path) -> None:
    writer = SessionWriter(home)
    writer.meta()
    writer.start_turn()
    writer.user("say nothing")
    writer.usage("resp_empty")
    writer.count(more=True)
    writer.end_turn(None)
    session = read_session(writer.path)
    [call] = session.trace.inference_calls.values()
    assert (call.response_id, call.response_item_ids) == ("resp_empty", [])
    assert call.execution.status == "completed"


def test_items_from_outside_are_no_response(home: Path) -> None:
    writer = SessionWriter(home)
    writer.meta()
    writer.item(spoken("assistant", "put in from outside", "output_text"))
    writer.start_turn()
    writer.user("go")
    writer.sees()
    writer.assistant("Done.")
    writer.usage()
    session = read_session(writer.path)
    assert contexts(session) == [["put in from outside", "go"]]
    assert responses(session) == [["Done."]]
