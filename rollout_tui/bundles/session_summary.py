"""One run in a few facts, from its session files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rollout_tui.bundles.summary import RunSummary, Status

if TYPE_CHECKING:
    from rollout_tui.bundles.session_scan import SessionScan
    from rollout_tui.bundles.shelved_session import ShelvedSession

_NOT_COUNTED: dict[str, Any] = dict.fromkeys(("turns", "calls", "compactions", "failures_at_least"))
"""What is not known before the records were looked at."""

_AGENTS = ("root", "spawned")
"""Kinds of threads that are agents; reviewers are not."""


class SessionSummary(RunSummary, frozen=True):
    """What a run is about, by its session files.

    Attributes:
        folder: the directory that was looked at.
        files: the session files of the run, below the folder; the first thread's comes first.
        thread_ids: its threads, those of children and forks among them.
        unended: the files among them whose last turn has no end.
    """

    folder: Path = Path()
    files: tuple[str, ...] = ()
    thread_ids: tuple[str, ...] = ()
    unended: tuple[str, ...] = ()


def session_summary(folder: Path, run: Sequence[ShelvedSession]) -> SessionSummary:
    """Put together what is known of the files of a run; nothing is read.

    Args:
        folder: that holds the files.
        run: the files, that of the first thread first.
    """
    first = run[0]
    header = first.header
    threads = dict.fromkeys(one.thread_id for one in run if one.thread_id)
    kinds = {one.thread_id: one.header.kind for one in run if one.header is not None}
    scans = [one.scan for one in run if one.scan is not None]
    is_read = all(one.is_read for one in run)
    started = None if header is None else header.started_at_unix_ms
    last = max((one for one in run if one.thread_id == first.thread_id), key=lambda one: one.own_ids)
    is_counted = is_read and first.problem is None
    return SessionSummary(
        path=folder / first.found.name,
        status=_status(first, last, is_read=is_read),
        problem=first.problem or next((scan.fault for scan in scans if scan.fault), None),
        started_at_unix_ms=first.written_at_unix_ms if started is None else started,
        written_at_unix_ms=max(one.written_at_unix_ms for one in run),
        root_thread_id=first.thread_id,
        session_id=first.thread_id,
        forked_from_id=None if header is None else header.forked_from_id,
        parent_thread_id=None if header is None else header.parent_id,
        role="" if header is None or header.kind in _AGENTS else header.kind,
        agents=sum(kind in _AGENTS for kind in kinds.values()) if first.problem is None else None,
        tokens_are_estimated=any(scan.is_partial for scan in scans),
        bytes=sum(one.found.size for one in run),
        instruction=next((scan.instruction for scan in scans if scan.instruction), ""),
        model=next((scan.model for scan in scans if scan.model), ""),
        cwd="" if header is None else header.cwd,
        folder=folder,
        files=tuple(one.found.name for one in run),
        thread_ids=tuple(threads),
        unended=tuple(one.found.name for one in run if one.scan is not None and one.scan.end is None),
        **(_counted(scans) if is_counted else _NOT_COUNTED),
    )


def _status(first: ShelvedSession, last: ShelvedSession, *, is_read: bool) -> Status:
    """How a run stands, by the last file of its first thread. Who writes it is not asked."""
    if first.problem is not None:
        return "unusable"
    if not is_read or last.scan is None:
        return "reading"
    return last.scan.end or "stopped"


def _counted(scans: Sequence[SessionScan]) -> dict[str, Any]:
    """The numbers of a run; those of a file that was left out in part are reckoned from the rest."""
    calls = sum(round(scan.calls / scan.share) for scan in scans)
    tokens = sum(round(scan.tokens / scan.share) for scan in scans)
    return {
        "turns": sum(scan.turns for scan in scans),
        "calls": calls,
        "compactions": sum(scan.compactions for scan in scans),
        "failures_at_least": sum(scan.failures for scan in scans),
        "tokens": tokens if calls else None,
    }
