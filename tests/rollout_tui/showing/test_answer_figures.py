"""Each number of the answers that `test_answers` leaves, checked against the log and the payloads."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from own_figures import cache_breaks, carried, failed_seqs, outputs_in, repeated, shown_by
from own_reading import OwnReading, Window
from places import REPOSITORY

from rollout_tui.language.asking import AnswerTo, parse_what
from rollout_tui.session import Session
from rollout_tui.showing.answers import answer_document


class Recording(NamedTuple):
    """A recording; of one that a limit cut not all can be counted."""

    name: str
    is_capped: bool = False


RECORDINGS = (
    Recording("bundles/multi-agent-v2"),
    Recording("team"),
    Recording("bundles/compaction-remote"),
    Recording("bundles/code-mode"),
    Recording("bundles/long-200"),
    Recording("bundles-v3/limit-payload-300", is_capped=True),
    Recording("capped", is_capped=True),
)
ALL = pytest.mark.parametrize("recording", RECORDINGS, ids=lambda one: one.name)
WHOLE = pytest.mark.parametrize(
    "recording", [one for one in RECORDINGS if not one.is_capped], ids=lambda one: one.name
)


class Told:
    """A recording as it was read by itself, and as its answers tell it."""

    def __init__(self, path: Path) -> None:
        self.reading = OwnReading(path)
        self._session = Session(path)
        self._session.load(lambda _done, _total: None)
        self._answers: dict[str, Any] = {}

    def __call__(self, words: str) -> Any:
        """What `show --json --content` prints, as a program reads it."""
        if words not in self._answers:
            wish, timelines = parse_what([words]), self._session.timelines
            assert isinstance(wish, AnswerTo)
            assert timelines is not None
            data = answer_document(self._session, timelines.links, wish).data
            self._answers[words] = json.loads(json.dumps(data))
        return self._answers[words]


@cache
def told_by(path: Path) -> Told:
    return Told(path)


@pytest.fixture
def told(shared_dir: Path, recording: Recording) -> Told:
    """The recording of a test."""
    name = recording.name
    return told_by(shared_dir / name / "bundle" if "/" in name else REPOSITORY / "demo_traces" / name)


def ms_between(reading: OwnReading, first: int, last: int) -> int:
    return reading.times[last] - reading.times[first]


# Overview


@ALL
def test_the_run_and_its_end(told: Told) -> None:
    reading, summary = told.reading, told("summary")
    first, last = reading.events[0], reading.events[-1]
    manifest = json.loads((reading.bundle / "manifest.json").read_bytes())
    assert summary["ms"] == ms_between(reading, first["seq"], last["seq"])
    assert summary["started_at_unix_ms"] == manifest["started_at_unix_ms"]
    assert summary["trace_schema"] == first["schema_version"]
    assert summary["is_over"] == any(reading.bodies("rollout_ended"))
    assert summary["clock_goes_back"] == []
    assert summary["tokens"].items() >= reading.tokens(list(reading.threads)).items()
    installed = [event["thread_id"] for event, _ in reading.bodies("compaction_installed")]
    assert summary["compactions"] == len(installed)
    for one in summary["agents"]:
        assert one["compactions"] == installed.count(one["thread_id"])


@ALL
def test_failures_are_those_of_the_log(told: Told) -> None:
    reading, summary, failures = told.reading, told("summary"), told("summary")["failures"]
    assert [one["seq"] for one in failures] == sorted(failed_seqs(reading), reverse=True)
    of_agents = Counter(one["thread_id"] for one in failures)
    assert {one["thread_id"]: one["failures"] for one in summary["agents"]} == {
        id_: of_agents[id_] for id_ in reading.threads
    }
    events = {event["seq"]: event for event in reading.events}
    for one in failures:
        assert one["thread_id"] == events[one["seq"]]["thread_id"]


@ALL
def test_turns_tasks_and_what_agents_do_now(told: Told, recording: Recording) -> None:
    reading = told.reading
    turns = [one for one in reading.windows() if one.kind == "between"]
    unended = [one for one in reading.windows() if one.last is None]
    for one in told("summary")["agents"]:
        mine = [turn for turn in turns if turn.thread == one["thread_id"]]
        assert one["turns"] == len(mine)
        answered = sum(is_answered(reading, turn) for turn in mine)
        assert answered == one["answered_turns"] or (recording.is_capped and answered < one["answered_turns"])
        if one["agent"] != "/root" and not recording.is_capped:
            assert one["tasks"] == len(tasks_of(reading, one["thread_id"]))
        if one["doing"] is None:
            assert not [each for each in unended if each.thread == one["thread_id"]]
        else:
            last = reading.events[-1]["seq"]
            assert one["doing"]["ms"] == ms_between(reading, one["doing"]["seq"], last)


def is_answered(reading: OwnReading, turn: Window) -> bool:
    """Whether the last call of a turn gave a message, and asked for no tool beside it."""
    calls = [call for call in reading.calls(turn.thread) if call["codex_turn_id"] == turn.id]
    response = reading.response(calls[-1]["inference_call_id"]) if calls else None
    given = {item["type"] for item in response["output_items"]} if response is not None else set()
    return "message" in given and not any(one.endswith("_call") for one in given)


def tasks_of(reading: OwnReading, thread: str) -> set[str]:
    """The messages of other agents that gave an agent something to do, as its requests have them."""
    path = reading.threads[thread]
    return {
        item["id"]
        for call in reading.calls(thread)
        for item in reading.request_input(call) or ()
        if item.get("type") == "agent_message" and item["recipient"] == path
        if "NEW_TASK" in json.dumps(item["content"])
    }


@ALL
def test_encrypted_tasks_are_as_long_as_what_was_sent(told: Told, recording: Recording) -> None:
    if recording.is_capped:
        return
    sent = [
        part["encrypted_content"]
        for thread in told.reading.threads
        for call in told.reading.calls(thread)
        for item in told.reading.request_input(call) or ()
        for part in item.get("content") or ()
        if isinstance(part, dict) and "encrypted_content" in part
    ]
    for one in told("summary")["agents"]:
        if one["task"] is not None and one["task"]["is_rebuilt"]:
            assert one["task"]["encrypted_bytes"] in {len(each) for each in sent}


# Tokens


@ALL
def test_tokens_of_agents_by_model_and_with_their_children(told: Told, recording: Recording) -> None:
    reading = told.reading
    for one in told("tokens by agent")["by_agent"]:
        calls = reading.calls(one["thread_id"])
        assert one["tokens"].items() >= reading.tokens_of(calls).items()
        models = {call["model"] for call in calls}
        assert set(one["by_model"]) == models
        for model in models:
            of_model = [call for call in calls if call["model"] == model]
            assert one["by_model"][model].items() >= reading.tokens_of(of_model).items()
        if not recording.is_capped:  # who started an agent is cut away
            assert one["with_children"].items() >= reading.tokens(reading.below(one["thread_id"])).items()
        usages = [reading.usage(call["inference_call_id"]) for call in calls]
        sizes = [usage["input_tokens"] for usage in usages if usage is not None]
        assert one["context_most"] == max(sizes, default=None)
        assert one["context_now"] == (sizes[-1] if sizes else None)
        assert bool(calls and not sizes) == any(
            words.startswith("context_now") for words in one.get("not_recorded", ())
        )
        assert one["cost"] is None


@ALL
def test_what_a_context_may_hold_is_what_its_last_turn_says(told: Told) -> None:
    reading, windows = told.reading, {}
    threads = {one.id: one.thread for one in reading.windows() if one.kind == "between"}
    for event, body in reading.bodies("protocol_event_observed"):
        value = reading.payload(body["event_payload"])
        if body["event_type"] in ("task_started", "turn_started") and value is not None:
            thread = event["thread_id"] or threads[value["turn_id"]]
            windows[thread] = value["model_context_window"]
    for one in told("tokens by agent")["by_agent"]:
        assert one["context_window"] == windows.get(one["thread_id"])
        missing = [words for words in one.get("not_recorded", ()) if words.startswith("context_window")]
        assert bool(missing) == (one["context_window"] is None)
    assert told("tokens")["rate_limits"] == []


@ALL
def test_tokens_of_turns(told: Told) -> None:
    reading, rows = told.reading, told("tokens by turn")["by_turn"]
    turns: dict[str, list[Window]] = defaultdict(list)
    for one in reading.windows():
        if one.kind == "between":
            turns[one.thread].append(one)
    assert len(rows) == sum(map(len, turns.values()))
    for row in rows:
        mine = turns[row["thread_id"]]
        turn = mine[row["number"] - 1]
        assert row["object"] == {"type": "Turn", "id": turn.id}
        calls = [call for call in reading.calls(turn.thread) if call["codex_turn_id"] == turn.id]
        assert row["tokens"].items() >= reading.tokens_of(calls).items()


@ALL
def test_tokens_of_calls(told: Told) -> None:
    reading, rows = told.reading, told("tokens by call")["by_call"]
    for thread in reading.threads:
        mine = [row for row in rows if row["thread_id"] == thread]
        for number, (row, call) in enumerate(zip(mine, reading.calls(thread), strict=True), 1):
            assert (row["number"], row["seq"]) == (number, reading.seq_of_call(call))
            assert row["model"] == call["model"]
            assert row["tokens"].items() >= reading.tokens_of([call]).items()
            if reading.is_whole(call):
                assert row["items"] == len(reading.request_input(call) or ())
        broken = [row for row in mine if row["cache_break"] is not None]
        assert [
            (row["number"], row["cache_break"]["lost"], row["cache_break"]["since_ms"]) for row in broken
        ] == cache_breaks(reading, thread)
        installed = [
            event["seq"]
            for event, _ in reading.bodies("compaction_installed")
            if event["thread_id"] == thread
        ]
        for row in broken:  # in these recordings nothing else broke a cache
            before, now = (
                reading.seq_of_call(call) for call in reading.calls(thread)[row["number"] - 2 :][:2]
            )
            assert row["cache_break"]["cause"] == "compaction"
            assert row["cache_break"]["item"] is None
            assert any(before < seq < now for seq in installed)


@WHOLE
def test_items_made_their_share_of_each_request_that_carried_them(told: Told) -> None:
    rows = told("tokens by item")["by_item"]
    for thread in told.reading.threads:
        mine = [row for row in rows if row["thread_id"] == thread]
        expected = carried(told.reading, thread)
        counted = sorted(
            (row["calls"], row["calls"] - row["calls_without_figures"], row["paid_estimate"] or 0.0)
            for row in mine
        )
        assert len(counted) == len(expected)
        for one, other in zip(counted, expected, strict=True):
            assert one[:2] == other[:2]
            assert one[2] == pytest.approx(other.paid, abs=0.11)
        for row in mine:
            known = row["calls"] - row["calls_without_figures"]
            if known:
                assert row["tokens_estimate"] == pytest.approx(row["paid_estimate"] / known, abs=0.11)
            else:
                assert (row["tokens_estimate"], row["paid_estimate"]) == (None, None)
                assert len(row["not_recorded"]) == 2


@ALL
def test_tools_are_their_items_put_together(told: Told) -> None:
    items: dict[Any, list[Any]] = defaultdict(list)
    for row in told("tokens by item")["by_item"]:
        items[row["kind"], row["tool"], row["what"]].append(row)
    rows = told("tokens by tool")["by_tool"]
    assert len(rows) == len(items)
    for row in rows:
        own = items[row["kind"], row["tool"], row["what"]]
        assert row["items"] == len(own)
        for name in ("tokens_estimate", "paid_estimate"):
            known = [one[name] for one in own if one[name] is not None]
            assert row[name] == (pytest.approx(sum(known), abs=0.1 * len(own)) if known else None)
        paid = {one["object"]["id"]: one["paid_estimate"] or 0 for one in own}
        assert paid[row["largest"]["id"]] == max(paid.values())


@WHOLE
def test_tool_calls_behind_items_are_counted_once(told: Told) -> None:
    reading = told.reading
    carried_calls = {
        thread: {
            item["call_id"]
            for call in reading.calls(thread)
            for item in reading.request_input(call) or ()
            if item.get("type", "").endswith("_output")
        }
        for thread in reading.threads
    }
    outputs = [row for row in told("tokens by tool")["by_tool"] if row["kind"] == "output"]
    assert sum(row["tool_calls"] for row in outputs) == len(set().union(*carried_calls.values()))


@WHOLE
def test_what_repeats_has_the_same_arguments(told: Told) -> None:
    found = {frozenset(ref["id"] for ref in one["calls"]) for one in told("tokens by repeat")["by_repeat"]}
    assert found == repeated(told.reading)


@WHOLE
def test_what_a_compaction_took_away_is_in_no_later_request(told: Told) -> None:
    reading = told.reading
    installed = {event["seq"] for event, _ in reading.bodies("compaction_installed")}
    visible = shown_by(reading)
    for gone in told("summary")["forgotten"]:
        assert gone["seq"] in installed
        calls = reading.calls(gone["thread_id"])
        before = [call for call in calls if reading.seq_of_call(call) < gone["seq"]]
        after = [call for call in calls if reading.seq_of_call(call) > gone["seq"]]
        ids = [one["read_by"]["id"] for one in gone["files"]] + [one["id"] for one in gone["commands"]]
        for id_ in ids:
            assert visible[id_] in outputs_in(reading, before[-1])
            assert not any(visible[id_] in outputs_in(reading, call) for call in after)


# Time


@ALL
def test_every_stretch_is_as_long_as_between_its_events(told: Told) -> None:
    reading, time = told.reading, told("time")
    ends = (reading.events[0]["seq"], reading.events[-1]["seq"])
    assert (time["first_seq"], time["last_seq"], time["ms"]) == (*ends, ms_between(reading, *ends))
    windows = {one.id: one for one in reading.windows()}
    for agent in time["agents"]:
        by_kind: Counter[str] = Counter()
        for one in agent["segments"]:
            assert one["ms"] == ms_between(reading, one["first_seq"], one["last_seq"])
            by_kind[one["kind"]] += one["ms"]
            if one["object"] is None:
                assert one["kind"] == "idle"
                continue
            window = windows[one["object"]["id"]]
            assert window.thread == agent["thread_id"]
            assert window.first <= one["first_seq"]
            assert one["kind"] == ("tool" if window.kind == "script" else window.kind)
        assert all(before["last_seq"] == after["first_seq"] for before, after in pairwise(agent["segments"]))
        assert {kind: ms for kind, ms in agent["ms_by_kind"].items() if ms} == +by_kind


@ALL
def test_waits_and_what_never_ended_say_since_when(told: Told) -> None:
    reading, waits = told.reading, told("waits")
    last = reading.events[-1]["seq"]
    windows = {one.id: one for one in reading.windows()}
    assert waits["ms"] == ms_between(reading, waits["first_seq"], waits["last_seq"])
    for one in waits["waits"]:
        window = windows[one["object"]["id"]]
        assert (one["kind"], one["seq"], one["last_seq"]) == (window.kind, window.first, window.last)
    cells = {event["seq"] for event, _ in reading.bodies("code_cell_started")}
    for one in waits["never_ended"]:
        assert one["ms"] == ms_between(reading, one["seq"], last)
        if one["object"]["type"] == "CodeCell":
            assert one["seq"] in cells
        else:
            assert one["seq"] == windows[one["object"]["id"]].first


@ALL
def test_the_critical_path_by_kind_and_by_agent(told: Told) -> None:
    reading, path = told.reading, told("path")
    windows = {one.id: one for one in reading.windows()}
    kinds: Counter[str] = Counter()
    agents: Counter[str] = Counter()
    for link in path["links"]:
        kinds[link["kind"]] += ms_between(reading, link["first_seq"], link["last_seq"])
        agents[link["thread_id"]] += ms_between(reading, link["first_seq"], link["last_seq"])
        if link["object"] is None:
            assert link["kind"] == "idle"
        else:
            kind = windows[link["object"]["id"]].kind
            assert link["kind"] == ("tool" if kind == "script" else kind)
    assert +Counter(path["ms_by_kind"]) == +kinds
    assert {one["thread_id"]: one["ms"] for one in path["ms_by_agent"] if one["ms"]} == dict(+agents)
    assert (path["first_seq"], path["last_seq"]) == (
        path["links"][0]["first_seq"],
        path["links"][-1]["last_seq"],
    )


# Seen


def numbers_in(agent: Any) -> list[int]:
    """The numbers of the calls of an agent that saw something, as the answer tells them."""
    runs = ((run["first_call"], run["last_call"]) for run in agent["runs"])
    return [number for first, last in runs for number in range(first, last + 1)]


@WHOLE
def test_the_output_of_a_tool_is_seen_where_requests_have_it(told: Told) -> None:
    reading, visible, asked = told.reading, shown_by(told.reading), 0
    begun = [body for _, body in reading.bodies("tool_call_started") if body["requester"]["type"] == "model"]
    for body in begun[:: max(1, len(begun) // 8)]:
        id_ = body["tool_call_id"]
        for agent in told(f"seen tool {id_}")["agents"]:
            calls = reading.calls(agent["thread_id"])
            have = [
                number for number, call in enumerate(calls, 1) if visible[id_] in outputs_in(reading, call)
            ]
            assert agent["calls"] == len(calls)
            assert numbers_in(agent) == have  # also where a fork was sent it
            asked += bool(have)
    assert asked


@pytest.mark.parametrize("file", ["tests/test_sweeper.py", "quaycache/ttl.py", "quaycache/sweeper.py"])
def test_what_was_read_of_a_file_is_seen_where_requests_have_the_outputs(file: str) -> None:
    told = told_by(REPOSITORY / "demo_traces/team")
    reading, seen_by_any = told.reading, 0
    reads = re.compile(rf"\b(?:cat|sed|head|tail|nl|wc)\b[^;|&]*{re.escape(file)}")
    for agent in told(f"seen file {file}")["agents"]:
        calls = reading.calls(agent["thread_id"])
        asked = {
            item["call_id"]
            for call in calls
            for item in reading.request_input(call) or ()
            if item.get("type", "").endswith("_call")
            and reads.search(str(item.get("input") or item.get("arguments")))
        }
        have = [number for number, call in enumerate(calls, 1) if asked & outputs_in(reading, call)]
        assert numbers_in(agent) == have
        seen_by_any += bool(have)
    assert seen_by_any


@WHOLE
def test_an_item_is_seen_where_requests_have_it(told: Told) -> None:
    reading = told.reading
    for thread in reading.threads:
        calls = reading.calls(thread)
        rows = [one for one in told("tokens by item")["by_item"] if one["thread_id"] == thread]
        for row in rows[:: len(rows) // 4]:
            if row["object"]["type"] != "ConversationItem":
                continue
            agents = told(f"seen item {row['object']['id']}")["agents"]
            seen = next(numbers_in(one) for one in agents if one["thread_id"] == thread)
            assert seen[-1] <= len(calls)
            assert len(seen) >= row["calls"]  # also where a compaction made another item of it
            have = [
                set(map(json.dumps, map(_said, reading.request_input(calls[number - 1])))) for number in seen
            ]
            assert set.intersection(*have), "what all of these calls were sent"


def _said(item: dict[str, Any]) -> str:
    """What an item says, without what names it."""
    keys = ("type", "content", "arguments", "input", "output", "summary", "encrypted_content", "call_id")
    return json.dumps([item.get(key) for key in keys])
