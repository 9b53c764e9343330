"""What fills the contexts of an agent: each item by its tokens and by the calls that carried it.

The provider tells the tokens of a whole request. An item's share of them is its share of what is counted of
the request: characters of readable text, and decoded bytes of encrypted content. So the tokens of items are
estimates, but those of all items of a call and of what stands before them sum up to what the provider told.
Images are not counted: what they cost is in the shares of the others.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from itertools import accumulate
from typing import Any, Literal, NamedTuple

from msgspec import Struct

from reducer import ObjectRef
from reducer.model import CALL_KINDS, OUTPUT_KINDS, CodePart, ConversationItem, ToolCall
from reducer.model.objects import OtherType
from reducer.wire.events import GenericSummary, Mcp
from reducer.wire.payload_refs import PayloadRef
from rollout_tui.insight.contexts.item_signs import is_put_in, summary_sign
from rollout_tui.insight.contexts.item_sizes import CHARACTERS_PER_TOKEN
from rollout_tui.insight.contexts.prefix import estimate_tokens
from rollout_tui.insight.contexts.request_parts import request_parts
from rollout_tui.insight.contexts.visibility import Sightings
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.tools.file_reads import command_of, program_of
from rollout_tui.insight.tools.words import tool_label

Read = Callable[[PayloadRef], Any]
"""Gives a payload parsed; None where it cannot be read."""

GroupKind = Literal[
    "before the items", "instructions", "put in", "user", "assistant", "reasoning", "agent", "compacted",
    "arguments", "output",
]  # fmt: skip
"""What sort of items a group has. `before the items`: instructions and tool definitions of the request."""

BEFORE: OtherType = "RequestPart"


class Group(NamedTuple):
    """What items have in common.

    Attributes:
        kind: their sort.
        tool: the kind of the tool call that they are of, such as `command`; empty for others.
        what: the program that a command runs first, or the name of the tool; empty for others. Evidence.
    """

    kind: GroupKind
    tool: str = ""
    what: str = ""


class Filling(Struct, frozen=True):
    """An item, or what stands before the items, in the contexts of an agent.

    Attributes:
        ref: the item; `RequestPart` with `before` for what stands before the items.
        thread_id: the agent.
        group: what it belongs to.
        calls: how many calls carried it.
        told: of how many of these tokens were told.
        tokens: about how many tokens it is, on the average of those.
        paid: about how many tokens it made in all of them: exact shares of what the provider told.
        is_short: whether something of it could not be counted, such as an image or a cut value.
    """

    ref: ObjectRef
    thread_id: str
    group: Group
    calls: int
    told: int
    tokens: float
    paid: float
    is_short: bool

    @property
    def is_told(self) -> bool:
        """Whether there are figures."""
        return self.told > 0


class GroupFilling(Struct, frozen=True):
    """The items of a group.

    Attributes:
        group: the group.
        items: how many they are.
        tool_calls: how many tool calls they are of.
        tokens: about how many tokens they are, each counted once.
        paid: about how many they made in all calls that carried them.
        largest: the item that made most.
        is_told: whether there are figures of one of them.
    """

    group: Group
    items: int
    tool_calls: int
    tokens: float
    paid: float
    largest: ObjectRef
    is_told: bool


def filling(sightings: Sightings, thread_ids: Iterable[str], read: Read) -> list[Filling]:
    """What filled the contexts of some agents, what made most tokens first.

    The cost is that of the items and the calls, not of their product: where an item was seen is known by runs
    of calls.

    Args:
        sightings: the graph with who saw what.
        thread_ids: the agents.
        read: reads one request of each.
    """
    wanted = dict.fromkeys(thread_ids)
    items: dict[str, list[ConversationItem]] = {thread_id: [] for thread_id in wanted}
    for item in sightings.index.trace.conversation_items.values():
        if item.thread_id in items:
            items[item.thread_id].append(item)
    found = [one for id_, own in items.items() for one in _of_agent(sightings, id_, own, read)]
    return sorted(found, key=lambda one: -one.paid)


def _of_agent(
    sightings: Sightings, thread_id: str, items: list[ConversationItem], read: Read
) -> Iterable[Filling]:
    index = sightings.index
    calls = index.contents[thread_id].calls
    if not calls:
        return
    before = _before(index, thread_id, read)
    weights = {item.item_id: estimate_tokens(index.size_of(item.item_id)) for item in items}
    changes = [0] * (len(calls) + 1)
    for item in items:
        for run in sightings.runs(item.item_id):
            changes[run.first] += weights[item.item_id]
            changes[run.last + 1] -= weights[item.item_id]
    totals = [before + weight for weight in accumulate(changes[:-1])]
    told = [0 if call.usage is None else call.usage.input_tokens for call in calls]
    # What nothing is counted of is the request itself.
    rates = [tokens / total if total else 0.0 for tokens, total in zip(told, totals, strict=True)]
    paid_to = [0.0, *accumulate(rates)]
    told_to = [0, *accumulate(int(call.usage is not None) for call in calls)]
    uncounted = sum(tokens for tokens, total in zip(told, totals, strict=True) if not total)
    whole = before * paid_to[-1] + uncounted
    ref = ObjectRef(BEFORE, "before")
    known = told_to[-1]
    yield Filling(
        ref,
        thread_id,
        Group("before the items"),
        len(calls),
        known,
        whole / max(1, known),
        whole,
        is_short=not before,
    )
    for item in items:
        runs = sightings.runs(item.item_id)
        if not runs:
            continue
        carried = sum(run.last - run.first + 1 for run in runs)
        known = sum(told_to[run.last + 1] - told_to[run.first] for run in runs)
        paid = weights[item.item_id] * sum(paid_to[run.last + 1] - paid_to[run.first] for run in runs)
        size = index.size_of(item.item_id)
        yield Filling(
            ObjectRef("ConversationItem", item.item_id),
            thread_id,
            group_of(index, item),
            carried,
            known,
            paid / max(1, known),
            paid,
            is_short=bool(size.cut or size.unread),
        )


def _before(index: TraceIndex, thread_id: str, read: Read) -> int:
    """About how many tokens stand before the items: those of the first request that can be read."""
    for call in index.contents[thread_id].calls[:3]:
        ref = index.trace.raw_payloads.get(call.raw_request_payload_id)
        parts = None if ref is None or ref.is_lost else request_parts(read(ref))
        if parts is not None and (parts.instructions or parts.tools):
            return -(-((parts.instructions or 0) + parts.tool_characters) // CHARACTERS_PER_TOKEN)
    return 0


def group_of(index: TraceIndex, item: ConversationItem) -> Group:
    """What an item belongs to: of what a tool was given and gave, the tool."""
    if item.kind in CALL_KINDS or item.kind in OUTPUT_KINDS:
        kind: GroupKind = "arguments" if item.kind in CALL_KINDS else "output"
        call = index.tool_of_item(item)
        if call is None:
            is_script = any(isinstance(part, CodePart) for part in item.body.parts)
            return Group(kind, "exec" if is_script else "tool")
        return Group(kind, tool_label(index, call), what_of(index, call))
    if item.agent_message is not None:
        return Group("agent")
    if item.kind == "reasoning":
        return Group("reasoning")
    if item.kind == "compaction_marker" or summary_sign(item) is not None:
        return Group("compacted")
    if item.role in ("developer", "system"):
        return Group("instructions")
    if item.role == "user":
        return Group("put in" if is_put_in(item) else "user")
    return Group("assistant")


def what_of(index: TraceIndex, call: ToolCall) -> str:
    """What tells a tool call from others of its kind: the program of a command, the name of a tool."""
    command = command_of(index, call)
    if command is not None:
        return program_of(command)
    if isinstance(call.kind, Mcp):
        return f"{call.kind.server}.{call.kind.tool}"
    if tool_label(index, call) == "tool" and isinstance(call.summary, GenericSummary):
        return call.summary.label
    return ""


def by_group(index: TraceIndex, fillings: Iterable[Filling]) -> list[GroupFilling]:
    """The same by groups, what made most tokens first; the sums stay the same."""
    groups: dict[Group, list[Filling]] = defaultdict(list)
    for one in fillings:
        groups[one.group].append(one)
    found = []
    for group, own in groups.items():
        ids = (index.trace.conversation_items.get(one.ref.id) for one in own)
        tool_calls = {item.call_id for item in ids if item is not None and item.call_id is not None}
        largest = max(own, key=lambda one: one.paid)
        found.append(
            GroupFilling(
                group,
                len(own),
                len(tool_calls),
                sum(one.tokens for one in own),
                sum(one.paid for one in own),
                largest.ref,
                any(one.is_told for one in own),
            )
        )
    return sorted(found, key=lambda one: -one.paid)
