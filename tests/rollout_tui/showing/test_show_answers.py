"""`show BUNDLE summary`, `tokens`, `time`, `waits`, `path`, `seen`: the words, the text, the same as JSON."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from places import REPOSITORY

from rollout_tui.completion import answer
from rollout_tui.insight.agents.links import AgentLinks
from rollout_tui.language.asking import AnswerTo, parse_what
from rollout_tui.language.refused import InputRefused
from rollout_tui.safe_text import safe_text
from rollout_tui.session import Session
from rollout_tui.showing.answers import answer_document
from rollout_tui.showing.tables import table

Run = Callable[..., subprocess.CompletedProcess[bytes]]
TEAM = REPOSITORY / "demo_traces/team"
WISHES = (
    AnswerTo("summary"),
    *(AnswerTo("tokens", by=by) for by in (None, "agent", "turn", "call", "tool", "item", "repeat")),
    AnswerTo("time"),
    AnswerTo("waits"),
    AnswerTo("path"),
    AnswerTo("seen", text="the"),
)


@cache
def loaded(demo: str) -> tuple[Session, AgentLinks]:
    session = Session(REPOSITORY / "demo_traces" / demo)
    return session, session.load(lambda _done, _total: None).links


def shown(run_program: Run, bundle: Path, *what: str) -> str:
    finished = run_program("show", bundle, *what)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout.decode()


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["summary"], AnswerTo("summary")),
        (["summ"], AnswerTo("summary")),
        (["tokens"], AnswerTo("tokens")),
        (["tokens by item"], AnswerTo("tokens", by="item")),
        (["tokens", "of", "/root/a", "by", "calls"], AnswerTo("tokens", "/root/a", "call")),
        (["tokens", "by", "tool", "of", "reader"], AnswerTo("tokens", "reader", "tool")),
        (["waits", "of", "/root"], AnswerTo("waits", "/root")),
        (["time"], AnswerTo("time")),
        (["path"], AnswerTo("path")),
        (["seen", "two  blanks of", "it"], AnswerTo("seen", text="two  blanks of it")),
        (["seen of one"], AnswerTo("seen", text="of one")),
    ],
)
def test_what_is_meant(words: list[str], meant: AnswerTo) -> None:
    assert parse_what(words) == meant


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["tokens", "by"], "tokens are told by agent, turn"),
        (["tokens", "by", "colour"], "tokens are told by agent, turn"),
        (["tokens", "of", "a", "b"], "one word too many"),
        (["summary", "of", "a"], "nothing follows it"),
        (["path", "x"], "nothing follows it"),
    ],
)
def test_what_means_nothing_is_refused(words: list[str], said: str) -> None:
    with pytest.raises(InputRefused, match=said):
        parse_what(words)


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["tokens"], ["by", "of"]),
        (["tokens", "by"], ["agent", "turn", "call", "tool", "item", "repeat"]),
        (["waits"], ["of"]),
        (["time"], ["of"]),
        (["path"], []),
    ],
)
def test_a_shell_completes_what_follows(words: list[str], offered: list[str]) -> None:
    line = ["show", "BUNDLE", *words, ""]
    assert answer(line, str(len(line)), {}) == ["words", *offered]


@pytest.mark.slow
@pytest.mark.parametrize("wish", WISHES, ids=lambda wish: f"{wish.what} {wish.by or ''}".strip())
@pytest.mark.parametrize(
    "demo", ["team", "capped", "hostile", "hostile-2", "quickstart", "schema-1", "schema-2"]
)
def test_every_answer_of_every_demo_is_safe_and_the_same_as_json(demo: str, wish: AnswerTo) -> None:
    session, links = loaded(demo)
    document = answer_document(session, links, wish)
    lines = [*document.lines()]
    assert lines
    for line in lines:
        assert safe_text(line) == line
    assert json.loads(json.dumps(document.data)) == document.data
    again = answer_document(session, links, wish)
    assert ([*again.lines()], again.data) == (lines, document.data)


def test_the_summary_answers_the_first_questions(run_program: Run) -> None:
    text = shown(run_program, TEAM, "summary")
    first, *rest = text.splitlines()
    assert first.startswith("The nightly run failed again")
    (outcome,) = (line for line in rest if line.startswith("outcome "))
    assert "ended with an answer, after 18m23s; 10 failures; 2 compactions" in outcome
    stress, figures = (line for line in rest if line.lstrip().startswith("/stress "))
    assert "1m27s" in figures
    for word in ("Write a throw-away script", "call 1", "none ✗ 429"):
        assert word in stress
    assert "its copy of the task is encrypted" in text
    data = json.loads(shown(run_program, TEAM, "summary", "--json"))
    seqs = [one["seq"] for one in data["failures"]]
    assert seqs == sorted(seqs, reverse=True)
    assert len(seqs) == 10
    (reader,) = (one for one in data["agents"] if one["agent"] == "/root/reader")
    assert (reader["tasks"], reader["turns"], reader["answered_turns"]) == (2, 2, 1)
    assert reader["answer_seen"]["call"] == 5


def test_one_agent_counts_with_its_children(run_program: Run) -> None:
    data = json.loads(shown(run_program, TEAM, "tokens", "by", "call", "of", "/root/repro", "--json"))
    paths = [one["agent"] for one in data["agents"]]
    assert paths == ["/root/repro", "/root/repro/stress"]
    assert {one["agent"] for one in data["by_call"]} == set(paths)
    assert data["tokens"]["calls"] == len(data["by_call"]) == 9


def test_an_item_and_a_file_are_looked_for_by_their_words(run_program: Run) -> None:
    data = json.loads(shown(run_program, TEAM, "seen", "file", "ttl.py", "--json"))
    root, *_ = data["agents"]
    assert root["runs"] == [{"first_call": 10, "last_call": 14}]
    assert root["ended_by"]["object"]["type"] == "Compaction"
    text = shown(run_program, TEAM, "seen", "item", "4")
    assert text.startswith("item 4 ")
    assert "·" in text
    finished = run_program("show", TEAM, "seen", "item", "9999")
    assert finished.returncode == 2
    assert b"there is no item 9999" in finished.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["summary", "--raw"], b"--raw shows the evidence of one thing"),
        (["seen"], b"after seen there must be a text"),
        (["tokens", "of", "nobody"], b"there are /root"),
        (["summary", "--prices", "x.json"], b"--prices is for tokens"),
        (["tokens", "--prices", "no-such-file"], b"no such file"),
    ],
)
def test_what_cannot_be_told_is_one_sentence(run_program: Run, arguments: list[str], said: bytes) -> None:
    finished = run_program("show", TEAM, *arguments)
    assert finished.returncode == 2
    assert said in finished.stderr
    assert finished.stderr.count(b"\n") == 1


def test_prices_are_read_from_a_file(run_program: Run, tmp_path: Path) -> None:
    file = tmp_path / "prices.json"
    file.write_text('{"gpt-5.5": {"in": 1, "cached": 0.1, "out": 8}}')
    text = shown(run_program, TEAM, "tokens", "by", "agent", "--prices", str(file))
    assert "cost" in text
    data = json.loads(shown(run_program, TEAM, "tokens", "by", "agent", "--prices", str(file), "--json"))
    assert sum(one["cost"] for one in data["by_agent"]) > 0


def test_a_table_sets_columns_by_cells_and_leaves_out_empty_ones() -> None:
    lines = table([["名", "", "1"], ["abc\x1b", "", "22"]], ("a", "b", "n"), right=(2,))
    assert lines == ["a      n", "名     1", "abc␛  22"]
    assert table([]) == []


def test_a_session_answers_like_the_bundle_of_its_run(shared_dir: Path) -> None:
    """Tokens, tasks and answers are the same; what the figures of a session rest on is said."""
    folder = shared_dir / "sessions/multi-agent-v2/sessions"
    files = sorted(folder.rglob("rollout-*.jsonl"))
    whole: dict[str, dict[str, Any]] = {}
    root = next(file for file in files if file.name.endswith("efc4-7390-b6be-cc7db03f540e.jsonl"))
    for path in (root, shared_dir / "bundles-v3/multi-agent-v2/bundle"):
        session = Session(path)
        links = session.load(lambda _done, _total: None).links
        document = answer_document(session, links, AnswerTo("summary"))
        whole[str(document.data["rebuilt_from"])] = document.data
        assert ("rests on" in dict(document.facts)) == (path is root)
    told, recorded = whole["session"], whole["None"]
    for name in ("tokens", "outcome", "compactions", "model", "directory"):
        assert told[name] == recorded[name]
    for one, other in zip(told["agents"], recorded["agents"], strict=True):
        for name in ("agent", "tokens", "turns", "answered_turns", "context_most"):
            assert one[name] == other[name]
        assert one["task"]["text"] == other["task"]["text"]
        assert one["task_seen"]["call"] == other["task_seen"]["call"]
        assert one["answer_seen"]["call"] == other["answer_seen"]["call"]


def test_of_a_schema_that_is_not_known_nothing_is_told(run_program: Run, tmp_path: Path) -> None:
    bundle = shutil.copytree(REPOSITORY / "demo_traces/quickstart", tmp_path / "bundle")
    for file in ("manifest.json", "trace.jsonl"):
        text = (bundle / file).read_text()
        (bundle / file).write_text(re.sub(r'"schema_version": ?\d+', '"schema_version":99', text))
    finished = run_program("show", bundle, "summary")
    assert finished.returncode == 2
    assert b"trace schema 99 is not known" in finished.stderr


def test_agents_of_one_path_are_told_apart(run_program: Run, shared_dir: Path) -> None:
    """Before multi-agent v2 every agent is called /root."""
    bundle = shared_dir / "bundles-v3/agents-v1/bundle"
    data = json.loads(shown(run_program, bundle, "path", "--json"))
    ids = [one["thread_id"] for one in data["ms_by_agent"]]
    assert len(ids) == len(set(ids)) == 2
    assert {one["agent"] for one in data["ms_by_agent"]} == {"/root"}
    assert sum(one["ms"] for one in data["ms_by_agent"]) == data["ms"]
    text = shown(run_program, bundle, "summary")
    assert "\n/root   " in text
    assert "\n  /root (Mencius)  " in text
    assert "for /root (Mencius)  ended by /root (Mencius)'s result" in text
