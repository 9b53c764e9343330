"""What a session tells, what of it is rebuilt, what it does not record, and what in it is not known."""

from __future__ import annotations

from collections import Counter

from msgspec import Struct

from reducer.errors import Problem
from reducer.model.objects import OBJECTS, GraphType, objects_of
from reducer.sessions.drift import Unknown
from reducer.sessions.session_reader import SessionReduction

_FIELD = "field "
"""How the names of unknown fields begin in `Drift`; all else that is not known is a kind of records."""


class Told(Struct, frozen=True):
    """How sure the objects of one type are.

    Attributes:
        type: the type.
        objects: how many there are.
        exact: how many are recorded in all they have, but for what no session records.
        inferred: how many are known only by what would have no cause without them.
        rebuilt: of how many something follows by a rule, by what that is.
        not_recorded: of how many something is missing, by what that is.
    """

    type: GraphType
    objects: int
    exact: int
    inferred: int
    rebuilt: dict[str, int]
    not_recorded: dict[str, int]


class Survey(Struct, frozen=True):
    """What came of looking through a session.

    Attributes:
        files: the files of the run.
        records: records that were read.
        bytes: of the files.
        begun_by: how many files each version of codex says it began.
        problems: what is wrong with files and lines.
        told: how sure the objects are, of each type that there is.
        unknown_kinds: records of kinds that are not known, of which nothing is in the graph.
        unknown_fields: fields that are not known, in records that are.
    """

    files: list[str]
    records: int
    bytes: int
    begun_by: dict[str, int]
    problems: list[Problem]
    told: list[Told]
    unknown_kinds: list[Unknown]
    unknown_fields: list[Unknown]

    @property
    def is_clean(self) -> bool:
        """Whether nothing is wrong and every kind of record is known."""
        return not self.problems and not self.unknown_kinds


def survey(session: SessionReduction) -> Survey:
    """Say what a session tells and what it cannot."""
    unknown = list(session.drift.unknown.values())
    return Survey(
        files=session.recording.files,
        records=len(session.provenance.events),
        bytes=session.recording.log_size(),
        begun_by=dict(session.drift.versions),
        problems=session.problems,
        told=[told for type_ in OBJECTS if (told := _told(session, type_)).objects],
        unknown_kinds=[one for one in unknown if not one.what.startswith(_FIELD)],
        unknown_fields=[one for one in unknown if one.what.startswith(_FIELD)],
    )


def _told(session: SessionReduction, type_: GraphType) -> Told:
    ids = objects_of(session.trace, type_)
    known = [session.certainty.of(one) for one in ids]
    grades = Counter(one.grade for one in known)
    return Told(
        type=type_,
        objects=len(ids),
        exact=grades["exact"],
        inferred=grades["inferred"],
        rebuilt=dict(Counter(words for one in known for words in one.rebuilt)),
        not_recorded=dict(Counter(words for one in known for words in one.not_recorded)),
    )
