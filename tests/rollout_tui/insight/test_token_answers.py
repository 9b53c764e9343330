"""Where tokens went: breaks of the cache with their causes, prices, what repeats, what was read again."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from bundle_builder import CHILD, ROOT, BundleBuilder, Json, message
from places import REPOSITORY
from scenes import metadata
from session_cases import case_named
from work_ratio import assert_grows_linearly

from reducer.model import ExecCommandRequest
from reducer.wire.json_text import JsonDocument
from rollout_tui.insight.agents.links import AgentLinks
from rollout_tui.insight.compaction.forgotten import forgotten
from rollout_tui.insight.contexts.visibility import Sightings
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.timing.path import critical_path
from rollout_tui.insight.tokens.contexts import CacheBreak, call_contexts
from rollout_tui.insight.tokens.filling import filling
from rollout_tui.insight.tokens.prices import cost_of, read_prices
from rollout_tui.insight.tokens.repeats import repeats
from rollout_tui.insight.tokens.run_tokens import RunTokens, run_tokens
from rollout_tui.insight.tokens.sums import TokenSum, tokens_by_agent
from rollout_tui.insight.tools.file_reads import program_of
from rollout_tui.language.asking import AnswerTo
from rollout_tui.language.refused import InputRefused
from rollout_tui.session import Session
from rollout_tui.showing.answers import answer_document

FIRST = [message("be brief", "developer", id="d"), message("hello", id="u")]


def usage(input_: int, cached: int) -> Json:
    return {
        "input_tokens": input_,
        "cached_input_tokens": cached,
        "cache_write_input_tokens": 0,
        "output_tokens": 10,
        "reasoning_output_tokens": 0,
        "total_tokens": input_ + 10,
    }


class Run:
    """A run of one agent, call by call."""

    def __init__(self, path: Path) -> None:
        self.builder = BundleBuilder(path / "bundle")
        self.builder.event("rollout_started", trace_id="trace", root_thread_id=ROOT)
        self.builder.thread(metadata=metadata("/root"))
        self.builder.turn()
        self.calls = 0

    def call(self, items: list[Json], input_: int, cached: int, **body: Json) -> None:
        self.calls += 1
        name, body = f"call-{self.calls}", {"instructions": "x" * 400, "tools": [], **body}
        self.builder.request(name, items, **body)
        self.builder.response(name, [], usage=usage(input_, cached))

    def links(self) -> AgentLinks:
        self.reduction = self.builder.reduce()
        assert self.reduction.problems == []
        return AgentLinks(Sightings(TraceIndex(self.reduction)))

    def read(self, ref: Any) -> Any:
        return JsonDocument((self.builder.path / ref.path).read_bytes()).value

    def breaks(self) -> list[CacheBreak | None]:
        return [one.cache_break for one in call_contexts(self.links().index, ROOT, self.read)]


MORE = [*FIRST, message("go on", id="u2")]


@pytest.mark.parametrize(
    ("items", "body", "cause", "place"),
    [
        (MORE, {}, "nothing", None),
        (MORE, {"instructions": "y" * 400}, "instructions", None),
        (MORE, {"tools": [{"type": "function", "name": "a"}]}, "tools", None),
        ([FIRST[0], message("another", id="u9"), MORE[2]], {}, "rewritten history", 2),
        ([message("rewritten", "developer", id="d9"), *MORE[1:]], {}, "item", 1),
        ([FIRST[0]], {}, "rewritten history", 2),
    ],
)
def test_a_break_of_the_cache_is_told_with_what_differs_first(
    tmp_path: Path, items: list[Json], body: Json, cause: str, place: int | None
) -> None:
    run = Run(tmp_path)
    run.call(FIRST, 4000, 0)
    run.call(FIRST, 4000, 3900)
    run.call(items, 4100, 128, **body)
    first, second, third = run.breaks()
    assert first is None
    assert second is None
    assert third is not None
    assert (third.cause, third.lost, third.place) == (cause, 4000 - 128, place)
    assert third.since_ms == 1


def test_after_a_compaction_that_is_the_cause(tmp_path: Path) -> None:
    run = Run(tmp_path)
    run.call(FIRST, 4000, 0)
    run.call(MORE, 5000, 4000)
    run.builder.installed("c1", MORE, [message("a summary", id="s")])
    run.call([message("a summary", id="s")], 900, 0)
    *_, found = call_contexts(run.links().index, ROOT, run.read)
    assert found.is_compacted
    assert found.cache_break is not None
    assert (found.cache_break.cause, found.cache_break.lost) == ("compaction", 900)
    assert found.cache_break.ref is not None
    assert found.cache_break.ref.type == "Compaction"


def test_a_provider_without_a_cache_breaks_none(tmp_path: Path) -> None:
    run = Run(tmp_path)
    for _ in range(3):
        run.call(FIRST, 4000, 0)
    assert run.breaks() == [None, None, None]


def test_what_grows_is_no_break(tmp_path: Path) -> None:
    run = Run(tmp_path)
    run.call(FIRST, 4000, 0)
    run.call(MORE, 5000, 3968)
    run.call(MORE, 6000, 4992)
    assert run.breaks() == [None, None, None]


def test_an_item_has_its_share_of_every_call_that_carried_it(tmp_path: Path) -> None:
    """400 characters stand before the items, of which one has 400, and later another one 1,200."""
    run = Run(tmp_path)
    big, bigger = message("b" * 400, id="big"), message("c" * 1200, id="bigger")
    run.call([big], 2000, 0)
    run.call([big, bigger], 5000, 0)
    run.call([bigger], 1700, 0)
    links = run.links()
    found = {one.ref.id: one for one in filling(links.sightings, [ROOT], run.read)}
    items = links.index.trace.conversation_items
    of = {items[id_].responses_item_id: one for id_, one in found.items() if id_ in items}
    before = 101  # tokens: the brackets of the empty list of tools count as well
    of_big = 2000 * 100 / (before + 100) + 5000 * 100 / (before + 400)
    assert of["big"].paid == pytest.approx(of_big)
    assert of["big"].calls == 2
    assert of["big"].tokens == pytest.approx(of_big / 2)
    assert of["bigger"].paid == pytest.approx(5000 * 300 / (before + 400) + 1700 * 300 / (before + 300))
    assert sum(one.paid for one in found.values()) == pytest.approx(8700)


# Prices


def test_tokens_cost_what_the_file_says() -> None:
    prices = read_prices(b'{"m": {"in": 2, "cached": 0.5, "out": 10}, "n": {"in": 1, "out": 1}}')
    tokens = TokenSum(1, 0, 1_000_000, 400_000, 100_000, 0)
    assert cost_of({"m": tokens}, prices) == pytest.approx(0.6 * 2 + 0.4 * 0.5 + 0.1 * 10)
    assert cost_of({"n": tokens}, prices) == pytest.approx(1.1)
    assert cost_of({"m": tokens, "unknown": tokens}, prices) is None
    assert cost_of({"m": tokens, "unknown": TokenSum(calls=1, untold=1)}, prices) is not None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b'{"m": 1}',
        b'{"m": {"in": -1, "out": 1}}',
        b'{"m": {"in": true, "out": 1}}',
        b'{"m": {"in": 1}}',
        b'{"m": {"in": 1, "out": 1, "per": 3}}',
        b'{"m": {"in": "1", "out": 1}}',
    ],
)
def test_what_are_no_prices_is_refused(data: bytes) -> None:
    with pytest.raises(InputRefused):
        read_prices(data)


def test_costs_are_told_and_unknown_models_named(tmp_path: Path) -> None:
    session = Session(REPOSITORY / "demo_traces/team")
    links = session.load(lambda _done, _total: None).links
    prices = read_prices(b'{"gpt-5.5": {"in": 1, "cached": 0.1, "out": 8}}')
    document = answer_document(session, links, AnswerTo("tokens", by="agent"), prices)
    for row in document.data["by_agent"]:
        tokens = row["tokens"]
        cost = (tokens["new"] + tokens["cached"] * 0.1 + tokens["output"] * 8) / 1e6
        assert row["cost"] == pytest.approx(cost)
    other = answer_document(
        session, links, AnswerTo("tokens", by="agent"), read_prices(b'{"x":{"in":1,"out":1}}')
    )
    assert "no price of gpt-5.5" in dict(other.facts)["cost"]
    assert {row["cost"] for row in other.data["by_agent"]} == {None}


# What repeats


def command(cmd: str, cwd: str = "/w") -> Json:
    return {"call_id": "c", "process_id": "7", "command": ["bash", "-lc", cmd], "cwd": cwd}


def ran(run: Run, call_id: str, cmd: str, output: str = "out", thread: str = ROOT, cwd: str = "/w") -> Json:
    """Run a command; gives the items that tell the model of it."""
    arguments = json.dumps({"cmd": cmd})
    invocation = {
        "tool_name": "exec_command",
        "tool_namespace": None,
        "payload": {"type": "function", "arguments": arguments},
    }
    builder = run.builder
    builder.tool(call_id, "exec_command", thread, call_id=call_id, invocation=invocation)
    builder.runtime_started(call_id, "exec_command", command(cmd, cwd))
    told = {"exit_code": 0, "process_id": "7", "aggregated_output": output, "stdout": output, "stderr": ""}
    builder.runtime_ended(call_id, told)
    builder.tool_ended(call_id)
    called = {
        "type": "function_call",
        "id": f"fc-{call_id}",
        "call_id": call_id,
        "name": "exec_command",
        "arguments": arguments,
    }
    return [
        called,
        {"type": "function_call_output", "id": f"fo-{call_id}", "call_id": call_id, "output": output},
    ]


def test_the_same_command_of_two_agents_repeats(tmp_path: Path) -> None:
    run = Run(tmp_path)
    run.builder.thread(CHILD, "/root/a", metadata("/root/a", ROOT))
    run.builder.turn("turn-2", CHILD)
    ran(run, "t1", "git ls-files", "a\nb")
    ran(run, "t2", "git ls-files", "a\nb", CHILD)
    ran(run, "t3", "git ls-files", "other", cwd="/elsewhere")
    ran(run, "t4", "make", "1")
    ran(run, "t5", "make", "2")
    found = repeats(run.links().index, run.read)
    assert [([ref.id for ref in one.calls], one.is_same_result) for one in found] == [
        (["t1", "t2"], True),
        (["t4", "t5"], False),
    ]
    assert found[0].agents == [ROOT, CHILD]


def test_calls_that_only_begin_alike_do_not_repeat(tmp_path: Path) -> None:
    run = Run(tmp_path)
    for call_id, end in (("t1", "x"), ("t2", "y"), ("t3", "x")):
        arguments = json.dumps({"plan": "p" * 300 + end})
        body = {
            "tool_name": "plan",
            "tool_namespace": None,
            "payload": {"type": "function", "arguments": arguments},
        }
        seq = run.builder.tool(call_id, {"type": "other", "name": "plan"}, call_id=call_id, invocation=body)
        line = json.loads(run.builder.lines[seq - 1])
        line["payload"]["summary"] = {
            "type": "generic",
            "label": "plan",
            "input_preview": arguments[:160] + "...",
            "output_preview": None,
        }
        run.builder.lines[seq - 1] = json.dumps(line).encode()
        run.builder.tool_ended(call_id)
    (found,) = repeats(run.links().index, run.read)
    assert [ref.id for ref in found.calls] == ["t1", "t3"]


def test_commands_of_which_only_the_line_is_known_are_told_apart_by_it(shared_dir: Path) -> None:
    """Sessions of codex 0.140 keep no list of words."""
    case = case_named(shared_dir, "shell-tools-0.140.0")
    session = Session(min(case.rglob("rollout-*.jsonl")))
    index = session.load(lambda _done, _total: None).index
    requests = [one.request for one in index.trace.terminal_operations.values()]
    lines = [one.display_command for one in requests if isinstance(one, ExecCommandRequest)]
    assert len(set(lines)) == len(lines) > 3
    assert {tuple(one.command) for one in requests if isinstance(one, ExecCommandRequest)} == {()}
    assert repeats(index, session.json) == []


def test_all_there_is_to_tell_is_found_out_before_it_is_looked_at(shared_dir: Path) -> None:
    """Rows are made where keys are waited for: nothing is read there, and nothing is worked out."""
    session = Session(shared_dir / "bundles/compaction-remote/bundle")
    links = session.load(lambda _done, _total: None).links
    reads: list[Any] = []

    def read(ref: Any) -> Any:
        reads.append(ref)
        return session.json(ref)

    found = run_tokens(links, read, session.told_by)
    answers = {name for name, one in vars(RunTokens).items() if isinstance(one, cached_property)}
    assert {"agents", "calls", "fillings", "limits", "repeats"} <= answers <= vars(found).keys()
    done = len(reads)
    part = found.part(list(found.agents))
    assert part.fillings
    assert part.groups
    assert part.breaks is not None
    assert len(reads) == done > 0


def test_a_file_that_a_compaction_took_away_is_read_again(tmp_path: Path) -> None:
    run = Run(tmp_path)
    read_once = ran(run, "t1", "sed -n '1,20p' src/a.py", "def a")
    other = ran(run, "t2", "pytest -q", "1 passed")
    whole = [*FIRST, *read_once, *other]
    run.call(whole, 2000, 0)
    summary = message("a summary", id="s")
    run.builder.installed("c1", whole, [summary])
    run.call([summary], 1000, 0)
    again = ran(run, "t3", "cd x && cat ./src/a.py | head -3", "def a")
    run.call([summary, *again], 1100, 0)
    ran(run, "t4", "cat src/a.py", "def a")
    (gone,) = forgotten(run.links().sightings)
    assert list(gone.files) == ["src/a.py"]
    assert [ref.id for ref in gone.commands] == ["t2"]
    assert [(one.path, one.first.id, one.again.id) for one in gone.again] == [("src/a.py", "t1", "t3")]


@pytest.mark.parametrize(
    ("line", "program"),
    [
        ("pytest -q", "pytest"),
        ("cd x && /usr/bin/make all", "make"),
        ("FOO=1 BAR=2 cargo test", "cargo"),
        ("for i in 1 2; do python -m pytest; done", "python"),
        ("if true; then rg x; fi", "true"),
        ("unclosed 'quote", ""),
        ("", ""),
    ],
)
def test_the_program_that_a_line_runs(line: str, program: str) -> None:
    assert program_of(line) == program


def test_children_count_with_their_parents() -> None:
    session = Session(REPOSITORY / "demo_traces/team")
    index = session.load(lambda _done, _total: None).index
    found = {index.thread_path(id_): one for id_, one in tokens_by_agent(index).items()}
    assert found["/root"].with_children == sum((one.own for one in found.values()), TokenSum())
    stress, repro = found["/root/repro/stress"], found["/root/repro"]
    assert repro.with_children == repro.own + stress.own


# What it costs


def long_run(path: Path, calls: int) -> Run:
    """A run in which each call goes on with the context of the one before, and runs a command."""
    run = Run(path)
    items = [*FIRST]
    for number in range(calls):
        run.call(items, 1000 + 20 * number, 900 if number else 0)
        items = [*items, *ran(run, f"t{number}", f"cat file-{number % 7}.py", "x" * 20)]
    return run


@pytest.mark.slow
def test_answers_cost_what_there_is_and_not_calls_times_items(tmp_path: Path) -> None:
    runs = {size: long_run(tmp_path / str(size), size) for size in (60, 480)}
    links = {size: run.links() for size, run in runs.items()}

    def ask(size: int) -> None:
        index, read = links[size].index, runs[size].read
        filling(links[size].sightings, [ROOT], read)
        call_contexts(index, ROOT, read)
        repeats(index, read)
        forgotten(links[size].sightings)
        critical_path(links[size])
        tokens_by_agent(index)

    assert_grows_linearly(ask, 60)
