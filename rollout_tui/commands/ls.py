"""`rollout-tui ls`: runs, by their bundles and sessions, one line each."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from msgspec.structs import asdict

from reducer import BundleError
from rollout_tui.bundles.listing import ListedRun, listed, live_paths
from rollout_tui.bundles.places import default_runs, has_sessions, nothing_there, runs_in
from rollout_tui.bundles.root import RunList
from rollout_tui.bundles.session_files import holds_sessions, home_of
from rollout_tui.bundles.summary import Summariser
from rollout_tui.bundles.trace_root import bundle_directory
from rollout_tui.bundles.what_is import Kind, what_is
from rollout_tui.commands.output import complain, write_json, write_line
from rollout_tui.lines.spans import Span, spans_text
from rollout_tui.outcomes import CLEAN, plain_reason
from rollout_tui.safe_text import SafeText, clip
from rollout_tui.views.bundle_rows import bundle_row, columns_for, heading, widened

MIN_WIDTH = 80


def list_runs(root: Path | None, *, as_json: bool) -> int:
    """Print runs, newest first, those of one session together.

    Lines come while runs are read: very many are listed in pages (`RunList.pages`).

    Args:
        root: a trace root, the home of codex, or a folder of sessions; or a bundle or a session file, whose
            run is then the only one. None for the bundles of the default root and the sessions of codex.
        as_json: print one JSON document with all that is known of them.

    Returns:
        The exit status.

    Raises:
        BundleError: there is no such directory.
    """
    if root is None:
        runs = default_runs(os.environ)
        pages, places = _pages(runs, whole=as_json), {"root": runs.traces, "codex_home": runs.sessions}
    else:
        pages, places = _pages_of(root, whole=as_json), {"root": root}
    if as_json:
        found = [_facts(run) for run in chain.from_iterable(pages)]
        named = {name: str(place) for name, place in places.items()}
        write_json(sys.stdout, {**named, "runs": found})
    elif not _print_table(pages, with_kind=_may_be_mixed(root)):
        complain(nothing_there(os.environ) if root is None else f"{root} holds no trace bundles or sessions")
    return CLEAN


def _may_be_mixed(root: Path | None) -> bool:
    """Whether there are sessions, so that each run says what it is."""
    if root is None:
        return has_sessions(os.environ)
    return what_is(root).kind is Kind.SESSION_FILE or holds_sessions(root)


def _print_table(pages: Iterable[list[ListedRun]], *, with_kind: bool) -> bool:
    """Print a line for each run as soon as its page is there; whether there was any."""
    width = _width()
    columns = columns_for(width, with_name=True, with_kind=with_kind)
    is_any = False
    for page in pages:
        if page and not is_any:
            is_any = True
            columns = columns if width is not None else widened(columns, page)
            write_line(sys.stdout, _line(heading(columns), width))
        for run in page:
            write_line(sys.stdout, _line(bundle_row(run, columns).spans, width))
    return is_any


def _width() -> int | None:
    """Cells of a line; None where nobody looks at a width, as in a pipe: there nothing is cut."""
    if not sys.stdout.isatty() and not os.environ.get("COLUMNS"):
        return None
    return max(MIN_WIDTH, shutil.get_terminal_size().columns)


def _line(spans: Iterable[Span], width: int | None) -> str:
    line: SafeText = spans_text(spans)
    return (line if width is None else clip(line, width)).rstrip()


def _pages_of(path: Path, *, whole: bool) -> Iterator[list[ListedRun]]:
    """The runs of a path, in pages or as a whole."""
    directory = bundle_directory(path)
    kind = what_is(directory).kind
    if kind is Kind.BUNDLE:
        found = [Summariser(directory).summary()]
        yield listed(found, (), live_paths(found))
    elif kind is Kind.SESSION_FILE:
        yield RunList(None, home_of(directory)).run_with(directory)
    else:
        yield from _pages(runs_in(directory), whole=whole)


def _pages(runs: RunList, *, whole: bool) -> Iterator[list[ListedRun]]:
    try:
        if whole:
            yield runs.look()
        else:
            yield from runs.pages()
    except FileNotFoundError as error:
        if len(runs.places) == 1:
            raise BundleError(f"{runs.places[0]}: {plain_reason(error)}") from None
    except OSError as error:
        raise BundleError(f"{error.filename or runs.places[0]}: {plain_reason(error)}") from None


def _facts(run: ListedRun) -> dict[str, Any]:
    """All that is known of a run, as JSON has it."""
    facts = asdict(run.summary)
    for inner in ("folder", "files", "unended", "thread_ids"):
        facts.pop(inner, None)
    session = run.session
    return {
        **facts,
        "path": str(run.summary.path),
        "kind": run.evidence,
        "bundle": None if run.bundle is None else str(run.bundle.path),
        "session": None if session is None else str(session.path),
        "session_files": [] if session is None else [str(session.folder / name) for name in session.files],
        "group": run.group,
        "relation": run.relation,
    }
