"""What was replaced, counted by rule and by place; never what it was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct

Rule = Literal[
    "kept",
    "text",
    "JSON text",
    "secret",
    "id",
    "path",
    "agent",
    "name",
    "model",
    "key",
    "number",
    "damaged line",
    "whole payload",
]
"""Why a value was replaced; one that was `kept` is not counted."""


class Replaced(Struct, frozen=True):
    """What a redaction replaced.

    Attributes:
        by_rule: how many values, by what they were taken for.
        by_place: the same by place, such as `tool_result output`, and rule.
        secrets: how many different secrets, by the form that told them.
        notes: what else is not as it was, in sentences.
    """

    by_rule: Mapping[str, int]
    by_place: Mapping[str, Mapping[str, int]]
    secrets: Mapping[str, int]
    notes: tuple[str, ...] = ()

    def data(self) -> dict[str, Any]:
        """The list as it is written beside a redacted bundle."""
        return {
            "redacted_by": "rollout-tui",
            "replaced_by_rule": dict(self.by_rule),
            "replaced_by_place": {place: dict(rules) for place, rules in self.by_place.items()},
            "secrets": dict(self.secrets),
            "notes": list(self.notes),
        }

    def lines(self) -> list[str]:
        """The list in a few lines: rules, then secrets, then notes."""
        rules = [f"{count:,} {rule}" for rule, count in self.by_rule.items()]
        forms = [f"{count:,} {form}" for form, count in self.secrets.items()]
        return [
            f"replaced: {', '.join(rules) or 'nothing'}",
            f"different secrets: {', '.join(forms) or 'none found by form or letters'}",
            *self.notes,
        ]


class Tally:
    """Counts while things are replaced."""

    def __init__(self) -> None:
        """Nothing was replaced yet."""
        self._counts: Counter[tuple[str, str, Rule]] = Counter()
        self._notes: dict[str, None] = {}

    def count(self, place: str, field: str, rule: Rule) -> None:
        """A value was replaced.

        Args:
            place: what it stands in, in words of the format.
            field: the name of its field, if that is known.
            rule: why.
        """
        if rule != "kept":
            self._counts[place, field, rule] += 1

    def note(self, sentence: str) -> None:
        """Something else is not as it was; what was said before is not said again."""
        self._notes[sentence] = None

    def replaced(self, secrets: Mapping[str, int]) -> Replaced:
        """What was counted so far.

        Args:
            secrets: how many different secrets, by form.
        """
        by_rule: Counter[str] = Counter()
        by_place: dict[str, dict[str, int]] = {}
        for (place, field, rule), count in sorted(self._counts.items()):
            by_rule[rule] += count
            by_place.setdefault(f"{place} {field}".rstrip(), {})[rule] = count
        return Replaced(
            dict(sorted(by_rule.items())), by_place, dict(sorted(secrets.items())), tuple(self._notes)
        )
