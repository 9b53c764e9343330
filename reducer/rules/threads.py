"""The session as a whole, threads and turns."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from reducer.changes import GraphWork, Handlers
from reducer.errors import Inconsistent
from reducer.model import ExecutionWindow, RootOrigin, SpawnedOrigin, Thread, Turn, UnknownOrigin
from reducer.schemas.v1 import (
    CodexTurnEnded,
    CodexTurnStarted,
    RolloutEnded,
    RolloutStarted,
    ThreadEnded,
    ThreadStarted,
)
from reducer.schemas.v2 import RecordingCompleted, ThreadResumed
from reducer.storage.payloads import Payloads
from reducer.wire.events import RawEvent
from reducer.wire.typed_json import convert, dig


class _ThreadMetadata(Struct, frozen=True):
    agent_path: str | None = None
    task_name: str | None = None
    nickname: str | None = None
    agent_role: str | None = None
    model: str | None = None
    session_source: Any = None


class Referrer(Struct, frozen=True):
    """What refers to a thread or a turn, for messages that say so.

    Attributes:
        ours: what it is, in our words.
        theirs: what the reference calls it.
        their_turn: what the reference calls the turn that it refers to.
        their_context: what the reference misses when it names neither thread nor turn.
    """

    ours: str
    theirs: str
    their_turn: str = "codex turn"
    their_context: str = "a thread id"

    def unknown_turn(self, turn_id: str) -> Inconsistent:
        """That the turn it refers to is not known."""
        return Inconsistent(
            f"{self.ours} refers to turn {turn_id}, which is not known",
            f"{self.theirs} referenced unknown {self.their_turn} {turn_id}",
        )


class Threads:
    """Applies the events of the rollout, its threads and their turns."""

    def __init__(self, work: GraphWork, payloads: Payloads) -> None:
        self._work = work
        self._payloads = payloads

    def handlers(self) -> Handlers:
        """What is done on the events that concern this."""
        return {
            RecordingCompleted: self.recording_completed,
            RolloutStarted: self.rollout_started,
            RolloutEnded: self.rollout_ended,
            ThreadStarted: self.thread_started,
            ThreadEnded: self.thread_ended,
            CodexTurnStarted: self.codex_turn_started,
        }

    def rollout_started(self, raw: RawEvent, event: RolloutStarted) -> None:
        """Take over the ids; they may differ from the manifest's."""
        trace = self._work.changes.change(self._work.trace)
        trace.trace_id, trace.root_thread_id = event.trace_id, event.root_thread_id

    def rollout_ended(self, raw: RawEvent, event: RolloutEnded) -> None:
        """Set the status and the end of the session; nothing else is closed by it."""
        trace = self._work.changes.change(self._work.trace)
        trace.status, trace.ended_at_unix_ms = event.status, raw.wall_time_unix_ms

    def recording_completed(self, raw: RawEvent, event: RecordingCompleted) -> None:
        """The recorder says that nothing is missing at the end; its limits may have cut something before."""
        trace = self._work.changes.change(self._work.trace)
        if self._work.schema.tells_recording == "status":
            partial = any(ref.is_lost for ref in trace.raw_payloads.values())
            trace.recording_status = "closed_with_partial_payloads" if partial else "complete"
        else:
            trace.recording_complete = True

    def thread_started(self, raw: RawEvent, event: ThreadStarted) -> None:
        """Make the thread; its metadata says by whom it was spawned, if by anyone."""
        if event.thread_id in self._work.trace.threads:
            raise Inconsistent(
                f"thread {event.thread_id} was started before",
                f"duplicate thread start for {event.thread_id}",
            )
        agent_path, metadata = event.agent_path, _ThreadMetadata()
        origin: RootOrigin | SpawnedOrigin | UnknownOrigin = RootOrigin()
        ref = event.metadata_payload
        if ref is not None and self._payloads.is_lost(ref):
            is_root = event.thread_id == self._work.trace.root_thread_id
            origin = RootOrigin() if is_root else UnknownOrigin()
        elif ref is not None:
            what = f"thread metadata {ref.raw_payload_id}"
            value = self._payloads.parse_whole(ref).value
            metadata = convert(value, _ThreadMetadata, what, f"parse {what}")
            agent_path, origin = _origin(event, metadata)
        thread = Thread(
            event.thread_id,
            agent_path,
            metadata.nickname,
            origin,
            ExecutionWindow.opened_by(raw),
            metadata.model,
        )
        self._work.changes.create(self._work.trace.threads, event.thread_id, thread)

    def thread_ended(self, raw: RawEvent, event: ThreadEnded) -> None:
        """End the thread's window."""
        thread = self._work.changes.change(self.known_thread(event.thread_id))
        thread.execution = thread.execution.ended_by(raw, event.status)

    def thread_resumed(self, raw: RawEvent, event: ThreadResumed) -> None:
        """Open the window of an ended thread again; its start stays."""
        thread = self._work.trace.threads.get(event.thread_id)
        if thread is None:
            raise Inconsistent(
                f"thread {event.thread_id} was resumed, but it was not started in this recording",
                f"cannot resume thread {event.thread_id}: it was not started in this trace; resuming threads "
                f"from an earlier trace is not supported",
            )
        if thread.execution.ended_seq is None:
            raise Inconsistent(
                f"thread {event.thread_id} was resumed, but it had not ended",
                f"resumed thread {event.thread_id} has not ended",
            )
        self._work.changes.change(thread).execution = thread.execution.reopened()

    def codex_turn_started(self, raw: RawEvent, event: CodexTurnStarted) -> None:
        """Make the turn; it may start in an ended thread."""
        if event.codex_turn_id in self._work.trace.codex_turns:
            raise Inconsistent(
                f"turn {event.codex_turn_id} was started before",
                f"duplicate codex turn start for {event.codex_turn_id}",
            )
        self.known_thread(event.thread_id)
        turn = Turn(event.codex_turn_id, event.thread_id, ExecutionWindow.opened_by(raw))
        self._work.changes.create(self._work.trace.codex_turns, event.codex_turn_id, turn)

    def codex_turn_ended(self, raw: RawEvent, event: CodexTurnEnded) -> Turn:
        """End the turn's window, and give the turn."""
        turn = self._work.trace.codex_turns.get(event.codex_turn_id)
        if turn is None:
            raise Inconsistent(
                f"turn {event.codex_turn_id} ended, but it was never started",
                f"codex turn end referenced unknown turn {event.codex_turn_id}",
            )
        if raw.thread_id is not None and raw.thread_id != turn.thread_id:
            raise Inconsistent(
                f"turn {event.codex_turn_id} ended in thread {raw.thread_id}, "
                f"but it belongs to thread {turn.thread_id}",
                f"codex turn end for {event.codex_turn_id} used thread {raw.thread_id}, "
                f"but the turn belongs to {turn.thread_id}",
            )
        self._work.changes.change(turn).execution = turn.execution.ended_by(raw, event.status)
        return turn

    def known_thread(self, thread_id: str, reference_calls: str = "trace event") -> Thread:
        """The thread with this id.

        Args:
            thread_id: id of a thread.
            reference_calls: what the reference calls that which refers to the thread.

        Raises:
            Inconsistent: there is none.
        """
        thread = self._work.trace.threads.get(thread_id)
        if thread is None:
            raise Inconsistent(
                f"thread {thread_id} is not known", f"{reference_calls} referenced unknown thread {thread_id}"
            )
        return thread

    def turn_of_thread(self, turn_id: str, thread_id: str, referrer: Referrer) -> Turn:
        """The turn with this id, which must belong to the thread.

        Args:
            turn_id: id of a turn.
            thread_id: the thread it must belong to.
            referrer: what refers to it, for the error message.

        Raises:
            Inconsistent: there is no such turn, or it belongs to another thread.
        """
        turn = self._work.trace.codex_turns.get(turn_id)
        if turn is None:
            raise referrer.unknown_turn(turn_id)
        if turn.thread_id != thread_id:
            raise Inconsistent(
                f"{referrer.ours} is of thread {thread_id}, but its turn {turn_id} belongs to thread "
                f"{turn.thread_id}",
                f"{referrer.theirs} used thread {thread_id}, but {referrer.their_turn} {turn_id} "
                f"belongs to {turn.thread_id}",
            )
        return turn

    def thread_of_envelope(self, raw: RawEvent, referrer: Referrer, *, or_of_turn: bool = True) -> str:
        """The thread the envelope names, else the thread of the turn it names; it need not be known.

        Args:
            raw: the event.
            referrer: what it is about, for the error message.
            or_of_turn: whether the turn may tell the thread.

        Raises:
            Inconsistent: the envelope names neither, or a turn that is not known.
        """
        if raw.thread_id is not None:
            return raw.thread_id
        if raw.codex_turn_id is None or not or_of_turn:
            raise Inconsistent(
                f"{referrer.ours} names neither a thread nor a turn",
                f"{referrer.theirs} did not include {referrer.their_context}",
            )
        turn = self._work.trace.codex_turns.get(raw.codex_turn_id)
        if turn is None:
            raise referrer.unknown_turn(raw.codex_turn_id)
        return turn.thread_id


def _origin(event: ThreadStarted, metadata: _ThreadMetadata) -> tuple[str, RootOrigin | SpawnedOrigin]:
    """Agent path and origin: what the spawn says wins over the metadata, that over the event."""
    spawn = dig(metadata.session_source, "subagent", "thread_spawn")
    parent = _string(spawn, "parent_thread_id")
    path = metadata.agent_path if metadata.agent_path is not None else event.agent_path
    if parent is None:
        return path, RootOrigin()
    spawn_path = _string(spawn, "agent_path")
    path = spawn_path if spawn_path is not None else path
    task_name = _first(_string(spawn, "task_name"), metadata.task_name)
    if task_name is None:
        task_name = next((part for part in reversed(path.split("/")) if part), path)
    role = _first(_string(spawn, "agent_role"), metadata.agent_role)
    edge_id = f"edge:spawn:{parent}:{event.thread_id}"
    return path, SpawnedOrigin(parent, edge_id, task_name, role if role is not None else "")


def _string(value: Any, key: str) -> str | None:
    found = dig(value, key)
    return found if isinstance(found, str) else None


def _first(*values: str | None) -> str | None:
    return next((value for value in values if value is not None), None)
