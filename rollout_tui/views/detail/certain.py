"""What the detail of an object of a session says of how sure it is: each in its place, and all at the end."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from reducer import ObjectRef
from reducer.certainty import Certainty
from rollout_tui.insight.certainty import MARK, NOT_RECORDED, certainty_of, field_of
from rollout_tui.insight.index import TraceIndex
from rollout_tui.views.detail.facts import Detail

_FACTS: dict[str, tuple[str, ...]] = {
    "execution (its start)": ("started",),
    "execution (its end)": ("ended",),
    "status": ("state", "failure"),
    "runtime_status": ("state", "failure", "runtime says"),
    "request_item_ids": ("received",),
    "requester": ("asked for by",),
    "result.exit_code": ("exit code",),
    "edge": ("from", "to"),
    "body": ("kind",),
    "item": ("kind",),
    "usage": ("tokens",),
}
"""The facts that say a field, which names itself alone or with what of it is meant."""


def add_certainty(detail: Detail, index: TraceIndex) -> None:
    """Mark the facts that were rebuilt, say of others that they were not recorded, and list both.

    Nothing is said of what a trace bundle recorded.
    """
    for known in _certainties(detail, index):
        if known.inferred:
            words = f"{MARK} no record of it is left; it is known by what would have no cause without it"
            detail.add("inferred", words, style="warn")
        for words in known.rebuilt:
            _mark(detail, words)
            detail.add("rebuilt", f"{MARK} {words}", style="muted")
        for words in known.not_recorded:
            _replace(detail, words)
            name, _, more = words.partition(" (")
            more = f": {more.removesuffix(')')}" if more else ""
            detail.add(_name(name), f"{NOT_RECORDED}{more}", style="muted")


def _certainties(detail: Detail, index: TraceIndex) -> Iterator[Certainty]:
    """That of an object; a tool call tells of its terminal operation, too."""
    yield certainty_of(index, detail.ref)
    call = index.trace.tool_calls.get(detail.ref.id) if detail.ref.type == "ToolCall" else None
    if call is not None and call.terminal_operation_id is not None:
        yield certainty_of(index, ObjectRef("TerminalOperation", call.terminal_operation_id))


def _name(field: str) -> str:
    """What a field is called among facts."""
    return field.rpartition(".")[2].replace("_", " ")


def _mark(detail: Detail, words: str) -> None:
    names = _FACTS.get(words) or _FACTS.get(field_of(words), ())
    for place, fact in enumerate(detail.facts):
        if fact.name in names and not fact.value.startswith(MARK):
            detail.facts[place] = replace(fact, value=f"{MARK} {fact.value}")


def _replace(detail: Detail, words: str) -> None:
    """Take away a fact that only says that something is not told: why it is not comes at the end."""
    names = _FACTS.get(words, ())
    detail.facts = [fact for fact in detail.facts if fact.name not in names or fact.value != "not told"]
