"""`rollout-tui ls`: the bundles of a trace root, one line each."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from reducer import BundleError
from reducer.storage.bundle import MANIFEST
from rollout_tui.bundles.root import ListedBundle, TraceRoot, grouped, with_liveness
from rollout_tui.bundles.summary import Summariser
from rollout_tui.commands.output import CLEAN, complain, plain_reason, write_json, write_line
from rollout_tui.safe_text import clip
from rollout_tui.trace_root import bundle_directory, named_trace_root
from rollout_tui.views.bundle_rows import bundle_row, columns_for, heading
from rollout_tui.widgets.spans import spans_text

MIN_WIDTH = 80

UNCUT_WIDTH = 200
"""Cells of a line where nobody says how wide it may be: in a pipe or a file."""


def list_bundles(root: Path | None, *, as_json: bool) -> int:
    """Print the bundles of a trace root, those of one session together, newest first.

    Args:
        root: the trace root, or a bundle, which is then the only one; None for the one of the environment.
        as_json: print one JSON document with all that is known of them.

    Returns:
        The exit status.

    Raises:
        BundleError: there is no such directory, or none was named.
    """
    path = root if root is not None else named_trace_root(os.environ, "name a directory to list")
    bundles = _bundles(path)
    if as_json:
        document = {"root": str(path), "bundles": [_facts(bundle) for bundle in bundles]}
        write_json(sys.stdout, document)
        return CLEAN
    if not bundles:
        complain(f"{path} holds no trace bundles")
        return CLEAN
    width = max(MIN_WIDTH, shutil.get_terminal_size((UNCUT_WIDTH, 24)).columns)
    columns = columns_for(width, with_name=True)
    write_line(sys.stdout, clip(spans_text(heading(columns)), width).rstrip())
    for bundle in bundles:
        write_line(sys.stdout, clip(spans_text(bundle_row(bundle, columns).spans), width).rstrip())
    return CLEAN


def _bundles(path: Path) -> list[ListedBundle]:
    directory = bundle_directory(path)
    if os.path.lexists(directory / MANIFEST):
        return grouped(with_liveness([Summariser(directory).summary()]))
    try:
        return TraceRoot(directory).look()
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
