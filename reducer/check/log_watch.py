"""What is to be seen in a log while it is replayed: every line is looked at once, and none is kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeGuard

import msgspec
import orjson
from msgspec import Struct

from reducer.check.ledger import Ledger
from reducer.check.references import References
from reducer.check.report import Finding, Place, Severity
from reducer.errors import Problem
from reducer.log_order import LogOrder, Order
from reducer.storage.bundle import LogLine
from reducer.wire.events import RawEvent
from reducer.wire.json_text import MAX_DEPTH, JsonError, depth, refuse_excess
from reducer.wire.log import is_blank
from reducer.wire.spellings import spell_plainly
from reducer.wire.typed_json import decoder_of, dig


class RefusedEvent(Struct, frozen=True):
    """An event that was not applied.

    Attributes:
        line: its line.
        seq: its sequence number, if it has one.
        kind: its `type`.
        ids: the ids that its body names, by field; those of the envelope as `thread_id` and `codex_turn_id`.
    """

    line: int
    seq: int | None
    kind: str
    ids: dict[str, str]


class LogWatch:
    """Collects what the sections of a report need from the log.

    Attributes:
        lines: physical lines, blank ones included.
        references: takes every payload reference, of refused events, too.
        refused: the events that were not applied.
        cell_starts: the line of each `code_cell_started`, by the id that the cell should have.
        receipts: the line of each first acceptance, by thread and Responses id.
        results: the line of each `agent_result_observed`, by edge id.
        lost_lines: lines at which events are missing: gaps, and lines that could not be read.
    """

    def __init__(self, line: type[RawEvent] | None, references: References) -> None:
        """Begin before the first line.

        Args:
            line: what a line of the log is in the schema of the bundle; None if the schema is not known, and
                so nothing in it is known or unknown.
            references: what takes the references.
        """
        self.lines = 0
        self.references = references
        self.refused: list[RefusedEvent] = []
        self.cell_starts: dict[str, int] = {}
        self.receipts: dict[tuple[str, str], int] = {}
        self.results: dict[str, int] = {}
        self.lost_lines: list[int] = []
        self.first_time: int | None = None
        self.last_time: int | None = None
        self.unended = False
        self._line = line
        self._ledger = None if line is None else Ledger(line)
        self._order = LogOrder()
        self._places: dict[str, list[Place]] = {}
        self._blank: list[int] = []
        self._refused_count = 0

    @property
    def refused_count(self) -> int:
        """Lines that are neither blank nor applied."""
        return self._refused_count

    def see(self, line: LogLine, applied: bool, problems: Sequence[Problem]) -> None:
        """Look at one line after it was replayed.

        Args:
            line: the line.
            applied: whether its event became part of the graph.
            problems: what the replay had to say about it.
        """
        self.lines += 1
        if is_blank(line.data):
            self._blank.append(line.number)
            return
        self.unended = not line.ended
        self._refused_count += not applied
        value = _parsed(line.data)
        if self._line is not None and not (problems and isinstance(value, list)):
            value = _in_plain_form(value, line.data, self._line)
        if not isinstance(value, dict):
            self._see_unreadable(line, value is not None, problems)
            return
        self._see_order(line.number, value)
        self._see_clock(line.number, value)
        if self._ledger is not None:
            self._ledger.see(value, line.number)
        body = value.get("payload")
        if isinstance(body, dict):
            self._note_references(body, line.number)
            self._note_promises(value, body, line.number)
        if not applied:
            self._note_refused(line.number, value)

    def _see_unreadable(self, line: LogLine, is_json: bool, problems: Sequence[Problem]) -> None:
        if is_json and not problems:
            return  # an array of the fields of a schema that is not known
        reason = problems[0].reason if problems else "no event"
        rule = "unreadable_line" if line.ended else "torn_line"
        self._at(rule, Place(text=reason, line=line.number))
        self.lost_lines.append(line.number)
        self._order.place_unreadable()

    def _see_order(self, line: int, value: dict[str, Any]) -> None:
        seq = value.get("seq")
        if not _is_count(seq):
            self._order.place_unreadable()
            return
        expected = self._order.expected
        order = self._order.place(seq)
        if order is Order.AFTER_GAP:
            missing = f"{expected}" if seq == expected + 1 else f"{expected} to {seq - 1}"
            self._at("missing_seq", Place(text=f"{missing} missing", line=line, seq=seq))
            self.lost_lines.append(line)
        elif order is Order.LATE:
            self._at("late_seq", Place(text=f"{expected} was to come", line=line, seq=seq))
        elif order is Order.REPEATED:
            self._at("repeated_seq", Place(text=f"{expected} was to come", line=line, seq=seq))

    def _see_clock(self, line: int, value: dict[str, Any]) -> None:
        time = value.get("wall_time_unix_ms")
        if not isinstance(time, int) or isinstance(time, bool):
            return
        if self.first_time is None:
            self.first_time = time
        if self.last_time is not None and time < self.last_time:
            seq = value.get("seq")
            back = Place(
                text=f"{self.last_time - time:,} ms back", line=line, seq=seq if _is_count(seq) else None
            )
            self._at("clock_back", back)
        self.last_time = time

    def _note_references(self, body: dict[str, Any], line: int) -> None:
        """References stand in the fields of an event, or in a list there."""
        for value in body.values():
            for one in value if isinstance(value, list) else (value,):
                if isinstance(one, dict) and "raw_payload_id" in one:
                    self.references.note(one, line)

    def _note_promises(self, value: dict[str, Any], body: dict[str, Any], line: int) -> None:
        """Things that an event announces, and that only later events make part of the graph."""
        kind, thread = body.get("type"), value.get("thread_id")
        if kind == "code_cell_started" and isinstance(body.get("model_visible_call_id"), str):
            self.cell_starts.setdefault(f"code_cell:{body['model_visible_call_id']}", line)
        elif (
            kind == "history_item_accepted"
            and isinstance(thread, str)
            and isinstance(body.get("item_id"), str)
        ):
            self.receipts.setdefault((thread, body["item_id"]), line)
        elif kind == "agent_result_observed" and isinstance(body.get("edge_id"), str):
            self.results.setdefault(body["edge_id"], line)

    def _note_refused(self, line: int, value: dict[str, Any]) -> None:
        body, seq = value.get("payload"), value.get("seq")
        fields = body if isinstance(body, dict) else {}
        ids = {
            name: found
            for holder in (value, fields)
            for name, found in holder.items()
            if name.endswith("_id") and isinstance(found, str)
        }
        kind = str(dig(value, "payload", "type"))
        self.refused.append(RefusedEvent(line, seq if _is_count(seq) else None, kind, ids))

    def _at(self, rule: str, place: Place) -> None:
        self._places.setdefault(rule, []).append(place)

    def findings(self) -> list[Finding]:
        """The findings of the log as a whole."""
        found = [
            self._finding(rule, severity, words, self._places.get(rule, []))
            for rule, severity, words in _RULES
        ]
        found += self._unknown_things()
        blank = [Place(text="blank", line=self._blank[0], count=len(self._blank))] if self._blank else []
        found.append(self._finding("blank_line", "note", "blank lines, which are skipped", blank))
        if self.unended and not self._places.get("torn_line"):
            last = Place(text="whole, but no line feed ends it", line=self.lines)
            found.append(self._finding("unended_line", "note", "the last line may still be written", [last]))
        if self.lines == len(self._blank):
            found.append(
                self._finding("empty_log", "note", "the log holds no event", [Place(text="no event")])
            )
        return [one for one in found if one.places]

    def _unknown_things(self) -> list[Finding]:
        ledger = self._ledger
        if ledger is None:
            return []
        rest = Place(text="unknown things beside those listed", count=ledger.left_out)
        return [
            self._finding(
                "unknown_kind", "problem", "kinds of event that are not known", ledger.unknown_kinds()
            ),
            self._finding("unknown_name", "problem", "names that are not known", ledger.unknown_names()),
            self._finding(
                "unknown_field", "note", "fields that are not known, and ignored", ledger.unknown_fields()
            ),
            self._finding("more_unknown", "note", "more that is not known", [rest] if rest.count else []),
        ]

    @staticmethod
    def _finding(rule: str, severity: Severity, words: str, places: list[Place]) -> Finding:
        return Finding("log", rule, severity, words, places)


_RULES: tuple[tuple[str, Severity, str], ...] = (
    ("torn_line", "problem", "the log ends in the middle of a line: the recorder was killed as it wrote"),
    ("unreadable_line", "problem", "lines that cannot be read"),
    ("missing_seq", "problem", "sequence numbers that are missing: events were lost"),
    ("late_seq", "problem", "sequence numbers that come late: lines changed places"),
    ("repeated_seq", "problem", "sequence numbers that were there before"),
    ("clock_back", "note", "the clock went backwards; order goes by sequence numbers"),
)


def _parsed(data: bytes) -> Any:
    try:
        refuse_excess(data)
        return orjson.loads(data)
    except (JsonError, orjson.JSONDecodeError):
        return None


def _in_plain_form(value: Any, data: bytes, type_: type[RawEvent]) -> Any:
    """A parsed line with its event in the plain form, which nearly all have already."""
    try:
        decoder_of(type_).decode(data)
    except (msgspec.MsgspecError, OverflowError, ValueError, RecursionError):
        if depth(data) <= MAX_DEPTH:  # deeper than that, it is no event
            return spell_plainly(value, type_)
    return value


def _is_count(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
