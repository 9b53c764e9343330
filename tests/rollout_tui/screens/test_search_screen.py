"""The search screen, as a reader uses it."""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from inspecting import NARROW, WIDE, Inspection, inspecting
from patience import STAYS, until
from snapshot_support import assert_text_snapshot

from reducer import ObjectRef, open_bundle
from reducer.wire.payload_refs import PayloadRef
from rollout_tui.insight.contexts.seen import Wanted
from rollout_tui.insight.search.query import parse_query
from rollout_tui.insight.search.search import Hit, Search, Where
from rollout_tui.screens.search import SearchScreen
from rollout_tui.widgets.history_input import InputHistory

Demo = Callable[[str], Path]


class Searching:
    """A search screen above a running inspector, and the hit it gave."""

    def __init__(self, inspection: Inspection, screen: SearchScreen, asked: list[Wanted]) -> None:
        self.inspection = inspection
        self.screen = screen
        self.answers: list[Hit | None] = []
        self.asked = asked

    async def wait_for(self, gate: Gate, rows: int) -> None:
        """Wait until a gate stops the search, and what was found until then is shown."""
        await until(
            lambda: gate.reads > gate.free and len(self.rows) >= rows and "searching" in self.progress,
            lambda: f"{gate.reads} reads, {len(self.rows)} rows, {self.progress}",
            self.inspection.pilot.pause,
        )

    async def press(self, *keys: str) -> None:
        await self.inspection.press(*keys)

    async def type(self, text: str) -> None:
        """Type a text, and wait until what it finds is shown."""
        await self.inspection.pilot.press(*("space" if char == " " else char for char in text))
        await self.begun()
        await self.inspection.settle()

    async def begun(self) -> None:
        """Wait until what was typed is searched for: not before the reader pauses."""
        await until(lambda: self.screen._timer is None, pause=self.inspection.pilot.pause)

    @property
    def rows(self) -> list[str]:
        return self.inspection.rows(self.screen.results)

    @property
    def progress(self) -> str:
        return self.inspection.screen_text()[1].strip()


@asynccontextmanager
async def searching(
    bundle: Path,
    size: tuple[int, int] = WIDE,
    *,
    read: Callable[[PayloadRef], bytes] | None = None,
    history: InputHistory | None = None,
    text: str = "",
) -> AsyncIterator[Searching]:
    asked: list[Wanted] = []
    async with inspecting(bundle, size) as inspection:
        session = inspection.screen.session
        assert session.timelines is not None
        reader = read or session.recording.read_payload
        screen = SearchScreen(
            session.timelines.index, reader, lambda _screen, wanted: asked.append(wanted), history, text
        )
        found = Searching(inspection, screen, asked)
        inspection.app.push_screen(screen, found.answers.append)
        await inspection.settle()
        yield found


class Gate:
    """A slow reader of payloads, which stops after some until it is let go on."""

    def __init__(self, bundle: Path, free: int) -> None:
        self.bundle = open_bundle(bundle)
        self.free = free
        self.reads = 0
        self.open = threading.Event()

    def read(self, ref: PayloadRef) -> bytes:
        self.reads += 1
        time.sleep(0.003)
        if self.reads > self.free:
            self.open.wait(STAYS)
        return self.bundle.read_payload(ref)


@pytest.mark.parametrize("size", [WIDE, NARROW])
async def test_hits_appear_while_typing(demo_trace: Demo, size: tuple[int, int]) -> None:
    async with searching(demo_trace("team"), size) as found:
        assert found.screen.input.has_focus
        await found.type("429 too many")
        assert found.progress.startswith("6 hits  in 416 of 416 payloads, 1.1 MB")
        assert len(found.rows) == 6
        assert all("429 Too Many Requests" in row for row in found.rows)
        assert "inference failed" in found.inspection.screen_text()[-2]
        assert all(len(line) <= size[0] for line in found.inspection.screen_text())


