"""The bundle on disk: a directory, a manifest, payloads and an event log, written as codex does."""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal, Protocol

from reducer.recorder.append_only import AppendOnlyFile
from reducer.recorder.encoding import compact_json, pretty_json
from reducer.recorder.payload_writers import PAYLOADS, UNLIMITED, Limits, payload_writer
from reducer.schemas import SCHEMAS
from reducer.schemas.v2 import RecordingCompleted
from reducer.storage.bundle import LOG, MANIFEST
from reducer.wire.events import Event, Manifest
from reducer.wire.payload_refs import PayloadRef, ShardedKindName
from reducer.wire.typed_json import decoder_of

SchemaNumber = Literal[1, 2, 3]
NEWEST_SCHEMA: SchemaNumber = 3

Clock = Callable[[], int]
"""Wall clock in milliseconds since 1970."""

_log = logging.getLogger(__name__)
_CHECKS = {version: decoder_of(schema.line) for version, schema in SCHEMAS.items()}


def wall_clock() -> int:
    """Now, in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


class TraceSink(Protocol):
    """What the handles write to: a bundle, or nothing."""

    def keeps(self, event_type: type[Event], field: str | None = None) -> bool:
        """Whether events of this type are recorded, with this field; if not, it needs no payload."""

    def write_payload(self, kind: ShardedKindName, value: object) -> PayloadRef | None:
        """Keep heavy content outside of the log; None when it was not kept."""

    def append(self, event: Event, *, thread_id: str | None = None, codex_turn_id: str | None = None) -> bool:
        """Put an event at the end of the log; False when it is not there."""

    def close(self) -> None:
        """Write no more."""


class NullWriter:
    """Stands in for a bundle when recording is off, could not begin, or lost what all else depends on."""

    def keeps(self, event_type: type[Event], field: str | None = None) -> bool:
        """Nothing is."""
        return False

    def write_payload(self, kind: ShardedKindName, value: object) -> None:
        """Keeps nothing."""
        return

    def append(self, event: Event, *, thread_id: str | None = None, codex_turn_id: str | None = None) -> bool:
        """Keeps nothing."""
        return False

    def close(self) -> None:
        """There is nothing to close."""


class TraceWriter:
    """Writes one bundle. Safe to use from several threads.

    Recording is best effort: once the bundle exists, nothing that goes wrong with it reaches the caller. The
    first failure is logged as a warning, later ones are not mentioned; the return values tell of each.

    Attributes:
        directory: the bundle directory.
    """

    def __init__(
        self,
        directory: Path,
        *,
        trace_id: str,
        root_thread_id: str,
        clock: Clock = wall_clock,
        schema: SchemaNumber = NEWEST_SCHEMA,
        limits: Limits = UNLIMITED,
    ) -> None:
        """Make the bundle directory with its manifest and an empty log.

        Args:
            directory: the bundle directory; it must not exist, its parents are made.
            trace_id: identity of this recording.
            root_thread_id: thread id of the root thread; also the rollout id of every event.
            clock: where event times come from.
            schema: the trace schema; what it has no event for is left out of it.
            limits: how much is recorded.

        Raises:
            OSError: the directory exists or cannot be written.
            TypeError: an id has no JSON form.
            ValueError: not even the manifest is within the limits, or the schema has none.
        """
        self.directory = directory
        self._rollout_id = root_thread_id
        self._clock = clock
        self._schema = SCHEMAS[schema]
        self._limits = limits
        self._lock = threading.Lock()
        self._warned = False
        self._open = True
        self._seq = 0
        manifest = pretty_json(
            Manifest(
                schema_version=schema,
                trace_id=trace_id,
                rollout_id=root_thread_id,
                root_thread_id=root_thread_id,
                started_at_unix_ms=clock(),
                raw_event_log=LOG,
                payloads_dir=PAYLOADS,
            )
        )
        self._manifest_size = len(manifest)
        self._payloads = payload_writer(self._schema.ref, directory, limits, self._payload_failed)
        if limits.max_bytes is not None and len(manifest) > limits.max_bytes:
            raise ValueError(f"its manifest alone is larger than {limits.max_bytes} bytes")
        directory.mkdir(parents=True)
        try:
            (directory / PAYLOADS).mkdir()
            (directory / MANIFEST).write_bytes(manifest)
            self._log = AppendOnlyFile(directory / LOG)
        except BaseException:
            shutil.rmtree(directory, ignore_errors=True)
            raise

    def keeps(self, event_type: type[Event], field: str | None = None) -> bool:
        """Whether the schema has events of this type, and these have this field."""
        form = self._schema.events.get(str(event_type.__struct_config__.tag))
        return form is not None and (field is None or field in form.__struct_fields__)

    def write_payload(self, kind: ShardedKindName, value: object) -> PayloadRef | None:
        """Write a payload; it must be there before the event that refers to it.

        Args:
            kind: label that the reference carries.
            value: anything with a JSON form. A `msgspec.Raw` directly under a top-level key is JSON that the
                host holds ready-made.

        Returns:
            The reference for an event, or None when nothing can refer to the payload.
        """
        try:
            store = self._payloads.prepared(kind, value)
            with self._lock:
                return store(self._manifest_size + self._log.size) if self._open else None
        except Exception as error:
            self._payload_failed(error)
            return None

    def append(self, event: Event, *, thread_id: str | None = None, codex_turn_id: str | None = None) -> bool:
        """Write an event as the next line of the log, in one piece and at once.

        Args:
            event: the body.
            thread_id: context of the envelope, or None.
            codex_turn_id: context of the envelope, or None.

        Returns:
            Whether the event is in the log. One that is not has used up no sequence number.
        """
        with self._lock:
            if not self._open:
                return False
            try:
                payload = self._schema.form_of(event)
                if payload is None:
                    return False
                line = compact_json(
                    self._schema.line(
                        schema_version=self._schema.version,
                        seq=self._seq + 1,
                        wall_time_unix_ms=self._clock(),
                        rollout_id=self._rollout_id,
                        thread_id=thread_id,
                        codex_turn_id=codex_turn_id,
                        payload=payload,
                    )
                )
                # One malformed line makes a reader refuse the whole bundle, so none gets in.
                _CHECKS[self._schema.version].decode(line)
                self._write_line(line + b"\n", ends=isinstance(event, RecordingCompleted))
            except Exception as error:
                self._warn("an event", error)
                return False
            self._seq += 1
            return True

    @property
    def last_seq(self) -> int:
        """Sequence number of the last event in the log; 0 before the first."""
        return self._seq

    def close(self) -> None:
        """Close the log. Events and payloads that come later are dropped without a word."""
        with self._lock:
            self._close()

    def _write_line(self, line: bytes, *, ends: bool) -> None:
        """Write a line of the log; `ends` is whether it says that the recording is complete."""
        limit = self._limits.max_bytes
        size = self._manifest_size + self._log.size + self._payloads.size
        if limit is not None and size + len(line) > limit:
            self._close()
            raise ValueError(f"the bundle would get larger than {limit} bytes")
        # Payloads must be finished in a recording that is complete.
        if ends and not self._payloads.close():
            raise OSError("payloads could not be finished")
        try:
            self._log.append(line)
        except OSError:
            if self._log.is_torn:
                self._close()
            raise

    def _close(self) -> None:
        if self._open:
            self._open = False
            self._payloads.close()
            self._log.close()

    def _payload_failed(self, error: Exception) -> None:
        self._warn("a payload", error)

    def _warn(self, what: str, error: Exception) -> None:
        if not self._warned:
            self._warned = True
            _log.warning("rollout trace %s: %s could not be recorded: %s", self.directory, what, error)


def open_writer(
    root: Path,
    *,
    trace_id: str,
    root_thread_id: str,
    clock: Clock = wall_clock,
    schema: SchemaNumber = NEWEST_SCHEMA,
    limits: Limits = UNLIMITED,
) -> TraceSink:
    """Begin a bundle under a trace root, or nothing if that is not possible (a warning tells).

    Args:
        root: directory that holds bundles; made if missing.
        trace_id: identity of this recording.
        root_thread_id: thread id of the root thread.
        clock: where event times come from.
        schema: the trace schema.
        limits: how much is recorded.
    """
    name = f"trace-{trace_id}-{root_thread_id}"
    try:
        if Path(name).name != name or "\0" in name:
            raise ValueError(f"{name!r} is not the name of a directory")
        return TraceWriter(
            root / name,
            trace_id=trace_id,
            root_thread_id=root_thread_id,
            clock=clock,
            schema=schema,
            limits=limits,
        )
    except Exception as error:
        _log.warning("rollout trace: nothing is recorded in %s: %s", root, error)
        return NullWriter()
