"""The context of an agent call by call, and where the cache of the provider broke, and why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

from msgspec import Struct
from msgspec.structs import replace

from reducer import ObjectRef
from reducer.model import InferenceCall
from reducer.wire.payload_refs import PayloadRef
from rollout_tui.insight.compaction.rewrites import Rewrite, rewrite_between
from rollout_tui.insight.contexts.prefix import SMALLEST_CACHED, prefix_break
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.tokens.sums import TokenSum, tokens_of

Read = Callable[[PayloadRef], Any]
"""Gives a payload parsed; None where it cannot be read."""

Cause = Literal[
    "compaction", "rewritten history", "model", "instructions", "tools", "item", "nothing", "not looked at"
]
"""What differs first. `nothing`: all that was compared is the same, so the cache expired or was another's."""

LOOKED_INTO = 40
"""Breaks of an agent whose requests are read and compared, those that cost most."""


class CacheBreak(Struct, frozen=True):
    """A call of which less was cached than the call before had sent.

    Attributes:
        lost: tokens that the call before had sent, and that were not cached.
        cause: what differs first.
        place: which item of the context that is, from 1; None if it is no item.
        before: the id of the item that stood there before; None if there was none.
        now: the id of the item that stands there now, likewise.
        ref: the compaction, or the call that shows the rewritten history.
        since_ms: milliseconds since the call before ended, by which a cache may have expired.
    """

    lost: int
    cause: Cause
    place: int | None = None
    before: str | None = None
    now: str | None = None
    ref: ObjectRef | None = None
    since_ms: int | None = None


class CallContext(Struct, frozen=True):
    """What a call had before it, and what it answered.

    Attributes:
        ref: the call.
        thread_id: its agent.
        number: which call of the agent it is, from 1.
        seq: with which event it began.
        model: the model.
        items: how many items it had.
        tokens: exact, as far as they were told.
        is_compacted: whether the history was compacted since the call before.
        cache_break: where less was cached than could be; None elsewhere.
    """

    ref: ObjectRef
    thread_id: str
    number: int
    seq: int
    model: str
    items: int
    tokens: TokenSum
    is_compacted: bool
    cache_break: CacheBreak | None


def call_contexts(index: TraceIndex, thread_id: str, read: Read) -> list[CallContext]:
    """The contexts of all calls of an agent, in order.

    Lists of ids are compared as wholes; items are looked at only where they differ.

    Args:
        index: the graph.
        thread_id: the agent.
        read: reads the requests of the breaks that cost most, at most `LOOKED_INTO` times two.
    """
    calls = index.contents[thread_id].calls
    found = [
        CallContext(
            ObjectRef("InferenceCall", call.inference_call_id),
            thread_id,
            place + 1,
            call.execution.started_seq,
            call.model,
            len(call.request_item_ids),
            tokens_of(call),
            place > 0 and _is_compacted(index, calls[place - 1], call),
            None,
        )
        for place, call in enumerate(calls)
    ]
    dearest = sorted(_breaks(calls), key=lambda one: -one[2])
    for rank, (place, base, lost) in enumerate(dearest):
        broken = _break(index, base, calls[place], lost, read if rank < LOOKED_INTO else None)
        found[place] = replace(found[place], cache_break=broken)
    return found


def _is_compacted(index: TraceIndex, before: InferenceCall, call: InferenceCall) -> bool:
    if _installed_between(index, before, call) is not None:
        return True
    if call.request_item_ids[: len(before.request_item_ids)] == before.request_item_ids:
        return False
    rewrite = rewrite_between(index, before, call)
    return rewrite is not None and rewrite.kind == "compacted"


def _installed_between(index: TraceIndex, before: InferenceCall, call: InferenceCall) -> ObjectRef | None:
    """The last compaction that was installed between two calls."""
    first, last = before.execution.started_seq, call.execution.started_seq
    for seq, compaction in reversed(index.installs_of(call.thread_id)):
        if seq < first:
            return None
        if seq < last:
            return ObjectRef("Compaction", compaction.compaction_id)
    return None


def _breaks(calls: Sequence[InferenceCall]) -> list[tuple[int, InferenceCall, int]]:
    """The places of calls of which less was cached than before, the call before each, and what was lost.

    A provider that never had anything cached has no cache that could break.
    """
    if not any(call.usage is not None and call.usage.cached_input_tokens for call in calls):
        return []
    found, base = [], None
    for place, call in enumerate(calls):
        if call.usage is None:
            continue
        if base is not None and base.usage is not None:
            sent, cached = base.usage.input_tokens, call.usage.cached_input_tokens
            lost = min(sent, call.usage.input_tokens) - cached
            known = base.usage.cached_input_tokens
            fell = cached < known or (cached == 0 and sent >= SMALLEST_CACHED)
            if lost > 0 and fell:
                found.append((place, base, lost))
        base = call
    return found


def _break(
    index: TraceIndex, base: InferenceCall, call: InferenceCall, lost: int, read: Read | None
) -> CacheBreak:
    """Why a cache broke: what differs first in the order in which a request has it."""
    ended = base.execution.ended_at_unix_ms
    since = None if ended is None else max(0, call.execution.started_at_unix_ms - ended)
    found = CacheBreak(lost, "nothing", since_ms=since)
    if base.model != call.model:
        return replace(found, cause="model")
    part = None if read is None else _differing_part(index, base, call, read)
    if part is not None:
        return replace(found, cause=part)
    compaction = _installed_between(index, base, call)
    if compaction is not None:
        return replace(found, cause="compaction", ref=compaction)
    prefix = prefix_break(index, base, call)
    if prefix.continues:
        return found if read is not None else replace(found, cause="not looked at")
    rewrite = rewrite_between(index, base, call)
    return replace(
        found,
        cause=_cause_of(rewrite),
        place=prefix.shared + 1,
        before=prefix.lost,
        now=prefix.found,
        ref=ObjectRef("InferenceCall", call.inference_call_id),
    )


def _cause_of(rewrite: Rewrite | None) -> Cause:
    if rewrite is None or rewrite.kind == "edited":
        return "item"
    return "compaction" if rewrite.kind == "compacted" else "rewritten history"


def _differing_part(
    index: TraceIndex, base: InferenceCall, call: InferenceCall, read: Read
) -> Literal["instructions", "tools"] | None:
    """What stands before the items and differs. A request that does not say it goes on with what was said."""
    one, other = (_request(index, each, read) for each in (base, call))
    # Providers put the definitions of tools before the instructions.
    for name in ("tools", "instructions"):
        if name in one and name in other and one[name] != other[name]:
            return "tools" if name == "tools" else "instructions"
    return None


def _request(index: TraceIndex, call: InferenceCall, read: Read) -> dict[str, Any]:
    ref = index.trace.raw_payloads.get(call.raw_request_payload_id)
    value = None if ref is None or ref.is_lost else read(ref)
    return value if isinstance(value, dict) else {}
