"""Following: from an object to where it leads, and to where it came from. Pure.

From a spawn, message, task or close, one step each leads to the item that brought it (or the agent that was
closed), to the first call that saw that item, to the answer of that turn, to the item that brought the answer
to the parent, and to the parent's first call that saw that one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from reducer import ObjectRef
from reducer.model.objects import RefType
from rollout_tui.insight.agents.links import AgentLinks
from rollout_tui.insight.contexts.visibility import Sightings

if TYPE_CHECKING:
    from rollout_tui.insight.following.steps import Way


class Follower:
    """Follows the edges of one graph, there and back; made once for it.

    Attributes:
        index: the graph.
        sightings: which calls saw each item.
        links: what went between its agents.
    """

    def __init__(self, sightings: Sightings) -> None:
        self.index = sightings.index
        self.sightings = sightings
        self.links = AgentLinks(sightings)

    # What knows the ways is made when the first is followed: what is printed follows none.

    @cached_property
    def _forward(self) -> dict[RefType, Callable[[str], Way]]:
        from rollout_tui.insight.following.forward import Forward

        ahead = Forward(self.links)
        return {
            "Thread": ahead.thread,
            "Turn": ahead.turn,
            "InferenceCall": ahead.call,
            "ToolCall": ahead.tool,
            "CodeCell": ahead.cell,
            "ConversationItem": ahead.item,
            "InteractionEdge": ahead.edge,
            "Compaction": ahead.compaction,
            "CompactionRequest": ahead.request,
            "Rewrite": ahead.rewrite,
            "Event": ahead.event,
            "TerminalSession": ahead.session,
        }

    @cached_property
    def _back(self) -> dict[RefType, Callable[[str], Way]]:
        from rollout_tui.insight.following.back import Back

        behind = Back(self.links)
        return {
            "Thread": behind.thread,
            "Turn": behind.turn,
            "InferenceCall": behind.call,
            "ToolCall": behind.tool,
            "CodeCell": behind.cell,
            "ConversationItem": behind.item,
            "InteractionEdge": behind.edge,
            "Compaction": behind.compaction,
            "CompactionRequest": behind.request,
            "Rewrite": behind.rewrite,
            "Event": behind.event,
            "TerminalSession": behind.session,
        }

    def forward(self, ref: ObjectRef) -> Way:
        """Where an object leads.

        Args:
            ref: anything that the cursor may stand on.

        Returns:
            One step, several to choose from, or why there is none.
        """
        return self._follow(self._forward, ref)

    def back(self, ref: ObjectRef) -> Way:
        """Where an object came from.

        Args:
            ref: anything that the cursor may stand on.

        Returns:
            One step, several to choose from, or why there is none.
        """
        return self._follow(self._back, ref)

    def _follow(self, ways: dict[RefType, Callable[[str], Way]], ref: ObjectRef) -> Way:
        from rollout_tui.insight.following.steps import NoStep

        if ref.type not in ways:
            return NoStep("no edge leads from here or to here")
        if ref.type != "Event" and not self.index.has(ref):
            return NoStep("this is not in the graph")
        return ways[ref.type](ref.id)
