"""Every recorded session in the inspector: all panes, steppers and jumps, and nothing goes wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from inspecting import Inspection, inspecting
from textual.worker import Worker, WorkerState

from rollout_tui.awaited_work import AwaitingWork
from rollout_tui.insight.certainty import NOT_RECORDED
from tests.session_cases import all_cases, case_named, files_of_runs

SIZE = (150, 40)


@pytest.fixture(autouse=True)
def failed_work(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What workers died of: the screen says it, and goes on."""
    failed: list[str] = []
    told = AwaitingWork.on_worker_state_changed

    def noted(self: AwaitingWork, event: Worker.StateChanged) -> None:
        if event.state is WorkerState.ERROR and not event.worker.is_cancelled:
            failed.append(repr(event.worker.error))
        told(self, event)

    monkeypatch.setattr(AwaitingWork, "on_worker_state_changed", noted)
    return failed


WALK: tuple[tuple[str, ...], ...] = (
    ("2", "G", "e", "f", "F", "4", "l", "l", "l", "l"),
    ("3", "j", "enter", "d", "1", "v"),
    ("escape", "2", "a", "a", "i"),
    ("escape", "w"),
    ("escape", "T", "left", "escape", ":", "5", "enter", "c", "s", "s", "s", "j"),
    ("escape", "escape", "x", "s", "s", "tab", "j"),
    ("escape", "escape", "ctrl+f", "e", "enter"),
)
"""Keys that visit every pane, dialog, jump and stepper."""


async def walk(inspection: Inspection) -> None:
    for keys in WALK:
        await inspection.press(*keys)


@pytest.mark.quick
@pytest.mark.parametrize("name", all_cases())
async def test_a_session_is_walked_through(name: str, shared_dir: Path, failed_work: list[str]) -> None:
    assert name, "there are no recorded sessions"
    file = files_of_runs(case_named(shared_dir, name))[0]
    async with inspecting(file, SIZE) as inspection:
        assert "~session file" in inspection.screen_text()[0]
        await walk(inspection)
    assert failed_work == []


async def test_what_a_session_does_not_keep_is_said_in_its_place(shared_dir: Path) -> None:
    file = files_of_runs(case_named(shared_dir, "multi-agent-v2"))[0]
    async with inspecting(file, SIZE) as inspection:
        await inspection.press("2", "j")
        text = "\n".join(inspection.screen_text())
        assert f"tools         {NOT_RECORDED}" in text
        rows = inspection.rows(inspection.screen.context.list)
        assert [row for row in rows if row.startswith("+ ~ developer")]
        facts = "\n".join(inspection.rows(inspection.screen.detail.facts))
        assert f"request         {NOT_RECORDED}: tools, parameters, headers" in facts
        assert "started         ~ " in facts


@pytest.mark.quick
async def test_a_hit_leads_to_the_item_that_says_it(shared_dir: Path) -> None:
    file = files_of_runs(case_named(shared_dir, "multi-agent-v2"))[0]
    async with inspecting(file, SIZE) as inspection:
        await inspection.press("ctrl+f", *"ALPHA-TASK", "enter")
        assert "ALPHA-TASK: look at the repository" in "\n".join(inspection.screen_text())
        await inspection.press("enter")
        assert "ALPHA-TASK" in "\n".join(inspection.screen_text())


async def test_a_line_is_one_of_the_file_of_the_agent(shared_dir: Path) -> None:
    file = files_of_runs(case_named(shared_dir, "multi-agent-v2"))[0]
    async with inspecting(file, SIZE) as inspection:
        index = inspection.screen.session.timelines.index  # type: ignore[union-attr]
        child = index.threads[1]
        wanted = next(
            event
            for event in index.reduction.provenance.events
            if event.thread_id == child.thread_id and "function_call" in event.kind
        )
        await inspection.press("1", "j", "enter")
        await inspection.press(":", *f"line {wanted.line}", "enter")
        entry = inspection.screen.timeline.entry
        assert entry is not None
        assert (entry.thread_id, entry.seq) == (child.thread_id, wanted.seq)


@pytest.mark.quick
@pytest.mark.parametrize(
    "content",
    [b"", b"\n\n", b"no json\n\xff\xfe\n", b'{"type":"session_meta","payload":{"id":"x"}}\n', b'{"type":"x"'],
    ids=["empty", "blank", "junk", "header", "torn"],
)
async def test_a_file_with_next_to_nothing_in_it_opens(
    content: bytes, tmp_path: Path, failed_work: list[str]
) -> None:
    file = tmp_path / "rollout-2026-11-28T12-34-00-01a22225-ec91-75f2-a2de-3a17fbd06ca8.jsonl"
    file.write_bytes(content)
    async with inspecting(file, SIZE) as inspection:
        assert "~session file" in inspection.screen_text()[0]
        await walk(inspection)
    assert failed_work == []
