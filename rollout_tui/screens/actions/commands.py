"""The line behind `:`, and what it says is to be done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, assert_never

from reducer import ObjectRef
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.items.prompts import has_prompt
from rollout_tui.insight.numbers import numbered
from rollout_tui.language.asking import OneOf
from rollout_tui.language.commands import (
    AskWhoSaw,
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
from rollout_tui.screens.actions.needs import Actions, JumpsAnywhere, LooksFor, Opens
from rollout_tui.screens.prompt import Prompt, checked_by
from rollout_tui.showing.asked_for import place_asked_for, wanted_by
from rollout_tui.showing.objects import no_prompt_words
from rollout_tui.views.landing import missing_words
from rollout_tui.views.timeline import Timelines
from rollout_tui.widgets.history_input import InputHistory


class Screen(Opens, Protocol):
    """What this needs of the screen."""

    def run_key_action(self, name: str) -> None:
        """Do what the key of an action does, by its name in the table of keys."""


class Shown(Protocol):
    """What this needs to know of what is shown."""

    @property
    def timelines(self) -> Timelines | None:
        """The graph that is shown; None while it is not there."""

    @property
    def thread_id(self) -> str:
        """The agent whose timeline is shown; empty while there is none."""


class Commands:
    """Asks for commands, and hands them to who can obey them."""

    def __init__(
        self,
        screen: Screen,
        shown: Shown,
        jumping: JumpsAnywhere,
        past_words: Callable[[], str],
        *,
        write: Callable[[Write], None],
        look_at: Callable[[float | None], None],
        look_for: LooksFor,
    ) -> None:
        """Prepare to ask.

        Args:
            screen: where it is asked, and said.
            shown: what numbers and names are counted in.
            jumping: leads to places.
            past_words: of which moment the view is, behind a sentence about what is not in it.
            write: writes files.
            look_at: shows everything as of a share of all events, from 0 to 100 percent, or now.
            look_for: finds out who saw something.
        """
        self._screen = screen
        self._shown = shown
        self._jumping = jumping
        self._past_words = past_words
        self._write = write
        self._look_at = look_at
        self._look_for = look_for
        self._typed = InputHistory()

    @property
    def actions(self) -> Actions:
        """What the keys do."""
        return {"command": self._ask}

    def _ask(self) -> None:
        """Ask for a command."""

        def answered(text: str | None) -> None:
            if text:
                self._obey(parse_command(text))

        paths = self._agent_paths()
        prompt = Prompt(
            ":",
            self._typed,
            checked_by(parse_command),
            complete=lambda text: command_completions(text, paths),
            hint="seq 812, call 3, tool 7, 50%, agent name, item 12, export context; tab completes",
        )
        self._screen.open_above(prompt, answered)

    def _agent_paths(self) -> list[str]:
        timelines = self._shown.timelines
        return [] if timelines is None else [one.agent_path for one in timelines.index.threads]

    def _obey(self, command: Command) -> None:
        match command:
            case GoToNumber():
                self._go_to_number(command)
            case GoToObject():
                self._go_to_object(command.wish)
            case AsOf():
                self._look_at(command.percent)
            case AsOfNow():
                self._look_at(None)
            case GoToAgent():
                self._go_to_agent(command.name)
            case AskWhoSaw():
                self._ask_who_saw(command.what)
            case ShowProblems():
                self._screen.run_key_action("problems")
            case ShowHelp():
                self._screen.run_key_action("help")
            case Quit():
                self._screen.run_key_action("quit")
            case Write():
                self._write(command)
            case _:
                assert_never(command)

    def _go_to_number(self, command: GoToNumber) -> None:
        timelines, thread_id = self._shown.timelines, self._shown.thread_id
        if timelines is None:
            return
        found = numbered(timelines.index, thread_id, command)
        if command.what == "seq":
            self._jumping.jump_to_seq(command.number)
        elif found is None:
            words = missing_words(timelines.index, thread_id, command)
            self._screen.say(f"{words}{self._past_words()}", bad=True)
        elif isinstance(found, int):
            self._jumping.jump_to_seq(found)
        elif found.type == "Payload":
            self._jumping.jump_to_payload(timelines.index.trace.raw_payloads[found.id])
        else:
            self._jumping.jump(found)

    def _go_to_object(self, wish: OneOf) -> None:
        """Go to what `show` prints for it; calls and their prompts are those of the agent at the cursor."""
        timelines = self._shown.timelines
        if timelines is None:
            return
        index = timelines.index
        if wish.what == "prompt" and wish.agent is None:
            wish = wish._replace(agent=self._shown.thread_id)
        try:
            found = place_asked_for(index, wish)
            if wish.what == "prompt" and not _has_prompt(index, found):
                raise InputRefused(no_prompt_words(index))
        except InputRefused as refused:
            self._screen.say(f"{refused}{self._past_words()}", bad=True)
            return
        if isinstance(found, int):
            self._jumping.jump_to_seq(found)
        elif wish.what == "prompt":
            self._jumping.jump_to_prompt(found)
        else:
            self._jumping.jump(found)

    def _ask_who_saw(self, what: str) -> None:
        if self._shown.timelines is None:
            return
        try:
            self._look_for(wanted_by(self._shown.timelines.index, what))
        except InputRefused as refused:
            self._screen.say(f"{refused}{self._past_words()}", bad=True)

    def _go_to_agent(self, name: str) -> None:
        try:
            path = agent_named(name, self._agent_paths())
        except InputRefused as error:
            self._screen.say(str(error), bad=True)
            return
        if self._shown.timelines is not None:
            self._jumping.jump(_agent_at(self._shown.timelines.index, path))


def _has_prompt(index: TraceIndex, ref: ObjectRef | int) -> bool:
    return isinstance(ref, ObjectRef) and has_prompt(index.trace.inference_calls[ref.id])


def _agent_at(index: TraceIndex, path: str) -> ObjectRef:
    return ObjectRef("Thread", next(one.thread_id for one in index.threads if one.agent_path == path))
