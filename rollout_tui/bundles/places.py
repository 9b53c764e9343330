"""Which runs a directory has, or, if nobody names one, which there are at all."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rollout_tui.bundles.root import RunList
from rollout_tui.bundles.session_files import holds_sessions
from rollout_tui.bundles.trace_root import has_bundles, nothing_recorded
from rollout_tui.default_root import codex_home, default_root

__all__ = ["default_runs", "has_sessions", "holds_sessions", "nothing_there", "runs_in"]


def default_runs(environ: Mapping[str, str]) -> RunList:
    """The bundles of the default trace root and the sessions of codex."""
    return RunList(default_root(environ), codex_home(environ))


def has_sessions(environ: Mapping[str, str]) -> bool:
    """Whether codex kept any session."""
    return holds_sessions(codex_home(environ))


def runs_in(directory: Path) -> RunList:
    """The runs of a directory that is no bundle: a trace root, the home of codex, or a folder of sessions."""
    if not holds_sessions(directory):
        return RunList(directory)
    return RunList(directory if has_bundles(directory) else None, directory)


def nothing_there(environ: Mapping[str, str]) -> str:
    """The sentence for defaults that have neither a bundle nor a session."""
    return f"no sessions in {codex_home(environ)}, and {nothing_recorded(default_root(environ))}"
