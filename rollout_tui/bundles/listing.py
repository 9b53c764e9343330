"""Bundles and sessions as one list: what is of one run is one entry, and one session stands together."""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Literal, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from reducer.storage.bundle import LOG
from rollout_tui.bundles.id_groups import IdGroups
from rollout_tui.bundles.liveness import files_being_written, is_fresh
from rollout_tui.bundles.session_summary import SessionSummary
from rollout_tui.bundles.summary import BundleSummary, RunSummary

S = TypeVar("S", bound=RunSummary)

Evidence = Literal["bundle", "session", "both"]


class ListedRun(Struct, frozen=True):
    """An entry in its place among those of its session.

    Attributes:
        bundle: its bundle; None where only codex itself kept something.
        session: its session files; None where there are none.
        group: the root thread by which its session is known.
        place: which of its session it is in the list, from 0, the newest.
        group_size: how many entries the session has.
        relation: `resumed`, `fork`, the role of a helper such as `review`, or empty.
    """

    bundle: BundleSummary | None
    session: SessionSummary | None
    group: str
    place: int
    group_size: int
    relation: str

    @property
    def summary(self) -> RunSummary:
        """What it is about: by its bundle, which is the better evidence, or else by its session."""
        found = self.bundle or self.session
        assert found is not None  # an entry is of something
        return found

    @property
    def evidence(self) -> Evidence:
        """What there is of it."""
        if self.bundle is None:
            return "session"
        return "bundle" if self.session is None else "both"


def live_paths(bundles: Sequence[BundleSummary], sessions: Sequence[SessionSummary] = ()) -> frozenset[Path]:
    """The paths of those recordings that are still being written.

    How a recording of a schema that is not known ends nobody knows: it is live while a process writes it. So
    it is with a session, which nothing ends; one with an open turn is also live if it was written just now.
    """
    now = time.time_ns() // 1_000_000
    unended = {one.path / LOG for one in bundles if one.status == "stopped" and not one.recording_completed}
    logs = {os.path.realpath(log) for log in unended}
    logs |= {os.path.realpath(one.path / LOG) for one in bundles if one.status == "unknown"}
    folders = {one.folder: os.path.realpath(one.folder) for one in sessions}
    below = tuple(os.path.join(folder, "") for folder in folders.values())
    written = frozenset(
        files_being_written(lambda path: path in logs or (bool(below) and path.startswith(below)))
        if logs or below
        else ()
    )
    live = {
        one.path
        for one in bundles
        if os.path.realpath(one.path / LOG) in written
        or (one.path / LOG in unended and is_fresh(one.written_at_unix_ms, now))
    }
    for session in sessions:
        is_open = bool(written) and any(
            os.path.join(folders[session.folder], name) in written for name in session.files
        )
        if is_open or (session.unended and is_fresh(session.written_at_unix_ms, now)):
            live.add(session.path)
    return frozenset(live)


def _alive(summary: S, live: Collection[Path]) -> S:
    return (
        replace(summary, status="live") if summary.path in live and summary.status != "unusable" else summary
    )


def listed(
    bundles: Iterable[BundleSummary],
    sessions: Iterable[SessionSummary] = (),
    live: Collection[Path] = (),
) -> list[ListedRun]:
    """Put the entries of one session together, newest first within it and among sessions.

    A bundle and a session are of one run, and one entry, if the session has the bundle's root thread. Bundles
    are of one session if they name a thread in common: as their root thread, their session, the thread they
    were forked from, or the thread they work for. A resumed session has the root thread of the earlier one.
    The newest bundle of a session that goes on is live as well: a later process may not be traced.

    Args:
        bundles: summaries.
        sessions: summaries.
        live: the paths of those that are still being written.
    """
    sessions = [_alive(one, live) for one in sessions]
    ordered = [_alive(one, live) for one in bundles]
    ordered.sort(key=lambda one: (-one.started_at_unix_ms, str(one.path)))
    groups, session_of = IdGroups(), {}
    for session in sessions:
        groups.join(_ids_of_session(session))
        for thread_id in session.thread_ids if session.status != "unusable" else ():
            session_of[thread_id] = session
    for bundle in ordered:
        groups.join(_thread_ids(bundle))
    entries: list[tuple[BundleSummary | None, SessionSummary | None]] = []
    going_on = {id(one) for one in sessions if one.status == "live"}
    for bundle in ordered:  # the newest first: it is the one that goes on with its session
        of_run = session_of.get(bundle.root_thread_id)
        if id(of_run) in going_on and bundle.status != "unusable":
            going_on.remove(id(of_run))
            bundle = replace(bundle, status="live")
        entries.append((bundle, of_run))
    merged = {id(session) for _, session in entries if session is not None}
    entries += [(None, session) for session in sessions if id(session) not in merged]
    return _grouped(entries, groups)


def _grouped(
    entries: list[tuple[BundleSummary | None, SessionSummary | None]], groups: IdGroups
) -> list[ListedRun]:
    members: dict[str, list[ListedRun]] = defaultdict(list)
    for bundle, session in entries:
        if bundle is not None:
            group = groups.of(_thread_ids(bundle)[0])
        else:
            assert session is not None
            group = groups.of(_ids_of_session(session)[0])
        members[group].append(ListedRun(bundle, session, group, 0, 1, ""))
    found: list[list[ListedRun]] = []
    for runs in members.values():
        if len(runs) > 1:
            runs.sort(key=_age)
        found.append(runs)
    found.sort(key=lambda runs: _age(runs[0]))
    return [
        replace(one, place=place, group_size=len(runs), relation=_relation(one.summary, runs[place + 1 :]))
        if len(runs) > 1 or one.summary.role or one.summary.parent_thread_id or one.summary.forked_from_id
        else one
        for runs in found
        for place, one in enumerate(runs)
    ]


def _age(one: ListedRun) -> tuple[int, str]:
    return -one.summary.started_at_unix_ms, str(one.summary.path)


def _thread_ids(summary: RunSummary) -> list[str]:
    """The threads a recording names, its own first; an unusable one has its path instead."""
    ids = (summary.root_thread_id, summary.session_id, summary.forked_from_id, summary.parent_thread_id)
    return [one for one in ids if one] or [str(summary.path)]


def _ids_of_session(session: SessionSummary) -> list[str]:
    if session.status == "unusable":
        return [str(session.path)]
    return [*session.thread_ids] or [str(session.path)]


def _relation(summary: RunSummary, older: Sequence[ListedRun]) -> str:
    if summary.parent_thread_id or summary.role:
        return summary.role or "helper"
    if any(one.summary.root_thread_id == summary.root_thread_id for one in older):
        return "resumed"
    return "fork" if summary.forked_from_id else ""
