"""In which calls of which agents a text, an item or a file was visible, and what ended that."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Literal

import orjson
from msgspec import Struct

from reducer import ObjectRef
from reducer.model import CodePart, ConversationItem, JsonPart, SummaryPart, TextPart
from reducer.wire.payload_refs import PayloadRef
from rollout_tui.insight.contexts.visibility import (
    Ending,
    Run,
    Sightings,
    ending_of,
    visibility_of,
    why_unseen,
)
from rollout_tui.insight.evidence import find_item
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.tools.file_reads import files_read, outputs_of

Read = Callable[[PayloadRef], Any]
"""Gives a payload parsed; None where it cannot be read."""

_CUT = "..."
"""Ends the beginning of a JSON value where the graph leaves the rest to the payload."""


class AgentSight(Struct, frozen=True):
    """What one agent saw of what was looked for.

    Attributes:
        thread_id: the agent.
        calls: how many calls it made.
        items: the items that have it, in order; empty if none has.
        runs: the calls in a row that saw any of them, by their places; empty if none did.
        first: the item that the first of these calls saw.
        last: the item that the last of them saw.
        ending: what ended the last run; None without one.
        unseen: why no call saw it, if an item has it; empty otherwise.
    """

    thread_id: str
    calls: int
    items: list[ObjectRef]
    runs: list[Run]
    first: ObjectRef | None = None
    last: ObjectRef | None = None
    ending: Ending | None = None
    unseen: str = ""

    def sees(self, place: int) -> bool:
        """Whether the call at a place saw it."""
        return any(run.first <= place <= run.last for run in self.runs)


class Wanted(Struct, frozen=True):
    """What is looked for in contexts.

    Attributes:
        kind: `text`: whatever says it; `item`: an item, or its content under another id; `tool`: what a tool
            call gave; `file`: what tool calls gave that read a file.
        value: the text, the id of the item or of the tool call, the file or the end of its path; evidence.
    """

    kind: Literal["text", "item", "tool", "file"]
    value: str


WANTED_OBJECTS: dict[str, Literal["item", "tool"]] = {"ConversationItem": "item", "ToolCall": "tool"}
"""The types of objects that can be looked for, as kinds of `Wanted`."""


def who_saw(sightings: Sightings, wanted: Wanted, read: Read) -> list[AgentSight]:
    """Who saw something: one for each agent, a parent before its children; `read` as in `seen_text`.

    What the graph has no longer nobody saw.
    """
    trace = sightings.index.trace
    if wanted.kind == "text":
        return seen_text(sightings, wanted.value, read)
    if wanted.kind == "file":
        return seen_file(sightings, wanted.value)
    if wanted.kind == "item":
        item = trace.conversation_items.get(wanted.value)
        return _by_agent(sightings, []) if item is None else seen_item(sightings, item)
    call = trace.tool_calls.get(wanted.value)
    return _by_agent(sightings, [] if call is None else outputs_of(sightings.index, call))


def seen_text(sightings: Sightings, text: str, read: Read) -> list[AgentSight]:
    """Who saw a text.

    Args:
        sightings: the graph with who saw what.
        text: what to look for: capitals count if there are any; blanks are as they are.
        read: reads the payloads of items of which the graph keeps only the beginning.

    Returns:
        One for each agent, a parent before its children.
    """
    return _by_agent(sightings, _items_with(sightings.index, text, read))


def seen_item(sightings: Sightings, item: ConversationItem) -> list[AgentSight]:
    """Who saw an item, or its content under another id: after a compaction, or in another agent."""
    stays = visibility_of(sightings, item).stays
    items = {item.item_id: item, **{stay.item.item_id: stay.item for stay in stays}}
    return _by_agent(sightings, items.values())


def seen_file(sightings: Sightings, path: str) -> list[AgentSight]:
    """Who saw what tool calls gave that read a file.

    Args:
        sightings: the graph with who saw what.
        path: the file, or the end of its path.
    """
    index = sightings.index
    found: dict[str, ConversationItem] = {}
    for call in index.trace.tool_calls.values():
        if any(_is_file(one, path) for one in files_read(index, call)):
            found.update((item.item_id, item) for item in outputs_of(index, call))
    return _by_agent(sightings, found.values())


def _is_file(named: str, wanted: str) -> bool:
    return named == wanted or named.endswith(f"/{wanted}") or wanted.endswith(f"/{named}")


def _by_agent(sightings: Sightings, items: Iterable[ConversationItem]) -> list[AgentSight]:
    own: dict[str, list[ConversationItem]] = defaultdict(list)
    for item in items:
        own[item.thread_id].append(item)
    index = sightings.index
    return [_sight(sightings, thread.thread_id, own[thread.thread_id]) for thread in index.threads]


def _sight(sightings: Sightings, thread_id: str, items: Sequence[ConversationItem]) -> AgentSight:
    calls = len(sightings.index.contents[thread_id].calls)
    refs = [ObjectRef("ConversationItem", item.item_id) for item in items]
    found = sorted(
        ((run, place) for place, item in enumerate(items) for run in sightings.runs(item.item_id)),
    )
    if not found:
        return AgentSight(thread_id, calls, refs, [], unseen=why_unseen(sightings, items[0]) if items else "")
    runs = _merged([run for run, _ in found])
    last_run, last = max(found, key=lambda one: one[0].last)
    ending = ending_of(sightings, items[last], last_run)
    return AgentSight(thread_id, calls, refs, runs, refs[found[0][1]], refs[last], ending)


def _merged(runs: Sequence[Run]) -> list[Run]:
    """Runs in order of their beginnings, those that touch as one."""
    merged: list[Run] = []
    for run in runs:
        if merged and run.first <= merged[-1].last + 1:
            merged[-1] = Run(merged[-1].first, max(merged[-1].last, run.last))
        else:
            merged.append(run)
    return merged


# Items with a text


def _items_with(index: TraceIndex, text: str, read: Read) -> list[ConversationItem]:
    """The items that say a text, in order."""
    matches = matcher(text)
    found: dict[str, ConversationItem] = {}
    cut: dict[str, list[ConversationItem]] = defaultdict(list)
    for item in index.trace.conversation_items.values():
        if any(map(matches, readable_texts(item))):
            found[item.item_id] = item
        else:
            for part in item.body.parts:
                if isinstance(part, JsonPart) and part.summary.endswith(_CUT):
                    cut[part.raw_payload_id].append(item)
    for payload_id, items in cut.items():
        ref = index.trace.raw_payloads.get(payload_id)
        value = None if ref is None or ref.is_lost else read(ref)
        for item in items if value is not None else ():
            element = find_item(value, item)
            if element is not None and any(map(matches, _strings(element[1]))):
                found[item.item_id] = item
    order = {item_id: place for place, item_id in enumerate(index.trace.conversation_items)}
    return sorted(found.values(), key=lambda item: order[item.item_id])


def matcher(text: str) -> Callable[[str], bool]:
    """Whether a text has another one in it; capitals count if that has any."""
    if text != text.lower():
        return lambda said: text in said
    return lambda said: text in said.lower()


def readable_texts(item: ConversationItem) -> Iterator[str]:
    """The texts of an item, as far as the graph keeps them; what is encrypted is none."""
    for part in item.body.parts:
        if isinstance(part, TextPart | SummaryPart):
            yield part.text
        elif isinstance(part, CodePart):
            yield part.source
        elif isinstance(part, JsonPart):
            yield part.summary


def _strings(value: Any) -> Iterator[str]:
    """All strings in a value, also in JSON that is itself a string."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            yield one
            if one.startswith(("{", "[")):
                try:
                    waiting.append(orjson.loads(one))
                except (orjson.JSONDecodeError, UnicodeEncodeError):
                    continue
        elif isinstance(one, dict):
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
