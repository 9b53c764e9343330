"""The one table of words for the types of objects: in a sentence, as the name of a fact, and in a column."""

from __future__ import annotations

from typing import NamedTuple

from reducer.model.objects import RefType


class TypeNames(NamedTuple):
    """How one of a type is called.

    Attributes:
        word: in a sentence.
        fact: beside its value, in a list of facts.
        label: in a column that is narrow.
    """

    word: str
    fact: str
    label: str


TYPE_NAMES: dict[RefType, TypeNames] = {
    "Thread": TypeNames("agent", "thread", "agent"),
    "Turn": TypeNames("turn", "turn", "turn"),
    "InferenceCall": TypeNames("call", "inference call", "call"),
    "ToolCall": TypeNames("tool call", "tool call", "tool"),
    "CodeCell": TypeNames("code cell", "code cell", "exec"),
    "ConversationItem": TypeNames("item", "item", "item"),
    "TerminalOperation": TypeNames("operation", "operation", "operation"),
    "TerminalSession": TypeNames("terminal", "terminal", "terminal"),
    "Compaction": TypeNames("compaction", "compaction", "compact"),
    "CompactionRequest": TypeNames("compaction request", "request", "request"),
    "InteractionEdge": TypeNames("edge", "edge", "edge"),
    "Event": TypeNames("event", "event", "event"),
    "Payload": TypeNames("payload", "payload", "payload"),
    "Problem": TypeNames("problem", "problem", "problem"),
    "Rewrite": TypeNames("rewritten history", "rewritten history", "rewrite"),
    "RequestPart": TypeNames("part of a request", "part", "part"),
}
