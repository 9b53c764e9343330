"""Where bundles are recorded and looked for if nobody says where, and by what names they are called there.

It imports nothing of the reducer: a shell that completes a word waits for it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

TRACE_ROOT_VARIABLE = "CODEX_ROLLOUT_TRACE_ROOT"
"""Where codex records to; `reducer.recorder` has the same."""

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


def short_name(directory: str) -> str:
    """The name of a bundle's directory without what those of codex begin with."""
    return directory.removeprefix("trace-")
