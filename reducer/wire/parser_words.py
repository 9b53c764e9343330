"""How the reference's parser words it when a part of a payload is not of its declared type.

Wanted only where these words come first in what the reference says: for `Problem.reference_says`. Its parser
goes through the keys of an object in their order and stops at the first value that is wrong; only then it
looks for what is missing, in order of declaration. So each declared type is a table here: of every key the
rule for its value, and whether it must be there.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from itertools import chain, count
from math import isfinite
from typing import Any

from reducer.wire.json_text import Numeral
from reducer.wire.tool_kinds import quoted

Fault = str | None
"""What the reference says of a value, or None if it takes it."""

Rule = Callable[[Any], Fault]
Table = dict[str, tuple[Rule, bool]]

_U64 = 2**64


def fault_of_command_end(value: Any) -> str:
    """What is wrong with the payload that ends a command, which is not one."""
    return _fault_of(value, "ExecCommandEndPayload", _COMMAND_END) or ""


def fault_of_activity(value: Any) -> Fault:
    """What is wrong with the activity of an agent."""
    return _fault_of(value, "SubAgentActivityEvent", _ACTIVITY)


def fault_of_message(value: Any, *, ended: bool) -> Fault:
    """What is wrong with the older form of a message to an agent."""
    if ended:
        return _fault_of(value, "CollabAgentInteractionEndEvent", _MESSAGE_END)
    return _fault_of(value, "CollabAgentInteractionBeginEvent", _MESSAGE_BEGIN)


def fault_of_close(value: Any, *, ended: bool) -> Fault:
    """What is wrong with the older form of the closing of an agent."""
    if ended:
        return _fault_of(value, "CollabCloseEndEvent", _CLOSE_END)
    return _fault_of(value, "CollabCloseBeginEvent", _CLOSE_BEGIN)


def fault_of_spawn_end(value: Any) -> Fault:
    """What is wrong with the older form of a finished spawn."""
    return _fault_of(value, "CollabAgentSpawnEndEvent", _SPAWN_END)


def fault_of_message_content(value: Any) -> Fault:
    """What is wrong with an element of the content of an agent message, as `JsonDocument.exact` gives it."""
    if isinstance(value, list):
        entries = [*zip(chain(("type",), count()), value, strict=False)]
    elif isinstance(value, dict):
        entries = [*value.items()]
    else:
        said = _unexpected_kept(value, "internally tagged enum AgentMessageInputContent")
        return _NO_TYPE if said.startswith("invalid type: map") else said
    for key, one in entries:
        fault = _content_type(one) if key == "type" else _unkeepable(one)
        if fault is not None:
            return fault
    kept = dict(entries)
    if "type" not in kept:
        return _NO_TYPE
    variant, field = _CONTENT[kept.pop("type")]
    if isinstance(value, dict):
        return _kept_text(kept[field]) if field in kept else f"missing field `{field}`"
    if not kept:
        return f"invalid length 0, expected struct variant AgentMessageInputContent::{variant} with 1 element"
    long = None if len(kept) == 1 else f"invalid length {len(kept)}, expected 1 element in sequence"
    return _kept_text(kept[0]) or long


_NO_TYPE = "missing field `type`"
_CONTENT = {
    "input_text": ("InputText", "text"),
    "encrypted_content": ("EncryptedContent", "encrypted_content"),
}


def _content_type(value: Any) -> Fault:
    if not isinstance(value, str):
        return _unexpected(value, "variant identifier")
    names = " or ".join(f"`{name}`" for name in _CONTENT)
    return None if value in _CONTENT else f"unknown variant `{value}`, expected {names}"


def _unkeepable(value: Any) -> Fault:
    """What the parser says if it cannot keep a value until it knows what it must be."""
    if isinstance(value, (dict, list)):
        inner = value.values() if isinstance(value, dict) else value
        return next((fault for one in inner if (fault := _unkeepable(one)) is not None), None)
    wide = isinstance(value, Numeral) and value.is_wide_integer()
    return _unexpected_kept(value, "any value") if wide else None


def _kept_text(value: Any) -> Fault:
    return None if isinstance(value, str) else _unexpected_kept(value, "a string")


def _unexpected_kept(value: Any, expected: str) -> str:
    """As `_unexpected`, of a value that was kept: here the parser looks at what a number is."""
    if isinstance(value, Numeral):
        return f"invalid type: {_kept_numeral(value)}, expected {expected}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"invalid type: integer `{value}`, expected {expected}"
    return _unexpected(value, expected)


def _kept_numeral(value: Numeral) -> str:
    """Only a number that a float spells back is one; any other is kept in a map."""
    if value.is_wide_integer():
        return f"integer `{value}` as {'i' if value.text.startswith('-') else 'u'}128"
    number = float(value.text)
    if not isfinite(number):
        return "map"
    plain = format(Decimal(repr(number)), "f").removesuffix(".0")
    shown = plain if "." in plain else f"{plain}.0"
    if number and not 1e-5 <= abs(number) < 1e16:
        shown = repr(number).replace("e-0", "e-")
    return f"floating point `{shown}`" if value.text in (shown, plain) else "map"


def _fault_of(value: Any, name: str, table: Table) -> Fault:
    if isinstance(value, list):
        # An array may stand for the object; what is said of one that may not is not told here.
        return None
    if not isinstance(value, dict):
        return _unexpected(value, f"struct {name}")
    for key, one in value.items():
        fault = table[key][0](one) if key in table else None
        if fault is not None:
            return fault
    missing = (key for key, (_, required) in table.items() if required and key not in value)
    return next((f"missing field `{key}`" for key in missing), None)


def _unexpected(value: Any, expected: str) -> str:
    if value is None:
        what = "null"
    elif isinstance(value, bool):
        what = f"boolean `{str(value).lower()}`"
    elif isinstance(value, (int, float, Numeral)):
        what = "number"
    elif isinstance(value, str):
        what = f"string {quoted(value)}"
    else:
        what = "sequence" if isinstance(value, list) else "map"
    return f"invalid type: {what}, expected {expected}"


def _text(value: Any) -> Fault:
    return None if isinstance(value, str) else _unexpected(value, "a string")


def _effort(value: Any) -> Fault:
    return "reasoning_effort must not be empty" if value == "" else _text(value)


def _integer(name: str, bits: int) -> Rule:
    def rule(value: Any) -> Fault:
        if isinstance(value, bool) or not isinstance(value, (int, float, Numeral)):
            return _unexpected(value, name)
        if not isinstance(value, int) or not -(2**63) <= value < 2**63:
            return "invalid number"
        if not -(2 ** (bits - 1)) <= value < 2 ** (bits - 1):
            return f"invalid value: integer `{value}`, expected {name}"
        return None

    return rule


def _optional(rule: Rule) -> tuple[Rule, bool]:
    return (lambda value: None if value is None else rule(value)), False


_PATH_CHARACTERS = re.compile("[a-z0-9_]*")


def _agent_path(value: Any) -> Fault:
    if not isinstance(value, str) or value in ("/root", "/morpheus"):
        return _text(value)
    if not value.startswith("/root/"):
        return "absolute agent paths must start with `/root` or be `/morpheus`"
    if value.endswith("/"):
        return "absolute agent path must not end with `/`"
    names = value.removeprefix("/root/").split("/")
    return next((fault for name in names if (fault := _agent_name(name)) is not None), None)


def _agent_name(name: str) -> Fault:
    if not name:
        return "agent_name must not be empty"
    if name in ("root", ".", ".."):
        return f"agent_name `{name}` is reserved"
    if _PATH_CHARACTERS.fullmatch(name) is None:
        return "agent_name must use only lowercase letters, digits, and underscores"
    return None


_GROUP_STARTS = (0, 9, 14, 19, 24)
_GROUP_LENGTHS = (8, 4, 4, 4, 12)


def _uuid(value: Any) -> Fault:
    if not isinstance(value, str):
        return _text(value)
    digits, offset = value, 0
    if value.startswith("{") and value.endswith("}") and len(value) > 1:
        digits, offset = value[1:-1], 1
    elif value.startswith("urn:uuid:"):
        offset = len("urn:uuid:")
        digits = value[offset:]
    odd = re.search("[^-0-9a-fA-F]", digits)
    if odd is not None:
        position = offset + len(digits[: odd.start()].encode()) + 1
        return (
            f"invalid character: expected an optional prefix of `urn:uuid:` followed by [0-9a-fA-F-], "
            f"found `{odd[0]}` at {position}"
        )
    return _fault_of_groups(digits, offset, len(value))


def _fault_of_groups(digits: str, offset: int, length: int) -> Fault:
    hyphens = [index for index, character in enumerate(digits) if character == "-"]
    if not hyphens and not offset:
        found = f"invalid length: expected length 32 for simple format, found {length}"
        return None if length == 32 else found
    if len(hyphens) != 4:
        return f"invalid group count: expected 5, found {len(hyphens) + 1}"
    for group, hyphen in enumerate(hyphens):
        if hyphen != _GROUP_STARTS[group + 1] - 1:
            return _bad_group(group, hyphen - _GROUP_STARTS[group])
    return None if len(digits) == 36 else _bad_group(4, length - _GROUP_STARTS[4])


def _bad_group(group: int, found: int) -> str:
    expected = _GROUP_LENGTHS[group]
    return f"invalid group length in group {group}: expected {expected}, found {found % _U64}"


def _variant(*names: str) -> Rule:
    listed = ", ".join(f"`{name}`" for name in names)

    def rule(value: Any) -> Fault:
        if isinstance(value, dict):
            if len(value) != 1:
                return "invalid value: map, expected map with a single key"
            ((name, content),) = value.items()
            fault = None if content is None else _unexpected(content, "unit")
        elif isinstance(value, str):
            name, fault = value, None
        else:
            return _unexpected(value, "string or map")
        return fault if name in names else f"unknown variant `{name}`, expected one of {listed}"

    return rule


_NAMES_OF_STATUS = (
    "pending_init",
    "running",
    "interrupted",
    "completed",
    "errored",
    "shutdown",
    "not_found",
)
_plain_status = _variant(*_NAMES_OF_STATUS)


def _status(value: Any) -> Fault:
    if value in ("completed", "errored"):
        return "invalid type: unit variant, expected newtype variant"
    if isinstance(value, dict) and len(value) == 1:
        ((name, content),) = value.items()
        if name == "errored" or (name == "completed" and content is not None):
            return _text(content)
    return _plain_status(value)


_TEXT, _UUID, _STATUS = (_text, True), (_uuid, True), (_status, True)
_TIME = (_integer("i64", 64), False)
_NAME = _optional(_text)

_COMMAND_END: Table = {
    "process_id": _optional(_text),
    "exit_code": (_integer("i32", 32), True),
    "aggregated_output": (_text, False),
}
_ACTIVITY: Table = {
    "event_id": _TEXT,
    "occurred_at_ms": _TIME,
    "agent_thread_id": _UUID,
    "agent_path": (_agent_path, True),
    "kind": (_variant("started", "interacted", "interrupted", "completed"), True),
    "model": _NAME,
    "reasoning_effort": _optional(_effort),
}
_CLOSE_BEGIN: Table = {
    "call_id": _TEXT,
    "started_at_ms": _TIME,
    "sender_thread_id": _UUID,
    "receiver_thread_id": _UUID,
}
_MESSAGE_BEGIN: Table = {**_CLOSE_BEGIN, "prompt": _TEXT}
_RECEIVED: Table = {
    "call_id": _TEXT,
    "completed_at_ms": _TIME,
    "sender_thread_id": _UUID,
    "receiver_thread_id": _UUID,
    "receiver_agent_nickname": _NAME,
    "receiver_agent_role": _NAME,
}
_CLOSE_END: Table = {**_RECEIVED, "status": _STATUS}
_MESSAGE_END: Table = {**_RECEIVED, "prompt": _TEXT, "status": _STATUS}
_SPAWN_END: Table = {
    "call_id": _TEXT,
    "completed_at_ms": _TIME,
    "sender_thread_id": _UUID,
    "new_thread_id": _optional(_uuid),
    "new_agent_nickname": _NAME,
    "new_agent_role": _NAME,
    "prompt": _TEXT,
    "model": _TEXT,
    "reasoning_effort": (_effort, True),
    "status": _STATUS,
}
