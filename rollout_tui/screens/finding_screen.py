"""Finding things in a bundle: search, filter, commands, marks of the way back."""

from __future__ import annotations

from typing import assert_never

from reducer import ObjectRef
from reducer.wire.payload_refs import PayloadRef
from rollout_tui.screens.going_screen import GoingScreen
from rollout_tui.screens.prompt import Prompt, checked_by
from rollout_tui.session import Session
from rollout_tui.views.commands import (
    AsOf,
    AsOfNow,
    Command,
    GoToAgent,
    GoToNumber,
    Quit,
    ShowHelp,
    ShowProblems,
    Write,
    agent_named,
    command_completions,
    parse_command,
)
from rollout_tui.views.filters import FilterRefused, completions, parse_filter
from rollout_tui.views.landing import gone_words, landing_at, missing_words
from rollout_tui.views.language import InputRefused
from rollout_tui.views.numbers import numbered
from rollout_tui.views.places import History, Place
from rollout_tui.views.search.query import RegexQuery, parse_query
from rollout_tui.views.search.search import Hit
from rollout_tui.widgets.history_input import InputHistories
from rollout_tui.widgets.line_view import LineView


class FindingScreen(GoingScreen):
    """Finds places, and remembers those that were left.

    Attributes:
        history: the places that were left by a jump.
    """

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.history = History()
        self._inputs = InputHistories()

    def here(self) -> Place:
        """Where the reader is."""
        entry, shown = self.timeline.entry, self.detail.ref
        return Place(
            self.timeline.thread_id or "",
            None if entry is None else entry.ref,
            0 if entry is None else entry.seq,
            self.active.pane.name.lower(),
            None if entry is not None and shown == entry.ref else shown,
            self.timeline.shows_all,
        )

    def jump(self, ref: ObjectRef, at: ObjectRef | None = None) -> bool:
        """Show an object, and remember where the reader was; say so if it is not there, or not just there.

        Args:
            ref: the object.
            at: an entry of the timeline from which it can be seen in the context, if another than its own.

        Returns:
            Whether it is there.
        """
        timelines = self.timelines
        if timelines is None or not timelines.index.has(ref):
            self.tell(gone_words(ref))
            return False
        self.history.leave(self.here())
        if at is not None:
            self.go_to(at)
        self.tell(self.show_problem(ref) if ref.type == "Problem" else self.go_to(ref))
        return True

    def jump_to_seq(self, seq: int) -> None:
        """Go to what happened at a sequence number, and remember where the reader was; or say why not."""
        timelines = self.timelines
        if timelines is None:
            return
        landing = landing_at(timelines, seq, self.timeline.thread_id)
        if landing.is_missing:
            self.say(f"{landing.words}{self.when()}", bad=True)
            return
        self.history.leave(self.here())
        self.tell(self.go_to_seq(seq))
        entry = self.timeline.entry
        if entry is not None:
            self.show_detail(entry.ref)

    def jump_to_payload(self, ref: PayloadRef) -> None:
        """Show a payload at what it is evidence of, and remember where the reader was."""
        self.history.leave(self.here())
        self.tell(self.go_to_payload(ref))

    # Search

    def action_search_everything(self) -> None:
        """Search items, tool arguments and results, raw payloads and ids."""
        from rollout_tui.screens.search import SearchScreen

        def found(hit: Hit | None) -> None:
            if hit is not None:
                self._show_found(hit, screen.input.value)

        timelines = self.timelines
        if timelines is not None:
            read = self.session.bundle.payloads.own_json
            screen = SearchScreen(timelines.index, read, self._inputs.of("search"))
            self.app.push_screen(screen, found)

    def _show_found(self, hit: Hit, query: str) -> None:
        """Jump to a hit; one that stands in a payload is shown there, with the cursor on its value."""
        timelines, ref = self.timelines, hit.ref
        if ref.type == "Event" and timelines is not None and timelines.index.has(ref):
            self.jump_to_seq(hit.seq)
            self.show_detail(ref)
        elif not self.jump(ref):
            return
        if hit.payload is not None:
            self.detail.show_payload(hit.payload, hit.path)
            self.activate(self.detail)
            match = hit.match
            is_expression = isinstance(parse_query(query), RegexQuery)
            found = match.excerpt[match.start : match.end] if is_expression else query.lower()
            self.mark_found(self.detail.payload_tree, found)

    def leaving_for_hit(self, view: LineView) -> None:
        """A hit in one of the lists is another place; one in a text or a payload is not."""
        if view in (self.threads.list, self.timeline.list, self.context.list):
            self.history.leave(self.here())

    # Filter

    def action_filter(self) -> None:
        """Ask for a filter of the timeline's rows; an empty one shows them all."""

        def answered(text: str | None) -> None:
            if text is not None:
                self.set_filter(text)

        paths = self._agent_paths()
        prompt = Prompt(
            "&",
            self._inputs.of("filter"),
            checked_by(parse_filter, FilterRefused),
            complete=lambda text: completions(text, paths),
            text=self.timeline.filter.text,
            hint="word, !word, kind:tool, status:failed, agent:name; an empty line shows every row",
            empty_is_answer=True,
        )
        self.app.push_screen(prompt, answered)

    def set_filter(self, text: str) -> None:
        """Show only the rows of the timeline that pass a filter."""
        if self.timelines is not None:
            self.timeline.set_filter(self.timelines, parse_filter(text))
            self.follow_entry()

    def _agent_paths(self) -> list[str]:
        return [] if self.timelines is None else [one.agent_path for one in self.timelines.index.threads]

    # Commands

    def action_command(self) -> None:
        """Ask for a command."""

        def answered(text: str | None) -> None:
            if text:
                self._obey(parse_command(text))

        paths = self._agent_paths()
        prompt = Prompt(
            ":",
            self._inputs.of("command"),
            checked_by(parse_command, InputRefused),
            complete=lambda text: command_completions(text, paths),
            hint="seq 812, call 3, 50%, agent name, item 12, payload 33, export context; tab completes",
        )
        self.app.push_screen(prompt, answered)

    def _obey(self, command: Command) -> None:
        match command:
            case GoToNumber():
                self._go_to_number(command)
            case AsOf():
                self.post_message(self.MomentWanted(command.percent))
            case AsOfNow():
                self.post_message(self.MomentWanted())
            case GoToAgent():
                self._go_to_agent(command.name)
            case ShowProblems():
                self.call_later(self.run_action, "problems")
            case ShowHelp():
                self.call_later(self.run_action, "app.help")
            case Quit():
                self.app.exit(0)
            case Write():
                self.write(command)
            case _:
                assert_never(command)

    def _go_to_number(self, command: GoToNumber) -> None:
        if self.timelines is None:
            return
        index, thread_id = self.timelines.index, self.timeline.thread_id or ""
        found = numbered(index, thread_id, command)
        if command.what == "seq":
            self.jump_to_seq(command.number)
        elif found is None:
            self.say(f"{missing_words(index, thread_id, command)}{self.when()}", bad=True)
        elif isinstance(found, int):
            self.jump_to_seq(found)
        elif found.type == "Payload":
            self.jump_to_payload(index.trace.raw_payloads[found.id])
        else:
            self.jump(found)

    def _go_to_agent(self, name: str) -> None:
        try:
            path = agent_named(name, self._agent_paths())
        except InputRefused as error:
            self.say(str(error), bad=True)
            return
        if self.timelines is not None:
            threads = self.timelines.index.threads
            self.jump(ObjectRef("Thread", next(one.thread_id for one in threads if one.agent_path == path)))
