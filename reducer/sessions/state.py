"""The graph of a session in the form of `state.json`, with what is not exact about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar, cast

import msgspec
from msgspec import structs

from reducer.model import RolloutTrace
from reducer.sessions.far_texts import near_item, near_operation
from reducer.sessions.session_reader import SessionReduction
from reducer.state_json import state_pieces

T = TypeVar("T")

_SOME = 256
"""Objects whose certainty is written together."""


class _Near(dict[str, T]):
    """A map of the graph whose objects have all that is theirs at hand, each only while it is written."""

    def __init__(self, objects: dict[str, T], near: Callable[[T], T]) -> None:
        super().__init__(cast("dict[str, T]", dict.fromkeys(objects)))
        self._objects = objects
        self._make = near

    def __getitem__(self, key: str) -> T:
        return self._make(self._objects[key])


def written_graph(session: SessionReduction) -> RolloutTrace:
    """The graph as `state_pieces` can write it: its maps are only asked for their keys and for objects."""
    graph = session.trace
    return structs.replace(
        graph,
        conversation_items=_Near(graph.conversation_items, near_item),
        terminal_operations=_Near(graph.terminal_operations, near_operation),
    )


def session_state_json(session: SessionReduction) -> bytes:
    """The graph as `state_json` writes that of a bundle of schema 3, with two keys more.

    `rebuilt_from` is `session`; `certainty` says of each object, by its id, whether it is `exact`, `rebuilt`
    or `inferred`, and lists what of it is rebuilt and what is not recorded. Objects without one are exact.
    """
    return b"".join(session_state_pieces(session))


def session_state_pieces(session: SessionReduction) -> Iterator[bytes]:
    """What `session_state_json` gives, piece by piece: of a long session it is too large to be held twice."""
    pieces = state_pieces(written_graph(session))
    last = next(pieces)
    for piece in pieces:
        yield last
        last = piece
    yield last.removesuffix(b"\n}")
    yield b',\n  "rebuilt_from": "session",\n  "certainty": {'
    entries = sorted(session.certainty.items())
    for start in range(0, len(entries), _SOME):
        some = {key: one.values() for key, one in entries[start : start + _SOME]}
        text = msgspec.json.format(msgspec.json.encode(some), indent=2)
        inner = text.removeprefix(b"{").removesuffix(b"\n}").replace(b"\n", b"\n  ")
        yield b"," * (start > 0) + inner
    yield b"\n  }\n}" if entries else b"}\n}"
