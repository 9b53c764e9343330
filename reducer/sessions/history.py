"""What a thread's next model call would see, item by item: appended to, replaced, cut, and looked back at."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable

from msgspec import Struct


class Entry(Struct):
    """One item of a history.

    Attributes:
        item_id: the item in the graph.
        ordinal: number of its record; None where records have none.
        sequence: its position in the thread's history, where codex tells it.
        call_id: of a call or an output.
        is_call: whether it is a call that must have an output when it is sent to a model.
        is_output: whether it is such an output.
        is_user: whether a person, or whoever stands for one, said it: nothing that codex puts in.
        is_context: whether codex put it in, so that it puts it in again after a rollback.
        is_base: whether it is the base instructions.
        window: how many compactions came before it was recorded; None if a compaction put it there.
    """

    item_id: str
    ordinal: int | None = None
    sequence: int | None = None
    call_id: str | None = None
    is_call: bool = False
    is_output: bool = False
    is_user: bool = False
    is_context: bool = False
    is_base: bool = False
    window: int | None = None


class _Start(Struct, frozen=True):
    """A list of items that a history begins with, or was replaced by, at a record."""

    ordinal: int
    entries: list[Entry]


class History:
    """The list of a thread as it stands after the records read so far.

    Attributes:
        entries: the items in order.
        window: how many compactions replaced it.
        is_whole: whether nothing of it is missing, such as the history that it goes on from.
    """

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.window = 0
        self.is_whole = True
        self._ids: list[str] = []
        self._unanswered: dict[str, Entry] = {}
        self._bases = 0
        self._first_context: list[Entry] | None = None
        self._starts: list[_Start] = []
        self._appended: list[Entry] = []

    def begin(self, ordinal: int, entries: list[Entry], window: int) -> None:
        """Go on from another history.

        Args:
            ordinal: of the first record that is not of the other one.
            entries: its items.
            window: how many compactions it has seen.
        """
        self.window = window
        self._starts.append(_Start(ordinal, entries))
        self._set(entries)

    def append(self, entry: Entry) -> None:
        """Another item was recorded."""
        entry.window = self.window
        if self._first_context is None and entry.is_user:
            self._first_context = [*self.entries]
        self._appended.append(entry)
        self._add(entry)

    def replace(self, ordinal: int | None, entries: list[Entry]) -> None:
        """A compaction put other items in the place of all."""
        self.window += 1
        if ordinal is not None:
            self._starts.append(_Start(ordinal, entries))
        self._set(entries)

    def roll_back(self, turns: int) -> None:
        """Take back what came from a number of messages of the user on.

        Codex drops what it put in directly before the message, too, and writes it anew. Behind a compaction
        it does not come back: then only what stood before the very first message is left.
        """
        if turns <= 0:
            return
        entries = self.entries
        said = [at for at, entry in enumerate(entries) if entry.is_user]
        recent = [at for at in said if entries[at].window == self.window]
        if turns <= len(recent):
            cut = recent[-turns]
            while cut - 1 > said[0] and entries[cut - 1].is_context:
                cut -= 1
            self._set(entries[:cut])
        elif self.window == 0:
            self._set(entries[: said[0]] if said else entries)
        else:
            self._set(self._first_context or [])

    def visible(self, sampled_through: int | None) -> list[str]:
        """The ids of the items that a call had in its input, without what codex adds when it sends them.

        Args:
            sampled_through: the last position that the call had seen; None if that is not told.
        """
        return self._ids[: self._cut(sampled_through)]

    def unanswered(self, sampled_through: int | None) -> list[Entry]:
        """The calls in that input whose output is not in it."""
        cut = self._cut(sampled_through)
        if cut == len(self.entries):
            return [*self._unanswered.values()]
        late = {entry.call_id for entry in self.entries[cut:] if entry.is_output}
        beyond = {entry.item_id for entry in self.entries[cut:]}
        found = [entry for entry in self._unanswered.values() if entry.item_id not in beyond]
        found += [entry for entry in self.entries[:cut] if entry.is_call and entry.call_id in late]
        return found

    def has_base(self) -> bool:
        """Whether the base instructions are one of the items."""
        return self._bases > 0

    def at(self, ordinal: int) -> tuple[list[Entry], int]:
        """The items as they were before a record of this file, and how many compactions had been."""
        starts = self._starts
        place = bisect_left(starts, ordinal, key=lambda start: start.ordinal) - 1
        begun = starts[place] if place >= 0 else _Start(-1, [])
        first = bisect_left(self._appended, begun.ordinal, key=_ordinal)
        last = bisect_left(self._appended, ordinal, key=_ordinal)
        entries = [*begun.entries, *self._appended[first:last]]
        window = max((entry.window for entry in entries if entry.window is not None), default=0)
        return entries, max(window, place)

    def last(self) -> Entry | None:
        """The last item."""
        return self.entries[-1] if self.entries else None

    def _cut(self, sampled_through: int | None) -> int:
        cut = len(self.entries)
        if sampled_through is None:
            return cut
        while cut and (self.entries[cut - 1].sequence or 0) > sampled_through:
            cut -= 1
        return cut

    def _set(self, entries: Iterable[Entry]) -> None:
        self.entries, self._ids = [], []
        self._unanswered, self._bases = {}, 0
        for entry in entries:
            self._add(entry)

    def _add(self, entry: Entry) -> None:
        self.entries.append(entry)
        self._ids.append(entry.item_id)
        self._bases += entry.is_base
        if entry.call_id is not None:
            if entry.is_call:
                self._unanswered[entry.call_id] = entry
            elif entry.is_output:
                self._unanswered.pop(entry.call_id, None)


def _ordinal(entry: Entry) -> int:
    return -1 if entry.ordinal is None else entry.ordinal
