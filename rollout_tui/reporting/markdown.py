"""A report as Markdown in which no evidence can be markup: all of it stands in fences that it cannot end.

Outside of fences there are only words of this program, and numbers: also what some readers make of a bare
address, of `#12` or of `@name` cannot come from evidence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from rollout_tui.reporting.parts import Chapter, Fold, Report
from rollout_tui.safe_text import SafeText, flowing_text
from rollout_tui.showing.document import Document

_RUN = re.compile("`+")
_SHORTEST = 3


def markdown_pieces(report: Report) -> Iterator[bytes]:
    """The report, piece by piece, in whole lines."""
    yield _lines(["# Report of a run", "", *fenced([report.source]), ""])
    yield _lines([f"- {words}" for words in report.reading])
    for chapter in report.chapters:
        yield _lines(_chapter(chapter))


def fenced(lines: Iterable[str]) -> list[str]:
    """Lines in a fence that is longer than any in them."""
    safe = [flowing_text(line) for line in lines]
    longest = max((len(run) for line in safe for run in _RUN.findall(line)), default=0)
    fence = "`" * max(_SHORTEST, longest + 1)
    return [fence, *safe, fence]


def _chapter(chapter: Chapter) -> Iterator[str]:
    yield from ("", f"## {chapter.name.capitalize()}")
    for document in chapter.documents:
        yield from ("", *fenced(_told(document)))
    if chapter.left_out:
        yield from ("", chapter.left_out)
    for fold in chapter.folds:
        yield from _fold(fold)


def _fold(fold: Fold) -> Iterator[str]:
    """A blank line on both sides of the fence: between these, Markdown counts again."""
    yield from ("", f"<details><summary>{fold.place}</summary>", "")
    yield from fenced([fold.words, "", *_told(fold.document)])
    yield from ("", "</details>")


def _told(document: Document) -> Iterator[SafeText]:
    return (SafeText(line.rstrip()) for line in document.lines())


def _lines(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()
