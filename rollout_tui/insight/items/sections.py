"""A text of an object, known already or still to be read from a payload."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from reducer.wire.payload_refs import PayloadRef
from rollout_tui.texts.syntax import Language


class TextSection(Struct, frozen=True):
    """A text of an object: known already, or to be read from a payload.

    Attributes:
        title: what it is, such as `command` or `output`; sections of one title are shown together.
        heading: what stands above the text where there are others beside it.
        compute: makes the text of several payloads, given what reads one as parsed JSON.
        language: how to colour it.
        text: the text, when the graph holds it.
        payload: the payload to read it from otherwise.
        extract: takes the text out of the parsed payload; None when it is not there.
    """

    title: str
    language: Language = "text"
    text: str | None = None
    payload: PayloadRef | None = None
    extract: Callable[[Any], str | None] | None = None
    heading: str = ""
    compute: Callable[[Callable[[PayloadRef], Any]], str] | None = None
