"""Writing something from inside: what, where to, and whether over what is there."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Input
from textual.worker import get_current_worker

from reducer import BundleError, UnreadablePayload
from rollout_tui import glyphs, keys
from rollout_tui.awaited_work import AwaitingWork
from rollout_tui.exports import Export
from rollout_tui.lines.spans import StyleName, span
from rollout_tui.progress import Cancelled, Progress, now_and_then
from rollout_tui.redaction.refused import NotRedacted
from rollout_tui.screens.modal import Modal
from rollout_tui.screens.speaking import Actions
from rollout_tui.texts.short_forms import size
from rollout_tui.widgets.bars import Bar
from rollout_tui.widgets.history_input import LineInput
from rollout_tui.write_file import refuse_evidence

LONGEST_PATH = 4096
"""Characters of a path; longer ones the system does not take."""


class WriteForm(AwaitingWork, Modal[str]):
    """Asks what to write, and where to; its result is the sentence that says what was written."""

    BINDINGS = [*keys.bindings(keys.Scope.FORM)]
    DEFAULT_CSS = "WriteForm #path { margin-top: 1; }"
    own_focus = keys.Focus.FORM

    class Written(Message):
        """The file is there."""

        def __init__(self, sentence: str) -> None:
            super().__init__()
            self.sentence = sentence

    class NotWritten(Message):
        """The file is not there, and why."""

        def __init__(self, reason: str) -> None:
            super().__init__()
            self.reason = reason

    class Progressed(Message):
        """So much of it is done."""

        def __init__(self, done: int, total: int) -> None:
            super().__init__()
            self.done, self.total = done, total

    def __init__(self, exports: Sequence[Export], chosen: int = 0, path: str | None = None) -> None:
        """Prepare to ask.

        Args:
            exports: what can be written; at least one thing.
            chosen: which of them is offered first.
            path: where to, if the reader has said so already.
        """
        super().__init__()
        self._exports = exports
        self._chosen = chosen
        self._given = path
        self._confirmed: Path | None = None

    @property
    def export(self) -> Export:
        """What is to be written."""
        return self._exports[self._chosen]

    def compose(self) -> ComposeResult:
        """A question, the things there are, the path, and what would happen."""
        with Vertical(classes="box"):
            yield Bar(id="question")
            for place in range(len(self._exports)):
                bar = Bar(id=f"choice-{place}")
                bar.add_class("choice")
                yield bar
            yield LineInput(self._given or str(self.export.path), max_length=LONGEST_PATH, id="path")
            yield Bar(id="consequence")

    def on_mount(self) -> None:
        """The path can be edited at once."""
        what = "what (up and down choose), and where to" if len(self._exports) > 1 else "where to"
        self.query_one("#question", Bar).show([span(f"Write: {what}", "strong")])
        self._show_choices()
        self._say_consequence()
        self.query_one(Input).focus()

    def _show_choices(self) -> None:
        for place, export in enumerate(self._exports):
            mark = glyphs.active().fold_closed if place == self._chosen else " "
            style: StyleName = "strong" if place == self._chosen else "muted"
            self.query_one(f"#choice-{place}", Bar).show([span(f"{mark} {export.words}", style)])

    @property
    def actions(self) -> Actions:
        """What its keys do."""
        return {
            **super().actions,
            "next_choice": partial(self._choose, 1),
            "previous_choice": partial(self._choose, -1),
        }

    def _choose(self, direction: int) -> None:
        """Offer another thing; a path that the reader typed stays."""
        field = self.query_one(Input)
        is_default = field.value == str(self.export.path)
        self._confirmed = None
        self._chosen = (self._chosen + direction) % len(self._exports)
        self._show_choices()
        if is_default:
            field.value = str(self.export.path)
            field.cursor_position = len(field.value)

    @on(Input.Changed)
    def _path_changed(self) -> None:
        self._confirmed = None
        self._say_consequence()

    def _say_consequence(self) -> None:
        path = self._path()
        if self.export.is_directory and os.path.lexists(path):
            words = "Something is there already; this needs a name that is new."
        elif path.is_dir():
            words = "That is a directory; a file name is missing."
        elif not path.parent.is_dir():
            words = "There is no such directory."
        elif os.path.lexists(path):
            words = "A file is there already. enter twice overwrites it, esc cancels."
        else:
            words = "enter writes it, esc cancels."
        self._tell(words)

    def _tell(self, words: str, *, bad: bool = False) -> None:
        self.query_one("#consequence", Bar).show([span(words, "bad" if bad else "muted")])

    def _path(self) -> Path:
        return Path(os.path.expanduser(self.query_one(Input).value))

    @on(Input.Submitted)
    def _submitted(self) -> None:
        path = self._path()
        is_replaced = os.path.lexists(path) and not path.is_dir() and not self.export.is_directory
        if is_replaced and self._confirmed != path:
            self._confirmed = path
            self._tell(f"Overwrite {path.name}? enter does, esc cancels.", bad=True)
            return
        self._tell("writing ...")
        self._write(self.export, path)

    @work(thread=True, exclusive=True, group="write", exit_on_error=False)
    def _write(self, export: Export, path: Path) -> None:
        worker = get_current_worker()
        progress = now_and_then(
            lambda done, total: self.post_message(self.Progressed(done, total)), lambda: worker.is_cancelled
        )
        try:
            sentence, is_written = write_export(export, path, progress)
        except Cancelled:
            return  # the form was closed
        self.post_message(self.Written(sentence) if is_written else self.NotWritten(sentence))

    def work_failed(self, group: str, reason: str) -> None:
        """Say that nothing was written; the path can be changed."""
        self._tell(f"Not written: {reason}", bad=True)

    def on_write_form_progressed(self, message: Progressed) -> None:
        """Say how far it is; esc ends it."""
        self._tell(f"writing ... {100 * message.done // max(1, message.total)}%, esc cancels")

    def on_write_form_written(self, message: Written) -> None:
        """Close, and leave it to the inspector to say so."""
        self.dismiss(message.sentence)

    def on_write_form_not_written(self, message: NotWritten) -> None:
        """Say why; the path can be changed."""
        self._tell(message.reason, bad=True)


def write_export(export: Export, path: Path, progress: Progress) -> tuple[str, bool]:
    """Write something whole or not at all; what became of it in a sentence, and whether it is there."""
    try:
        refuse_evidence(path, export.recording)
        written = export.write(path, progress)
    except (UnreadablePayload, BundleError, NotRedacted) as error:
        return f"Not written: {error}", False
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return f"Not written: {reason}", False
    return f"Wrote {size(written)} to {path}", True
