"""One open recording: loading it, and reading its payloads, away from the UI loop."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from reducer import BundleError, EventRecord, Recording, UnreadablePayload
from reducer.model import ConversationItem, InferenceCall
from reducer.wire.json_text import JsonDocument, JsonError
from reducer.wire.payload_refs import PayloadRef
from rollout_tui.feed import Feed, View
from rollout_tui.insight.certainty import NOT_RECORDED, instructions_apart
from rollout_tui.insight.contexts.request_parts import RequestParts, request_parts
from rollout_tui.insight.evidence import find_item
from rollout_tui.insight.following.follower import Follower
from rollout_tui.insight.items.captures import lost_words
from rollout_tui.insight.items.sections import TextSection
from rollout_tui.insight.problems.line import LinePlace
from rollout_tui.progress import Progress
from rollout_tui.recordings import open_recording
from rollout_tui.views.timeline import Timelines

REMEMBERED_REQUESTS = 500
"""Requests of which the sizes are kept; a size is a few numbers, but their number has no limit."""


class Session:
    """A recording, which is a bundle or a session, and what was made of it.

    Every method that reads files blocks, and is meant for a worker thread.

    Attributes:
        recording: what is on disk.
        timelines: its graph with look-ups and timelines; None until there is a view.
        follower: follows edges in it; None until there is a view.
    """

    def __init__(self, path: Path) -> None:
        """Open a recording.

        Raises:
            BundleError: there is none at that path.
        """
        self.recording: Recording = open_recording(path)
        self.timelines: Timelines | None = None
        self.follower: Follower | None = None
        self._request_parts: dict[str, RequestParts] = {}

    def open_feed(self) -> Feed:
        """Begin to read the recording, from its manifest on if it has one.

        Raises:
            BundleError: there is none any more.
        """
        return Feed(open_recording(self.recording.path))

    def adopt(self, view: View) -> object:
        """Go on with a view that a feed made; gives what was the view before."""
        before = (self.timelines, self.follower)
        if view.recording is not self.recording:
            self._request_parts.clear()
        self.recording, self.timelines, self.follower = view.recording, view.timelines, view.follower
        return before

    def load(self, progress: Progress) -> Timelines:
        """Reduce the recording and lay out its timelines, for those who do not look at it meanwhile.

        Args:
            progress: called with bytes read and bytes in all; what it raises ends the loading.

        Raises:
            BundleError: the log cannot be read.
        """
        view = self.open_feed().read(progress)
        self.adopt(view)
        return view.timelines

    def payload(self, ref: PayloadRef) -> bytes:
        """The bytes of a payload.

        Raises:
            UnreadablePayload: it cannot be read.
        """
        return self.recording.read_payload(ref)

    def told_by(self, event: EventRecord) -> Any:
        """What an event tells, parsed: its payload, or what its line in a session file records; or None."""
        if not event.file:
            return self.json(event.payloads[0]) if event.payloads else None
        try:
            value = JsonDocument(self.recording.read_line(event.offset, event.file)).value
        except (BundleError, JsonError):
            return None
        return value.get("payload") if isinstance(value, dict) else None

    def log_line(self, place: LinePlace) -> bytes:
        """The bytes of a line of the log; empty where there is none any more."""
        try:
            return self.recording.read_line(place.offset, place.file)
        except BundleError:
            return b""

    def text(self, section: TextSection) -> str:
        """The text of a section; one that payloads hold is read."""
        if section.compute is not None:
            return section.compute(self.json)
        if section.payload is not None and section.payload.is_lost:
            return self.kept_text(section.payload)
        if section.payload is not None and section.extract is not None:
            found = section.extract(self.json(section.payload))
            if found is not None:
                return found
        return section.text if section.text is not None else "(not in the evidence)"

    def kept_text(self, ref: PayloadRef) -> str:
        """What a limit of the recorder did to a payload, and what of it was kept."""
        try:
            kept = self.payload(ref).decode(errors="replace")
        except UnreadablePayload:
            kept = ""
        return "\n".join(filter(None, (f"[{lost_words(ref)}]", kept)))

    def reader(self) -> Callable[[TextSection], str]:
        """What `text` does, for many sections: a payload that several of them are in is parsed once."""
        parsed: dict[str, Any] = {}

        def read(section: TextSection) -> str:
            ref = section.payload
            if ref is None or section.extract is None or ref.is_lost:
                return self.text(section)
            if ref.raw_payload_id not in parsed:
                parsed.clear()
                parsed[ref.raw_payload_id] = self.json(ref)
            found = section.extract(parsed[ref.raw_payload_id])
            return self.text(replace(section, extract=None)) if found is None else found

        return read

    def request_parts(self, call: InferenceCall) -> RequestParts:
        """The sizes of what the raw request of a call holds beside its items; they are remembered."""
        payload_id = call.raw_request_payload_id
        index = None if self.timelines is None else self.timelines.index
        if index is not None and index.reduction.rebuilt_from is not None:
            said = instructions_apart(index, call)
            return RequestParts(None if said is None else len(said), missing=NOT_RECORDED)
        known = self._request_parts.get(payload_id)
        if known is None:
            ref = None if index is None else index.trace.raw_payloads.get(payload_id)
            known = RequestParts() if ref is None else request_parts(self.json(ref))
            if len(self._request_parts) >= REMEMBERED_REQUESTS:
                self._request_parts.clear()
            self._request_parts[payload_id] = known
        return known

    def path_of_item(self, data: bytes, item: ConversationItem) -> tuple[str | int, ...]:
        """Where in a payload an item stands; empty where it cannot be told."""
        try:
            found = find_item(JsonDocument(data).value, item)
        except JsonError:
            return ()
        return () if found is None else found[0]

    def json(self, ref: PayloadRef) -> Any:
        """The parsed payload; None where it cannot be read or is not JSON."""
        try:
            return JsonDocument(self.payload(ref)).value
        except (UnreadablePayload, JsonError):
            return None
