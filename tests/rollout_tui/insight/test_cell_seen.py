"""What the model saw of a cell, and what it did not; each expectation was read from the raw payloads."""

from __future__ import annotations

from pathlib import Path

import pytest
from code_cells import opened, steps_of
from places import REPOSITORY
from work_ratio import assert_grows_linearly

from reducer.wire.json_text import JsonDocument
from rollout_tui.insight.cells.steps import CellSteps
from rollout_tui.insight.cells.what_was_seen import (
    MAX_RESULTS,
    SeenRow,
    ShownTexts,
    cell_outputs,
    more_rows,
    result_row,
    results_to_judge,
    shown_rows,
)
from rollout_tui.lines.spans import spans_text
from rollout_tui.views.cell_rows import seen_row


@pytest.fixture
def code_mode(shared_dir: Path) -> Path:
    return shared_dir / "bundles/code-mode/bundle"


def outputs(bundle: Path, number: int) -> list[tuple[str, str, str, int | None]]:
    _session, index = opened(bundle)
    rows = shown_rows(index, steps_of(bundle, number))
    return [(row.seen, row.what, row.words, row.by_call) for row in rows]


def results(bundle: Path, number: int) -> list[tuple[str, str]]:
    """The verdicts on the results of a cell's calls, and what else is said."""
    return [(row.seen, row.words) for row in result_rows(bundle, steps_of(bundle, number))]


def result_rows(bundle: Path, steps: CellSteps) -> list[SeenRow]:
    session, index = opened(bundle)
    outputs = cell_outputs(index, steps)
    rows = []
    for call, ref in results_to_judge(index, steps):
        payload = None if ref is None else JsonDocument(session.payload(ref)).value
        rows.append(result_row(index, call, payload, outputs))
    return [*rows, *more_rows(steps)]


def test_each_output_and_the_call_that_saw_it_first(code_mode: Path) -> None:
    assert outputs(code_mode, 6) == [
        ("seen", "answer", "still running: phase 1", 7),
        ("seen", "wait 1", "still running: phase 2", 8),
        ("seen", "wait 2", "still running", 9),
        ("seen", "wait 3", "the script is done: phase 3", 10),
    ]
    assert outputs(code_mode, 11) == [("seen", "answer", "failed: Error: boom", 19)]
    assert outputs(code_mode, 12) == [
        ("seen", "answer", "failed: SyntaxError: Unexpected identifier 'is'", 20)
    ]


def test_a_notification_is_an_output_of_its_own(code_mode: Path) -> None:
    assert outputs(code_mode, 3) == [
        ("seen", "answer", "the script is done: plain text 3", 4),
        ("seen", "answer", "a notification from the cell", 4),
    ]


def test_an_output_that_a_compaction_took_was_not_seen(shared_dir: Path) -> None:
    (row,) = outputs(shared_dir / "bundles/everything-ws/bundle", 4)
    assert row[0] == "unseen"
    assert row[2].startswith("a compaction took it before any call saw it: the script is done: still here")
    assert row[3] is None
    team = outputs(REPOSITORY / "demo_traces/team", 2)
    assert [row[:2] + row[3:] for row in team] == [
        ("seen", "answer", 12),
        ("seen", "wait 1", 13),
        ("unseen", "wait 2", None),
    ]


def test_results_that_were_printed_and_that_were_not(code_mode: Path) -> None:
    assert results(code_mode, 1) == [("seen", "all of its text")]
    assert results(code_mode, 2) == [
        ("seen", "all of its text"),
        ("seen", "all of its text"),
        ("empty", "it has no text to look for"),
    ]
    assert results(code_mode, 3) == [("unseen", "its text is nowhere")]
    assert results(code_mode, 6) == [("unseen", "its text is nowhere")] * 2


def test_a_text_too_short_to_tell(code_mode: Path) -> None:
    # "bg" stands in "bg done", and "x" in "exec_main.mjs", which the script wrote and did not receive.
    assert results(code_mode, 7) == [("unknown", "its text is too short to tell")]
    assert results(code_mode, 11) == [("unknown", "its text is too short to tell")]


