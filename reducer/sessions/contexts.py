"""What a model saw at a call: the history as it stood, and what codex adds when it sends it."""

from __future__ import annotations

import re

from reducer.model import Body, ConversationItem, TextPart
from reducer.sessions.graph import SessionGraph
from reducer.sessions.headers import Header
from reducer.sessions.history import History
from reducer.sessions.lines import Record
from reducer.sessions.seen_items import Added, SeenItems

_ON_PLANS = re.compile(
    r"^(?:- If you create a checklist or task list, you update item statuses .*|.*\bupdate_plan\b.*)\n?",
    re.MULTILINE,
)
"""Lines of a model's instructions that codex leaves out where the model has no tool for plans."""

BASE_REBUILT = "body (base instructions, as codex sends them with its tool for plans off)"
BASE_PROVEN = "body (base instructions)"
ABORTED_REBUILT = "item (the output that codex adds to a call without one)"


class Contexts:
    """The lists that the calls of one thread saw. What codex adds when it sends them is made once."""

    def __init__(self, graph: SessionGraph, thread_id: str) -> None:
        self._graph = graph
        self._thread_id = thread_id
        self._has_plans = False
        self._bases: dict[tuple[str, bool], str] = {}
        self._aborted: dict[str, str] = {}
        self._last_added: Added = ()

    def plans(self) -> None:
        """The model used the tool for plans, so it has it, and had it when it was instructed."""
        if self._has_plans:
            return
        self._has_plans = True
        for (said, are_the_models), item_id in self._bases.items():
            item = self._graph.trace.conversation_items[item_id]
            item.body = Body([TextPart(self._text(said, are_the_models=are_the_models))])
            self._graph.touch("ConversationItem", item_id)

    def seen(
        self,
        record: Record,
        turn_id: str | None,
        history: History,
        sampled_through: int | None,
        instructed_by: Header | None,
    ) -> SeenItems:
        """The ids of the items that a call had in its input.

        Args:
            record: at which the call became known.
            turn_id: of the call.
            history: of the thread, as it stands at the call.
            sampled_through: as in `History.visible`.
            instructed_by: what has the base instructions, if they are sent as the first item.
        """
        seen = history.visible(sampled_through)
        added = [
            (place + before + 1, self._aborted_output(seen.history[place], record, turn_id))
            for before, place in enumerate(history.unanswered(sampled_through))
        ]
        if instructed_by is not None and instructed_by.instructions is not None and not history.has_base():
            base = self._base(
                record, instructed_by.instructions, are_the_models=instructed_by.instructions_are_the_models
            )
            added = [(0, base.item_id), *((place + 1, item_id) for place, item_id in added)]
        return SeenItems(seen.history, seen.taken, self._shared(added)) if added else seen

    def _shared(self, added: list[tuple[int, str]]) -> Added:
        """The same as at the call before, if it is equal: mostly it is."""
        if self._last_added != (found := tuple(added)):
            self._last_added = found
        return self._last_added

    def _aborted_output(self, call_item_id: str, record: Record, turn_id: str | None) -> str:
        known = self._aborted.get(call_item_id)
        if known is not None:
            return known
        call = self._graph.trace.conversation_items[call_item_id]
        made = self._made(
            ConversationItem(
                item_id=self._graph.next_item_id(),
                thread_id=self._thread_id,
                codex_turn_id=turn_id,
                first_seen_at_unix_ms=self._graph.time(record),
                role="tool",
                channel="commentary",
                kind="custom_tool_call_output" if call.kind == "custom_tool_call" else "function_call_output",
                body=Body([TextPart("aborted")]),
                call_id=call.call_id,
                produced_by=[],
            ),
            ABORTED_REBUILT,
        )
        self._aborted[call_item_id] = made.item_id
        return made.item_id

    def _base(self, record: Record, said: str, *, are_the_models: bool) -> ConversationItem:
        known = self._bases.get((said, are_the_models))
        if known is not None:
            return self._graph.trace.conversation_items[known]
        made = self._made(
            ConversationItem(
                item_id=self._graph.next_item_id(),
                thread_id=self._thread_id,
                codex_turn_id=None,
                first_seen_at_unix_ms=self._graph.time(record),
                role="developer",
                channel=None,
                kind="message",
                body=Body([TextPart(self._text(said, are_the_models=are_the_models))]),
                call_id=None,
                produced_by=[],
            ),
            BASE_REBUILT if are_the_models else BASE_PROVEN,
        )
        self._bases[said, are_the_models] = made.item_id
        return made

    def _text(self, said: str, *, are_the_models: bool) -> str:
        return said if self._has_plans or not are_the_models else _ON_PLANS.sub("", said)

    def _made(self, item: ConversationItem, rebuilt: str) -> ConversationItem:
        self._graph.certainty.note(item.item_id, rebuilt=(rebuilt,))
        return self._graph.add_item(item)
