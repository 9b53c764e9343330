"""What can be written to a file from inside the inspector, and where to unless the reader says otherwise."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from msgspec import Struct

from reducer import Recording, UnreadablePayload
from reducer.model import InferenceCall
from reducer.wire.payload_refs import FileRef, PayloadRef
from rollout_tui.insight.certainty import NOT_RECORDED, instructions_apart
from rollout_tui.insight.index import TraceIndex
from rollout_tui.progress import Progress
from rollout_tui.recordings import state_of
from rollout_tui.safe_text import safe_filename
from rollout_tui.session import Session
from rollout_tui.texts.written_json import formatted_json
from rollout_tui.views.contexts.export import RequestTexts, context_data, context_markdown, request_texts
from rollout_tui.write_file import write_atomically

ExportKind = Literal[
    "state", "payload", "context.md", "context.json", "report", "text", "redacted report", "redacted bundle"
]


class Export(Struct, frozen=True):
    """One thing that can be written.

    Attributes:
        kind: what it is.
        words: what it is, for the reader.
        path: where it goes by default.
        recording: what it comes of; its evidence is not written over.
        write: writes it to a path, whole or not at all, and gives how many bytes that were. It reads files,
            so it is for a worker thread; what the progress raises ends it. Raises `UnreadablePayload`.
        is_directory: whether it is a directory, which must be a new one.
    """

    kind: ExportKind
    words: str
    path: Path
    recording: Recording
    write: Callable[[Path, Progress], int]
    is_directory: bool = False


def file_export(
    kind: ExportKind, words: str, path: Path, recording: Recording, make: Callable[[Progress], bytes]
) -> Export:
    """What is one file.

    Args:
        kind: what it is.
        words: what it is, for the reader.
        path: where it goes by default.
        recording: what it comes of.
        make: makes its bytes.
    """

    def write(target: Path, progress: Progress) -> int:
        data = make(progress)
        write_atomically(target, data)
        return len(data)

    return Export(kind, words, path, recording, write)


def exports_of(session: Session, call: InferenceCall | None, payload: PayloadRef | None) -> list[Export]:
    """All that can be written at a place; nothing before the recording is loaded.

    Args:
        session: the recording.
        call: the call whose context is shown, if any.
        payload: the payload that is shown, if any.
    """
    timelines = session.timelines
    if timelines is None:
        return []
    index, recording = timelines.index, session.recording
    state, name = recording.state_path, _name_of(recording)
    beside = writable_directory(_elsewhere(recording))
    if state is None or not _is_writable(state.parent):
        state = beside / f"{name}.state.json"

    def make_state(_progress: Progress) -> bytes:
        # What is shown may be a part of the log, a moment in the past, or about to grow.
        return b"".join(state_of(recording))

    words = "state.json: the reduced graph"
    if index.reduction.rebuilt_from is not None:
        words += f", rebuilt from a {index.reduction.rebuilt_from}"
    exports = [file_export("state", words, state, recording, make_state)]
    if payload is not None:
        ref, file_name = payload, safe_filename(_file_name(payload))
        number, kind = ref.raw_payload_id.rpartition(":")[2], ref.kind.type.replace("_", " ")
        exports.append(
            file_export(
                "payload",
                f"payload {number}, {kind}, byte for byte",
                beside / f"{name}.{file_name}",
                recording,
                lambda _progress: session.payload(ref),
            )
        )
    if call is not None:
        exports += _context_exports(session, index, call, beside / name)
    return exports


def _file_name(ref: PayloadRef) -> str:
    """A name for a file with the bytes of a payload."""
    if isinstance(ref, FileRef):
        return PurePosixPath(ref.path).name
    return f"{ref.raw_payload_id.replace(':', '-')}.json"


def _context_exports(session: Session, index: TraceIndex, call: InferenceCall, base: Path) -> list[Export]:
    number = index.place_of_call(call) + 1
    leaf = safe_filename(index.thread_path(call.thread_id).rpartition("/")[2], "agent")
    words = f"context of call {number} of {index.thread_path(call.thread_id)}"
    path = base.parent / f"{base.name}.{leaf}.call-{number}.context"
    return [
        file_export(
            "context.md",
            f"{words}, as Markdown",
            Path(f"{path}.md"),
            session.recording,
            lambda _progress: context_text(session, index, call).encode("utf-8", "replace"),
        ),
        file_export(
            "context.json",
            f"{words}, as JSON",
            Path(f"{path}.json"),
            session.recording,
            lambda _progress: context_bytes(session, index, call),
        ),
    ]


def context_text(session: Session, index: TraceIndex, call: InferenceCall) -> str:
    """The whole context of a call as Markdown. Reads payloads."""
    return context_markdown(index, call, _parts(session, index, call), session.reader())


def context_bytes(session: Session, index: TraceIndex, call: InferenceCall) -> bytes:
    """The whole context of a call as JSON. Reads payloads."""
    return formatted_json(context_values(session, index, call))


def context_values(session: Session, index: TraceIndex, call: InferenceCall) -> dict[str, Any]:
    """The whole context of a call as values. Reads payloads."""
    return context_data(index, call, _parts(session, index, call), session.reader())


def _parts(session: Session, index: TraceIndex, call: InferenceCall) -> RequestTexts:
    """What the request of a call says beside its items; nothing where it cannot be read.

    Of a session what it says of the instructions; what it does not record is said.
    """
    if index.reduction.rebuilt_from is not None:
        return RequestTexts(instructions_apart(index, call), missing=NOT_RECORDED)
    ref = index.trace.raw_payloads.get(call.raw_request_payload_id)
    try:
        return RequestTexts() if ref is None else request_texts(session.payload(ref))
    except UnreadablePayload:
        return RequestTexts()


def report_export(session: Session, make: Callable[[], bytes]) -> Export:
    """The report of a run, as `make` makes it."""
    recording = session.recording
    path = writable_directory(_elsewhere(recording)) / f"{_name_of(recording)}.report.html"
    words = "report of the run, as one HTML page"
    return file_export("report", words, path, recording, lambda _progress: make())


def redacted_exports(
    session: Session, make_report: Callable[[Progress], bytes], copy: Callable[[Path, Progress], int]
) -> list[Export]:
    """The run without its texts.

    Args:
        session: the recording.
        make_report: makes the report.
        copy: writes the redacted copy of the bundle, as `Export.write` does.
    """
    recording, name = session.recording, _name_of(session.recording)
    beside = writable_directory(_elsewhere(recording))
    words = "redacted report: all texts replaced, as one HTML page"
    path = beside / f"{name}.redacted.html"
    return [
        file_export("redacted report", words, path, recording, make_report),
        Export(
            "redacted bundle",
            "redacted bundle: a copy with all texts replaced, which opens like this",
            beside / f"{name}.redacted",
            recording,
            copy,
            is_directory=True,
        ),
    ]


def text_export(session: Session, text: str) -> Export:
    """A text that was too long to be copied."""
    recording = session.recording
    path = writable_directory(_elsewhere(recording)) / f"{_name_of(recording)}.copy.txt"
    return file_export(
        "text", "what was to be copied", path, recording, lambda _progress: text.encode("utf-8", "replace")
    )


def _name_of(recording: Recording) -> str:
    """What files that come of a recording are called after."""
    return safe_filename(recording.path.resolve().name)


def writable_directory(directories: Iterable[Path]) -> Path:
    """The first directory that can be written to; the working directory if none can."""
    return next((one for one in directories if _is_writable(one)), Path.cwd())


def _elsewhere(recording: Recording) -> list[Path]:
    """Where things go that have no place in a recording, or whose place there cannot be written."""
    places = (Path.cwd(), Path.home(), Path(tempfile.gettempdir()))
    return [one for one in places if not recording.is_evidence(one / "any")]


def _is_writable(directory: Path) -> bool:
    return os.access(directory, os.W_OK | os.X_OK)
