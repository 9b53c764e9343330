"""The one redactor: from a text to what stands for it, wherever it is found.

What it gives depends on the text and on what kind of value it is, never on where it stands. So texts that
were equal stay equal, those that were not do not become so, and a line has the same placeholder in an output,
in what the model was shown of it, and in what an agent wrote about it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Set
from typing import NamedTuple

from reducer.rules.agent_events import is_agent_path
from reducer.wire.json_text import is_valid
from rollout_tui.redaction.codex_words import DATA_URL, KEPT_TEXTS
from rollout_tui.redaction.ids import Ids, is_uuid
from rollout_tui.redaction.lines import Lines
from rollout_tui.redaction.names import Names
from rollout_tui.redaction.placeholders import Placeholders
from rollout_tui.redaction.tally import Rule, Tally
from rollout_tui.redaction.vocabulary import FIELDS, WORDS, Kind, kind_of
from rollout_tui.redaction.walk import UNKNOWN_FIELD, Field, Value, Walk, spelled

DEEPEST = 6
"""Levels of JSON in texts of JSON that are looked into."""
UNPAIRED = re.compile("[\ud800-\udfff]")
"""What no JSON text should have; where there is one there stays one, for readers refuse such texts."""

_SHORT_NUMBER = re.compile(r"-?[0-9.]{1,4}")


class _Made(NamedTuple):
    text: str
    rule: Rule


class Redactor:
    """Replaces the texts of one recording.

    Attributes:
        placeholders: what stands for what.
        ids: what ids stand for ids.
        names: what names stand for names.
        tally: what was replaced.
    """

    def __init__(self, ids: Iterable[str] = ()) -> None:
        """Nothing was replaced yet.

        Args:
            ids: ids whose order matters: those of the log.
        """
        self.placeholders = Placeholders()
        self.ids = Ids(ids)
        self.names = Names(self.placeholders, self.ids)
        self.tally = Tally()
        self._lines = Lines(self.placeholders)
        self._values: dict[Kind, dict[str, Value]] = {}
        self._fields: dict[str, Field] = {}
        self._written_as: dict[str, str] = {}
        self._depth = 0

    def originals(self) -> Iterator[str]:
        """All that was replaced, as it was; of an id what follows its prefix."""
        yield from self.placeholders.originals()
        yield from self.ids.originals()

    def walk(self, place: str, unknown: Set[str] = frozenset()) -> Walk:
        """What replaces the texts of one JSON text; the arguments are those of `Walk`."""
        return Walk(self, place, unknown)

    def value(self, text: str, kind: Kind) -> Value:
        """What stands for a value.

        Args:
            text: the value.
            kind: what it is by the name of its field.
        """
        known = self._values.setdefault(kind, {})
        found = known.get(text)
        if found is None:
            made, rule = self._by_kind(text, kind) if text else _Made("", "kept")
            if UNPAIRED.search(text) is not None and UNPAIRED.search(made) is None:
                made += "\ud800"
            found = known[text] = Value(made, rule, spelled(made))
        return found

    def field(self, name: str) -> Field:
        """What stands for the name of a field: itself if it is known, or else an id, a path, or a number."""
        found = self._fields.get(name)
        if found is None:
            made, kind = self.names.key(name), kind_of(name)
            if made != name and not made.startswith("key-"):
                kind = "text"
            place = name if name in FIELDS else UNKNOWN_FIELD
            found = self._fields[name] = Field(made, kind, place, "kept" if made == name else "key")
        return found

    def number(self, number: str, kind: Kind) -> Value:
        """A number where nothing is known of it: a long one could be anything."""
        if kind == "unknown" and _SHORT_NUMBER.fullmatch(number) is not None:
            return Value(number, "kept", number)
        made = str(100_000 + int(self.placeholders.word("", number)))
        return Value(made, "number", made)

    def count(self, place: str, field: str, rule: Rule) -> None:
        """Something was replaced."""
        self.tally.count(place, field, rule)

    def _by_kind(self, text: str, kind: Kind) -> _Made:
        match kind:
            case "id":
                return _unless_same(text, self.ids.mapped(text), "id")
            case "path":
                return _unless_same(text, self.names.path(text), "path")
            case "name":
                return _unless_same(text, self.names.tool(text), "name")
            case "model":
                return _unless_same(text, self.names.model(text), "model")
            case "key":
                return _unless_same(text, self.names.key(text), "key")
            case "agent" if (agent := self.names.agent(text)) is not None:
                return _unless_same(text, agent, "agent")
            case "secret":
                return _Made(self.placeholders.secret(text, "named like one"), "secret")
            case "word" if text in WORDS:
                return _Made(text, "kept")
            case "json" if (inside := self._inside(text)) is not None:
                return _Made(inside, "JSON text")
            case "preview" if (inside := self._preview(text)) is not None:
                return _Made(inside, "JSON text")
        return self._text(text)

    def _text(self, text: str) -> _Made:
        """A text: ids and agents as such, JSON inside, all else line by line."""
        if text in KEPT_TEXTS:
            return _Made(text, "kept")
        if is_uuid(text):
            return _Made(self.ids.mapped(text), "id")
        if is_agent_path(text):
            return _unless_same(text, self.names.agent_path(text), "agent")
        inside = self._inside(text) if text.lstrip()[:1] in ("{", "[") else None
        if inside is not None:
            return _Made(inside, "JSON text")
        begins = DATA_URL.match(text)
        if begins is not None:
            return _Made(begins[0] + self.placeholders.blob(text[begins.end() :]), "text")
        made, has_secret = self._lines.replaced(text)
        return _Made(made, "secret") if has_secret else _unless_same(text, made, "text")

    def _inside(self, text: str) -> str | None:
        """A text of JSON with its texts replaced; None for what is none, or would be taken for another."""
        if self._depth == DEEPEST or UNPAIRED.search(text) or not is_valid(text.encode()):
            return None
        self._depth += 1
        try:
            made = self.walk("text of JSON").redacted(text)
        finally:
            self._depth -= 1
        return made if self._written_as.setdefault(made, text) == text else None

    def _preview(self, text: str) -> str | None:
        """The beginning of a text of JSON, cut anywhere, with its texts replaced; None for any other."""
        if not text.startswith("{") or is_valid(text.encode(errors="replace")):
            return None
        made = self.walk("preview").redacted_beginning(text)
        return made if made is not None and self._written_as.setdefault(made, text) == text else None


def _unless_same(text: str, made: str, rule: Rule) -> _Made:
    return _Made(made, "kept" if made == text else rule)
