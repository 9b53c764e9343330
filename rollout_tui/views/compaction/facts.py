"""The request of a compaction as facts: model, times, state, payloads, why it failed, what it brought."""

from __future__ import annotations

import textwrap

from reducer import ObjectRef
from reducer.model import CompactionRequest, ConversationItem
from rollout_tui import glyphs
from rollout_tui.insight.certainty import NOT_RECORDED
from rollout_tui.insight.compaction.steps import StepView
from rollout_tui.insight.failures.definition import failure_of
from rollout_tui.insight.failures.words import state_words
from rollout_tui.insight.index import TraceIndex
from rollout_tui.texts.short_forms import clock, duration, one_line, plural, window_ms
from rollout_tui.views.compaction.titles import call_name, source_words
from rollout_tui.views.compaction.verdict_words import summary_words
from rollout_tui.views.detail.facts import Fact
from rollout_tui.views.failure_spans import STYLES
from rollout_tui.views.status import STATUS_STYLES

REASON_WIDTH = 60
"""Characters per row of the reason of a failure, so that it can be read in 80 columns."""

REASON_LENGTH = 900
"""Characters of the reason that are shown; the whole is in the detail of the request."""


def request_facts(index: TraceIndex, view: StepView) -> list[Fact]:
    """The requests for a compaction and what they brought; what there is instead where none was recorded."""
    step = view.step
    facts: list[Fact] = []
    for number, request in enumerate(step.requests, 1):
        if len(step.requests) > 1:
            facts.append(Fact("", f"request {number} of {len(step.requests)}", style="strong"))
        facts += _one_request(index, request)
    if not step.requests:
        facts.append(Fact("request", "none was recorded", style="warn"))
    if step.rewrite is not None:
        facts += _inferred_facts(index, view)
    else:
        facts += _install_facts(index, view)
    return facts


def _one_request(index: TraceIndex, request: CompactionRequest) -> list[Fact]:
    ref = ObjectRef("CompactionRequest", request.compaction_request_id)
    window, failure = request.execution, failure_of(index, ref)
    look = STATUS_STYLES[window.status] if failure is None else STYLES[failure.manner]
    after = f" after {duration(window_ms(window))}" if window.ended_seq is not None else ""
    facts = [Fact("state", f"{state_words(index, ref, window)}{after}", style=look)]
    for event in index.events_of(ref):
        if event.note is not None:
            facts += _wrapped("because", event.note)
    facts.append(Fact("model", f"{request.model}  ({request.provider_name})"))
    facts.append(Fact("started", f"{clock(window.started_at_unix_ms)}  seq {window.started_seq}"))
    if window.ended_at_unix_ms is not None:
        facts.append(Fact("ended", f"{clock(window.ended_at_unix_ms)}  seq {window.ended_seq}"))
    facts.append(_payload_fact(index, "raw request", request.raw_request_payload_id, ref))
    facts.append(_payload_fact(index, "raw response", request.raw_response_payload_id, ref))
    return facts


def _wrapped(name: str, text: str) -> list[Fact]:
    lines = textwrap.wrap(one_line(text, REASON_LENGTH), REASON_WIDTH) or ["(no reason was given)"]
    return [Fact(name if not place else "", line, style="bad") for place, line in enumerate(lines)]


def _payload_fact(index: TraceIndex, name: str, payload_id: str | None, ref: ObjectRef) -> Fact:
    payload = index.trace.raw_payloads.get(payload_id or "")
    if payload is None:
        missing = "none was recorded" if index.reduction.rebuilt_from is None else NOT_RECORDED
        return Fact(name, payload_id or missing, style="muted")
    return Fact(name, f"{payload.raw_payload_id}  {payload.place}", ref)


def _install_facts(index: TraceIndex, view: StepView) -> list[Fact]:
    compaction = view.step.compaction
    if compaction is None:
        return [Fact("checkpoint", "none was installed: the history stayed as it was", style="warn")]
    ref = ObjectRef("Compaction", compaction.compaction_id)
    becomes = glyphs.active().becomes
    before, after = len(compaction.input_item_ids), len(compaction.replacement_item_ids)
    facts = [
        Fact("installed", f"{clock(compaction.installed_at_unix_ms)}  seq {view.step.seq}", ref),
        Fact("history", f"{before} {becomes} {plural(after, 'item')}", ref),
    ]
    for event in index.events_of(ref)[:1]:
        facts += [_payload_fact(index, "checkpoint", one.raw_payload_id, ref) for one in event.payloads]
    facts.append(_summary_fact(view.summary))
    facts.append(Fact("compaction id", compaction.compaction_id, ref))
    return facts


def _summary_fact(summary: ConversationItem | None) -> Fact:
    """The summary that was made: how long it is, or that it is encrypted."""
    if summary is None:
        return Fact("summary", "none is to be seen in the new history", style="warn")
    ref = ObjectRef("ConversationItem", summary.item_id)
    return Fact("summary", summary_words(summary), ref)


def _inferred_facts(index: TraceIndex, view: StepView) -> list[Fact]:
    rewrite = view.step.rewrite
    if rewrite is None:
        return []
    if rewrite.kind != "compacted":
        why = f"no event says that the history was {rewrite.kind}"
    elif view.step.requests:
        why = "the request was recorded, a checkpoint was not"
    else:
        why = "local compaction leaves no request and no checkpoint"
    facts = [Fact("inferred", why, style="warn")]
    facts += [
        Fact("" if place else "from", line) for place, line in enumerate(source_words(index, view.step))
    ]
    for name, call in (("call before", rewrite.before), ("call after", rewrite.after)):
        ref = ObjectRef("InferenceCall", call.inference_call_id)
        words = f"{call_name(index, call)}  seq {call.execution.started_seq}"
        facts.append(Fact(name, f"{words}  {plural(len(call.request_item_ids), 'item')}", ref))
    facts.append(_summary_fact(view.summary))
    return facts
