"""`rollout-tui grep`: a text in all runs of a directory, as places that open."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reducer import BundleError, open_bundle
from rollout_tui.bundles.listing import ListedRun, listed
from rollout_tui.bundles.places import default_runs, runs_in
from rollout_tui.bundles.root import RunList
from rollout_tui.bundles.session_files import home_of
from rollout_tui.bundles.session_search import search_session
from rollout_tui.bundles.summary import Summariser
from rollout_tui.bundles.text_search import Hit, TextHits, TextPattern, open_to_search
from rollout_tui.bundles.trace_root import bundle_directory
from rollout_tui.bundles.what_is import Kind, what_is
from rollout_tui.commands.output import complain, report, write_json, write_line
from rollout_tui.language.locations import LineNumber, format_location
from rollout_tui.outcomes import CLEAN, PROBLEMS, CommandError, plain_reason
from rollout_tui.safe_text import safe_text
from rollout_tui.texts.short_forms import plural


def grep(text: str, root: Path | None, *, limit: int, as_json: bool) -> int:
    """Print where a text is, the newest run first, each place as `BUNDLE#812` or `FILE#L12`.

    A run of which there is a bundle and a session is looked through once: its bundle, and its session only
    where the bundle does not have the text.

    Args:
        text: what to look for: capitals count if there are any.
        root: a directory of bundles or sessions, or one of these; None for all there are.
        limit: how many places of a run to print at most; what is left out is counted.
        as_json: print one JSON document.

    Returns:
        The exit status: 1 if it is nowhere.

    Raises:
        BundleError: there is no such directory.
        CommandError: there is nothing to look for.
    """
    if not text:
        raise CommandError("there is nothing to look for: the text is empty")
    places, runs = _runs(root)
    pattern, told, searched = TextPattern(text), [], set[Path]()
    is_any = False
    for run in runs:
        path, found = _search(run, pattern, searched)
        for words in found.unread:
            report(f"{path.name}: {words}")
        if found.hits:
            is_any = True
            if as_json:
                told.append(_data(run, path, found, limit))
            else:
                _print(run, path, found, limit)
    if as_json:
        write_json(sys.stdout, {"places": list(map(str, places)), "text": text, "runs": told})
    elif not is_any:
        complain(f"{text[:60]!r} is in no run of {' and '.join(map(str, places))}")
    return CLEAN if is_any else PROBLEMS


def _runs(root: Path | None) -> tuple[list[Path], Iterator[ListedRun]]:
    """Where is looked, and the runs there, the newest first."""
    if root is None:
        runs = default_runs(os.environ)
    else:
        path = bundle_directory(root)
        kind = what_is(path).kind
        if kind is Kind.BUNDLE:
            return [path], iter(listed([Summariser(path).outline()]))
        if kind is Kind.SESSION_FILE:
            return [path], iter(RunList(None, home_of(path)).run_with(path))
        runs = runs_in(path)
    try:
        return runs.places, iter(runs.whose())
    except OSError as error:
        raise BundleError(f"{error.filename or runs.places[0]}: {plain_reason(error)}") from None


def _search(run: ListedRun, pattern: TextPattern, searched: set[Path]) -> tuple[Path, TextHits]:
    """What is found in a run, and in which of its recordings; a session of several bundles is read once."""
    found = TextHits()
    if run.bundle is not None:
        try:
            found = open_to_search(open_bundle(run.bundle.path), pattern)
        except BundleError as error:
            found.unread.append(str(error))
    session = run.session
    if session is None or found.hits or session.path in searched:
        return run.summary.path, found
    searched.add(session.path)
    in_session = search_session(session.folder, session.files, pattern)
    in_session.unread[:0] = found.unread
    return session.path, in_session


def _place(path: Path, run: ListedRun, hit: Hit) -> str:
    if run.session is None or hit.line is None:
        return format_location(path, hit.seq)
    return format_location(run.session.folder / hit.file, LineNumber(hit.line))


def _print(run: ListedRun, path: Path, found: TextHits, limit: int) -> None:
    places = found.places(limit)
    for number, hit in enumerate(places, 1):
        more = len(found.hits) - len(places)
        noun = "more event" if hit.line is None else "more line"
        words = f"  (and in {plural(more, noun)})" if more and number == len(places) else ""
        what = " ".join(filter(None, (hit.event, hit.kind or hit.payload or "")))
        write_line(sys.stdout, safe_text(f"{_place(path, run, hit)}  {what}  {hit.excerpt}{words}"))


def _data(run: ListedRun, path: Path, found: TextHits, limit: int) -> dict[str, Any]:
    places = found.places(limit)
    return {
        "path": str(path),
        "kind": run.evidence,
        "bundle": None if run.bundle is None else str(run.bundle.path),
        "session": None if run.session is None else str(run.session.path),
        "started_at_unix_ms": run.summary.started_at_unix_ms,
        "found_in": len(found.hits),
        "places": [_hit_data(_place(path, run, hit), hit) for hit in places],
    }


def _hit_data(place: str, hit: Hit) -> dict[str, Any]:
    return {
        "place": place,
        "seq": hit.seq,
        "line": hit.line,
        "event": hit.event,
        "raw_payload_id": hit.payload,
        "payload_kind": hit.kind,
        "excerpt": hit.excerpt.encode("utf-8", "replace").decode(),
    }
