"""References from events to payloads: to files in schemas 1 and 2, to records of shards in schema 3."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct, field

from reducer.wire.typed_json import converted

U64 = Annotated[int, Meta(ge=0)]
"""The readers of JSON give integers of more than 64 bits in forms that no integer field accepts."""

PayloadKindName = Literal[
    "inference_request",
    "inference_response",
    "compaction_request",
    "compaction_checkpoint",
    "compaction_response",
    "tool_invocation",
    "tool_result",
    "tool_runtime_event",
    "terminal_runtime_event",
    "protocol_event",
    "session_metadata",
    "agent_result",
]
ShardedKindName = Literal[
    "inference_request",
    "prepared_prompt",
    "model_item",
    "content_value",
    "warmup_context",
    "inference_response",
    "compaction_request",
    "compaction_checkpoint",
    "compaction_response",
    "tool_invocation",
    "tool_result",
    "tool_runtime_event",
    "terminal_runtime_event",
    "protocol_event",
    "session_metadata",
    "agent_result",
]


class PayloadKind(Struct, frozen=True, omit_defaults=True):
    """Label of a payload. The format tolerates a `value` key, but only when it is null."""

    type: PayloadKindName
    value: None = None


class ShardedKind(Struct, frozen=True, omit_defaults=True):
    """Label of a payload in schema 3, which has more of them."""

    type: ShardedKindName
    value: None = None


class Complete(Struct, frozen=True, tag_field="status", tag="complete"):
    """The payload was kept whole."""


class Truncated(Struct, frozen=True, tag_field="status", tag="truncated"):
    """Only the first `retained_bytes` of `original_bytes` were kept; they may end anywhere."""

    original_bytes: U64
    retained_bytes: U64


class Omitted(Struct, frozen=True, tag_field="status", tag="omitted"):
    """Nothing was kept of `original_bytes`."""

    original_bytes: U64


Capture = Complete | Truncated | Omitted
COMPLETE = Complete()


class PayloadRef(Struct, frozen=True):
    """Names a payload. What else a reference tells depends on how the schema stores payloads.

    Attributes:
        raw_payload_id: such as `raw_payload:7`.
        kind: what the payload is.
    """

    raw_payload_id: str
    kind: PayloadKind | ShardedKind

    @property
    def place(self) -> str:
        """Where in the bundle the payload is, in a form that says it to a person."""
        raise NotImplementedError

    @property
    def is_lost(self) -> bool:
        """Whether a limit of the recorder cut the payload or left it out; such a payload is never parsed."""
        return False

    @property
    def has_parts(self) -> bool:
        """Whether it is put together from other payloads; then what it holds itself is not all of it."""
        return False

    def lost_parts(self) -> Iterator[PayloadRef]:
        """The parts, at any depth, that a limit of the recorder cut or left out."""
        return iter(())

    @property
    def is_partial(self) -> bool:
        """Whether the payload, or a part of it at any depth, is lost."""
        return self.is_lost or next(self.lost_parts(), None) is not None


class FileRef(PayloadRef, frozen=True):
    """A payload in a file of its own; `path` is relative to the bundle directory."""

    kind: PayloadKind
    path: str

    @property
    def place(self) -> str:
        """The path as the event has it."""
        return self.path


def _absent() -> None:
    """A default that is written out, unlike one that is named."""


class ShardRef(PayloadRef, frozen=True, omit_defaults=True, cache_hash=True):
    """A payload in a record of a shard.

    Attributes:
        shard: number of the shard; None when nothing was kept.
        capture: how much was kept.
        parts: what stands between the fragments that the record holds; none when the record is the payload.
    """

    kind: ShardedKind
    shard: U64 | None = field(default_factory=_absent)
    capture: Capture = COMPLETE
    parts: tuple[ShardRef, ...] = ()

    @property
    def place(self) -> str:
        """Shard and record, such as `payloads/000001.zst#raw_payload:7`."""
        file = "payloads" if self.shard is None else shard_path(self.shard)
        return f"{file}#{self.raw_payload_id}"

    @property
    def is_lost(self) -> bool:
        """Whether it is truncated or omitted."""
        return not isinstance(self.capture, Complete)

    @property
    def has_parts(self) -> bool:
        """Whether it has parts."""
        return bool(self.parts)

    def lost_parts(self) -> Iterator[PayloadRef]:
        """The lost parts in order; what a lost part consists of is not looked at."""
        for part in self.parts:
            if part.is_lost:
                yield part
            else:
                yield from part.lost_parts()


def common_parts(one: tuple[ShardRef, ...], other: tuple[ShardRef, ...]) -> int:
    """How many parts at the beginning of both lists are the same."""
    least = min(len(one), len(other))
    if one[:least] == other[:least]:
        return least
    return next(at for at, (left, right) in enumerate(zip(one, other, strict=False)) if left != right)


def shard_path(number: int) -> str:
    """Path of a shard in its bundle: at least six digits, whatever the manifest says."""
    return f"payloads/{number:06d}.zst"


def read_ref(value: object) -> PayloadRef | None:
    """A reference as it stands in a parsed line, in the form of whichever schema; None if it is none."""
    if not isinstance(value, dict) or "raw_payload_id" not in value:
        return None
    forms: tuple[type[PayloadRef], ...] = (FileRef, ShardRef) if "path" in value else (ShardRef, FileRef)
    for form in forms:
        try:
            return converted(value, form)
        except msgspec.ValidationError:
            continue
    return None
