"""One line of the event log, from bytes to a `RawEvent`, as strictly as the reference reads it."""

from __future__ import annotations

from functools import partial
from typing import Any

import msgspec
from msgspec import Struct, field

from reducer.errors import Malformed
from reducer.limits import MAX_LINE_BYTES, megabytes
from reducer.wire.events import RawEvent
from reducer.wire.json_text import JsonError, refuse_excess
from reducer.wire.spellings import spell_plainly
from reducer.wire.typed_json import decode_strictly, decoder_of

_WHITE_SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
"""What counts as white space in the format; Python's own idea also has U+001C to U+001F."""


class LooseEvent(Struct, frozen=True, kw_only=True):
    """What every schema is expected to have in a line: an envelope around something with a `type`."""

    seq: int = 0
    wall_time_unix_ms: int = 0
    thread_id: str | None = None
    codex_turn_id: str | None = None
    payload: dict[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """Kind of the event; `unknown` where it has none."""
        kind = self.payload.get("type")
        return kind if isinstance(kind, str) else "unknown"


def is_blank(data: bytes) -> bool:
    """Whether a line holds only Unicode white space; such lines are skipped, but count in line numbers."""
    if data[:1] == b"{":
        return False
    try:
        return not data.decode().strip(_WHITE_SPACE)
    except UnicodeDecodeError:
        return False


def decode_event(data: bytes, line: type[RawEvent]) -> RawEvent:
    """One line of the log as an event.

    Args:
        data: the line.
        line: what a line is in the schema of the bundle.

    Raises:
        Malformed: too long, not valid UTF-8 or JSON, nested too deep, a field missing, repeated or of a
            wrong type, an unknown kind of event or value of an enumeration.
    """
    if len(data) > MAX_LINE_BYTES:
        raise Malformed(f"is longer than {megabytes(MAX_LINE_BYTES)}, too long to be read")
    return decode_strictly(data, line, partial(spell_plainly, line=line))


def decode_loosely(data: bytes) -> LooseEvent:
    """One line of the log of a schema that is not known.

    Raises:
        Malformed: not a JSON object, or its envelope is of other types than in every known schema.
    """
    try:
        refuse_excess(data)
        return decoder_of(LooseEvent).decode(data)
    except (JsonError, msgspec.MsgspecError, RecursionError) as error:
        raise Malformed(str(error) or "nests too deep to be read") from None
