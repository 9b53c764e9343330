"""Copying what the cursor is on, and showing it in the pager; always from the data, never from the screen."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from reducer import ObjectRef
from reducer.model import InferenceCall
from rollout_tui.clipboard import Copied, copy
from rollout_tui.exports import Export, context_text, text_export
from rollout_tui.language.locations import format_location
from rollout_tui.pager import open_in_pager
from rollout_tui.panes.cursor import Cursor
from rollout_tui.panes.detail import DetailPane
from rollout_tui.screens.actions.needs import Actions, AsksForKey, Shown, Works
from rollout_tui.session import Session
from rollout_tui.views.detail.describe import describe

COPY = "copy"
"""The group of the work."""


class Screen(AsksForKey, Works, Protocol):
    """What this needs of the screen."""

    def send_to_terminal(self, characters: str) -> None:
        """Send control characters to the terminal, as they are."""

    def without_terminal(self) -> AbstractContextManager[None]:
        """Leave the terminal to another program for a while."""


class Panes(Shown, Protocol):
    """What this needs of the panes."""

    @property
    def cursor(self) -> Cursor:
        """Which pane has the keys."""

    @property
    def detail(self) -> DetailPane:
        """Shows an object, its texts and its payloads."""

    @property
    def call(self) -> InferenceCall | None:
        """The call whose context is shown."""


class AsksWhere(Protocol):
    """Who writes files."""

    def ask_where(self, exports: list[Export]) -> None:
        """Ask where to write one of several things."""


@dataclass(frozen=True, slots=True)
class _Copyable:
    """Something that can be copied.

    Attributes:
        what: what it is, in a word or two.
        make: makes its text in a thread; may read files.
    """

    what: str
    make: Callable[[], str]


COPY_HINT = "copy: y value  i id  p path  q jq filter  c context as Markdown  esc nothing"
_NOTHING_TO_COPY = {
    "y": "there is no value here: go to an agent, an entry, an item, or a fact of the detail",
    "i": "there is no id here: go to an agent, an entry, an item, or a raw payload",
    "p": "a path needs a raw payload: open the request or response tab",
    "q": "a jq filter needs a value of a raw payload: open the request or response tab",
    "c": "a context needs an inference call, and none was made up to here",
}
"""By the letter: where the thing can be copied that is not here."""

TOO_LARGE_HINT = "w writes it to a file, p shows it in the pager, esc leaves it"


class Copying:
    """Copies and pages what the panes show."""

    def __init__(self, screen: Screen, session: Session, panes: Panes, writing: AsksWhere) -> None:
        self._screen = screen
        self._session = session
        self._panes = panes
        self._writing = writing

    @property
    def actions(self) -> Actions:
        """What the keys do."""
        return {"copy": self._ask_what, "copy_location": self._copy_location, "page": self._page_detail}

    def _ask_what(self) -> None:
        """Ask which of the things at the cursor to copy."""
        self._screen.await_key(COPY_HINT, self._copy_one, refusal="nothing was copied")

    def _copy_one(self, letter: str) -> None:
        made = {
            "y": self._value_here,
            "i": self._id_here,
            "p": self._path_here,
            "q": self._filter_here,
            "c": self._context_here,
        }.get(letter)
        copyable = None if made is None else made()
        if made is None:
            self._screen.say(f"there is nothing under y {letter}; {COPY_HINT}")
        elif copyable is None:
            self._screen.say(_NOTHING_TO_COPY[letter])
        else:
            self._copy(copyable)

    # What there is

    @property
    def _is_in_raw(self) -> bool:
        """Whether the cursor is in the raw payload."""
        return self._panes.cursor.pane == "detail" and self._panes.detail.shows_raw

    def _value_here(self) -> _Copyable | None:
        """What is under the cursor: a fact, a text, a value; of an object what it says."""
        ref, timelines = self._panes.subject, self._panes.timelines
        if self._panes.cursor.pane == "detail":
            text = self._panes.detail.value_text()
            return _Copyable("value", lambda: text)
        if ref is None or timelines is None:
            return None
        if ref.type == "Thread":
            path = timelines.index.thread_path(ref.id)
            return _Copyable("agent path", lambda: path)
        return _Copyable("text", partial(self._text_of, ref))

    def _text_of(self, ref: ObjectRef) -> str:
        """The texts of an object, or its fields where it has none. Reads payloads."""
        timelines = self._panes.timelines
        detail = None if timelines is None else describe(timelines.index, ref)
        if detail is None:
            return ""
        read = self._session.reader()
        texts = [read(section) for section in detail.texts]
        return "\n\n".join(texts) or "\n".join(f"{fact.name}: {fact.value}" for fact in detail.facts)

    def _id_here(self) -> _Copyable | None:
        ref, payload = self._panes.subject, self._panes.detail.payload
        if self._is_in_raw and payload is not None:
            payload_id = payload.raw_payload_id
            return _Copyable("id", lambda: payload_id)
        return None if ref is None else _Copyable("id", lambda: ref.id)

    def _path_here(self) -> _Copyable | None:
        """The JSON path of a value in a payload; anywhere else the file of the payload, within the bundle."""
        json_path, payload = self._panes.detail.payload_tree.json_path, self._panes.detail.payload
        if self._is_in_raw and json_path not in ("", "$"):
            return _Copyable("JSON path", lambda: json_path)
        return None if payload is None else _Copyable("path in the bundle", lambda: payload.place)

    def _filter_here(self) -> _Copyable | None:
        """The jq filter that finds the value under the cursor in the payload's file."""
        detail = self._panes.detail
        jq_filter = detail.payload_tree.path
        return _Copyable("jq filter", lambda: jq_filter) if detail.shows_raw and jq_filter else None

    def _context_here(self) -> _Copyable | None:
        """The whole context of the call, as Markdown."""
        call, timelines = self._panes.call, self._panes.timelines
        if call is None or timelines is None:
            return None
        return _Copyable("context", partial(context_text, self._session, timelines.index, call))

    # Copies, and the pager

    def _copy_location(self) -> None:
        """Copy where the reader is, in the form that the program opens."""
        entry = self._panes.entry
        place = format_location(self._session.recording.path, 0 if entry is None else entry.seq)
        self._copy(_Copyable("place", lambda: place))

    def _copy(self, copyable: _Copyable) -> None:
        """Send a text to the clipboard; in a thread, since files are read, and tmux may take its time."""

        def work() -> None:
            text = copyable.make()
            copied = copy(text, self._screen.send_to_terminal, os.environ)
            self._screen.from_thread(self._say_copied, copyable.what, copied, text)

        self._screen.in_thread(work, COPY)

    def _say_copied(self, what: str, copied: Copied, text: str) -> None:
        """Say what became of a copy; offer something else for one that is too large."""
        if not copied.too_large:
            self._screen.say(f"{what}: {copied.sentence}", bad=not copied.sent)
            return

        def answered(letter: str) -> None:
            if letter == "w":
                self._writing.ask_where([text_export(self._session, text)])
            elif letter == "p":
                self._page(text)
            else:
                self._screen.say("nothing was copied")

        hint = f"{copied.sentence}; {TOO_LARGE_HINT}"
        self._screen.await_key(hint, answered, refusal="nothing was copied")

    def _page_detail(self) -> None:
        """Show what the detail shows in the pager."""
        self._page(self._panes.detail.whole_text())

    def _page(self, text: str) -> None:
        with self._screen.without_terminal():
            trouble = open_in_pager(text, os.environ)
        if trouble is not None:
            self._screen.say(trouble, bad=True)
