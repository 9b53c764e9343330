"""What the next call sees: after compactions, rollbacks, and with what codex adds."""

from __future__ import annotations

from pathlib import Path

from session_builder import SessionWriter, spoken
from session_values import contexts, responses, statuses

from reducer.sessions import read_session


def legacy_turn(writer: SessionWriter, number: int, said: str) -> None:
    writer.start_turn(number, new=False)
    writer.user(said)
    writer.assistant(f"about {said}")
    writer.count(more=True)
    writer.end_turn()


def compacted(writer: SessionWriter, *kept: str, message: str = "", **fields: object) -> None:
    replaced = [spoken("user", one) for one in kept]
    writer.line("compacted", {"message": message, "replacement_history": replaced, **fields})


def test_a_rollback_takes_back_messages_and_what_codex_put_before_them(home: Path) -> None:
    writer = SessionWriter(home, first_ordinal=None)
    writer.meta()
    writer.item(spoken("developer", "rules"))
    writer.item(spoken("user", "<environment_context>\n</environment_context>"))
    legacy_turn(writer, 1, "one")
    writer.item(spoken("developer", "new rules"))
    legacy_turn(writer, 2, "two")
    writer.event("thread_rolled_back", num_turns=1)
    legacy_turn(writer, 3, "three")
    seen = contexts(read_session(writer.path))
    assert seen[-1] == ["rules", "<environment_context>\n</environment_context>", "one", "about one", "three"]


def test_a_rollback_of_everything_leaves_what_stood_before_the_first_message(home: Path) -> None:
    writer = SessionWriter(home, first_ordinal=None)
    writer.meta()
    writer.item(spoken("developer", "rules"))
    legacy_turn(writer, 1, "one")
    writer.event("thread_rolled_back", num_turns=5)
    legacy_turn(writer, 2, "two")
    assert contexts(read_session(writer.path))[-1] == ["rules", "two"]


def test_a_rollback_beyond_a_compaction_brings_nothing_back(home: Path) -> None:
    writer = SessionWriter(home, first_ordinal=None)
    writer.meta()
    writer.item(spoken("developer", "rules"))
    legacy_turn(writer, 1, "one")
    compacted(writer, "summary")
    legacy_turn(writer, 2, "two")
    writer.event("thread_rolled_back", num_turns=2)
    legacy_turn(writer, 3, "three")
    assert contexts(read_session(writer.path))[-1] == ["rules", "three"]


def test_a_sealed_compaction_and_its_tokens(home: Path) -> None:
    writer = SessionWriter(home)
    writer.meta()
    writer.start_turn()
    writer.user("keep me")
    writer.sees()
    writer.assistant("Long.")
    writer.usage("resp_1")
    writer.count(more=True)
    writer.usage("resp_2")
    compacted(writer, "keep me", "sealed", compaction_response_id="resp_2")
    writer.count(more=False)
    writer.sees()
    writer.assistant("Short.")
    writer.usage("resp_3")
    writer.end_turn()
    session = read_session(writer.path)
    assert statuses(session) == ["completed", "completed"]
    [compaction] = session.trace.compactions.values()
    made = session.compaction_calls[compaction.compaction_id]
    assert (made.response_id, made.is_local) == ("resp_2", False)
    assert made.usage is not None
    assert contexts(session)[-1] == ["keep me", "sealed"]
    # What was kept is the same item as before, what is new says where it comes from.
    assert compaction.replacement_item_ids[0] in compaction.input_item_ids
    new = session.trace.conversation_items[compaction.replacement_item_ids[1]]
    assert [one.compaction_id for one in new.produced_by] == [compaction.compaction_id]


