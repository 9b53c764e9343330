"""What a path leads to as a recording: a trace bundle, or the session files of a run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from reducer import Bundle, open_bundle, reduce_bundle, state_pieces
from reducer.growing import GrowingReduction
from reducer.recording import Growing, Recording
from rollout_tui.bundles.what_is import Kind, what_is

# What reads sessions is imported where there is one: most of what is opened are bundles.


def open_recording(path: Path) -> Recording:
    """Open a bundle by its directory or any file in it, or a session by one of its files.

    Raises:
        BundleError: there is neither.
    """
    if what_is(path).kind is not Kind.SESSION_FILE:
        return open_bundle(path)
    from reducer.sessions import SessionRecording

    return SessionRecording(path)


def begin_reading(recording: Recording) -> Growing:
    """Begin to read a recording that `open_recording` gave."""
    if isinstance(recording, Bundle):
        return GrowingReduction(recording)
    from reducer.sessions import SessionReader, SessionRecording

    assert isinstance(recording, SessionRecording)
    return SessionReader(recording)


def state_of(recording: Recording) -> Iterator[bytes]:
    """The graph of all of a recording as it is written to `state.json`, piece by piece. Reads all of it.

    Raises:
        BundleError: it cannot be read.
    """
    if isinstance(recording, Bundle):
        return state_pieces(reduce_bundle(recording.path).trace)
    from reducer.sessions import read_session, session_state_pieces

    return session_state_pieces(read_session(recording.path))
