"""What the model saw of a code cell in the end, and what stayed with the script.

That a model saw an output is in the log: the output is an item of its context. Whether it saw the result of
a nested call is a judgement by the text: the script may print a result whole, in part, worded anew or not at
all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

from msgspec import Struct

from reducer import ObjectRef
from reducer.model import ConversationItem, ToolCall
from reducer.wire.payload_refs import PayloadRef
from rollout_tui.insight.cells.js_calls import uncalled_sites
from rollout_tui.insight.cells.steps import CellSteps
from rollout_tui.insight.cells.texts import (
    call_items,
    exec_call,
    exec_items,
    first_call_that_saw,
    item_text,
    json_in,
    output_words,
    part_text,
    received,
    strings_in,
    unseen_words,
)
from rollout_tui.insight.certainty import NOT_RECORDED
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.tools.words import tool_label, tool_words
from rollout_tui.texts.short_forms import one_line, plural

TELLING_CHARS = 12
"""A shorter text within another line proves nothing: it may stand there by chance."""

MAX_LINES_SOUGHT = 200
"""Lines of one result that are looked for inside other lines, each of which costs a search."""

MAX_RESULTS = 500
"""Nested calls whose results are judged; a loop may make any number."""

_UNTOLD_KEYS = frozenset({"type", "mimeType", "chunk_id", "data", "annotations"})
"""Texts of a result that say nothing by themselves."""

Seen = Literal["seen", "part", "unseen", "unknown", "empty"]


class SeenRow(Struct, frozen=True):
    """Something of a cell, and whether the model saw it.

    Attributes:
        seen: whether it did.
        what: what it is about.
        words: more about that.
        ref: what the row leads to.
        by_call: the first call that saw it, counted from 1 in its agent.
    """

    seen: Seen
    what: str
    words: str
    ref: ObjectRef | None = None
    by_call: int | None = None


def shown_rows(index: TraceIndex, steps: CellSteps) -> list[SeenRow]:
    """The outputs that the cell had for the model, in order: the answer to `exec`, and that to each wait."""
    cell = steps.cell
    rows = _output_rows(index, "answer", exec_items(index, cell), exec_call(index, cell))
    for number, call in enumerate(index.calls_in_order(cell.wait_tool_call_ids), start=1):
        rows += _output_rows(index, f"wait {number}", call_items(index, call), call)
    return rows


def _output_rows(
    index: TraceIndex, what: str, items: Sequence[ConversationItem], call: ToolCall | None
) -> list[SeenRow]:
    if items:
        return [_item_row(index, what, item) for item in items]
    ref = None if call is None else ObjectRef("ToolCall", call.tool_call_id)
    ended = call is not None and call.execution.ended_seq is not None
    return [SeenRow("unseen", what, "no call of the model followed" if ended else "never came", ref)]


def _item_row(index: TraceIndex, what: str, item: ConversationItem) -> SeenRow:
    call = first_call_that_saw(index, item)
    words = output_words([item]) or one_line(item_text(item)) or "(empty)"
    ref = ObjectRef("ConversationItem", item.item_id)
    if call is None:
        return SeenRow("unseen", what, f"{unseen_words(index, item)}: {words}", ref)
    return SeenRow("seen", what, words, ref, index.place_of_call(call) + 1)


class ShownTexts:
    """Everything that the model was shown of a cell, for looking up what a result says."""

    def __init__(self, texts: Iterable[str]) -> None:
        """Take the texts; where one is JSON, the texts in it count as well."""
        found = list(texts)
        for text in list(found):
            found += strings_in(json_in(text))
        self._text = "\n".join(found)
        self._lines = {line.strip() for line in self._text.splitlines()}

    def judge(self, value: Any) -> tuple[Seen, str]:
        """Whether the model was shown a value that its script received, and how that is told."""
        texts = [text.strip() for text in strings_in(value, _UNTOLD_KEYS)]
        sought = [text for text in texts if text]
        if not sought:
            return "empty", "it has no text to look for"
        lines = [line.strip() for text in sought for line in text.splitlines() if line.strip()]
        few = len(sought) <= MAX_LINES_SOUGHT
        if few and all(len(text) >= TELLING_CHARS and text in self._text for text in sought):
            return "seen", "all of its text"
        whole = sum(line in self._lines for line in lines)
        inside = [line for line in lines if line not in self._lines][:MAX_LINES_SOUGHT]
        in_others = [line for line in inside if line in self._text]
        told = sum(len(line) >= TELLING_CHARS for line in in_others)
        if whole + told == len(lines):
            return "seen", "all of its text"
        if whole + told:
            return "part", f"{whole + told} of {plural(len(lines), 'line')}"
        if in_others:
            return "unknown", "its text is too short to tell"
        return "unseen", f"none of its {plural(len(lines), 'line')}" if len(
            lines
        ) > 1 else "its text is nowhere"


class CellOutputs(Struct, frozen=True):
    """The outputs that a cell had for the model: those that some call saw, and those that none did."""

    seen: ShownTexts
    unseen: ShownTexts


def cell_outputs(index: TraceIndex, steps: CellSteps) -> CellOutputs:
    """What a cell had for the model."""
    cell = steps.cell
    items = exec_items(index, cell)
    for call in index.calls_in_order(cell.wait_tool_call_ids):
        items += call_items(index, call)
    texts: dict[bool, list[str]] = {True: [], False: []}
    for item in items:
        texts[first_call_that_saw(index, item) is not None] += map(part_text, item.body.parts)
    return CellOutputs(ShownTexts(texts[True]), ShownTexts(texts[False]))


def results_to_judge(index: TraceIndex, steps: CellSteps) -> list[tuple[ToolCall, PayloadRef | None]]:
    """The nested calls of a cell, each with the payload of its result if there is one."""
    payloads = index.trace.raw_payloads
    return [(call, payloads.get(call.raw_result_payload_id or "")) for call in steps.calls[:MAX_RESULTS]]


def result_row(index: TraceIndex, call: ToolCall, payload: Any, outputs: CellOutputs) -> SeenRow:
    """Whether the model saw the result of a nested call.

    Args:
        index: the graph.
        call: the call.
        payload: the parsed payload of its result; None where there is none.
        outputs: what the cell had for the model.
    """
    what = f"result of {tool_label(index, call)} {one_line(tool_words(index, call))}"
    ref = ObjectRef("ToolCall", call.tool_call_id)
    if call.execution.ended_seq is None:
        return SeenRow("unseen", what, "it never returned to the script", ref)
    result = received(payload)
    if result is None:
        missing = "the log does not have its result"
        if index.reduction.rebuilt_from is not None:
            missing = f"its result is {NOT_RECORDED}"
        return SeenRow("unknown", what, missing, ref)
    thrown, value = result
    # Of a command only the output is looked for: the rest tells about it.
    if isinstance(value, dict) and isinstance(value.get("output"), str):
        value = value["output"]
    seen, words = outputs.seen.judge(value)
    if seen in ("unseen", "unknown") and outputs.unseen.judge(value)[0] in ("seen", "part"):
        seen, words = "unseen", "it is only in an output that no call saw"
    return SeenRow(seen, what, f"its error: {words}" if thrown else words, ref)


def more_rows(steps: CellSteps) -> list[SeenRow]:
    """Calls beyond those that are judged, and calls that the script has but the log has not."""
    rows = []
    beyond = len(steps.calls) - MAX_RESULTS
    if beyond > 0:
        rows.append(SeenRow("unknown", plural(beyond, "more call"), "not looked at"))
    for site in uncalled_sites(steps.cell.source_js, steps.issued, list(steps.sites.values())):
        line = steps.cell.source_js.count("\n", 0, site.start) + 1
        rows.append(SeenRow("unseen", f"tools.{site.name} in line {line}", "the log has no such call"))
    return rows
