"""Groups of actions without a screen: each gets only what it asks for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reducer import ObjectRef
from reducer.wire.payload_refs import PayloadRef
from rollout_tui.insight.contexts.seen import Wanted
from rollout_tui.insight.timeline.entries import Entry
from rollout_tui.screens.actions.commands import Commands
from rollout_tui.screens.actions.jumping import Jumping
from rollout_tui.screens.actions.reading import Reading
from rollout_tui.screens.prompt import Prompt
from rollout_tui.session import Session
from rollout_tui.views.places import PaneName, Place
from rollout_tui.views.timeline import Timelines


class Desk:
    """A screen and panes that only note what they are asked for."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.timelines: Timelines | None = session.load(lambda _done, _total: None)
        self.entry: Entry | None = self.timelines.tree(None).values[0]
        self.subject: ObjectRef | None = self.entry.ref
        self.thread_id = self.timelines.index.trace.root_thread_id
        self.said: list[str] = []
        self.went: list[object] = []
        self.opened: list[tuple[Any, Callable[[Any], None]]] = []
        self.awaited: Callable[[str], None] | None = None

    def say(self, sentence: str, *, bad: bool = False) -> None:
        self.said.append(sentence)

    def await_key(
        self, hint: str, answer: Callable[[str], None], *, refusal: str = "nothing was done"
    ) -> None:
        self.awaited = answer

    def open_above(self, screen: Any, then: Callable[[Any], None]) -> None:
        self.opened.append((screen, then))

    def wanted(self, wanted: Wanted, *_whom: object) -> None:
        self.went.append(wanted)

    def run_key_action(self, name: str) -> None:
        self.went.append(name)

    def here(self) -> Place:
        seq = len(self.went)
        return Place(self.thread_id, self.entry.ref if self.entry else None, seq)

    def give_keys(self, name: PaneName) -> None:
        self.went.append(name)

    def show_detail(self, ref: ObjectRef | None) -> None:
        self.went.append(ref)

    def go_to(self, ref: ObjectRef) -> str:
        self.went.append(ref)
        return ""

    def go_to_seq(self, seq: int) -> str:
        self.went.append(seq)
        return ""

    def go_to_payload(self, ref: PayloadRef) -> str:
        self.went.append(ref)
        return ""

    def go_to_prompt(self, ref: ObjectRef) -> str:
        self.went.append(("prompt", ref))
        return ""

    def return_to(self, place: Place) -> str:
        self.went.append(place)
        return ""


@pytest.fixture
def desk(demo_trace: Callable[[str], Path]) -> Desk:
    return Desk(Session(demo_trace("team")))


@pytest.fixture
def jumping(desk: Desk) -> Jumping:
    return Jumping(desk, desk.session, desk, desk, lambda: " (then)")


def test_a_jump_leads_there_and_back(desk: Desk, jumping: Jumping) -> None:
    assert desk.entry is not None
    here, ref = jumping.here(), desk.entry.ref
    assert jumping.jump(ref)
    assert desk.went == [ref]
    jumping.actions["go_back"]()
    assert desk.went == [ref, here]
    jumping.actions["go_back"]()
    assert desk.said == ["no place to go back to"]


def test_a_jump_to_what_is_gone_says_so_and_of_which_moment_that_is(desk: Desk, jumping: Jumping) -> None:
    assert not jumping.jump(ObjectRef("InferenceCall", "nowhere"))
    assert desk.went == []
    assert desk.said == ["call nowhere is not in what is shown now (then)"]
    assert not jumping.history.can_go_back


def test_each_journey_is_counted_whether_it_leads_anywhere_or_not(desk: Desk, jumping: Jumping) -> None:
    assert desk.entry is not None
    jumping.jump(desk.entry.ref)
    jumping.jump(ObjectRef("InferenceCall", "nowhere"))
    jumping.actions["go_back"]()
    assert jumping.journeys == 3
    jumping.actions["go_back"]()
    assert jumping.journeys == 3, "there was nowhere to go"


def test_marks_take_the_next_key(desk: Desk, jumping: Jumping) -> None:
    here = jumping.here()
    jumping.actions["set_mark"]()
    assert desk.awaited is not None
    desk.awaited("b")
    jumping.actions["go_to_mark"]()
    desk.awaited("b")
    assert desk.went == [here]
    desk.awaited("z")
    assert "no mark z" in desk.said[-1]


@pytest.mark.parametrize(
    ("typed", "asked_for"), [("problems", "problems"), ("help", "help"), ("quit", "quit"), ("q", "quit")]
)
def test_a_command_that_is_a_key_as_well_is_that_key(
    desk: Desk, jumping: Jumping, typed: str, asked_for: str
) -> None:
    moments: list[float | None] = []
    answer = command_line(desk, jumping, moments)
    answer(typed)
    assert desk.went == [asked_for]
    assert moments == []


def test_commands_go_to_who_can_obey_them(desk: Desk, jumping: Jumping) -> None:
    moments: list[float | None] = []
    answer = command_line(desk, jumping, moments)
    answer("50%")
    answer("now")
    answer("")
    answer(None)
    assert moments == [50.0, None]
    assert desk.went == []
    answer("4")
    assert desk.went[0] == 4
    answer("seen file a.py")
    answer("seen item 1")
    answer("seen item 100000")
    assert desk.went[-2:] == [Wanted("file", "a.py"), Wanted("item", "conversation_item:1")]
    assert "there is no item 100000" in desk.said[-1]


def command_line(desk: Desk, jumping: Jumping, moments: list[float | None]) -> Callable[[str | None], None]:
    """Ask for a command, and give what the line would be answered with."""
    commands = Commands(
        desk,
        desk,
        jumping,
        lambda: "",
        write=lambda _command: None,
        look_at=moments.append,
        look_for=desk.wanted,
    )
    commands.actions["command"]()
    prompt, answered = desk.opened.pop()
    assert isinstance(prompt, Prompt)
    return answered


def test_there_is_no_past_of_what_was_not_read(desk: Desk, jumping: Jumping) -> None:
    unread: Any = None
    reading = Reading(desk, unread, desk.session, unread, unread, unread, jumping, None)
    reading.look_at(50)
    reading.look_at(None)
    reading.actions["scrub"]()
    reading.actions["pause"]()
    assert desk.said == [
        "nothing has happened yet",
        "this is how everything is now",
        "nothing has happened yet",
        "nothing is followed: t follows the log",
    ]
