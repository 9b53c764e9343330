"""Copies of a run without its texts, and reports of such copies, which so have none either.

Of a session, the copy is one of the bundle that `convert` makes of it.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from reducer import Bundle, Recording, open_bundle
from rollout_tui.insight.agents.links import AgentLinks
from rollout_tui.progress import Progress
from rollout_tui.redaction.check import Originals
from rollout_tui.redaction.refused import NotRedacted
from rollout_tui.redaction.whole import Redaction, redact_bundle
from rollout_tui.reporting.build import READING, report_of
from rollout_tui.reporting.parts import Report
from rollout_tui.session import Session

Form = Callable[[Report], Iterator[bytes]]
"""What writes a report in one form."""

NAME = "redacted"
"""What a copy is called that has no name of its own."""
SHORTEST = 24
"""Characters of an original that a report is searched for: it has words of this program, too."""


@contextmanager
def redacted_copy(recording: Recording, target: Path | None, progress: Progress) -> Iterator[RedactedCopy]:
    """A redacted copy of a run.

    Args:
        recording: a bundle or a session.
        target: its directory, which is made; None for one that is gone afterwards.
        progress: called now and then; what it raises ends the work, and nothing is left.

    Raises:
        NotRedacted: see `redact_bundle`; or a session that no bundle can be made of.
        BundleError: it cannot be read.
        OSError: it cannot be written.
    """
    with ExitStack() as stack:
        bundle = _as_bundle(recording, stack)
        if target is None:
            target = Path(stack.enter_context(TemporaryDirectory(prefix="rollout-tui-"))) / NAME
        yield RedactedCopy(target, redact_bundle(bundle, target, progress))


def _as_bundle(recording: Recording, stack: ExitStack) -> Bundle:
    if isinstance(recording, Bundle):
        return recording
    # What reads sessions is imported where there is one.
    from reducer.sessions import read_session
    from reducer.sessions.convert import convert_session

    directory = Path(stack.enter_context(TemporaryDirectory(prefix="rollout-tui-"))) / "bundle"
    try:
        convert_session(read_session(recording.path), directory)
    except ValueError as error:
        raise NotRedacted(str(error)) from None
    return open_bundle(directory)


def redacted_page(recording: Recording, form: Form, progress: Progress) -> bytes:
    """The report of a run without its texts, as `Export` wants it; see `redacted_copy`."""
    with redacted_copy(recording, None, progress) as copy:
        return copy.report(form)


def copy_redacted(recording: Recording, target: Path, progress: Progress) -> int:
    """Write a redacted copy of a run, as `Export` wants it; see `redacted_copy`."""
    with redacted_copy(recording, target, progress) as copy:
        return copy.size


class RedactedCopy:
    """A redacted copy of a run on disk.

    Attributes:
        path: its directory.
        redaction: what was replaced in it, and what became of its graph.
    """

    def __init__(self, path: Path, redaction: Redaction) -> None:
        self.path = path
        self.redaction = redaction

    @property
    def size(self) -> int:
        """Bytes of all its files."""
        return sum(file.stat().st_size for file in self.path.rglob("*") if file.is_file())

    def report(self, form: Form) -> bytes:
        """The report of it.

        Args:
            form: how it is written.

        Raises:
            NotRedacted: something of the original was found in it all the same.
            InputRefused: the schema of the bundle is not known.
        """
        session = Session(self.path)
        links: AgentLinks = session.load(lambda _done, _total: None).links
        data = b"".join(form(report_of(session, links, self.redaction.replaced)))
        originals = Originals(self.redaction.redactor, "\n".join(READING), SHORTEST)
        if originals.is_in(html.unescape(data.decode())):
            raise NotRedacted("something of the original is left in the report; it was not written")
        return data
