"""Finds the bundle that a path means: a bundle, a file in one, or a trace root that holds some."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from reducer import BundleError, open_bundle
from reducer.storage.bundle import MANIFEST

PAYLOADS = "payloads"
"""The directory of a bundle that holds its evidence."""


MIN_SHORT_NAME = 4
"""Characters of a bundle's name that may stand for it."""


@dataclass(frozen=True, slots=True)
class FoundBundle:
    """A bundle in a trace root.

    Attributes:
        path: The bundle directory.
        started_at_unix_ms: When its recording began; when its manifest was written, if that cannot be read.
    """

    path: Path
    started_at_unix_ms: int


def named_trace_root(environ: Mapping[str, str], otherwise: str) -> Path:
    """The trace root of the environment.

    Args:
        environ: The environment.
        otherwise: What else could have been done, for the sentence that says that none is named.

    Raises:
        BundleError: None is named.
    """
    from reducer.recorder import TRACE_ROOT_VARIABLE

    root = environ.get(TRACE_ROOT_VARIABLE)
    if not root:
        raise BundleError(f"{otherwise}, or set {TRACE_ROOT_VARIABLE}; --help says more")
    return Path(root)


def bundle_by_name(name: str, environ: Mapping[str, str]) -> Path | None:
    """The bundle of the environment's trace root that a short name means, as `ls` shows it.

    Args:
        name: The beginning of a bundle's name, `trace-` left out.
        environ: The environment.

    Returns:
        None unless exactly one bundle is meant.
    """
    from reducer.recorder import TRACE_ROOT_VARIABLE

    root = environ.get(TRACE_ROOT_VARIABLE)
    if not root or not name or os.sep in name or len(name) < MIN_SHORT_NAME:
        return None
    try:
        with os.scandir(root) as entries:
            found = [entry.path for entry in entries if entry.name.removeprefix("trace-").startswith(name)]
    except OSError:
        return None
    return Path(found[0]) if len(found) == 1 and os.path.lexists(Path(found[0]) / MANIFEST) else None


def bundle_directory(path: Path, environ: Mapping[str, str] = os.environ) -> Path:
    """The directory of the bundle that `path` names.

    Args:
        path: A directory, or any file of a bundle, payload files included; or the short name of a bundle in
            the environment's trace root.
        environ: The environment.

    Returns:
        A directory for `reducer.open_bundle`, which finds out whether it is one of a bundle. A path that
        leads nowhere is given back.

    Raises:
        BundleError: A file without a manifest beside it.
    """
    if not os.path.exists(path):
        return bundle_by_name(os.fspath(path), environ) or path
    if os.path.isdir(path):
        return path
    directory = path.parent.parent if path.parent.name == PAYLOADS else path.parent
    if not os.path.lexists(directory / MANIFEST):
        raise BundleError(f"{path}: not a file of a trace bundle, there is no {MANIFEST} beside it")
    return directory


def bundles_under(root: Path) -> list[FoundBundle]:
    """The bundles directly under a trace root, newest first.

    Args:
        root: A directory, as named by `CODEX_ROLLOUT_TRACE_ROOT`.

    Returns:
        Every directory with a manifest, also one that cannot be used; empty when there is none.

    Raises:
        OSError: The directory cannot be listed.
    """
    found = [
        FoundBundle(entry.path, _started(entry.path)) for entry in entries_of(root) if not entry.is_barred
    ]
    return sorted(found, key=lambda bundle: (-bundle.started_at_unix_ms, bundle.path))


class Entry(NamedTuple):
    """What a trace root holds and may be a bundle.

    Attributes:
        path: its path.
        written_at_unix_ms: when its manifest was written, which is when the recording began; 0 if barred.
        is_barred: whether the system does not tell if there is a manifest: it may not be entered, say.
    """

    path: Path
    written_at_unix_ms: int
    is_barred: bool


def entries_of(root: Path) -> list[Entry]:
    """What may be a bundle directly under a trace root, in no order; a bad entry hides none but itself.

    Raises:
        OSError: The directory cannot be listed.
    """
    return [entry for name in os.listdir(root) if (entry := _entry(root / name)) is not None]


def _entry(path: Path) -> Entry | None:
    try:
        found = os.stat(path / MANIFEST)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:
        return Entry(path, 0, is_barred=True)
    return (
        Entry(path, found.st_mtime_ns // 1_000_000, is_barred=False) if stat.S_ISREG(found.st_mode) else None
    )


def _started(bundle: Path) -> int:
    try:
        return open_bundle(bundle).manifest.started_at_unix_ms
    except BundleError:
        try:
            return (bundle / MANIFEST).stat().st_mtime_ns // 1_000_000
        except OSError:
            return 0
