"""The committed demo traces are what the script makes, and the stories tell what they should."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from demo_reading import (
    DEMOS,
    HOSTILE,
    STORIES,
    all_references,
    events,
    graph,
    payload,
    references,
)
from shard_reading import decoded, records

from reducer.schemas.v1 import InferenceStarted
from reducer.schemas.v3 import InferenceStartedV3
from reducer.wire.events import RawEvent

RECORDED = b"\x28\xb5\x2f\xfd\x04\x68"
"""How a shard of the recorder begins: a checksum, no content size, a window of 8 MiB."""
LAST_EVENTS = {"schema-1": "rollout_ended"}


@pytest.fixture(scope="module")
def team() -> dict[str, Any]:
    return graph("team")


@pytest.fixture(scope="module")
def capped() -> dict[str, Any]:
    return graph("capped")


def tree(directory: Path) -> dict[str, Any]:
    """Files of a directory with what they hold, links with where they lead."""
    found: dict[str, Any] = {}
    for folder, _, names in os.walk(directory):
        for name in names:
            path = Path(folder, name)
            link = path.is_symlink()
            found[str(path.relative_to(directory))] = os.readlink(path) if link else held(path)
    return found


def held(path: Path) -> object:
    """The bytes of a file; but of what the recorder compressed, only what any zstd library makes of it.

    That is the one frame's header and contents, and that it is finished with a checksum.
    """
    data = path.read_bytes()
    if path.suffix != ".zst" or not data.startswith(RECORDED):
        return data
    contents, finished = decoded(path)
    assert finished
    return contents, data[-4:]


def test_making_the_demos_again_changes_nothing(tmp_path: Path) -> None:
    for directory in (tmp_path / "one", tmp_path / "one", tmp_path / "two"):
        subprocess.run(
            [sys.executable, str(DEMOS / "make.py"), str(directory)], check=True, timeout=60, cwd=tmp_path
        )
    one = tree(tmp_path / "one")
    assert one == tree(tmp_path / "two")
    for demo in [*STORIES, *HOSTILE]:
        committed = tree(DEMOS / demo)
        assert {f"{demo}/{name}" for name in committed} == {
            name for name in one if name.startswith(f"{demo}/")
        }
        changed = [name for name, data in committed.items() if one[f"{demo}/{name}"] != data]
        assert changed == []


@pytest.mark.parametrize("demo", STORIES)
def test_a_story_is_whole(demo: str) -> None:
    told = events(demo)
    assert [event.seq for event in told] == list(range(1, len(told) + 1))
    times = [event.wall_time_unix_ms for event in told]
    assert times == sorted(times)
    assert times[-1] - times[0] > 60_000
    places = {one.place for one in all_references(demo)}
    assert kept(demo) == {place for place in places if not place.startswith("payloads#")}
    assert told[-1].payload.name_of_type == LAST_EVENTS.get(demo, "recording_completed")


def kept(demo: str) -> set[str]:
    """Places of the payloads in a bundle."""
    files = (DEMOS / demo / "payloads").iterdir()
    return {
        place
        for file in files
        for place in (
            [f"payloads/{file.name}#{name}" for name, _ in records(file)]
            if file.suffix == ".zst"
            else [f"payloads/{file.name}"]
        )
    }


def ids(items: list[Any]) -> list[str]:
    """Ids of items in a payload; holes have none."""
    return [item["id"] for item in items if "$trace_unavailable" not in item]


def shown(demo: str, event: RawEvent, known: list[str]) -> list[str]:
    """Ids of the items that a call shows to the model; `known` are those up to the response before."""
    started = event.payload
    assert isinstance(started, InferenceStarted)
    if isinstance(started, InferenceStartedV3) and started.warmup_context_payload is not None:
        return ids(payload(demo, started.warmup_context_payload)["input"])
    body = payload(demo, started.request_payload)
    for position, item_id in getattr(started, "stripped_tool_output_ids", ()):
        assert body["input"][position].setdefault("id", item_id) == item_id
    return (known if "previous_response_id" in body else []) + ids(body["input"])


@pytest.mark.slow
@pytest.mark.parametrize("demo", STORIES)
def test_each_request_repeats_the_conversation_so_far(demo: str) -> None:
    """Ids of a request: those of the thread's previous one, its response, and then what is new."""
    known: dict[str, list[str]] = {}
    calls = 0
    for event in events(demo):
        kind, thread = event.payload.name_of_type, event.thread_id or ""
        if kind == "inference_started":
            before = known.get(thread, [])
            sent = shown(demo, event, before)
            assert sent[: len(before)] == before
            assert len(set(sent)) == len(sent)
            known[thread] = sent
            calls += 1
            continue
        contents = [payload(demo, one) for one in references(event) if not one.is_lost]
        if kind == "inference_completed":
            known[thread] = known[thread] + [
                one for answer in contents for one in ids(answer["output_items"])
            ]
        elif kind == "compaction_installed":
            history = ids(contents[0]["input_history"])
            assert known[thread][1:] == history[: len(known[thread]) - 1]
            known[thread] = [known[thread][0], *ids(contents[0]["replacement_history"])]
    assert calls >= 8


