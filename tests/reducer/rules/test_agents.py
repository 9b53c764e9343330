from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from bundle_builder import CHILD, OTHER, ROOT, BundleBuilder, letter, message, text
from scenes import SPAWN_INVOCATION, activity, direct

from reducer.model import InteractionEdge, ItemAnchor, ThreadAnchor, ToolCallAnchor

Json = Any
TASK = "look around"
SPAWN_EDGE = f"edge:spawn:{ROOT}:{CHILD}"


@pytest.fixture
def b(tmp_path: Path) -> BundleBuilder:
    builder = BundleBuilder(tmp_path / "bundle")
    for thread, path, turn in ((ROOT, "/root", "turn"), (CHILD, "/root/a", "tc")):
        builder.thread(thread, path)
        builder.turn(turn, thread)
    return builder


def edges(b: BundleBuilder) -> dict[str, InteractionEdge]:
    return b.graph().interaction_edges


def spawned(b: BundleBuilder, name: str = "T") -> None:
    b.tool(name, "spawn_agent", invocation=SPAWN_INVOCATION)
    b.runtime_ended(name, activity("started", CHILD, "/root/a"))


def task(**fields: Json) -> Json:
    return {**letter(TASK, "/root", "/root/a"), **fields}


def item(number: int) -> ItemAnchor:
    return ItemAnchor(f"conversation_item:{number}")


def test_a_task_is_delivered_by_the_item_that_brings_it(b: BundleBuilder) -> None:
    spawned(b)
    b.request("i1", [message("x"), task(), task()], CHILD)
    (edge,) = edges(b).values()
    assert edge == InteractionEdge(
        SPAWN_EDGE,
        "spawn_agent",
        ToolCallAnchor("T"),
        item(2),
        started_at_unix_ms=1005,
        ended_at_unix_ms=1006,
        carried_item_ids=["conversation_item:2"],
        carried_raw_payload_ids=["raw_payload:1", "raw_payload:2"],
    )


def test_a_task_that_came_before_its_edge_is_found(b: BundleBuilder) -> None:
    b.request("i1", [task(), task()], CHILD)
    spawned(b)
    assert edges(b)[SPAWN_EDGE].target == item(1)


def test_a_task_that_never_comes_leads_to_the_thread(b: BundleBuilder) -> None:
    spawned(b)
    edge = edges(b)[SPAWN_EDGE]
    assert (edge.target, edge.carried_item_ids) == (ThreadAnchor(CHILD), [])


def test_a_child_that_never_started_has_no_edge(b: BundleBuilder) -> None:
    b.tool("T", "spawn_agent", invocation=SPAWN_INVOCATION)
    b.runtime_ended("T", activity("started", OTHER, "/root/b"))
    assert edges(b) == {}


def test_a_receipt_delivers(b: BundleBuilder) -> None:
    spawned(b)
    b.accepted("x", task(id="x"), CHILD)
    assert edges(b)[SPAWN_EDGE].target == item(1)


SEALED = {"type": "encrypted_content", "encrypted_content": TASK}


@pytest.mark.parametrize(
    ("found", "fits"),
    [
        (task(), True),
        (task(content=[SEALED]), True),
        (task(content=[text("for you"), SEALED]), True),
        (task(content=[SEALED, SEALED]), False),
        (task(content=[text(TASK), text("")]), False),
        (task(content=[text("a"), text("b"), SEALED]), False),
        (task(content=[text("another")]), False),
        (task(author="/root/b"), False),
        (task(recipient="/root"), False),
        (message(TASK, "assistant"), False),
    ],
)
def test_which_items_deliver(b: BundleBuilder, found: Json, fits: bool) -> None:
    spawned(b)
    b.request("i1", [found], CHILD)
    assert edges(b)[SPAWN_EDGE].target == (item(1) if fits else ThreadAnchor(CHILD))


WRITTEN = {"author": "/root", "recipient": "/root/a", "content": TASK, "trigger_turn": True}


