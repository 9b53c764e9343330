"""Replaces the texts of a JSON text where they stand: blanks, brackets, order and numbers stay."""

from __future__ import annotations

import json
import re
from collections.abc import Set
from contextlib import suppress
from typing import NamedTuple, Protocol, get_args

from reducer.wire.payload_refs import ShardedKindName
from rollout_tui.redaction.tally import Rule
from rollout_tui.redaction.vocabulary import Kind

_STRING = r'"(?P<body>(?:[^"\\]++|\\.|(?!))*+)(?:"(?P<colon>\s*:)?|(?P<cut>\\?\Z))'
_PLAIN_REF = (
    rf'{{"raw_payload_id":"raw_payload:\d{{1,10}}","kind":{{"type":"(?:{"|".join(get_args(ShardedKindName))})"}}'
    r',"shard":\d{1,10}}'
)
_PLAIN_REFS = rf"(?P<refs>(?:{_PLAIN_REF},?|(?!))++)"
"""References as they stand in each prompt of a long run, by the thousand: nothing in them is replaced."""
_TOKEN = re.compile(rf"{_PLAIN_REFS}|{_STRING}|[\[\]{{}}]|-?\d[\d.eE+-]*", re.DOTALL)
_STRUCTURE = re.compile(r"(?:[\s\[\]{},:]++|-?\d[\d.eE+-]*+|true|false|null|(?!))*+(?:\.\.\.)?")
_WHOLE_STRINGS = re.compile(r'"(?:[^"\\]++|\\.|(?!))*+"', re.DOTALL)
_PLAIN = re.compile(r'[^"\\\x00-\x1f\ud800-\udfff]*')
_LONGEST_NUMBER = 8
"""Digits of a number that stays in a field that is known, whatever it is."""
_CUT_MARK = "..."
"""What codex puts behind the beginning of arguments."""

UNKNOWN_FIELD = "(unknown field)"
"""The place of what stands in a field that is not known: its name may be anybody's text."""


class Value(NamedTuple):
    """What stands for a text.

    Attributes:
        text: that.
        rule: by which rule.
        spelled: the same as a string of JSON.
    """

    text: str
    rule: Rule
    spelled: str


class Field(NamedTuple):
    """What stands for the name of a field.

    Attributes:
        name: that.
        kind: what its values are.
        place: what it is called in the list of what was replaced.
        rule: by which rule.
    """

    name: str
    kind: Kind
    place: str
    rule: Rule


class Replaces(Protocol):
    """What knows what stands for what."""

    def value(self, text: str, kind: Kind) -> Value:
        """What stands for a text of some kind."""

    def field(self, name: str) -> Field:
        """What stands for the name of a field."""

    def number(self, spelled: str, kind: Kind) -> Value:
        """What stands for a number that could be anything, in a field of some kind."""

    def count(self, place: str, field: str, rule: Rule) -> None:
        """Something was replaced."""


class Walk:
    """Goes through one JSON text, which may come in pieces that part between its values."""

    def __init__(self, replaces: Replaces, place: str, unknown: Set[str] = frozenset()) -> None:
        """At the beginning of the text.

        Args:
            replaces: knows what stands for what.
            place: what the text is, for the list of what was replaced.
            unknown: fields of the object that it is, of which nothing is known in this one.
        """
        self._replaces = replaces
        self._place = place
        self._unknown = unknown
        self._kind: Kind = "text"
        self._field = ""
        self._around: list[tuple[Kind, str]] = []

    def redacted(self, text: str) -> str:
        """The text with its texts replaced.

        Args:
            text: valid JSON, or a piece of it: nothing else is looked at in it but strings and numbers.
        """
        return _TOKEN.sub(self._token, text)

    def redacted_beginning(self, text: str) -> str | None:
        """The same of what was cut off somewhere; None where that is no beginning of a JSON text."""
        begun = _TOKEN.sub(lambda found: "" if found[0][0] == '"' else found[0], text)
        return self.redacted(text) if _STRUCTURE.fullmatch(begun) is not None else None

    def _token(self, found: re.Match[str]) -> str:
        token = found[0]
        if found["refs"] is not None:
            return token
        match token[0]:
            case '"' if found["cut"] is not None:
                return self._cut_string(found["body"] + found["cut"])
            case '"' if found["colon"] is not None:
                return self._name(found["body"]) + found["colon"]
            case '"':
                return self._string(found["body"])
            case "{" | "[":
                self._around.append((self._kind, self._field))
            case "}" | "]":
                self._kind, self._field = self._around.pop() if self._around else ("unknown", UNKNOWN_FIELD)
            case _ if self._kind in ("unknown", "secret") or self._is_long(token):
                made = self._replaces.number(token, self._kind)
                self._replaces.count(self._place, self._field, made.rule)
                return made.spelled
        return token

    def _is_long(self, number: str) -> bool:
        """Whether a number could be anything, and its field does not say that it counts or measures."""
        return len(number) > _LONGEST_NUMBER and self._kind != "number"

    def _name(self, body: str) -> str:
        field = self._replaces.field(_unescaped(body))
        self._replaces.count(self._place, field.place, field.rule)
        around = self._around[-1][0] if self._around else "text"
        is_closed = around in ("unknown", "secret") or (
            len(self._around) == 1 and field.name in self._unknown
        )
        self._field = UNKNOWN_FIELD if is_closed else field.place
        self._kind = field.kind
        if is_closed:
            self._kind = "secret" if "secret" in (around, field.kind) else "unknown"
        return spelled(field.name)

    def _string(self, body: str) -> str:
        made = self._replaces.value(_unescaped(body), self._kind)
        self._replaces.count(self._place, self._field, made.rule)
        return made.spelled

    def _cut_string(self, body: str) -> str:
        """A string without its end; behind it may stand that it was cut."""
        more = _CUT_MARK if body.endswith(_CUT_MARK) else ""
        text = body.removesuffix(more)
        with suppress(ValueError):  # it may be cut within an escape
            text = _unescaped(text)
        return self._replaces.value(text, self._kind).spelled[:-1] + more


def is_only_structure(piece: str) -> bool:
    """Whether a piece of a JSON text parts from what is before and after it between values."""
    return _STRUCTURE.fullmatch(_WHOLE_STRINGS.sub("", piece)) is not None


def spelled(text: str) -> str:
    """A text as a string of JSON; what is unpaired is escaped, as nothing else can write it."""
    if _PLAIN.fullmatch(text) is not None:
        return f'"{text}"'
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(text)
    return json.dumps(text, ensure_ascii=False)


def _unescaped(body: str) -> str:
    if "\\" not in body:
        return body
    text: str = json.loads(f'"{body}"')
    return text
