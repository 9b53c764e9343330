"""`rollout-tui ls`: the bundles of a trace root, one line each."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from reducer import BundleError
from rollout_tui.bundles.root import ListedBundle, TraceRoot, grouped, with_liveness
from rollout_tui.bundles.summary import Summariser
from rollout_tui.bundles.what_is import Kind, what_is
from rollout_tui.commands.output import CLEAN, complain, plain_reason, write_json, write_line
from rollout_tui.default_root import default_root
from rollout_tui.safe_text import SafeText, clip
from rollout_tui.trace_root import bundle_directory, has_bundles, nothing_recorded
from rollout_tui.views.bundle_rows import bundle_row, columns_for, heading, widened
from rollout_tui.widgets.spans import Span, spans_text

MIN_WIDTH = 80


def list_bundles(root: Path | None, *, as_json: bool) -> int:
    """Print the bundles of a trace root, newest first, those of one session together.

    Lines come while bundles are read: a root of very many is listed in pages (`TraceRoot.pages`).

    Args:
        root: the trace root, or a bundle, which is then the only one; None for the default root.
        as_json: print one JSON document with all that is known of them.

    Returns:
        The exit status.

    Raises:
        BundleError: there is no such directory.
    """
    path = root if root is not None else default_root(os.environ)
    pages = iter(()) if root is None and not has_bundles(path) else _pages(path, whole=as_json)
    if as_json:
        bundles = [_facts(bundle) for page in pages for bundle in page]
        write_json(sys.stdout, {"root": str(path), "bundles": bundles})
    elif not _print_table(pages):
        complain(nothing_recorded(path) if root is None else f"{path} holds no trace bundles")
    return CLEAN


def _print_table(pages: Iterable[list[ListedBundle]]) -> bool:
    """Print a line for each bundle as soon as its page is there; whether there was any."""
    width = _width()
    columns = columns_for(width, with_name=True)
    is_any = False
    for page in pages:
        if page and not is_any:
            is_any = True
            columns = columns if width is not None else widened(columns, page)
            write_line(sys.stdout, _line(heading(columns), width))
        for bundle in page:
            write_line(sys.stdout, _line(bundle_row(bundle, columns).spans, width))
    return is_any


def _width() -> int | None:
    """Cells of a line; None where nobody looks at a width, as in a pipe: there nothing is cut."""
    if not sys.stdout.isatty() and not os.environ.get("COLUMNS"):
        return None
    return max(MIN_WIDTH, shutil.get_terminal_size().columns)


def _line(spans: Iterable[Span], width: int | None) -> str:
    line: SafeText = spans_text(spans)
    return (line if width is None else clip(line, width)).rstrip()


def _pages(path: Path, *, whole: bool) -> Iterator[list[ListedBundle]]:
    """The bundles of a path, in pages or as a whole."""
    directory = bundle_directory(path)
    if what_is(directory).kind is Kind.BUNDLE:
        yield grouped(with_liveness([Summariser(directory).summary()]))
        return
    root = TraceRoot(directory)
    try:
        if whole:
            yield root.look()
        else:
            yield from root.pages()
    except OSError as error:
        raise BundleError(f"{directory}: {plain_reason(error)}") from None


def _facts(bundle: ListedBundle) -> dict[str, Any]:
    """All that is known of a bundle, as JSON has it."""
    return {
        **asdict(bundle.summary),
        "path": str(bundle.summary.path),
        "group": bundle.group,
        "relation": bundle.relation,
    }
