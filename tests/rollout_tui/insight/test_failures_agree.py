"""Header, agents, timeline, steps, filter and `show` count the same failures, in every recording."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from inspecting import inspecting
from places import REPOSITORY

from reducer import ObjectRef, open_bundle
from rollout_tui import glyphs
from rollout_tui.bundles.log_scan import scan_log
from rollout_tui.bundles.summary import Summariser
from rollout_tui.commands.show import show
from rollout_tui.insight.cells.steps import cell_steps, cells_in_order
from rollout_tui.insight.failures.definition import Failure, failure_of, failures
from rollout_tui.insight.failures.words import verdict
from rollout_tui.insight.timeline.entries import Entry
from rollout_tui.lines.rows import Row, lay_out
from rollout_tui.lines.spans import spans_text
from rollout_tui.screens.problems import ProblemsScreen
from rollout_tui.session import Session
from rollout_tui.showing.failures import failures_document, is_any
from rollout_tui.texts.short_forms import duration, plural, window_ms
from rollout_tui.views.bundle_rows import failed_words
from rollout_tui.views.cell_rows import step_row
from rollout_tui.views.detail.describe import describe
from rollout_tui.views.filters import parse_filter
from rollout_tui.views.overview import overview
from rollout_tui.views.thread_rows import ThreadRows
from rollout_tui.views.timeline import Timelines
from rollout_tui.views.tree_rows import TreeNode
from rollout_tui.widgets.virtual_list import VirtualList

GROUPS = ("bundles", "bundles-v1", "bundles-v3")
DEMOS = ("capped", "hostile", "hostile-2", "quickstart", "schema-1", "schema-2", "team")


def recordings(shared: Path, group: str) -> list[Path]:
    return [path.parent for path in sorted((shared / group).glob("*/bundle/manifest.json"))]


def loaded(path: Path) -> Timelines:
    return Session(path).load(lambda _done, _total: None)


def assert_all_agree(timelines: Timelines) -> int:
    """Check everything that counts failures against the definition; gives how many there are."""
    index = timelines.index
    defined = failures(index)
    refs = [one.ref for one in defined]
    assert [failure_of(index, entry.ref) for entry in timelines.failed_entries()] == defined
    assert timelines.failed == len(refs)
    assert marked(timelines) == set(refs)
    assert [*stops(timelines, 1)] == refs
    assert [*reversed([*stops(timelines, -1)])] == refs
    kept = timelines.filtered(None, parse_filter("status:failed"))
    assert [entry.ref for entry in kept.values] == refs
    for thread in index.threads:
        whole = ThreadRows(timelines).row(TreeNode(thread, 0))
        assert_verdict_stays(whole, failure_of(index, ObjectRef("Thread", thread.thread_id)))
        row = spans_text(whole.tail)
        failed = sum(one.thread_id == thread.thread_id for one in defined)
        assert timelines.failed_of[thread.thread_id] == failed
        assert (plural(failed, "failure") in row) == bool(failed)
    header = spans_text(overview(timelines, "x"))
    assert (f" {plural(len(refs), 'failure')} " in header) == bool(refs)
    document = failures_document(index, None)
    assert [(one["type"], one["id"]) for one in document.data["failures"]] == [
        (ref.type, ref.id.encode("utf-8", "replace").decode()) for ref in refs
    ]
    assert sum(len(section.lines) for section in document.sections) == len(refs)
    assert all(one.verdict and one.cause and "\n" not in one.cause for one in defined)
    return len(refs)


def assert_verdict_stays(row: Row, failure: Failure | None) -> None:
    """The narrowest pane shows the verdict whole."""
    if failure is not None:
        assert f" {verdict(failure)} " in spans_text(lay_out(row, 22)) + " "


def marked(timelines: Timelines) -> set[ObjectRef]:
    """What rows say has failed: the state at the right is no other than its verdict."""
    rows, marks = timelines.rows(None), glyphs.active()
    found = set()
    for place, entry in enumerate(rows.values):
        row = rows.whole_row(place)
        if not row.tail or row.tail[0].text[:1] not in (marks.failed, marks.cancelled, marks.unknown):
            continue
        failure = failure_of(timelines.index, entry.ref)
        assert failure is not None, entry
        for width in (30, 44, 78, 118):
            assert verdict(failure) in spans_text(lay_out(row, width)), "no truncation touches it"
        found.add(entry.ref)
    return found


def stops(timelines: Timelines, direction: int) -> Iterator[ObjectRef]:
    """Where the steps to the next or the previous failure lead, from one end to the other."""
    steps, seq = timelines.stepping(None), -1 if direction > 0 else 2**64
    entry: Entry | None = Entry(seq, ObjectRef("Event", "none"), "", None)
    while entry is not None and (entry := steps.next_failure(entry, direction)) is not None:
        yield entry.ref


@pytest.mark.slow
@pytest.mark.parametrize("group", GROUPS)
def test_everything_that_counts_failures_agrees(shared_dir: Path, group: str) -> None:
    counts = []
    for path in recordings(shared_dir, group):
        counts.append(assert_all_agree(loaded(path)))
        assert_a_list_tells_no_more(path)
    assert sum(counts) > 20


@pytest.mark.parametrize("demo", DEMOS)
def test_in_the_demos_it_does(demo: str) -> None:
    path = REPOSITORY / "demo_traces" / demo
    assert_all_agree(loaded(path))
    assert_a_list_tells_no_more(path)


def assert_a_list_tells_no_more(path: Path) -> None:
    """A list of bundles, which reduces nothing, says `4+`: those are failures, and there may be more."""
    known = scan_log(open_bundle(path)).failures
    assert known.ids <= {failure.ref.id for failure in failures(loaded(path).index)}
    summary = Summariser(path).summary()
    assert summary.failures_at_least == len(known) == len(known.ids)
    assert failed_words(summary) == (f"{len(known)}+" if known.ids else "")


@pytest.mark.parametrize("name", ["shell-tools", "simple-chat"])
def test_show_says_by_its_status_whether_anything_failed(
    shared_dir: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = shared_dir / "bundles" / name / "bundle"
    document = failures_document(loaded(path).index, None)
    assert show(path, ["failures"], as_json=False, raw=False) == int(is_any(document))
    printed = capsys.readouterr().out.splitlines()
    assert printed == [line.rstrip() for line in document.lines()]
    assert is_any(document) == (name == "shell-tools")


def test_show_lists_the_failures_of_one_agent() -> None:
    index = loaded(REPOSITORY / "demo_traces/team").index
    document = failures_document(index, "/root/repro/stress")
    assert {one["agent"] for one in document.data["failures"]} == {"/root/repro/stress"}
    assert [one["verdict"] for one in document.data["agents"]] == ["429"]


def test_a_list_of_tools_has_the_exit_status(shared_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert show(shared_dir / "bundles/shell-tools/bundle", ["tools"], as_json=False, raw=False) == 0
    (line,) = (line for line in capsys.readouterr().out.splitlines() if "no-such-program" in line)
    assert f"{glyphs.active().failed} 127" in line


@pytest.mark.parametrize("name", ["code-mode", "everything-ws", "mcp-tools"])
def test_the_steps_of_a_script_say_which_of_its_calls_failed(shared_dir: Path, name: str) -> None:
    index = loaded(shared_dir / "bundles" / name / "bundle").index
    ended = [step for cell in cells_in_order(index) for step in cell_steps(index, cell).steps if step.status]
    assert any(step.failure is not None for step in ended)
    for step in ended:
        if step.call is not None:
            assert step.failure == failure_of(index, ObjectRef("ToolCall", step.call.tool_call_id))
        words = "" if step.failure is None else verdict(step.failure)
        assert words in [piece.text for piece in step_row(step, 2).tail] or not words


@pytest.mark.slow
async def test_what_is_wrong_has_two_parts_and_each_row_leads_there() -> None:
    async with inspecting(REPOSITORY / "demo_traces/team") as inspection:
        timelines = inspection.screen.session.timelines
        assert timelines is not None
        await inspection.press("i")
        assert isinstance(inspection.app.screen, ProblemsScreen)
        assert f"recording: 0 problems   run: {timelines.failed} failures" in "\n".join(
            inspection.screen_text()
        )
        rows = inspection.rows(inspection.app.screen.query_one(VirtualList))
        assert all(row.startswith("run ") for row in rows)
        wanted = failures(timelines.index)[1]
        assert_row_says(rows[1], wanted)
        await inspection.press("j", "enter")
        assert inspection.screen.timeline.entry is not None
        assert inspection.screen.timeline.entry.ref == inspection.screen.detail.ref == wanted.ref


def assert_row_says(row: str, failure: Failure) -> None:
    assert f"seq {failure.seq} " in row
    assert verdict(failure) in row
    assert failure.cause in row


@pytest.mark.slow
async def test_problems_of_the_recording_stand_before_failures() -> None:
    async with inspecting(REPOSITORY / "demo_traces/hostile") as inspection:
        timelines = inspection.screen.session.timelines
        assert timelines is not None
        await inspection.press("i")
        rows = inspection.rows(inspection.app.screen.query_one(VirtualList))
        problems = len(timelines.index.reduction.problems)
        cut = sum(ref.is_lost for ref in timelines.index.trace.raw_payloads.values())
        expected = ["recording"] * (problems + cut) + ["run"] * timelines.failed
        assert [row.split()[0] for row in rows] == expected


def test_an_agent_has_the_time_of_its_turns_not_of_its_life(team_timelines: Timelines) -> None:
    index = team_timelines.index
    thread = next(one for one in index.threads if one.agent_path == "/root/repro/stress")
    (turn,) = index.contents[thread.thread_id].turns
    took, life = duration(window_ms(turn.execution)), duration(window_ms(thread.execution))
    row = spans_text(ThreadRows(team_timelines).row(TreeNode(thread, 0)).tail)
    assert took in row
    assert life not in row
    detail = describe(index, ObjectRef("Thread", thread.thread_id))
    assert detail is not None
    facts = {fact.name: fact.value for fact in detail.facts}
    assert facts["in turns"] == took
    assert facts["ended"].endswith(f"after {life}")
    assert facts["failure"].startswith(f"{glyphs.active().failed} 429")
