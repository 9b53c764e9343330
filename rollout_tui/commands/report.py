"""`rollout-tui report`: a run as one file to hand over."""

from __future__ import annotations

from pathlib import Path

from rollout_tui.bundles.trace_root import one_bundle
from rollout_tui.commands.output import print_path
from rollout_tui.commands.results import STANDARD_OUTPUT, print_result, write_result
from rollout_tui.language.refused import InputRefused
from rollout_tui.outcomes import CLEAN, CommandError
from rollout_tui.reporting.build import report_of
from rollout_tui.reporting.markdown import markdown_pieces
from rollout_tui.reporting.page import html_pieces
from rollout_tui.session import Session
from rollout_tui.showing.result import Form, Result

FORMS = {".html": html_pieces, ".htm": html_pieces, ".md": markdown_pieces, ".markdown": markdown_pieces}
"""How a report is written, by the end of the name of its file."""


def report_run(path: Path, output: str | None) -> int:
    """Write a report of a run, and print where; Markdown on standard output unless a file is named.

    Args:
        path: a bundle directory, a file in it, or a session file.
        output: the file; its name says the form. None or `-` is standard output.

    Returns:
        The exit status.

    Raises:
        BundleError: there is no bundle, or its log cannot be read.
        CommandError: the name says no form, the schema is not known, or it could not be written.
    """
    target = None if output is None or output in STANDARD_OUTPUT else Path(output)
    pieces = markdown_pieces if target is None else FORMS.get(target.suffix.lower())
    if pieces is None:
        raise CommandError(f"{output}: a report is a FILE.html or a FILE.md")
    session = Session(one_bundle(path))
    try:
        made = report_of(session, session.load(lambda _done, _total: None).links)
    except InputRefused as refused:
        raise CommandError(str(refused)) from None
    result = Result(pieces(made), Form.TEXT)
    if target is None:
        print_result(result)
    else:
        write_result(result, target, session.recording)
        print_path(str(target))
    return CLEAN
