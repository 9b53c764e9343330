"""Long texts that stay in the session file: the graph has the place, and reads the text when it is asked for.

A session may be much larger than memory, and nearly all of it is text that nobody looks at. Files that are
compressed cannot be read at a place, so their texts are held.
"""

from __future__ import annotations

from collections import OrderedDict
from copy import copy
from threading import Lock
from typing import Any

from msgspec import Struct

from reducer.errors import Malformed, NotApplicable
from reducer.model import (
    ConversationItem,
    EncodedPart,
    InferenceCall,
    Part,
    TerminalOperation,
    TerminalResult,
    TextPart,
)
from reducer.model.conversation import Body
from reducer.rules.normalize import NormalItem
from reducer.sessions.fields import mapping, text
from reducer.sessions.items import LONG, ItemForm, digest_of, output_text
from reducer.sessions.lines import Record, SessionLine, read_record
from reducer.sessions.seen_items import SeenItems
from reducer.sessions.sources import COMPRESSED, LineSource, SourceFault
from reducer.storage.confinement import BundleFolder

HELD = 32 * 2**20
"""Bytes of a file up to which all texts are held: to read them again would only cost time. Of a file that is
larger when it is read first none is held, of one that grows beyond them none of what comes then."""

_KEPT = 64
"""Texts that were read last and are at hand."""

JsonPath = tuple[str | int, ...]


class FarFile:
    """A file in which texts are.

    Attributes:
        texts: by whom they are read.
        name: its path.
        number: of the file among those of its reader.
    """

    __slots__ = ("name", "number", "texts")

    def __init__(self, texts: FarTexts, name: str, number: int) -> None:
        self.texts = texts
        self.name = name
        self.number = number


class FarText(Struct, frozen=True, eq=False, array_like=True):
    """Where a text is. Two are equal if the texts are.

    Attributes:
        file: in which it is.
        offset: where its line begins.
        path: of the item in the line; empty for what a tool gave.
        part: which part of the item it is.
        is_lite: in which form a model gets the item, see `ItemForm`.
        size: characters.
        digest: of the text.
    """

    file: FarFile
    offset: int
    path: JsonPath
    part: int
    is_lite: bool
    size: int
    digest: bytes

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FarText) and (self.size, self.digest) == (other.size, other.digest)

    def __hash__(self) -> int:
        return hash(self.digest)

    def read(self) -> str:
        """The text; where it cannot be read any more, words that say so."""
        return self.file.texts.read(self)


class FarTextPart(TextPart, frozen=True, tag="text"):
    """Readable text that is in a file."""

    @property  # type: ignore[misc]
    def text(self) -> str:
        """The text."""
        return _near(_slot(TextPart, "text", self)) or ""

    @property
    def digest(self) -> bytes:
        """What the text is known by."""
        return digest_in(_slot(TextPart, "text", self))


class FarEncodedPart(EncodedPart, frozen=True, tag="encoded"):
    """Sealed content that is in a file."""

    @property  # type: ignore[misc]
    def value(self) -> str:
        """The content."""
        return _near(_slot(EncodedPart, "value", self)) or ""

    @property
    def digest(self) -> bytes:
        """What the content is known by."""
        return digest_in(_slot(EncodedPart, "value", self))


class FarTerminalResult(TerminalResult, frozen=True):
    """What a terminal operation gave back, some of which may be in a file."""

    @property  # type: ignore[misc]
    def stdout(self) -> str:
        """The output as run."""
        return _near(_slot(TerminalResult, "stdout", self)) or ""

    @property  # type: ignore[misc]
    def formatted_output(self) -> str | None:
        """The output as shown."""
        return _near(_slot(TerminalResult, "formatted_output", self))


def _slot(type_: type[Struct], name: str, part: Struct) -> Any:
    """What a field holds that a property stands before."""
    return type_.__dict__[name].__get__(part)


def digest_in(place: FarText) -> bytes:
    """What the text at a place is known by."""
    return place.digest


def far_in(part: Part) -> FarText | None:
    """The place of the text of a part; None if the part has it at hand."""
    if isinstance(part, FarTextPart):
        place: FarText = _slot(TextPart, "text", part)
        return place
    return _slot(EncodedPart, "value", part) if isinstance(part, FarEncodedPart) else None


def _near(value: FarText | str | None) -> str | None:
    return value.read() if isinstance(value, FarText) else value


