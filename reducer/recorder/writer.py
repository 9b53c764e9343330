"""The bundle on disk: a directory, a manifest, payload files and an event log, written as codex does."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal, Protocol

import msgspec

from reducer.recorder.encoding import compact_json, pretty_json
from reducer.schemas import SCHEMAS
from reducer.storage.bundle import LOG, MANIFEST
from reducer.wire.events import Event, Manifest
from reducer.wire.payload_refs import FileRef, PayloadKind, PayloadKindName, PayloadRef

PAYLOADS = "payloads"

Clock = Callable[[], int]
"""Wall clock in milliseconds since 1970."""

_log = logging.getLogger(__name__)
_CHECKS = {version: msgspec.json.Decoder(schema.line) for version, schema in SCHEMAS.items()}


def wall_clock() -> int:
    """Now, in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


class TraceSink(Protocol):
    """What the handles write to: a bundle, or nothing."""

    def keeps(self, event_type: type[Event]) -> bool:
        """Whether events of this type are recorded at all; if not, their payloads need not be written."""

    def write_payload(self, kind: PayloadKindName, value: object) -> PayloadRef | None:
        """Keep heavy content in a file of its own; None when it was not kept."""

    def append(self, event: Event, *, thread_id: str | None = None, codex_turn_id: str | None = None) -> bool:
        """Put an event at the end of the log; False when it is not there."""

    def close(self) -> None:
        """Write no more."""


class NullWriter:
    """Stands in for a bundle when recording is off, could not begin, or lost what all else depends on."""

    def keeps(self, event_type: type[Event]) -> bool:
        """Nothing is."""
        return False

    def write_payload(self, kind: PayloadKindName, value: object) -> None:
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
        schema: Literal[1, 2] = 2,
    ) -> None:
        """Make the bundle directory with its manifest and an empty log.

        Args:
            directory: the bundle directory; it must not exist, its parents are made.
            trace_id: identity of this recording.
            root_thread_id: thread id of the root thread; also the rollout id of every event.
            clock: where event times come from.
            schema: the trace schema; what schema 1 has no event for is left out of it.

        Raises:
            OSError: the directory exists or cannot be written.
            TypeError: an id has no JSON form.
        """
        self.directory = directory
        self._rollout_id = root_thread_id
        self._clock = clock
        self._schema = SCHEMAS[schema]
        self._lock = threading.Lock()
        self._warned = False
        self._open = True
        self._seq = 0
        self._payload_count = 0
        self._log_size = 0
        manifest = Manifest(
            schema_version=schema,
            trace_id=trace_id,
            rollout_id=root_thread_id,
            root_thread_id=root_thread_id,
            started_at_unix_ms=clock(),
            raw_event_log=LOG,
            payloads_dir=PAYLOADS,
        )
        directory.mkdir(parents=True)
        try:
            (directory / PAYLOADS).mkdir()
            (directory / MANIFEST).write_bytes(pretty_json(manifest))
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            self._log_descriptor = os.open(directory / LOG, flags, 0o666)
        except BaseException:
            shutil.rmtree(directory, ignore_errors=True)
            raise

    def keeps(self, event_type: type[Event]) -> bool:
        """Whether the schema has events of this type."""
        return str(event_type.__struct_config__.tag) in self._schema.events

    def write_payload(self, kind: PayloadKindName, value: object) -> PayloadRef | None:
        """Write a payload file; it must be there before the event that refers to it.

        Files are numbered as they are begun, so several threads may number them in another order than events.

        Args:
            kind: label that the reference carries.
            value: anything with a JSON form; see `pretty_json`.

        Returns:
            The reference for an event, or None when the file could not be written.
        """
        try:
            data = pretty_json(value)
        except Exception as error:
            self._warn("a payload", error)
            return None
        with self._lock:
            if not self._open:
                return None
            self._payload_count += 1
            number = self._payload_count
        path = f"{PAYLOADS}/{number}.json"
        file = self.directory / path
        try:
            with open(file, "xb", buffering=0) as stream:
                _write_all(stream.fileno(), data)
        except OSError as error:
            self._warn("a payload", error)
            with contextlib.suppress(OSError):
                file.unlink()
            return None
        return FileRef(f"raw_payload:{number}", PayloadKind(kind), path)

    def append(self, event: Event, *, thread_id: str | None = None, codex_turn_id: str | None = None) -> bool:
        """Write an event as the next line of the log, in one piece and at once.

        Args:
            event: the body.
            thread_id: context of the envelope, or None.
            codex_turn_id: context of the envelope, or None.

        Returns:
            Whether the event is in the log. One that is not has used up no sequence number.
        """
        payload = self._schema.form_of(event)
        if payload is None:
            return False
        with self._lock:
            if not self._open:
                return False
            try:
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
                self._write_line(line + b"\n")
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

    def _write_line(self, line: bytes) -> None:
        try:
            _write_all(self._log_descriptor, line)
        except OSError:
            self._take_back_torn_line()
            raise
        self._log_size += len(line)

    def _take_back_torn_line(self) -> None:
        """A disk that fills up takes the beginning of a line; the next event must not be glued to it."""
        try:
            os.ftruncate(self._log_descriptor, self._log_size)
        except OSError:
            self._close()

    def _close(self) -> None:
        if self._open:
            self._open = False
            with contextlib.suppress(OSError):
                os.close(self._log_descriptor)

    def _warn(self, what: str, error: Exception) -> None:
        if not self._warned:
            self._warned = True
            _log.warning("rollout trace %s: %s could not be recorded: %s", self.directory, what, error)


def open_writer(root: Path, *, trace_id: str, root_thread_id: str, clock: Clock = wall_clock) -> TraceSink:
    """Begin a bundle under a trace root, or nothing if that is not possible (a warning tells).

    Args:
        root: directory that holds bundles; made if missing.
        trace_id: identity of this recording.
        root_thread_id: thread id of the root thread.
        clock: where event times come from.
    """
    name = f"trace-{trace_id}-{root_thread_id}"
    try:
        if Path(name).name != name or "\0" in name:
            raise ValueError(f"{name!r} is not the name of a directory")
        return TraceWriter(root / name, trace_id=trace_id, root_thread_id=root_thread_id, clock=clock)
    except Exception as error:
        _log.warning("rollout trace: nothing is recorded in %s: %s", root, error)
        return NullWriter()


def _write_all(descriptor: int, data: bytes) -> None:
    """Write all bytes; a full disk or a size limit may take only some of them before it says so."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
