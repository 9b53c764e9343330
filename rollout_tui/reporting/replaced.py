"""What a redaction replaced, as a document: counts by rule, by form of secret and by place."""

from __future__ import annotations

from collections.abc import Sequence

from rollout_tui.redaction.tally import Replaced
from rollout_tui.safe_text import safe_text
from rollout_tui.showing.document import Document, Section
from rollout_tui.showing.tables import table

MAX_PLACES = 250
"""Places that are told one by one, those with the most values first."""


def replaced_document(replaced: Replaced) -> Document:
    """The list of what was replaced, and never what it was.

    Args:
        replaced: the list; its places are words of the format.
    """
    facts = [(rule, f"{count:,}") for rule, count in replaced.by_rule.items()]
    document = Document("what was replaced: values by rule", facts)
    if replaced.secrets:
        forms = [(form, f"{count:,}") for form, count in replaced.secrets.items()]
        _add(document, "different secrets, by what told them", forms)
    if replaced.notes:
        document.sections.append(Section("what else", [safe_text(note) for note in replaced.notes]))
    places = [
        (place, rule, count) for place, rules in replaced.by_place.items() for rule, count in rules.items()
    ]
    places.sort(key=lambda row: -row[2])
    heading = "values by place"
    if len(places) > MAX_PLACES:
        rest = sum(count for _, _, count in places[MAX_PLACES:])
        heading += f"; {rest:,} more in {len(places) - MAX_PLACES:,} other places"
    _add(document, heading, [(place, f"{count:,}", rule) for place, rule, count in places[:MAX_PLACES]])
    return document


def _add(document: Document, heading: str, rows: Sequence[Sequence[str]]) -> None:
    document.sections.append(Section(heading, table(rows, right=(1,))))
