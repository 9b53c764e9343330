"""Who saw it: an item, what a tool call gave, a text; of an agent, what became of its tasks and answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from textual.worker import get_current_worker

from reducer import ObjectRef
from rollout_tui.insight.agents.delivery import delivery_view
from rollout_tui.insight.contexts.seen import WANTED_OBJECTS, AgentSight, Wanted, who_saw
from rollout_tui.insight.contexts.visibility import visibility_of
from rollout_tui.insight.following.follower import Follower
from rollout_tui.key_order import OPENING
from rollout_tui.screens.actions.needs import Actions, Jumps, Opens, Shown, Works
from rollout_tui.screens.facts_screen import FactsScreen
from rollout_tui.screens.looking import Asker
from rollout_tui.session import Session
from rollout_tui.views.detail.delivery_facts import delivery_facts
from rollout_tui.views.detail.facts import Fact
from rollout_tui.views.detail.visibility_facts import visibility_facts
from rollout_tui.views.seen_rows import counted_words, sight_facts, wanted_words


class Screen(Asker, Opens, Works, Protocol):
    """What this needs of the main screen."""


class Seeing:
    """Finds out who saw something, for every screen on which that is asked."""

    def __init__(self, screen: Screen, session: Session, panes: Shown, jumping: Jumps) -> None:
        self._screen = screen
        self._session = session
        self._panes = panes
        self._jumping = jumping

    @property
    def actions(self) -> Actions:
        """What the keys do."""
        return {"visibility": self._ask_of_subject}

    def _ask_of_subject(self) -> None:
        """Ask it of what the cursor is on; of an agent, tell what it was told, and who saw its answers."""
        follower, ref = self._session.follower, self._panes.subject
        if follower is None or ref is None:
            return
        thread = follower.index.trace.threads.get(ref.id)
        if ref.type in WANTED_OBJECTS:
            self.look_for(Wanted(WANTED_OBJECTS[ref.type], ref.id))
        elif thread is not None:
            facts = delivery_facts(follower.index, delivery_view(follower.links, thread))
            title = f"Tasks and answers of {thread.agent_path}"
            self._screen.open_above(FactsScreen(title, facts), self._jumping.arrive)
        else:
            self._screen.say("this is about items, tool calls and agents: go to one of them")

    def look_for(
        self, wanted: Wanted, asker: Asker | None = None, then: Callable[[ObjectRef], None] | None = None
    ) -> None:
        """Find out who saw something, and show it; in a thread, since every item may have to be looked at.

        The arguments are those of `LooksFor`.
        """
        follower, asker = self._session.follower, asker or self._screen
        if follower is None:
            return

        def work() -> None:
            worker = get_current_worker()
            found = who_saw(follower.sightings, wanted, self._session.json)
            facts = _facts(follower, wanted, found)
            if not worker.is_cancelled:
                self._screen.from_thread(self._show, follower, wanted, found, facts, asker, then)

        asker.say("looking through the calls ...")
        self._screen.in_thread(work, OPENING)

    def _show(
        self,
        follower: Follower,
        wanted: Wanted,
        found: list[AgentSight],
        facts: list[Fact],
        asker: Asker,
        then: Callable[[ObjectRef], None] | None,
    ) -> None:
        from rollout_tui.screens.seen_screen import SeenScreen

        def chosen(ref: ObjectRef | None) -> None:
            if ref is not None:
                (then or self._jumping.arrive)(ref)

        asker.say_nothing()
        if asker.is_active:  # the reader did not wait for it otherwise
            title = f"{wanted_words(follower.index, wanted)}   {counted_words(found)}"
            self._screen.open_above(SeenScreen(follower.index, title, found, facts), chosen)


def _facts(follower: Follower, wanted: Wanted, found: list[AgentSight]) -> list[Fact]:
    """What there is to say besides the bars: of an item each of its stays, with what ended it."""
    item = follower.index.trace.conversation_items.get(wanted.value) if wanted.kind == "item" else None
    if item is None:
        return sight_facts(follower.index, found)
    return visibility_facts(follower.index, visibility_of(follower.sightings, item))
