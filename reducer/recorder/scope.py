"""What every handle needs to record: where to, under which thread and turn, and ids of the recorder's own."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

from reducer.recorder.writer import NullWriter, TraceSink
from reducer.wire.events import Event
from reducer.wire.payload_refs import PayloadRef, ShardedKindName


def random_uuid() -> str:
    """A random UUID (version 4) in its usual spelling."""
    return str(uuid.uuid4())


class Ids:
    """The ids that the recorder makes up itself.

    Attributes:
        new_uuid: gives another UUID at every call; for traces, inference, nested tool and MCP calls.
    """

    def __init__(self, new_uuid: Callable[[], str] = random_uuid) -> None:
        self.new_uuid = new_uuid
        self._compaction_requests = itertools.count(1)

    def new_compaction_request(self) -> str:
        """`compaction_request:N`, counted from 1."""
        return f"compaction_request:{next(self._compaction_requests)}"


@dataclass(frozen=True)
class Scope:
    """A sink, and the context of the events that are written through it: here none, as for a whole session.

    Attributes:
        sink: where payloads and events go.
        ids: the recorder's own ids.
    """

    sink: TraceSink
    ids: Ids

    def payload(self, kind: ShardedKindName, value: object) -> PayloadRef | None:
        """Write a payload; None when nothing can refer to it."""
        return self.sink.write_payload(kind, value)

    def record(self, event: Event) -> bool:
        """Append an event; whether it is in the log."""
        return self.sink.append(event)

    def after(self, start: Event | None) -> Self:
        """Record the event that begins something, and give the scope for what follows from it.

        What a reader has not seen begin must not be mentioned again: it would refuse the bundle. So when the
        event could not be recorded (or is None because a payload that it needs could not), the new scope
        records nothing.
        """
        if start is not None and self.record(start):
            return self
        return replace(self, sink=NullWriter())

    @property
    def recording(self) -> bool:
        """Whether what is written here reaches a bundle, as far as is known."""
        return not isinstance(self.sink, NullWriter)


@dataclass(frozen=True)
class TurnScope(Scope):
    """A sink under the context of a turn.

    Attributes:
        thread_id: thread id in the envelope of every event.
        codex_turn_id: turn id in the envelope of every event.
    """

    thread_id: str
    codex_turn_id: str

    def record(self, event: Event) -> bool:
        """Append an event of this turn; whether it is in the log."""
        return self.sink.append(event, thread_id=self.thread_id, codex_turn_id=self.codex_turn_id)
