"""Writing state.json from inside: where to, and whether over what is there."""

from __future__ import annotations

import os
from pathlib import Path

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Input

from reducer import state_json
from rollout_tui.safe_text import safe_filename
from rollout_tui.screens.dialog import Dialog
from rollout_tui.session import Session
from rollout_tui.views.words import size
from rollout_tui.widgets.bars import Bar
from rollout_tui.widgets.spans import span
from rollout_tui.write_file import write_atomically


class WriteForm(Dialog[str]):
    """Asks for a path; its result is the sentence that says what was written."""

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

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._confirmed: Path | None = None

    def compose(self) -> ComposeResult:
        """A question, the path, and what would happen."""
        with Vertical(classes="box"):
            yield Bar(id="question")
            path = Input(value=str(default_path(self._session)), id="path")
            path.cursor_blink = False  # a blinking cursor sends bytes for as long as it is looked at
            yield path
            yield Bar(id="consequence")

    def on_mount(self) -> None:
        """The path can be edited at once."""
        self.query_one("#question", Bar).show([span("Write the reduced graph to", "strong")])
        self._say_consequence()
        self.query_one(Input).focus()

    @on(Input.Changed)
    def _path_changed(self) -> None:
        self._confirmed = None
        self._say_consequence()

    def _say_consequence(self) -> None:
        path = self._path()
        if path.is_dir():
            words = "That is a directory; a file name is missing."
        elif not path.parent.is_dir():
            words = "There is no such directory."
        elif path.exists():
            words = "A file is there already. enter twice overwrites it, esc cancels."
        else:
            words = "enter writes it, esc cancels."
        self._say(words)

    def _say(self, words: str, *, bad: bool = False) -> None:
        self.query_one("#consequence", Bar).show([span(words, "bad" if bad else "muted")])

    def _path(self) -> Path:
        return Path(os.path.expanduser(self.query_one(Input).value))

    @on(Input.Submitted)
    def _submitted(self) -> None:
        path = self._path()
        if path.exists() and self._confirmed != path:
            self._confirmed = path
            self._say(f"Overwrite {path.name}? enter does, esc cancels.", bad=True)
            return
        self._say("writing ...")
        self._write(path)

    @work(thread=True, exclusive=True, group="write", exit_on_error=False)
    def _write(self, path: Path) -> None:
        timelines = self._session.timelines
        if timelines is None:
            return
        data = state_json(timelines.index.trace)
        try:
            write_atomically(path, data)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            self.post_message(self.NotWritten(f"Not written: {reason}"))
        else:
            self.post_message(self.Written(f"Wrote {size(len(data))} to {path}"))

    def on_write_form_written(self, message: Written) -> None:
        """Close, and leave it to the inspector to say so."""
        self.dismiss(message.sentence)

    def on_write_form_not_written(self, message: NotWritten) -> None:
        """Say why; the path can be changed."""
        self._say(message.reason, bad=True)


def default_path(session: Session) -> Path:
    """Where the graph goes unless the reader says otherwise.

    The bundle itself; where that cannot be written, the working directory, under the bundle's name.
    """
    path = session.bundle.state_path
    if os.access(path.parent, os.W_OK):
        return path
    return Path.cwd() / f"{safe_filename(session.bundle.path.resolve().name)}.state.json"