def test_a_local_compaction_whose_summary_is_an_item_of_its_own(home: Path) -> None:
    writer = SessionWriter(home)
    writer.meta()
    writer.start_turn()
    writer.user("go")
    writer.sees()
    writer.call("call_1")
    writer.usage("resp_1")
    writer.output("call_1")
    writer.count(more=True)
    writer.count(more=False)  # its own request
    writer.item(spoken("assistant", "SUMMARY", "output_text"), compaction_output=True)
    writer.usage("resp_2")
    writer.count(more=True)
    compacted(writer, "go", message="Earlier: SUMMARY", compaction_response_id="resp_2")
    session = read_session(writer.path)
    assert responses(session)[1:] == []
    assert statuses(session) == ["completed"]
    [compaction] = session.trace.compactions.values()
    assert len(compaction.input_item_ids) == 3  # without the summary
    assert session.compaction_calls[compaction.compaction_id].is_local


def test_a_local_compaction_of_old_codex_is_no_call_either(home: Path) -> None:
    writer = SessionWriter(home, first_ordinal=None)
    writer.meta()
    legacy_turn(writer, 1, "one")
    writer.start_turn(2, new=False)
    writer.user("two")
    writer.call("call_1")
    writer.output("call_1")
    writer.count(more=True)
    writer.count(more=False)
    writer.assistant("SUMMARY")
    writer.count(more=True)
    compacted(writer, "two", message="Earlier: SUMMARY")
    writer.count(more=False)
    writer.assistant("Done.")
    writer.count(more=True)
    writer.end_turn()
    session = read_session(writer.path)
    assert statuses(session) == ["completed"] * 3
    assert contexts(session)[-1] == ["two"]


def test_a_compaction_that_does_not_say_what_it_left(home: Path) -> None:
    writer = SessionWriter(home)
    writer.meta()
    writer.start_turn()
    writer.user("go")
    writer.line("compacted", {"message": "x", "replacement_history": None})
    writer.sees()
    writer.assistant("Done.")
    writer.usage()
    session = read_session(writer.path)
    [problem] = session.problems
    assert "does not say" in problem.reason
    [call] = session.trace.inference_calls.values()
    assert any("missing" in one for one in session.certainty.of(call.inference_call_id).rebuilt)


def test_a_call_without_output_is_sent_with_one(home: Path) -> None:
    writer = SessionWriter(home)
    writer.meta()
    writer.start_turn()
    writer.user("go")
    writer.sees()
    writer.call("call_1")
    writer.usage()
    writer.user("never mind")
    writer.sees()
    writer.assistant("Fine.")
    writer.usage("resp_2")
    session = read_session(writer.path)
    seen = contexts(session)[1]
    assert seen[2:] == ["aborted", "never mind"]
    second = [*session.trace.inference_calls.values()][1]
    assert session.certainty.of(second.request_item_ids[2]).grade == "rebuilt"


def test_instructions_without_the_tool_for_plans(home: Path) -> None:
    said = "Be good.\n- If you create a checklist or task list, you update item statuses at once.\nBe brief."

    def session_with(*calls: str) -> list[list[str]]:
        writer = SessionWriter(home)
        writer.meta(base_instructions={"text": said, "provenance": {"type": "model"}})
        writer.start_turn()
        writer.user("go")
        writer.sees()
        for name in calls:
            writer.call(f"call_{name}", name)
        writer.assistant("Done.")
        writer.usage()
        return contexts(read_session(writer.path))

    assert session_with()[0][0] == "Be good.\nBe brief."
    assert session_with("update_plan")[0][0] == said


def test_old_outputs_of_patches_are_shown_as_the_model_got_them(home: Path) -> None:
    writer = SessionWriter(home, first_ordinal=None)
    writer.meta()
    writer.start_turn(new=False)
    writer.user("patch")
    writer.call("call_1", "apply_patch")
    writer.output("call_1", '{"output":"Success.","metadata":{"exit_code":0,"duration_seconds":1.5}}')
    writer.count(more=True)
    writer.assistant("Done.")
    writer.count(more=True)
    assert (
        contexts(read_session(writer.path))[-1][-1]
        == "Exit code: 0\nWall time: 1.5 seconds\nOutput:\nSuccess."
    )
