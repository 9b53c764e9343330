"""The context: what the model received at one inference call, in order, and what it answered."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import repeat
from typing import Literal, NamedTuple

from msgspec import Struct

from reducer import ObjectRef
from reducer.model import InferenceCall
from rollout_tui.insight.contexts.marks import Mark, context_marks
from rollout_tui.insight.contexts.prefix import PrefixBreak, prefix_break
from rollout_tui.insight.index import TraceIndex


class ContextLine(Struct, frozen=True):
    """One line of a context: an item in its place, or a part of the request that is no item.

    Attributes:
        place: which line it is, from 0; an item may stand in a context twice.
        ref: the item, or `RequestPart` with `instructions` or `tools`; None for a rule.
        mark: how it stands to the previous call of the same agent; None for what the model answered.
        rule: which rule it is: where what the previous call saw and said ends or is left, or where the answer
            begins.
    """

    place: int
    ref: ObjectRef | None
    mark: Mark | None = None
    rule: Literal["prefix", "answer"] | None = None


class CallContext(NamedTuple):
    """What the model received at one call and what it answered, line by line.

    Attributes:
        call: the inference call.
        seen: its lines in order.
        prefix: how far it is that of the previous call; None for the first call of an agent.
    """

    call: InferenceCall
    seen: list[ContextLine]
    prefix: PrefixBreak | None


def call_context(index: TraceIndex, call: InferenceCall) -> CallContext:
    """The context of a call, each item marked against the previous call of its agent."""
    previous = index.previous_call(call)
    seen = [
        ContextLine(0, ObjectRef("RequestPart", "instructions")),
        ContextLine(1, ObjectRef("RequestPart", "tools")),
    ]
    prefix = None if previous is None else prefix_break(index, previous, call)
    marks: Iterable[Mark] = (
        repeat("new") if previous is None else context_marks(index, previous, call).marks()
    )
    for place, (item_id, mark) in enumerate(zip(call.request_item_ids, marks, strict=False)):
        if prefix is not None and place == prefix.shared:
            seen.append(ContextLine(len(seen), None, rule="prefix"))
        seen.append(ContextLine(len(seen), ObjectRef("ConversationItem", item_id), mark))
    if prefix is not None and prefix.shared == len(call.request_item_ids):
        seen.append(ContextLine(len(seen), None, rule="prefix"))
    seen.append(ContextLine(len(seen), None, rule="answer"))
    for item_id in call.response_item_ids:
        seen.append(ContextLine(len(seen), ObjectRef("ConversationItem", item_id)))
    return CallContext(call, seen, prefix)
