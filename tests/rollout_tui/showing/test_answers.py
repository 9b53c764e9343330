"""The answers of seven recordings, each number checked against what the log and the payloads say."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from own_reading import OwnReading, Window, strings
from places import REPOSITORY

from rollout_tui.language.asking import AnswerTo
from rollout_tui.session import Session
from rollout_tui.showing.answers import answer_document


class Recording(NamedTuple):
    """A recording, and a text that is worth looking for in it."""

    name: str
    text: str
    is_capped: bool = False


RECORDINGS = (
    Recording("bundles/multi-agent-v2", "ALPHA RESULT"),
    Recording("team", "sweep()"),
    Recording("bundles/compaction-remote", "seq 1"),
    Recording("bundles/code-mode", "nested_marker"),
    Recording("bundles/long-200", "output number 7 "),
    Recording("bundles-v3/limit-payload-300", "echo small", is_capped=True),
    Recording("capped", "the", is_capped=True),
)
BY_NAME = pytest.mark.parametrize("recording", RECORDINGS, ids=lambda one: one.name)
Answers = Callable[..., Any]


def place_of(recording: Recording, shared: Path) -> Path:
    if "/" in recording.name:
        return shared / recording.name / "bundle"
    return REPOSITORY / "demo_traces" / recording.name


@cache
def loaded(path: Path) -> Session:
    session = Session(path)
    session.load(lambda _done, _total: None)
    return session


@cache
def own(path: Path) -> OwnReading:
    return OwnReading(path)


def told(path: Path, wish: AnswerTo) -> Any:
    """What `show --json` prints, as a program reads it."""
    session = loaded(path)
    assert session.timelines is not None
    document = answer_document(session, session.timelines.links, wish)
    assert [*document.lines()]
    return json.loads(json.dumps(document.data))


@pytest.mark.slow
@BY_NAME
def test_tokens_are_those_of_the_responses(shared_dir: Path, recording: Recording) -> None:
    path = place_of(recording, shared_dir)
    reading, agents = own(path), told(path, AnswerTo("summary"))["agents"]
    assert {one["thread_id"]: one["agent"] for one in agents} == reading.threads
    for one in agents:
        for name, threads in (
            ("tokens", [one["thread_id"]]),
            ("tokens_with_children", reading.below(one["thread_id"])),
        ):
            if recording.is_capped and name == "tokens_with_children":
                continue  # who started an agent is cut away
            assert one[name].items() >= reading.tokens(threads).items()
        usages = [reading.usage(call["inference_call_id"]) for call in reading.calls(one["thread_id"])]
        sizes = [usage["input_tokens"] for usage in usages if usage is not None]
        assert one["context_most"] == max(sizes, default=None)
        assert one["context_now"] == (sizes[-1] if sizes else None)


@BY_NAME
def test_tokens_by_turn_call_and_item_sum_up_to_them(shared_dir: Path, recording: Recording) -> None:
    path = place_of(recording, shared_dir)
    whole = own(path).tokens(list(own(path).threads))
    for by in ("agent", "turn", "call"):
        rows = told(path, AnswerTo("tokens", by=by))[f"by_{by}"]
        for name, number in whole.items():
            assert sum(row["tokens"][name] or 0 for row in rows) == number, (by, name)
    for by in ("tool", "item"):
        rows = told(path, AnswerTo("tokens", by=by))[f"by_{by}"]
        paid = [row["paid_estimate"] or 0 for row in rows]
        assert sum(paid) == pytest.approx(whole["input"], abs=len(rows))
        assert min(paid) >= 0


@BY_NAME
def test_calls_are_told_with_their_items_and_compactions(shared_dir: Path, recording: Recording) -> None:
    path = place_of(recording, shared_dir)
    reading, rows = own(path), told(path, AnswerTo("tokens", by="call"))["by_call"]
    for thread in reading.threads:
        mine = [row for row in rows if row["thread_id"] == thread]
        calls = reading.calls(thread)
        assert [row["object"]["id"] for row in mine] == [call["inference_call_id"] for call in calls]
        installs = [
            event["seq"]
            for event, _ in reading.bodies("compaction_installed")
            if event["thread_id"] == thread
        ]
        for before, row in zip([None, *mine], mine, strict=False):
            is_between = any(before["seq"] < seq < row["seq"] for seq in installs) if before else False
            assert row["is_compacted"] == is_between


@BY_NAME
def test_time_is_that_between_the_events(shared_dir: Path, recording: Recording) -> None:
    path = place_of(recording, shared_dir)
    reading, told_ = own(path), told(path, AnswerTo("time"))
    assert told_["clock_goes_back"] == []
    for one in told_["agents"]:
        expected = reading.times_of(one["thread_id"])
        assert {kind: ms for kind, ms in one["ms_by_kind"].items() if ms} == {
            kind: ms for kind, ms in expected.items() if ms
        }
        assert (
            one["active_ms"] + one["waiting_ms"] + one["idle_ms"] == one["span_ms"] == sum(expected.values())
        )


@BY_NAME
def test_waits_and_what_never_ended(shared_dir: Path, recording: Recording) -> None:
    path = place_of(recording, shared_dir)
    reading, found = own(path), told(path, AnswerTo("waits"))
    last = reading.events[-1]["seq"]

    def ms(one: Window) -> int:
        return reading.times[one.last or last] - reading.times[one.first]

    waited = sorted((-ms(one), one.first) for one in reading.windows() if one.kind.startswith("wait"))
    assert [(-one["ms"], one["seq"]) for one in found["waits"]] == waited
    open_ = {one.id for one in reading.windows() if one.last is None}
    named = {one["object"]["id"] for one in found["never_ended"] if one["object"]["type"] != "CodeCell"}
    assert named == open_


@BY_NAME
def test_the_critical_path_goes_from_the_first_event_to_the_last(
    shared_dir: Path, recording: Recording
) -> None:
    path = place_of(recording, shared_dir)
    reading, found = own(path), told(path, AnswerTo("path"))
    links = found["links"]
    first, last = reading.events[0]["seq"], reading.events[-1]["seq"]
    assert (links[0]["first_seq"], links[-1]["last_seq"]) == (first, last)
    for before, after in pairwise(links):
        assert before["last_seq"] == after["first_seq"]
    windows = {one.id: one for one in reading.windows()}
    for link in links:
        assert link["ms"] == reading.times[link["last_seq"]] - reading.times[link["first_seq"]]
        if link["object"] is not None and link["object"]["type"] != "CompactionRequest":
            window = windows[link["object"]["id"]]
            assert window.thread == link["thread_id"]
            assert window.first <= link["first_seq"]
            assert window.last is None or link["last_seq"] <= window.last
    assert sum(link["ms"] for link in links) == reading.times[last] - reading.times[first]
    assert sum(found["ms_by_kind"].values()) == sum(one["ms"] for one in found["ms_by_agent"]) == found["ms"]


@BY_NAME
def test_what_was_seen_is_what_requests_had(shared_dir: Path, recording: Recording) -> None:
    path = place_of(recording, shared_dir)
    reading, found = own(path), told(path, AnswerTo("seen", text=recording.text))
    looked = ignoring_case(recording.text)
    seen_by_any = 0
    for one in found["agents"]:
        calls = reading.calls(one["thread_id"])
        assert one["calls"] == len(calls)
        for number, call in enumerate(calls, 1):
            is_told = any(run["first_call"] <= number <= run["last_call"] for run in one["runs"])
            is_there = any(map(looked, strings(reading.request_input(call))))
            if is_there or reading.is_whole(call):
                assert is_told == is_there, (one["agent"], number)
            seen_by_any += is_there
    assert seen_by_any


def ignoring_case(text: str) -> Callable[[str], bool]:
    if text == text.lower():
        return lambda said: text in said.lower()
    return lambda said: text in said


# Agents


def test_tasks_are_what_their_senders_wrote(shared_dir: Path) -> None:
    path = place_of(RECORDINGS[0], shared_dir)
    reading, agents = own(path), told(path, AnswerTo("summary"))["agents"]
    sent = {}
    for _, body in reading.bodies("tool_call_started"):
        if body["kind"]["type"] == "spawn_agent":
            arguments = json.loads(reading.payload(body["invocation_payload"])["payload"]["arguments"])
            sent.setdefault(f"/root/{arguments['task_name']}", arguments["message"])
    children = {one["agent"]: one for one in agents if one["agent"] != "/root"}
    assert set(children) <= set(sent)
    for agent, one in children.items():
        assert one["task"]["text"] == sent[agent]
        assert one["task"]["is_rebuilt"]
        seen = [
            number
            for number, call in enumerate(reading.calls(one["thread_id"]), 1)
            if "NEW_TASK" in json.dumps(reading.request_input(call))
        ]
        assert one["task_seen"]["call"] == seen[0]


def test_answers_are_seen_by_the_call_that_first_has_them(shared_dir: Path) -> None:
    path = place_of(RECORDINGS[0], shared_dir)
    reading, agents = own(path), told(path, AnswerTo("summary"))["agents"]
    root = next(one for one in agents if one["agent"] == "/root")
    assert root["answers_to_user"]
    results = {}
    for _, body in reading.bodies("agent_result_observed"):
        results[body["child_thread_id"]] = body["message"].rpartition("Payload:\n")[2]
    answered = [one for one in agents if one["answer"] is not None and one is not root]
    assert {one["agent"] for one in answered} == {"/root/alpha", "/root/beta"}
    for one in answered:
        seen = [
            number
            for number, call in enumerate(reading.calls(root["thread_id"]), 1)
            if any(results[one["thread_id"]] in text for text in strings(reading.request_input(call)))
        ]
        assert one["answer_seen"]["call"] == seen[0]
    for one in agents:
        if one["answer"] is None:
            assert one["no_answer"]


def test_compactions_and_outcome(shared_dir: Path) -> None:
    path = place_of(RECORDINGS[2], shared_dir)
    summary = told(path, AnswerTo("summary"))
    installed = len([*own(path).bodies("compaction_installed")])
    assert summary["compactions"] == installed == summary["agents"][0]["compactions"]
    assert (summary["outcome"], summary["is_over"]) == ("answered", True)
    metadata = own(path).payload(next(own(path).bodies("thread_started"))[1]["metadata_payload"])
    assert (summary["directory"], summary["started_by"]) == (metadata["cwd"], metadata["session_source"])
