"""The language of row filters, and what timeline rows answer to it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reducer import reduce_bundle
from rollout_tui.insight.failures.definition import failure_of
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.timeline.entries import Entry
from rollout_tui.insight.timeline.trees import tree_of_depths
from rollout_tui.language.refused import InputRefused
from rollout_tui.views.filters import (
    KINDS,
    STATUSES,
    EntryFacts,
    Filter,
    RowFacts,
    completions,
    kept_of,
    parse_filter,
)
from rollout_tui.views.timeline import Timelines

COMMAND = RowFacts(
    "  42 command pytest -q tests  exit 1",
    frozenset({"command", "tool"}),
    frozenset({"completed", "failed"}),
    "/root/builder",
)
CALL = RowFacts("  40 call    3  14→2 items", frozenset({"call"}), frozenset({"running"}), "/root")


@pytest.mark.parametrize(
    "text",
    [
        "", "   ", "pytest", "PyTest", "!mcp", "pytest exit", '"pytest -q"', '"exit 1" !mcp', "kind:command",
        "kind:tool", "KIND:Tool", "kind:mcp|command", "status:failed", "status:completed", "!status:running",
        "agent:builder", "agent:BUILD", "agent:/root/builder", "agent:/root", "!kind:call", "!!pytest",
        "kind:tool status:failed pytest", "!agent:reader", '!"no such"', 'kind:"tool"', '"pytest"',
        "te\"sts\"",
    ],
)  # fmt: skip
def test_a_row_that_passes(text: str) -> None:
    assert parse_filter(text).matches(COMMAND)


@pytest.mark.parametrize(
    "text",
    [
        "mcp", "!pytest", "pytest mcp", '"pytest  -q"', "kind:call", "status:running", "status:cancelled",
        "agent:root", "agent:/builder/x", "!kind:tool", "!kind:tool|call", "kind:command status:running",
        '"!pytest"', '"kind:tool"',
    ],
)  # fmt: skip
def test_a_row_that_does_not_pass(text: str) -> None:
    assert not parse_filter(text).matches(COMMAND)


def test_the_agent_is_its_last_part_unless_a_path_is_given() -> None:
    assert parse_filter("agent:root").matches(CALL)
    assert not parse_filter("agent:root").matches(COMMAND), "every path begins with /root"
    assert parse_filter("agent:/root").matches(COMMAND)


def test_a_colon_in_a_text_is_no_key() -> None:
    facts = RowFacts("see https://example.org/a:b error:404")
    for text in ("https://example.org", "a:b", "error:404", "!c:d", ":404"):
        assert parse_filter(text).matches(facts)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('"pytest', "A quote is not closed."),
        ("!", "There is nothing after !, or between the quotes."),
        ('""', "There is nothing after !, or between the quotes."),
        ("kind:", "After kind: there must be a value, as in kind:tool."),
        ("agent:", "After agent: there must be a value, as in agent:root."),
        ("status:|", "After status: there must be a value, as in status:failed."),
        ("kind:comand", "comand is no kind; did you mean command?"),
        ("kind:call|exce", "exce is no kind; did you mean exec?"),
        ("status:broken", f"broken is no status: there are {', '.join(STATUSES)}."),
        ("knd:tool", 'There is no knd:, but kind:. For the text, write "knd:tool".'),
        ("x agents:root", 'There is no agents:, but agent:. For the text, write "agents:root".'),
    ],
)
def test_what_is_no_filter_is_refused_in_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(InputRefused) as refusal:
        parse_filter(text)
    assert str(refusal.value) == sentence


def test_a_filter_says_what_it_shows() -> None:
    assert parse_filter(" pytest  !mcp ").describe(3, 120) == "3 of 120  &pytest  !mcp"
    assert Filter().describe(3, 3) == ""
    assert not Filter()
    assert parse_filter("a")
    assert "\x1b" not in parse_filter("a\x1b[31m").describe(1, 2)


@given(st.text(max_size=40))
def test_any_text_is_a_filter_or_refused(text: str) -> None:
    try:
        found = parse_filter(text)
    except InputRefused as refusal:
        sentence = str(refusal)
    else:
        sentence = f"{found.matches(COMMAND)}."
    assert sentence.endswith((".", "?"))


@given(st.text('ab"! :|', max_size=12).filter(lambda text: '"' not in text and text.strip()))
def test_a_quoted_text_is_looked_for_as_it_is(text: str) -> None:
    assert parse_filter(f'"{text}"').matches(RowFacts(f"x{text}y"))
    assert not parse_filter(f'"{text}"').matches(RowFacts("x"))


def test_completions() -> None:
    assert completions("k") == ["kind:"]
    assert completions("pytest !s") == ["pytest !status:"]
    assert completions("kind:com") == ["kind:command", "kind:compact"]
    assert completions("status:fa") == ["status:failed"]
    assert completions("x agent:b", ["builder", "reader"]) == ["x agent:builder"]
    assert completions("") == completions("pytest ") == completions("status:failed") == []


# --- rows of the timeline


def all_facts(timelines: Timelines) -> list[tuple[Entry, RowFacts]]:
    facts = EntryFacts(timelines.entries)
    return [(entry, facts.of(entry)) for entry in timelines.tree(None).values]


@pytest.mark.parametrize(
    "name",
    [
        "background-terminal", "code-mode", "compaction-failing", "compaction-remote", "crash-midstream",
        "inputs", "interrupted-with-children", "mcp-tools", "multi-agent-v2", "review-app", "shell-tools",
        "sigterm",
    ],
)  # fmt: skip
def test_every_row_of_a_recorded_bundle_has_a_kind_that_can_be_asked_for(shared_dir: Path, name: str) -> None:
    timelines = Timelines.of(TraceIndex(reduce_bundle(shared_dir / "bundles" / name / "bundle")))
    found = all_facts(timelines)
    assert found
    for _entry, facts in found:
        assert facts.kinds <= set(KINDS)
        assert facts.statuses <= set(STATUSES)
        assert facts.agent in {thread.agent_path for thread in timelines.index.threads}


def test_rows_of_the_demo_answer(team_timelines: Timelines) -> None:
    found = all_facts(team_timelines)
    index = team_timelines.index

    def passing(text: str) -> list[Entry]:
        wanted = parse_filter(text)
        return [entry for entry, facts in found if wanted.matches(facts)]

    assert {entry.ref.type for entry in passing("kind:call")} == {"InferenceCall"}
    assert {entry.ref.type for entry in passing("kind:tool")} == {"ToolCall"}
    assert len(passing("kind:tool")) == len(index.trace.tool_calls)
    assert {entry.ref.type for entry in passing("kind:incoming")} == {"InteractionEdge"}
    assert {entry.ref.type for entry in passing("kind:turn")} == {"Turn"}
    assert {index.thread_path(entry.thread_id) for entry in passing("agent:repro")} == {"/root/repro"}
    failed = passing("status:failed")
    assert failed
    assert all(failure_of(index, entry.ref) is not None for entry in failed)
    exits = {
        operation.tool_call_id
        for operation in index.trace.terminal_operations.values()
        if operation.result is not None and operation.result.exit_code
        if index.trace.tool_calls[operation.tool_call_id].execution.status == "completed"
    }
    assert exits
    assert exits <= {entry.ref.id for entry in failed}, "a command that ran and failed has failed"
    assert passing("pytest kind:command")
    assert len(passing("!kind:tool")) + len(passing("kind:tool")) == len(found)


def test_what_was_aborted_is_found_as_cancelled_too(team_timelines: Timelines) -> None:
    found = all_facts(team_timelines)
    aborted = [facts for _entry, facts in found if parse_filter("status:aborted").matches(facts)]
    assert aborted
    assert all(parse_filter("status:cancelled").matches(facts) for facts in aborted)


def test_kept_rows_stand_under_the_nearest_kept_row() -> None:
    depths = {"a": 0, "a1": 1, "a2": 1, "a21": 2, "b": 0, "b1": 1, "c": 0}
    tree = tree_of_depths(depths.items(), str)
    kept = kept_of(tree, str, lambda name: name in {"a", "a21", "b1", "c"})
    found = [(name, kept.depth(place), kept.has_children(place)) for place, name in enumerate(kept.values)]
    assert found == [("a", 0, True), ("a21", 1, False), ("b1", 0, False), ("c", 0, False)]
    assert [kept.find(name) for name in ("a21", "b")] == [1, None]
    assert len(kept_of(tree, str, lambda _name: False)) == 0


def test_filtering_the_tree_of_an_agent(team_timelines: Timelines) -> None:
    facts = EntryFacts(team_timelines.entries)
    tree = team_timelines.tree(team_timelines.index.trace.root_thread_id)
    wanted = parse_filter("kind:turn|call")
    kept = kept_of(tree, lambda entry: entry.ref, lambda entry: wanted.matches(facts.of(entry)))
    assert 0 < len(kept) < len(tree)
    assert {one.ref.type for one in kept.values} == {"Turn", "InferenceCall"}
    for place, one in enumerate(kept.values):
        assert kept.depth(place) == (one.ref.type == "InferenceCall")
