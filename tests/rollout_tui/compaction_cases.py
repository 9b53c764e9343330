"""Histories made by hand, graphs of bundles, and what tests of compactions read off them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from reducer import reduce_bundle
from reducer.model import Body, ConversationItem, EncodedPart, InferenceCall, Part, TextPart
from rollout_tui.insight.compaction.steps import CompactionStep, StepView, compaction_steps
from rollout_tui.insight.compaction.verdicts import Comparison
from rollout_tui.insight.contexts.item_signs import SUMMARY_OPENING
from rollout_tui.insight.index import TraceIndex
from rollout_tui.lines.spans import spans_text
from rollout_tui.views.compaction.facts import request_facts
from rollout_tui.views.compaction.history_rows import HistoryRows


@cache
def reduced(bundle: Path) -> TraceIndex:
    return TraceIndex(reduce_bundle(bundle))


def item(number: int, text: str | Part = "", role: str = "user", **fields: Any) -> ConversationItem:
    part = TextPart(text) if isinstance(text, str) else text
    values: dict[str, Any] = {
        "item_id": f"conversation_item:{number}",
        "responses_item_id": f"id_{number}",
        "thread_id": "thread",
        "codex_turn_id": "turn",
        "first_seen_at_unix_ms": 0,
        "role": role,
        "channel": None,
        "kind": "message",
        "body": Body([part]),
        "call_id": None,
        "produced_by": [],
    }
    return ConversationItem(**(values | fields))


def call_item(number: int) -> ConversationItem:
    return item(
        number, "{}", "assistant", kind="function_call", call_id=f"call_{number}", channel="commentary"
    )


def output_item(number: int, call: int) -> ConversationItem:
    return item(number, "out", "tool", kind="function_call_output", call_id=f"call_{call}")


def sealed(number: int, value: str = "x" * 40, **fields: Any) -> ConversationItem:
    return item(number, EncodedPart("encrypted_content", value), "assistant", channel="summary", **fields)


def plain_summary(number: int, text: str = "all done so far") -> ConversationItem:
    return item(number, f"{SUMMARY_OPENING} of its thinking process.\n{text}")


def verdicts(found: Comparison) -> tuple[list[str], list[str]]:
    def words(judged: Sequence[Any]) -> list[str]:
        return [f"{one.verdict}{'?' if one.is_judged else ''}" for one in judged]

    return words(found.before), words(found.after)


def outline(index: TraceIndex) -> list[tuple[Any, ...]]:
    def seq(call: InferenceCall | None) -> int | None:
        return None if call is None else call.execution.started_seq

    return [
        (
            step.outcome,
            step.start_seq,
            step.seq,
            len(step.requests),
            seq(step.last_before),
            seq(step.first_after),
        )
        for step in compaction_steps(index)
    ]


def with_log(target: Path, source: Path, keep: Callable[[int, str], bool]) -> TraceIndex:
    """A copy of a bundle with some lines of its log, numbered from 1."""
    shutil.copytree(source, target)
    log = (source / "trace.jsonl").read_text().splitlines(keepends=True)
    (target / "trace.jsonl").write_text(
        "".join(line for number, line in enumerate(log, 1) if keep(number, line))
    )
    return TraceIndex(reduce_bundle(target))


def fact_pairs(index: TraceIndex, step: CompactionStep) -> list[tuple[str, str]]:
    return [(fact.name, fact.value) for fact in request_facts(index, StepView(index, step))]


def row_texts(index: TraceIndex, lines: Sequence[Any], width: int) -> list[str]:
    words = HistoryRows(index, width)
    rows = [words.row(line) for line in lines]
    return [
        " ".join(map(str, (spans_text(row.spans).rstrip(), *(one.text for one in row.tail)))) for row in rows
    ]
