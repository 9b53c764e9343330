"""What the recordings of a directory have in common: each is outlined first, and read as it changes."""

from __future__ import annotations

from abc import ABC, abstractmethod


class Shelved(ABC):
    """A recording, or a file of one, that is looked at again and again.

    Attributes:
        written_at_unix_ms: when it was last written, as far as that is known without opening it.
        version: another one whenever something else is known of it.
    """

    written_at_unix_ms: int
    version: int

    @abstractmethod
    def needs_outline(self) -> bool:
        """Whether nothing is known of it but that it is there."""

    @abstractmethod
    def outline(self) -> None:
        """Find out whose it is, at the cost of some kilobytes."""

    @abstractmethod
    def is_outdated(self) -> bool:
        """Whether it has changed since it was read, or was not read yet."""

    @abstractmethod
    def read(self) -> None:
        """Read all of it, or what was added."""

    @abstractmethod
    def forget(self) -> None:
        """Keep nothing by which reading could go on."""
