"""What of an answer about a session is rebuilt is marked, in text and for programs; of a bundle nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from places import REPOSITORY
from session_cases import case_named, files_of_runs

from reducer import ObjectRef
from rollout_tui.insight.certainty import is_stretch_rebuilt, rebuilt_figures
from rollout_tui.insight.tokens.run_tokens import run_tokens
from rollout_tui.language.asking import AnswerTo
from rollout_tui.session import Session
from rollout_tui.showing.answers import answer_document
from rollout_tui.views.token_rows import table_of

BOTH = REPOSITORY / "demo_traces/both"
ANSWERS = ("summary", "tokens", "time", "waits", "path", "seen")


def told(path: Path, what: Any, by: Any = None) -> tuple[dict[str, Any], list[str], Session]:
    """An answer as data and as lines."""
    session = Session(path)
    session.load(lambda done, total: None)
    assert session.follower is not None
    document = answer_document(session, session.follower.links, AnswerTo(what, by=by, text="a"))
    return orjson.loads(orjson.dumps(document.data)), list(document.lines()), session


def grades(value: Any) -> list[Any]:
    """Every `certainty` in an answer."""
    if isinstance(value, dict):
        own = [value["certainty"]] if "certainty" in value else []
        return own + [one for part in value.values() for one in grades(part)]
    return [one for part in value for one in grades(part)] if isinstance(value, list) else []


@pytest.mark.parametrize("what", ANSWERS)
def test_of_a_bundle_nothing_is_marked(what: str) -> None:
    data, lines, _ = told(BOTH / "bundle", what)
    assert data["rebuilt_from"] is None
    assert grades(data) == []
    assert not any("~" in line for line in lines)


@pytest.mark.parametrize("what", ["summary", "time"])
def test_how_long_an_agent_worked_rests_on_when_its_calls_began(what: str) -> None:
    data, lines, _ = told(min((BOTH / "sessions").rglob("rollout-*")), what)
    assert data["agents"]
    for agent in data["agents"]:
        assert {"active_ms", "waiting_ms", "idle_ms"} <= set(agent["rebuilt"])
        assert "calls" not in agent["rebuilt"], "calls are told by what their items had seen"
    figures = [line for line in lines if line.lstrip().startswith("/") and line.count("~") >= 3]
    assert len(figures) == len(data["agents"])


def test_each_stretch_says_whether_its_length_is_rebuilt() -> None:
    for what, listed in (("path", "links"), ("waits", "waits")):
        data, _, session = told(min((BOTH / "sessions").rglob("rollout-*")), what)
        assert session.timelines is not None
        index = session.timelines.index
        assert data[listed]
        for one in data[listed]:
            ref = None if one["object"] is None else ObjectRef(one["object"]["type"], one["object"]["id"])
            assert (one["certainty"] == "rebuilt") is is_stretch_rebuilt(index, one["thread_id"], ref)
    model = [one["certainty"] for one in told(min((BOTH / "sessions").rglob("*.jsonl")), "path")[0]["links"]
             if one["kind"] == "model"]  # fmt: skip
    assert set(model) == {"rebuilt"}


@pytest.mark.parametrize(
    ("case", "is_by_order"),
    [("shell-tools", False), ("shell-tools-0.140.0", True), ("shell-tools-0.125.0", True)],
)
def test_numbers_of_calls_are_rebuilt_where_only_their_order_tells_of_them(
    shared_dir: Path, case: str, is_by_order: bool
) -> None:
    [file] = files_of_runs(case_named(shared_dir, case))
    data, lines, session = told(file, "seen")
    assert session.timelines is not None
    for agent in data["agents"]:
        assert ("calls" in agent["rebuilt"]) is is_by_order
        assert ("calls" in rebuilt_figures(session.timelines.index, agent["thread_id"])) is is_by_order
    assert any("~call" in line for line in lines) is is_by_order


@pytest.mark.parametrize(("case", "is_by_order"), [("shell-tools", False), ("shell-tools-0.140.0", True)])
def test_where_tokens_are_told_numbers_of_calls_are_marked_alike(
    shared_dir: Path, case: str, is_by_order: bool
) -> None:
    [file] = files_of_runs(case_named(shared_dir, case))
    for by in ("agent", "turn"):
        data, lines, session = told(file, "tokens", by=by)
        for one in data[f"by_{by}"]:
            assert ("calls" in one["rebuilt"]) is is_by_order
            number = f"~{one['tokens']['calls']}" if is_by_order else f" {one['tokens']['calls']}"
            assert any(f" {number} " in line for line in lines)
        assert session.timelines is not None
        run = run_tokens(session.timelines.links, session.json, session.told_by)
        table = table_of(run.part(list(run.agents)), by, None, 119, adds_children=True, is_tree=True)  # type: ignore[arg-type]
        calls = next(field for field in table.fields if field.column.name == "calls")
        assert all(calls.text(one).startswith("~") is is_by_order for one in table.items)
    data, lines, _ = told(file, "tokens", by="call")
    for one in data["by_call"]:
        assert ("request_item_ids" in one["rebuilt"]) is is_by_order
    assert any(" ~3 " in line for line in lines) is is_by_order


@pytest.mark.parametrize(
    "case", ["crash-kill9", "multi-agent-v2", "multi-turn", "sess-rollback-over-0.125.0"]
)
@pytest.mark.parametrize("what", ANSWERS)
def test_every_answer_of_a_session_says_what_it_rests_on(shared_dir: Path, case: str, what: str) -> None:
    for file in files_of_runs(case_named(shared_dir, case)):
        data, lines, _ = told(file, what)
        assert data["rebuilt_from"] == "session"
        assert any(line.startswith("rests on") for line in lines)
        if what in ("summary", "time"):
            assert len(grades(data["agents"])) >= len(data["agents"])
