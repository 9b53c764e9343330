"""Pages: a list that is too long ends at a bound, which is said, and goes on behind a cursor.

A cursor names a list of a document and how much of it was printed: `calls:100`, `agents/0/segments:200`. It
counts from the beginning of the list, whatever the page before was, so that pages put together are the
whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from msgspec.structs import replace

from rollout_tui.language.refused import InputRefused
from rollout_tui.safe_text import SafeText, safe_text
from rollout_tui.showing.document import Document, Section

JSON_LIMIT = 100
"""Elements of a list in JSON, if no other number was asked for."""

TRUNCATED = "truncated"
"""The key under which a document says which of its lists are not whole."""

_CURSOR = re.compile(r"([A-Za-z_][\w/]*):(\d{1,18})")

_IDS = ("id", "item_id", "thread_id")
"""Keys that name an element of a list, the most particular first."""

_SEQS = ("seq", "first_seq", "start_seq", "started_seq")

Steps = tuple[str | int, ...]
"""Keys and places that lead to a list in a document."""


class Cursor(NamedTuple):
    """Where a page begins.

    Attributes:
        path: leads to the list.
        done: elements of it that come before the page.
    """

    path: Steps
    done: int

    def __str__(self) -> str:
        return f"{'/'.join(map(str, self.path))}:{self.done}"


class Page(NamedTuple):
    """Which part of the lists of a document is wanted.

    Attributes:
        limit: elements of a list at most; None for all.
        after: a cursor, an id or a place (`#812`) after which it begins, as typed; None for the beginning.
        is_asked: whether anybody asked for a page, rather than that lists in JSON always have a bound.
    """

    limit: int | None = None
    after: str | None = None
    is_asked: bool = True

    @property
    def is_whole(self) -> bool:
        """Whether nothing is left out."""
        return self.limit is None and self.after is None


def cursor_of(data: Mapping[str, Any], after: str) -> Cursor:
    """What was typed after `--after`, as a cursor in a document.

    Raises:
        InputRefused: nothing in a list of the document is meant by it.
    """
    found = _CURSOR.fullmatch(after)
    if found is not None:
        path = tuple(int(one) if one.isdecimal() else one for one in found[1].split("/"))
        if isinstance(_at(data, path), list):
            return Cursor(path, int(found[2]))
    for key, listed in data.items():
        if isinstance(listed, list):
            places = [place for place, one in enumerate(listed) if _is_meant(one, after)]
            if places:
                return Cursor((key,), places[-1] + 1)
    lists = ", ".join(f"{key}:{min(1, len(one))}" for key, one in data.items() if isinstance(one, list))
    there = f"a cursor is one such as {lists}" if lists else "it has no list"
    raise InputRefused(f"nothing in what is shown is {after[:80]!r}: {there}")


def data_page(data: Mapping[str, Any], page: Page) -> dict[str, Any]:
    """A document with its lists cut to a page; it says which are not whole.

    Args:
        data: plain values; what is no mapping or list is not looked into.
        page: what is wanted.

    Raises:
        InputRefused: as in `cursor_of`.
    """
    cutter = _Cutter(page.limit, None if page.after is None else cursor_of(data, page.after))
    cut = {key: cutter.cut(value, (key,)) for key, value in data.items()}
    return {TRUNCATED: cutter.truncated, **cut} if cutter.truncated else cut


class _Cutter:
    """Cuts the lists of one document.

    Attributes:
        truncated: of each list that is not whole how much was taken, and where it goes on.
    """

    def __init__(self, limit: int | None, cursor: Cursor | None) -> None:
        self.truncated: dict[str, dict[str, Any]] = {}
        self._limit, self._cursor = limit, cursor

    def cut(self, value: Any, path: Steps) -> Any:
        """A value without what is beyond the page."""
        if isinstance(value, dict):
            return {key: self.cut(one, (*path, key)) for key, one in value.items()}
        if not isinstance(value, list):
            return value
        first, end = self._ends(path, len(value))
        if end - first < len(value):
            self._announce(path, first, end, len(value))
        return [self.cut(value[place], (*path, place)) for place in range(first, end)]

    def _announce(self, path: Steps, first: int, end: int, of: int) -> None:
        after = str(Cursor(path, end)) if end < of else None
        self.truncated["/".join(map(str, path))] = {"shown": end - first, "of": of, "after": after}

    def _ends(self, path: Steps, length: int) -> tuple[int, int]:
        """The first place of a list that is taken, and the one behind the last."""
        wanted, depth = self._cursor, len(path)
        most = length if self._limit is None else self._limit
        if wanted is None or (path[: len(wanted.path)] == wanted.path and path != wanted.path):
            return 0, min(length, most)
        if path == wanted.path:
            first = min(length, wanted.done)
            return first, min(length, first + most)
        if wanted.path[:depth] == path:  # what leads to the list that goes on
            place = wanted.path[depth]
            return (place, place + 1) if isinstance(place, int) and place < length else (0, 0)
        return 0, 0


def text_page(document: Document, data: Mapping[str, Any], page: Page) -> Document:
    """A document with the rows of its lists cut to a page; its last lines say which are not whole.

    Args:
        document: the document.
        data: its values, as `data_page` takes them.
        page: what is wanted.

    Raises:
        InputRefused: as in `cursor_of`, or the text of the document has no list.
    """
    keys = list(dict.fromkeys(one.listed for one in document.sections if one.listed))
    if not keys:
        raise InputRefused("as text this has no list: --limit and --after are for lists, and for --json")
    cursor = None if page.after is None else _text_cursor(keys, data, page.after)
    ends: dict[str, tuple[int, int, int]] = {}
    for key in keys:
        of = sum(one.rows for one in document.sections if one.listed == key)
        first = 0 if cursor is None or cursor.path != (key,) else min(of, cursor.done)
        most = 0 if cursor is not None and cursor.path != (key,) else of if page.limit is None else page.limit
        ends[key] = (first, min(of, first + most), of)
    sections = [*_sections(document.sections, ends, is_first=cursor is None)]
    last = [_last_line(key, first, end, of) for key, (first, end, of) in ends.items() if end - first < of]
    if last:
        sections.append(Section("not all is shown", last))
    return replace(document, sections=sections)


def _sections(
    sections: Iterable[Section], ends: Mapping[str, tuple[int, int, int]], *, is_first: bool
) -> Iterable[Section]:
    done: dict[str, int] = dict.fromkeys(ends, 0)
    for one in sections:
        if not one.listed:
            if is_first:
                yield one
            continue
        first, end, _ = ends[one.listed]
        begin = done[one.listed]
        done[one.listed] += one.rows
        taken = one.lines[one.head :][max(0, first - begin) : max(0, end - begin)]
        if taken:
            yield replace(one, lines=[*one.lines[: one.head], *taken], few=None)


def _last_line(key: str, first: int, end: int, of: int) -> SafeText:
    shown = f"{key}: {first + 1} to {end} of {of}" if end > first else f"{key}: none of {of}"
    return safe_text(f"{shown}; it goes on with --after {Cursor((key,), end)}" if end < of else shown)


def _text_cursor(keys: Sequence[str], data: Mapping[str, Any], after: str) -> Cursor:
    found = _CURSOR.fullmatch(after)
    if found is not None and found[1] in keys:
        return Cursor((found[1],), int(found[2]))
    cursor = cursor_of({key: one for key, one in data.items() if key in keys}, after)
    if len(cursor.path) > 1:
        raise InputRefused(f"{cursor} is a place of --json: text has {', '.join(keys)}")
    return cursor


def _at(data: Any, path: Steps) -> Any:
    for step in path:
        if isinstance(step, int) and isinstance(data, list) and step < len(data):
            data = data[step]
        elif isinstance(step, str) and isinstance(data, dict):
            data = data.get(step)
        else:
            return None
    return data


def _is_meant(element: Any, after: str) -> bool:
    """Whether an element has an id, or came with the sequence number of a place such as `#812`."""
    if isinstance(element, str):
        return element == after
    if not isinstance(element, dict):
        return False
    inner = [one for one in (element.get("object"), element.get("thread")) if isinstance(one, dict)]
    if after.rpartition("#")[1] and after.rpartition("#")[2].isdecimal():
        windows = [one["execution"] for one in inner if isinstance(one.get("execution"), dict)]
        seqs = (one.get(key) for one in (element, *inner, *windows) for key in _SEQS)
        return next((one for one in seqs if one is not None), None) == int(after.rpartition("#")[2][:18])
    ids = (one.get(key) for key in _IDS for one in (element, *inner))
    return next((one for one in ids if isinstance(one, str)), None) == after
