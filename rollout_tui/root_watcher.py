"""Looking at a list of runs for whoever shows it, again and again: what is new appears while one looks."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event
from time import monotonic
from typing import Any, Protocol

from textual.dom import DOMNode
from textual.worker import get_current_worker

from rollout_tui.bundles.listing import ListedRun
from rollout_tui.bundles.root import RunList
from rollout_tui.outcomes import plain_reason
from rollout_tui.progress import Cancelled, now_and_then

LOOK_SECONDS = 1.0
"""Seconds between two looks, at least."""

LOOK_SHARE = 10
"""Seconds between two looks for each second that one takes: there may be very many sessions."""

LOOK = "look"
"""The group of the worker of a watcher."""


class Target(Protocol):
    """Who shows what is found."""

    def show(self, runs: list[ListedRun], *, is_whole: bool) -> None:
        """Show these runs: all, or those that are known so far."""

    def say_progress(self, done: int, total: int) -> None:
        """So many recordings of the first look were read."""

    def complain(self, reason: str) -> None:
        """A directory cannot be listed."""


class RootWatcher:
    """Looks at one list by a worker, and tells a target, in the loop of the application."""

    def __init__(self, runs: RunList, node: DOMNode, target: Target) -> None:
        """Prepare to look.

        Args:
            runs: the list; what it knows of earlier looks is not read again.
            node: whose worker looks.
            target: who shows what is found.
        """
        self._runs = runs
        self._node = node
        self._target = target
        self._stopped = Event()
        self._shown: list[ListedRun] | str | None = None

    def watch(self) -> None:
        """Look, from now on until `stop`."""
        self._stopped = stopped = Event()
        self._node.run_worker(
            lambda: self._look(stopped), group=LOOK, thread=True, exclusive=True, exit_on_error=False
        )

    def stop(self) -> None:
        """Look no more."""
        self._stopped.set()

    def _tell(self, what: Callable[..., None], *arguments: Any, **options: Any) -> None:
        self._node.call_later(what, *arguments, **options)

    def _look(self, stopped: Event) -> None:
        """Look again and again; tell what differs from what the look before found."""
        worker, target = get_current_worker(), self._target
        progress = now_and_then(
            lambda done, total: self._tell(target.say_progress, done, total),
            lambda: worker.is_cancelled or stopped.is_set(),
        )
        while not worker.is_cancelled:
            began = monotonic()
            try:
                found = self._runs.look(progress, self._publish if self._shown is None else None)
            except Cancelled:
                return
            except OSError as error:
                reason = f"this directory cannot be listed: {plain_reason(error)}"
                if reason != self._shown:
                    self._shown = reason
                    self._tell(target.complain, reason)
            else:
                if found != self._shown:
                    self._shown = found
                    self._tell(target.show, found, is_whole=True)
            if stopped.wait(max(LOOK_SECONDS, LOOK_SHARE * (monotonic() - began))):
                return

    def _publish(self, runs: list[ListedRun]) -> None:
        self._tell(self._target.show, runs, is_whole=False)
