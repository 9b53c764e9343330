"""The drift ledger: what stands in events that the format, as this program knows it, does not have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Struct
from msgspec import inspect as types

from reducer.check.report import Place
from reducer.wire.json_text import MAX_DEPTH

MAX_ENTRIES = 1000
"""Different unknown things that are kept apart; a log that was not written by codex may hold any number."""


class Shape(Struct):
    """What may stand at one place of an event.

    Attributes:
        keys: the known keys of an object with what stands under them; None if it is no known object.
        variants: the objects it may be, by the value of `tag`.
        names: the texts it may be; None if it may be any.
        element: what stands in it if it is an array.
    """

    keys: dict[str, Shape] | None = None
    tag: str | None = None
    variants: dict[str, Shape] | None = None
    names: frozenset[str] | None = None
    element: Shape | None = None


def shape_of(struct: type[Struct]) -> Shape:
    """The shape of a declared type; in one that holds others of its own type, it holds itself."""
    return _shape(types.type_info(struct), {})


def _shape(info: types.Type, known: dict[type, Shape]) -> Shape:
    match info:
        case types.Metadata():
            return _shape(info.type, known)
        case types.UnionType():
            return _union([_shape(one, known) for one in info.types])
        case types.StructType():
            return known[info.cls] if info.cls in known else _shape_of_struct(info, known)
        case types.LiteralType():
            return Shape(names=frozenset(map(str, info.values)))
        case types.ListType() | types.VarTupleType():
            return Shape(element=_shape(info.item_type, known))
        case _:
            return Shape()


def _shape_of_struct(info: types.StructType, known: dict[type, Shape]) -> Shape:
    keys: dict[str, Shape] = {}
    if info.tag_field is None:
        shape = Shape(keys=keys)
    else:
        keys[info.tag_field] = Shape()
        shape = Shape(tag=info.tag_field, variants={str(info.tag): Shape(keys=keys)})
    known[info.cls] = shape
    keys.update((one.encode_name, _shape(one.type, known)) for one in info.fields)
    return shape


def _union(shapes: list[Shape]) -> Shape:
    variants: dict[str, Shape] = {}
    found = Shape()
    for one in shapes:
        variants |= one.variants or {}
        if one.keys is not None or one.variants is not None or one.names is not None:
            found = one
    return Shape(found.keys, found.tag, variants or None, found.names, found.element)


class Ledger:
    """Counts unknown keys and unknown names, and remembers the line where each came first."""

    def __init__(self, line: type[Struct]) -> None:
        """Begin with the declared type of a line."""
        self._shape = shape_of(line)
        self._fields: dict[tuple[str, str], list[int]] = {}
        self._names: dict[tuple[str, str], list[int]] = {}
        self._parts: dict[str, dict[str, Any]] = {}
        self.left_out = 0

    def see(self, value: Any, line: int) -> None:
        """Look at one line.

        Args:
            value: the parsed line.
            line: its number.
        """
        payload = value.get("payload") if isinstance(value, dict) else None
        kind = payload.get("type") if isinstance(payload, dict) else None
        self._look(value, self._shape, str(kind), "", line, 0)

    def _look(self, value: Any, shape: Shape, kind: str, path: str, line: int, depth: int) -> None:
        """Compare a value with what may stand there, no deeper than an event may be."""
        if depth > MAX_DEPTH:
            return
        if isinstance(value, list) and shape.element is not None:
            for element in value:
                if not self._was_seen(element):
                    self._look(element, shape.element, kind, f"{path}[]", line, depth + 1)
        elif isinstance(value, str) and shape.names is not None and value not in shape.names:
            self._count(self._names, (path, value), line)
        if not isinstance(value, dict):
            return
        known = shape.keys
        if shape.variants is not None and shape.tag is not None:
            name = value.get(shape.tag)
            found = shape.variants.get(name) if isinstance(name, str) else None
            if found is None:
                if isinstance(name, str):
                    self._count(self._names, (f"{path}.{shape.tag}".lstrip("."), name), line)
                return
            known = found.keys
        if known is None:
            return
        for key, inner in value.items():
            below = f"{path}.{key}" if path else key
            if key in known:
                self._look(inner, known[key], kind, below, line, depth + 1)
            else:
                self._count(self._fields, (kind, below), line)

    def _was_seen(self, part: Any) -> bool:
        """Whether a part of a payload was in the log before: long prompts repeat all that was said."""
        payload_id = part.get("raw_payload_id") if isinstance(part, dict) else None
        if not isinstance(payload_id, str) or "parts" in part:
            return False
        known = self._parts.setdefault(payload_id, part)
        return known is not part and known == part

    def _count(self, entries: dict[tuple[str, str], list[int]], key: tuple[str, str], line: int) -> None:
        entry = entries.get(key)
        if entry is not None:
            entry[0] += 1
        elif len(entries) < MAX_ENTRIES:
            entries[key] = [1, line]
        else:
            self.left_out += 1

    def unknown_fields(self) -> list[Place]:
        """The unknown keys by kind of event, those that came first first."""
        return [
            Place(text=f"{path} of {kind}", line=line, count=count)
            for (kind, path), (count, line) in sorted(self._fields.items(), key=lambda one: one[1][1])
        ]

    def unknown_kinds(self) -> list[Place]:
        """The unknown kinds of event."""
        return self._named(lambda path: path == "payload.type")

    def unknown_names(self) -> list[Place]:
        """The unknown names of other things: of statuses, of kinds of payload or tool."""
        return self._named(lambda path: path != "payload.type")

    def _named(self, wanted: Callable[[str], bool]) -> list[Place]:
        return [
            Place(text=name if path == "payload.type" else f"{name} as {path}", line=line, count=count)
            for (path, name), (count, line) in sorted(self._names.items(), key=lambda one: one[1][1])
            if wanted(path)
        ]


def unknown_manifest_keys(data: bytes, manifest: type[Struct]) -> list[Place]:
    """The keys of a manifest that the format does not have."""
    try:
        value = msgspec.json.decode(data)
    except msgspec.DecodeError:
        return []
    known = shape_of(manifest).keys or {}
    return [Place(text=key) for key in value if key not in known] if isinstance(value, dict) else []