@pytest.mark.parametrize(
    ("written", "fits"),
    [
        (json.dumps(WRITTEN), True),
        (" \n" + json.dumps({**WRITTEN, "x": 5}, indent=1), True),
        (json.dumps({**WRITTEN, "content": "", "encrypted_content": TASK, "id": None}), True),
        (json.dumps({**WRITTEN, "other_recipients": ["/root/b", "/morpheus"]}), True),
        (json.dumps({**WRITTEN, "x": "\ud800"}), True),
        (json.dumps({**WRITTEN, "other_recipients": None}), False),
        (json.dumps({**WRITTEN, "other_recipients": ["b"]}), False),
        (json.dumps({**WRITTEN, "author": "root"}), False),
        (json.dumps({**WRITTEN, "trigger_turn": 1}), False),
        (json.dumps({**WRITTEN, "id": 5}), False),
        (json.dumps({**WRITTEN, "id": "\ud800"}), False),
        (json.dumps(WRITTEN)[:-1] + ',"author":"/root"}', False),
        (json.dumps(WRITTEN)[:-1] + ',"x":1,"x":2}', True),
        (json.dumps(WRITTEN) + "x", False),
        ("\xa0" + json.dumps(WRITTEN), False),
        (json.dumps([WRITTEN]), False),
    ],
)
def test_letters_in_the_form_of_json_text(b: BundleBuilder, written: str, fits: bool) -> None:
    spawned(b)
    b.request("i1", [message(written, "assistant")], CHILD)
    assert edges(b)[SPAWN_EDGE].target == (item(1) if fits else ThreadAnchor(CHILD))


def test_only_assistant_messages_deliver(b: BundleBuilder) -> None:
    spawned(b)
    b.request("i1", [message(json.dumps(WRITTEN), "user")], CHILD)
    assert edges(b)[SPAWN_EDGE].target == ThreadAnchor(CHILD)


def test_a_letter_delivers_what_it_says_in_its_last_form(b: BundleBuilder) -> None:
    """A list may have another text than the receipt that announced the letter."""
    b.accepted("x", letter("old", "/root", "/root/a", id="x"), CHILD)
    b.request("i1", [letter("hurry", "/root", "/root/a", id="x")], CHILD)
    for name, prompt in (("T", "old"), ("U", "hurry")):
        b.tool(name, "send_message")
        b.runtime_ended(name, older(prompt=prompt, status="running"))
    assert {edge.edge_id: edge.target for edge in edges(b).values()} == {"edge:tool:U": item(1)}


# Messages and closings


def older(**fields: Json) -> Json:
    usual = {"call_id": "c", "sender_thread_id": ROOT, "receiver_thread_id": CHILD, "prompt": "hurry"}
    return {**usual, **fields}


@pytest.mark.parametrize("kind", ["send_message", "assign_agent_task"])
def test_a_message_is_announced_and_confirmed(b: BundleBuilder, kind: str) -> None:
    b.tool("T", kind)
    b.runtime_started("T", kind, older())
    assert edges(b) == {}
    b.runtime_ended("T", older(status={"completed": None}))
    b.tool_ended("T", direct("sent"))
    b.request("i1", [letter("hurry", "/root", "/root/a")], CHILD)
    edge = edges(b)["edge:tool:T"]
    assert (edge.kind, edge.target, edge.ended_at_unix_ms) == (kind, item(1), 1007)
    assert edge.carried_raw_payload_ids == ["raw_payload:1", "raw_payload:2", "raw_payload:3"]


def test_a_message_that_was_delivered_is_widened_by_its_end(b: BundleBuilder) -> None:
    b.request("i1", [letter("hurry", "/root", "/root/a"), letter("hurry", "/root", "/root/a")], CHILD)
    b.tool("T", "send_message")
    b.runtime_started("T", "send_message", older())
    assert edges(b)["edge:tool:T"].ended_at_unix_ms is None
    b.tool_ended("T", direct("sent"))
    assert edges(b)["edge:tool:T"].carried_raw_payload_ids == ["raw_payload:2", "raw_payload:3"]
    b.runtime_ended("T", older(status="running"))
    assert "edge:tool:T was observed before between other ends" in b.only_problem()


@pytest.mark.parametrize(("kind", "prompt"), [("send_message", "wait"), ("assign_agent_task", "hurry")])
def test_a_message_that_waits_is_not_told_again_as_another(b: BundleBuilder, kind: str, prompt: str) -> None:
    b.tool("T", "send_message")
    b.runtime_started("T", "send_message", older())
    b.runtime_started("T", "send_message", older())
    b.runtime_started("T", kind, older(prompt=prompt))
    assert "edge:tool:T waits for delivery already, with other contents" in b.only_problem()


