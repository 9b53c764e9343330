"""Looks at what was written, as it is on disk: that nothing is in it but what may be.

Each text of it must consist of words of the allow-list and placeholders; and beside that it is searched for
the originals, which does not depend on that list.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from reducer import open_bundle
from reducer.storage.bundle import LOG
from rollout_tui.redaction.codex_words import DATA_URL, KEPT_LINE, KEPT_TEXTS, MARKS
from rollout_tui.redaction.copying import CUT, DAMAGED
from rollout_tui.redaction.ids import ID_FORMS
from rollout_tui.redaction.names import KEPT_SEGMENT, OWN_AGENTS
from rollout_tui.redaction.placeholders import PLACEHOLDER
from rollout_tui.redaction.redactor import Redactor
from rollout_tui.redaction.vocabulary import FIELDS, NAMES, WORDS, is_plain_model

SHORTEST = 12
"""Characters of an original that is searched for: shorter ones are in other texts by chance."""
_LEAST_LETTERS = 8
"""Letters and digits of it: a line of dashes is nobody's."""

_STRING = re.compile(r'"((?:[^"\\]++|\\.|(?!))*+)"', re.DOTALL)
_OUTSIDE = re.compile(r"(?:[\s\[\]{},:.]++|-?\d[\d.eE+-]*+|true|false|null|(?!))*+")
_STANDS_FOR = re.compile(rf"{ID_FORMS.pattern}|{PLACEHOLDER.pattern}")
_SHARD = re.compile(r"payloads/\d{6,}\.zst")
_PARTS_TEXTS = re.compile(r"\n|secret-\d+")
_FILLED = re.compile(r"([.\-])\1{15,}")


class Originals:
    """The texts that were replaced, to be searched for."""

    def __init__(self, redactor: Redactor, own_words: str = "", shortest: int = SHORTEST) -> None:
        """Gather them.

        Args:
            redactor: what replaced them.
            own_words: what this program itself says in what is searched: an original that is the same is no
                leak.
            shortest: characters of an original that is searched for.
        """
        self._shortest = shortest
        said = "\n".join((*FIELDS, *WORDS, *NAMES, own_words))
        self._by_head: dict[str, list[str]] = {}
        for original in redactor.originals():
            if _is_searched_for(original, shortest) and original not in said:
                self._by_head.setdefault(original[:shortest], []).append(original)

    def is_in(self, text: str) -> bool:
        """Whether any original is in a text."""
        for start in range(len(text) - self._shortest + 1):
            found = self._by_head.get(text[start : start + self._shortest])
            if found is not None and any(text.startswith(one, start) for one in found):
                return True
        return False


def _is_searched_for(original: str, shortest: int) -> bool:
    if len(original) < shortest or PLACEHOLDER.fullmatch(original) is not None:
        return False
    return sum(map(str.isalnum, original[: 4 * shortest])) >= _LEAST_LETTERS


def fault_of(directory: Path, redactor: Redactor, step: Callable[[int], None]) -> str | None:
    """What is wrong with a redacted bundle: where something is left; None if nothing is.

    Args:
        directory: of the bundle.
        redactor: what it was made with.
        step: called with the bytes that were looked at.

    Raises:
        BundleError: it is no bundle.
        OSError: it cannot be read.
    """
    texts = Texts(Originals(redactor))
    for name, data in _contents(directory):
        step(len(data))
        if not _is_plain_name(name):
            return "something of the original is left in the name of a payload"
        if not texts.are_plain(data):
            return f"something of the original is left in {name}"
    return None


def _contents(directory: Path) -> Iterator[tuple[str, bytes]]:
    """All that stands in a bundle: lines of the log, files and records, each with its name."""
    with open(directory / LOG, "rb") as log:
        yield from ((LOG, line) for line in log)
    shards = open_bundle(directory).payloads.shards
    for file in sorted(directory.rglob("*")):
        name = file.relative_to(directory).as_posix()
        if name == LOG or file.is_dir():
            continue
        number = int(file.stem) if _SHARD.fullmatch(name) is not None else None
        if number is not None and shards.fault(number) is None:
            records = shards.shard(number).records
            yield from ((f"{name}#{record_id}", data) for record_id, data in records.items())
        else:
            yield name, file.read_bytes()


def _is_plain_name(name: str) -> bool:
    file, _, record_id = name.partition("#")
    return _all_plain(file.split("/")) and _is_plain_piece(record_id)


def _all_plain(names: Iterable[str]) -> bool:
    return all(map(_is_plain_segment, names))


def _is_plain_segment(segment: str) -> bool:
    return KEPT_SEGMENT.fullmatch(segment) is not None or _STANDS_FOR.fullmatch(segment) is not None


class Texts:
    """Looks at texts of JSON, at each string of them once."""

    def __init__(self, originals: Originals) -> None:
        self._originals = originals
        self._known: set[str] = set()

    def are_plain(self, data: bytes) -> bool:
        """Whether a file or a line has nothing in it but structure, allowed words and placeholders."""
        bare = data.removesuffix(b"\n")
        if bare == DAMAGED or bare.rstrip(b".") == CUT[: len(bare.rstrip(b"."))]:
            return True
        try:
            return self._is_plain_json(data.decode())
        except UnicodeDecodeError:
            return False

    def _is_plain_json(self, text: str) -> bool:
        if _OUTSIDE.fullmatch(_STRING.sub("", text)) is None:
            return False
        return all(self._is_plain_string(found[1]) for found in _STRING.finditer(text))

    def _is_plain_string(self, body: str) -> bool:
        if body in self._known:
            return True
        text: str = json.loads(f'"{body}"') if "\\" in body else body
        if not self._is_plain(text):
            return False
        self._known.add(body)
        return True

    def _is_plain(self, text: str) -> bool:
        if text in FIELDS or text in WORDS or text in KEPT_TEXTS or is_plain_model(text):
            return True
        if self._is_plain_json(f'{text}"' if text.count('"') % 2 else text):
            return True  # arguments, or a piece between the parts of a payload
        pieces = [piece for piece in _PARTS_TEXTS.split(text) if not _is_kept(piece)]
        rest = "\n".join(MARKS.sub("\n", piece) for piece in pieces)
        if self._originals.is_in(_FILLED.sub(r"\1" * 15, rest)):
            return False
        return _all_plain(text.split("/")) or all(map(_is_plain_piece, pieces))


def _is_kept(piece: str) -> bool:
    return KEPT_LINE.fullmatch(piece.strip()) is not None


def _is_plain_piece(piece: str) -> bool:
    """Whether a stretch of a line has no letter or digit but those of marks and placeholders."""
    begins = DATA_URL.match(piece)
    rest = piece if begins is None else piece[begins.end() :]
    rest = MARKS.sub(" ", rest)
    rest = re.sub(r"[^/.:]+", lambda found: "" if _is_name(found[0]) else found[0], rest)
    return not any(map(str.isalnum, _STANDS_FOR.sub("", rest)))


def _is_name(word: str) -> bool:
    return word in NAMES or word in OWN_AGENTS or KEPT_SEGMENT.fullmatch(word) is not None
