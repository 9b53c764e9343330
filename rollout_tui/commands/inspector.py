"""`rollout-tui BUNDLE`: the inspector on a bundle."""

from __future__ import annotations

import locale
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

import typer

from reducer import BundleError, open_bundle
from rollout_tui import glyphs
from rollout_tui.commands.output import UNUSABLE, CommandError, complain, report
from rollout_tui.default_root import default_root
from rollout_tui.trace_root import bundle_directory, bundles_under, has_bundles, nothing_recorded, only_bundle
from rollout_tui.views.places import Location, PlaceRefused, parse_at, parse_location

MAX_LISTED = 50
"""Bundles of a trace root that are listed; a root collects one for every session."""


def run(path: Path | None, *, ascii_wanted: bool, color: bool, mouse: bool, at: str | None) -> int:
    """Open the inspector.

    Args:
        path: A bundle, a file in one, or a trace root; None for the default one.
        ascii_wanted: Draw with ASCII only, also where the locale is UTF-8.
        color: Whether colours may be used; `NO_COLOR` says no as well.
        mouse: Whether the inspector takes the mouse.
        at: The sequence number to begin at, as typed; it wins over one in the path, as in `BUNDLE#812`.

    Returns:
        The exit status.

    Raises:
        BundleError: There is no bundle, it is unusable, or nothing was recorded yet.
        CommandError: There is no terminal.
        typer.Exit: Several bundles were named, and listed for want of a terminal.
    """
    location = Location(default_root(os.environ)) if path is None else parse_location(path)
    try:
        seq = location.seq if at is None else parse_at(at)
    except PlaceRefused as error:
        raise CommandError(str(error)) from None
    directory = bundle_directory(location.bundle)
    if path is None and not has_bundles(directory):
        raise BundleError(nothing_recorded(directory))
    bundle = only_bundle(directory)
    if bundle is not None:
        open_bundle(bundle)
    elif not _has_terminal():
        _list_bundles(directory)
    check_terminal(os.environ, "`rollout-tui reduce` works without one")
    ascii_only = glyphs.for_terminal(locale.getencoding(), ascii_wanted).ascii_only
    color = color and not os.environ.get("NO_COLOR")
    # Half of the time to the first screen is this import: everything that can be refused was before it.
    if bundle is None:
        from rollout_tui.app import run_picker

        return run_picker(directory, ascii_only=ascii_only, color=color, mouse=mouse)
    from rollout_tui.app import run_inspector

    return run_inspector(bundle, ascii_only=ascii_only, color=color, mouse=mouse, at_seq=seq)


def _list_bundles(directory: Path) -> NoReturn:
    """Say which bundles there are, for want of a terminal to pick one in."""
    found = bundles_under(directory)
    complain(f"{directory} holds {len(found)} bundles; name the one to open, the newest is first:")
    for bundle in found[:MAX_LISTED]:
        report(str(bundle.path))
    if len(found) > MAX_LISTED:
        report(f"and {len(found) - MAX_LISTED} older ones")
    raise typer.Exit(UNUSABLE)


def _has_terminal() -> bool:
    streams = (sys.stdin, sys.stdout, sys.stderr)
    return all(stream is not None and stream.isatty() for stream in streams)


def check_terminal(environ: Mapping[str, str], way_out: str) -> None:
    """Refuse what would end in escape sequences in a file, or in a screen that cannot be drawn.

    Args:
        environ: The environment.
        way_out: What works without a terminal.

    Raises:
        CommandError: There is no terminal, or not one to draw on.
    """
    if not _has_terminal():
        raise CommandError(f"the inspector needs a terminal; {way_out}")
    if environ.get("TERM") == "dumb":
        raise CommandError("the inspector needs a terminal that can move its cursor, and TERM is dumb")
