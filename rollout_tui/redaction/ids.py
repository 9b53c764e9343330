"""Ids in the place of ids: of the same form and in the same order, so that what they sort stays sorted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_UUID = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_PREFIXES = (
    r"(?:call|fco|fc|ctco|ctc|msg|rs|amsg|resp|req|exec|ws|ig|tso|ts|lsh|toolu|chatcmpl-tool|turn|thread|item"
    r"|auto-compact|review)[-_]"
)
_PREFIX = re.compile(_PREFIXES)
_ORDINAL = re.compile(r"(?:raw_payload:|compaction_request:|tool-)?\d{1,7}|g\d{1,4}")
"""What counts something in one recording or names a process, and says nothing beyond it."""
_LITERAL = frozenset(
    {"edge", "agent_result", "spawn", "tool", "code_cell", "raw_payload", "inference", "urn", "uuid"}
)
"""Parts of ids that codex puts together from others."""

ID_FORMS = re.compile(
    rf"\b(?:{_PREFIXES})?(?:[0-9a-f]{{8}}-0000-4000-8000-0{{12}}|[0-9a-f]{{8}}000040008000000000000000)\b"
    rf"|\b(?:{_PREFIXES}|id-)\d{{6,}}\b|\b(?:{'|'.join(sorted(_LITERAL))}|compaction_request)\b(?=:)"
    rf"|(?<![\w-])(?:tool-)?\d{{1,7}}\b|\bg\d{{1,4}}\b"
)
"""What ids look like that stand for others or stayed."""


def is_uuid(text: str) -> bool:
    """Whether a text is a UUID as a whole, with or without hyphens."""
    return _UUID.fullmatch(text) is not None


class Ids:
    """Maps ids one to one.

    A prefix that codex or the provider puts before ids of a sort stays, what follows becomes a number. Those
    told beforehand are numbered in their order, all others as they come.
    """

    def __init__(self, known: Iterable[str] = ()) -> None:
        """Number ids.

        Args:
            known: ids whose order matters.
        """
        self._numbers: dict[str, dict[str, int]] = {}
        for part in sorted({part for one in known for part in one.split(":")}):
            self._part(part)

    def __len__(self) -> int:
        """How many ids were replaced."""
        return sum(map(len, self._numbers.values()))

    def originals(self) -> Iterator[str]:
        """The parts of ids that were replaced, as they were; UUIDs with hyphens."""
        for sort, numbers in self._numbers.items():
            yield from map(_hyphened, numbers) if sort == "uuid" else numbers

    def mapped(self, text: str) -> str:
        """The id that stands for another."""
        if _ORDINAL.fullmatch(text) is not None:
            return text
        return ":".join(map(self._part, text.split(":")))

    def _part(self, part: str) -> str:
        if not part or part in _LITERAL or _ORDINAL.fullmatch(part) is not None:
            return part
        if part[0] == "{" and part[-1] == "}" and is_uuid(part[1:-1]):
            return f"{{{self._part(part[1:-1])}}}"
        if is_uuid(part):
            return self._uuid(part)
        prefix = _PREFIX.match(part)
        if prefix is None:
            return f"id-{self._number('', part):06d}"
        rest = part[prefix.end() :]
        if is_uuid(rest):
            return prefix[0] + self._uuid(rest)
        return f"{prefix[0]}{self._number(prefix[0], rest):06d}"

    def _uuid(self, text: str) -> str:
        number = self._number("uuid", text.lower().replace("-", ""))
        mapped = f"{number:08x}-0000-4000-8000-000000000000"
        return mapped if "-" in text else mapped.replace("-", "")

    def _number(self, sort: str, text: str) -> int:
        numbers = self._numbers.setdefault(sort, {})
        return numbers.setdefault(text, len(numbers) + 1)


def _hyphened(digits: str) -> str:
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
