"""Where bundles are recorded and looked for if nobody says where, and by what names they are called there.

It imports nothing of the reducer: a shell that completes a word waits for it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

TRACE_ROOT_VARIABLE = "CODEX_ROLLOUT_TRACE_ROOT"
"""Where codex records to; `reducer.recorder` has the same."""

CODEX_HOME_VARIABLE = "CODEX_HOME"
"""Where codex keeps what it needs, sessions among it."""

_THREAD_IN_NAME = re.compile(r"rollout-[0-9T:\-]+?-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})[_.]")
"""How codex names the file of a thread; `reducer.sessions.headers` has the same."""

_MAX_THREADS = 100
"""Threads that are offered at most: nobody reads more."""

MANIFEST = "manifest.json"
"""What makes a directory a bundle; `reducer.storage.bundle` has the same."""


def default_root(environ: Mapping[str, str]) -> Path:
    """The trace root if nobody names one.

    That is what `CODEX_ROLLOUT_TRACE_ROOT` names, or else `rollout-tui/traces` in `$XDG_STATE_HOME`, which is
    `~/.local/state` unless set.
    """
    named = environ.get(TRACE_ROOT_VARIABLE)
    if named:
        return Path(named)
    state = environ.get("XDG_STATE_HOME")
    home = Path(state) if state and os.path.isabs(state) else Path.home() / ".local/state"
    return home / "rollout-tui" / "traces"


def codex_home(environ: Mapping[str, str]) -> Path:
    """Where codex keeps its sessions: what `CODEX_HOME` names, or else `~/.codex`."""
    named = environ.get(CODEX_HOME_VARIABLE)
    return Path(named) if named else Path.home() / ".codex"


def bundles_called(beginning: str, environ: Mapping[str, str]) -> list[Path]:
    """The bundles of the default root whose short names begin so, by name.

    Args:
        beginning: of their names, `trace-` left out.
        environ: the environment.
    """
    root = default_root(environ)
    try:
        names = [name for name in os.listdir(root) if short_name(name).startswith(beginning)]
    except OSError:
        return []
    return [root / name for name in sorted(names) if os.path.lexists(root / name / MANIFEST)]


def threads_called(beginning: str, environ: Mapping[str, str]) -> list[str]:
    """The ids of threads that codex kept and that begin so, by the names of files; a hundred at most."""
    places = [codex_home(environ) / name for name in ("sessions", "archived_sessions")]
    found: list[str] = []
    while places and len(found) < _MAX_THREADS:
        place = places.pop()
        try:
            with os.scandir(place) as entries:
                listed = sorted(entries, key=lambda one: one.name)
        except OSError:
            continue
        for entry in listed:
            thread = _THREAD_IN_NAME.match(entry.name)
            if thread is None and entry.is_dir(follow_symlinks=False):
                places.append(place / entry.name)  # the newest folder is looked at first
            elif thread is not None and thread[1].startswith(beginning):
                found.append(thread[1])
    return [*dict.fromkeys(found)][:_MAX_THREADS]


def short_name(directory: str) -> str:
    """The name of a bundle's directory without what those of codex begin with."""
    return directory.removeprefix("trace-")
