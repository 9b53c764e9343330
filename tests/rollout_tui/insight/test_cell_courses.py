"""The course of single cells, step by step, as it was read by hand in their logs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from code_cells import kinds, opened, steps_of, text_of
from places import REPOSITORY

from rollout_tui.insight.cells.steps import cell_steps, cells_in_order
from rollout_tui.views.cell_rows import elapsed, site_words

TEAM = REPOSITORY / "demo_traces/team"


@pytest.fixture
def code_mode(shared_dir: Path) -> Path:
    return shared_dir / "bundles/code-mode/bundle"


@pytest.fixture
def everything(shared_dir: Path) -> Path:
    return shared_dir / "bundles/everything-ws/bundle"


def test_a_cell_that_runs_through(code_mode: Path) -> None:
    steps = steps_of(code_mode, 1)
    assert kinds(steps) == [("started", 16), ("call", 17), ("result", 20), ("ended", 22)]
    assert [step.since_ms for step in steps.steps] == [0, 1, 102, 107]
    assert json.loads(text_of(code_mode, steps.steps[1])) == {"cmd": "printf nested_marker"}
    assert '"output": "nested_marker"' in text_of(code_mode, steps.steps[2])
    assert steps.steps[2].took_ms == 101


def test_calls_at_once(code_mode: Path) -> None:
    steps = steps_of(code_mode, 2)
    assert kinds(steps) == [
        ("started", 29),
        ("call", 30),
        ("call", 31),
        ("result", 34),
        ("result", 36),
        ("call", 37),
        ("result", 41),
        ("ended", 43),
    ]
    assert [step.open_count for step in steps.steps] == [0, 1, 2, 1, 0, 1, 0, 0]
    assert steps.most_open == 2
    lanes = ["".join(mark[:1] or "." for mark in step.lanes[:2]) for step in steps.steps]
    assert lanes == ["..", "b.", "ob", "oe", "e.", "b.", "e.", ".."]
    sites = [site_words(step, steps.cell.source_js) for step in steps.steps]
    assert sites == ["", "line 3", "line 4", "line 4", "line 3", "line 5", "line 5", ""]
    assert text_of(code_mode, steps.steps[5]).startswith("*** Begin Patch\n*** Add File: from-cell.txt")
    assert steps.steps[5].sections[0].language == "diff"


def test_a_cell_that_yields_and_is_waited_for_three_times(code_mode: Path) -> None:
    steps = steps_of(code_mode, 6)
    assert kinds(steps) == [
        ("started", 92),
        ("yield", 93),
        ("call", 95),
        ("wait", 99),
        ("result", 102),
        ("waited", 104),
        ("call", 105),
        ("wait", 109),
        ("waited", 112),
        ("wait", 117),
        ("result", 119),
        ("ended", 120),
        ("waited", 121),
    ]
    words = {step.seq: step.words for step in steps.steps}
    assert words[93] == "the script goes on, the model does not wait; phase 1"
    assert words[99] == "1  resumed, 5.0s at most"
    assert words[104] == "1  still running: phase 2"
    assert words[109] == "2  resumed, 0.2s at most"
    assert words[112] == "2  still running"
    assert words[121] == "3  the script is done: phase 3"
    texts = {step.seq: text_of(code_mode, step) for step in steps.steps}
    assert texts[93] == "phase 1\nScript running with cell ID 6\nWall time 0.0 seconds\nOutput:\nphase 1"
    assert texts[104] == "Script running with cell ID 6\nWall time 1.2 seconds\nOutput:\nphase 2"
    assert texts[120] == "phase 3"
    headings = {step.seq: [section.heading for section in step.sections] for step in steps.steps}
    assert headings[104] == ["shown to the model, first in call 8"]


def test_a_result_that_lay_ready_before_it_was_asked_for(code_mode: Path) -> None:
    steps = steps_of(code_mode, 7)
    end = next(step for step in steps.steps if step.kind == "ended")
    text = text_of(code_mode, end)
    assert text == "bg done\n── runtime ──\nThe result lay ready for 0.7s before it was asked for."


def test_a_terminated_cell_with_a_call_that_never_returned(code_mode: Path) -> None:
    steps = steps_of(code_mode, 10)
    assert kinds(steps) == [
        ("started", 174),
        ("call", 175),
        ("yield", 177),
        ("wait", 183),
        ("ended", 184),
        ("waited", 185),
    ]
    assert steps.steps[3].words == "1  resumed, to end it"
    assert steps.steps[4].words == "terminated; 1 call had not returned"
    assert steps.steps[4].status == "cancelled"
    assert steps.steps[5].words == "1  terminated"
    assert steps.steps[-1].open_count == 1


def test_a_cell_that_throws(code_mode: Path) -> None:
    end = steps_of(code_mode, 11).steps[-1]
    assert (end.kind, end.seq, end.status) == ("ended", 203, "failed")
    assert end.words == "the script threw: Error: boom"
    assert end.error_payload is not None
    assert "Error: boom\n    at exec_main.mjs:3:7" in text_of(code_mode, end)


def test_a_script_that_does_not_parse(code_mode: Path) -> None:
    steps = steps_of(code_mode, 12)
    assert kinds(steps) == [("started", 210), ("ended", 212)]
    assert steps.steps[1].words == "the script threw: SyntaxError: Unexpected identifier 'is'"


def test_an_error_thrown_into_the_script(code_mode: Path) -> None:
    result = steps_of(code_mode, 13).steps[2]
    assert (result.kind, result.status) == ("result", "failed")
    expected = "failed to parse function arguments: missing field `cmd` at line 1 column 2"
    assert text_of(code_mode, result) == f"(thrown into the script)\n{expected}"


def test_a_cell_without_end_whose_call_failed_after_the_turn(code_mode: Path) -> None:
    steps = steps_of(code_mode, 18)
    assert kinds(steps) == [
        ("started", 272),
        ("call", 273),
        ("yield", 274),
        ("result", 283),
        ("no end", None),
    ]
    assert steps.steps[-1].words == "never ended: the recording stops first"
    assert "UnknownProcessId" in text_of(code_mode, steps.steps[3])


def test_a_cell_that_ended_with_its_turn(everything: Path) -> None:
    steps = steps_of(everything, 5)
    assert kinds(steps) == [("started", 232), ("call", 233), ("turn end", 237)]
    assert steps.steps[-1].words == "terminated with its turn (⊘ cancelled); 1 call had not returned"
    assert text_of(everything, steps.steps[-1]) == "aborted by user after 0.7s"


def test_terminal_and_mcp_calls_while_the_model_does_not_wait(everything: Path) -> None:
    steps = steps_of(everything, 2)
    assert kinds(steps) == [
        ("started", 70),
        ("call", 71),
        ("result", 81),
        ("call", 82),
        ("yield", 83),
        ("result", 91),
        ("call", 92),
        ("wait", 95),
        ("result", 96),
        ("ended", 97),
        ("waited", 98),
    ]
    assert [site_words(step, steps.cell.source_js) for step in steps.steps if step.kind == "call"] == [
        "line 2",
        "line 6",
        "line 8",
    ]
    assert "hello terminal\r\nhello terminal" in text_of(everything, steps.steps[8])


def test_an_output_that_only_a_compaction_took(everything: Path) -> None:
    end = steps_of(everything, 4).steps[-1]
    assert end.kind == "ended"
    assert end.sections[-1].heading == "for the model, but a compaction took it before any call saw it"


def test_the_demo_of_waits_over_minutes() -> None:
    steps = steps_of(TEAM, 2)
    assert kinds(steps) == [
        ("started", 258),
        ("yield", 259),
        ("call", 262),
        ("wait", 267),
        ("waited", 269),
        ("wait", 294),
        ("result", 296),
        ("call", 297),
        ("result", 300),
        ("ended", 301),
        ("waited", 303),
    ]
    assert elapsed(steps.steps[-1].since_ms) == "+8m15s"


def test_a_script_without_arguments_or_result_in_the_log() -> None:
    """What the log lost is said to be lost."""
    _session, index = opened(TEAM)
    cell = cells_in_order(index)[3]
    call = index.trace.tool_calls[cell.nested_tool_call_ids[0]]
    saved = call.raw_invocation_payload_id, call.raw_result_payload_id
    call.raw_invocation_payload_id = call.raw_result_payload_id = None
    try:
        steps = [step for step in cell_steps(index, cell).steps if step.call is call]
        assert [text_of(TEAM, step) for step in steps] == ["(the log does not have them)", "(nothing)"]
    finally:
        call.raw_invocation_payload_id, call.raw_result_payload_id = saved
