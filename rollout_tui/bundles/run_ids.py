"""Finds the run that the beginning of an id means: of a thread, a rollout or a bundle."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from reducer import BundleError, open_bundle
from reducer.storage.confinement import BundleFolder
from rollout_tui.bundles.id_groups import IdGroups
from rollout_tui.bundles.session_files import sessions_under
from rollout_tui.bundles.shelved_session import ShelvedSession
from rollout_tui.default_root import bundles_called, codex_home, short_name

MIN_PREFIX = 4
"""Characters of an id that may stand for it."""

_MAX_NAMED = 4
"""Names that a sentence lists."""

_BEGINS_AN_ID = re.compile(r"[0-9a-f-]+")


class _Candidate(NamedTuple):
    """A recording of a run that may be meant.

    Attributes:
        path: by which it is opened.
        name: by which it is called where several are meant.
        ids: of it and of what belongs to it, by which it hangs together with others.
        is_meant: whether one of its own ids begins as was asked; else only its run may be meant.
        is_bundle: whether it is the better evidence.
    """

    path: Path
    name: str
    ids: list[str]
    is_meant: bool
    is_bundle: bool


def run_called(beginning: str, environ: Mapping[str, str]) -> Path | None:
    """The bundle, or else the session file, of the one run with an id or a bundle's name that begins so.

    Bundles are those of the default root, session files those of codex.

    Args:
        beginning: of the id; of a bundle's name `trace-` is left out, as `ls` does.
        environ: the environment.

    Returns:
        None if there is none, or what was asked is no beginning of an id.

    Raises:
        BundleError: there are several; the sentence names them.
    """
    if len(beginning) < MIN_PREFIX or "/" in beginning:
        return None
    candidates = [*_bundles(beginning, environ), *_sessions(beginning, environ)]
    groups = IdGroups()
    for one in candidates:
        groups.join(one.ids)
    runs: dict[str, list[_Candidate]] = defaultdict(list)
    for one in candidates:
        runs[groups.of(one.ids[0])].append(one)
    meant = [run for run in runs.values() if any(one.is_meant for one in run)]
    paths = [path for run in meant for path in _best(run)]
    if len(paths) > 1:
        names = [one.name for path in paths for one in candidates if one.path == path]
        there = ", ".join(names[:_MAX_NAMED]) + (", ..." if len(names) > _MAX_NAMED else "")
        raise BundleError(f"{beginning}: {len(paths)} runs begin so: {there}")
    return paths[0] if paths else None


def _best(run: list[_Candidate]) -> list[Path]:
    """What opens a run: its bundles that are meant, or else all of them, or else its first session file."""
    bundles = [one for one in run if one.is_bundle]
    meant = [one for one in bundles if one.is_meant] or bundles
    if meant:
        return [one.path for one in meant]
    return [min(run, key=lambda one: one.ids).path]


def _bundles(beginning: str, environ: Mapping[str, str]) -> Iterable[_Candidate]:
    for path in bundles_called("", environ):
        name, own = short_name(path.name), [str(path)]
        with suppress(BundleError):
            manifest = open_bundle(path).manifest
            own = [manifest.root_thread_id, manifest.rollout_id, manifest.trace_id]
        is_meant = any(one.startswith(beginning) for one in (name, *own))
        # Its run may be one whose child is meant; a bundle of another process has another trace id.
        yield _Candidate(path, name, own[:2], is_meant, True)


def _sessions(beginning: str, environ: Mapping[str, str]) -> Iterable[_Candidate]:
    """The session files whose ids begin so; of others nothing is opened."""
    if _BEGINS_AN_ID.fullmatch(beginning) is None:
        return
    home = codex_home(environ)
    folder = BundleFolder(home)
    try:
        found = sessions_under(home)
    except OSError:
        return
    for one in found:
        ids = one.ids
        if ids is None or one.problem is not None:
            continue
        if ids.thread_id.startswith(beginning) or ids.file_id.startswith(beginning):
            session = ShelvedSession(folder, one)
            session.outline()
            related = [] if session.header is None else sorted(session.header.relatives)
            yield _Candidate(home / one.name, ids.thread_id, [*session.own_ids, *related], True, False)
