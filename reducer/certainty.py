"""How sure a value of the graph is: what of an object was rebuilt, and what a session does not record."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

from reducer.ids import Ids

LIST_REBUILT = "request_item_ids"
LIST_INCOMPLETE = "request_item_ids (the history before this file is missing)"
"""Of a call: the list of what it saw follows from the order of records; or it has only the end of that."""

START = "execution (its start)"
"""Of what the beginning is not recorded: the record before it stands for that."""

AS_RUN = "result.stdout (the output as run)"
"""Of a terminal operation: what the process printed; what the model was shown of it is something else."""

Grade = Literal["exact", "rebuilt", "inferred"]


class Certainty(Struct, frozen=True):
    """What of an object does not stand in the session as it is in the graph.

    Attributes:
        rebuilt: what follows from other records by a rule; such as the list of items a call saw.
        not_recorded: what no session has; the graph has nothing there, or says that it is unknown.
        inferred: whether the object itself is only known because something else would have no cause.
    """

    rebuilt: tuple[str, ...] = ()
    not_recorded: tuple[str, ...] = ()
    inferred: bool = False

    @property
    def grade(self) -> Grade:
        """How sure the object is as a whole."""
        if self.inferred:
            return "inferred"
        return "rebuilt" if self.rebuilt else "exact"

    def values(self) -> dict[str, object]:
        """As it is written to JSON."""
        return {
            "certainty": self.grade,
            "rebuilt": list(self.rebuilt),
            "not_recorded": list(self.not_recorded),
        }


EXACT = Certainty()


class Certainties:
    """The certainty of every object that is not exact in all it has; these may be very many."""

    def __init__(self) -> None:
        self._ids = Ids()
        self._kinds: list[Certainty | None] = [None]
        self._places: dict[Certainty | None, int] = {None: 0}
        self._of = array("I")
        """Which of them each id has, by its number."""

    def copy(self) -> Certainties:
        """The same as it is now, for those who look at a graph that does not change any more."""
        made = Certainties()
        made._ids, made._kinds, made._places, made._of = self._ids, self._kinds, self._places, self._of[:]
        return made

    def of(self, object_id: str) -> Certainty:
        """The certainty of an object by its id."""
        number = self._ids.number(object_id)
        known = None if number is None or number >= len(self._of) else self._kinds[self._of[number]]
        return EXACT if known is None else known

    def items(self) -> Iterator[tuple[str, Certainty]]:
        """Ids and certainties, in order of the objects."""
        for at, place in enumerate(self._of):
            known = self._kinds[place]
            if known is not None:
                yield self._ids.id(at), known

    def note(
        self,
        object_id: str,
        *,
        rebuilt: tuple[str, ...] = (),
        not_recorded: tuple[str, ...] = (),
        inferred: bool = False,
    ) -> None:
        """Note what is not exact about an object, besides what is noted already."""
        known = self.of(object_id)
        self._set(
            object_id,
            Certainty(
                _joined(known.rebuilt, rebuilt),
                _joined(known.not_recorded, not_recorded),
                known.inferred or inferred,
            ),
        )

    def clear(self, object_id: str, *, not_recorded: str) -> None:
        """Take back that something is not recorded: a later record has it."""
        known = self.of(object_id)
        if not_recorded in known.not_recorded:
            left = tuple(name for name in known.not_recorded if name != not_recorded)
            self._set(object_id, Certainty(known.rebuilt, left, known.inferred))

    def forget(self, object_id: str) -> None:
        """The object turned out to be none."""
        self._set(object_id, None)

    def _set(self, object_id: str, certainty: Certainty | None) -> None:
        place = self._places.setdefault(certainty, len(self._kinds))
        if place == len(self._kinds):
            self._kinds.append(certainty)
        number = self._ids.add(object_id)
        if number == len(self._of):
            self._of.append(place)
        else:
            self._of[number] = place


def _joined(known: tuple[str, ...], new: tuple[str, ...]) -> tuple[str, ...]:
    return known + tuple(name for name in new if name not in known) if new else known