def test_calls_that_never_returned_failed_or_were_never_made(code_mode: Path) -> None:
    assert results(code_mode, 10) == [("unseen", "it never returned to the script")]
    assert results(code_mode, 13) == [("unseen", "its error: its text is nowhere")]
    assert results(code_mode, 14) == [("unseen", "the log has no such call")]
    assert results(code_mode, 18) == [("unseen", "its error: its text is nowhere")]


def test_results_that_are_only_in_an_output_that_nobody_saw() -> None:
    assert results(REPOSITORY / "demo_traces/team", 2) == [
        ("unseen", "it is only in an output that no call saw"),
        ("unseen", "it is only in an output that no call saw"),
    ]


def test_results_of_an_mcp_server_within_json(shared_dir: Path) -> None:
    bundle = shared_dir / "bundles/mcp-tools/bundle"
    assert results(bundle, 1) == [("seen", "all of its text"), ("seen", "all of its text")]


def test_verdicts_on_texts() -> None:
    shown = ShownTexts(["one\n  two\nthree and more words", '{"a": "within the json text", "b": ["leaf"]}'])
    assert shown.judge("one\ntwo\n") == ("seen", "all of its text")
    assert shown.judge("one\nno such line\n") == ("part", "1 of 2 lines")
    assert shown.judge("and more words") == ("seen", "all of its text")
    assert shown.judge("two\nand more words\nnothing of it") == ("part", "2 of 3 lines")
    assert shown.judge("and") == ("unknown", "its text is too short to tell")
    assert shown.judge("absent") == ("unseen", "its text is nowhere")
    assert shown.judge("absent\ntoo") == ("unseen", "none of its 2 lines")
    assert shown.judge({"content": [{"type": "text", "text": "within the json text"}]})[0] == "seen"
    assert shown.judge({"b": "leaf"})[0] == "seen"
    assert shown.judge({"chunk_id": "782b85", "exit_code": 0}) == ("empty", "it has no text to look for")
    assert shown.judge(None)[0] == "empty"
    assert shown.judge(" \n")[0] == "empty"


def test_a_result_of_very_many_texts_is_judged_in_time() -> None:
    def judge(count: int) -> None:
        texts = [f"line number {number} of the result" for number in range(count)]
        shown = ShownTexts(["\n".join(texts)])
        assert shown.judge(texts) == ("seen", "all of its text")
        assert shown.judge([*texts, "one more that is nowhere"]) == ("part", f"{count} of {count + 1} lines")

    assert_grows_linearly(judge, 6_000)


def test_a_result_that_the_log_does_not_have(code_mode: Path) -> None:
    _session, index = opened(code_mode)
    steps = steps_of(code_mode, 1)
    row = result_row(index, steps.calls[0], None, cell_outputs(index, steps))
    assert (row.seen, row.words) == ("unknown", "the log does not have its result")


def test_no_more_results_are_judged_than_a_reader_reads(code_mode: Path) -> None:
    _session, index = opened(code_mode)
    steps = steps_of(code_mode, 1)
    many = CellSteps(steps.cell, steps.steps, steps.calls * (MAX_RESULTS + 5), (), steps.sites, 1)
    assert len(results_to_judge(index, many)) == MAX_RESULTS
    assert [(row.what, row.words) for row in more_rows(many)] == [("5 more calls", "not looked at")]


def test_rows(code_mode: Path) -> None:
    _session, index = opened(code_mode)
    row = seen_row((0, shown_rows(index, steps_of(code_mode, 6))[0]))
    assert spans_text(row.spans) == "= saw         answer  still running: phase 1"
    assert spans_text(row.tail) == "call 7"
    row = seen_row((4, result_rows(code_mode, steps_of(code_mode, 6))[0]))
    words = "- did not see result of command sleep 1.2; echo slow  its text is nowhere"
    assert spans_text(row.spans) == words
