"""`rollout-tui show`: one thing of a bundle, as text, as JSON, or as the bytes of its evidence."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from places import REPOSITORY

from reducer import open_bundle, reduce_bundle
from rollout_tui.insight.index import TraceIndex
from rollout_tui.language.asking import AllOf, OneOf, parse_what
from rollout_tui.language.refused import InputRefused

Run = Callable[..., subprocess.CompletedProcess[bytes]]
TEAM = REPOSITORY / "demo_traces/team"


def shown(run_program: Run, bundle: Path, *what: str) -> str:
    finished = run_program("show", bundle, *what)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout.decode()


def as_json(run_program: Run, bundle: Path, *what: str) -> Any:
    return json.loads(shown(run_program, bundle, *what, "--json"))


# The language


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["call", "3"], OneOf("call", "3")),
        (["call 3 of /root/a"], OneOf("call", "3", "/root/a")),
        (["turn", "#2", "alpha"], OneOf("turn", "#2", "alpha")),
        (["agent", "root"], OneOf("thread", "root")),
        (["comp", "1"], OneOf("compaction", "1")),
        (["COMPACTIONS", "in", "/root"], AllOf("compactions", "/root")),
        (["threads"], AllOf("threads")),
        (["event", "7"], OneOf("seq", "7")),
    ],
)
def test_what_is_meant(words: list[str], meant: OneOf | AllOf) -> None:
    assert parse_what(words) == meant


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "say what to show"),
        (["call"], "after call there must be a number or an id"),
        (["ce"], "after cell there must be a number or an id"),
        (["s", "1"], "s could be seq or summary or seen"),
        (["cal1", "1"], "did you mean call?"),
        (["xyzzy"], "threads, turns, calls"),
        (["write"], "write is a word of `:` in the inspector"),
        (["call", "1", "of", "a", "b"], "one word too many"),
    ],
)
def test_what_means_nothing_is_refused_with_what_there_is(words: list[str], said: str) -> None:
    with pytest.raises(InputRefused, match=said.replace("?", r"\?")):
        parse_what(words)


# One thing


def test_a_call_is_its_context_in_order(run_program: Run, team: TraceIndex) -> None:
    call = team.contents[team.trace.root_thread_id].calls[3]
    text = shown(run_program, TEAM, "call", "4")
    assert text.startswith("# Context of call 4 of ")
    places = [text.index(f"`{item_id}`") for item_id in call.request_item_ids]
    assert places == sorted(places)
    document = as_json(run_program, TEAM, "call", call.inference_call_id)
    assert [item["item_id"] for item in document["received"]] == call.request_item_ids
    assert [item["item_id"] for item in document["answered"]] == call.response_item_ids


@pytest.mark.slow
def test_raw_is_the_evidence_byte_for_byte(run_program: Run, team: TraceIndex) -> None:
    call = team.contents[team.trace.root_thread_id].calls[0]
    ref = team.trace.raw_payloads[call.raw_request_payload_id]
    request = open_bundle(TEAM).read_payload(ref)
    assert run_program("show", TEAM, "call", "1", "--raw").stdout == request
    number = ref.raw_payload_id.rpartition(":")[2]
    assert run_program("show", TEAM, "payload", number).stdout == request
    lines = (TEAM / "trace.jsonl").read_bytes().splitlines(keepends=True)
    assert run_program("show", TEAM, "seq", "5", "--raw").stdout == lines[4]
    assert run_program("show", TEAM, "line", "5", "--raw").stdout == lines[4]


def test_a_call_of_another_agent(run_program: Run, team: TraceIndex) -> None:
    child = team.threads[1]
    name = child.agent_path.rpartition("/")[2]
    call = team.contents[child.thread_id].calls[0]
    for who in (name, child.agent_path, child.thread_id):
        assert call.inference_call_id in shown(run_program, TEAM, f"call 1 of {who}")


def test_a_compaction_with_its_states_verdicts_and_totals(run_program: Run, shared_dir: Path) -> None:
    bundle = shared_dir / "bundles/compaction-remote/bundle"
    text = shown(run_program, bundle, "compaction", "2")
    headings = ("1 last call before", "3 before", "3 after", "verdicts", "totals", "4 first call after")
    places = [text.index(f"── {heading} ──") for heading in headings]
    assert places == sorted(places)
    assert "6 → 5 items" in text
    assert "encrypted, 408 B" in text
    document = as_json(run_program, bundle, "compaction", "2")
    verdicts = [one["verdict"] for one in document["before"]]
    assert verdicts == ["kept", "replaced", "replaced", "kept", "replaced", "summarised"]
    assert document == as_json(run_program, bundle, "compaction", document["compaction"]["compaction_id"])
    assert len(as_json(run_program, bundle, "compactions")["compactions"]) == 9


def test_a_compaction_that_is_only_inferred(run_program: Run, shared_dir: Path) -> None:
    document = as_json(run_program, shared_dir / "bundles/compaction-local/bundle", "compaction", "1")
    assert document["outcome"] == "inferred"
    assert document["compaction"] is None
    assert document["after"]


def test_a_cell_with_its_script_its_steps_and_what_was_seen(run_program: Run, shared_dir: Path) -> None:
    bundle = shared_dir / "bundles/code-mode/bundle"
    text = shown(run_program, bundle, "cell", "3")
    assert "6  await tools.exec_command({cmd: 'echo after-notify'});" in text
    assert "did not see result of command echo after-notify" in text
    document = as_json(run_program, bundle, "cell", "3")
    assert [step["kind"] for step in document["steps"]] == ["started", "call", "result", "ended"]
    assert document["seen"][-1]["seen"] == "unseen"


def test_an_edge_says_who_saw_it_first(run_program: Run, shared_dir: Path) -> None:
    bundle = shared_dir / "bundles/multi-agent-v2/bundle"
    text = shown(run_program, bundle, "edge", "2")
    assert "spawn agent  /root to /root/beta" in text
    assert "first seen by   call 1 of /root/beta" in text
    document = as_json(run_program, bundle, "edge", "2")
    assert document["object"]["kind"] == "spawn_agent"
    assert document["first_seen_by"] is not None
    assert len(as_json(run_program, bundle, "edges")["edges"]) == 11


@pytest.mark.slow
@pytest.mark.parametrize(
    "what",
    [
        "threads",
        "thread root",
        "turns",
        "turn 1",
        "calls",
        "tools",
        "tool 2",
        "edges",
        "item 3",
        "seq 9",
        "problems",
    ],
)
def test_everything_comes_as_text_and_as_json(run_program: Run, what: str) -> None:
    assert shown(run_program, TEAM, what).strip()
    assert as_json(run_program, TEAM, what)


@pytest.mark.parametrize("of", ["", " of /root/repro"])
@pytest.mark.parametrize(
    ("listed", "one"), [("items", "item"), ("tools", "tool"), ("calls", "call"), ("turns", "turn")]
)
def test_a_number_of_a_list_asks_for_what_stands_there(
    run_program: Run, listed: str, one: str, of: str
) -> None:
    rows = as_json(run_program, TEAM, listed + of)[listed]
    row = rows[min(len(rows) - 1, 5)]
    # Turns and calls count for each agent by itself, items always in the whole bundle.
    whose = f" of {row['object']['thread_id']}" if one in ("turn", "call") else of
    what = f"{one} {row['number']}" + ("" if one == "item" else whose)
    told = as_json(run_program, TEAM, what)
    assert row["id"] == (told["inference_call"]["inference_call_id"] if one == "call" else told["id"])


def test_the_items_of_an_agent_are_those_of_its_conversation(run_program: Run) -> None:
    reduction = reduce_bundle(TEAM)
    every = [row["id"] for row in as_json(run_program, TEAM, "items", "--limit", "1000")["items"]]
    assert every == list(reduction.trace.conversation_items)
    for thread in reduction.trace.threads.values():
        rows = as_json(run_program, TEAM, f"items of {thread.agent_path}", "--limit", "1000")["items"]
        assert [row["id"] for row in rows] == thread.conversation_item_ids


def test_payloads_that_limits_cut_stand_beside_the_problems(run_program: Run) -> None:
    bundle = REPOSITORY / "demo_traces" / "capped"
    text, told = shown(run_program, bundle, "problems"), as_json(run_program, bundle, "problems")
    refs = reduce_bundle(bundle).trace.raw_payloads.values()
    cut = [ref.raw_payload_id for ref in refs if ref.is_lost]
    assert cut
    assert f"0 problems, {len(cut)} payloads cut by the recorder's limits" in text
    assert [one["raw_payload_id"] for one in told["cut_payloads"]] == cut
    assert all(f"{one['raw_payload_id']} {one['kind']} {one['lost']}" in text for one in told["cut_payloads"])


# What is not there, and what is hostile


@pytest.mark.parametrize(
    ("what", "said"),
    [
        (["call", "99"], "there is no call 99 of /root: there are "),
        (["cell", "x"], "there is no cell 'x'"),
        (["item", "9999"], "there is no item 9999: the bundle has "),
        (["thread", "nobody"], "there is no agent nobody: there are /root, "),
        (["compaction", "77"], "there is no compaction 77"),
        (["payload", "9999"], "there is no payload 9999"),
        (["seq", "abc"], "seq takes a number"),
        (["calls", "--raw"], "--raw shows the evidence of one thing"),
        (["thread", "\x1b]0;owned\x07"], "owned"),
    ],
)
def test_what_is_not_there_is_said_in_one_sentence(run_program: Run, what: list[str], said: str) -> None:
    finished = run_program("show", TEAM, *what)
    assert (finished.returncode, finished.stdout) == (2, b"")
    [sentence] = finished.stderr.decode().splitlines()
    assert said in sentence
    assert sentence.isprintable()


HOSTILE = {
    "hostile": [
        *("threads", "calls", "tools", "edges", "problems", "call 2", "call 5", "tool 2", "item 7", "turns"),
    ],
    "hostile-2": ["threads", "calls", "problems", "call 2", "item 7", "turns"],
}


@pytest.mark.slow
@pytest.mark.parametrize(("demo", "what"), [(demo, what) for demo in HOSTILE for what in HOSTILE[demo]])
def test_nothing_hostile_reaches_the_terminal(run_program: Run, demo: str, what: str) -> None:
    text = shown(run_program, REPOSITORY / "demo_traces" / demo, what)
    # Joiners of words and emoji stay where the width does not matter.
    plain = text.translate(dict.fromkeys(map(ord, "\t\u200c\u200d")))
    assert all(line.isprintable() for line in plain.split("\n"))
    assert text.strip()
    document = run_program("show", REPOSITORY / "demo_traces" / demo, what, "--json").stdout
    assert all(byte >= 0x20 or byte == 0x0A for byte in document)


LETTERS = re.compile(r"data:[\w/+.-]*;base64,[A-Za-z0-9+/]{64,}")


@pytest.mark.parametrize("what", ["cell 1", "call 8", "tool 1", "item 9"])
def test_images_are_named_and_json_has_them(run_program: Run, shared_dir: Path, what: str) -> None:
    bundle = shared_dir / "bundles-v3/images-many/bundle"
    assert LETTERS.search(shown(run_program, bundle, what)) is None
    if what == "cell 1":
        assert "(application/octet-stream, 4.9 kB)" in shown(run_program, bundle, what)
        assert LETTERS.search(shown(run_program, bundle, what, "--json", "--content")) is not None