@pytest.mark.parametrize(("size", "name"), [(WIDE, "wide"), (NARROW, "narrow")])
async def test_what_the_screen_shows(demo_trace: Demo, size: tuple[int, int], name: str) -> None:
    async with searching(demo_trace("team"), size) as found:
        await found.type("sweeper.py")
        await found.press("enter", "j")
        lines = [line.rstrip() for line in found.inspection.screen_text()]
        assert_text_snapshot(lines, f"views/search-{name}")


async def test_enter_opens_the_hit_under_the_cursor(demo_trace: Demo) -> None:
    async with searching(demo_trace("team")) as found:
        await found.type("429 too many")
        await found.press("enter")
        assert found.screen.results.has_focus
        await found.press("j", "enter")
        (hit,) = found.answers
        assert hit is not None
        assert hit.ref.type == "Event"
        assert hit.payload is not None
        assert hit.path == ("message",)
        assert found.inspection.app.screen is found.inspection.screen


async def test_an_id_is_the_first_hit(demo_trace: Demo) -> None:
    async with searching(demo_trace("team")) as found:
        await found.type("conversation_item:12")
        await found.press("enter", "enter")
        (hit,) = found.answers
        assert hit is not None
        assert (hit.where, hit.ref) == (Where.ID, ObjectRef("ConversationItem", "conversation_item:12"))


async def test_typing_again_begins_anew(demo_trace: Demo) -> None:
    async with searching(demo_trace("team")) as found:
        await found.type("sweeper")
        many = len(found.rows)
        await found.type(" test that nothing says")
        assert found.rows == []
        assert found.progress.startswith("0 hits  in 416 of 416")
        assert "Nothing was found." in "".join(found.inspection.screen_text())
        for _char in " test that nothing says":
            await found.inspection.pilot.press("backspace")
        await found.type("")
        assert len(found.rows) == many


async def test_one_character_is_searched_for_only_on_enter(demo_trace: Demo) -> None:
    async with searching(demo_trace("quickstart")) as found:
        await found.type("z")
        assert found.progress == ""
        await found.press("enter")
        assert "in " in found.progress
        assert found.rows


async def test_what_cannot_be_searched_for_says_why(demo_trace: Demo) -> None:
    async with searching(demo_trace("quickstart")) as found:
        await found.type("/(a+)+/")
        assert found.progress == "A repeat around a choice or another repeat could take forever."
        await found.press("enter")
        assert found.screen.input.has_focus
        assert found.rows == []


@pytest.mark.quick
async def test_escape_ends_a_search_before_it_closes(
    demo_trace: Demo,
) -> None:
    bundle = demo_trace("team")
    gate = Gate(bundle, free=120)
    async with searching(bundle, read=gate.read) as found:
        pilot = found.inspection.pilot
        await pilot.press(*"sweeper")
        await found.wait_for(gate, rows=3)
        assert " of 416 payloads" in found.progress
        await pilot.press("enter", "j", "escape")
        await pilot.pause()
        part = found.rows
        assert found.answers == [], "it only ended the search"
        assert found.progress.startswith(f"{len(part)} hits  ended after 120 of 416 payloads")
        gate.open.set()
        await found.inspection.settle()
        assert found.rows == part, "what was found stays, nothing is added"
        assert gate.reads <= 122
        assert found.screen.results.cursor == 1
        await pilot.press("escape")
        await pilot.pause()
        assert found.answers == [None]


async def test_the_cursor_stays_when_hits_arrive(demo_trace: Demo) -> None:
    bundle = demo_trace("team")
    gate = Gate(bundle, free=120)
    async with searching(bundle, read=gate.read) as found:
        pilot = found.inspection.pilot
        await pilot.press(*"sweeper", "enter")
        await found.wait_for(gate, rows=4)
        await pilot.press("j", "j")
        before, row = len(found.rows), found.inspection.row(found.screen.results)
        gate.open.set()
        await found.inspection.settle()
        assert len(found.rows) > before
        assert found.inspection.row(found.screen.results) == row


