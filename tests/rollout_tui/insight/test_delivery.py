"""The delivery view of agents, on recorded runs."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from places import REPOSITORY
from recorded import cut_off, index_of, recorded, thread_at

from reducer import ObjectRef
from reducer.model import Body, EncodedPart, TextPart
from reducer.wire.events import GenericSummary
from rollout_tui.insight.agents.delivery import (
    DeliveryView,
    Message,
    delivery_view,
    message_of,
    message_of_call,
)
from rollout_tui.insight.agents.links import AgentLinks, anchor_ref
from rollout_tui.insight.contexts.visibility import Sightings
from rollout_tui.insight.index import TraceIndex
from rollout_tui.views.detail.delivery_facts import delivery_facts


def links_of(index: TraceIndex) -> AgentLinks:
    return AgentLinks(Sightings(index))


def view_of(index: TraceIndex, agent_path: str) -> DeliveryView:
    return delivery_view(links_of(index), thread_at(index, agent_path))


def told(index: TraceIndex, agent_path: str) -> list[str]:
    """The delivery view as lines; `>` where a row leads on."""
    facts = delivery_facts(index, view_of(index, agent_path))
    return [f"{fact.name}: {fact.value}{' >' if fact.link else ''}" for fact in facts]


def test_an_agent_that_got_two_tasks_and_a_message_and_answered_twice(shared_dir: Path) -> None:
    # Checked against trace.jsonl and payloads: 15, 57, 124 send; 30, 72, 132 are the first requests of alpha
    # with each text; 89 and 155 report; 94 and 160 are the first requests of root with each result.
    assert told(recorded(shared_dir, "multi-agent-v2"), "/root/alpha") == [
        "task: from /root, seq 15: ≈ ALPHA-TASK: look at the repository  (rebuilt from call 1 of /root)"
        "  (encrypted, 34 B) >",
        "  seen by: call 1 of 7 of /root/alpha, seq 30 >",
        "message: from /root, seq 57: ≈ NOTE for alpha: hurry up  (rebuilt from call 3 of /root)"
        "  (encrypted, 24 B) >",
        "  seen by: call 2 of 7 of /root/alpha, seq 72 >",
        "answered: turn 1: ALPHA RESULT: looked around. >",
        "  reported: seq 89 >",
        "  seen by: call 5 of 17 of /root, seq 94 >",
        "task: from /root, seq 124: ≈ ALPHA-AGAIN: one more thing  (rebuilt from call 7 of /root)"
        "  (encrypted, 27 B) >",
        "  seen by: call 5 of 7 of /root/alpha, seq 132 >",
        "answered: turn 2: ALPHA SECOND RESULT. >",
        "  reported: seq 155 >",
        "  seen by: call 9 of 17 of /root, seq 160 >",
    ]


def test_the_size_of_an_encrypted_task_is_that_in_the_evidence(shared_dir: Path) -> None:
    index = recorded(shared_dir, "multi-agent-v2")
    request = json.loads((shared_dir / "bundles/multi-agent-v2/bundle/payloads/14.json").read_bytes())
    sealed = [
        part["encrypted_content"]
        for one in request["input"]
        if one["type"] == "agent_message"
        for part in one["content"]
        if part["type"] == "encrypted_content"
    ]
    assert [len(one) for one in sealed] == [34]
    (task, *_rest) = view_of(index, "/root/alpha").sent
    assert (task.message.contents, task.message.bytes) == ("encrypted", 34)


def test_an_agent_that_failed_told_its_parent(shared_dir: Path) -> None:
    lines = told(recorded(shared_dir, "multi-agent-v2"), "/root/broken")
    assert lines[2].startswith("no answer: turn 1: the turn failed before it answered (seq 184): ")
    assert "the child's model refuses" in lines[2]
    assert lines[3:] == ["  reported: seq 186 >", "  seen by: call 11 of 17 of /root, seq 191 >"]


def test_an_agent_that_was_closed_has_no_answer(shared_dir: Path) -> None:
    assert told(recorded(shared_dir, "multi-agent-v2"), "/root/sleeper")[2:] == [
        "closed: by /root, seq 223 >",
        "no answer: turn 1: the turn was cancelled before it answered (seq 229, closed by /root) >",
        "  seen by: no call: no result: a turn that was cancelled reported none",
    ]


def test_what_an_agent_said_before_it_was_cancelled_is_no_answer(team: TraceIndex) -> None:
    view = view_of(team, "/root/reader")
    first, second = view.answers
    assert first.item is not None
    assert first.said is None
    assert second.item is None
    assert second.said is not None
    assert "  last said: The repository has a script for that. >" in told(team, "/root/reader")


def test_what_a_child_inherited_is_not_what_it_said(shared_dir: Path, tmp_path: Path) -> None:
    # builder's first request, of seq 69, brings the message `Delegating.` of its parent along (item 34).
    index = cut_off(shared_dir / "bundles/everything-ws/bundle", 100, tmp_path)
    (answer,) = view_of(index, "/root/builder").answers
    inherited = index.trace.conversation_items["conversation_item:34"]
    assert inherited.codex_turn_id == answer.turn.codex_turn_id
    assert (answer.item, answer.said) == (None, None)


def test_a_result_that_the_parent_never_saw(shared_dir: Path) -> None:
    assert told(recorded(shared_dir, "interrupted-with-children"), "/root/quick") == [
        "task: from /root, seq 23: ≈ QUICK-TASK  (rebuilt from call 1 of /root)  (encrypted, 10 B) >",
        "  seen by: call 1 of 3 of /root/quick, seq 45 >",
        "answered: turn 1: SLOW RESULT >",
        "  reported: seq 136",
        "  seen by: no call: reported at seq 136, but /root made no call after that and ended (seq 138)",
    ]


def test_a_message_that_could_not_be_sent_is_listed_with_its_text(shared_dir: Path) -> None:
    lines = told(recorded(shared_dir, "multi-agent-v2"), "/root")
    assert lines == [
        "message: from /root/alpha, seq 146: alpha to root: nearly there >",
        "  seen by: no call: the message call failed: unsupported call: collaborationsend_message",
        "answered: turn 1: All agents reported. >",
    ]


def test_the_root_reports_to_nobody(shared_dir: Path) -> None:
    index = recorded(shared_dir, "multi-agent-v2")
    (answer,) = view_of(index, "/root").answers
    assert answer.item is not None
    assert (answer.seen_by, answer.missing, answer.reported_seq) == (None, None, None)


def test_a_task_that_was_on_its_way_when_the_log_ends(shared_dir: Path, tmp_path: Path) -> None:
    bundle = shared_dir / "bundles/multi-agent-v2/bundle"
    index = cut_off(bundle, 22, tmp_path)
    assert told(index, "/root/alpha") == [
        "task: from /root, seq 15: ALPHA-TASK: look at the repository >",
        "  seen by: delivered to nobody: /root/alpha made no call after that, as far as the log goes",
        "no answer: turn 1: the turn has not ended, as far as the log goes >",
        "  seen by: no call: no result: the turn has not ended, as far as the log goes",
    ]
    sent = view_of(index, "/root/alpha").sent[0]
    assert sent.source == ObjectRef("ToolCall", "call_00003")


def test_messages_that_are_plain_empty_or_not_kept(shared_dir: Path) -> None:
    index = recorded(shared_dir, "multi-agent-v2")
    item = index.trace.conversation_items["conversation_item:10"]
    header = "Message Type: NEW_TASK\nTask name: /root/alpha\nSender: /root\nPayload:\n"

    def saying(*parts: TextPart | EncodedPart) -> Message:
        return message_of(msgspec.structs.replace(item, body=Body(list(parts))))

    assert saying(TextPart(header + "count\nthe files")) == Message("plain", "count the files")
    assert saying(TextPart(header)) == Message("empty")
    assert saying(TextPart(header), EncodedPart("encrypted_content", "x" * 1234)).words == "encrypted, 1.2 kB"
    call = index.trace.tool_calls["call_00014"]

    def sending(preview: str | None) -> Message:
        summary = GenericSummary(label="collaboration.send_message", input_preview=preview)
        return message_of_call(msgspec.structs.replace(call, summary=summary))

    assert message_of_call(call) == Message("plain", "NOTE for alpha: hurry up")
    assert sending('{"target": "alpha", "message": ""}') == Message("empty")
    assert sending('{"target": "alph...').words == "unknown"
    assert sending(None) == message_of_call(None) == Message("unknown")


@pytest.mark.parametrize("name", ["multi-agent-v2", "interrupted-with-children", "everything-ws"])
def test_every_edge_stands_in_the_view_of_an_agent(shared_dir: Path, name: str) -> None:
    index = recorded(shared_dir, name)
    links = links_of(index)
    views = [delivery_view(links, thread) for thread in index.threads]
    sent = {one.item.item_id for view in views for one in view.sent if one.item is not None}
    results = {one.delivered.item_id for view in views for one in view.answers if one.delivered is not None}
    closes = {call.tool_call_id for view in views for call in view.closes}
    for edge in index.trace.interaction_edges.values():
        if edge.kind == "close_agent":
            assert anchor_ref(edge.source).id in closes
        elif edge.kind == "agent_result":
            assert set(edge.carried_item_ids) <= results
        else:
            assert set(edge.carried_item_ids) <= sent
    assert len(sent) + len(results) + len(closes) == len(index.trace.interaction_edges)


def test_who_saw_an_answer_saw_its_words(shared_dir: Path) -> None:
    bundle = shared_dir / "bundles/multi-agent-v2/bundle"
    index = recorded(shared_dir, "multi-agent-v2")
    for thread in index.threads:
        for answer in view_of(index, thread.agent_path).answers:
            if answer.item is None or answer.seen_by is None:
                continue
            (part,) = answer.item.body.parts
            assert isinstance(part, TextPart)
            path = index.trace.raw_payloads[answer.seen_by.raw_request_payload_id].path
            assert part.text in (bundle / path).read_text()


def test_a_hostile_bundle_has_a_view_for_every_agent() -> None:
    index = index_of(REPOSITORY / "demo_traces/hostile")
    links = links_of(index)
    for thread in index.threads:
        view = delivery_view(links, thread)
        assert len(view.answers) == len(index.contents[thread.thread_id].turns)
        for fact in delivery_facts(index, view):
            assert fact.value
