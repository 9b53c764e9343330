"""Following: from an object to where it leads, and to where it came from. Pure.

From a spawn, message, task or close, one step each leads to the item that brought it (or the agent that was
closed), to the first call that saw that item, to the answer of that turn, to the item that brought the answer
to the parent, and to the parent's first call that saw that one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from reducer import ObjectRef
from rollout_tui.views.contexts.visibility import Sightings
from rollout_tui.views.edges.agent_links import AgentLinks
from rollout_tui.views.edges.follow_back import Back
from rollout_tui.views.edges.follow_forward import Forward
from rollout_tui.views.edges.steps import NoStep, Way


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
        ahead, behind = Forward(self.links), Back(self.links)
        self._forward: dict[str, Callable[[str], Way]] = {
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
        self._back: dict[str, Callable[[str], Way]] = {
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
        trace = self.index.trace
        self._objects: dict[str, Collection[str]] = {
            "Thread": trace.threads,
            "Turn": trace.codex_turns,
            "InferenceCall": trace.inference_calls,
            "ToolCall": trace.tool_calls,
            "CodeCell": trace.code_cells,
            "ConversationItem": trace.conversation_items,
            "InteractionEdge": trace.interaction_edges,
            "Compaction": trace.compactions,
            "CompactionRequest": trace.compaction_requests,
            "Rewrite": trace.inference_calls,
            "TerminalSession": trace.terminal_sessions,
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

    def _follow(self, ways: dict[str, Callable[[str], Way]], ref: ObjectRef) -> Way:
        if ref.type not in ways:
            return NoStep("no edge leads from here or to here")
        known = self._objects.get(ref.type)
        if known is not None and ref.id not in known:
            return NoStep("this is not in the graph")
        return ways[ref.type](ref.id)
