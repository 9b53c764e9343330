"""What a report consists of, before it is HTML or Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from rollout_tui.insight.timing.columns import Column
from rollout_tui.safe_text import SafeText
from rollout_tui.showing.document import Document

ChapterName = Literal["overview", "failures", "agents", "tokens", "time", "compactions", "redaction"]
"""The chapters, in their order."""


class Fold(Struct, frozen=True):
    """Evidence that is folded in.

    Attributes:
        place: where what it is about stands, such as `seq 98`; in words of this program alone.
        words: what it is, in one line; may be evidence.
        document: what unfolds.
    """

    place: str
    words: SafeText
    document: Document


class DrawnLane(Struct, frozen=True):
    """A row of a picture: what an agent did in each column of the time of the run."""

    label: SafeText
    columns: Sequence[Column]


class Chapter(Struct, frozen=True):
    """One answer.

    Attributes:
        name: which.
        documents: what `show` tells.
        folds: the evidence behind it.
        lanes: drawn where drawing is possible.
        left_out: what the report has no room for; empty if it has all.
    """

    name: ChapterName
    documents: Sequence[Document]
    folds: Sequence[Fold] = ()
    lanes: Sequence[DrawnLane] = ()
    left_out: str = ""


class Report(Struct, frozen=True):
    """A run as a report.

    Attributes:
        source: the recording; with `#` and a sequence number behind it, it opens that place. May be evidence.
        reading: how the report is to be read, in words of this program alone.
        chapters: the answers.
    """

    source: SafeText
    reading: Sequence[str]
    chapters: Sequence[Chapter]
