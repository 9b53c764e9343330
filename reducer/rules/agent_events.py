"""Runtime payloads of agent tools, and agent messages that travel as JSON text, as declared types."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from reducer.errors import Inconsistent, Malformed
from reducer.wire.events import I64
from reducer.wire.parser_words import fault_of_activity, fault_of_close, fault_of_message, fault_of_spawn_end
from reducer.wire.typed_json import convert, decode_strictly

_UUID_DIGITS = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_UUID = re.compile(rf"[0-9a-fA-F]{{32}}|(?:urn:uuid:)?{_UUID_DIGITS}|\{{{_UUID_DIGITS}\}}")
_AGENT_PATH = re.compile(r"/root|/morpheus|/root(?:/(?!root(?:/|\Z))[a-z0-9_]+)+")

ActivityKind = Literal["started", "interacted", "interrupted", "completed"]
NonEmpty = Annotated[str, Meta(min_length=1)]


class Activity(Struct, kw_only=True):
    """What a sub-agent did, as the tool call that caused it reports."""

    event_id: str
    occurred_at_ms: I64 = 0
    agent_thread_id: str
    agent_path: str
    kind: ActivityKind
    model: str | None = None
    reasoning_effort: NonEmpty | None = None


class Message(Struct, kw_only=True):
    """A message to an agent (older form)."""

    call_id: str
    sender_thread_id: str
    receiver_thread_id: str
    prompt: str


class MessageBegin(Message, kw_only=True):
    """A message to an agent, begun (older form)."""

    started_at_ms: I64 = 0


class MessageEnd(Message, kw_only=True):
    """A message to an agent, delivered (older form)."""

    completed_at_ms: I64 = 0
    receiver_agent_nickname: str | None = None
    receiver_agent_role: str | None = None
    status: Any


class Close(Struct, kw_only=True):
    """The closing of an agent (older form)."""

    call_id: str
    sender_thread_id: str
    receiver_thread_id: str


class CloseBegin(Close, kw_only=True):
    """The closing of an agent, begun (older form)."""

    started_at_ms: I64 = 0


class CloseEnd(Close, kw_only=True):
    """The closing of an agent, done (older form)."""

    completed_at_ms: I64 = 0
    receiver_agent_nickname: str | None = None
    receiver_agent_role: str | None = None
    status: Any


class SpawnEnd(Struct, kw_only=True):
    """The spawning of an agent, done (older form); without a new thread nothing was spawned."""

    call_id: str
    completed_at_ms: I64 = 0
    sender_thread_id: str
    new_thread_id: str | None = None
    new_agent_nickname: str | None = None
    new_agent_role: str | None = None
    prompt: str
    model: str
    reasoning_effort: NonEmpty
    status: Any


class ToldMessage(Struct):
    """The arguments of a tool that sends a message."""

    message: str


class WrittenMessage(Struct, kw_only=True):
    """A message between agents in the form of JSON text."""

    author: str
    recipient: str
    content: str
    trigger_turn: bool
    other_recipients: list[str] = []
    id: str | None = None
    encrypted_content: str | None = None


def read_activity(value: Any, what: str) -> Activity:
    """A sub-agent activity, its thread id in lower case with hyphens.

    Raises:
        Inconsistent: it is not one.
    """
    with _said_by_reference(fault_of_activity, value):
        activity = convert(value, Activity, what)
        activity.agent_thread_id = _uuid(activity.agent_thread_id, what)
        if not is_agent_path(activity.agent_path):
            raise Inconsistent(f"{what}: {activity.agent_path!r} is not an agent path")
    return activity


def read_message(value: Any, what: str, *, ended: bool) -> Message:
    """The older form of a message to an agent; with a status when it has ended.

    Raises:
        Inconsistent: it is not one.
    """
    with _said_by_reference(partial(fault_of_message, ended=ended), value):
        message = convert(value, MessageEnd if ended else MessageBegin, what)
        _check_status(message, what)
        message.sender_thread_id = _uuid(message.sender_thread_id, what)
        message.receiver_thread_id = _uuid(message.receiver_thread_id, what)
    return message


def read_close(value: Any, what: str, *, ended: bool) -> Close:
    """The older form of the closing of an agent; with a status when it has ended.

    Raises:
        Inconsistent: it is not one.
    """
    with _said_by_reference(partial(fault_of_close, ended=ended), value):
        close = convert(value, CloseEnd if ended else CloseBegin, what)
        _check_status(close, what)
        close.sender_thread_id = _uuid(close.sender_thread_id, what)
        close.receiver_thread_id = _uuid(close.receiver_thread_id, what)
    return close


def read_spawn_end(value: Any, what: str) -> SpawnEnd:
    """The older form of a finished spawn.

    Raises:
        Inconsistent: it is not one.
    """
    with _said_by_reference(fault_of_spawn_end, value):
        spawn = convert(value, SpawnEnd, what)
        _check_status(spawn, what)
        spawn.sender_thread_id = _uuid(spawn.sender_thread_id, what)
        if spawn.new_thread_id is not None:
            spawn.new_thread_id = _uuid(spawn.new_thread_id, what)
    return spawn


def read_written_message(text: str) -> WrittenMessage | None:
    """A text as a message between agents, if it is one."""
    if not text.lstrip(" \t\n\r").startswith("{"):
        return None
    try:
        message = decode_strictly(text.encode(errors="surrogatepass"), WrittenMessage)
    except Malformed:
        return None
    paths = [message.author, message.recipient, *message.other_recipients]
    return message if all(map(is_agent_path, paths)) else None


def is_agent_path(text: str) -> bool:
    """Whether a text is a path such as `/root/researcher`."""
    return _AGENT_PATH.fullmatch(text) is not None


@contextmanager
def _said_by_reference(fault_of: Callable[[Any], str | None], value: Any) -> Iterator[None]:
    """Add to a refusal what the reference says of the value."""
    try:
        yield
    except Inconsistent as error:
        raise Inconsistent(str(error), fault_of(value)) from None


def _uuid(text: str, what: str) -> str:
    if _UUID.fullmatch(text) is None:
        raise Inconsistent(f"{what}: {text!r} is not a UUID")
    digits = text.lower().removeprefix("urn:uuid:").strip("{}").replace("-", "")
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _check_status(event: Message | Close | SpawnEnd, what: str) -> None:
    """Ended events carry an agent status."""
    if isinstance(event, (MessageEnd, CloseEnd, SpawnEnd)) and not _is_agent_status(event.status):
        raise Inconsistent(f"{what}: {event.status!r} is not an agent status")


def _is_agent_status(value: Any) -> bool:
    if isinstance(value, dict) and len(value) == 1:
        (name, content) = next(iter(value.items()))
        if name == "completed":
            return content is None or isinstance(content, str)
        if name == "errored":
            return isinstance(content, str)
        return name in _PLAIN_STATUSES and content is None
    return isinstance(value, str) and value in _PLAIN_STATUSES


_PLAIN_STATUSES = frozenset({"pending_init", "running", "interrupted", "shutdown", "not_found"})
