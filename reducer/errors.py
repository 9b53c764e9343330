"""What can be wrong with a bundle, and how it is said."""

from __future__ import annotations

from msgspec import Struct


class BundleError(Exception):
    """There is no bundle to read: a missing or foreign directory, an unreadable log, a bad manifest.

    Attributes:
        reference_says: as in `Problem`.
    """

    def __init__(self, reason: str, reference_says: str | None = None) -> None:
        super().__init__(reason)
        self.reference_says = reference_says


class LogChangedError(BundleError):
    """A log is not the one that was read before: it was cut, is gone, or another one is in its place."""


class Malformed(Exception):  # noqa: N818 - a state of evidence rather than of this program
    """A JSON text is not of its declared type: a line that is no known event, a file that is no manifest."""


class NotApplicable(Exception):  # noqa: N818
    """An event cannot be applied.

    Attributes:
        reference_says: as in `Problem`.
    """

    def __init__(self, reason: str, reference_says: str | None = None) -> None:
        super().__init__(reason)
        self.reference_says = reference_says


class UnreadablePayload(NotApplicable):
    """A payload is missing, out of bounds, or not the JSON that the format wants.

    Attributes:
        raw_payload_id: the payload, when an event needs it.
    """

    def __init__(
        self, reason: str, reference_says: str | None = None, raw_payload_id: str | None = None
    ) -> None:
        super().__init__(reason, reference_says)
        self.raw_payload_id = raw_payload_id


class Inconsistent(NotApplicable):
    """An event contradicts what came before it, or its payload is not of the form it must have."""


class Problem(Struct, frozen=True, kw_only=True):
    """One thing that is wrong with a bundle.

    Attributes:
        line: physical line of `trace.jsonl`, or of `file`, from 1; None when it is not tied to a line.
        seq: sequence number of the event, when it could be read.
        event: kind of the event, such as `inference_started`, when it could be read.
        file: the session file that is wrong; None for a bundle, whose lines are those of its log.
        reason: what is wrong, in one sentence.
        consequence: what is missing from the graph as a result, in one sentence.
        raw_payload_id: the payload concerned, if any.
        reference_says: the message with which the reference refuses a bundle for this, where it does and the
            message is known: the first line it prints, without `Error: `. It may hold text of the bundle.
        in_manifest: whether the manifest is what is wrong.
        thread_id: the thread that the event or else its envelope names, when it could be read.
    """

    line: int | None = None
    seq: int | None = None
    event: str | None = None
    file: str | None = None
    reason: str
    consequence: str
    raw_payload_id: str | None = None
    reference_says: str | None = None
    in_manifest: bool = False
    thread_id: str | None = None

    def where(self) -> str:
        """Line, sequence number and event kind, as far as they are known."""
        parts = ["manifest.json"] if self.in_manifest else []
        if self.line is not None:
            parts.append(f"{self.file or 'trace.jsonl'} line {self.line}")
        elif self.file is not None:
            parts.append(self.file)
        if self.seq is not None:
            parts.append(f"seq {self.seq}")
        if self.event is not None:
            parts.append(self.event)
        return ", ".join(parts) or "end of replay"


class Refused(Exception):  # noqa: N818
    """Strict replay stopped at its first problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"{problem.where()}: {problem.reason}")
        self.problem = problem
