"""What a thread's next model call would see, item by item: appended to, replaced, cut, and looked back at."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable

from msgspec import Struct

from reducer.sessions.seen_items import SeenItems


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


_SIGNS = ("is_call", "is_output", "is_user", "is_context", "is_base")
_CALL, _OUTPUT, _USER, _CONTEXT, _BASE = (1 << at for at in range(len(_SIGNS)))
_NO_NUMBER = -1
_MOST = 2**62
"""Numbers from here on are none that codex counts to."""


class _Entries:
    """All entries that a history ever had, in columns: of a long session there are very many."""

    def __init__(self) -> None:
        self.item_ids: list[str] = []
        self.call_ids: list[str | None] = []
        self.ordinals = array("q")
        self.sequences = array("q")
        self.windows = array("q")
        self.signs = bytearray()

    def add(self, entry: Entry) -> int:
        """Keep an entry; gives its place here."""
        self.item_ids.append(entry.item_id)
        self.call_ids.append(entry.call_id)
        self.ordinals.append(_counted(entry.ordinal))
        self.sequences.append(_counted(entry.sequence))
        self.windows.append(_counted(entry.window))
        self.signs.append(sum(getattr(entry, name) << at for at, name in enumerate(_SIGNS)))
        return len(self.signs) - 1

    def entry(self, at: int) -> Entry:
        """The entry at a place."""
        signs = {name: bool(self.signs[at] >> bit & 1) for bit, name in enumerate(_SIGNS)}
        numbers = (self.ordinals[at], self.sequences[at], self.windows[at])
        ordinal, sequence, window = (None if one == _NO_NUMBER else one for one in numbers)
        return Entry(self.item_ids[at], ordinal, sequence, self.call_ids[at], window=window, **signs)


def _counted(number: int | None) -> int:
    return _NO_NUMBER if number is None or not 0 <= number < _MOST else number


class _Start(Struct, frozen=True):
    """A list of items that a history begins with, or was replaced by, at a record."""

    ordinal: int
    places: array[int]


class History:
    """The list of a thread as it stands after the records read so far.

    Attributes:
        window: how many compactions replaced it.
        is_whole: whether nothing of it is missing, such as the history that it goes on from.
    """

    def __init__(self) -> None:
        self.window = 0
        self.is_whole = True
        self._all = _Entries()
        self._now = array("I")
        self._ids: list[str] = []
        self._unanswered: dict[str, int] = {}
        self._bases = 0
        self._first_context: array[int] | None = None
        self._starts: list[_Start] = []
        self._appended = array("I")

    def begin(self, ordinal: int, entries: list[Entry], window: int) -> None:
        """Go on from another history.

        Args:
            ordinal: of the first record that is not of the other one.
            entries: its items.
            window: how many compactions it has seen.
        """
        self.window = window
        self._start(ordinal, entries)

    def append(self, entry: Entry) -> None:
        """Another item was recorded."""
        entry.window = self.window
        if self._first_context is None and entry.is_user:
            self._first_context = self._now[:]
        called = self._unanswered.get(entry.call_id or "") if entry.is_output else None
        if called is not None:
            entry.call_id = self._all.call_ids[self._now[called]]  # the very same string, held once
        place = self._all.add(entry)
        self._appended.append(place)
        self._add(place)

    def replace(self, ordinal: int | None, entries: list[Entry]) -> None:
        """A compaction put other items in the place of all."""
        self.window += 1
        self._start(ordinal, entries)

    def _start(self, ordinal: int | None, entries: list[Entry]) -> None:
        places = array("I", [self._all.add(entry) for entry in entries])
        if ordinal is not None:
            self._starts.append(_Start(ordinal, places))
        self._set(places)

    def roll_back(self, turns: int) -> None:
        """Take back what came from a number of messages of the user on.

        Codex drops what it put in directly before the message, too, and writes it anew. Behind a compaction
        it does not come back: then only what stood before the very first message is left.
        """
        if turns <= 0:
            return
        now, signs, windows = self._now, self._all.signs, self._all.windows
        said = [at for at, place in enumerate(now) if signs[place] & _USER]
        recent = [at for at in said if windows[now[at]] == self.window]
        if turns <= len(recent):
            cut = recent[-turns]
            while cut - 1 > said[0] and signs[now[cut - 1]] & _CONTEXT:
                cut -= 1
            self._set(now[:cut])
        elif self.window == 0:
            self._set(now[: said[0]] if said else now)
        else:
            self._set(self._first_context or ())

    def visible(self, sampled_through: int | None) -> SeenItems:
        """The ids of the items that a call had in its input, without what codex adds when it sends them.

        Args:
            sampled_through: the last position that the call had seen; None if that is not told.
        """
        return SeenItems(self._ids, self._cut(sampled_through))

    def unanswered(self, sampled_through: int | None) -> list[int]:
        """The calls in that input whose output is not in it: their places in it, in order."""
        cut = self._cut(sampled_through)
        found = {place for place in self._unanswered.values() if place < cut}
        signs, call_ids = self._all.signs, self._all.call_ids
        late = {call_ids[place] for place in self._now[cut:] if signs[place] & _OUTPUT}
        if late:
            calls = (at for at, place in enumerate(self._now[:cut]) if signs[place] & _CALL)
            found.update(at for at in calls if call_ids[self._now[at]] in late)
        return sorted(found)

    def has_base(self) -> bool:
        """Whether the base instructions are one of the items."""
        return self._bases > 0

    def at(self, ordinal: int) -> tuple[list[Entry], int]:
        """The items as they were before a record of this file, and how many compactions had been."""
        starts = self._starts
        start = bisect_left(starts, ordinal, key=lambda start: start.ordinal) - 1
        begun = starts[start] if start >= 0 else _Start(-1, array("I"))
        first = bisect_left(self._appended, begun.ordinal, key=self._all.ordinals.__getitem__)
        last = bisect_left(self._appended, ordinal, key=self._all.ordinals.__getitem__)
        entries = [self._all.entry(place) for place in (*begun.places, *self._appended[first:last])]
        window = max((entry.window for entry in entries if entry.window is not None), default=0)
        return entries, max(window, start)

    def _cut(self, sampled_through: int | None) -> int:
        cut = len(self._now)
        if sampled_through is None:
            return cut
        sequences = self._all.sequences
        while cut and max(sequences[self._now[cut - 1]], 0) > sampled_through:
            cut -= 1
        return cut

    def _set(self, places: Iterable[int]) -> None:
        self._now, self._ids = array("I"), []
        self._unanswered, self._bases = {}, 0
        for place in places:
            self._add(place)

    def _add(self, place: int) -> None:
        """Put an entry at the end of the list as it stands."""
        signs, call_id = self._all.signs[place], self._all.call_ids[place]
        if call_id is not None:
            if signs & _CALL:
                self._unanswered[call_id] = len(self._now)
            elif signs & _OUTPUT:
                self._unanswered.pop(call_id, None)
        self._now.append(place)
        self._ids.append(self._all.item_ids[place])
        self._bases += bool(signs & _BASE)
