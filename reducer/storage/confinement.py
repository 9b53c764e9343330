"""Opens what is in a bundle by way of its directory, so that no link can lead anywhere else."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

_READ = os.O_RDONLY | os.O_CLOEXEC
_FOLDER = _READ | os.O_DIRECTORY

_MAX_LINKS = 40
"""As many links of one path the system would follow."""


class NotAFile(OSError):  # noqa: N818 - what stands there may be quite in order
    """Something stands in the place of a regular file or of a folder; it was not read.

    Attributes:
        mode: what it is, as `stat` says.
    """

    def __init__(self, words: str, mode: int) -> None:
        super().__init__(errno.EINVAL, words)
        self.mode = mode


class LeadsOut(OSError):  # noqa: N818
    """A link, or a path with `..`, leads out of the bundle; what it leads to was not opened."""

    def __init__(self) -> None:
        super().__init__(errno.EINVAL, "leads out of the bundle; it was not opened")


class BundleFolder:
    """The directory of a bundle, from which all that is read of the bundle is opened, folder by folder.

    Nothing is trusted that was found out before: a folder may have become a link since. Only the directory
    itself may be reached by a link; it is known by what it was when something was first opened.

    Attributes:
        path: the directory.
    """

    def __init__(self, path: Path) -> None:
        """Nothing is opened yet."""
        self.path = path
        self._name = os.fspath(path)
        self._identity: tuple[int, int] | None = None

    def open_file(self, path: str, *, follow: bool) -> tuple[int, int]:
        """Open a regular file for reading.

        Args:
            path: of the file in the bundle; it names no `..`.
            follow: whether links are followed that stay in the bundle; otherwise there may be none.

        Returns:
            A descriptor, which the caller closes, and the size of the file in bytes.

        Raises:
            NotAFile: a link, a folder, a FIFO, a device or a socket; such a thing is not even opened.
            LeadsOut: a link leads out of the bundle.
            OSError: nothing there, or not readable.
        """
        with self._way(follow) as way:
            name, found = way.to(path)
            _check_file(found.st_mode)
            # What was a file a moment ago may be something else by now: do not wait for it.
            descriptor = os.open(name, _READ | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=way.place)
        found = os.fstat(descriptor)
        try:
            _check_file(found.st_mode)
        except OSError:
            os.close(descriptor)
            raise
        return descriptor, found.st_size

    def stat(self, path: str) -> os.stat_result:
        """What is at a path in the bundle; links that stay in it are followed.

        Raises:
            LeadsOut: a link leads out of the bundle.
            OSError: nothing there, or nobody may know.
        """
        with self._way(follow=True) as way:
            return way.to(path)[1]

    def names(self, folder: str, *, follow: bool) -> list[str]:
        """The names in a folder of the bundle, in order; none when there is no such folder.

        Args:
            folder: its path in the bundle.
            follow: as in `open_file`.

        Raises:
            NotAFile: a link stands in its place, or in that of a folder it is in.
            OSError: it is no folder, or not readable.
        """
        try:
            with self._way(follow) as way:
                way.into(folder)
                return sorted(os.listdir(way.place))
        except FileNotFoundError:
            return []

    def size_of_files(self, folder: str) -> int:
        """Bytes of the regular files directly in a folder of the bundle; links are not followed.

        Raises:
            OSError: there is no such folder, or it cannot be listed.
        """
        with self._way(follow=False) as way:
            way.into(folder)
            with os.scandir(way.place) as entries:
                files = (one for one in entries if one.is_file(follow_symlinks=False))
                return sum(one.stat(follow_symlinks=False).st_size for one in files)

    def _way(self, follow: bool) -> _Way:
        root = os.open(self._name, _FOLDER)
        found = os.fstat(root)
        identity = found.st_dev, found.st_ino
        if self._identity is None:
            self._identity = identity
        elif self._identity != identity:
            os.close(root)
            raise OSError(errno.ESTALE, "another directory took the place of the bundle")
        return _Way(self._name, root, follow)


class _Way:
    """A way into a bundle. It holds each folder that it went through open, so it goes back by these alone.

    Attributes:
        place: descriptor of the folder where it is.
    """

    def __init__(self, name: str, root: int, follow: bool) -> None:
        """Begin at the directory of a bundle.

        Args:
            name: of that directory.
            root: its descriptor, which the way closes.
            follow: whether links are followed.
        """
        self.place = root
        self._before: list[int] = []
        self._name = name
        self._follow = follow
        self._links = 0

    def __enter__(self) -> _Way:
        return self

    def __exit__(self, *_: object) -> None:
        for descriptor in (*self._before, self.place):
            os.close(descriptor)

    def to(self, path: str) -> tuple[str, os.stat_result]:
        """Go to the folder where a path leads; gives the name there and what has it, no link to follow."""
        rest = path.split("/")[::-1]
        while True:
            name = rest.pop()
            if name == "..":
                self._go_back()
            if name in ("", ".", ".."):
                if not rest:
                    return ".", os.fstat(self.place)
            elif rest:
                if not self._enter(name):
                    rest += self._target(name)
            else:
                found = os.stat(name, dir_fd=self.place, follow_symlinks=False)
                if not self._follow or not stat.S_ISLNK(found.st_mode):
                    return name, found
                rest = self._target(name)

    def into(self, folder: str) -> None:
        """Go into a folder."""
        self.to(f"{folder}/.")

    def _enter(self, name: str) -> bool:
        """Go into a folder; says whether it is one rather than a link."""
        try:
            entered = os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=self.place)
        except OSError:
            if not stat.S_ISLNK(os.stat(name, dir_fd=self.place, follow_symlinks=False).st_mode):
                raise
            return False
        self._before.append(self.place)
        self.place = entered
        return True

    def _go_back(self) -> None:
        if not self._before:
            raise LeadsOut
        os.close(self.place)
        self.place = self._before.pop()

    def _target(self, name: str) -> list[str]:
        """The names that a link here stands for, the last one first."""
        if not self._follow:
            raise NotAFile(f"{name} is a symbolic link; it was not followed", stat.S_IFLNK)
        self._links += 1
        if self._links > _MAX_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        target = os.readlink(name, dir_fd=self.place)
        if target.startswith("/"):
            # Where it leads is only looked up by name; the way there is then gone like any other.
            root, target = os.path.realpath(self._name), os.path.realpath(target)
            if target != root and not target.startswith(os.path.join(root, "")):
                raise LeadsOut
            while self._before:
                self._go_back()
            target = target[len(root) :].lstrip("/")
        return target.split("/")[::-1]


def _check_file(mode: int) -> None:
    if stat.S_ISLNK(mode):
        raise NotAFile("a symbolic link; it was not followed", mode)
    if stat.S_ISDIR(mode):
        raise NotAFile("a directory, not a file", mode)
    if not stat.S_ISREG(mode):
        raise NotAFile("not a regular file; it was not read", mode)
