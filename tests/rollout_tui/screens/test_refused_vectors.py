"""Every bundle that the reference refuses opens: rows of all panes can be made, problems are shown."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from inspecting import NARROW, WIDE, inspecting
from places import SHARED

from reducer import BundleError, open_bundle
from rollout_tui.insight.problems.reading import read_problem
from rollout_tui.insight.search.refused import refused_lines
from rollout_tui.lines.spans import spans_text
from rollout_tui.screens.problems import ProblemsScreen
from rollout_tui.session import Session
from rollout_tui.views.contexts.context_rows import ContextRows, context_of
from rollout_tui.views.detail.describe import describe
from rollout_tui.views.entry_rows import EntryRows
from rollout_tui.views.overview import overview
from rollout_tui.views.thread_rows import ThreadRows
from rollout_tui.views.tree_rows import TreeNode


def vectors() -> list[str]:
    found = [*SHARED.glob("vectors/*/error.txt"), *SHARED.glob("vectors-v1/*/error.txt")]
    return sorted(path.parent.relative_to(SHARED).as_posix() for path in found) or [""]


@pytest.mark.parametrize("vector", vectors())
def test_every_refused_vector_opens(vector: str, shared_dir: Path) -> None:
    path = shared_dir / vector / "bundle"
    try:
        open_bundle(path)
    except BundleError:
        assert "manifest" in vector
        return
    timelines = Session(path).load(lambda done, total: None)
    index = timelines.index
    entries = [
        *timelines.tree(None).values,
        *(entry for one in index.threads for entry in timelines.tree(one.thread_id).values),
    ]
    problems = [index.problem_ref(place) for place in range(len(index.reduction.problems))]
    for ref in [*(entry.ref for entry in entries), *problems]:
        detail = describe(index, ref)
        assert detail is not None
        assert detail.facts
    entry_words = EntryRows(timelines.entries, with_thread=True)
    assert all(entry_words.row(TreeNode(entry, 0)).spans for entry in entries)
    thread_words = ThreadRows(timelines)
    assert all(thread_words.row(TreeNode(thread, 0)).spans for thread in index.threads)
    for call in index.trace.inference_calls.values():
        view = context_of(index, call)
        assert all(ContextRows(index, view).row(seen).spans for seen in view.seen)
    words = spans_text(overview(timelines, "x"))
    assert ("problem" in words) is bool(problems)
    for place, problem in enumerate(index.reduction.problems):
        ref = index.problem_ref(place)
        read = index.problem_lines[ref.id] = read_problem(index, problem)
        assert (read.offset is None) is (problem.line is None)
        again = describe(index, ref)
        assert again is not None
        for _, touched in read.objects:
            assert describe(index, touched) is not None
    lines = (path / "trace.jsonl").read_bytes().split(b"\n")
    for refused in refused_lines(index):
        assert refused.data == lines[refused.line - 1]


@pytest.mark.quick
@pytest.mark.parametrize("size", [WIDE, NARROW])
@pytest.mark.parametrize(
    ("vector", "tabs", "link"),
    [
        ("vectors/208-bad-tool-call-id", "log line", "t1"),
        ("vectors/309-bad-cell-thread", "log line", "turn-1"),
        ("vectors/034-bad-log-torn", "log line", None),
        ("vectors/055-bad-payload-json", "payload", None),
        ("vectors-v1/018-error-other-event", "log line", None),
    ],
)
async def test_a_problem_leads_to_its_line_and_its_objects(
    shared_dir: Path, vector: str, tabs: str, link: str | None, size: tuple[int, int]
) -> None:
    async with inspecting(shared_dir / vector / "bundle", size) as inspection:
        for _ in range(50):
            if "! " in inspection.screen_text()[0]:
                break
            await inspection.settle()
        assert re.search(r"! [1-9]\d* prob", inspection.screen_text()[0])
        await inspection.press("i")
        assert isinstance(inspection.app.screen, ProblemsScreen)
        assert any("problem" in line for line in inspection.screen_text())
        await inspection.press("enter")
        detail = inspection.screen.detail
        assert detail.heading == "problem"
        assert tabs in [tab.name for tab in detail.tabs.all]
        assert detail._detail is not None
        rows = inspection.rows(detail.facts)
        assert any("reason" in row for row in rows)
        assert any("consequence" in row for row in rows)
        if link is not None:
            names = [(fact.name, fact.link and fact.link.id) for fact in detail._detail.facts]
            place = next(number for number, (_, target) in enumerate(names) if target == link)
            await inspection.press(*["j"] * place, "enter")
            assert detail.ref is not None
            assert detail.ref.id == link
            await inspection.press("[")
            assert inspection.screen.detail.heading == "problem"
            await inspection.press("]")
            assert inspection.screen.detail.ref == detail.ref


async def test_the_raw_line_of_a_problem_is_shown(shared_dir: Path) -> None:
    async with inspecting(shared_dir / "vectors/034-bad-log-torn/bundle") as inspection:
        await inspection.press("i", "enter")
        detail = inspection.screen.detail
        line = next(tab for tab in detail.tabs.all if tab.name == "log line")
        detail._turn_to(line)
        await inspection.settle()
        torn = (shared_dir / "vectors/034-bad-log-torn/bundle/trace.jsonl").read_bytes().split(b"\n")[3]
        assert detail.payload_tree.data == torn
