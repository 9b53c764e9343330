"""What the documents that `show --json` prints have in common, as declared types.

Their JSON Schema is made of these. What is an object of the graph has the type that it has there. Keys are
only ever added.
"""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict


class LeftOut(TypedDict):
    """Stands in the place of a text, or of other evidence, unless --content is given."""

    chars: int
    sha256: str
    place: str


class Truncation(TypedDict):
    """How much of a list is there, and the cursor behind it; null at its end."""

    shown: int
    of: int
    after: str | None


class Document(TypedDict):
    """What every document may have."""

    truncated: NotRequired[dict[str, Truncation]]


class Ref(TypedDict):
    """The name of an object."""

    type: str
    id: str


class Agent(TypedDict):
    """An agent; several may have one path."""

    thread_id: str
    agent: str


class Certain(TypedDict):
    """How sure an object of a session is."""

    certainty: NotRequired[Literal["exact", "rebuilt", "inferred"]]
    rebuilt: NotRequired[list[str]]
    not_recorded: NotRequired[list[str]]
