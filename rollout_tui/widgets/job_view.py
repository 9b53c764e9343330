"""A scrolling view that does long work in steps, in a thread, and shows it as it comes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from time import monotonic, sleep

from textual.message import Message
from textual.scroll_view import ScrollView
from textual.worker import Worker, WorkerState, get_current_worker

FIRST_REPORT_SECONDS = 0.03
"""A job's first results are shown after this."""

REPORT_SECONDS = 0.1
"""And further ones this far apart: what each adds is taken in on the UI loop."""


class JobView(ScrollView, can_focus=True, inherit_bindings=False):
    """Runs jobs: iterators that work a few milliseconds between two yields, so that a thread can do them."""

    class Stepped(Message):
        """A job of the view got further, or is done. For the view itself."""

        def __init__(self, progress: Callable[[bool], None], is_done: bool) -> None:
            """`progress` is to be called on the UI loop with `is_done`."""
            super().__init__()
            self.progress = progress
            self.is_done = is_done

    class JobEnded(Message):
        """A job ended by an error of this program."""

        def __init__(self, view: JobView, name: str) -> None:
            """`name` is that of the job."""
            super().__init__()
            self.view = view
            self.name = name

    def run_job(
        self, name: str, steps: Iterator[None], progress: Callable[[bool], None], *, inline: bool
    ) -> None:
        """Do work in steps, in a thread unless it is small. A new job ends an unfinished one of its name.

        Args:
            name: What the job is.
            steps: Does the work; each step takes a few milliseconds at most.
            progress: Called on the UI loop now and then, with true when all is done. May come after the job
                was ended, so it must check that what it was about still matters.
            inline: Do it all here and now.
        """
        if inline:
            self.end_job(name)
            for _pause in steps:
                pass
            progress(True)
            return
        work = partial(self._work, steps, progress)
        self.run_worker(work, name=name, group=name, exclusive=True, thread=True, exit_on_error=False)

    def end_job(self, name: str) -> bool:
        """End a job before it is done; returns whether there was one."""
        return bool(self.workers.cancel_group(self, name))

    def job_failed(self, name: str, error: str) -> None:
        """A job ended by an error of this program. The view keeps what it has.

        Args:
            name: What the job was.
            error: The name of the error; its text could hold evidence.
        """

    def _work(self, steps: Iterator[None], progress: Callable[[bool], None]) -> None:
        """The thread of a job."""
        worker = get_current_worker()
        next_report = monotonic() + FIRST_REPORT_SECONDS
        for _pause in steps:
            if worker.is_cancelled:
                return
            if monotonic() >= next_report:
                self.post_message(self.Stepped(progress, False))
                next_report = monotonic() + REPORT_SECONDS
            sleep(0)  # gives the interpreter to the UI loop at once, not after its switch interval
        if not worker.is_cancelled:
            self.post_message(self.Stepped(progress, True))

    def on_job_view_stepped(self, message: Stepped) -> None:
        """Let the job's owner take in what is there."""
        message.stop()
        message.progress(message.is_done)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Report a job that failed."""
        if event.state is WorkerState.ERROR:
            event.stop()
            self.job_failed(event.worker.name, type(event.worker.error).__name__)
            self.post_message(self.JobEnded(self, event.worker.name))
