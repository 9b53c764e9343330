"""A redacted copy of a bundle, as it is handed over: made beside its place, and put there once checked."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from reducer import Bundle, open_bundle, reduce_bundle
from reducer.schemas.choice import schema_of
from reducer.sessions.convert import REBUILT_KEY
from reducer.storage.bundle import PAYLOADS
from rollout_tui.redaction.check import fault_of
from rollout_tui.redaction.collect import named_by
from rollout_tui.redaction.copying import BundleCopy
from rollout_tui.redaction.redactor import Redactor
from rollout_tui.redaction.refused import NotRedacted
from rollout_tui.redaction.shape import difference
from rollout_tui.redaction.tally import Replaced
from rollout_tui.redaction.unfinished import unfinished

LIST = "redaction.json"
"""The list of what was replaced, in the redacted bundle; readers of bundles do not look at it."""

Progress = Callable[[int, int], None]
"""Called with the bytes that were done and those there are; what it raises ends the work."""


class Redaction(Struct, frozen=True):
    """What became of a redaction.

    Attributes:
        redactor: what was used; it knows the originals.
        replaced: the list of what was replaced.
        difference: how the graph of the copy differs from that of the original; None if it does not.
    """

    redactor: Redactor
    replaced: Replaced
    difference: str | None


def redact_bundle(bundle: Bundle, target: Path, progress: Progress) -> Redaction:
    """Write a redacted copy of a bundle.

    Args:
        bundle: the original, which is only read.
        target: the directory of the copy; nothing may be there.
        progress: called now and then.

    Raises:
        NotRedacted: the schema is not known, or something of the original was still found in the copy, which
            is deleted then.
        BundleError: the manifest or the log cannot be read.
        OSError: something is at the target, or it cannot be written.
    """
    with unfinished(target) as directory:
        return _written(bundle, directory, _Steps(bundle, progress))


def _written(bundle: Bundle, directory: Path, steps: _Steps) -> Redaction:
    schema = schema_of(bundle)
    if schema is None:
        raise NotRedacted("what a bundle of a schema that is not known holds cannot be told apart")
    size = bundle.log_size()
    named = named_by(bundle, schema, size, steps)
    redactor = Redactor(named.ids)
    BundleCopy(bundle, schema, named, redactor, steps).write_to(directory, size)
    fault = fault_of(directory, redactor, steps)
    if fault is not None:
        raise NotRedacted(f"{fault}; the copy was deleted")
    if REBUILT_KEY.encode() in bundle.read_manifest():
        redactor.tally.note("it was made of a session file; what was rebuilt by a rule is not marked in it")
    differs = None
    if bundle.log_size() != size:
        redactor.tally.note(
            "the recording grew meanwhile: what it had before is here, its graph was not compared"
        )
    elif (differs := _difference(bundle, directory, steps)) is not None:
        redactor.tally.note(differs)
    replaced = redactor.tally.replaced(redactor.placeholders.forms)
    (directory / LIST).write_text(json.dumps(replaced.data(), indent=2) + "\n")
    return Redaction(redactor, replaced, differs)


def _difference(bundle: Bundle, directory: Path, steps: _Steps) -> str | None:
    original = reduce_bundle(bundle, progress=steps.ask)
    return difference(original, reduce_bundle(open_bundle(directory), progress=steps.ask))


class _Steps:
    """Makes steps of the work progress: the log is read twice, and what is written is read again."""

    def __init__(self, bundle: Bundle, progress: Progress) -> None:
        size = 0
        with suppress(OSError):
            size = bundle.folder.size_of_files(PAYLOADS)
        self._total = 3 * bundle.log_size() + 2 * size
        self._done = 0
        self._progress = progress

    def __call__(self, size: int) -> None:
        """Some bytes were done."""
        self._done += size
        self.ask(0, 0)

    def ask(self, _done: int, _total: int) -> None:
        """Let whoever waits say that nobody does."""
        self._progress(min(self._done, self._total), self._total)
