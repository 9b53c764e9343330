"""Session files of Codex as graphs: found, read line by line, and rebuilt into what a bundle would say.

`read_session` reads all files of a run at once, `SessionReader` as they grow.
"""

from reducer.certainty import Certainties, Certainty
from reducer.sessions.files import NoSessionError
from reducer.sessions.recording import SessionRecording
from reducer.sessions.session_reader import SessionReader, SessionReduction, read_session
from reducer.sessions.state import session_state_json, session_state_pieces

__all__ = [
    "Certainties",
    "Certainty",
    "NoSessionError",
    "SessionReader",
    "SessionRecording",
    "SessionReduction",
    "read_session",
    "session_state_json",
    "session_state_pieces",
]
