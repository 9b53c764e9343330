"""The odd spellings that the reference takes, in the plain form that all else reads.

What is told by its `type`, or another tag, the reference first keeps as it came, and only then reads as what
it was declared. Read so, what stands inside may be spelled in more ways than in a text:

- an object as an array of its values in their order; what is left out when it has its default may be missing
  at the end;
- the tag of a variant as the variant's number, from 0; in an array it comes first;
- a name of an enumeration as an object with that name as its only key, over null or an empty object. The kind
  of a payload is different in an array, which must have both of its values: a number stands for it there, and
  no object;
- 0 as `-0`.

All that stands in an event is read so, and all in an item that is a message between agents. The outermost tag
is always a name.
"""

from __future__ import annotations

from copy import deepcopy
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from msgspec import NODEFAULT, Struct
from msgspec.structs import FieldInfo, fields

from reducer.wire.json_text import Numeral, RepeatableKeys

_fields = cache(fields)


def spell_plainly(value: Any, line: type[Struct]) -> Any:
    """A line of the log with its event in the plain form; what is no event is left as it is.

    Args:
        value: the line as it was parsed; it may be changed.
        line: what a line is in the schema of the bundle.
    """
    names = line.__struct_encode_fields__
    if isinstance(value, list) and len(value) == len(names):
        value = RepeatableKeys([*zip(names, value, strict=True)])
    if isinstance(value, dict) and "payload" in value:
        (event,) = (field.type for field in _fields(line) if field.name == "payload")
        value["payload"] = _variant(value["payload"], _forms(event), is_numbered=False)
    return value


def spelled_plainly(value: Any, type_: Any) -> Any:
    """A part of a payload in its plain form, as far as it is one of a declared type.

    Args:
        value: the part as it was parsed; it stays as it is.
        type_: the declared type.
    """
    return _plain(deepcopy(value), type_, is_kept=False)


def _plain(value: Any, type_: Any, *, is_kept: bool = True) -> Any:
    """A value in its plain form, as far as it is one of a declared type.

    Args:
        value: what was parsed; it may be changed.
        type_: the declared type.
        is_kept: whether the reference reads what it has kept, rather than a text or a payload.
    """
    forms = _forms(type_)
    form = forms[0]
    if get_origin(form) is Literal:
        return _name(value, get_args(form), is_kept)
    if form is int:
        is_zero = isinstance(value, Numeral) and value.text == "0"  # all other numerals are longer
        return 0 if is_zero and is_kept else value
    if get_origin(form) in (list, tuple):  # of a pair, only the number may be spelled oddly
        inner = get_args(form)[0]
        return [_plain(one, inner, is_kept=is_kept) for one in value] if isinstance(value, list) else value
    if not _is_struct(form):
        return value
    if _tag_field(form) is None:
        return _object(value, form, is_kept)
    return _variant(value, forms, is_numbered=is_kept)


def _variant(value: Any, forms: tuple[Any, ...], *, is_numbered: bool) -> Any:
    """An object that is told by its tag."""
    tag_field = str(_tag_field(forms[0]))
    rest: list[Any] | None = None
    if isinstance(value, list) and value:
        tag, *rest = value
    elif isinstance(value, dict) and tag_field in value:
        tag = value[tag_field]
    else:
        return value
    if is_numbered and type(tag) is int and 0 <= tag < len(forms):
        tag = _tag(forms[tag])
    form = next((form for form in forms if _tag(form) == tag), None)
    if form is None:
        return value
    if rest is None:
        value[tag_field] = tag
        return _object(value, form, is_kept=True)
    content = _object(rest, form, is_kept=True)
    return RepeatableKeys([(tag_field, tag), *content.items()]) if isinstance(content, dict) else value


def _object(value: Any, form: Any, is_kept: bool) -> Any:
    """An object of which it is known what it must be."""
    declared = _fields(form)
    if isinstance(value, list):
        if not (is_kept and _least(form) <= len(value) <= len(declared)):
            return value
        if declared and declared[-1].type is NoneType:
            value = _labelled(value, declared[0])
        value = RepeatableKeys([*zip((one.encode_name for one in declared), value, strict=False)])
    if isinstance(value, dict):
        for one in declared:
            if one.encode_name in value:
                value[one.encode_name] = _plain(value[one.encode_name], one.type, is_kept=is_kept)
    return value


def _labelled(value: list[Any], label: FieldInfo) -> list[Any]:
    """The two values of a label: here it has a number or a name, and is never an object."""
    given, names = value[0], get_args(label.type)
    if type(given) is int and 0 <= given < len(names):
        return [names[given], *value[1:]]
    return value if isinstance(given, str) else [None, *value[1:]]


def _name(value: Any, names: tuple[Any, ...], is_kept: bool) -> Any:
    """A name of an enumeration."""
    if isinstance(value, dict) and len(value) == 1:
        ((name, content),) = value.items()
        if name in names and (content is None or (is_kept and content == {})):
            return name
    return value


@cache
def _forms(type_: Any) -> tuple[Any, ...]:
    """What a value of a type may be, without null and limits."""
    if get_origin(type_) is Annotated:
        return _forms(get_args(type_)[0])
    if get_origin(type_) in (Union, UnionType):
        return tuple(form for one in get_args(type_) if one is not NoneType for form in _forms(one))
    return (type_,)


@cache
def _least(form: Any) -> int:
    """How many values an array must have to stand for an object; the last ones may be left out at times."""
    declared = _fields(form)
    if not _class(form).__struct_config__.omit_defaults:
        return len(declared)
    required = [at for at, one in enumerate(declared) if one.default is NODEFAULT or one.type is NoneType]
    return max(required, default=-1) + 1


def _class(form: Any) -> type[Struct]:
    """The declared class of a form, which may be generic."""
    found: type[Struct] = get_origin(form) or form
    return found


def _is_struct(form: Any) -> bool:
    found = _class(form)
    return isinstance(found, type) and issubclass(found, Struct)


def _tag_field(form: Any) -> str | None:
    return _class(form).__struct_config__.tag_field


def _tag(form: Any) -> str | int | None:
    return _class(form).__struct_config__.tag
