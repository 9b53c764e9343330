"""Every recorded session by every word of `show`: it is answered or refused in a sentence, in every form."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest

from rollout_tui.commands import show as show_module
from rollout_tui.commands.show import show
from rollout_tui.insight.certainty import NOT_RECORDED
from rollout_tui.language.asking import Answer, Listed, Single
from rollout_tui.outcomes import CommandError
from rollout_tui.progress import Progress
from rollout_tui.session import Session
from rollout_tui.views.timeline import Timelines
from tests.session_cases import all_cases, case_named, files_of_runs

Show = Callable[..., str]

FORMS: tuple[dict[str, bool], ...] = (
    {"as_json": False, "raw": False},
    {"as_json": True, "raw": False},
    {"as_json": False, "raw": True},
)


class Loaded(Session):
    """A session that is read once, however often it is asked."""

    def load(self, progress: Progress) -> Timelines:
        return self.timelines or super().load(progress)


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Show:
    """What `show` prints of a session; a refusal is its sentence."""
    sessions: dict[Path, Session] = {}
    monkeypatch.setattr(
        show_module, "Session", lambda path: sessions.setdefault(path, sessions.get(path) or Loaded(path))
    )

    def printed(file: Path, words: str, **form: bool) -> str:
        try:
            options = {"as_json": False, "raw": False, "content": form.get("as_json", False), **form}
            show(file, words.split(), **options)
        except CommandError as refused:
            capfd.readouterr()
            return f"refused: {refused}"
        return capfd.readouterr().out

    return printed


def words_for(timelines: Timelines) -> list[str]:
    """All sorts of things, each by its first, its last and one number in between, and for each agent."""
    trace = timelines.index.trace
    words = [*get_args(Listed), *get_args(Answer)]
    for what in get_args(Single):
        words += [f"{what} {number}" for number in (1, 2, 5, 9999)]
    events = timelines.index.reduction.provenance.events
    words += [f"seq {event.seq}" for event in events[:: max(1, len(events) // 20)]]
    words += [f"item {number}" for number in range(1, len(trace.conversation_items), 9)]
    for thread in timelines.index.threads:
        words += [
            f"thread {thread.thread_id}",
            f"call 1 of {thread.thread_id}",
            f"failures of {thread.thread_id}",
        ]
    return words


@pytest.mark.slow
@pytest.mark.parametrize("name", all_cases())
def test_every_word_is_answered(name: str, shared_dir: Path, shown: Show) -> None:
    assert name, "there are no recorded sessions"
    for file in files_of_runs(case_named(shared_dir, name)):
        timelines = Session(file).load(lambda done, total: None)
        for words in words_for(timelines):
            for form in FORMS:
                told = shown(file, words, **form)
                assert told, (words, form)
                if form["as_json"] and not told.startswith("refused: "):
                    json.loads(told)
                elif not form["raw"]:
                    assert not [letter for letter in told if not letter.isprintable() and letter != "\n"], (
                        words
                    )


def one_file(shared_dir: Path, name: str) -> Path:
    return files_of_runs(case_named(shared_dir, name))[0]


def test_what_is_rebuilt_is_marked_in_text_and_json(shared_dir: Path, shown: Show) -> None:
    file = one_file(shared_dir, "multi-agent-v2")
    text = shown(file, "call 1")
    assert "- rebuilt: ~ execution (its start)" in text
    assert f"- {NOT_RECORDED}: request (tools, parameters, headers)" in text
    assert "### 1. ~ `developer`" in text
    assert f"## Tools: {NOT_RECORDED}" in text
    call = json.loads(shown(file, "call 1", as_json=True))
    assert call["certainty"] == "rebuilt"
    assert call["rebuilt_items"] == [call["received"][0]["item_id"]]
    item = json.loads(shown(file, f"item {call['rebuilt_items'][0]}", as_json=True))
    assert item["certainty"] == "rebuilt"
    assert item["object"]["body"]["parts"]
    recorded = json.loads(shown(file, "item 5", as_json=True))
    assert recorded["certainty"] == "exact"
    tools = json.loads(shown(file, "tools", as_json=True))["tools"]
    assert {one["certainty"] for one in tools} == {"exact", "rebuilt"}
    rows = [row for row in shown(file, "tools").splitlines() if "call_" in row]
    assert [("~" in row) for row in rows] == [one["certainty"] == "rebuilt" for one in tools]


def test_contexts_of_old_sessions_are_rebuilt_and_have_their_instructions_apart(
    shared_dir: Path, shown: Show
) -> None:
    file = one_file(shared_dir, "simple-chat-0.125.0")
    text = shown(file, "call 1")
    assert "## ~Instructions" in text
    assert "## Received: ~" in text
    call = json.loads(shown(file, "call 1", as_json=True))
    assert call["instructions"].startswith("You are")
    assert call["rebuilt_items"] == []
    assert "request_item_ids" in call["rebuilt"]


def test_a_request_is_not_invented(shared_dir: Path, shown: Show) -> None:
    file = one_file(shared_dir, "simple-chat")
    assert NOT_RECORDED in shown(file, "call 1", raw=True)
    assert NOT_RECORDED in shown(file, "prompt 1")
    assert "Instructions" not in shown(file, "call 1")  # they are the first item


def test_why_a_turn_failed_is_what_its_end_says(shared_dir: Path, shown: Show) -> None:
    told = json.loads(shown(one_file(shared_dir, "multi-agent-v2"), "failures", as_json=True))
    causes = {(one["type"], one["cause"]) for one in told["failures"]}
    assert not [one for one in causes if one == ("Turn", "no cause was recorded")], causes


def test_an_output_as_run_that_is_missing_is_not_taken_for_an_empty_one(
    shared_dir: Path, shown: Show
) -> None:
    told: Any = json.loads(shown(one_file(shared_dir, "shell-tools-0.125.0"), "tool 1", as_json=True))
    assert "result.exit_code" not in told["not_recorded"]
    facts = {(fact["name"], fact["value"]) for fact in told["facts"]}
    assert ("stdout", f"{NOT_RECORDED}: the output as run") in facts
    assert ("exit code", "~ 0") in facts
