"""The title of an output: how the call went, how much there was and is, and the line that tells most."""

from __future__ import annotations

from typing import Literal, NamedTuple

from rollout_tui import glyphs
from rollout_tui.insight.failures.definition import Manner
from rollout_tui.insight.failures.words import mark, verdict
from rollout_tui.insight.output.items import OutputItem
from rollout_tui.insight.output.outputs import ToolOutput
from rollout_tui.texts.short_forms import count, first_line

_STATES = {"running": "still running", "failed": "failed", "terminated": "terminated"}


Sort = Literal["state", "size", "line", "between"]


class TitlePiece(NamedTuple):
    """A piece of a title.

    Attributes:
        words: its words. They are evidence: not safe for a terminal.
        sort: what it tells: how the call went, how much there was, what it says; or what stands between two.
        manner: how the call failed, of the state of one that did.
    """

    words: str
    sort: Sort
    manner: Manner | None = None


def output_title(found: OutputItem, otherwise: str = "") -> list[TitlePiece]:
    """`exit 0 · 45 tok · 3 passed`, `✗ exit 1 · 57k→1.2k tok · FAILED test_sweep`, `still running · tick 1`.

    Args:
        found: what the output tells.
        otherwise: what to say in place of a line where it has none, such as that it is an image.

    Returns:
        Its pieces.
    """
    manner = None if found.failure is None else found.failure.manner
    pieces = (
        TitlePiece(_how_it_went(found), "state", manner),
        TitlePiece(_size(found.output), "size"),
        TitlePiece(first_line(found.output.line) or otherwise, "line"),
    )
    title: list[TitlePiece] = []
    for piece in pieces:
        if piece.words:
            title += [TitlePiece(f" {glyphs.active().dot} ", "between"), piece] if title else [piece]
    return title or [TitlePiece("(empty)", "line")]


def _how_it_went(found: OutputItem) -> str:
    """The exit status or the state, and before it the mark of a failure; else the verdict of the failure."""
    output, failure = found.output, found.failure
    said = f"exit {output.exit_code}" if output.exit_code is not None else _STATES.get(output.state, "")
    if failure is None:
        return said
    tells = output.exit_code not in (None, 0) or output.state in ("failed", "terminated")
    return f"{mark(failure)} {said}" if tells else verdict(failure)


def _size(output: ToolOutput) -> str:
    """How much there was, and what of it was left where codex cut it; empty where the line is all."""
    marks = glyphs.active()
    if output.is_cut and output.made_tokens is not None:
        return f"{count(output.made_tokens)}{marks.becomes}{count(output.shown_tokens)} tok"
    if output.line_count < 2:
        return ""
    if output.made_tokens is not None:
        return f"{count(output.made_tokens)} tok"
    return f"{marks.about}{count(output.shown_tokens)} tok"
