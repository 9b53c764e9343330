"""Names that tell: scripts by what they ran, tasks by what their sender had, waits by what ended them."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from code_cells import with_cells
from hypothesis import given
from hypothesis import strategies as st
from inspecting import inspecting
from places import REPOSITORY
from recorded import call_at, index_of, recorded, thread_at

from reducer import ObjectRef
from reducer.model import CodeCell, ConversationItem, EncodedPart, ToolCall
from reducer.wire.events import WaitAgent
from rollout_tui.commands.show import show
from rollout_tui.insight.agents.delivery import delivery_view
from rollout_tui.insight.agents.sent_texts import sent_text
from rollout_tui.insight.agents.waits import wait_end, wait_targets
from rollout_tui.insight.cells.script_words import script_words
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.items.texts import agent_text
from rollout_tui.insight.items.titles import item_words
from rollout_tui.insight.tools import words as tool_words_module
from rollout_tui.insight.tools.words import NAMED_CALLS, cell_words, tool_label, tool_words
from rollout_tui.lines.spans import spans_text
from rollout_tui.session import Session
from rollout_tui.texts.short_forms import count, one_line
from rollout_tui.views.detail.describe import describe
from rollout_tui.views.detail.object_facts import sent_section
from rollout_tui.views.overview import overview
from rollout_tui.views.thread_rows import ThreadRows
from rollout_tui.views.timeline import Timelines
from rollout_tui.views.tree_rows import TreeNode

TEAM = REPOSITORY / "demo_traces/team"

# Scripts


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ('text((await tools.exec_command({cmd: "make"})).output)', 'tools.exec_command({cmd: "make"})'),
        ('await tools.a__b(1);\nawait tools.c();\ntools.d("x")', "tools.a__b(1) +2"),
        ("// @exec: {}\n\n/* what\n it does */\ntry {\n  text(1 + 1);\n}", "text(1 + 1);"),
        ("const t = tools;\nt.exec_command({})", "const t = tools;"),
        ("this is not javascript (((", "this is not javascript ((("),
        ("// only this", "// only this"),
        ("", ""),
    ],
)
def test_a_script_is_named_by_its_tool_calls_or_the_first_line_that_means_something(
    source: str, words: str
) -> None:
    assert script_words(source) == words


@given(st.text(st.sampled_from("tools.x(){}[]/*\n 'a`;$"), max_size=60))
def test_any_script_has_a_name(source: str) -> None:
    words = script_words(source)
    assert "\n" not in words
    assert bool(words) == bool(source.strip())


def test_a_cell_is_named_by_what_it_ran_and_how_much_more(
    team: TraceIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [cell_words(team, cell) for cell in team.trace.code_cells.values()]
    assert "git log --oneline -6; git ls-files; cat tests/test_sweeper.py" in names
    assert all(len(name) <= 3 * NAMED_CALLS for name in names)
    monkeypatch.setattr(tool_words_module, "NAMED_CALLS", 40)
    names = [cell_words(team, cell) for cell in team.trace.code_cells.values()]
    assert "git log --oneline -6; git ls-files +1" in names


@pytest.mark.slow
@pytest.mark.parametrize("group", ["bundles", "bundles-v3"])
def test_no_name_of_a_cell_is_its_id(shared_dir: Path, group: str) -> None:
    seen = 0
    for bundle in with_cells(shared_dir / group):
        index = index_of(bundle)
        for cell in index.trace.code_cells.values():
            detail = describe(index, ObjectRef("CodeCell", cell.code_cell_id))
            assert detail is not None
            assert one_line(cell_words(index, cell))[:20] in detail.title
            assert_no_link_shows_an_id(index, cell)
            seen += 1
    assert seen > 10


def assert_no_link_shows_an_id(index: TraceIndex, cell: CodeCell) -> None:
    about = [*cell.nested_tool_call_ids, *cell.wait_tool_call_ids]
    for call_id in about:
        detail = describe(index, ObjectRef("ToolCall", call_id))
        assert detail is not None
        named = [fact.value for fact in detail.facts if fact.name in ("asked for by", "waits for", "cell")]
        assert named
        assert not any(cell.code_cell_id in value for value in named)


def test_a_script_that_never_began_is_named_by_what_it_says(shared_dir: Path) -> None:
    index = index_of(shared_dir / "bundles-v3/limit-payload-0/bundle")
    calls = index.trace.tool_calls.values()
    (call,) = (one for one in calls if tool_label(index, one) == "exec" and index.cell_of_call(one) is None)
    assert tool_words(index, call) == "tools.exec_command({cmd: 'echo in a cell; seq 1 800'})"


def test_a_command_that_never_began_is_named_by_its_command(shared_dir: Path) -> None:
    index = index_of(shared_dir / "bundles-v3/code-mode/bundle")
    calls = [one for one in index.trace.tool_calls.values() if one.terminal_operation_id is None]
    words = [tool_words(index, one) for one in calls]
    assert "sleep 0.3; echo unawaited" in words
    assert not any(one.startswith("{") for one in words)


# What a sender had


def encrypted(index: TraceIndex) -> list[ConversationItem]:
    """Messages between agents that only the provider can read, and that an edge brought."""
    found = [one for one in index.trace.conversation_items.values() if one.agent_message is not None]
    sealed = [one for one in found if any(isinstance(part, EncodedPart) for part in one.body.parts)]
    return [one for one in sealed if one.item_id in index.edge_to]


@pytest.mark.slow
@pytest.mark.parametrize("group", ["bundles", "bundles-v1", "bundles-v3"])
def test_what_arrived_encrypted_is_told_by_what_its_sender_had(shared_dir: Path, group: str) -> None:
    seen = 0
    for manifest in sorted((shared_dir / group).glob("*/bundle/manifest.json")):
        session = Session(manifest.parent)
        index = session.load(lambda _done, _total: None).index
        for item in encrypted(index):
            sent = sent_text(index, item)
            assert sent is not None
            more = "…" if sent.is_cut else ""
            assert f"≈ {sent.text}{more}  (rebuilt from call " in item_words(index, item)
            assert sent.is_cut == (sent.text != session.text(sent_section(index, sent, "")))
            assert agent_text(item).startswith("(encrypted, ")
            detail = describe(index, ObjectRef("ConversationItem", item.item_id))
            assert detail is not None
            whole = session.text(detail.texts[-1])
            assert detail.texts[-1].heading.startswith(f"rebuilt from {sent.source}")
            raw = session.json(index.trace.raw_payloads[sent.tool_call.raw_invocation_payload_id or ""])
            assert json.loads(raw["payload"]["arguments"])["message"] == whole
            assert whole.startswith(sent.text)
            seen += 1
    assert seen > 5


def test_the_task_of_a_child_is_told_wherever_it_stands(
    team_timelines: Timelines, capsys: pytest.CaptureFixture[str]
) -> None:
    index, path = team_timelines.index, "/root/repro"
    thread = thread_at(index, path)
    task = "≈ Reproduce the failure of tests/test_sweeper.py"
    (edge,) = (one for one in index.edges_into(thread.thread_id) if one.kind == "spawn_agent")
    rows = team_timelines.rows(thread.thread_id)
    assert any(task in spans_text(rows.whole_row(place).spans) for place in range(rows.whole_count))
    sent = delivery_view(team_timelines.links, thread).sent[0]
    assert task in sent.message.words
    assert "(encrypted, 249 B)" in sent.message.words
    for what in (["thread", path], ["edge", edge.edge_id], ["call", "1", "of", path]):
        printed = shown(capsys, what)
        assert "Reproduce the failure of tests/test_sweeper.py" in printed
        assert "rebuilt from call 3 of /root" in printed
        assert "with None instead" in printed or what[0] == "thread", (
            "all of it, not the beginning in the graph"
        )


@pytest.mark.slow
def test_programs_are_told_where_a_rebuilt_text_is_from(
    team: TraceIndex, capsys: pytest.CaptureFixture[str]
) -> None:
    item = encrypted(team)[0]
    sent = sent_text(team, item)
    assert sent is not None
    source = {
        "source": "arguments of the sender's tool call",
        "is_rebuilt": True,
        "tool_call_id": sent.tool_call.tool_call_id,
    }
    thread = team.thread_path(item.thread_id)
    found = [
        json.loads(shown(capsys, ["item", item.item_id], as_json=True))["sent"],
        json.loads(shown(capsys, ["edge", team.edge_to[item.item_id].edge_id], as_json=True))["sent"],
        json.loads(shown(capsys, ["call", "1", "of", thread], as_json=True))["sent"][item.item_id],
        json.loads(shown(capsys, ["thread", thread], as_json=True))["sent"][0]["rebuilt"],
    ]
    for one in found:
        assert source.items() <= one.items()
        assert one["text"].startswith(sent.text)


def shown(capsys: pytest.CaptureFixture[str], what: list[str], *, as_json: bool = False) -> str:
    """What `show` prints."""
    capsys.readouterr()
    assert show(TEAM, what, as_json=as_json, raw=False, content=as_json) == 0
    return capsys.readouterr().out


# Waits


def waits(index: TraceIndex) -> list[ToolCall]:
    return [call for call in index.trace.tool_calls.values() if isinstance(call.kind, WaitAgent)]


def test_a_wait_says_whose_result_ended_it_or_that_its_time_was_over(shared_dir: Path) -> None:
    index = recorded(shared_dir, "multi-agent-v2")
    assert [tool_words(index, call).partition(":")[0] for call in waits(index)] == [
        "/root/alpha's result",
        "for any agent, 12.0s at most",
        "/root/beta's result",
        "timed out",
        "/root/alpha's result",
        "/root/broken's result",
        "timed out",
    ]


def test_a_message_ends_a_wait_too_and_so_does_a_user(shared_dir: Path) -> None:
    index = index_of(shared_dir / "bundles-v1/codex-0.140.0-multi-agent-v2/bundle")
    words = [tool_words(index, one) for one in waits(index)]
    assert "/root/alpha's message: for any agent, 15.0s at most" in words
    aborted = recorded(shared_dir, "interrupted-with-children")
    assert tool_words(aborted, waits(aborted)[0]) == "aborted: for any agent, 1m00s at most"


def test_a_wait_that_new_input_ended_says_so(shared_dir: Path) -> None:
    index = recorded(shared_dir, "multi-agent-v2")
    told = {"message": "Wait interrupted by new input.", "timed_out": False}
    call = waits(index)[0]
    kept = msgspec.structs.replace(
        call,
        model_visible_output_item_ids=[],
        summary=msgspec.structs.replace(call.summary, output_preview=json.dumps(told)),
    )
    end = wait_end(index, kept)
    assert end is not None
    assert end.kind == "interrupted"
    assert tool_words(index, kept).startswith("interrupted by new input: for any agent")


def test_a_wait_of_old_names_the_agent_in_its_result(shared_dir: Path) -> None:
    index = recorded(shared_dir, "multi-agent-v2")
    thread, call = thread_at(index, "/root/beta"), waits(index)[0]
    told = {"status": {thread.thread_id: {"completed": "done"}}, "timed_out": False}
    kept = msgspec.structs.replace(
        call,
        model_visible_output_item_ids=[],
        summary=msgspec.structs.replace(call.summary, output_preview=json.dumps(told)),
    )
    end = wait_end(index, kept)
    assert end is not None
    assert (end.sender, end.is_told) == ("/root/beta", True)


def test_a_wait_within_a_script_was_ended_by_the_agent_it_names(shared_dir: Path) -> None:
    """The graph has no result of such a wait: only that the turn of the agent came to an end meanwhile."""
    index = index_of(shared_dir / "bundles-v3" / "agents-v1" / "bundle")
    found = waits(index)
    assert len(found) == 3
    for call in found:
        end = wait_end(index, call)
        assert end is not None
        assert end.ref is not None
        turn = index.trace.codex_turns[end.ref.id]
        assert wait_targets(call) == [turn.thread_id]
        assert (end.kind, end.is_told) == ("result", False)
        assert turn.execution.ended_seq is not None
        window = msgspec.structs.replace(call.execution, ended_seq=turn.execution.ended_seq - 1)
        earlier = wait_end(index, msgspec.structs.replace(call, execution=window))
        assert earlier is None or earlier.ref != end.ref, "an earlier turn of the same agent"


def test_before_the_next_call_the_report_tells(shared_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = recorded(shared_dir, "multi-agent-v2")
    call = waits(index)[0]
    contents = index.contents[call.thread_id]
    before = [one for one in contents.calls if one.execution.started_seq < call.execution.started_seq]
    monkeypatch.setattr(contents, "calls", before)
    end = wait_end(index, call)
    assert end is not None
    assert (end.sender, end.kind, end.is_told) == ("/root/alpha", "result", False)


def test_the_detail_of_a_wait_says_how_that_is_known(shared_dir: Path) -> None:
    index = recorded(shared_dir, "multi-agent-v2")
    detail = describe(index, ObjectRef("ToolCall", waits(index)[0].tool_call_id))
    assert detail is not None
    (fact,) = (one for one in detail.facts if one.name == "result")
    assert fact.value == "/root/alpha's result  (its result does not say: by what came first)"
    assert fact.link is not None


# Tokens


def test_tokens_have_one_meaning(team_timelines: Timelines, capsys: pytest.CaptureFixture[str]) -> None:
    index = team_timelines.index
    usages = [one.usage for one in index.trace.inference_calls.values() if one.usage is not None]
    total = sum(one.input_tokens + one.output_tokens for one in usages)
    assert f"{count(total)} tok" in spans_text(overview(team_timelines, "x"))
    listed, of_threads = shown(capsys, ["threads"]), 0
    for thread in index.threads:
        tokens = index.contents[thread.thread_id].tokens
        of_threads += tokens
        row = spans_text(ThreadRows(team_timelines).row(TreeNode(thread, 0)).tail)
        assert (f"{count(tokens)} tok" in row) == (tokens > 0)
        assert f"{count(tokens)} tok" in listed or not tokens
    assert (
        of_threads
        == total
        == sum(one["tokens"] for one in json.loads(shown(capsys, ["threads"], as_json=True))["threads"])
    )
    call = call_at(index, "/root", 1)
    assert call.usage is not None
    own = count(call.usage.input_tokens + call.usage.output_tokens)
    place = team_timelines.tree(None).find(ObjectRef("InferenceCall", call.inference_call_id))
    assert place is not None
    assert own in spans_text(team_timelines.rows(None).whole_row(place).tail)
    assert f"{own} tok" in shown(capsys, ["calls", "of", "/root"])


# The first call


@pytest.mark.slow
async def test_the_context_opens_on_the_next_call_before_there_was_one() -> None:
    async with inspecting(TEAM) as inspection:
        context = inspection.screen.context
        assert context.view is not None
        assert context.view.call is call_at(inspection.screen.session.timelines.index, "/root", 1)
        assert "next: call 1 of " in inspection.screen_text()[1]
        await inspection.press("j")
        assert "next: " not in inspection.screen_text()[1]
        assert "call 1 of " in inspection.screen_text()[1]
        await inspection.press("k")
        assert "next: call 1 of " in inspection.screen_text()[1]


@pytest.mark.slow
async def test_columns_say_what_they_are() -> None:
    async with inspecting(TEAM) as inspection:
        assert "took   tok" in inspection.screen_text()[1]
