"""Work whose result is awaited: if it dies, that is said where the result would have stood."""

from __future__ import annotations

from textual.worker import Worker, WorkerState

from rollout_tui.outcomes import NO_MEMORY, plain_reason


class AwaitingWork:
    """For every widget, screen or app that starts workers with `exit_on_error=False`."""

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Say what became of work that died, unless nobody waits for it any more."""
        worker = event.worker
        if event.state is WorkerState.ERROR and worker.error is not None and not worker.is_cancelled:
            event.stop()
            self.work_failed(worker.group, death_words(worker.error))

    def work_failed(self, group: str, reason: str) -> None:
        """Show the reason where the result was awaited, and wait no more.

        Args:
            group: the group of the worker.
            reason: a sentence of this program, without a full stop; a path in it may be of any characters.
        """
        raise NotImplementedError


def death_words(error: BaseException) -> str:
    """Why work died. The text of an error could hold evidence: only its name is told."""
    if isinstance(error, MemoryError):
        return NO_MEMORY
    if isinstance(error, OSError):
        return plain_reason(error)
    return f"a fault in this program: {type(error).__name__}"
