"""Search over whole bundles: that nothing is missed, nothing is made up, and nothing is said twice."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reducer import ObjectRef, reduce_bundle
from reducer.model import ConversationItem, ExecCommandRequest, TextPart
from reducer.wire.payload_refs import PayloadRef
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.search import search as search_module
from rollout_tui.insight.search.query import parse_query
from rollout_tui.insight.search.refused import refused_lines
from rollout_tui.insight.search.search import Hit, Search, Where, first_new
from rollout_tui.lines.rows import lay_out
from rollout_tui.lines.spans import spans_text, spans_width
from rollout_tui.safe_text import SafeText
from rollout_tui.views.hit_rows import HitRows, progress_words

Demo = Callable[[str], Path]

BUNDLES = (
    "background-terminal", "code-mode", "compaction-failing", "compaction-local", "compaction-remote",
    "crash-kill9", "dynamic-tools", "everything-ws", "inputs", "interrupted-with-children", "mcp-tools",
    "multi-agent-v2", "odd-incomplete", "odd-no-ids", "resumed-compacted", "review-app", "shell-tools",
    "websocket",
)  # fmt: skip


@lru_cache(maxsize=64)
def index_of(bundle: Path) -> TraceIndex:
    return TraceIndex(reduce_bundle(bundle))


def search_of(index: TraceIndex, text: str, **options: Any) -> Search:
    return Search(index, parse_query(text), index.reduction.recording.read_payload, **options)


def hits_of(index: TraceIndex, text: str) -> list[Hit]:
    return [hit for hits in search_of(index, text).steps() for hit in hits]


def matched(hit: Hit) -> str:
    return hit.match.excerpt[hit.match.start : hit.match.end]


def texts_in(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Every string of a parsed payload, and every key, with its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, one in value.items():
            yield (*path, key), key
            yield from texts_in(one, (*path, key))
    elif isinstance(value, list):
        for place, one in enumerate(value):
            yield from texts_in(one, (*path, place))


def at(value: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        value = value[step]
    return value


def payloads_of(index: TraceIndex) -> dict[str, Any]:
    """Every payload file there is, by its path in the bundle."""
    bundle = index.reduction.recording.path
    return {
        f"payloads/{file.name}": json.loads(file.read_bytes()) for file in (bundle / "payloads").iterdir()
    }


# --- against a search by hand


@pytest.mark.slow
@pytest.mark.parametrize("name", BUNDLES)
@pytest.mark.parametrize("text", ["exec_command", "the ", 'cmd":"', "\n\n", "Exit"])
def test_every_place_of_a_text_is_covered_by_a_hit(shared_dir: Path, name: str, text: str) -> None:
    index = index_of(shared_dir / "bundles" / name / "bundle")
    hits = hits_of(index, text) if text.strip() else list(newline_hits(index, text))
    payloads = payloads_of(index)
    found = set()
    for hit in hits:
        if hit.payload is not None and hit.where is not Where.ID:
            value = at(payloads[hit.payload.path], hit.path)
            found |= {said for _path, said in texts_in(value)} | {str(hit.path[-1])}
    missed = {
        said
        for payload in payloads.values()
        for _path, said in texts_in(payload)
        if text.lower() in said.lower() and said not in found
    }
    assert not missed


def newline_hits(index: TraceIndex, text: str) -> Iterator[Hit]:
    """A text of white space alone cannot be typed, but an expression for it can."""
    yield from hits_of(index, f"/{text}/")


@pytest.mark.parametrize("name", BUNDLES)
@pytest.mark.parametrize("text", ["exec_command", "message", "/call_\\d+/"])
def test_every_hit_is_where_it_says(shared_dir: Path, name: str, text: str) -> None:
    index = index_of(shared_dir / "bundles" / name / "bundle")
    payloads = payloads_of(index)
    for hit in hits_of(index, text):
        if hit.where is Where.LOG:
            assert hit.payload is None
            continue
        if hit.where is Where.ID:
            assert matched(hit) == text
            continue
        assert hit.payload is not None
        value = at(payloads[hit.payload.path], hit.path)
        said = json.dumps({str(hit.path[-1]): value}, ensure_ascii=False)
        assert matched(hit).lower() in said.lower()


@pytest.mark.parametrize("name", BUNDLES)
def test_a_hit_of_an_item_is_in_that_item(shared_dir: Path, name: str) -> None:
    """The elements of requests, responses and checkpoints are told apart by more than their place."""
    index = index_of(shared_dir / "bundles" / name / "bundle")
    items = [hit for hit in hits_of(index, "the") if hit.where is Where.ITEM]
    assert items
    for hit in items:
        item = index.trace.conversation_items[hit.ref.id]
        assert hit.thread_id == item.thread_id
        whole = " ".join(" ".join(text_of(item).split()).split())
        if hit.path[-1] == "text" and any(isinstance(part, TextPart) for part in item.body.parts):
            assert hit.match.excerpt.strip() in whole


def text_of(item: ConversationItem) -> str:
    return "\n".join(part.text for part in item.body.parts if isinstance(part, TextPart))


# --- once, in order


@pytest.mark.parametrize("name", BUNDLES)
@pytest.mark.parametrize("text", ["exec_command", "the", "/[a-z]{4}/"])
def test_nothing_is_said_twice_and_the_log_gives_the_order(shared_dir: Path, name: str, text: str) -> None:
    index = index_of(shared_dir / "bundles" / name / "bundle")
    hits = [hit for hit in hits_of(index, text) if hit.where is not Where.ID]
    assert all(one.seq <= other.seq for one, other in pairwise(hits))
    said = [(hit.ref, hit.match) for hit in hits if hit.where is Where.ITEM and hit.path[-1] == "text"]
    assert len(said) == len(set(said))
    places = [(hit.payload, hit.path) for hit in hits if hit.payload is not None]
    assert len(places) == len(set(places))


@pytest.mark.slow
def test_the_history_in_requests_is_reported_once_where_it_is_new(shared_dir: Path) -> None:
    index = index_of(shared_dir / "bundles/long-200/bundle")
    hits = hits_of(index, "line of output number 5 line")
    (item,) = [hit for hit in hits if hit.where is Where.ITEM]
    calls = [call for call in index.trace.inference_calls.values() if item.ref.id in call.request_item_ids]
    assert len(calls) > 100
    first = min(calls, key=lambda call: call.execution.started_seq)
    assert item.seq == first.execution.started_seq
    assert item.payload is not None
    assert item.payload.raw_payload_id == first.raw_request_payload_id
    owners = [hit.ref.type for hit in hits]
    assert owners.count("ToolCall") == 2, "what was printed, and what was handed back"


def test_the_same_output_of_two_commands_is_two_hits() -> None:
    """What is alike in two items must not be taken for one item that two requests share."""
    before = b'{"input": [\n {"a": 1, "output": "same"}\n ],\n "tools": []}'
    after = b'{"input": [\n {"a": 1, "output": "same"},\n {"a": 2, "output": "same"}\n ],\n "tools": []}'
    assert first_new(before, after) <= after.index(b'{"a": 2')


def test_tools_are_reported_once_per_agent(shared_dir: Path) -> None:
    index = index_of(shared_dir / "bundles/multi-agent-v2/bundle")
    tools = [hit for hit in hits_of(index, "exec_command") if hit.path[:1] == ("tools",)]
    per_thread: dict[str | None, list[Hit]] = {}
    for hit in tools:
        per_thread.setdefault(hit.thread_id, []).append(hit)
    assert len(per_thread) > 1
    for hits in per_thread.values():
        assert {hit.ref.type for hit in hits} == {"InferenceCall"}
        paths = [hit.path for hit in hits]
        assert len(paths) == len(set(paths))


@pytest.mark.slow
@given(st.lists(st.text('ab"\\{}[],: \n', max_size=6), min_size=1, max_size=5), st.data())
@settings(max_examples=300)
def test_what_a_request_adds_is_never_taken_for_known(texts: list[str], data: st.DataObject) -> None:
    """Every element that the other text has not in its place lies behind the place that is given."""
    known = data.draw(st.integers(0, len(texts)))
    changed = data.draw(st.lists(st.text('ab"\\', max_size=3), max_size=2))
    indent = data.draw(st.sampled_from([None, 2]))
    elements = [*texts[:known], *changed]
    before = json.dumps({"input": elements, "tools": ["t"]}, indent=indent).encode()
    after = json.dumps({"input": texts, "tools": ["t"]}, indent=indent).encode()
    start = first_new(before, after)
    if before == after:
        assert start == len(after)
        return
    position = after.index(b"[")
    for place, text in enumerate(texts):
        position = after.index(json.dumps(text).encode(), position)
        if place >= len(elements) or elements[place] != text:
            assert start <= position
        position += len(json.dumps(text).encode())


# --- what stands in no payload


def test_ids_are_found_in_payloads_as_well(team: TraceIndex) -> None:
    call = next(one for one in team.trace.tool_calls.values() if one.raw_runtime_payload_ids)
    wheres = {hit.where for hit in hits_of(team, call.tool_call_id)}
    assert wheres >= {Where.ID, Where.PAYLOAD}


def test_names_and_reasons_of_the_log_are_found(team: TraceIndex) -> None:
    assert any(hit.ref.type == "Thread" for hit in hits_of(team, "/root/repro"))
    failed = next(call for call in team.trace.inference_calls.values() if call.execution.status == "failed")
    hits = [hit for hit in hits_of(team, "429 Too Many") if hit.where is Where.LOG]
    assert [(hit.ref.id, hit.what) for hit in hits] == [(failed.inference_call_id, "inference failed")]


@pytest.mark.slow
def test_problems_are_found(demo_trace: Demo) -> None:
    index = TraceIndex(reduce_bundle(demo_trace("hostile")))
    reason = index.reduction.problems[0].reason
    hits = hits_of(index, reason[:20])
    assert any(hit.ref == index.problem_ref(0) for hit in hits)


def test_refused_lines_are_searched_and_the_payloads_that_only_they_name(shared_dir: Path) -> None:
    index = index_of(shared_dir / "bundles/review-app/bundle")
    known = {ref.path for ref in index.trace.raw_payloads.values()}
    others = set(payloads_of(index)) - known
    assert others
    search = search_of(index, "type")
    hits = [hit for hits in search.steps() for hit in hits]
    assert search.payloads_read == search.payloads == len(known | others)
    found = {hit.payload.path: hit for hit in hits if hit.payload is not None}
    assert others <= set(found)
    for path in others:
        problem = index.problem(found[path].ref.id)
        assert problem is not None
        assert found[path].ref.type == "Problem"
        assert found[path].seq == problem.seq
    lines = [hit for hit in hits if hit.what.startswith("log line ")]
    assert {hit.ref.id for hit in lines} == set(index.lookups.problem_ids)
    first = index.problem(lines[0].ref.id)
    assert first is not None
    assert lines[0].what.startswith(f"log line {first.line} .")


@pytest.mark.slow
def test_refused_lines_are_read_at_their_place(demo_trace: Demo) -> None:
    """Whatever stands around them: each is the line of the file that the problem names."""
    index = TraceIndex(reduce_bundle(demo_trace("hostile")))
    lines = index.reduction.recording.log_path.read_bytes().split(b"\n")
    refused = list(refused_lines(index))
    numbers = [one.line for one in refused]
    assert len(numbers) > 5
    assert any(other == one + 1 for one, other in pairwise(numbers)), "also where several follow each other"
    for one in refused:
        assert one.data == lines[one.line - 1]
        problem = index.problem(one.owner.ref.id)
        assert problem is not None
        assert problem.line == one.line


# --- bounds and bad evidence


def test_payloads_that_cannot_be_read_are_counted_and_skipped(demo_trace: Demo) -> None:
    bundle = demo_trace("schema-2")
    index = TraceIndex(reduce_bundle(bundle))
    (bundle / "payloads/4.json").unlink()
    (bundle / "payloads/5.json").write_bytes(b"no json here\nneedle \xff in it\n")
    shutil.rmtree(bundle / "payloads/6.json", ignore_errors=True)
    (bundle / "payloads/6.json").unlink()
    (bundle / "payloads/6.json").mkdir()
    search = search_of(index, "needle")
    hits = [hit for found in search.steps() for hit in found]
    assert search.unreadable == 2
    assert search.payloads_read + search.unreadable == search.payloads
    assert [(hit.path, matched(hit)) for hit in hits] == [((), "needle")]


def test_each_payload_is_read_once(team: TraceIndex) -> None:
    read: list[PayloadRef] = []

    def reader(ref: PayloadRef) -> bytes:
        read.append(ref)
        return team.reduction.recording.read_payload(ref)

    search = Search(team, parse_query("nothing like it"), reader)
    assert [hit for hits in search.steps() for hit in hits] == []
    assert len(read) == len(set(read)) == search.payloads == search.payloads_read
    assert search.bytes_read == sum(len(team.reduction.recording.read_payload(ref)) for ref in read)


@pytest.mark.slow
def test_hits_beyond_the_limit_are_counted(team: TraceIndex) -> None:
    total = len(hits_of(team, "type"))
    search = search_of(team, "type", max_hits=10)
    hits = [hit for found in search.steps() for hit in found]
    assert len(hits) == 10
    assert (search.found, search.more) == (total, total - 10)
    assert hits == hits_of(team, "type")[:10]
    assert f"{total - 10} of them not shown" in spans_text(
        progress_words(search, 10, is_running=False, is_done=True)
    )


def test_a_search_with_far_too_many_hits_ends(team: TraceIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_module, "MAX_COUNTED", 50)
    search = search_of(team, "type")
    for _hits in search.steps():
        pass
    assert search.is_cut
    assert search.payloads_read < search.payloads
    assert "ended after" in spans_text(progress_words(search, search.found, is_running=False, is_done=True))


def test_a_search_pauses_and_can_be_left(team: TraceIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_module, "STEP_SECONDS", 0)
    search = search_of(team, "the")
    steps = search.steps()
    for _step in range(40):
        next(steps)
    assert 0 < search.payloads_read < 40
    steps.close()  # type: ignore[attr-defined]


@pytest.mark.slow
def test_a_large_payload_is_searched_in_many_steps(demo_trace: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_module, "STEP_SECONDS", 0)
    bundle = demo_trace("schema-2")
    index = TraceIndex(reduce_bundle(bundle))
    large = json.dumps({"rows": [{"key": f"value {number}", "odd": number} for number in range(30_000)]})
    (bundle / "payloads/4.json").write_text(large)
    for text in ("value 29999", "/value 2999\\d$/"):
        search = search_of(index, text)
        steps = sum(1 for _ in search.steps())
        assert search.found >= 1
        assert steps > 15


@pytest.mark.slow
@pytest.mark.parametrize("text", ["evil", '"', "\\", "\x1b", "/./", "\\u00", "}", "payload", "​", "title"])
def test_hostile_evidence_breaks_nothing_and_reaches_the_screen_safe(demo_trace: Demo, text: str) -> None:
    index = TraceIndex(reduce_bundle(demo_trace("hostile")))
    words = HitRows(index)
    search = search_of(index, text)
    hits = [hit for found in search.steps() for hit in found]
    assert search.unreadable > 0
    for place, hit in enumerate(hits):
        for spans in (lay_out(words.row((place, hit)), 80), words.place(hit)):
            assert spans_text(spans).isprintable()
        assert spans_width(lay_out(words.row((place, hit)), 80)) <= 80


# --- rows


def test_the_row_of_a_hit(team: TraceIndex) -> None:
    words = HitRows(team)
    failed = next(hit for hit in hits_of(team, "429 Too Many") if hit.where is Where.LOG)
    row = SafeText(spans_text(lay_out(words.row((0, failed)), 100)))
    assert row.split()[0] == str(failed.seq)
    assert "stress" in row or "repro" in row or "root" in row or "reader" in row
    assert " call " in row
    assert row.endswith("    log")
    assert ("429 Too Many", "match") in [tuple(one) for one in words.row((0, failed)).spans]
    assert failed.ref.id in spans_text(words.place(failed))


def test_one_command_is_found_wherever_it_went(team: TraceIndex) -> None:
    """What the model asked for, what ran, what it printed, what the model was shown."""
    call = next(one for one in team.trace.tool_calls.values() if one.terminal_operation_id)
    request = team.trace.terminal_operations[call.terminal_operation_id or ""].request
    assert isinstance(request, ExecCommandRequest)
    hits = hits_of(team, request.command[-1])
    assert {hit.ref.type for hit in hits} == {"ToolCall", "ConversationItem"}
    assert ObjectRef("ToolCall", call.tool_call_id) in [hit.ref for hit in hits]
