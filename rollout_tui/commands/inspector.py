"""`rollout-tui BUNDLE`: the inspector on a bundle or a session."""

from __future__ import annotations

import locale
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from reducer import BundleError
from rollout_tui import glyphs
from rollout_tui.bundles.trace_root import bundle_directory, has_bundles, only_bundle
from rollout_tui.bundles.what_is import Kind, what_is
from rollout_tui.commands.output import complain, report
from rollout_tui.commands.prices import prices_in
from rollout_tui.default_root import default_root
from rollout_tui.language.locations import Location, parse_at, parse_location
from rollout_tui.language.refused import InputRefused
from rollout_tui.outcomes import UNUSABLE, CommandEndedError, CommandError, plain_reason
from rollout_tui.recordings import open_recording
from rollout_tui.texts.short_forms import plural

if TYPE_CHECKING:
    from rollout_tui.bundles.root import RunList

MAX_LISTED = 50
"""Runs that are listed where nobody can pick one; there is one for every session."""


def run(
    path: Path | None,
    *,
    ascii_wanted: bool,
    color: bool,
    mouse: bool,
    at: str | None,
    panes: bool = False,
    prices: Path | None = None,
) -> int:
    """Open the inspector.

    Args:
        path: A bundle, a file in one, a session file, the beginning of an id, or a directory of runs; None
            for the default ones.
        ascii_wanted: Draw with ASCII only, also where the locale is UTF-8.
        color: Whether colours may be used; `NO_COLOR` says no as well.
        mouse: Whether the inspector takes the mouse.
        at: The sequence number to begin at, as typed; it wins over a place in the path, as in `BUNDLE#812`.
        panes: Begin with the panes, and not with the overview.
        prices: A file of what tokens cost.

    Returns:
        The exit status.

    Raises:
        BundleError: There is no bundle, it is unusable, or nothing was recorded yet.
        CommandError: There is no terminal.
        CommandEndedError: Several runs were named, and listed for want of a terminal.
    """
    location = Location(default_root(os.environ)) if path is None else parse_location(path)
    try:
        place = location.place if at is None else parse_at(at)
        known_prices = None if prices is None else prices_in(prices)
    except InputRefused as error:
        raise CommandError(str(error)) from None
    directory = bundle_directory(location.bundle)
    meant = _meant(path, directory)
    if isinstance(meant, Path):
        open_recording(meant)
    elif not _has_terminal():
        _list_runs(meant)
    check_terminal(os.environ, "`rollout-tui reduce` works without one")
    ascii_only = glyphs.for_terminal(locale.getencoding(), ascii_wanted).ascii_only
    color = color and not os.environ.get("NO_COLOR")
    # Half of the time to the first screen is this import: everything that can be refused was before it.
    if not isinstance(meant, Path):
        from rollout_tui.app import run_picker

        return run_picker(
            meant,
            ascii_only=ascii_only,
            color=color,
            mouse=mouse,
            begins_with_overview=not panes,
            prices=known_prices,
        )
    from rollout_tui.app import run_inspector

    return run_inspector(
        meant,
        ascii_only=ascii_only,
        color=color,
        mouse=mouse,
        at=place,
        # Whoever names a place wants to be there.
        begins_with_overview=not panes and place is None,
        prices=known_prices,
    )


def _meant(path: Path | None, directory: Path) -> Path | RunList:
    """The recording that is to be opened, or the list to pick one from.

    Raises:
        BundleError: there is neither.
    """
    runs = _runs_to_pick(path, directory)
    if runs is not None:
        return runs
    only = only_bundle(directory)
    if only is not None:
        return only
    from rollout_tui.bundles.places import runs_in

    return runs_in(directory)


def _runs_to_pick(path: Path | None, directory: Path) -> RunList | None:
    """The list that is meant where there are sessions; None where there are bundles only.

    Raises:
        BundleError: nothing was named, and nothing is there.
    """
    if path is not None and what_is(directory).kind is not Kind.DIRECTORY:
        return None
    # What reads sessions is imported only where there may be some.
    from rollout_tui.bundles import places

    if path is not None:
        return places.runs_in(directory) if places.holds_sessions(directory) else None
    if places.has_sessions(os.environ):
        return places.default_runs(os.environ)
    if not has_bundles(directory):
        raise BundleError(places.nothing_there(os.environ))
    return None


def _list_runs(runs: RunList) -> NoReturn:
    """Say which runs there are, for want of a terminal to pick one in."""
    try:
        found = runs.whose()
    except OSError as error:
        raise BundleError(f"{error.filename or runs.places[0]}: {plain_reason(error)}") from None
    place = " and ".join(map(str, runs.places))
    noun = "run" if any(run.session is not None for run in found) else "bundle"
    complain(f"{place} holds {plural(len(found), noun)}; name the one to open, the newest is first:")
    for run in found[:MAX_LISTED]:
        report(str(run.summary.path))
    if len(found) > MAX_LISTED:
        report(f"and {len(found) - MAX_LISTED} older ones")
    raise CommandEndedError(UNUSABLE)


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
