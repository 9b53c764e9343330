"""`rollout-tui report`: a run as one file to hand over."""

from __future__ import annotations

from pathlib import Path

from reducer import Recording
from rollout_tui.bundles.trace_root import one_bundle
from rollout_tui.commands.output import print_path, report
from rollout_tui.commands.results import STANDARD_OUTPUT, print_result, write_result
from rollout_tui.language.refused import InputRefused
from rollout_tui.outcomes import CLEAN, PROBLEMS, CommandError, plain_reason
from rollout_tui.recordings import open_recording
from rollout_tui.redaction.refused import NotRedacted
from rollout_tui.reporting.build import report_of
from rollout_tui.reporting.markdown import markdown_pieces
from rollout_tui.reporting.page import html_pieces
from rollout_tui.reporting.redacted import Form as ReportForm
from rollout_tui.reporting.redacted import redacted_copy
from rollout_tui.session import Session
from rollout_tui.showing.result import Form, Result
from rollout_tui.write_file import refuse_evidence

FORMS = {".html": html_pieces, ".htm": html_pieces, ".md": markdown_pieces, ".markdown": markdown_pieces}
"""How a report is written, by the end of the name of its file."""


def report_run(path: Path, output: str | None, *, redact: bool = False, bundle: Path | None = None) -> int:
    """Write a report of a run, and print where; Markdown on standard output unless a file is named.

    Args:
        path: a bundle directory, a file in it, or a session file.
        output: the file; its name says the form. None or `-` is standard output.
        redact: whether to replace its texts.
        bundle: where to write a redacted copy of the bundle, too; then there is a report of it only if
            `output` is given.

    Returns:
        The exit status.

    Raises:
        BundleError: there is no bundle, or its log cannot be read.
        CommandError: the name says no form, the schema is not known, something of the original was left in
            what was redacted, or it could not be written.
    """
    target = None if output is None or output in STANDARD_OUTPUT else Path(output)
    form = markdown_pieces if target is None else FORMS.get(target.suffix.lower())
    if form is None:
        raise CommandError(f"{output}: a report is a FILE.html or a FILE.md")
    recording = open_recording(one_bundle(path))
    if redact or bundle is not None:
        return _redacted(recording, bundle, form if output is not None or bundle is None else None, target)
    session = Session(recording.path)
    try:
        made = report_of(session, session.load(lambda _done, _total: None).links)
    except InputRefused as refused:
        raise CommandError(str(refused)) from None
    _write(Result(form(made), Form.TEXT), target, recording)
    return CLEAN


def _redacted(
    recording: Recording, directory: Path | None, form: ReportForm | None, target: Path | None
) -> int:
    """Write a redacted copy, a report of it, or both, and say what was replaced."""
    try:
        if directory is not None:
            refuse_evidence(directory, recording)
        with redacted_copy(recording, directory, lambda _done, _total: None) as copy:
            data = None if form is None else copy.report(form)
    except (NotRedacted, InputRefused) as refused:
        raise CommandError(f"{recording.path}: {refused}") from None
    except OSError as error:
        place = "a temporary copy" if directory is None else str(directory)
        raise CommandError(f"cannot write {place}: {plain_reason(error)}") from None
    if directory is not None:
        print_path(str(directory))
    if data is not None:
        _write(Result(data, Form.TEXT), target, recording)
    for line in copy.redaction.replaced.lines():
        report(line)
    return CLEAN if copy.redaction.difference is None else PROBLEMS


def _write(result: Result, target: Path | None, recording: Recording) -> None:
    if target is None:
        print_result(result)
    else:
        write_result(result, target, recording)
        print_path(str(target))
