"""The committed demo traces are what the script makes, tell what they should, and attack what they should."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from reducer.errors import Malformed, UnreadablePayload
from reducer.schemas.choice import schema_of
from reducer.schemas.v2 import SCHEMA_2
from reducer.storage.bundle import open_bundle
from reducer.wire.events import RawEvent
from reducer.wire.log import decode_event
from reducer.wire.payload_refs import FileRef, PayloadKind, PayloadRef

REPOSITORY = Path(__file__).resolve().parents[2]
DEMOS = REPOSITORY / "demo_traces"
STORIES = ["quickstart", "team", "schema-1"]
LAST_EVENTS = {"schema-1": "rollout_ended"}

sys.path.insert(0, str(REPOSITORY))

from demo_traces.attacks import EVERYTHING  # noqa: E402
from demo_traces.forgery import ESCAPING_PATHS, LINKS  # noqa: E402


def tree(directory: Path) -> dict[str, bytes | str]:
    """Files of a directory with their bytes, links with where they lead."""
    found: dict[str, bytes | str] = {}
    for folder, _, names in os.walk(directory):
        for name in names:
            path = Path(folder, name)
            link = path.is_symlink()
            found[str(path.relative_to(directory))] = os.readlink(path) if link else path.read_bytes()
    return found


def events(demo: str) -> list[RawEvent]:
    bundle = open_bundle(DEMOS / demo)
    return [decode_event(line.data, schema_of(bundle).line) for line in bundle.lines()]


def references(event: RawEvent) -> Iterator[PayloadRef]:
    for field in event.payload.__struct_fields__:
        value = getattr(event.payload, field)
        if isinstance(value, PayloadRef):
            yield value


def payload(demo: str, reference: PayloadRef) -> Any:
    return json.loads((DEMOS / demo / reference.path).read_bytes())


@pytest.fixture(scope="module")
def team() -> dict[str, Any]:
    graph: dict[str, Any] = json.loads((REPOSITORY / "snapshots/demo_traces/team.state.json").read_bytes())
    return graph


def test_making_the_demos_again_changes_nothing(tmp_path: Path) -> None:
    for directory in (tmp_path / "one", tmp_path / "one", tmp_path / "two"):
        subprocess.run(
            [sys.executable, str(DEMOS / "make.py"), str(directory)], check=True, timeout=60, cwd=tmp_path
        )
    one = tree(tmp_path / "one")
    assert one == tree(tmp_path / "two")
    for demo in [*STORIES, "hostile"]:
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
    referred = {reference.path for event in told for reference in references(event)}
    assert referred == {f"payloads/{path.name}" for path in (DEMOS / demo / "payloads").iterdir()}
    assert told[-1].payload.name_of_type == LAST_EVENTS.get(demo, "recording_completed")


@pytest.mark.parametrize("demo", STORIES)
def test_each_request_repeats_the_conversation_so_far(demo: str) -> None:
    """Ids of a request: those of the thread's previous one, its response, and then what is new."""
    known: dict[str, list[str]] = {}
    calls = 0
    for event in events(demo):
        kind, thread = event.payload.name_of_type, event.thread_id or ""
        contents = [payload(demo, reference) for reference in references(event)]
        if kind == "inference_started":
            sent = [item["id"] for item in contents[0]["input"]]
            assert sent[: len(known.get(thread, []))] == known.get(thread, [])
            assert len(set(sent)) == len(sent)
            known[thread] = sent
            calls += 1
        elif kind == "inference_completed":
            known[thread] = known[thread] + [item["id"] for item in contents[0]["output_items"]]
        elif kind == "compaction_installed":
            replacement = [item["id"] for item in contents[0]["replacement_history"]]
            assert (
                known[thread][1:]
                == [item["id"] for item in contents[0]["input_history"]][: len(known[thread]) - 1]
            )
            known[thread] = [known[thread][0], *replacement]
    assert calls >= 8


