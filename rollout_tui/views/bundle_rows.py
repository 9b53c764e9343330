"""Runs as rows: one line each, those of one session joined by a line. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from msgspec import Struct
from msgspec.structs import replace
from rich.cells import cell_len

from rollout_tui import glyphs
from rollout_tui.bundles.listing import ListedRun
from rollout_tui.bundles.summary import BundleSummary, RunSummary, Status
from rollout_tui.lines.rows import Row
from rollout_tui.lines.spans import Span, StyleName, span
from rollout_tui.safe_text import clip, clip_start, safe_text
from rollout_tui.texts.short_forms import SHORT_NAME, bundle_name, count, one_line, size

SESSION_NAME = 13
"""Characters of a thread's id that tell it from others of about the same time: it begins with the time."""

MIN_INSTRUCTION = 20
"""Cells that an instruction keeps before any column is shown that is there only if there is room."""

LEAST_INSTRUCTION = 12
"""Cells that it keeps in a narrow terminal, where other columns are left out."""

WIDE_NAMES = 120
"""Cells from which on a list that needs no names shows them."""

STATUS_STYLES: dict[Status, StyleName] = {
    "live": "good",
    "completed": "muted",
    "failed": "bad",
    "aborted": "warn",
    "stopped": "warn",
    "unknown": "warn",
    "unusable": "bad",
    "reading": "muted",
}


class Column(Struct, frozen=True):
    """A column of the list.

    Attributes:
        title: what stands above it.
        width: cells, without the blank behind it.
        text: what a bundle has there.
        to_the_right: whether it is set to the right, as numbers are.
        style: how it looks.
        is_cut: whether a text that is wider is cut.
    """

    title: str
    width: int
    text: Callable[[ListedRun], str]
    to_the_right: bool = False
    style: Callable[[ListedRun], StyleName] = lambda _bundle: "text"
    is_cut: bool = True


def short_time(unix_ms: int) -> str:
    """Month, day, hour and minute in UTC; the bare number where it is no date."""
    try:
        return datetime.fromtimestamp(unix_ms / 1000, UTC).strftime("%m-%d %H:%M")
    except (ValueError, OverflowError, OSError):
        return str(unix_ms)


def status_mark(status: Status) -> str:
    """A state as one mark."""
    marks = glyphs.active()
    looks = {
        "live": marks.running,
        "completed": marks.succeeded,
        "failed": marks.failed,
        "aborted": marks.cancelled,
        "stopped": marks.cancelled,
        "unknown": marks.unknown,
        "unusable": marks.warning,
        "reading": "",
    }
    return looks[status]


def tokens_words(summary: RunSummary) -> str:
    """Tokens in a few characters; estimated ones say so."""
    if summary.tokens is None:
        return ""
    about = glyphs.active().about if summary.tokens_are_estimated else ""
    return about + count(summary.tokens)


def failed_words(summary: RunSummary) -> str:
    """How many failures are known without a graph: `4+` for four, and there may be more."""
    return f"{count(summary.failures_at_least)}+" if summary.failures_at_least else ""


def what_words(run: ListedRun) -> str:
    """What a run is about: what it is to its session, and its first instruction."""
    summary, bundle = run.summary, run.bundle
    if summary.status == "unusable":
        return summary.problem or ""
    if bundle is not None and not bundle.is_schema_known:
        return summary.problem or f"schema {bundle.schema_version}, not known here"
    nothing = "" if summary.status == "reading" else "(no request yet)"
    words = one_line(summary.instruction) or summary.problem or nothing
    recording = "" if bundle is None else recording_words(bundle)
    if recording and summary.calls and not summary.instruction:
        recording, words = f"{recording}, no instruction is left", ""
    words = f"({recording}) {words}".rstrip() if recording else words
    return f"{run.relation}: {words}" if run.relation else words


def recording_words(summary: BundleSummary) -> str:
    """What of a recording is not as it should be, beyond what its status says; empty if nothing is."""
    if summary.recording_status == "closed_with_partial_payloads":
        return "payloads cut"
    ended = summary.status in ("completed", "failed", "aborted")
    return "recording unfinished" if summary.recording_status == "unclosed" and ended else ""


def _counted(number: int | None) -> str:
    return "" if number is None else count(number)


def _session_mark(run: ListedRun) -> str:
    marks = glyphs.active()
    if run.group_size == 1:
        return " "
    if run.place == run.group_size - 1:
        return marks.last_branch
    return marks.branch if run.place else marks.trunk


_STATUS_WIDTH = 9


def _status() -> Column:
    """The column of states: a mark, as wide as marks are, and a word."""
    marks = glyphs.active().state_width
    return Column(
        " " * marks + " STATUS",
        marks + 1 + _STATUS_WIDTH,
        lambda one: f"{status_mark(one.summary.status):<{marks}} {one.summary.status}",
        style=lambda one: STATUS_STYLES[one.summary.status],
    )


