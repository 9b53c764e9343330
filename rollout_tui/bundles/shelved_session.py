"""One session file in a directory, outlined first and read as it changes."""

from __future__ import annotations

from msgspec import structs

from reducer.sessions.headers import Header, read_outline
from reducer.sessions.sources import read_head
from reducer.storage.confinement import BundleFolder
from rollout_tui.bundles.session_files import FoundSession
from rollout_tui.bundles.session_scan import SessionScan
from rollout_tui.bundles.shelf import Shelved

_HEAD = 4096
"""Bytes of a file that are read at first."""

NO_HEADER = "it does not begin as a session file: there is no session_meta"


class ShelvedSession(Shelved):
    """One session file.

    Attributes:
        found: what the directory tells of it.
        header: what it says of itself; None where that is not known.
        scan: what its records tell; None as long as it was not read.
    """

    def __init__(self, folder: BundleFolder, found: FoundSession) -> None:
        self.found = found
        self.written_at_unix_ms = found.written_at_unix_ms
        self.version = 0
        self.header: Header | None = None
        self.scan: SessionScan | None = None
        self._folder = folder
        self._outlined = self._read = False
        self._read_as: tuple[int, ...] = ()

    @property
    def problem(self) -> str | None:
        """Why it cannot be used; None if nothing is known against it."""
        if self.found.problem is not None or self.header is not None:
            return self.found.problem
        if not self._read or self.scan is None:
            return None
        return self.scan.fault or NO_HEADER

    @property
    def is_read(self) -> bool:
        """Whether its records were looked at."""
        return self._read or self.found.problem is not None

    @property
    def own_ids(self) -> list[str]:
        """By what other files name it; its path where it has no id."""
        ids = [] if self.found.ids is None else [self.found.ids.thread_id, self.found.ids.file_id]
        if self.header is not None:
            ids.append(self.header.thread_id)
        return ids or [self.found.name]

    @property
    def thread_id(self) -> str:
        """Its thread; empty if that is not known."""
        if self.header is not None:
            return self.header.thread_id
        return "" if self.found.ids is None else self.found.ids.thread_id

    def now_found(self, found: FoundSession) -> None:
        """The directory tells this of it now."""
        if found != self.found:
            self.version += found.size != self.found.size or found.problem != self.found.problem
            self.found = found
            self.written_at_unix_ms = found.written_at_unix_ms

    def needs_outline(self) -> bool:
        """Whether its beginning was not looked at."""
        return not self._outlined

    def outline(self) -> None:
        """Look at its beginning."""
        self._outlined = True
        if self.found.problem is None:
            self.header = read_outline(read_head(self._folder, self.found.name, _HEAD))
            if self.header is not None:
                self.header = structs.replace(self.header, instructions=None)
        self.version += 1

    def is_outdated(self) -> bool:
        """Whether it was written to since it was read."""
        return self.found.problem is None and (not self._read or self._read_as != self.found.changed)

    def read(self) -> None:
        """Look at its records, or at those that were added."""
        changed = self.found.changed
        is_same = self._read_as[:1] in ((), changed[:1])
        is_same = is_same and (self.scan is None or self.found.size >= self.scan.offset)
        if not is_same:
            self.outline()  # it is another file
        if self.scan is None or not is_same or self.scan.fault:
            self.scan = SessionScan(self._folder, self.found.name)
        self.scan.read_on(self.found.size)
        # A header whose line is torn has said whose it is all the same.
        self.header = self.scan.header or self.header
        self._read, self._read_as = True, changed
        self.version += 1

    def forget(self) -> None:
        """Nothing is kept that counts."""
        self.scan, self._read = None, False
