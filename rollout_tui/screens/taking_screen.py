"""What leaves the inspector: copies, texts for the pager, files."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from textual import work

from reducer import ObjectRef
from reducer.model import InferenceCall
from rollout_tui.awaited_work import AwaitingWork
from rollout_tui.clipboard import Copied, copy
from rollout_tui.exports import Export, ExportKind, context_text, exports_of, text_export
from rollout_tui.pager import open_in_pager
from rollout_tui.screens.panes_screen import PanesScreen
from rollout_tui.screens.write_form import WriteForm, write_export
from rollout_tui.views.commands import Write
from rollout_tui.views.detail.describe import describe
from rollout_tui.views.places import format_location


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


_NOT_DONE = {"copy": "not copied", "write": "not written"}
"""What became of work that died, by its group."""


class TakingScreen(AwaitingWork, PanesScreen):
    """Copies, pages and writes what the panes show; always from the data, never from the screen."""

    # The object in question

    @property
    def subject(self) -> ObjectRef | None:
        """The object under the cursor of the pane that has the keys."""
        if self.active is self.threads and self.threads.list.cursor_key is not None:
            return ObjectRef("Thread", str(self.threads.list.cursor_key))
        seen = self.context.seen
        if self.active is self.context and seen is not None and seen.ref is not None:
            return self.detail.ref if seen.ref.type == "RequestPart" else seen.ref
        entry = self.timeline.entry
        if self.active is self.timeline and entry is not None:
            return entry.ref
        return self.detail.ref

    @property
    def _call(self) -> InferenceCall | None:
        """The call whose context is shown."""
        return None if self.context.view is None else self.context.view.call

    # Copying

    def action_copy(self) -> None:
        """Ask which of the things at the cursor to copy."""
        self.await_key(COPY_HINT, self._copy_one, refusal="nothing was copied")

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
            self.say(f"there is nothing under y {letter}; {COPY_HINT}")
        elif copyable is None:
            self.say(_NOTHING_TO_COPY[letter])
        else:
            self._copy(copyable)

    def _value_here(self) -> _Copyable | None:
        """What is under the cursor: a fact, a text, a value; of an object what it says."""
        ref, timelines = self.subject, self.timelines
        if self.active is self.detail:
            text = self.detail.value_text()
            return _Copyable("value", lambda: text)
        if ref is None or timelines is None:
            return None
        if ref.type == "Thread":
            path = timelines.index.thread_path(ref.id)
            return _Copyable("agent path", lambda: path)
        return _Copyable("text", partial(self._text_of, ref))

    def _text_of(self, ref: ObjectRef) -> str:
        """The texts of an object, or its fields where it has none. Reads payloads."""
        timelines = self.timelines
        detail = None if timelines is None else describe(timelines.index, ref)
        if detail is None:
            return ""
        read = self.session.reader()
        texts = [read(section) for section in detail.texts]
        return "\n\n".join(texts) or "\n".join(f"{fact.name}: {fact.value}" for fact in detail.facts)

    def _id_here(self) -> _Copyable | None:
        ref = self.subject
        payload = self.detail.payload
        if self.active is self.detail and self.detail.shows_raw and payload is not None:
            payload_id = payload.raw_payload_id
            return _Copyable("id", lambda: payload_id)
        return None if ref is None else _Copyable("id", lambda: ref.id)

    def _path_here(self) -> _Copyable | None:
        """The JSON path of a value in a payload; anywhere else the file of the payload, within the bundle."""
        tree, payload = self.detail.payload_tree, self.detail.payload
        if self.active is self.detail and self.detail.shows_raw and tree.json_path not in ("", "$"):
            json_path = tree.json_path
            return _Copyable("JSON path", lambda: json_path)
        return None if payload is None else _Copyable("path in the bundle", lambda: payload.place)

    def _filter_here(self) -> _Copyable | None:
        """The jq filter that finds the value under the cursor in the payload's file."""
        jq_filter = self.detail.payload_tree.path
        return _Copyable("jq filter", lambda: jq_filter) if self.detail.shows_raw and jq_filter else None

    def _context_here(self) -> _Copyable | None:
        """The whole context of the call, as Markdown."""
        call, timelines = self._call, self.timelines
        if call is None or timelines is None:
            return None
        return _Copyable("context", partial(context_text, self.session, timelines.index, call))

    def action_copy_location(self) -> None:
        """Copy where the reader is, in the form that the program opens."""
        entry = self.timeline.entry
        place = format_location(self.session.bundle.path, 0 if entry is None else entry.seq)
        self._copy(_Copyable("place", lambda: place))

    @work(thread=True, exclusive=True, group="copy", exit_on_error=False)
    def _copy(self, copyable: _Copyable) -> None:
        """Send a text to the clipboard; in a thread, since files are read, and tmux may take its time."""
        driver = self.app._driver
        if driver is not None:
            text = copyable.make()
            copied = copy(text, driver.write, os.environ)
            self.app.call_from_thread(self._say_copied, copyable.what, copied, text)

    def work_failed(self, group: str, reason: str) -> None:
        """Say that what was asked for was not done."""
        self.say(f"{_NOT_DONE.get(group, 'not found out')}: {reason}", bad=True)

    def _say_copied(self, what: str, copied: Copied, text: str) -> None:
        """Say what became of a copy; offer something else for one that is too large."""
        if not copied.too_large:
            self.say(f"{what}: {copied.sentence}", bad=not copied.sent)
            return

        def answered(letter: str) -> None:
            if letter == "w":
                self._ask_where([text_export(self.session, text)])
            elif letter == "p":
                self._page(text)
            else:
                self.say("nothing was copied")

        self.await_key(f"{copied.sentence}; {TOO_LARGE_HINT}", answered, refusal="nothing was copied")

    # The pager

    def action_page(self) -> None:
        """Show what the detail shows in the pager."""
        self._page(self.detail.whole_text())

    def _page(self, text: str) -> None:
        with self.app.suspend():
            trouble = open_in_pager(text, os.environ)
        if trouble is not None:
            self.say(trouble, bad=True)

    # Files

    def action_write(self) -> None:
        """Ask what to write - the graph, a payload, a context - and where to."""
        exports = self._exports()
        if exports:
            self._ask_where(exports)

    def _exports(self) -> list[Export]:
        return exports_of(self.session, self._call, self.detail.payload)

    def write(self, command: Write) -> None:
        """Write what a command names; ask where to if it does not say, and before anything is overwritten."""
        exports = self._exports()
        kind: ExportKind = "context.md" if command.what == "context" else command.what
        if command.what == "context" and command.path is not None and command.path.lower().endswith(".json"):
            kind = "context.json"
        place = next((place for place, one in enumerate(exports) if one.kind == kind), None)
        if place is None:
            self.say(f"there is no {command.what} here to be written", bad=True)
            return
        path = None if command.path is None else Path(os.path.expanduser(command.path))
        if path is None or os.path.lexists(path):
            self._ask_where(exports, place, None if path is None else str(path))
        else:
            self.say("writing ...")
            self._write(exports[place], path)

    def _ask_where(self, exports: list[Export], chosen: int = 0, path: str | None = None) -> None:
        def written(sentence: str | None) -> None:
            if sentence is not None:
                self.say(sentence)

        self.app.push_screen(WriteForm(exports, chosen, path), written)

    @work(thread=True, exclusive=True, group="write", exit_on_error=False)
    def _write(self, export: Export, path: Path) -> None:
        sentence, is_written = write_export(export, path)
        self.app.call_from_thread(self.say, sentence, bad=not is_written)