@pytest.mark.parametrize("demo", STORIES)
def test_token_counts_are_plausible(demo: str) -> None:
    usages = [
        payload(demo, reference)["token_usage"]
        for event in events(demo)
        for reference in references(event)
        if event.payload.name_of_type == "inference_completed" and not reference.is_lost
    ]
    for usage in usages:
        assert 0 <= usage["cached_input_tokens"] < usage["input_tokens"]
        assert usage["cached_input_tokens"] % 128 == 0
        assert 0 <= usage["reasoning_output_tokens"] < usage["output_tokens"]
        assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    assert sum(usage["cached_input_tokens"] > 0 for usage in usages) > len(usages) / 2


def edges(graph: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [edge for edge in graph["interaction_edges"].values() if edge["kind"] == kind]


def test_team_has_a_root_two_children_and_a_grandchild(team: dict[str, Any]) -> None:
    assert sorted(thread["agent_path"] for thread in team["threads"].values()) == [
        "/root",
        "/root/reader",
        "/root/repro",
        "/root/repro/stress",
    ]
    for kind, count in (("spawn_agent", 3), ("send_message", 1), ("assign_agent_task", 1)):
        found = edges(team, kind)
        assert len(found) == count
        for edge in found:
            assert edge["target"]["type"] == "conversation_item"
            assert edge["carried_item_ids"] == [edge["target"]["item_id"]]
    (closed,) = edges(team, "close_agent")
    assert team["threads"][closed["target"]["thread_id"]]["agent_path"] == "/root/reader"


def test_in_team_one_child_dies_before_it_answers(team: dict[str, Any]) -> None:
    sources = [edge["source"] for edge in edges(team, "agent_result")]
    assert sorted(source["type"] for source in sources) == [
        "conversation_item",
        "conversation_item",
        "thread",
    ]
    (dead,) = [source["thread_id"] for source in sources if source["type"] == "thread"]
    assert team["threads"][dead]["agent_path"] == "/root/repro/stress"
    statuses = sorted(turn["execution"]["status"] for turn in team["codex_turns"].values())
    assert statuses == ["cancelled", "cancelled", *["completed"] * 5, "failed"]


def test_team_has_cells_that_yield_are_waited_for_and_fail(team: dict[str, Any]) -> None:
    cells = list(team["code_cells"].values())
    assert all(cell["nested_tool_call_ids"] and cell["output_item_ids"] for cell in cells)
    assert sorted(cell["runtime_status"] for cell in cells) == [*["completed"] * 4, "failed"]
    (yielded,) = [cell for cell in cells if cell["yielded_seq"] is not None]
    assert len(yielded["wait_tool_call_ids"]) == 2
    nested = [team["tool_calls"][call] for cell in cells for call in cell["nested_tool_call_ids"]]
    assert {call["kind"]["type"] for call in nested} == {"exec_command", "apply_patch", "mcp"}


def test_team_has_a_terminal_that_is_typed_into(team: dict[str, Any]) -> None:
    operations = team["terminal_operations"]
    (typed,) = [
        session["operation_ids"]
        for session in team["terminal_sessions"].values()
        if len(session["operation_ids"]) > 1
    ]
    first, *rest = (operations[operation] for operation in typed)
    assert first["kind"] == "exec_command"
    assert [operation["request"].get("stdin") for operation in rest] == [
        "",
        "p cache._entries\n",
        "p sweeper.last_swept\n",
        "q\n",
    ]
    assert all(operation["model_observations"] for operation in (first, *rest))


def test_team_has_a_sealed_and_a_readable_compaction(team: dict[str, Any]) -> None:
    items = team["conversation_items"]
    ends = [items[found["replacement_item_ids"][-1]] for found in team["compactions"].values()]
    assert [[part["type"] for part in item["body"]["parts"]] for item in ends] == [["encoded"], ["text"]]
    assert [len(found["request_ids"]) for found in team["compactions"].values()] == [1, 2]
    statuses = [request["execution"]["status"] for request in team["compaction_requests"].values()]
    assert sorted(statuses) == ["completed", "completed", "failed"]


def test_team_has_calls_that_fail_and_go_to_mcp_and_an_image(team: dict[str, Any]) -> None:
    calls = team["tool_calls"].values()
    failed = [call["kind"] for call in calls if call["execution"]["status"] == "failed"]
    assert {"type": "apply_patch"} in failed
    assert [call["kind"]["tool"] for call in calls if call["mcp_call_id"]] == ["list_failures", "rerun"]
    parts = [part for item in team["conversation_items"].values() for part in item["body"]["parts"]]
    assert {"input_image", "encrypted_content"} <= {part.get("label") for part in parts}
    (cancelled,) = [
        call for call in team["inference_calls"].values() if call["execution"]["status"] == "cancelled"
    ]
    assert len(cancelled["response_item_ids"]) == 1


@pytest.fixture(scope="module")
def older() -> dict[str, Any]:
    return graph("schema-1")


def test_schema_1_tells_what_it_can(older: dict[str, Any]) -> None:
    assert older["schema_version"] == 1
    assert "recording_complete" not in older
    for item in older["conversation_items"].values():
        assert not {"responses_item_id", "accepted_seq"} & set(item)
    assert {
        edge["kind"]: edge["target"]["type"] for edge in older["interaction_edges"].values()
    } == dict.fromkeys(("spawn_agent", "send_message", "agent_result"), "conversation_item")
    (mcp,) = [call for call in older["tool_calls"].values() if call["mcp_call_id"]]
    assert mcp["kind"] == {"type": "mcp", "server": "ci", "tool": "list_failures"}


def test_in_schema_1_a_picture_is_another_one_in_every_request(older: dict[str, Any]) -> None:
    pictures = [
        item["item_id"]
        for item in older["conversation_items"].values()
        for part in item["body"]["parts"]
        if part.get("label") == "input_image"
    ]
    seen = [
        [one for one in call["request_item_ids"] if one in pictures]
        for call in older["inference_calls"].values()
    ]
    assert len(pictures) > 10
    assert max(map(len, seen)) == 1


def test_schema_1_has_an_answer_in_parts_and_one_cut_short(older: dict[str, Any]) -> None:
    finals = [item for item in older["conversation_items"].values() if item["channel"] == "final"]
    assert len(finals) == 3
    (cancelled,) = [
        call for call in older["inference_calls"].values() if call["execution"]["status"] == "cancelled"
    ]
    (thread,) = [one for one in older["threads"].values() if one["agent_path"] == "/root"]
    assert cancelled["response_item_ids"] == thread["conversation_item_ids"][-1:]


def test_schema_2_tells_the_same_story_and_more_of_it(older: dict[str, Any]) -> None:
    newer = graph("schema-2")
    assert newer["schema_version"] == 2
    assert newer["recording_complete"] is True
    for objects in ("threads", "codex_turns", "inference_calls", "tool_calls", "code_cells", "compactions"):
        assert len(newer[objects]) == len(older[objects])
    outputs = [item for item in newer["conversation_items"].values() if item["kind"].endswith("_output")]
    assert outputs
    assert all(item["responses_item_id"] for item in outputs)
    pictures = [
        part
        for item in newer["conversation_items"].values()
        for part in item["body"]["parts"]
        if part.get("label") == "input_image"
    ]
    assert len(pictures) == 1 + len(newer["compactions"])


def test_capped_has_holes_of_every_sort(capped: dict[str, Any]) -> None:
    assert (capped["status"], capped["recording_status"]) == (
        "completed",
        "closed_with_partial_payloads",
    )
    lost = [one for one in capped["raw_payloads"].values() if "capture" in one]
    assert {(one["kind"]["type"], one["capture"]["status"]) for one in lost} == {
        ("content_value", "truncated"),
        ("model_item", "truncated"),
        ("inference_response", "truncated"),
        ("compaction_request", "truncated"),
        ("protocol_event", "truncated"),
        ("tool_invocation", "truncated"),
        ("tool_result", "truncated"),
        ("tool_runtime_event", "truncated"),
        ("tool_runtime_event", "omitted"),
    }
    cut = {one["raw_payload_id"] for one in lost}
    parts = [part for item in capped["conversation_items"].values() for part in item["body"]["parts"]]
    texts = [part for part in parts if part.get("label") == "text" and part.get("raw_payload_id") in cut]
    assert texts
    assert any(
        call["raw_result_payload_id"] in cut and not call["model_visible_output_item_ids"]
        for call in capped["tool_calls"].values()
    )
    assert any(operation["result"] is None for operation in capped["terminal_operations"].values())


def test_in_capped_a_call_comes_before_its_output_though_its_answer_was_lost(capped: dict[str, Any]) -> None:
    (lost,) = [
        call
        for call in capped["inference_calls"].values()
        if call["raw_response_payload_id"] and not call["response_item_ids"]
    ]
    thread = capped["threads"][lost["thread_id"]]["conversation_item_ids"]
    (call,) = [
        call
        for call in capped["tool_calls"].values()
        if call["terminal_operation_id"]
        and "rg -c ok" in str(capped["terminal_operations"][call["terminal_operation_id"]]["request"])
    ]
    (asked,), (output,) = call["model_visible_call_item_ids"], call["model_visible_output_item_ids"]
    assert number(asked) > number(output)
    assert thread.index(asked) < thread.index(output)


def number(item_id: str) -> int:
    return int(item_id.rpartition(":")[2])


def test_in_capped_a_child_ends_and_is_resumed(capped: dict[str, Any]) -> None:
    assert [event.payload.name_of_type for event in events("capped")].count("thread_resumed") == 1
    (child,) = [one for one in capped["threads"].values() if one["agent_path"] == "/root/reader"]
    turns = [turn for turn in capped["codex_turns"].values() if turn["thread_id"] == child["thread_id"]]
    assert [turn["execution"]["status"] for turn in turns] == ["completed", "completed"]


def test_in_team_each_wait_names_the_cell_and_a_command_is_aborted(team: dict[str, Any]) -> None:
    waits = {
        call["tool_call_id"]: call["resolved_wait_runtime_cell_id"]
        for call in team["tool_calls"].values()
        if "resolved_wait_runtime_cell_id" in call
    }
    waited = [cell for cell in team["code_cells"].values() if cell["wait_tool_call_ids"]]
    assert waits == {call: cell["runtime_cell_id"] for cell in waited for call in cell["wait_tool_call_ids"]}
    (aborted,) = [call for call in team["tool_calls"].values() if call["execution"]["status"] == "aborted"]
    assert aborted["raw_result_payload_id"] is None
    outputs = [
        item["body"]["parts"][0]["text"]
        for item in team["conversation_items"].values()
        if item["call_id"] == aborted["model_visible_call_id"] and item["kind"] == "function_call_output"
    ]
    assert [text.partition(" after ")[0] for text in outputs] == ["aborted by user"]
