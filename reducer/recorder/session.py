"""Recording a session: what a host program starts with."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from reducer.recorder.metadata import SessionMetadata
from reducer.recorder.payload_writers import UNLIMITED, Limits
from reducer.recorder.scope import Ids, Scope, random_uuid
from reducer.recorder.threads import ThreadTrace
from reducer.recorder.writer import (
    NEWEST_SCHEMA,
    Clock,
    NullWriter,
    SchemaNumber,
    TraceSink,
    open_writer,
    wall_clock,
)
from reducer.schemas.v1 import ProtocolEventObserved, RolloutEnded, RolloutStarted
from reducer.schemas.v2 import RecordingCompleted
from reducer.wire.events import RolloutStatus

TRACE_ROOT_VARIABLE = "CODEX_ROLLOUT_TRACE_ROOT"


class SessionTrace:
    """One root session and its bundle.

    Attributes:
        root: the root thread, already started.
    """

    def __init__(self, sink: TraceSink, trace_id: str, metadata: SessionMetadata, ids: Ids) -> None:
        self._scope = Scope(sink, ids).after(RolloutStarted(trace_id, metadata.thread_id))
        self.root = ThreadTrace(self._scope, metadata)

    @property
    def recording(self) -> bool:
        """Whether anything is recorded; a host may skip work that only serves the recording."""
        return self._scope.recording

    def observe_protocol_event(self, event_type: str, event: object) -> None:
        """Keep an event of the host's protocol as evidence, such as `turn_started` or `error`."""
        payload = self._scope.payload("protocol_event", event)
        if payload is not None:
            self._scope.record(ProtocolEventObserved(event_type, payload))

    def end(self, status: RolloutStatus = "completed") -> None:
        """The session ends."""
        self._scope.record(RolloutEnded(status))

    def complete(self) -> None:
        """The recording was shut down in an orderly way: its last event. What comes later is dropped."""
        self._scope.record(RecordingCompleted())
        self._scope.sink.close()


def start_session(
    metadata: SessionMetadata,
    *,
    environ: Mapping[str, str] | None = None,
    clock: Clock = wall_clock,
    new_uuid: Callable[[], str] = random_uuid,
    schema: SchemaNumber = NEWEST_SCHEMA,
    limits: Limits = UNLIMITED,
) -> SessionTrace:
    """Begin to record a session if `CODEX_ROLLOUT_TRACE_ROOT` names a directory; else the handles do nothing.

    Recording is best effort: nothing that goes wrong with it reaches the host program.

    Args:
        metadata: the root thread.
        environ: where the variable is looked up; by default the environment of the process.
        clock: where event times come from, in milliseconds since 1970.
        new_uuid: where ids that the recorder makes up come from.
        schema: the trace schema: 3 as of codex 0.171, 2 as of 0.165 to 0.170, 1 as of older ones.
        limits: how much is recorded; only schema 3 has them.
    """
    root = (os.environ if environ is None else environ).get(TRACE_ROOT_VARIABLE)
    ids = Ids(new_uuid)
    trace_id = ids.new_uuid()
    sink: TraceSink = NullWriter()
    if root:
        sink = open_writer(
            Path(root),
            trace_id=trace_id,
            root_thread_id=metadata.thread_id,
            clock=clock,
            schema=schema,
            limits=limits,
        )
    return SessionTrace(sink, trace_id, metadata, ids)
