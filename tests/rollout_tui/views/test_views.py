"""What the panes show of the team demo, as text."""

from __future__ import annotations

from itertools import pairwise

from msgspec import structs
from snapshot_support import assert_text_snapshot

from reducer import ObjectRef
from reducer.model import Body, EncodedPart, InferenceCall, TextPart
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.items.texts import agent_text
from rollout_tui.lines.rows import Row, lay_out
from rollout_tui.lines.spans import spans_text
from rollout_tui.safe_text import SafeText
from rollout_tui.views.contexts.context_rows import ContextRows, context_of
from rollout_tui.views.detail.describe import describe
from rollout_tui.views.overview import overview
from rollout_tui.views.thread_rows import ThreadRows, thread_tree
from rollout_tui.views.timeline import Timelines
from rollout_tui.views.tree_rows import TreeRows


def text_of(row: Row, width: int = 100) -> SafeText:
    return SafeText(spans_text(lay_out(row, width)).rstrip())


def call_number(index: TraceIndex, agent_path: str, number: int) -> InferenceCall:
    thread = next(one for one in index.threads if one.agent_path == agent_path)
    return index.contents[thread.thread_id].calls[number - 1]


def test_the_agents(team_timelines: Timelines) -> None:
    words = ThreadRows(team_timelines)
    rows = TreeRows(thread_tree(team_timelines.index), words.row, lambda thread: thread.thread_id)
    assert_text_snapshot([text_of(rows.row(place)) for place in range(len(rows))], "views/threads")


def test_the_timeline_of_the_root(team_timelines: Timelines) -> None:
    rows = team_timelines.rows(team_timelines.index.trace.root_thread_id)
    assert_text_snapshot([text_of(rows.row(place)) for place in range(len(rows))], "views/timeline-root")


def test_the_timeline_of_all_agents(team_timelines: Timelines) -> None:
    rows = team_timelines.rows(None)
    assert_text_snapshot([text_of(rows.row(place)) for place in range(len(rows))], "views/timeline-all")


def test_every_entry_of_an_agent_is_in_the_timeline_of_all(team_timelines: Timelines) -> None:
    everything = {entry.ref for entry in team_timelines.tree(None).values}
    for thread in team_timelines.index.threads:
        refs = [entry.ref for entry in team_timelines.tree(thread.thread_id).values]
        assert len(refs) == len(set(refs))
        assert set(refs) <= everything


def test_the_context_of_a_call(team: TraceIndex) -> None:
    for number in (3, 15):
        view = context_of(team, call_number(team, "/root", number))
        words = ContextRows(team, view)
        lines = [view.header, *(text_of(words.row(seen)) for seen in view.seen)]
        assert_text_snapshot(lines, f"views/context-root-{number}")


def test_the_first_call_of_an_agent_has_everything_new(team: TraceIndex) -> None:
    for thread in team.threads:
        view = context_of(team, team.contents[thread.thread_id].calls[0])
        marks = {seen.mark for seen in view.seen if seen.mark is not None}
        assert marks == {"new"}


def test_what_the_previous_call_had_or_answered_is_kept(team: TraceIndex) -> None:
    for thread in team.threads:
        calls = team.contents[thread.thread_id].calls
        for previous, call in pairwise(calls):
            known = {*previous.request_item_ids, *previous.response_item_ids}
            for seen in context_of(team, call).seen:
                if seen.mark is not None:
                    assert seen.ref is not None
                    if seen.ref.id in known:
                        assert seen.mark == "kept"
                    elif seen.mark == "kept":
                        assert responses_id(team, seen.ref.id) in {responses_id(team, one) for one in known}


def responses_id(index: TraceIndex, item_id: str) -> str:
    """The Responses id of an item that has one."""
    found = index.trace.conversation_items[item_id].responses_item_id
    assert found is not None
    return found


def test_the_call_after_a_compaction_has_items_that_were_put_back(team: TraceIndex) -> None:
    marks = [seen.mark for seen in context_of(team, call_number(team, "/root", 15)).seen]
    assert "restored" in marks


def test_details_in_plain_words(team: TraceIndex) -> None:
    trace = team.trace
    edges = sorted(trace.interaction_edges)
    chosen = [
        ObjectRef("Thread", trace.root_thread_id),
        ObjectRef("InferenceCall", call_number(team, "/root", 3).inference_call_id),
        ObjectRef("Compaction", min(trace.compactions)),
        ObjectRef("InteractionEdge", edges[0]),
        ObjectRef("CodeCell", min(trace.code_cells)),
        ObjectRef("TerminalSession", min(trace.terminal_sessions)),
    ]
    lines: list[str] = []
    for ref in chosen:
        detail = describe(team, ref)
        assert detail is not None
        lines += [f"{ref.type}: {detail.title}"]
        lines += [f"  {fact.name:<15} {fact.value}{'  >' if fact.link else ''}" for fact in detail.facts]
        lines += [f"  text: {', '.join(section.title for section in detail.texts)}"]
        lines += [f"  payloads: {', '.join(evidence.name for evidence in detail.payloads)}", ""]
    assert_text_snapshot(lines, "views/details")


def test_an_unknown_object_has_no_detail(team: TraceIndex) -> None:
    assert describe(team, ObjectRef("ToolCall", "nobody")) is None
    assert describe(team, ObjectRef("Nothing", "at all")) is None


def test_the_run_in_one_line(team_timelines: Timelines) -> None:
    line = spans_text(overview(team_timelines, "team")).strip()
    assert line.startswith(
        "rollout-tui  team  completed  18m23s  ✗ 10 failures  4 agents  32 calls  2 compactions"
    )


def test_a_sealed_message_is_not_its_heading(team: TraceIndex) -> None:
    item = structs.replace(
        next(one for one in team.trace.conversation_items.values() if one.agent_message is not None),
        body=Body(
            [
                TextPart("Message Type: NEW_TASK\nTask name: /root/a\nSender: /root\nPayload:\n"),
                EncodedPart("encrypted_content", "x" * 34),
            ]
        ),
    )
    assert agent_text(item) == "(encrypted, 34 B)"