class FarTexts:
    """Reads the texts of the files of one folder.

    Attributes:
        files: in which there are some.
    """

    def __init__(self, folder: BundleFolder) -> None:
        self.files: list[FarFile] = []
        self._folder = folder
        self._large: dict[str, bool] = {}
        self._recent: OrderedDict[tuple[str, int, JsonPath, int], str] = OrderedDict()
        self._lock = Lock()
        self._forms = {False: ItemForm(), True: ItemForm()}
        self._forms[True].is_lite = True

    def normal(self, normal: NormalItem, record: Record, path: JsonPath, *, is_lite: bool) -> NormalItem:
        """An item without its long texts."""
        if not self._stays(record.line):
            return normal
        for at, part in enumerate(normal.parts):
            said = _said(part)
            if len(said) >= LONG:
                place = self._place(said, record.line, path, at, is_lite=is_lite)
                normal.parts[at] = _far(part, place)
        return normal

    def result(self, said: str, record: Record) -> Any:
        """What a tool gave, as it is, or as the place where it is."""
        if len(said) < LONG or not self._stays(record.line):
            return said
        return self._place(said, record.line, (), 0, is_lite=False)

    def _stays(self, line: SessionLine) -> bool:
        """Whether the long texts of a line stay in its file."""
        if line.size < LONG or line.file.endswith(COMPRESSED):
            return False
        return line.offset >= HELD or self._is_large(line.file)

    def _is_large(self, file: str) -> bool:
        known = self._large.get(file)
        if known is None:
            try:
                known = self._folder.stat(file).st_size > HELD
            except OSError:
                known = False
            self._large[file] = known
        return known

    def _place(self, said: str, line: SessionLine, path: JsonPath, part: int, *, is_lite: bool) -> FarText:
        file = next((one for one in reversed(self.files) if one.name == line.file), None)
        if file is None:
            file = FarFile(self, line.file, len(self.files))
            self.files.append(file)
        return FarText(file, line.offset, path, part, is_lite, len(said), digest_of(said))

    def read(self, place: FarText) -> str:
        """The text at a place."""
        key = (place.file.name, place.offset, place.path, place.part)
        with self._lock:
            known = self._recent.get(key)
            if known is None:
                known = self._recent[key] = self._read(place)
                if len(self._recent) > _KEPT:
                    self._recent.popitem(last=False)
            return known

    def _read(self, place: FarText) -> str:
        try:
            file = place.file.name
            data = LineSource(self._folder, file).read_line(place.offset)
            record = read_record(SessionLine(file, 0, place.offset, data, len(data), ended=True))
            if record is None:
                return _GONE
            if not place.path:
                return text(mapping(record.payload, "item"), "aggregated_output") or output_text(
                    record.payload
                )
            value = record.document.value
            for key in place.path:
                value = value[key]
            part = self._forms[place.is_lite].normal(record, "", place.path, value).parts[place.part]
        except (SourceFault, Malformed, NotApplicable, LookupError, TypeError):
            return _GONE
        return (
            part.text
            if isinstance(part, TextPart)
            else part.value
            if isinstance(part, EncodedPart)
            else _GONE
        )


_GONE = "(this text cannot be read any more: its file is gone or has changed)"


def _said(part: Part) -> str:
    if isinstance(part, TextPart):
        return part.text
    return part.value if isinstance(part, EncodedPart) else ""


def _far(part: Part, place: Any) -> Part:
    return FarEncodedPart(part.label, place) if isinstance(part, EncodedPart) else FarTextPart(place)


def near_item(item: ConversationItem) -> ConversationItem:
    """An item with all its texts at hand, as it is written elsewhere; the very same if it has no others."""
    if not any(isinstance(part, (FarTextPart, FarEncodedPart)) for part in item.body.parts):
        return item
    made = copy(item)
    made.body = Body([_near_part(part) for part in item.body.parts])
    return made


def _near_part(part: Part) -> Part:
    if isinstance(part, FarTextPart):
        return TextPart(part.text)
    return EncodedPart(part.label, part.value) if isinstance(part, FarEncodedPart) else part


def near_operation(operation: TerminalOperation) -> TerminalOperation:
    """The same of a terminal operation."""
    result = operation.result
    if not isinstance(result, FarTerminalResult):
        return operation
    made = copy(operation)
    made.result = TerminalResult(
        result.exit_code,
        result.stdout,
        result.stderr,
        result.formatted_output,
        result.original_token_count,
        result.chunk_id,
    )
    return made


def near_call(call: InferenceCall) -> InferenceCall:
    """The same of an inference call: with the list of what it saw written out."""
    if not isinstance(call.request_item_ids, SeenItems):
        return call
    made = copy(call)
    made.request_item_ids = call.request_item_ids.whole()
    return made


def near(target: Any) -> Any:
    """Any object of the graph with all that it has at hand."""
    if isinstance(target, ConversationItem):
        return near_item(target)
    if isinstance(target, InferenceCall):
        return near_call(target)
    return near_operation(target) if isinstance(target, TerminalOperation) else target
