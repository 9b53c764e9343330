"""What the model says in an answer, as a story writes it."""

from __future__ import annotations

from typing import Any, Protocol

from demo_traces.identities import Names
from demo_traces.wire import Item


class Output(Protocol):
    """Something the model says: a thought, a message, or a tool call.

    Attributes:
        early: a call that is dispatched while the rest of the answer is still coming in.
    """

    early: bool

    def item(self, names: Names) -> Item:
        """The Responses item."""

    def start(self) -> object:
        """Dispatch it; only tool calls do something here."""


class Said:
    """Output that is no tool call."""

    early = False

    def __init__(self, prefix: str, **fields: Any) -> None:
        self._prefix = prefix
        self._fields = fields

    def item(self, names: Names) -> Item:
        kind = self._fields["type"]
        return {"type": kind, "id": names.provider_id(self._prefix), **self._fields}

    def start(self) -> None:
        """There is nothing to dispatch."""


def think(title: str, body: str, names: Names) -> Said:
    """Reasoning: a summary that people may read, and the thing itself, sealed."""
    summary = [{"type": "summary_text", "text": f"**{title}**\n\n{body}"}]
    return Said("rs", type="reasoning", summary=summary, content=None, encrypted_content=names.sealed())


def say(text: str, phase: str = "commentary") -> Said:
    content = [{"type": "output_text", "text": text}]
    return Said("msg", type="message", role="assistant", content=content, phase=phase)
