"""The language of `:`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollout_tui.language.asking import OneOf
from rollout_tui.language.commands import (
    AsOf,
    AsOfNow,
    Command,
    GoToAgent,
    GoToNumber,
    GoToObject,
    Quit,
    ShowHelp,
    ShowProblems,
    Write,
    agent_named,
    command_completions,
    parse_command,
)
from rollout_tui.language.refused import InputRefused
from rollout_tui.language.vocabulary import words_of


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("seq 812", GoToNumber("seq", 812)),
        (":seq 812", GoToNumber("seq", 812)),
        ("go 812", GoToNumber("seq", 812)),
        ("812", GoToNumber("seq", 812)),
        (" #812 ", GoToNumber("seq", 812)),
        ("seq 0", GoToNumber("seq", 0)),
        ("now", AsOfNow()),
        ("50%", AsOf(percent=50)),
        ("12.5 %", AsOf(percent=12.5)),
        ("0%", AsOf(percent=0)),
        ("call 17", GoToNumber("call", 17)),
        ("Call  17", GoToNumber("call", 17)),
        ("turn 3", GoToNumber("turn", 3)),
        ("t 3", GoToNumber("turn", 3)),
        ("item 12", GoToNumber("item", 12)),
        ("item conversation_item:12", GoToNumber("item", 12)),
        ("payload 33", GoToNumber("payload", 33)),
        ("payload raw_payload:33", GoToNumber("payload", 33)),
        ("line 40", GoToNumber("line", 40)),
        ("agent builder", GoToAgent("builder")),
        ("agent /root/my agent", GoToAgent("/root/my agent")),
        ("problems", ShowProblems()),
        ("c 3", GoToNumber("call", 3)),
        ("prompt 3", GoToObject(OneOf("prompt", "3"))),
        ("tool 7", GoToObject(OneOf("tool", "7"))),
        ("tool call_abc of /root/a", GoToObject(OneOf("tool", "call_abc", "/root/a"))),
        ("exec 2", GoToObject(OneOf("cell", "2"))),
        ("compaction 2", GoToObject(OneOf("compaction", "2"))),
        ("edge edge:tool:T", GoToObject(OneOf("edge", "edge:tool:T"))),
        ("problem 1", GoToObject(OneOf("problem", "1"))),
        ("write", Write()),
        ("w", Write()),
        ("write ~/a b.json", Write("state", "~/a b.json")),
        ("export state", Write()),
        ("export payload", Write("payload")),
        ("export context ~/c.md", Write("context", "~/c.md")),
        ("export state out.json", Write("state", "out.json")),
        ("q", Quit()),
        ("quit", Quit()),
        ("help", ShowHelp()),
        ("?", ShowHelp()),
    ],
)
def test_a_command(text: str, command: Command) -> None:
    assert parse_command(text) == command


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "Type a command: " + ", ".join(one.name for one in words_of("typed")) + "."),
        (":", "Type a command: " + ", ".join(one.name for one in words_of("typed")) + "."),
        ("sek 12", "There is no word sek; did you mean seq?"),
        ("problmes", "There is no word problmes; did you mean problems?"),
        ("zzz", "There is no word zzz: there are " + ", ".join(one.name for one in words_of("typed")) + "."),
        ("p", "p could be payload or prompt or problem."),
        ("tool", "After tool there must be a number or an id, as in tool 1."),
        ("tool 1 2 3", "'2 3' after tool is one word too many."),
        ("seq", "After seq there must be a number, as in seq 12."),
        ("seq twelve", "After seq there must be a number, as in seq 12."),
        ("call 1 2", "After call there must be a number, as in call 12."),
        ("call -1", "After call there must be a number, as in call 12."),
        ("call 0", "call is counted from 1."),
        ("item raw_payload:3", "After item there must be a number, as in item 12."),
        ("99999999999999999999999", "No seq has a number like that."),
        ("101%", "There is nothing beyond 100%."),
        ("agent", "After agent there must be a name, as in agent root."),
        ("problems 3", "problems stands alone."),
        ("quit now", "quit stands alone."),
        ("export", "What can be exported: state, payload, context; as in export state."),
        ("export graph", "What can be exported: state, payload, context; as in export state."),
    ],
)
def test_what_is_no_command_is_refused_in_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(InputRefused) as refusal:
        parse_command(text)
    assert str(refusal.value) == sentence


@pytest.mark.slow
@given(st.text(max_size=30))
def test_any_text_is_a_command_or_refused(text: str) -> None:
    try:
        sentence = f"{parse_command(text)}."
    except InputRefused as refusal:
        sentence = str(refusal)
    assert sentence.endswith((".", "?"))


@given(st.sampled_from(["seq", "call", "payload", ""]), st.text("0123456789٣²#:%", max_size=25))
def test_any_number_is_taken_or_refused(name: str, digits: str) -> None:
    try:
        command = parse_command(f"{name} {digits}")
    except InputRefused:
        return
    assert isinstance(command, GoToNumber | AsOf)
    if isinstance(command, GoToNumber):
        assert 0 <= command.number < 2**63


def test_every_command_that_is_offered_is_one() -> None:
    for word in words_of("typed"):
        argument = {"N": "1", "NAME": "root", "WHAT [PATH]": "context", "TEXT": "x"}.get(word.argument, "")
        assert parse_command(f"{word.name} {argument}") is not None
        assert word.typed


def test_completions_are_commands_that_begin_so() -> None:
    assert command_completions("p") == ["payload ", "prompt ", "problem ", "problems"]
    assert command_completions("problem") == ["problem ", "problems"]
    assert command_completions("problems") == []
    assert [one.strip() for one in command_completions("")] == [one.name for one in words_of("typed")]
    assert command_completions("export ") == ["export state", "export payload", "export context"]
    agents = ["/root", "/root/builder", "/root/reader"]
    assert command_completions("agent b", agents) == ["agent /root/builder"]
    assert command_completions("agent /root/r", agents) == ["agent /root/reader"]
    assert command_completions("agent ", agents) == [f"agent {one}" for one in agents]
    assert command_completions("seq 1") == []


def test_an_agent_by_its_path_or_the_end_of_it() -> None:
    paths = ["/root", "/root/builder", "/root/reader", "/root/builder/tests"]
    assert agent_named("/root", paths) == "/root"
    assert agent_named("root", paths) == "/root"
    assert agent_named("builder", paths) == "/root/builder"
    assert agent_named("READER", paths) == "/root/reader"
    assert agent_named("builder/tests", paths) == "/root/builder/tests"
    assert agent_named("te", paths) == "/root/builder/tests"
    for name, sentence in (
        ("bilder", "There is no agent bilder; did you mean builder?"),
        ("zzz", "There is no agent zzz."),
        ("r", "Several agents are called so: /root, /root/reader."),
    ):
        with pytest.raises(InputRefused) as refusal:
            agent_named(name, paths)
        assert str(refusal.value) == sentence
