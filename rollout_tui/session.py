"""One open bundle: loading it, and reading its payloads, away from the UI loop."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from reducer import Bundle, BundleError, UnreadablePayload, open_bundle, reduce_bundle
from reducer.events import PayloadRef
from reducer.json_text import JsonDocument, JsonError
from reducer.model import ConversationItem
from rollout_tui.views.contexts.visibility import Sightings
from rollout_tui.views.detail.facts import TextSection
from rollout_tui.views.edges.following import Follower
from rollout_tui.views.evidence import find_item
from rollout_tui.views.index import TraceIndex
from rollout_tui.views.timeline import SHOWN_PROTOCOL_EVENTS, Timelines

Progress = Callable[[int, int], None]


class Session:
    """A bundle and what was made of it.

    Every method that reads files blocks, and is meant for a worker thread.

    Attributes:
        bundle: the bundle on disk.
        timelines: its graph with look-ups and timelines; None until `load` has run.
        follower: follows edges in it; None until `load` has run.
    """

    def __init__(self, path: Path) -> None:
        """Open a bundle.

        Raises:
            BundleError: there is none at that path.
        """
        self.bundle: Bundle = open_bundle(path)
        self.timelines: Timelines | None = None
        self.follower: Follower | None = None

    def load(self, progress: Progress) -> Timelines:
        """Reduce the bundle and lay out its timelines.

        Args:
            progress: called with bytes read and bytes in all; what it raises ends the loading.

        Raises:
            BundleError: the log cannot be read.
        """
        bundle = open_bundle(self.bundle.path)
        index = TraceIndex(reduce_bundle(bundle, progress=progress))
        for event in index.reduction.provenance.events:
            if event.kind == "protocol_event_observed" and event.note in SHOWN_PROTOCOL_EVENTS:
                index.protocol_notes[event.seq] = (event.note, self._protocol_text(event.payloads))
        follower, timelines = Follower(Sightings(index)), Timelines(index)
        self.bundle, self.follower, self.timelines = bundle, follower, timelines
        return timelines

    def _protocol_text(self, payloads: tuple[PayloadRef, ...]) -> str:
        """What a protocol event says in words."""
        for ref in payloads:
            value = self._json(ref)
            if isinstance(value, dict):
                for key in ("message", "reason"):
                    if isinstance(value.get(key), str):
                        return str(value[key])
        return ""

    def payload(self, ref: PayloadRef) -> bytes:
        """The bytes of a payload.

        Raises:
            UnreadablePayload: it cannot be read.
        """
        return self.bundle.read_payload(ref.path)

    def log_line(self, offset: int) -> bytes:
        """The bytes of the log line that begins at this offset; empty where there is none any more."""
        try:
            return self.bundle.read_line(offset)
        except BundleError:
            return b""

    def text(self, section: TextSection) -> str:
        """The text of a section; one that a payload holds is read."""
        if section.payload is not None and section.extract is not None:
            found = section.extract(self._json(section.payload))
            if found is not None:
                return found
        return section.text if section.text is not None else "(not in the evidence)"

    def path_of_item(self, data: bytes, item: ConversationItem) -> tuple[str | int, ...]:
        """Where in a payload an item stands; empty where it cannot be told."""
        try:
            found = find_item(JsonDocument(data).value, item)
        except JsonError:
            return ()
        return () if found is None else found[0]

    def _json(self, ref: PayloadRef) -> Any:
        """The parsed payload; None where it cannot be read or is not JSON."""
        try:
            return JsonDocument(self.payload(ref)).value
        except (UnreadablePayload, JsonError):
            return None
