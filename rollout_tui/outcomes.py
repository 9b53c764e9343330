"""How a command can end: exit statuses, what ends it early, and what an operating system said."""

from __future__ import annotations

CLEAN = 0
"""Exit status: done, nothing was wrong."""

PROBLEMS = 1
"""Exit status: done and problems were found, or refused because of one."""

UNUSABLE = 2
"""Exit status: no bundle, unreadable, wrong usage, or the result could not be written."""

FAULT = 70
"""Exit status after a fault of this program."""

INTERRUPTED = 130
"""Exit status after ctrl+c, as shells have it."""

READER_GONE = 141
"""Exit status when whoever read the output closed it, as shells have it for SIGPIPE."""


NO_MEMORY = "there is not enough memory for this"
"""What is wrong when memory is used up; no fault of the program, and nothing is lost on disk."""


class CommandError(Exception):
    """Ends a command with one plain sentence on standard error and status `UNUSABLE`."""


class CommandEndedError(Exception):
    """Ends a command without a word: whoever read its output is gone, or all was said.

    Attributes:
        status: the exit status.
    """

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class EndedBySignal(BaseException):
    """A signal asked for the end. Not an `Exception`: whoever handles faults must let it pass.

    Attributes:
        number: of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def plain_reason(error: OSError) -> str:
    """What the operating system says, to stand after a colon."""
    reason = error.strerror or str(error)
    return reason[:1].lower() + reason[1:]