@pytest.mark.parametrize(
    "status",
    [
        *("pending_init", "running", "interrupted", "shutdown", "not_found"),
        *({"completed": None}, {"completed": "x"}, {"errored": "x"}, {"running": None}),
    ],
)
def test_agent_statuses(b: BundleBuilder, status: Json) -> None:
    b.tool("T", "close_agent")
    b.runtime_ended("T", older(status=status))
    assert edges(b)["edge:tool:T"].target == ThreadAnchor(CHILD)


@pytest.mark.parametrize(
    "status",
    [
        *("completed", "errored", "x", 5, None, {}, ["completed", None]),
        *(2**70, {"completed": 5}, {"errored": None}, {"running": 1}, {"completed": None, "x": 1}),
    ],
)
def test_what_is_no_agent_status(b: BundleBuilder, status: Json) -> None:
    b.tool("T", "close_agent")
    b.runtime_ended("T", older(status=status))
    assert "is not an agent status" in b.only_problem()


def test_a_closing_leads_to_the_thread_if_it_is_known(b: BundleBuilder) -> None:
    b.tool("T", "close_agent")
    b.runtime_started("T", "close_agent", older())
    b.runtime_ended("T", older(status="shutdown"))
    edge = edges(b)["edge:tool:T"]
    assert (edge.kind, edge.started_at_unix_ms, edge.ended_at_unix_ms) == ("close_agent", 1005, 1007)
    b.tool("U", "close_agent")
    b.runtime_ended("U", older(status="shutdown", receiver_thread_id=OTHER))
    assert list(edges(b)) == ["edge:tool:T"]


BARE = CHILD.replace("-", "")


@pytest.mark.parametrize(
    "spelled", [CHILD, CHILD.upper(), BARE, f"{{{CHILD}}}", f"urn:uuid:{CHILD}", f"urn:uuid:{CHILD.upper()}"]
)
def test_thread_ids_are_uuids_in_any_spelling(b: BundleBuilder, spelled: str) -> None:
    b.tool("T", "close_agent")
    b.runtime_ended("T", older(status="shutdown", receiver_thread_id=spelled))
    assert edges(b)["edge:tool:T"].target == ThreadAnchor(CHILD)


@pytest.mark.parametrize(
    "spelled",
    ["", "x", CHILD[:-1], CHILD + "0", f"{{{BARE}}}", f"urn:uuid:{BARE}", f"URN:UUID:{CHILD}", f" {CHILD}"],
)
def test_what_is_no_uuid(b: BundleBuilder, spelled: str) -> None:
    b.tool("T", "close_agent")
    b.runtime_ended("T", older(status="shutdown", receiver_thread_id=spelled))
    assert "is not a UUID" in b.only_problem()


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        ("send_message", {"completed_at_ms": None}),
        ("send_message", {"receiver_agent_nickname": 5}),
        ("send_message", {"prompt": None}),
        ("close_agent", {"completed_at_ms": 2**63}),
        ("close_agent", {"receiver_agent_role": []}),
    ],
)
def test_fields_of_an_older_end_have_their_types(b: BundleBuilder, kind: str, wrong: Json) -> None:
    b.tool("T", kind)
    b.runtime_ended("T", older(status="running", started_at_ms="any", new_agent_role=5) | wrong)
    assert "expected" in b.only_problem()


@pytest.mark.parametrize("kind", ["send_message", "close_agent"])
def test_fields_of_an_older_start_have_their_types(b: BundleBuilder, kind: str) -> None:
    b.tool("T", kind)
    b.runtime_started("T", kind, older(completed_at_ms="any", receiver_agent_role=5, status=5))
    assert b.graph()
    b.tool("U", kind)
    b.runtime_started("U", kind, older(started_at_ms="1"))
    assert "expected integer, got text at started_at_ms" in b.only_problem()


def spawn_end(**fields: Json) -> Json:
    usual = older(new_thread_id=CHILD, prompt=TASK, model="m", reasoning_effort="low", status="running")
    return {**usual, **fields}