async def test_a_hit_can_be_opened_before_the_search_is_done(demo_trace: Demo) -> None:
    bundle = demo_trace("team")
    gate = Gate(bundle, free=120)
    async with searching(bundle, read=gate.read) as found:
        pilot = found.inspection.pilot
        await pilot.press(*"sweeper", "enter")
        await found.wait_for(gate, rows=1)
        await pilot.press("enter")
        await pilot.pause()
        assert found.answers[0] is not None
        gate.open.set()
        await found.inspection.settle()
        assert gate.reads <= 122


@pytest.mark.quick
async def test_tab_goes_between_the_line_and_the_hits(demo_trace: Demo) -> None:
    async with searching(demo_trace("quickstart")) as found:
        await found.type("the")
        await found.press("tab")
        assert found.screen.results.has_focus
        await found.press("tab")
        assert found.screen.input.has_focus
        await found.press("tab", "q")
        assert found.answers == [None], "q closes, as everywhere else"


@pytest.mark.quick
async def test_searches_are_remembered(demo_trace: Demo) -> None:
    history = InputHistory()
    async with searching(demo_trace("quickstart"), history=history) as found:
        await found.type("first search")
        await found.press("enter")
    async with searching(demo_trace("quickstart"), history=history) as found:
        await found.press("up")
        assert found.screen.input.value == "first search"


async def test_a_text_can_be_given(demo_trace: Demo) -> None:
    async with searching(demo_trace("team"), text="429 too many") as found:
        assert len(found.rows) == 6


@pytest.mark.parametrize(("demo", "unreadable"), [("hostile", 45), ("hostile-2", 26)])
async def test_payloads_that_cannot_be_read_are_counted(demo_trace: Demo, demo: str, unreadable: int) -> None:
    bundle = demo_trace(demo)
    async with searching(bundle, NARROW) as found:
        await found.type("title")
        assert f"{unreadable} payloads unreadable" in found.progress
        assert found.rows
        await found.press("enter", "G")
        assert all(line.isprintable() for line in found.inspection.screen_text())


@pytest.mark.quick
async def test_a_fault_of_the_search_is_said(demo_trace: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_self: Search) -> None:
        raise KeyError("secret")

    monkeypatch.setattr(Search, "steps", broken)
    async with searching(demo_trace("quickstart")) as found:
        await found.type("the")
        fault = "The search ended by a fault of this program: KeyError"
        await until(lambda: found.progress == fault, lambda: found.progress, found.inspection.pilot.pause)


async def test_the_screen_and_the_search_agree(demo_trace: Demo) -> None:
    async with searching(demo_trace("team")) as found:
        await found.type("spawn")
        session = found.inspection.screen.session
        assert session.timelines is not None
        search = Search(session.timelines.index, parse_query("spawn"), session.recording.read_payload)
        assert len([hit for hits in search.steps() for hit in hits]) == len(found.rows)


@pytest.mark.quick
async def test_v_asks_who_saw_what_was_found(demo_trace: Demo) -> None:
    async with searching(demo_trace("team")) as search:
        await search.press(*"Sweep", "v", "enter")
        assert search.screen.input.value == "Sweepv"
        await search.press("v")
        assert "nothing is found" in search.inspection.screen_text()[-1]
        await search.press("tab", "backspace", *"Sweep", "enter")
        await search.press("v")
        assert search.asked == [Wanted("text", "sweep")]


async def test_v_asks_who_saw_the_object_of_an_id(demo_trace: Demo) -> None:
    async with searching(demo_trace("team")) as search:
        ids = search.inspection.screen.session.timelines.index.trace  # type: ignore[union-attr]
        item = next(iter(ids.conversation_items))
        await search.type(item)
        await search.press("enter", "v")
        assert search.asked == [Wanted("item", item)]
        await search.press("tab", *["backspace"] * len(item))
        await search.type(ids.root_thread_id)
        await search.press("enter", "v")
        assert len(search.asked) == 1
        assert "an id of an item or of a tool call" in search.inspection.screen_text()[-1]
