"""The lines that objects refer to, in columns: each is a payload that is made when it is asked for."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from typing import Any

from reducer.sessions.lines import LineRef, SessionLine
from reducer.sessions.made_maps import MadeMap
from reducer.snapshots import Still
from reducer.wire.payload_refs import PayloadRef, ShardedKind, ShardedKindName

_PREFIX = "raw_payload:"
_MOST_DIGITS = 15


class _Columns:
    """Where the lines are, and as what they are referred to."""

    def __init__(self) -> None:
        self.kinds: list[ShardedKind] = []
        self.files: list[str] = []
        self._kind = array("B")
        self._file = array("I")
        self._number = array("Q")
        self._offset = array("Q")

    def add(self, line: SessionLine, kind: ShardedKindName) -> int:
        """Note a line; says how many there are now."""
        self._kind.append(_place(self.kinds, ShardedKind(kind)))
        self._file.append(_place(self.files, line.file))
        self._number.append(line.number)
        self._offset.append(line.offset)
        return len(self._offset)

    def __len__(self) -> int:
        return len(self._offset)

    def ref(self, number: int) -> LineRef:
        """The line with a number, from 1."""
        at = number - 1
        return LineRef(
            f"{_PREFIX}{number}",
            self.kinds[self._kind[at]],
            None,
            self.files[self._file[at]],
            self._number[at],
            self._offset[at],
        )


def _place(known: list[Any], value: Any) -> int:
    """Where a value is in a short list, at whose end it is put if it is new."""
    if value not in known:
        known.append(value)
    return known.index(value)


class LineRefs(MadeMap[PayloadRef], Still):
    """Lines as payloads by their ids, which count from 1. The dictionary's own storage stays empty."""

    def __init__(self, columns: _Columns | None = None, count: int | None = None) -> None:
        """Look at lines.

        Args:
            columns: of the lines; none yet by default.
            count: how many of them; all that there ever will be by default.
        """
        super().__init__()
        self._columns = _Columns() if columns is None else columns
        self._count = count

    def view(self) -> LineRefs:
        """Those that are there now."""
        return LineRefs(self._columns, len(self))

    def add(self, line: SessionLine, kind: ShardedKindName) -> str:
        """Note a line; gives its id."""
        return f"{_PREFIX}{self._columns.add(line, kind)}"

    def ref(self, number: int) -> LineRef:
        """The line with a number, from 1."""
        return self._columns.ref(number)

    def _place(self, key: object) -> int | None:
        return self.number_of(key)

    def _places(self) -> Iterable[int]:
        return range(1, len(self) + 1)

    def _key(self, place: int) -> str:
        return f"{_PREFIX}{place}"

    def _made(self, place: int) -> PayloadRef:
        return self._columns.ref(place)

    def number_of(self, key: object) -> int | None:
        """Which of the lines has an id, from 1; None if none has."""
        if not isinstance(key, str):
            return None
        digits = key.removeprefix(_PREFIX)
        if not digits.isascii() or not digits.isdecimal() or len(digits) > _MOST_DIGITS:
            return None
        number = int(digits)
        return number if 0 < number <= len(self) and key == f"{_PREFIX}{number}" else None

    def __len__(self) -> int:
        return len(self._columns) if self._count is None else self._count
