"""`rollout-tui BUNDLE`: the inspector on a bundle."""

from __future__ import annotations

import locale
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import typer

from reducer import BundleError, open_bundle
from reducer.bundle import MANIFEST
from rollout_tui import glyphs
from rollout_tui.commands.output import UNUSABLE, CommandError, complain, plain_reason, report
from rollout_tui.trace_root import bundle_directory, bundles_under
from rollout_tui.views.places import PlaceRefused, parse_at, parse_location

MAX_LISTED = 50
"""Bundles of a trace root that are listed; a root collects one for every session."""


def run(path: Path | None, *, ascii_wanted: bool, color: bool, mouse: bool, at: str | None) -> int:
    """Open the inspector.

    Args:
        path: A bundle, a file in one, or a trace root; None for the one that the environment names.
        ascii_wanted: Draw with ASCII only, also where the locale is UTF-8.
        color: Whether colours may be used; `NO_COLOR` says no as well.
        mouse: Whether the inspector takes the mouse.
        at: The sequence number to begin at, as typed; it wins over one in the path, as in `BUNDLE#812`.

    Returns:
        The exit status.

    Raises:
        BundleError: There is no bundle, or it is unusable.
        CommandError: No bundle was named, or there is no terminal.
        typer.Exit: Several bundles were named, and listed.
    """
    location = parse_location(path if path is not None else _trace_root(os.environ))
    try:
        seq = location.seq if at is None else parse_at(at)
    except PlaceRefused as error:
        raise CommandError(str(error)) from None
    directory = _one_bundle(location.bundle)
    open_bundle(directory)
    _check_terminal(os.environ)
    # Half of the time to the first screen is this import: everything that can be refused was before it.
    from rollout_tui.app import run_inspector

    ascii_only = glyphs.for_terminal(locale.getencoding(), ascii_wanted).ascii_only
    return run_inspector(
        directory,
        ascii_only=ascii_only,
        color=color and not os.environ.get("NO_COLOR"),
        mouse=mouse,
        at_seq=seq,
    )


def _trace_root(environ: Mapping[str, str]) -> Path:
    from reducer.recorder import TRACE_ROOT_VARIABLE

    root = environ.get(TRACE_ROOT_VARIABLE)
    if not root:
        raise CommandError(f"name a bundle to open, or set {TRACE_ROOT_VARIABLE}; --help says more")
    return Path(root)


def _one_bundle(path: Path) -> Path:
    """The bundle that `path` is, is in, or has as its only one."""
    directory = bundle_directory(path)
    if os.path.lexists(directory / MANIFEST) or not os.path.isdir(directory):
        return directory
    try:
        found = bundles_under(directory)
    except OSError as error:
        raise BundleError(f"{directory}: {plain_reason(error)}") from None
    if not found:
        raise BundleError(f"{directory}: neither a trace bundle nor a directory that holds one")
    if len(found) == 1:
        return found[0].path
    complain(f"{directory} holds {len(found)} bundles; name the one to open, the newest is first:")
    for bundle in found[:MAX_LISTED]:
        report(str(bundle.path))
    if len(found) > MAX_LISTED:
        report(f"and {len(found) - MAX_LISTED} older ones")
    raise typer.Exit(UNUSABLE)


def _check_terminal(environ: Mapping[str, str]) -> None:
    """Refuse what would end in escape sequences in a file, or in a screen that cannot be drawn."""
    streams = (sys.stdin, sys.stdout, sys.stderr)
    if not all(stream is not None and stream.isatty() for stream in streams):
        raise CommandError("the inspector needs a terminal; `rollout-tui reduce` works without one")
    if environ.get("TERM") == "dumb":
        raise CommandError("the inspector needs a terminal that can move its cursor, and TERM is dumb")
