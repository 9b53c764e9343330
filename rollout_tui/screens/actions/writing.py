"""Writing files: the graph, a payload, a context."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Protocol

from reducer.model import InferenceCall
from reducer.wire.payload_refs import PayloadRef
from rollout_tui.exports import Export, ExportKind, exports_of, redacted_exports, report_export
from rollout_tui.language.commands import Write
from rollout_tui.progress import Progress
from rollout_tui.reporting.page import html_pieces, report_page
from rollout_tui.screens.actions.needs import Actions, Opens, Works
from rollout_tui.screens.write_form import WriteForm, write_export
from rollout_tui.session import Session

WRITE = "write"
"""The group of the work."""


class Screen(Opens, Works, Protocol):
    """What this needs of the screen."""


class Shown(Protocol):
    """What this needs to know of what is shown."""

    @property
    def call(self) -> InferenceCall | None:
        """The call whose context is shown."""

    @property
    def payload(self) -> PayloadRef | None:
        """The payload that is shown, or else the first one of the object that is."""


class Writing:
    """Writes what the panes show."""

    def __init__(self, screen: Screen, session: Session, shown: Shown) -> None:
        self._screen = screen
        self._session = session
        self._shown = shown

    @property
    def actions(self) -> Actions:
        """What the keys do."""
        return {"write": self._ask_what}

    def _ask_what(self) -> None:
        """Ask what to write - the graph, a payload, a context - and where to."""
        exports = self._exports()
        if exports:
            self.ask_where(exports)

    def _exports(self) -> list[Export]:
        exports = exports_of(self._session, self._shown.call, self._shown.payload)
        timelines = self._session.timelines
        if timelines is not None and timelines.index.is_schema_known:
            exports.append(report_export(self._session, partial(report_page, self._session, timelines.links)))
            exports += redacted_exports(self._session, self._redacted_page, self._copy_redacted)
        return exports

    # What replaces texts is imported when that is asked for.

    def _redacted_page(self, progress: Progress) -> bytes:
        from rollout_tui.reporting.redacted import redacted_page

        return redacted_page(self._session.recording, html_pieces, progress)

    def _copy_redacted(self, target: Path, progress: Progress) -> int:
        from rollout_tui.reporting.redacted import copy_redacted

        return copy_redacted(self._session.recording, target, progress)

    def obey(self, command: Write) -> None:
        """Write what a command names; ask where to if it does not say, and before anything is overwritten."""
        exports = self._exports()
        kind: ExportKind = "context.md" if command.what == "context" else command.what
        if command.what == "context" and command.path is not None and command.path.lower().endswith(".json"):
            kind = "context.json"
        place = next((place for place, one in enumerate(exports) if one.kind == kind), None)
        if place is None:
            self._screen.say(f"there is no {command.what} here to be written", bad=True)
            return
        path = None if command.path is None else Path(os.path.expanduser(command.path))
        if path is None or os.path.lexists(path):
            self.ask_where(exports, place, None if path is None else str(path))
        else:
            self._screen.say("writing ...")
            self._screen.in_thread(partial(self._write, exports[place], path), WRITE)

    def ask_where(self, exports: list[Export], chosen: int = 0, path: str | None = None) -> None:
        """Ask where to write one of several things.

        Args:
            exports: what can be written.
            chosen: which of them is offered first.
            path: where to, if the reader has said so already.
        """

        def written(sentence: str | None) -> None:
            if sentence is not None:
                self._screen.say(sentence)

        self._screen.open_above(WriteForm(exports, chosen, path), written)

    def _write(self, export: Export, path: Path) -> None:
        sentence, is_written = write_export(export, path, lambda _done, _total: None)
        self._screen.from_thread(partial(self._screen.say, sentence, bad=not is_written))
