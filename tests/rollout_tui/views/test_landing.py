"""Where a jump by a number leads: to just that, or it is said where it has led and why."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from bundle_builder import ROOT, BundleBuilder, message
from hypothesis import given, settings
from hypothesis import strategies as st
from inspecting import Inspection, inspecting
from places import REPOSITORY

from rollout_tui.language.commands import GoToNumber
from rollout_tui.session import Session
from rollout_tui.views.landing import landing_at, missing_words
from rollout_tui.views.timeline import Timelines

TEAM = REPOSITORY / "demo_traces/team"


def loaded(bundle: Path) -> Timelines:
    return Session(bundle).load(lambda done, total: None)


def said(at: Inspection) -> str:
    """What is on the screen as one line: a long sentence takes several rows."""
    return " ".join(" ".join(at.screen_text()).split())


async def command(at: Inspection, text: str) -> None:
    await at.press(":")
    await at.press(*text, "enter")


def where(at: Inspection) -> tuple[object, ...]:
    entry = at.screen.timeline.entry
    return at.screen.timeline.thread_id, None if entry is None else entry.ref, at.screen.detail.ref


# Pure


def test_every_event_leads_to_what_it_tells_of(team_timelines: Timelines) -> None:
    """A hand-written oracle: the object that an event names in its own fields."""
    index, trace = team_timelines.index, team_timelines.index.trace
    for event in index.reduction.provenance.events:
        landing = landing_at(team_timelines, event.seq, None)
        assert landing.entry is not None
        assert not landing.is_missing
        if landing.entry.seq == event.seq:
            assert (landing.is_its_own, landing.words) == (True, "")
            continue
        assert landing.words.startswith(f"seq {event.seq}, {event.kind}")
        if event.kind.startswith("inference_"):
            assert trace.inference_calls[landing.entry.ref.id].execution.ended_seq == event.seq
        elif event.kind == "tool_call_ended":
            call = trace.tool_calls[landing.entry.ref.id]
            assert call.execution.ended_seq == event.seq
        elif event.kind == "codex_turn_ended":
            assert trace.codex_turns[landing.entry.ref.id].execution.ended_seq == event.seq
        if landing.is_its_own:
            assert f"seq {landing.entry.seq}" in landing.words
        else:
            near = "last one before" if landing.entry.seq <= event.seq else "first one after"
            assert landing.words.endswith(f"has no entry; this is the {near} it")


@settings(max_examples=60, deadline=None)
@given(seq=st.integers(0, 2**63 - 1))
def test_no_number_leads_nowhere_without_a_word(team_timelines: Timelines, seq: int) -> None:
    landing = landing_at(team_timelines, seq, team_timelines.index.trace.root_thread_id)
    event = team_timelines.index.event_at(seq)
    assert landing.is_missing is (event is None)
    assert landing.entry is not None
    assert landing.entry.seq == seq or landing.words


def test_a_number_that_was_refused_leads_to_its_problem(tmp_path: Path) -> None:
    builder = BundleBuilder(tmp_path / "bundle")
    builder.thread()
    refused = builder.turn_ended()
    landing = landing_at(loaded(builder.write()), refused, ROOT)
    assert landing.entry is not None
    assert landing.entry.ref.type == "Problem"
    assert landing.words == ""


def test_of_a_log_without_events_that_is_said(tmp_path: Path) -> None:
    builder = BundleBuilder(tmp_path / "bundle")
    landing = landing_at(loaded(builder.write()), 5, None)
    assert landing.entry is None
    assert landing.words == "no event of the log could be applied"


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (GoToNumber("seq", 9999), "there is no seq 9999: what is shown goes from 1 to "),
        (GoToNumber("seq", 0), "there is no seq 0: what is shown goes from 1 to "),
        (GoToNumber("line", 9999), "there is no event on line 9999"),
        (GoToNumber("call", 99), "there is no call 99 of /root: it has 20 calls"),
        (GoToNumber("turn", 99), "there is no turn 99 of /root: it has 4 turns"),
        (GoToNumber("item", 9999), "there is no item 9999: the bundle has "),
        (GoToNumber("payload", 9999), "there is no payload 9999: no event that was applied refers to one"),
    ],
)
def test_what_there_is_instead_is_said(team_timelines: Timelines, wanted: GoToNumber, words: str) -> None:
    index = team_timelines.index
    assert missing_words(index, index.trace.root_thread_id, wanted).startswith(words)


# In the inspector


@pytest.mark.slow
@pytest.mark.parametrize("seq", [46, 98, 138, 262])
async def test_one_number_has_one_meaning(seq: int) -> None:
    """`:seq N`, `:N`, `#N`, `:go N` and `--at N` go there, and none of them travels."""
    places = []
    for text in (f"seq {seq}", f"{seq}", f"#{seq}", f"go {seq}"):
        async with inspecting(TEAM) as at:
            await command(at, text)
            assert at.screen.reader.state.past_seq is None
            places.append((where(at), said(at).rpartition("seq 4")[2][-60:]))
    async with inspecting(TEAM, at=seq) as at:
        assert at.screen.reader.state.past_seq is None
        places.append((where(at), said(at).rpartition("seq 4")[2][-60:]))
    assert len({place for place, _ in places}) == 1, places


@pytest.mark.slow
async def test_a_jump_to_an_event_within_an_entry_says_so() -> None:
    async with inspecting(TEAM) as at:
        timelines = at.screen.session.timelines
        assert timelines is not None
        call = next(iter(timelines.index.trace.tool_calls.values()))
        await command(at, f"seq {call.execution.ended_seq}")
        began = call.execution.started_seq
        assert f"tool_call_ended: it is of this entry, seq {began}" in said(at)
        assert at.screen.timeline.entry is not None
        assert at.screen.timeline.entry.seq == began
        await command(at, f"seq {began}")
        assert "it is of this entry" not in said(at)


@pytest.mark.slow
async def test_a_number_that_is_not_there_moves_nothing() -> None:
    async with inspecting(TEAM) as at:
        await at.press("j", "j")
        before = where(at)
        await command(at, "9999")
        assert "there is no seq 9999" in said(at)
        assert where(at) == before
        assert not at.screen.jumping.history.can_go_back
    async with inspecting(TEAM, at=9999) as at:
        assert "there is no seq 9999" in said(at)


@pytest.mark.slow
async def test_a_payload_is_shown_at_what_it_is_evidence_of() -> None:
    async with inspecting(TEAM) as at:
        timelines = at.screen.session.timelines
        assert timelines is not None
        trace = timelines.index.trace
        call = list(trace.inference_calls.values())[-1]
        await command(at, f"payload {str(call.raw_response_payload_id).rpartition(':')[2]}")
        detail = at.screen.detail
        assert detail.ref is not None
        assert detail.ref.id == call.inference_call_id
        assert detail.tabs.shown.name == "response"
        assert detail.payload_tree.data == at.screen.session.payload(
            trace.raw_payloads[str(call.raw_response_payload_id)]
        )
        assert at.screen.timeline.thread_id == call.thread_id


@pytest.mark.slow
async def test_a_payload_of_an_event_without_an_entry_is_shown_and_said_to_be_its() -> None:
    async with inspecting(TEAM) as at:
        timelines = at.screen.session.timelines
        assert timelines is not None
        events = timelines.index.reduction.provenance.events
        event = next(
            event
            for event in events
            if event.kind == "protocol_event_observed"
            and not landing_at(timelines, event.seq, None).is_its_own
        )
        [ref] = event.payloads
        await command(at, f"payload {ref.raw_payload_id.rpartition(':')[2]}")
        assert f"{ref.raw_payload_id} is of seq {event.seq}, protocol_event_observed {event.note}" in said(at)
        assert "has no entry" in said(at)
        detail = at.screen.detail
        assert detail.ref is not None
        assert (detail.ref.type, detail.ref.id) == ("Event", str(event.seq))
        assert detail.payload_tree.data == at.screen.session.payload(ref)


@pytest.mark.slow
async def test_a_part_of_payloads_says_that_no_event_names_it() -> None:
    async with inspecting(TEAM) as at:
        await command(at, "payload 6")
        assert "no event names raw_payload:6 by itself: it is a part of other payloads" in said(at)
        assert at.screen.detail.ref is not None
        assert at.screen.detail.ref.type == "Payload"


@pytest.mark.slow
@pytest.mark.parametrize("text", ["call 3", "turn 2", "seq 262"])
async def test_what_the_filter_hides_is_said_to_be_hidden(text: str) -> None:
    async with inspecting(TEAM) as at:
        await at.press("&", *"no such row", "enter")
        await command(at, text)
        assert "does not pass the filter &no such row" in said(at)


async def test_what_the_filter_hides_is_said_when_the_rows_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rollout_tui.panes.timeline.FILTERED_AT_ONCE", 0)
    async with inspecting(TEAM) as at:
        await at.press("&", *"kind:tool", "enter")
        timelines = at.screen.session.timelines
        assert timelines is not None
        at.screen.searches.set_filter("kind:turn")
        at.screen.jumping.jump(next(e.ref for e in timelines.tree(None).values if e.ref.type == "ToolCall"))
        await at.settle()
        assert "does not pass the filter &kind:turn" in said(at)


@pytest.mark.slow
async def test_commands_name_the_agent_that_they_count_for() -> None:
    async with inspecting(TEAM) as at:
        await command(at, "agent repro")
        await command(at, "call 99")
        assert "there is no call 99 of /root/repro: it has " in said(at)


@pytest.mark.slow
@pytest.mark.parametrize("text", ["call 14", "item 100", "line 300", "seq 300", "payload 200"])
async def test_in_the_past_it_is_said_that_it_is_the_past(text: str) -> None:
    async with inspecting(TEAM) as at:
        at.screen.reader.look_back(20)
        await at.settle()
        await command(at, text)
        assert "(shown as of seq 20; esc shows everything as it is now)" in said(at)


@pytest.mark.slow
async def test_an_event_of_a_call_leads_into_the_agent_of_the_call(tmp_path: Path) -> None:
    """The end of a call names no thread, neither in its envelope nor by itself."""
    copy = shutil.copytree(TEAM, tmp_path / "team")
    timelines = loaded(copy)
    index = timelines.index
    other = next(
        one for one in index.trace.inference_calls.values() if one.thread_id != index.trace.root_thread_id
    )
    async with inspecting(copy) as at:
        await command(at, f"seq {other.execution.ended_seq}")
        assert at.screen.timeline.thread_id == other.thread_id
        assert at.screen.detail.ref is not None
        assert at.screen.detail.ref.id == other.inference_call_id


def test_a_refused_event_is_a_problem_of_the_agent_that_it_names(tmp_path: Path) -> None:
    builder = BundleBuilder(tmp_path / "bundle")
    builder.thread()
    builder.turn()
    builder.request("i1", [message("x")])
    refused = builder.event("codex_turn_started", codex_turn_id="turn", thread_id=ROOT)
    reduction = builder.reduce()
    assert [(problem.seq, problem.thread_id) for problem in reduction.problems] == [(refused, ROOT)]
