"""How a command ends: whatever happens in it becomes an exit status, and at most a line that says why."""

from __future__ import annotations

import os
from collections.abc import Callable

from reducer import BundleError
from rollout_tui.commands.output import complain, drop_unwritten, flush_standard_output, prepare_streams
from rollout_tui.outcomes import (
    FAULT,
    INTERRUPTED,
    NO_MEMORY,
    UNUSABLE,
    CommandEndedError,
    CommandError,
    EndedBySignal,
    plain_reason,
)

DEBUG_VARIABLE = "ROLLOUT_TUI_DEBUG"
"""Set to anything, a fault of this program shows its traceback."""


def status_of(command: Callable[[], int]) -> int:
    """Run a command.

    Returns:
        The exit status. No exception comes out, and no traceback is printed. After a signal that asked for
        the end it does not return: the process ends by that signal.
    """
    try:
        prepare_streams()
        status = _run(command)
        flush_standard_output()
    except KeyboardInterrupt:
        return INTERRUPTED
    except CommandEndedError as ended:
        return ended.status
    except CommandError as error:
        complain(str(error))
        return UNUSABLE
    except EndedBySignal as ended:
        from rollout_tui.ending import end_by

        end_by(ended.number)
    finally:
        drop_unwritten()
    return status


def _run(command: Callable[[], int]) -> int:
    """Run one command; every way it can end becomes an exit status or a `CommandError`."""
    try:
        return command()
    except (CommandEndedError, CommandError):
        raise
    except BundleError as error:
        raise CommandError(str(error)) from None
    except OSError as error:
        named = f"{os.fsdecode(error.filename)}: " if error.filename else ""
        raise CommandError(named + plain_reason(error)) from None
    except MemoryError:
        raise CommandError(NO_MEMORY) from None
    except Exception as error:
        if os.environ.get(DEBUG_VARIABLE):
            raise
        complain(f"a fault in this program: {type(error).__name__}: {error}")
        return FAULT