@pytest.mark.parametrize("demo", STORIES)
def test_token_counts_are_plausible(demo: str) -> None:
    usages = [
        payload(demo, reference)["token_usage"]
        for event in events(demo)
        for reference in references(event)
        if event.payload.name_of_type == "inference_completed"
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
    graph: dict[str, Any] = json.loads(
        (REPOSITORY / "snapshots/demo_traces/schema-1.state.json").read_bytes()
    )
    return graph


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


def hostile_events() -> tuple[list[RawEvent], int]:
    """The events of the hostile bundle that are some, and how many lines are none."""
    found, bad = [], 0
    for line in open_bundle(DEMOS / "hostile").lines():
        try:
            found.append(decode_event(line.data, SCHEMA_2.line))
        except Malformed:
            bad += 1
    return found, bad


def test_the_hostile_bundle_opens_and_most_of_it_is_sound() -> None:
    found, bad = hostile_events()
    assert bad == 4
    assert len(found) > 120
    assert [event.seq for event in found[:120]] == list(range(1, 121))


def test_every_attack_is_somewhere_in_events_and_in_payloads() -> None:
    bundle = DEMOS / "hostile"
    logged = "".join(map(repr, strings([msgspec.to_builtins(event) for event in hostile_events()[0]])))
    kept = "".join(
        repr(text)
        for path in (bundle / "payloads").glob("[0-9]*.json")
        for text in strings(json.loads(path.read_bytes()))
    )
    for attack in EVERYTHING:
        assert repr(attack)[1:-1] in logged, attack
        assert repr(attack)[1:-1] in kept, attack


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from (key, *strings(part))
    elif isinstance(value, list):
        for part in value:
            yield from strings(part)


def test_the_hostile_bundle_has_an_attack_in_every_free_text_of_its_events() -> None:
    # Fields with a form of their own, previews of JSON (where attacks stand escaped), names of codex's tools,
    # and ids that the recorder makes.
    formed = {"type", "status", "path", "raw_payload_id", "input_preview"}
    tools = {"exec_command", "write_stdin", "apply_patch", "exec", "wait", "collaboration.spawn_agent"}
    made = {"tool-1", "compaction_request:1"}
    recorded = [event for event in hostile_events()[0] if event.seq <= 85]
    for event in recorded:
        for key, text in texts_by_key(msgspec.to_builtins(event)):
            if key not in formed and text not in tools | made and not is_uuid(text):
                assert any(attack in text for attack in EVERYTHING), (key, text)


def texts_by_key(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, dict):
        for name, part in value.items():
            yield from texts_by_key(part, name)
    elif isinstance(value, list):
        for part in value:
            yield from texts_by_key(part, key)


def is_uuid(text: str) -> bool:
    return len(text) == 36 and text.count("-") == 4


def test_the_hostile_bundle_has_a_line_of_a_megabyte_and_is_not_much_more() -> None:
    sizes = sorted(path.stat().st_size for path in (DEMOS / "hostile" / "payloads").glob("[0-9]*.json"))
    assert sizes[-1] > 1_000_000 > 100_000 > sizes[-2]
    assert sum(sizes) < 3_000_000
    longest = max((DEMOS / "hostile" / "payloads").glob("[0-9]*.json"), key=lambda path: path.stat().st_size)
    (output,) = [text for text in strings(json.loads(longest.read_bytes())) if len(text) > 100_000]
    assert max(len(line) for line in output.split("\n")) > 700_000


def test_the_hostile_bundle_has_half_a_pair_in_a_payload_and_in_a_line() -> None:
    assert b"\\ud800" in (DEMOS / "hostile" / "payloads" / "bad-surrogate.json").read_bytes()
    assert b"\\ud800" in (DEMOS / "hostile" / "trace.jsonl").read_bytes()


def test_no_reference_of_the_hostile_bundle_leads_to_anything_outside_of_it() -> None:
    bundle = open_bundle(DEMOS / "hostile")
    referred = {reference.path for event in hostile_events()[0] for reference in references(event)}
    assert set(ESCAPING_PATHS) <= referred
    assert {f"payloads/{name}" for name in LINKS} <= set(ESCAPING_PATHS)
    for path in ESCAPING_PATHS:
        if path not in ("manifest.json", "trace.jsonl"):
            with pytest.raises(UnreadablePayload):
                bundle.read_payload(FileRef("raw_payload:1", PayloadKind("protocol_event"), path))
