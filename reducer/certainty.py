"""How sure a value of the graph is: what of an object was rebuilt, and what a session does not record."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

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
    """The certainty of every object that is not exact in all it has. Equal ones are held once."""

    def __init__(self) -> None:
        self._by_id: dict[str, Certainty] = {}
        self._shared: dict[Certainty, Certainty] = {}

    def copy(self) -> Certainties:
        """The same as it is now, for those who look at a graph that does not change any more."""
        made = Certainties()
        made._by_id = dict(self._by_id)
        return made

    def of(self, object_id: str) -> Certainty:
        """The certainty of an object by its id."""
        return self._by_id.get(object_id, EXACT)

    def items(self) -> Iterator[tuple[str, Certainty]]:
        """Ids and certainties, in order of the objects."""
        return iter(self._by_id.items())

    def note(
        self,
        object_id: str,
        *,
        rebuilt: tuple[str, ...] = (),
        not_recorded: tuple[str, ...] = (),
        inferred: bool = False,
    ) -> None:
        """Note what is not exact about an object, besides what is noted already."""
        known = self._by_id.get(object_id, EXACT)
        made = Certainty(
            _joined(known.rebuilt, rebuilt),
            _joined(known.not_recorded, not_recorded),
            known.inferred or inferred,
        )
        self._by_id[object_id] = self._shared.setdefault(made, made)

    def clear(self, object_id: str, *, not_recorded: str) -> None:
        """Take back that something is not recorded: a later record has it."""
        known = self._by_id.get(object_id, EXACT)
        if not_recorded in known.not_recorded:
            left = tuple(name for name in known.not_recorded if name != not_recorded)
            made = Certainty(known.rebuilt, left, known.inferred)
            self._by_id[object_id] = self._shared.setdefault(made, made)

    def forget(self, object_id: str) -> None:
        """The object turned out to be none."""
        self._by_id.pop(object_id, None)


def _joined(known: tuple[str, ...], new: tuple[str, ...]) -> tuple[str, ...]:
    return known + tuple(name for name in new if name not in known) if new else known
