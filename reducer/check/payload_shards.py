"""The payload shards of a bundle against the references to their records."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING

from reducer.check.lost_payloads import lost_payloads
from reducer.check.references import RecordReference, RecordReferences
from reducer.check.report import Finding, Place, Severity
from reducer.errors import UnreadablePayload
from reducer.storage.bundle import Bundle
from reducer.wire.json_text import is_valid
from reducer.wire.payload_refs import Omitted, ShardRef, Truncated, shard_path

if TYPE_CHECKING:  # the decoder of shards is loaded only for bundles that have some
    from reducer.storage.shard import Shard

LARGE_BYTES = 32 * 2**20
"""A record beyond this is worth a note: real ones hold at most a few megabytes."""

FULL_BYTES = 8 * 2**20
"""Decoded bytes that a shard of several records does not exceed: the recorder begins another one before."""

_CONTENT = "content_value"
"""The kind of payload that has shards of its own."""

_NAMED = 3
"""Ids that are listed one by one within a sentence."""


class PayloadShards:
    """Looks at every shard that a reference names, and at every shard that none does, each once.

    Attributes:
        size: bytes of all shards, as far as they can be read.
    """

    def __init__(self, bundle: Bundle, references: RecordReferences, *, is_completed: bool) -> None:
        """Prepare the look.

        Args:
            bundle: the bundle.
            references: every reference with its parts.
            is_completed: whether the log says that the recording was; then all shards must be finished.
        """
        self.size = 0
        self._bundle = bundle
        self._store = bundle.payloads.shards
        self._references = references
        self._is_completed = is_completed
        self._places: dict[str, list[Place]] = defaultdict(list)
        self._by_shard: dict[int, list[RecordReference]] = defaultdict(list)
        self._first_shard: dict[str, int] = {}
        self._missing: list[RecordReference] = []
        for one in references.first.values():
            if one.ref.shard is not None:
                self._by_shard[one.ref.shard].append(one)
        self._last = max(self._by_shard, default=0)
        self._last_there = 0

    def findings(self) -> list[Finding]:
        """What is missing, damaged, contradicted, left over, and what the recorder does not do like that."""
        for one in self._references.first.values():
            self._look_at_reference(one)
        for conflict in self._references.conflicts.values():
            self._look_at_conflict(conflict)
        there = self._shards_there()
        self._last_there = max(there, default=0)
        for number in sorted({*there, *self._by_shard}):
            self._look_at_shard(number, number in there)
        self._look_for_missing()
        found = [
            Finding("payloads", rule, severity, words, self._places[rule]) for rule, severity, words in _RULES
        ]
        lost = lost_payloads(self._references, self._bundle.log_size() + self.size)
        return [one for one in (*found, *lost) if one.places]

    # References

    def _look_at_reference(self, one: RecordReference) -> None:
        ref = one.ref
        if isinstance(ref.capture, Omitted):
            if ref.shard is not None:
                self._at("omitted_with_shard", one, "left out, but a shard is named for it")
        elif ref.shard is None:
            self._at("no_shard", one, "kept, but no shard is named for it")

    def _look_at_conflict(self, other: RecordReference) -> None:
        first = self._references.first[other.ref.raw_payload_id]
        different = [
            name for name in ("kind", "shard", "capture", "parts") if _differs(first.ref, other.ref, name)
        ]
        words = f"unlike the one in line {first.line} by its {' and '.join(different)}"
        self._at("conflicting_reference", other, words)

    # Shards

    def _shards_there(self) -> set[int]:
        try:
            there = set(self._store.shard_numbers())
            for name in self._store.other_names():
                self._places["other_file"].append(
                    Place(text="no shard is named like this", path=f"payloads/{name}")
                )
        except UnreadablePayload:
            return set()  # what is referred to is missing then, shard by shard
        return there

    def _look_at_shard(self, number: int, is_there: bool) -> None:
        expected = self._by_shard.get(number, [])
        try:
            shard = self._store.shard(number)
        except UnreadablePayload as error:
            rule = "unusable_shard" if is_there else "missing_shard"
            words = f"{_without_path(error, number)}{self._other_name(number)}; {_of(expected)}"
            self._shard_at(rule, number, words)
            return
        self.size += shard.read
        if expected:
            self._look_at_end(shard, expected)
        else:
            words = f"no event refers to it; it holds {_records(shard)}"
            self._shard_at("unreferenced_shard", number, words)
        if number == self._last_there and shard.is_finished and not self._is_completed:
            words = (
                "the log reached the limit max_bytes of the recorder, its end is lost, or more was to come"
            )
            self._shard_at("closed_shard", number, words)
        self._look_at_records(shard, expected)
        self._look_at_form(shard, expected)

    def _look_at_end(self, shard: Shard, expected: list[RecordReference]) -> None:
        """Whether a shard is whole."""
        lost = [one for one in expected if one.ref.raw_payload_id not in shard.records]
        if shard.fault is not None:
            readable = f"{_records(shard)} can be read{_span(shard)}"
            gone = f"; lost are {_of(lost)}" if lost else ", and nothing else is referred to"
            self._shard_at("unusable_shard", shard.number, f"{shard.fault.reason}; {readable}{gone}")
        elif not shard.is_finished:
            words = f"it ends without a footer, after {_records(shard)}"
            allowed = shard.number == self._last and not self._is_completed
            self._shard_at("open_shard" if allowed else "missing_footer", shard.number, words)

    def _look_at_form(self, shard: Shard, expected: list[RecordReference]) -> None:
        """What the format allows, but no recorder does."""
        if shard.decoded > FULL_BYTES and len(shard.records) > 1:
            words = f"{_records(shard)} with {shard.decoded:,} bytes"
            self._shard_at("overfull_shard", shard.number, words)
        kinds = {one.ref.kind.type for one in expected}
        if _CONTENT in kinds and len(kinds) > 1:
            others = ", ".join(sorted(kinds - {_CONTENT}))
            self._shard_at("mixed_shard", shard.number, f"{_CONTENT} and {others}")
        before = -1
        for record_id in shard.records:
            number = _number(record_id)
            if number is not None and number < before:
                place = Place(
                    text=f"after raw_payload:{before}",
                    type="Payload",
                    id=record_id,
                    path=shard_path(shard.number),
                )
                self._places["record_order"].append(place)
                break
            before = before if number is None else number

    # Records

    def _look_at_records(self, shard: Shard, expected: list[RecordReference]) -> None:
        """Everything that needs the data of records, while the shard is there."""
        for one in expected:
            data = shard.records.get(one.ref.raw_payload_id)
            if data is not None:
                self._look_at_data(one, data)
            elif shard.fault is None and not isinstance(one.ref.capture, Omitted):
                self._missing.append(one)  # of a faulty shard it is said with the fault
        known = {one.ref.raw_payload_id for one in expected}
        path = shard_path(shard.number)
        for record_id, data in shard.records.items():
            if expected and record_id not in known:
                place = Place(text=f"{len(data):,} bytes", type="Payload", id=record_id, path=path)
                self._places["unreferenced"].append(place)
            first = self._first_shard.setdefault(record_id, shard.number)
            if first != shard.number:
                words = f"in {shard_path(first)}, too"
                place = Place(text=words, type="Payload", id=record_id, path=path)
                self._places["doubled_record"].append(place)

    def _look_at_data(self, one: RecordReference, data: bytes) -> None:
        ref, capture = one.ref, one.ref.capture
        if isinstance(capture, Omitted):
            return
        if isinstance(capture, Truncated):
            if capture.retained_bytes != len(data):
                words = f"{capture.retained_bytes:,} bytes are said to be kept, but it holds {len(data):,}"
                self._at("wrong_length", one, words)
            if capture.retained_bytes >= capture.original_bytes:
                words = f"cut to {capture.retained_bytes:,} of {capture.original_bytes:,} bytes"
                self._at("wrong_length", one, words)
            return
        if len(data) > LARGE_BYTES:
            self._at("large", one, f"{len(data):,} bytes")
        try:
            own = self._store.own_json(ref)
        except UnreadablePayload as error:
            self._at("unusable_record", one, str(error))
            return
        if not is_valid(own):
            of_what = "its fragments are " if ref.parts else ""
            self._at("unusable_record", one, f"{of_what}not valid JSON")

    def _look_for_missing(self) -> None:
        """Say of the records that are missing in their shards whether they are in another one."""
        for one in self._missing:
            other = self._first_shard.get(one.ref.raw_payload_id)
            hint = "" if other is None else f", but in {shard_path(other)}"
            self._at("missing_record", one, f"not in its shard{hint}")

    # Places

    def _at(self, rule: str, one: RecordReference, words: str) -> None:
        number = one.ref.shard
        path = None if number is None else shard_path(number)
        place = Place(text=words, line=one.line, type="Payload", id=one.ref.raw_payload_id, path=path)
        self._places[rule].append(place)

    def _shard_at(self, rule: str, number: int, words: str) -> None:
        line = min((one.line for one in self._by_shard.get(number, [])), default=None)
        self._places[rule].append(Place(text=words, line=line, path=shard_path(number)))

    def _other_name(self, number: int) -> str:
        """Says that a missing shard is there under a name that leads to none."""
        try:
            names = self._store.other_names()
        except UnreadablePayload:
            return ""
        for name in names:
            stem, _, suffix = name.partition(".")
            is_number = stem.isascii() and stem.isdigit() and len(stem) < 20
            if suffix.casefold() == "zst" and is_number and int(stem) == number:
                return f"; payloads/{name} is there, but no shard is named like this"
        return ""


_RULES: tuple[tuple[str, Severity, str], ...] = (
    ("missing_shard", "problem", "shards that are missing"),
    ("unusable_shard", "problem", "shards that cannot be read to their end"),
    ("missing_footer", "problem", "shards that are not finished, though they should be"),
    ("missing_record", "problem", "payloads whose record is missing"),
    ("unusable_record", "problem", "records that cannot be used"),
    ("wrong_length", "problem", "cut payloads whose lengths contradict each other"),
    ("no_shard", "problem", "payloads that are nowhere"),
    ("omitted_with_shard", "problem", "payloads that were left out, but have a shard"),
    ("conflicting_reference", "problem", "references that contradict the first one with their id"),
    ("open_shard", "note", "the last shard is not finished: the recorder was killed, or still writes"),
    ("closed_shard", "note", "the last shard is finished, but the recording was not completed"),
    (
        "unreferenced_shard",
        "note",
        "shards that no event refers to: the recording stopped, or lines were lost",
    ),
    ("unreferenced", "note", "records that no event refers to: the recording stopped, or lines were lost"),
    ("doubled_record", "note", "ids that have records in several shards"),
    ("record_order", "note", "shards whose records are not in order of their ids"),
    ("overfull_shard", "note", f"shards of several records with more than {FULL_BYTES // 2**20} MiB"),
    ("mixed_shard", "note", f"shards in which {_CONTENT}s and other payloads are mixed"),
    ("large", "note", f"records of more than {LARGE_BYTES // 2**20} MiB"),
    ("other_file", "note", "files among the shards that are none"),
)
"""The rules in the order in which their findings are told."""


def _differs(one: ShardRef, other: ShardRef, name: str) -> bool:
    return bool(getattr(one, name) != getattr(other, name))


def _without_path(error: UnreadablePayload, number: int) -> str:
    return str(error).removeprefix(f"{shard_path(number)}: ")


def _of(references: Iterable[RecordReference]) -> str:
    """Some payloads by their ids, or how many they are."""
    ids = [one.ref.raw_payload_id for one in references]
    named = ", ".join(ids[:_NAMED])
    return named if len(ids) <= _NAMED else f"{named} and {len(ids) - _NAMED:,} more"


def _records(shard: Shard) -> str:
    count = len(shard.records)
    return "1 record" if count == 1 else f"{count:,} records"


def _span(shard: Shard) -> str:
    """The first and the last record that can be read."""
    ids = list(shard.records)
    return f" ({ids[0]} to {ids[-1]})" if len(ids) > 1 else "".join(f" ({one})" for one in ids)


def _number(record_id: str) -> int | None:
    """The number in an id, if it is one that the recorder makes."""
    digits = record_id.removeprefix("raw_payload:")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 20 else None
