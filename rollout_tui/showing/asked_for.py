"""Which object of a graph was asked for. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from reducer import ObjectRef
from reducer.model.objects import RefType, is_graph_type, objects_of
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.numbers import numbered
from rollout_tui.language.asking import OF_AN_AGENT, OneOf, Single
from rollout_tui.language.refused import InputRefused
from rollout_tui.texts.short_forms import plural

if TYPE_CHECKING:
    from rollout_tui.insight.compaction.steps import CompactionStep
    from rollout_tui.insight.contexts.seen import Wanted

# What finds only one sort of things is imported where one is looked for.

TYPES: dict[Single, RefType] = {
    "thread": "Thread",
    "turn": "Turn",
    "call": "InferenceCall",
    "prompt": "InferenceCall",
    "tool": "ToolCall",
    "cell": "CodeCell",
    "edge": "InteractionEdge",
    "item": "ConversationItem",
    "seq": "Event",
    "line": "Event",
    "problem": "Problem",
}
"""What a word asks for."""

_BEGINNING = 4
"""Characters of an id that may stand for it, if it is the only one that begins so."""


def thread_asked_for(index: TraceIndex, name: str | None) -> str:
    """The id of the agent with a path, a name or an id; the root by default.

    Raises:
        InputRefused: there is none, or several; the sentence says so.
    """
    threads = index.trace.threads
    if name is None:
        root = index.trace.root_thread_id
        if root in threads:
            return root
        raise InputRefused("the log of this bundle does not have its root thread")
    if name in threads:
        return name
    from rollout_tui.language.commands import agent_named

    paths = {thread.agent_path: thread.thread_id for thread in threads.values()}
    try:
        return paths[agent_named(name, list(paths))]
    except InputRefused as refused:
        there = ", ".join(list(paths)[:8])
        raise InputRefused(f"{_lowered(str(refused).rstrip('.'))}: there are {there}") from None


def object_asked_for(index: TraceIndex, wish: OneOf) -> ObjectRef:
    """The object that was asked for by a number or an id.

    Args:
        index: the graph.
        wish: anything but a compaction, which may be no object of the graph, or a payload.

    Raises:
        InputRefused: there is no such thing; the sentence says what there is.
    """
    if wish.what == "thread":
        return ObjectRef("Thread", thread_asked_for(index, wish.name))
    if wish.name.lstrip("#").isdecimal():
        return _by_number(index, wish, int(wish.name.lstrip("#")[:19]))
    return _by_id(index, wish)


def place_asked_for(index: TraceIndex, wish: OneOf) -> ObjectRef | int:
    """What leads to what was asked for: an object, or where no object stands for it a sequence number.

    Raises:
        InputRefused: as in `object_asked_for`.
    """
    if wish.what != "compaction":
        return object_asked_for(index, wish)
    steps, place = compaction_asked_for(index, wish)
    step = steps[place]
    if step.compaction is not None:
        return ObjectRef("Compaction", step.compaction.compaction_id)
    if step.requests:
        return ObjectRef("CompactionRequest", step.requests[0].compaction_request_id)
    return step.seq


def compaction_asked_for(index: TraceIndex, wish: OneOf) -> tuple[list[CompactionStep], int]:
    """The compactions that numbers count, and the place of the one that was asked for by number or id.

    Raises:
        InputRefused: there is no such compaction; the sentence says what there is.
    """
    from rollout_tui.insight.compaction.steps import compaction_steps, thread_steps

    agent = wish.agent
    steps = compaction_steps(index) if agent is None else thread_steps(index, thread_asked_for(index, agent))
    name = wish.name.lstrip("#")
    if name.isdecimal() and 0 < int(name[:19]) <= len(steps):
        return steps, int(name) - 1
    ids = [id_ for step in steps for type_, id_ in [step.identity] if type_ == "Compaction"]
    begun = [id_ for id_ in ids if id_.startswith(wish.name)] if len(wish.name) >= _BEGINNING else []
    found = [wish.name] if wish.name in ids else begun
    if len(found) != 1:
        there = f"there are {len(steps)}" if len(steps) > 1 else f"there is {len(steps) or 'none'}"
        raise InputRefused(f"there is no compaction {wish.name[:60]}{_of_whom(index, wish)}: {there}")
    return steps, next(place for place, step in enumerate(steps) if step.identity[1] == found[0])


def numbered_ids(index: TraceIndex, what: Single, agent: str | None) -> list[tuple[int, str]]:
    """The ids of all objects of a sort, each with the number by which it is asked for, in their order.

    Args:
        index: the graph.
        what: as in `ids_of`; of items those of one agent, of all by default: they have numbers of their own.
        agent: the agent, as typed.
    """
    if what != "item":
        return list(enumerate(ids_of(index, what, agent), 1))
    items = index.trace.conversation_items
    if agent is None:
        ids = list(items)
    else:
        ids = index.trace.threads[thread_asked_for(index, agent)].conversation_item_ids
    return [(int(id_.rpartition(":")[2]), id_) for id_ in ids if id_ in items]


def ids_of(index: TraceIndex, what: Single, agent: str | None) -> list[str]:
    """The ids of all objects of a sort that numbers count, in their order.

    Args:
        index: the graph.
        what: turns and calls are those of one agent, the root by default; tools and cells those of one
            agent, of all by default; edges and problems those of the bundle.
        agent: the agent, as typed.
    """
    trace = index.trace
    if what in ("turn", "call", "prompt"):
        contents = index.contents[thread_asked_for(index, agent)]
        turns = [turn.codex_turn_id for turn in contents.turns]
        return turns if what == "turn" else [call.inference_call_id for call in contents.calls]
    if what in ("tool", "cell") and agent is not None:
        contents = index.contents[thread_asked_for(index, agent)]
        tools = [call.tool_call_id for call in contents.tool_calls]
        return tools if what == "tool" else [cell.code_cell_id for cell in contents.cells]
    if what == "cell":
        from rollout_tui.insight.cells.steps import cells_in_order

        return [cell.code_cell_id for cell in cells_in_order(index)]
    if what == "tool":
        return [
            call.tool_call_id
            for thread in index.threads
            for call in index.contents[thread.thread_id].tool_calls
        ]
    if what == "edge":
        return list(trace.interaction_edges)
    return [index.problem_ref(place).id for place in range(len(index.reduction.problems))]


def _by_number(index: TraceIndex, wish: OneOf, number: int) -> ObjectRef:
    what = wish.what
    if what == "item" or what == "seq" or what == "line":
        found = _on_the_way(index, what, number)
        if found is None:
            raise InputRefused(f"there is no {what} {number}: {_how_many(index, what)}")
        return found
    ids = ids_of(index, what, wish.agent)
    if not 0 < number <= len(ids):
        raise InputRefused(f"there is no {what} {number}{_of_whom(index, wish)}: {_counted(what, len(ids))}")
    return ObjectRef(TYPES[what], ids[number - 1])


def _on_the_way(index: TraceIndex, what: Literal["item", "seq", "line"], number: int) -> ObjectRef | None:
    from rollout_tui.language.commands import GoToNumber

    found = numbered(index, index.trace.root_thread_id, GoToNumber(what, number))
    return ObjectRef("Event", str(found)) if isinstance(found, int) else found


def _how_many(index: TraceIndex, what: Single) -> str:
    if what == "item":
        return f"the bundle has {plural(len(index.trace.conversation_items), 'item')}"
    events = index.reduction.provenance.events
    if not events:
        return "no event of the log could be read"
    first, last = events[0], events[-1]
    ends = (first.seq, last.seq) if what == "seq" else (first.line, last.line)
    return f"they go from {ends[0]} to {ends[1]}, and one that could not be applied is none"


def _counted(what: Single, number: int) -> str:
    return f"there is {number or 'none'}" if number < 2 else f"there are {number}"


def _of_whom(index: TraceIndex, wish: OneOf) -> str:
    if wish.what not in OF_AN_AGENT or (wish.agent is None and wish.what not in ("turn", "call", "prompt")):
        return ""
    return f" of {index.thread_path(thread_asked_for(index, wish.agent))}"


def _by_id(index: TraceIndex, wish: OneOf) -> ObjectRef:
    type_ = TYPES.get(wish.what)
    if type_ is None or not is_graph_type(type_):
        raise InputRefused(f"{wish.what} takes a number, as in {wish.what} 1")
    ids = objects_of(index.trace, type_)
    begun = [id_ for id_ in ids if id_.startswith(wish.name)] if len(wish.name) >= _BEGINNING else []
    found = [wish.name] if wish.name in ids else begun
    if len(found) != 1:
        so_many = f"{len(found)} of them begin so" if found else _counted(wish.what, len(ids))
        raise InputRefused(f"there is no {wish.what} {wish.name[:80]!r}: {so_many}")
    return ObjectRef(type_, found[0])


def _lowered(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def wanted_by(index: TraceIndex, text: str) -> Wanted:
    """What is to be looked for in contexts: a text, or what `item N`, `tool N` or `file PATH` names.

    N is a number or an id.

    Raises:
        InputRefused: there is no such item or tool call, or nothing was named.
    """
    from rollout_tui.insight.contexts.seen import Wanted

    word, _, rest = text.strip().partition(" ")
    rest = rest.strip()
    if not text.strip():
        raise InputRefused("after seen there must be a text, item N, tool N or file PATH")
    if word == "file" and rest:
        return Wanted("file", rest)
    is_number = rest.lstrip("#").isdecimal()
    if word == "item" and (is_number or rest in index.trace.conversation_items):
        return Wanted("item", object_asked_for(index, OneOf("item", rest)).id)
    if word == "tool" and (is_number or rest in index.trace.tool_calls):
        return Wanted("tool", object_asked_for(index, OneOf("tool", rest)).id)
    return Wanted("text", text)
