"""A tab of the detail is what it shows: when the log grows, in the past, when it is read again, elsewhere."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from inspecting import Inspection, inspecting
from patience import until
from places import REPOSITORY

from reducer import ObjectRef
from rollout_tui.insight.index import TraceIndex
from rollout_tui.panes.detail_tabs import tabs_of
from rollout_tui.session import Session
from rollout_tui.views.detail.describe import describe

DEMOS = REPOSITORY / "demo_traces"
RESPONSE = 10
"""Sequence number of the first response of `team`."""


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return shutil.copytree(DEMOS / "team", tmp_path / "team")


def cut(bundle: Path, seq: int) -> bytes:
    """Cut the log behind an event; gives what it was."""
    log = bundle / "trace.jsonl"
    whole = log.read_bytes()
    log.write_bytes(b"".join(whole.splitlines(keepends=True)[:seq]))
    return whole


def index_of(at: Inspection) -> TraceIndex:
    assert at.screen.session.timelines is not None
    return at.screen.session.timelines.index


async def show_tab(at: Inspection, ref: ObjectRef, name: str) -> None:
    """Show a tab of an object, with the keys in it."""
    at.screen.jumping.jump(ref)
    at.screen.panes.activate(at.screen.detail)
    detail = at.screen.detail
    detail._turn_to(next(tab for tab in detail.tabs.all if tab.name == name))
    await at.settle()


def check_body(at: Inspection) -> None:
    """What stands below the mark is the payload that the mark names."""
    detail = at.screen.detail
    marked = [tab for tab in detail.tabs.all if tab.key == detail.tabs.shown.key]
    assert len(marked) == 1
    [tab] = marked
    assert tab.name in at.rows_of_tabs()
    if tab.evidence is not None and not tab.is_gone:
        assert detail.payload_tree.display
        assert detail.payload_tree.data == at.screen.session.payload(tab.evidence.ref)
        assert detail.payload == tab.evidence.ref


def first_call(index: TraceIndex) -> ObjectRef:
    calls = index.contents[index.trace.root_thread_id].calls
    return ObjectRef("InferenceCall", calls[0].inference_call_id)


@pytest.mark.quick
async def test_a_response_that_was_not_there_yet_is_said_to_be_gone(bundle: Path) -> None:
    async with inspecting(bundle) as at:
        call = index_of(at).trace.inference_calls[first_call(index_of(at)).id]
        await show_tab(at, first_call(index_of(at)), "response")
        response = at.screen.detail.payload_tree.data
        check_body(at)
        at.screen.reader.look_back(RESPONSE - 1)
        await at.settle()
        check_body(at)
        text = "\n".join(at.screen_text())
        assert f"response, {call.raw_response_payload_id}, is not in what is shown now." in text
        assert not at.screen.detail.payload_tree.display
        assert at.screen.detail.whole_text() == ""
        at.screen.reader.look_now()
        await at.settle()
        check_body(at)
        assert at.screen.detail.payload_tree.data == response


@pytest.mark.parametrize("name", ["request", "response", "prompt payload", "prompt", "saw/ran", "Object"])
async def test_every_tab_stays_itself_through_the_past(bundle: Path, name: str) -> None:
    async with inspecting(bundle) as at:
        call = first_call(index_of(at))
        command = next(iter(index_of(at).trace.terminal_operations.values())).tool_call_id
        await show_tab(at, ObjectRef("ToolCall", command) if name == "saw/ran" else call, name)
        key, whole = at.screen.detail.tabs.shown.key, at.screen.detail.whole_text()
        for seq in (RESPONSE + 30, RESPONSE, RESPONSE - 1, 9, RESPONSE + 1):
            at.screen.reader.look_back(seq)
            await at.settle()
            assert at.screen.detail.tabs.shown.key == key
            check_body(at)
            if not at.screen.detail.tabs.shown.is_gone and name in ("request", "response", "prompt payload"):
                assert at.screen.detail.whole_text() == whole


async def test_a_log_that_grows_adds_tabs_and_leaves_the_one_that_is_read(bundle: Path) -> None:
    whole = cut(bundle, RESPONSE - 1)
    async with inspecting(bundle) as at:
        await show_tab(at, first_call(index_of(at)), "request")
        request = at.screen.detail.payload_tree.data
        await at.press("j", "j")
        row = at.screen.detail.payload_tree.cursor
        at.screen.reader.follow()
        (bundle / "trace.jsonl").write_bytes(whole[: whole.index(b"\n", len(whole) // 2) + 1])
        await until(
            lambda: "response" in [tab.name for tab in at.screen.detail.tabs.all], pause=at.pilot.pause
        )
        at.screen.reader.stop_following()
        await at.settle()
        names = [tab.name for tab in at.screen.detail.tabs.all]
        assert names.index("response") == names.index("request") + 1
        check_body(at)
        assert (at.screen.detail.payload_tree.data, at.screen.detail.payload_tree.cursor) == (request, row)


async def test_a_text_of_which_more_becomes_known_is_read_again(bundle: Path) -> None:
    """Only when a tool call has begun it is known by what name the answer asked for it."""
    async with inspecting(bundle) as at:
        await show_tab(at, first_call(index_of(at)), "answer")
        now = at.screen.detail.whole_text()
        at.screen.reader.look_back(RESPONSE)
        await at.settle()
        then = at.screen.detail.whole_text()
        assert now != then
        at.screen.reader.look_now()
        await at.settle()
        assert at.screen.detail.whole_text() == now


async def test_what_is_read_again_is_what_the_files_say_then(tmp_path: Path) -> None:
    bundle = shutil.copytree(DEMOS / "schema-2", tmp_path / "files")
    async with inspecting(bundle) as at:
        call = next(iter(index_of(at).trace.inference_calls))
        await show_tab(at, ObjectRef("InferenceCall", call), "request")
        ref = at.screen.detail.payload
        assert ref is not None
        before = at.screen.detail.payload_tree.data
        (bundle / ref.place).write_bytes(before.replace(b'"', b' "', 1))
        await at.press("R")
        check_body(at)
        assert at.screen.detail.payload_tree.data != before


@pytest.mark.quick
async def test_an_object_that_a_shorter_log_does_not_have_is_said_to_be_gone(bundle: Path) -> None:
    async with inspecting(bundle) as at:
        index = index_of(at)
        last = index.contents[index.trace.root_thread_id].calls[-1]
        ref = ObjectRef("InferenceCall", last.inference_call_id)
        await show_tab(at, ref, "response")
        heading = at.screen.detail.heading
        whole = cut(bundle, 60)
        await at.press("R")
        assert at.screen.detail.ref is None
        text = "\n".join(at.screen_text())
        assert f"{heading} is not in what is shown now." in text
        assert not at.screen.detail.payload_tree.display
        for key in ("h", "l", "enter", "y", "y", "j", "escape"):
            await at.press(key)
        (bundle / "trace.jsonl").write_bytes(whole)
        at.screen.panes.activate(at.screen.detail)
        await at.press("R")
        assert at.screen.detail.ref == ref
        check_body(at)


@pytest.mark.quick
async def test_the_next_object_is_shown_in_the_tab_of_the_same_name(bundle: Path) -> None:
    async with inspecting(bundle) as at:
        await show_tab(at, first_call(index_of(at)), "response")
        before = at.screen.detail.payload_tree.data
        await at.press("2", ")")
        check_body(at)
        assert at.screen.detail.tabs.shown.name == "response"
        assert at.screen.detail.payload_tree.data != before


async def test_what_is_still_being_read_is_shown_in_the_newer_view(bundle: Path) -> None:
    """A view that comes while a payload is read must not leave `reading ...` for ever."""
    async with inspecting(bundle) as at:
        detail = at.screen.detail
        at.screen.jumping.jump(first_call(index_of(at)))
        detail._turn_to(next(tab for tab in detail.tabs.all if tab.name == "request"))
        detail.forget()
        detail._detail = describe(index_of(at), ObjectRef("Thread", index_of(at).trace.root_thread_id))
        detail.refresh_view()
        await at.settle()
        check_body(at)
        assert "reading ..." not in "\n".join(at.screen_text())


@pytest.mark.quick
async def test_the_links_of_a_problem_live_with_the_view(shared_dir: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(shared_dir / "vectors/208-bad-tool-call-id/bundle", tmp_path / "bundle")
    async with inspecting(copy) as at:
        await at.press("i", "enter")
        rows = at.rows(at.screen.detail.facts)
        names = [tab.name for tab in at.screen.detail.tabs.all]
        assert any(row.startswith("tool call ") for row in rows)
        await at.press("R")
        assert at.rows(at.screen.detail.facts) == rows
        assert [tab.name for tab in at.screen.detail.tabs.all] == names
        log = copy / "trace.jsonl"
        at.screen.reader.follow()
        last = log.read_bytes().splitlines()[-1]
        with log.open("ab") as file:
            file.write(b"\n" * 3 + last + b"\n")
        await until(lambda: len(index_of(at).reduction.problems) > 1, pause=at.pilot.pause)
        at.screen.reader.stop_following()
        await at.settle()
        assert at.rows(at.screen.detail.facts)[: len(rows)] == rows


@pytest.mark.parametrize("demo", ["team", "capped", "hostile", "schema-1", "schema-2", "quickstart"])
def test_no_two_tabs_of_an_object_have_one_name(demo: str) -> None:
    timelines = Session(DEMOS / demo).load(lambda done, total: None)
    index, trace = timelines.index, timelines.index.trace
    ids = {
        "Thread": trace.threads,
        "InferenceCall": trace.inference_calls,
        "ToolCall": trace.tool_calls,
        "CodeCell": trace.code_cells,
        "ConversationItem": trace.conversation_items,
        "TerminalOperation": trace.terminal_operations,
        "Compaction": trace.compactions,
        "CompactionRequest": trace.compaction_requests,
        "InteractionEdge": trace.interaction_edges,
        "Problem": index.lookups.problem_ids,
    }
    several = 0
    for ref in (ObjectRef(type_, one) for type_, some in ids.items() for one in some):
        tabs = tabs_of(index, describe(index, ref, timelines.links), [])
        names = [tab.name for tab in tabs]
        assert len(set(names)) == len(names), (ref, names)
        assert len({tab.key for tab in tabs}) == len(tabs)
        several += any(name.startswith("runtime ") for name in names)
    assert several or demo in ("hostile", "schema-1", "schema-2", "quickstart")