def test_the_older_form_of_a_spawn(b: BundleBuilder) -> None:
    b.tool("T", "spawn_agent")
    b.runtime_ended("T", spawn_end(sender_thread_id=OTHER))
    assert edges(b)[f"edge:spawn:{OTHER}:{CHILD}"].source == ToolCallAnchor("T")
    b.tool("U", "spawn_agent")
    b.runtime_ended("U", spawn_end(new_thread_id=None))
    assert len(edges(b)) == 1
    b.tool("V", "spawn_agent")
    b.runtime_ended("V", spawn_end(reasoning_effort=""))
    assert "expected text of length >= 1 at reasoning_effort" in b.only_problem()


@pytest.mark.parametrize(
    ("kind", "fits"),
    [
        ("spawn_agent", "started"),
        ("assign_agent_task", "interacted"),
        ("send_message", "interacted"),
        ("close_agent", "interrupted"),
        ("web", None),
    ],
)
def test_activities_fit_their_tools(b: BundleBuilder, kind: str, fits: str | None) -> None:
    for number, what in enumerate(("started", "interacted", "interrupted", "completed")):
        b.tool(f"T{number}", kind, invocation=SPAWN_INVOCATION)
        b.runtime_ended(f"T{number}", activity(what, CHILD, "/root/a"))
    reasons = [problem.reason for problem in b.reduce().problems]
    expected = [what for what in ("started", "interacted", "interrupted") if what != fits]
    assert reasons == [f"sub-agent activity {what} does not fit the tool kind {kind}" for what in expected]


@pytest.mark.parametrize(
    "wrong",
    [
        {"agent_path": "root"},
        {"agent_thread_id": "x"},
        {"agent_thread_id": None},
        {"kind": "paused"},
        {"event_id": 5},
        {"occurred_at_ms": None},
        {"model": 5},
        {"reasoning_effort": ""},
    ],
)
def test_an_activity_is_one(b: BundleBuilder, wrong: Json) -> None:
    b.tool("T")
    b.runtime_ended("T", {**activity("completed", CHILD, "/root/a"), **wrong})
    assert "the runtime end of T in payload raw_payload:1" in b.only_problem()


@pytest.mark.parametrize(
    ("invocation", "said"),
    [
        (None, "has no invocation payload"),
        ({"payload": {"arguments": {"message": "x"}}}, "has no function arguments"),
        ({"payload": {"arguments": "{}"}}, "hold no message: object missing required field message"),
        ({"payload": {"arguments": '{"message":"a","message":"b"}'}}, "repeats the key message"),
        ({"payload": {"arguments": "x"}}, "hold no message: not valid JSON"),
    ],
)
def test_a_spawn_tells_its_task(b: BundleBuilder, invocation: Json, said: str) -> None:
    b.tool("T", "spawn_agent", invocation=invocation)
    b.runtime_ended("T", activity("started", CHILD, "/root/a"))
    assert said in b.only_problem()


def test_two_spawns_of_the_same_child_contradict(b: BundleBuilder) -> None:
    spawned(b)
    spawned(b, "U")
    assert f"{SPAWN_EDGE} waits for delivery already, with other contents" in b.only_problem()


def test_an_undelivered_spawn_may_contradict_at_the_end(b: BundleBuilder) -> None:
    """A spawn that was delivered, and told again by another call, is between other ends."""
    spawned(b)
    b.request("i1", [task()], CHILD)
    spawned(b, "U")
    problem = b.only_problem()
    assert problem == f"end of replay: {SPAWN_EDGE} was observed before between other ends"
    assert b.reduce().trace.interaction_edges[SPAWN_EDGE].target == item(1)


# Results


def result(b: BundleBuilder, said: str = "found it", edge: str = "e", **fields: Json) -> None:
    usual = {"child_thread_id": CHILD, "child_codex_turn_id": "tc", "parent_thread_id": ROOT}
    carried = b.payload({"message": said}, "agent_result")
    b.event(
        "agent_result_observed",
        CHILD,
        "tc",
        edge_id=edge,
        message=said,
        carried_payload=carried,
        **usual | fields,
    )


