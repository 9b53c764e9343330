"""Finds the files of one run among the session files of a folder, by the ids that they name each other with.

Nothing is written, no link is followed, and nothing outside of the folder is opened.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from msgspec import Struct

from reducer.errors import BundleError, Malformed
from reducer.sessions.headers import UUID, Header, NamedIds, ids_in_name, read_header
from reducer.sessions.lines import read_record
from reducer.sessions.sources import COMPRESSED, LineSource, read_head
from reducer.storage.confinement import BundleFolder

FOLDERS = ("sessions", "archived_sessions")
"""Where codex keeps session files in its home, the ones in use first."""

_DEPTH = 4
"""Levels of folders below these that are looked at: codex makes one for the year, the month and the day."""

MAX_FILES = 500_000
"""Most session files of a folder that are looked at."""

_HEAD = 4096
"""Bytes at the beginning of a file in which codex names what it belongs to."""

_ANY_ID = re.compile(UUID.encode())

_FIRST_LINES = 8
"""Lines at the beginning of a file among which its header is looked for, where some are broken."""


class NoSessionError(BundleError):
    """There is no session file to read."""


class SessionFile(Struct, frozen=True):
    """One session file.

    Attributes:
        file: its path relative to the folder.
        ids: the ids that its name has, or without such a name its header.
        header: what its first record says; None if it has none, or none that can be read.
    """

    file: str
    ids: NamedIds
    header: Header | None


class SessionFolder:
    """The session files of one folder, which may be the home of codex.

    Attributes:
        path: the folder.
        folder: the same, from which every file is opened.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.folder = BundleFolder(path)
        self._headers: dict[str, SessionFile] = {}
        self._named: dict[str, tuple[str, ...]] = {}

    @classmethod
    def holding(cls, file: Path) -> tuple[SessionFolder, str]:
        """The folder that a session file is in, and the path of the file in it.

        The folder may be reached by links; in it no link is followed any more.

        Raises:
            NoSessionError: there is no such file.
        """
        file = Path(os.path.realpath(file.parent), file.name)
        if not file.is_file():
            raise NoSessionError(f"{file}: there is no such file")
        above = file.parent
        for _ in range(_DEPTH):
            if above.name in FOLDERS:
                return cls(above.parent), str(file.relative_to(above.parent))
            if not above.name.isdigit():
                break
            above = above.parent
        return cls(file.parent), file.name

    def names(self) -> Iterator[tuple[str, NamedIds]]:
        """Paths and ids of all files named like session files; of a file and its compressed form only one."""
        seen: set[str] = set()
        places = [(folder, _DEPTH) for folder in FOLDERS if not (self.path / folder).is_symlink()]
        for place, depth in [("", 0), *places]:
            found = {name: ids for name in self._walk(place, depth) if (ids := ids_in_name(_base(name)))}
            for name, ids in sorted(found.items()):
                plain = name.removesuffix(COMPRESSED)
                if _base(plain) in seen or (plain != name and plain in found):
                    continue
                seen.add(_base(plain))
                yield name, ids
                if len(seen) >= MAX_FILES:
                    return

    def _walk(self, place: str, depth: int) -> Iterator[str]:
        try:
            with os.scandir(self.path / place) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except OSError:
            return
        for entry in found:
            name = os.path.join(place, entry.name)
            if entry.is_file(follow_symlinks=False):
                yield name
            elif depth and entry.is_dir(follow_symlinks=False):
                yield from self._walk(name, depth - 1)

    def read(self, file: str, ids: NamedIds | None = None) -> SessionFile:
        """A session file with its header, which is read once as long as it can be read.

        Args:
            file: its path relative to the folder.
            ids: of its name, if they are known.
        """
        known = self._headers.get(file)
        if known is not None:
            return known
        header = self._read_header(file)
        named = ids or ids_in_name(_base(file))
        if named is None:
            thread_id = file if header is None else header.thread_id
            named = NamedIds(thread_id, thread_id)
        found = SessionFile(file, named, header)
        if header is not None:
            self._headers[file] = found
        return found

    def _read_header(self, file: str) -> Header | None:
        with closing(LineSource(self.folder, file).lines(is_whole=True)) as lines:
            for line, _ in zip(lines, range(_FIRST_LINES), strict=False):
                try:
                    record = read_record(line)
                except Malformed:
                    continue
                if record is not None and record.type == "session_meta":
                    return read_header(record.payload)
        return None

    def run_of(self, file: str) -> list[SessionFile]:
        """All files of the run that a file belongs to, the given one first, then in order of their ids.

        A run is what hangs together by who started whom and who goes on from whose history.
        """
        first = self.read(file)
        all_names = {name: ids for name, ids in self.names() if ids != first.ids or name == file}
        run = {file: first}
        for name in self._older(first, all_names):
            run[name] = self.read(name, all_names.get(name))
        # Ids are made of the time, so whatever came of a thread has a greater one.
        least = min(one.ids.thread_id for one in run.values())
        users: dict[str, list[str]] = {}
        for name, ids in all_names.items():
            if ids.thread_id >= least:
                for named in self._named_in(name, ids):
                    users.setdefault(named, []).append(name)
        waiting = [*run.values()]
        while waiting:
            own = _own_ids(waiting.pop())
            for name in [user for one in own for user in users.get(one, ())]:
                if name not in run and not own.isdisjoint(_related_ids(self.read(name, all_names[name]))):
                    run[name] = self.read(name, all_names[name])
                    waiting.append(run[name])
        rest = sorted((name for name in run if name != file), key=lambda name: (run[name].ids.file_id, name))
        return [first, *(run[name] for name in rest)]

    def _named_in(self, file: str, ids: NamedIds) -> tuple[str, ...]:
        """All ids at the beginning of a file, before its instructions: all that it can be related to."""
        known = self._named.get(file)
        if known is None:
            head = read_head(self.folder, file, _HEAD)
            before = head.partition(b'"base_instructions"')[0]
            found = {one.decode() for one in _ANY_ID.findall(before)}
            known = tuple(found | {ids.thread_id, ids.file_id})
            if len(head) == _HEAD or b"\n" in head:
                self._named[file] = known  # nothing can come to it any more
        return known

    def _older(self, first: SessionFile, all_names: dict[str, NamedIds]) -> Iterator[str]:
        """The files that a file comes from: of parents, of what it was forked from, of the first thread."""
        files: dict[str, list[str]] = {}
        for name, ids in all_names.items():
            for own in {ids.thread_id, ids.file_id}:
                files.setdefault(own, []).append(name)
        seen = {first.file}
        waiting = [first]
        while waiting:
            one = waiting.pop()
            for name in [name for related in _related_ids(one) for name in files.get(related, ())]:
                if name not in seen:
                    seen.add(name)
                    waiting.append(self.read(name, all_names[name]))
                    yield name


def _own_ids(one: SessionFile) -> set[str]:
    own = {one.ids.thread_id, one.ids.file_id}
    return own if one.header is None else own | {one.header.thread_id}


def _related_ids(one: SessionFile) -> set[str]:
    """Ids by which a file says that it belongs to others; the thread's own finds its other segments."""
    return _own_ids(one) | (set() if one.header is None else one.header.relatives)


def _base(file: str) -> str:
    return os.path.basename(file)
