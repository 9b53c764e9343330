"""The bundles directly under a trace root, each with what was last found of it."""

from __future__ import annotations

from pathlib import Path

from reducer.storage.bundle import LOG, MANIFEST
from rollout_tui.bundles.shelf import Shelved
from rollout_tui.bundles.summary import BundleSummary, Summariser
from rollout_tui.bundles.trace_root import entries_of

_Stamp = tuple[int, int, int] | None


class ShelvedBundle(Shelved):
    """One bundle.

    Attributes:
        summary: what is known of it; None as long as that is nothing.
    """

    def __init__(self, directory: Path, written_at_unix_ms: int) -> None:
        self.directory = directory
        self.written_at_unix_ms = written_at_unix_ms
        self.version = 0
        self.summary: BundleSummary | None = None
        self._summariser: Summariser | None = None
        self._stamp: _Stamp = None
        self._access: tuple[int, ...] = ()
        self._was_read = False

    def needs_outline(self) -> bool:
        """Whether its manifest was not read."""
        return self.summary is None

    def outline(self) -> None:
        """Read its manifest."""
        self._summariser = Summariser(self.directory)
        self.summary = self._summariser.outline()
        self.version += 1

    def is_outdated(self) -> bool:
        """Whether something changed; what made it unusable may be its mode as well as its manifest."""
        stamp = _stamp(self.directory / LOG)
        if not self._was_read or self.summary is None or stamp != self._stamp:
            return True
        if self.summary.status == "unusable":
            return self._access != _access(self.directory)
        return stamp is None

    def read(self) -> None:
        """Count its events, or those that were added."""
        stamp = _stamp(self.directory / LOG)
        goes_on = not self._was_read or (
            self.summary is not None
            and self.summary.status != "unusable"
            and _is_same_file(self._stamp, stamp)
        )
        if self._summariser is None or not goes_on:
            self._summariser = Summariser(self.directory)
        access, found = _access(self.directory), self._summariser.summary()
        self.version += found != self.summary
        self._stamp, self._access, self.summary, self._was_read = stamp, access, found, True

    def forget(self) -> None:
        """Keep the summary only."""
        self._summariser = None


class BundleShelf:
    """The bundles under a directory."""

    def __init__(self, path: Path) -> None:
        """Nothing is read yet.

        Args:
            path: the directory, as named by `CODEX_ROLLOUT_TRACE_ROOT`.
        """
        self.path = path
        self._known: dict[str, ShelvedBundle] = {}

    def find(self) -> list[ShelvedBundle]:
        """The bundles there are now.

        Raises:
            OSError: the directory cannot be listed.
        """
        known, self._known = self._known, {}
        for entry in entries_of(self.path):
            name = entry.path.name
            self._known[name] = known.get(name) or ShelvedBundle(entry.path, entry.written_at_unix_ms)
        return [*self._known.values()]

    def summaries(self) -> list[BundleSummary]:
        """What is known of them."""
        return [one.summary for one in self._known.values() if one.summary is not None]


def _access(directory: Path) -> tuple[int, ...]:
    """By what an unusable bundle is known to be so still: when its files were changed, or what bars them."""
    found = []
    for path in (directory, directory / MANIFEST, directory / LOG):
        try:
            found.append(path.stat().st_ctime_ns)
        except OSError as error:
            found.append(-(error.errno or 0))
    return tuple(found)


def _stamp(log: Path) -> _Stamp:
    """By what a log is known to be unchanged."""
    try:
        found = log.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _is_same_file(one: _Stamp, other: _Stamp) -> bool:
    return one is not None and other is not None and one[0] == other[0]
