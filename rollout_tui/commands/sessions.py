"""Session files of codex: as a trace bundle that every command reads, and as a graph."""

from __future__ import annotations

from pathlib import Path

from reducer.sessions import NoSessionError, SessionReduction, read_session, session_state_pieces
from rollout_tui.bundles.what_is import Kind, what_is
from rollout_tui.commands.output import print_path
from rollout_tui.commands.results import STANDARD_OUTPUT, print_result, write_result
from rollout_tui.outcomes import CLEAN, PROBLEMS, CommandError, plain_reason
from rollout_tui.showing.result import Form, Result


def open_session(path: Path) -> SessionReduction:
    """Read the session that a file belongs to, with all other files of that run.

    Raises:
        CommandError: nothing is there, it is no session file, or it cannot be read.
    """
    found = what_is(path)
    try:
        path.stat()
        if found.kind is not Kind.SESSION_FILE:
            raise CommandError(f"{path}: {found.words or 'a directory'}; that is not a session file of codex")
        return read_session(path)
    except NoSessionError as error:
        raise CommandError(f"{path}: {error}") from None
    except OSError as error:
        raise CommandError(f"{path}: {plain_reason(error)}") from None


def convert(path: Path, output: Path) -> tuple[int, SessionReduction]:
    """Write a session as a bundle of schema 3.

    Args:
        path: One of its files.
        output: The directory of the bundle, which is made.

    Returns:
        The exit status, and what came of reading the session.

    Raises:
        CommandError: the session cannot be read, or the bundle not be written.
    """
    from reducer.sessions.convert import convert_session

    session = open_session(path)
    try:
        convert_session(session, output)
    except OSError as error:
        raise CommandError(f"cannot write {output}: {plain_reason(error)}") from None
    except ValueError as error:
        raise CommandError(f"{path}: {error}") from None
    print_path(str(output))
    return PROBLEMS if session.problems else CLEAN, session


def write_session(session: SessionReduction, output: str) -> Path | None:
    """Write the graph of a session; where it was written, None for standard output.

    Raises:
        CommandError: it could not be written.
    """
    result = Result(session_state_pieces(session), Form.JSON)
    if output in STANDARD_OUTPUT:
        print_result(result)
        return None
    write_result(result, Path(output), session.recording)
    return Path(output)
