"""Finds the bundle that a path means: a bundle, a file in one, or a trace root that holds some."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct

from reducer import BundleError, open_bundle
from reducer.storage.bundle import MANIFEST
from reducer.storage.files import in_words
from rollout_tui.bundles.what_is import RECORD_HINT, Kind, what_is, without_bundles


class FoundBundle(Struct, frozen=True):
    """A bundle in a trace root.

    Attributes:
        path: The bundle directory.
        started_at_unix_ms: When its recording began; when its manifest was written, if that cannot be read.
    """

    path: Path
    started_at_unix_ms: int


def nothing_recorded(root: Path) -> str:
    """The sentence for a default root that is not there or holds no bundle."""
    return f"no traces yet in {root}: {RECORD_HINT}"


def bundle_directory(path: Path, environ: Mapping[str, str] = os.environ) -> Path:
    """The directory that `path` names.

    Args:
        path: A directory, or any file of a bundle, payload files included; or the beginning of a
            run's id (`run_called`).
        environ: The environment.

    Returns:
        The directory of a bundle, or one that may hold some. A session file is given back as it is, and so
        is a path that leads nowhere.

    Raises:
        BundleError: It is something else; the sentence says what, and what to do instead. Or the
            beginning of several ids.
    """
    found = what_is(path)
    if found.kind is Kind.NOTHING:
        # It reads heads of session files, and is not imported where a path is named.
        from rollout_tui.bundles.run_ids import run_called

        return run_called(os.fspath(path), environ) or path
    if found.kind in (Kind.BUNDLE, Kind.DIRECTORY, Kind.SESSION_FILE):
        return found.path
    raise BundleError(f"{path}: {found.words}")


def one_bundle(path: Path, environ: Mapping[str, str] = os.environ) -> Path:
    """The one bundle or session file that `path` names; a trace root may name its only one.

    Raises:
        BundleError: It names none, or several.
    """
    directory = bundle_directory(path, environ)
    found = only_bundle(directory)
    if found is None:
        newest = bundles_under(directory)
        raise BundleError(
            f"{directory}: holds {len(newest)} bundles; name one, the newest is {newest[0].path.name}"
        )
    return found


def only_bundle(directory: Path) -> Path | None:
    """The bundle that a directory is, or has as its only one; None where it has several.

    Raises:
        BundleError: It has none, or cannot be listed.
    """
    if what_is(directory).kind is not Kind.DIRECTORY:
        return directory
    try:
        found = [entry.path for entry in entries_of(directory) if not entry.is_barred]
    except OSError as error:
        raise BundleError(f"{directory}: {in_words(error)}") from None
    if not found:
        raise BundleError(f"{directory}: {without_bundles(directory)}")
    return found[0] if len(found) == 1 else None


def has_bundles(directory: Path) -> bool:
    """Whether a directory is a bundle or holds some; one that cannot be listed may."""
    found = what_is(directory)
    if found.kind is not Kind.DIRECTORY:
        return found.kind is Kind.BUNDLE
    try:
        return any(not entry.is_barred for entry in entries_of(directory))
    except OSError:
        return True


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
        FoundBundle(entry.path, started_at(entry.path)) for entry in entries_of(root) if not entry.is_barred
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


def started_at(bundle: Path) -> int:
    """When a recording began, in milliseconds since 1970; 0 where nothing tells."""
    try:
        return open_bundle(bundle).manifest.started_at_unix_ms
    except BundleError:
        try:
            return (bundle / MANIFEST).stat().st_mtime_ns // 1_000_000
        except OSError:
            return 0