_TIME = Column("UTC", 11, lambda one: short_time(one.summary.started_at_unix_ms), style=lambda _one: "muted")
_NUMBERS: tuple[Column, ...] = (
    Column("AGENTS", 6, lambda one: _counted(one.summary.agents), to_the_right=True),
    Column("CALLS", 5, lambda one: _counted(one.summary.calls), to_the_right=True),
    Column("TOKENS", 6, lambda one: tokens_words(one.summary), to_the_right=True),
    Column("SIZE", 6, lambda one: size(one.summary.bytes), to_the_right=True),
)
_KIND = Column("KIND", 7, lambda one: one.evidence, style=lambda _one: "muted")
_BESIDE = 4
"""Cells beside an instruction: the line that joins a session, and the scroll bar."""
_LEFT_OUT = ("SIZE", "AGENTS", "TOKENS", "CALLS", "KIND")
"""Columns that a narrow terminal has no room for, the first to go first."""
_NAME = Column("NAME", SHORT_NAME, lambda one: run_name(one), style=lambda _one: "muted")
_FAILED = Column(
    "FAILED", 6, lambda one: failed_words(one.summary), to_the_right=True, style=lambda _one: "bad"
)
_MODEL = Column("MODEL", 12, lambda one: one.summary.model, style=lambda _one: "accent")
_DIRECTORY = Column("DIRECTORY", 24, lambda one: one.summary.cwd, style=lambda _one: "muted")
_IF_THERE_IS_ROOM = (_FAILED, _MODEL, _DIRECTORY)


def run_name(run: ListedRun) -> str:
    """By what a run is opened: the name of its bundle, or the beginning of its thread's id."""
    if run.bundle is not None:
        return bundle_name(run.bundle.path.name)
    return run.summary.root_thread_id[:SESSION_NAME] or run.summary.path.name


def columns_for(width: int | None, *, with_name: bool, with_kind: bool = False) -> tuple[Column, ...]:
    """The columns for which there is room beside an instruction.

    Args:
        width: cells of the list; None where it has no end, as in a pipe: there nothing is cut.
        with_name: whether runs are to be named, since they are opened by typing.
        with_kind: whether there are sessions beside bundles, so that each says what it is.
    """
    kind = [_KIND] if with_kind else []
    name = [replace(_NAME, width=SESSION_NAME if with_kind else SHORT_NAME)] if with_name else []
    chosen = [_TIME, *name, _status(), *kind, *_NUMBERS]
    if width is None:
        return tuple(replace(column, is_cut=False) for column in (*chosen, *_IF_THERE_IS_ROOM))
    least = MIN_INSTRUCTION if with_kind else LEAST_INSTRUCTION
    for title in _LEFT_OUT:
        if width - sum(column.width + 1 for column in chosen) < least + 2:
            chosen = [column for column in chosen if column.title != title]
    kept = MIN_INSTRUCTION + _BESIDE if with_kind else 2 * MIN_INSTRUCTION
    room = width - sum(column.width + 1 for column in chosen) - kept
    among = _IF_THERE_IS_ROOM
    if with_kind:
        # Where runs of all projects stand, the directory tells more than the model.
        is_wide = room > sum(column.width + 1 for column in _IF_THERE_IS_ROOM) + MIN_INSTRUCTION
        among = (_FAILED, _DIRECTORY if is_wide else replace(_DIRECTORY, width=14), _MODEL)
    for column in among:
        if room > column.width:
            chosen.append(column)
            room -= column.width + 1
    return tuple(chosen)


def widened(columns: Sequence[Column], runs: Sequence[ListedRun]) -> tuple[Column, ...]:
    """Columns that are not cut, each wide enough for what some runs have in it."""
    return tuple(
        replace(column, width=max([column.width, *(cell_len(safe_text(column.text(one))) for one in runs)]))
        for column in columns
    )


def heading(columns: Sequence[Column]) -> list[Span]:
    """What stands above the columns."""
    titles = [_cell(column, column.title) for column in columns]
    return [span(" ".join([*titles, "  INSTRUCTION"]), "muted")]


def bundle_row(run: ListedRun, columns: Sequence[Column], *, is_marked: bool = True) -> Row:
    """The row of a run.

    Args:
        run: the run.
        columns: what stands before its instruction.
        is_marked: whether a line joins it to the others of its session, which are its neighbours then.
    """
    spans: list[Span] = []
    for column in columns:
        spans += [span(_cell(column, column.text(run)), column.style(run)), span(" ")]
    style: StyleName = "bad" if run.summary.status == "unusable" else "text"
    mark = _session_mark(run) if is_marked else " "
    spans += [span(mark, "special"), span(" "), span(what_words(run), style)]
    return Row(key=str(run.summary.path), spans=tuple(spans))


def _cell(column: Column, text: str) -> str:
    """A text in exactly the width of a column, or as wide as it is if it is not to be cut."""
    if not column.is_cut:
        fitted = safe_text(text)
    else:
        clean = safe_text(text[: 20 * column.width])
        fitted = clip_start(clean, column.width) if column.title == "DIRECTORY" else clip(clean, column.width)
    padding = " " * max(0, column.width - cell_len(fitted))
    return padding + fitted if column.to_the_right else fitted + padding
