"""The one table of what is in a graph: by the name of its type an object's map, its id field and its word."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, TypeGuard

from msgspec import Struct

from reducer.model.agents import InteractionEdge
from reducer.model.conversation import Compaction, CompactionRequest, ConversationItem
from reducer.model.runtime import (
    CodeCell,
    InferenceCall,
    TerminalOperation,
    TerminalSession,
    ToolCall,
)
from reducer.model.session import RolloutTrace, Thread, Turn

GraphType = Literal[
    "Thread",
    "Turn",
    "ConversationItem",
    "InferenceCall",
    "CodeCell",
    "ToolCall",
    "TerminalSession",
    "TerminalOperation",
    "Compaction",
    "CompactionRequest",
    "InteractionEdge",
]
"""The types of the objects of a graph."""

OtherType = Literal["Event", "Payload", "Problem", "Rewrite", "RequestPart"]
"""What is referred to like an object and is none: an event by its sequence number, a payload by its id, a
problem by an id that its reader gives it, a rewritten history by the inference call that was asked so, and by
its name a part of a request that is no item."""

RefType = GraphType | OtherType


class ObjectRef(Struct, frozen=True):
    """Names an object of the graph, or what is referred to like one: its type and its id."""

    type: RefType
    id: str


class Kind(NamedTuple):
    """What is known of a type of objects.

    Attributes:
        type: the class of the objects.
        map: the field of `RolloutTrace` that has them by id.
        id_field: their field that is the id.
        word: what one is called.
    """

    type: type[Struct]
    map: str
    id_field: str
    word: str


OBJECTS: dict[GraphType, Kind] = {
    "Thread": Kind(Thread, "threads", "thread_id", "thread"),
    "Turn": Kind(Turn, "codex_turns", "codex_turn_id", "turn"),
    "ConversationItem": Kind(ConversationItem, "conversation_items", "item_id", "conversation item"),
    "InferenceCall": Kind(InferenceCall, "inference_calls", "inference_call_id", "inference call"),
    "CodeCell": Kind(CodeCell, "code_cells", "code_cell_id", "code cell"),
    "ToolCall": Kind(ToolCall, "tool_calls", "tool_call_id", "tool call"),
    "TerminalSession": Kind(TerminalSession, "terminal_sessions", "terminal_id", "terminal session"),
    "TerminalOperation": Kind(TerminalOperation, "terminal_operations", "operation_id", "terminal operation"),
    "Compaction": Kind(Compaction, "compactions", "compaction_id", "compaction"),
    "CompactionRequest": Kind(
        CompactionRequest, "compaction_requests", "compaction_request_id", "compaction request"
    ),
    "InteractionEdge": Kind(InteractionEdge, "interaction_edges", "edge_id", "interaction edge"),
}

_TYPE_OF: dict[type[Struct], GraphType] = {kind.type: type_ for type_, kind in OBJECTS.items()}


def is_graph_type(type_: RefType) -> TypeGuard[GraphType]:
    """Whether it is the type of an object of the graph."""
    return type_ in OBJECTS


def is_object(target: Struct) -> bool:
    """Whether a struct is an object of the graph, and not a part of one."""
    return type(target) in _TYPE_OF


def graph_type(type_: type[Struct]) -> GraphType:
    """The name of a class of objects."""
    return _TYPE_OF[type_]


def ref_of(target: Struct) -> ObjectRef:
    """What names an object of the graph."""
    type_ = _TYPE_OF[type(target)]
    return ObjectRef(type_, getattr(target, OBJECTS[type_].id_field))


def word_of(type_: type[Struct]) -> str:
    """What an object of a class is called."""
    return OBJECTS[graph_type(type_)].word


def objects_of(trace: RolloutTrace, type_: GraphType) -> dict[str, Any]:
    """The objects of a type that a graph has, by their ids."""
    objects: dict[str, Any] = getattr(trace, OBJECTS[type_].map)
    return objects