def test_a_result_without_assistant_message_starts_at_the_childs_thread(b: BundleBuilder) -> None:
    b.request("i1", [message("question")], CHILD)
    result(b)
    assert edges(b) == {}
    b.request("i2", [letter("found it", "/root/a", "/root")])
    edge = edges(b)["e"]
    assert (edge.kind, edge.source, edge.target) == ("agent_result", ThreadAnchor(CHILD), item(2))
    assert edge.started_at_unix_ms == edge.ended_at_unix_ms == 1006
    assert edge.carried_raw_payload_ids == ["raw_payload:2"]


def test_a_result_starts_at_the_last_answer_of_the_turn(b: BundleBuilder) -> None:
    b.request("i1", [], CHILD)
    b.response("i1", [message(f"answer {number}", "assistant") for number in range(12)])
    letters = [letter("x", "/root", "/root/a"), message("x", "user")]
    b.request("i2", letters, CHILD)
    result(b)
    b.request("i3", [letter("found it", "/root/a", "/root")])
    assert edges(b)["e"].source == item(9), "the greatest id as text among those of the same time"


def test_of_answers_of_different_times_the_latest_counts(b: BundleBuilder) -> None:
    for number in range(3):
        b.request(f"i{number}", [], CHILD)
        b.response(f"i{number}", [message(str(number), "assistant")])
    b.turn("later", CHILD)
    b.request("i9", [message("of another turn", "assistant")], CHILD)
    result(b)
    b.request("i10", [letter("found it", "/root/a", "/root")])
    assert edges(b)["e"].source == item(3)


def test_a_result_is_from_a_known_child(b: BundleBuilder) -> None:
    result(b, child_thread_id=OTHER)
    assert f"thread {OTHER} is not known" in b.only_problem()
    b.lines.pop()
    result(b, parent_thread_id="nobody")
    assert edges(b) == {}


def test_equal_messages_are_delivered_one_by_one(b: BundleBuilder) -> None:
    for edge in ("e2", "e1"):
        result(b, edge=edge)
    found = letter("found it", "/root/a", "/root")
    b.request("i1", [found, found, found])
    result(b, edge="e0")
    assert [(edge.edge_id, edge.target) for edge in edges(b).values()] == [
        ("e2", item(1)),
        ("e1", item(2)),
        ("e0", item(3)),
    ]


@pytest.mark.parametrize("times", [(500, 700), (700, 500)])
def test_a_result_that_waits_and_comes_again_is_widened(b: BundleBuilder, times: tuple[int, int]) -> None:
    for time in times:
        result(b)
        b.lines[-1] = re.sub(rb'("wall_time_unix_ms":)\d+', rb"\g<1>%d" % time, b.lines[-1])
    b.request("i1", [letter("found it", "/root/a", "/root")])
    edge = edges(b)["e"]
    assert (edge.started_at_unix_ms, edge.ended_at_unix_ms) == (500, 700)
    assert edge.carried_raw_payload_ids == ["raw_payload:1", "raw_payload:2"]


def test_an_item_delivers_one_edge_per_sighting(b: BundleBuilder) -> None:
    result(b, edge="e1")
    result(b, edge="e2")
    found = letter("found it", "/root/a", "/root")
    b.request("i1", [found])
    b.request("i2", [found])
    assert list(edges(b)) == ["e1"]


@pytest.mark.parametrize("are_delivered", [False, True], ids=["pending", "stored"])
def test_a_result_goes_to_the_first_edge_of_its_call(b: BundleBuilder, are_delivered: bool) -> None:
    b.thread(OTHER, "/root/b")
    b.turn("to", OTHER)
    if are_delivered:
        b.request("i1", [task()], CHILD)
        b.request("i2", [letter(TASK, "/root", "/root/b")], OTHER)
    b.tool("T", "spawn_agent", invocation=SPAWN_INVOCATION)
    b.runtime_ended("T", activity("started", CHILD, "/root/a"))
    b.runtime_ended("T", activity("started", OTHER, "/root/b"))
    before = edges(b)
    b.tool_ended("T", direct("spawned"))
    first, second = sorted(before)
    now = edges(b)
    assert now[second].carried_raw_payload_ids == before[second].carried_raw_payload_ids
    assert len(now[first].carried_raw_payload_ids) == len(before[first].carried_raw_payload_ids) + 1
