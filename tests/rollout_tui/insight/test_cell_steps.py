"""The steps of code cells, on every recorded cell and on the demos, held against the raw files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from code_cells import kinds, opened, raw_events, raw_payload, steps_of, text_of, with_cells
from places import REPOSITORY

from reducer import ObjectRef
from rollout_tui import glyphs
from rollout_tui.insight.cells.steps import (
    MAX_LANES,
    CellSteps,
    Step,
    cell_near,
    cell_steps,
    cells_in_order,
    script_names,
)
from rollout_tui.insight.cells.texts import handed_back, put_out, readable, received_text, sent_arguments
from rollout_tui.lines.spans import spans_text
from rollout_tui.views.cell_rows import cell_header, elapsed, lanes_drawn, step_facts, step_row

TEAM = REPOSITORY / "demo_traces/team"
ANSWERS = ("yield", "response", "ended")


@pytest.fixture
def code_mode(shared_dir: Path) -> Path:
    return shared_dir / "bundles/code-mode/bundle"


@pytest.fixture
def everything(shared_dir: Path) -> Path:
    return shared_dir / "bundles/everything-ws/bundle"


def all_cells(shared_dir: Path) -> Iterator[tuple[Path, CellSteps]]:
    """Every cell of every recorded bundle and of the demos."""
    bundles = [
        *with_cells(shared_dir / "bundles"),
        *with_cells(shared_dir / "bundles-v1"),
        *with_cells(REPOSITORY / "demo_traces"),
    ]
    assert len(bundles) >= 6
    for bundle in bundles:
        _session, index = opened(bundle)
        for cell in cells_in_order(index):
            yield bundle, cell_steps(index, cell)


def events_of_cell(bundle: Path, steps: CellSteps) -> list[tuple[str, int, dict[str, Any]]]:
    """Kind of step, sequence number and body of the logged events that concern a cell."""
    cell = steps.cell
    found: list[tuple[str, int, dict[str, Any]]] = []
    nested: set[str] = set()
    waits: set[str] = set()
    for event in raw_events_of(bundle):
        body, seq, thread = event["payload"], event["seq"], event["thread_id"]
        kind = body["type"]
        requester = body.get("requester", {})
        ours = thread == cell.thread_id and body.get("runtime_cell_id") == cell.runtime_cell_id
        if kind == "code_cell_started" and body["model_visible_call_id"] == cell.model_visible_call_id:
            found.append(("started", seq, body))
        elif kind in ("code_cell_initial_response", "code_cell_ended") and ours:
            found.append((kind, seq, body))
        elif kind == "tool_call_started" and (
            thread == cell.thread_id and requester.get("runtime_cell_id") == cell.runtime_cell_id
        ):
            nested.add(body["tool_call_id"])
            found.append(("call", seq, body))
        elif kind == "tool_call_started" and body["kind"].get("name") == "wait":
            asked = json.loads(raw_payload(bundle, body["invocation_payload"])["payload"]["arguments"])
            if thread == cell.thread_id and asked.get("cell_id") == cell.runtime_cell_id:
                waits.add(body["tool_call_id"])
                found.append(("wait", seq, body))
        elif kind == "tool_call_ended" and body["tool_call_id"] in nested:
            found.append(("result", seq, body))
        elif kind == "tool_call_ended" and body["tool_call_id"] in waits:
            found.append(("waited", seq, body))
    return found


_logs: dict[Path, list[dict[str, Any]]] = {}


def raw_events_of(bundle: Path) -> list[dict[str, Any]]:
    if bundle not in _logs:
        _logs[bundle] = raw_events(bundle)
    return _logs[bundle]


def recorded(shared_dir: Path) -> Iterator[tuple[Path, CellSteps]]:
    """Every cell but those of the hostile demo, whose log does not parse as such."""
    return ((bundle, steps) for bundle, steps in all_cells(shared_dir) if bundle.name != "hostile")


@pytest.mark.slow
def test_every_logged_call_result_and_wait_is_a_step(shared_dir: Path) -> None:
    cells = 0
    for bundle, steps in recorded(shared_dir):
        logged = [
            (kind, seq)
            for kind, seq, _body in events_of_cell(bundle, steps)
            if not kind.startswith("code_cell")
        ]
        made = [one for one in kinds(steps) if one[0] in ("started", "call", "result", "wait", "waited")]
        assert made == logged, (bundle, steps.cell.code_cell_id)
        cells += 1
    assert cells >= 39


@pytest.mark.slow
def test_every_answer_and_end_is_a_step(shared_dir: Path) -> None:
    for bundle, steps in recorded(shared_dir):
        events = events_of_cell(bundle, steps)
        answers = [
            (body["status"], seq) for kind, seq, body in events if kind == "code_cell_initial_response"
        ]
        ends = [(body["status"], seq) for kind, seq, body in events if kind == "code_cell_ended"]
        shown = [step for step in steps.steps if step.kind in ANSWERS]
        assert [step.seq for step in shown if step.kind == "ended"] == [seq for _status, seq in ends]
        assert [step.seq for step in shown if step.kind == "yield"] == [
            seq for status, seq in answers if status == "yielded"
        ]
        assert not [step for step in shown if step.kind == "response"], "each was the end as well"
        if not ends:
            assert steps.steps[-1].kind in ("turn end", "no end")


@pytest.mark.slow
def test_steps_are_in_order_and_timed_by_the_log(shared_dir: Path) -> None:
    for bundle, steps in recorded(shared_dir):
        at = {event["seq"]: event["wall_time_unix_ms"] for event in raw_events_of(bundle)}
        numbers = [step.seq for step in steps.steps if step.seq is not None]
        assert numbers == sorted(set(numbers))
        assert [step.place for step in steps.steps] == list(range(len(steps.steps)))
        for step in steps.steps:
            if step.seq is not None:
                assert step.at_unix_ms == at[step.seq]
                assert step.since_ms == at[step.seq] - at[numbers[0]]


@pytest.mark.slow
def test_a_call_shows_its_arguments_as_logged(shared_dir: Path) -> None:
    seen = 0
    for bundle, steps in recorded(shared_dir):
        bodies = {seq: body for kind, seq, body in events_of_cell(bundle, steps) if kind == "call"}
        for step in steps.steps:
            if step.kind != "call" or step.seq is None:
                continue
            sent = raw_payload(bundle, bodies[step.seq]["invocation_payload"])["payload"]
            text = text_of(bundle, step)
            if "input" in sent:
                assert text == sent["input"]
            else:
                assert json.loads(text) == json.loads(sent["arguments"])
            seen += 1
    assert seen >= 40


@pytest.mark.slow
def test_a_result_shows_what_the_script_received(shared_dir: Path) -> None:
    for bundle, steps in recorded(shared_dir):
        bodies = {seq: body for kind, seq, body in events_of_cell(bundle, steps) if kind == "result"}
        for step in steps.steps:
            if step.kind != "result" or step.seq is None:
                continue
            result = raw_payload(bundle, bodies[step.seq]["result_payload"])
            text = text_of(bundle, step)
            if result["type"] == "error":
                assert text == f"(thrown into the script)\n{result['error']}"
            elif isinstance(result["value"], dict) and "\n" in str(result["value"].get("output", "")).strip():
                assert result["value"]["output"].rstrip("\n") in text
            elif isinstance(result["value"], str):
                assert text == result["value"]
            else:
                assert json.loads(text) == result["value"]


@pytest.mark.slow
def test_an_end_shows_what_was_put_out_and_what_the_model_was_shown(shared_dir: Path) -> None:
    for bundle, steps in recorded(shared_dir):
        events = {seq: body for _kind, seq, body in events_of_cell(bundle, steps)}
        for step in steps.steps:
            if step.kind not in ("yield", "ended") or step.seq is None:
                continue
            (response,) = raw_payload(bundle, events[step.seq]["response_payload"])["response"].values()
            text = text_of(bundle, step)
            for item in response["content_items"]:
                assert item.get("text", "(image/png").rstrip("\n") in text
            assert (response.get("error_text") or "") in text


@pytest.mark.slow
def test_a_marked_call_is_the_one_whose_arguments_stand_there(shared_dir: Path) -> None:
    """A command that is written out in the source stands right behind the site it is said to come from."""
    checked = 0
    for bundle, steps in recorded(shared_dir):
        source = steps.cell.source_js
        bodies = {seq: body for kind, seq, body in events_of_cell(bundle, steps) if kind == "call"}
        for step in steps.steps:
            if step.site is None or step.seq is None:
                continue
            assert source[step.site.start : step.site.end] == f"tools.{step.site.name}"
            if step.kind == "call":
                sent = raw_payload(bundle, bodies[step.seq]["invocation_payload"])["payload"]
                command = json.loads(sent.get("arguments", "{}")).get("cmd")
                if command is not None:
                    assert json.dumps(command)[1:-1] in source[step.site.end : step.site.closed].replace(
                        "'", '"'
                    )
                    checked += 1
    assert checked >= 30


@pytest.mark.slow
def test_all_recorded_calls_can_be_placed(shared_dir: Path) -> None:
    for bundle, steps in recorded(shared_dir):
        doubts = [step.doubt for step in steps.steps if step.kind in ("call", "result") and step.site is None]
        assert not doubts, (bundle, steps.cell.source_js)


@pytest.mark.slow
def test_open_calls_are_those_begun_and_not_returned(shared_dir: Path) -> None:
    for _bundle, steps in all_cells(shared_dir):
        most = 0
        for step in steps.steps:
            open_ids = {
                one.call.tool_call_id
                for one in steps.steps[: step.place + 1]
                if one.kind == "call" and one.call is not None
            } - {
                one.call.tool_call_id
                for one in steps.steps[: step.place + 1]
                if one.kind == "result" and one.call is not None
            }
            assert step.open_count == len(open_ids)
            assert {call.tool_call_id for call in step.open_calls} <= open_ids
            most = max(most, len(open_ids))
        assert steps.most_open == most


# Which cell is meant, and how a tool is spelled


def test_the_cell_that_is_meant(code_mode: Path) -> None:
    _session, index = opened(code_mode)
    cells = cells_in_order(index)
    root = index.trace.root_thread_id
    sixth = cells[5]
    for object_id in ("call_00013", sixth.nested_tool_call_ids[0], sixth.wait_tool_call_ids[1]):
        assert cell_near(index, ObjectRef("ToolCall", object_id), root, 0) is sixth
    assert cell_near(index, ObjectRef("CodeCell", sixth.code_cell_id), root, 0) is sixth
    assert cell_near(index, ObjectRef("Turn", "x"), root, 93) is sixth
    assert cell_near(index, None, "no such agent", 1) is cells[0]
    assert cell_near(index, None, root, 10**6) is cells[-1]


def test_a_bundle_without_cells_has_none_to_mean() -> None:
    _session, index = opened(REPOSITORY / "demo_traces/quickstart")
    assert cells_in_order(index) == []
    assert cell_near(index, None, index.trace.root_thread_id, 1) is None


def test_cells_go_agent_by_agent(everything: Path) -> None:
    _session, index = opened(everything)
    paths = [index.thread_path(cell.thread_id) for cell in cells_in_order(index)]
    assert paths == ["/root"] * 7 + ["/root/researcher"] * 2 + ["/root/builder"]


def test_how_a_script_spells_a_tool(shared_dir: Path) -> None:
    _session, index = opened(shared_dir / "bundles/mcp-tools/bundle")
    spelled = {name for call in index.trace.tool_calls.values() for name in script_names(call)}
    assert {"mcp__toy__echo", "mcp__toy__fail", "exec"} <= spelled
    assert "echo" not in spelled


# Reading payloads


def test_payloads_of_any_other_shape_are_shown_or_refused() -> None:
    for odd in (None, [], 1, "x", {}, {"payload": 1}, {"response": {"a": {}, "b": {}}}, {"response": []}):
        assert sent_arguments(odd) is None
        assert put_out(odd) is None
        assert handed_back(odd) is None
        assert isinstance(received_text(odd), str)
    assert put_out({"response": {"Result": {"content_items": "x"}}}) == "(nothing)"
    assert put_out({"response": {"Result": {"content_items": [{"type": "odd"}]}}}) == '{\n  "type": "odd"\n}'
    url = "data:image/png;base64," + "A" * 400
    assert put_out({"response": {"R": {"content_items": [{"image_url": url}]}}}) == "(image/png, 300 B)"


def test_texts_of_several_lines_stand_below_the_rest() -> None:
    assert readable({"a": 1, "output": "x\ny\n"}) == '{\n  "a": 1\n}\n── output ──\nx\ny'
    assert readable({"output": "x\n"}) == '{\n  "output": "x\\n"\n}'
    assert readable("x\ny") == "x\ny"


# Rows


def drawn(step: Step, lanes: int) -> str:
    row = step_row(step, lanes)
    return f"{spans_text(row.spans)} | {spans_text(row.tail)}"


def test_rows_of_steps(code_mode: Path) -> None:
    steps = steps_of(code_mode, 2)
    assert lanes_drawn(steps) == 2
    assert drawn(steps.steps[2], 2) == "  31     +6ms │├ call     command  echo b | "
    assert drawn(steps.steps[3], 2) == "  34    +96ms │└ result   command  echo b | ✓  90ms"
    _session, index = opened(code_mode)
    facts = spans_text(step_facts(index, steps.steps[2]))
    assert facts == "seq 31  13:10:33.354  +6ms  2 open: command echo a; sleep 0.2; command echo b"
    header = spans_text(cell_header(index, steps, 1, 18))
    ran = "echo a; sleep 0.2; echo b; from-cell.txt"
    assert header == (
        f" exec cell 2 of 18  /root  {ran}  turn 1  ✓ completed  0.3s  3 nested calls, 2 at once"
    )


def test_rows_in_ascii(code_mode: Path) -> None:
    glyphs.use(glyphs.ASCII)
    try:
        for step in steps_of(code_mode, 2).steps:
            assert drawn(step, MAX_LANES).isascii()
    finally:
        glyphs.use(glyphs.UNICODE)


def test_times_since_the_start() -> None:
    assert [elapsed(ms) for ms in (None, 0, 999, 1000, 59_994, 60_000, -5)] == [
        "",
        "+0ms",
        "+999ms",
        "+1.00s",
        "+59.99s",
        "+1m00s",
        "-5ms",
    ]


def test_hostile_texts_stay_text() -> None:
    bundle = REPOSITORY / "demo_traces/hostile"
    _session, index = opened(bundle)
    for cell in cells_in_order(index):
        steps = cell_steps(index, cell)
        for step in steps.steps:
            assert spans_text(step_row(step, 2).spans).isprintable()
            assert spans_text(step_facts(index, step)).isprintable()
            assert isinstance(text_of(bundle, step), str)
        assert spans_text(cell_header(index, steps, 0, 1)).isprintable()
