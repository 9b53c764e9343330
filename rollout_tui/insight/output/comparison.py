"""What a command printed and what the model was shown of it, line by line."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from typing import Literal, NamedTuple

from msgspec import Struct, field

from rollout_tui.insight.items.sections import TextSection
from rollout_tui.insight.output.line_diff import common_lines
from rollout_tui.insight.output.saw_ran import SawRan
from rollout_tui.insight.output.shown import (
    ShownLine,
    ends_in_line,
    is_output,
    read_shown,
    shares_a_line,
    split_lines,
    unwrapped,
)
from rollout_tui.texts.short_forms import plural

PairKind = Literal["same", "joined", "unseen", "changed", "unshown", "added", "cut", "told"]
"""Lines on both sides, shown in pieces, in an output that no call saw, different, printed only, shown only;
what Codex left of a line; what is told about the output."""


class Run(NamedTuple):
    """Lines of one kind: `length` of them from `left` of what was printed and from `right` of what was shown.

    A side that has nothing to show is -1.
    """

    kind: PairKind
    left: int
    right: int
    length: int


class Comparison(Struct):
    """Two texts line by line.

    Attributes:
        printed: what the process printed.
        shown: what the model was shown, with what Codex put around it.
        is_known: whether the log says what the process printed.
        verb: what the process did: `printed`, or the like.
        is_complete: whether all lines were compared; some may be left out where there are very many.
        runs: how the two go together, in order.
    """

    printed: list[str]
    shown: list[ShownLine]
    is_known: bool
    verb: str
    is_complete: bool
    runs: list[Run] = field(default_factory=list)

    def count(self, *kinds: PairKind) -> int:
        """How many lines are of these kinds."""
        return sum(run.length for run in self.runs if run.kind in kinds)

    @property
    def notices(self) -> list[str]:
        """What Codex says about having left something out."""
        return [line.text for line in self.shown if line.kind == "notice"]


def compare(view: SawRan, read: Callable[[TextSection], str]) -> Comparison:
    """Put what was printed beside what was shown.

    Args:
        view: the two sides.
        read: gives the text of a section, and for one that cannot be read the very text that the section has
            in its place.
    """
    ran = None if view.ran is None else read(view.ran)
    if view.ran is not None and view.ran.payload is not None and ran is view.ran.text:
        ran = None
    outputs = [(shown.heading, [read(section) for section in shown.sections]) for shown in view.shown]
    lines = list((_lines_of_script if view.in_script else _lines_of_process)(outputs, ran or ""))
    printed = split_lines(ran or "")
    output = _Output(lines)
    blocks, is_complete = common_lines(printed, output.texts)
    comparison = Comparison(printed, lines, ran is not None, view.verb, is_complete)
    begins = [place for place, line in enumerate(lines) if line.kind == "heading" and line.begins]
    for run in _Layout(printed, lines, output).runs(blocks):
        if run.kind in ("same", "joined") and not view.shown[bisect_right(begins, run.right) - 1].seen:
            run = run._replace(kind="unseen")
        _append(comparison.runs, run)
    return comparison


def _append(runs: list[Run], run: Run) -> None:
    """Add a run, as part of the one before if it goes on where that ends."""
    last = runs[-1] if runs else None
    if last is not None and last.kind == run.kind:
        left = run.left == (-1 if last.left < 0 else last.left + last.length)
        right = run.right == (-1 if last.right < 0 else last.right + last.length)
        if left and right:
            runs[-1] = last._replace(length=last.length + run.length)
            return
    runs.append(run)


def _lines_of_process(shown: Iterable[tuple[str, list[str]]], printed: str) -> Iterator[ShownLine]:
    """The lines of outputs of one process, one of which may end where the next goes on."""
    in_line = False
    for heading, texts in shown:
        yield ShownLine("heading", heading, begins=True)
        for text in texts:
            lines = read_shown(text, printed)
            first = next((place for place, line in enumerate(lines) if line.kind == "line"), None)
            if first is not None and in_line and is_output(text):
                lines[first] = lines[first]._replace(joins=True)
            in_line = ends_in_line(text) or (in_line and first is None)
            yield from lines


def _lines_of_script(shown: Iterable[tuple[str, list[str]]], printed: str) -> Iterator[ShownLine]:
    """The lines of outputs of a script; of those that have nothing of what was printed, only how many."""
    printed_lines = frozenset(split_lines(printed))
    for heading, texts in shown:
        yield ShownLine("heading", heading, begins=True)
        others = 0
        for text in texts:
            inner = unwrapped(text, printed)
            if inner is not None and shares_a_line(inner, printed_lines):
                yield ShownLine("heading", "from the JSON in it")
                text = inner
            lines = read_shown(text, printed)
            if not shares_a_line(text, printed_lines):
                others += sum(line.kind == "line" for line in lines)
                lines = [line for line in lines if line.kind == "told"]
            yield from lines
        if others:
            yield ShownLine("heading", f"{plural(others, 'line')} of other output")


class _Output:
    """The lines of output among what was shown, those shown in pieces put together.

    Attributes:
        texts: the lines.
        places: where each begins among all that was shown.
        pieces: where the pieces of a line stand, for lines that have several.
    """

    def __init__(self, shown: list[ShownLine]) -> None:
        self.texts: list[str] = []
        self.places: list[int] = []
        self.pieces: dict[int, list[int]] = {}
        for place, line in enumerate(shown):
            if line.kind != "line":
                continue
            if line.joins and self.texts:
                self.pieces.setdefault(len(self.texts) - 1, [self.places[-1]]).append(place)
                self.texts[-1] += line.text
            else:
                self.texts.append(line.text)
                self.places.append(place)


class _Layout:
    """Lays common lines and what is between them out as runs."""

    def __init__(self, printed: list[str], shown: list[ShownLine], output: _Output) -> None:
        self._printed = printed
        self._shown = shown
        self._places = output.places
        self._pieces = output.pieces
        self._in_pieces = sorted(output.pieces)
        self._laid = 0  # lines of `shown` that have a run

    def runs(self, blocks: Iterable[tuple[int, int, int]]) -> Iterator[Run]:
        """All rows: the common lines, and between them what is on one side only."""
        left = right = 0
        for at, to, length in [*blocks, (len(self._printed), len(self._places), 0)]:
            yield from self._gap(left, at, right, to)
            left, right = at, to
            while right < to + length:
                yield from self._told_before(self._places[right])
                if right in self._pieces:
                    step = 1
                    yield from self._line("joined", left, right)
                else:
                    step = self._unbroken(right, to + length)
                    yield Run("same", left, self._places[right], step)
                    self._laid = self._places[right] + step
                left, right = left + step, right + step

    def _unbroken(self, right: int, end: int) -> int:
        """How many whole lines of output follow each other without anything told between them."""
        next_piece = bisect_left(self._in_pieces, right)
        if next_piece < len(self._in_pieces):
            end = min(end, self._in_pieces[next_piece])
        offset = self._places[right] - right
        low, high = right, end - 1
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self._places[middle] - middle == offset else (low, middle - 1)
        return low - right + 1

    def _told_before(self, place: int) -> Iterator[Run]:
        """What is told before a place and has no row yet."""
        while self._laid < place:
            yield Run("told", -1, self._laid, 1)
            self._laid += 1

    def _line(self, kind: PairKind, left: int, right: int) -> Iterator[Run]:
        """A line of output, piece by piece if it has several."""
        for number, place in enumerate(self._pieces.get(right, [self._places[right]])):
            yield from self._told_before(place)
            yield Run(kind, left if not number else -1, place, 1)
            self._laid = place + 1

    def _gap(self, left: int, left_end: int, right: int, right_end: int) -> Iterator[Run]:
        """Lines that are not common: pairs as far as both sides have some, then the rest of one side."""
        while right < right_end:
            paired = left < left_end
            yield from self._told_before(self._places[right])
            yield from self._line("changed" if paired else "added", left if paired else -1, right)
            left, right = left + paired, right + 1
        end = self._places[right] if right < len(self._places) else len(self._shown)
        while self._laid < end:
            line = self._shown[self._laid]
            place, self._laid = self._laid, self._laid + 1
            if line.kind == "head cut" and left < left_end and self._printed[left].startswith(line.text):
                yield Run("cut", left, place, 1)
                left += 1
            elif (
                line.kind == "tail cut"
                and left < left_end
                and self._printed[left_end - 1].endswith(line.text)
            ):
                if left < left_end - 1:
                    yield Run("unshown", left, -1, left_end - 1 - left)
                yield Run("cut", left_end - 1, place, 1)
                left = left_end
            else:
                yield Run("told", -1, place, 1)
        if left < left_end:
            yield Run("unshown", left, -1, left_end - left)
