"""When something ran, and how it ended."""

from __future__ import annotations

from msgspec import Struct

from reducer.wire.events import ExecutionStatus, RawEvent


class ExecutionWindow(Struct, frozen=True):
    """A span of time (unix ms) and of the log (sequence numbers). Without an end it is still open."""

    started_at_unix_ms: int
    started_seq: int
    ended_at_unix_ms: int | None = None
    ended_seq: int | None = None
    status: ExecutionStatus = "running"

    @classmethod
    def opened_by(cls, raw: RawEvent) -> ExecutionWindow:
        """The window that begins at this event."""
        return cls(raw.wall_time_unix_ms, raw.seq)

    def ended_by(self, raw: RawEvent, status: ExecutionStatus) -> ExecutionWindow:
        """The same window, ended at this event; an earlier end is overwritten."""
        return ExecutionWindow(
            self.started_at_unix_ms, self.started_seq, raw.wall_time_unix_ms, raw.seq, status
        )

    def reopened(self) -> ExecutionWindow:
        """The same window without its end."""
        return ExecutionWindow(self.started_at_unix_ms, self.started_seq)
