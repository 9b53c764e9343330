"""The main screen: four panes, what stands round them, and the groups of actions that its keys are for."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from textual import on
from textual.app import ComposeResult
from textual.geometry import Size
from textual.message import Message
from textual.reactive import Reactive
from textual.widget import Widget

from rollout_tui import glyphs, keys
from rollout_tui.awaited_work import AwaitingWork
from rollout_tui.insight.tokens.prices import Price
from rollout_tui.language.locations import Place
from rollout_tui.lines.spans import Span, span
from rollout_tui.panes.context import ContextPane
from rollout_tui.panes.detail import DetailPane
from rollout_tui.panes.four_panes import FourPanes
from rollout_tui.panes.pane import Pane
from rollout_tui.panes.timeline import TimelinePane
from rollout_tui.screens.actions.answers import Answers
from rollout_tui.screens.actions.commands import Commands
from rollout_tui.screens.actions.contexts import Contexts
from rollout_tui.screens.actions.copying import COPY, Copying
from rollout_tui.screens.actions.going import Going
from rollout_tui.screens.actions.host import Host
from rollout_tui.screens.actions.jumping import Jumping
from rollout_tui.screens.actions.moving import Moving
from rollout_tui.screens.actions.reading import Reading
from rollout_tui.screens.actions.searches import Searches
from rollout_tui.screens.actions.seeing import Seeing
from rollout_tui.screens.actions.steppers import Steppers
from rollout_tui.screens.actions.way_back import WayBack
from rollout_tui.screens.actions.writing import WRITE, Writing
from rollout_tui.screens.searchable import SearchableScreen
from rollout_tui.screens.sizes import panes_at_once
from rollout_tui.screens.speaking import Actions
from rollout_tui.session import Session
from rollout_tui.texts.short_forms import bundle_name
from rollout_tui.views.overview import overview
from rollout_tui.views.reading_state import ReadingState, state_spans
from rollout_tui.widgets.bars import Bar
from rollout_tui.widgets.line_view import LineView

_NOT_DONE = {COPY: "not copied", WRITE: "not written"}
"""What became of work that died, by its group."""


class InspectorScreen(AwaitingWork, SearchableScreen[str]):
    """Walks through one bundle. Its result is why there is nothing to show; None if the reader left.

    Attributes:
        session: the bundle, and the view of it that is shown.
        panes: shows it, and knows where the reader is.
        going: shows an object in the panes.
        jumping: leads to an object, and back.
        reading: fills the panes.
        reader: reads the bundle.
        searches: finds things.
        groups: all that has actions for its keys.
    """

    AUTO_FOCUS = ""
    """The timeline has the keys first, though it is not the first pane."""

    BINDINGS = [*keys.bindings(keys.Scope.PANES, keys.Scope.APP, keys.Scope.RUN)]

    focused: Reactive[Widget | None] = Reactive(None, repaint=False)
    """The screen is not drawn anew when the keys go elsewhere: what looks different by that draws itself."""

    class ViewShown(Message):
        """A view was made, and is shown now."""

    def __init__(
        self,
        session: Session,
        *,
        at: Place | None = None,
        follow: bool = False,
        is_first: bool = True,
        begins_with_overview: bool = False,
        prices: Mapping[str, Price] | None = None,
    ) -> None:
        """Prepare to show a bundle.

        Args:
            session: the bundle.
            at: where to begin; by default at the beginning.
            follow: whether to show what is added to its log from the start.
            is_first: whether there is nothing below it; else `esc` leaves it, too.
            begins_with_overview: whether the run is told at a glance first, above the panes.
            prices: what tokens cost, by model; None for no prices.
        """
        super().__init__()
        self.session = session
        self._follows = follow
        self._is_first = is_first
        self._begins_with_overview = begins_with_overview
        host, panes = Host(self), FourPanes(session, self)
        self.panes = panes
        self.threads, self.timeline = panes.threads, panes.timeline
        self.context, self.detail = panes.context, panes.detail
        self.going = Going(session, panes)
        self.jumping = Jumping(host, session, panes, self.going, lambda: self.reading.past_words())
        self.reading = Reading(host, self, session, self, panes, self.going, self.jumping, at)
        self.reader = self.reading.reader
        seeing = Seeing(host, session, panes, self.jumping)
        self.searches = Searches(host, session, panes, self.jumping, seeing.look_for)
        self._way_back = WayBack(panes, self.jumping)
        self._steppers = Steppers(host, session, panes, self.jumping, seeing.look_for, self._way_back)
        self._contexts = Contexts(host, panes, self.jumping)
        writing = Writing(host, session, panes)
        commands = Commands(
            host,
            panes,
            self.jumping,
            self.reading.past_words,
            write=writing.obey,
            look_at=self.reading.look_at,
            look_for=seeing.look_for,
        )
        moving = Moving(host, panes, self.going, self.jumping)
        copying = Copying(host, session, panes, writing)
        self._answers = Answers(
            host, session, panes, self.jumping, self._way_back, self.reader, self._run_actions, prices
        )
        leading = (self.jumping, self.searches, self._steppers, self._answers, commands)
        asking = (self._contexts, seeing)
        self.groups = (self.search, moving, *leading, *asking, copying, writing, self.reading)
        self._actions = {name: action for group in self.groups for name, action in group.actions.items()}

    @property
    def actions(self) -> Actions:
        """What its keys do."""
        return self._actions

    def _run_actions(self) -> Actions:
        """What the keys do that are about the run, wherever that is looked at."""
        return {one.name: self._actions[one.name] for one in keys.actions_in(keys.Scope.RUN)}

    def compose(self) -> ComposeResult:
        """Header, breadcrumb, panes, footer."""
        yield Bar(id="header")
        yield Bar(id="breadcrumb")
        yield self.panes
        yield Bar(id="footer")

    def on_mount(self) -> None:
        """Nothing is there yet but the name; the panes are filled when the graph is there."""
        self.reader.read(follow=self._follows)
        self.set_class(glyphs.active().ascii_only, "-ascii")
        self.show_state(self.reader.state)
        self.panes.timeline.focus_view()
        if self._begins_with_overview:
            self._answers.begin()

    def fit_into(self, size: Size) -> None:
        """Four panes, two, or one at a time."""
        super().fit_into(size)
        self.panes.give_places(panes_at_once(size))
        self.show_state(self.reader.state)

    # What stands round the panes

    def show_state(self, state: ReadingState) -> None:
        """Show the run in one line, and how far the reading is."""
        if self.is_mounted:
            name = bundle_name(self.session.recording.path.resolve().name)
            words = overview(self.session.timelines, name, state_spans(state), self.app.size.width)
            self._bar("header").show(words)
            self._answers.state_changed()

    def show_place(self) -> None:
        """Show agent, entry and pane, and in the detail what it shows."""
        timelines, entry = self.session.timelines, self.panes.entry
        if timelines is None:
            return
        mark = span(f" {glyphs.active().separator} ", "muted")
        pane = self.panes.active
        thread_id = self.panes.thread_id if entry is None else entry.thread_id
        parts = [span(f" {timelines.index.thread_path(thread_id)}", "link")]
        if entry is not None:
            parts += [mark, span(f"seq {entry.seq}")]
        parts += [mark, span(pane.own_focus.value, "strong")]
        if pane is self.panes.detail and self.panes.detail.heading.strip():
            parts += [mark, Span(self.panes.detail.heading)]
        self._bar("breadcrumb").show(parts)

    def said_bar(self) -> Bar:
        """The footer."""
        return self._bar("footer")

    def _bar(self, name: str) -> Bar:
        return self.query_one(f"#{name}", Bar)

    def focus_name(self) -> keys.Focus:
        """Which keys hold now."""
        return self.panes.focus_name()

    # What the reader of the bundle tells

    def view_shown(self) -> None:
        """A view was made, and is shown now."""
        self.post_message(self.ViewShown())
        self._answers.view_changed()

    def fail(self, reason: str) -> None:
        """There is nothing to show: leave, and say why."""
        self.pop_until_active()
        self.dismiss(reason)

    def work_failed(self, group: str, reason: str) -> None:
        """Say that what was asked for was not done."""
        if not self.reading.work_failed(group, reason):
            self.say(f"{_NOT_DONE.get(group, 'not found out')}: {reason}", bad=True)

    # Leaving

    def end_search(self) -> bool:
        """Stop a search, or the reading of a payload; say whether there was anything to stop."""
        return super().end_search() or self.panes.detail.payload_tree.stop()

    def action_back(self) -> None:
        """Back one level; while loading, give up."""
        if not (
            self.reader.cancel()
            or self.end_search()
            or self._way_back.lead_back()
            or self.panes.step_back()
            or self.reader.look_now()
            or self._is_first
        ):
            self.dismiss(None)

    def action_leave(self) -> None:
        """Back one level; at the root, leave."""
        if not self.panes.step_back():
            self.dismiss(None)

    # What search and counted keys ask for

    def leaving_for_hit(self, view: LineView) -> None:
        """A hit in one of the lists is another place; one in a text or a payload is not."""
        if view in self.panes.lists:
            self.jumping.leave()

    def undo_of_switch(self) -> Callable[[], None]:
        """What leads back to this pane."""
        here = self.panes.here()

        def back() -> None:
            self.going.return_to(here)

        return back

    def position(self) -> object:
        """The row, and the entry: a step may lead to another agent."""
        entry = self.panes.entry
        return super().position(), None if entry is None else entry.ref

    # What the panes ask for

    @on(DetailPane.LinkFollowed)
    def _link_followed(self, message: DetailPane.LinkFollowed) -> None:
        self.jumping.jump(message.ref)

    @on(TimelinePane.Missed)
    def _missed(self, message: TimelinePane.Missed) -> None:
        self.jumping.tell(self.going.missed_words(message.ref))

    @on(ContextPane.PrefixOpened)
    def _prefix_opened(self, message: ContextPane.PrefixOpened) -> None:
        self._contexts.show_prefix(message.prefix)

    @on(Pane.WorkFailed)
    def _work_failed(self, message: Pane.WorkFailed) -> None:
        self.say(message.sentence, bad=True)
