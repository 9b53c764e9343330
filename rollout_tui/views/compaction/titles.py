"""What is said about a compaction: its header, the calls around it, and the sentences for what is missing."""

from __future__ import annotations

from collections.abc import Sequence

from reducer import ObjectRef
from reducer.model import InferenceCall
from rollout_tui import glyphs
from rollout_tui.insight.compaction.rewrites import unseen_outputs
from rollout_tui.insight.compaction.steps import CompactionStep, Outcome
from rollout_tui.insight.failures.words import state_words
from rollout_tui.insight.index import TraceIndex
from rollout_tui.lines.spans import Piece, Span, StyleName, drop_to_fit, span
from rollout_tui.texts.short_forms import clock, duration, plural, window_ms

_OUTCOMES: dict[Outcome, tuple[str, StyleName]] = {
    "installed": ("recorded", "good"),
    "inferred": ("inferred from the requests", "warn"),
    "rewritten": ("no compaction: rewritten, inferred from the requests", "warn"),
    "failed": ("recorded, failed", "bad"),
    "not installed": ("recorded, never installed", "bad"),
}


def title_spans(
    index: TraceIndex, steps: Sequence[CompactionStep], place: int, width: int | None = None
) -> list[Span]:
    """Which compaction of how many, of which agent, where in the log, and whether it was recorded.

    Args:
        index: the graph.
        steps: all compactions.
        place: which of them.
        width: cells there are; None for as many as are wanted.
    """
    step = steps[place]
    words, style = _OUTCOMES[step.outcome]
    turn = _turn_number(index, step)
    pieces = [
        Piece(0, [span(f" compaction {place + 1} of {len(steps)}", "strong")]),
        Piece(2, [span(f"  seq {step.seq}")]),
        Piece(3, [span("" if turn is None else f"  turn {turn}")]),
        Piece(0, [span(f"  {words}", style)]),
        Piece(1, [span(f"  {index.thread_path(step.thread_id)}", "link")]),
    ]
    return drop_to_fit(pieces, width)


def _turn_number(index: TraceIndex, step: CompactionStep) -> int | None:
    made = step.compaction or (step.requests[0] if step.requests else step.first_after)
    return None if made is None else index.turn_number(made.codex_turn_id)


def nothing_found(index: TraceIndex) -> str:
    """What was looked at, where no compaction was found."""
    agents = plural(len(index.trace.threads), "agent")
    calls = plural(len(index.trace.inference_calls), "inference call")
    return (
        f"No compaction in this bundle. Looked for compaction events of {agents} and in {calls} for one that "
        "rewrites the history of the call before: local compaction leaves nothing else."
    )


def call_name(index: TraceIndex, call: InferenceCall) -> str:
    """`call 3`: which call of its agent."""
    return f"call {index.place_of_call(call) + 1}"


def call_spans(index: TraceIndex, call: InferenceCall) -> list[Span]:
    """A call in one line: which, items, tokens as the provider counted them, time or state, model."""
    total = len(index.contents[call.thread_id].calls)
    words = [f"{call_name(index, call)} of {total}", f"seq {call.execution.started_seq}"]
    words.append(plural(len(call.request_item_ids), "item"))
    usage = call.usage
    if usage is None:
        words.append("tokens not told")
    else:
        words.append(f"{usage.input_tokens:,} tok in, {usage.cached_input_tokens:,} cached")
        words.append(f"{usage.output_tokens:,} out")
    state = state_words(index, ObjectRef("InferenceCall", call.inference_call_id), call.execution)
    words.append(duration(window_ms(call.execution)) if state == "completed" else state)
    words.append(call.model)
    return [span(f" {words[0]}", "strong"), span("  " + "  ".join(words[1:]))]


def no_call_before(step: CompactionStep) -> str:
    """Why there is no last call before."""
    if step.earlier_seq is not None:
        return f"No call came before; another compaction did, at seq {step.earlier_seq}."
    return (
        "No call of this agent came before: the history comes from an earlier recording, or none was needed."
    )


def no_call_after(index: TraceIndex, step: CompactionStep) -> str:
    """Why there is no first call after."""
    if step.later_seq is not None:
        return f"No call came after: the next compaction, at seq {step.later_seq}, came before any call."
    if index.is_over:
        return "No call came after: the recording ends, and the model never saw this history."
    return "No call came after, so far: the recording has not ended."


def no_checkpoint(step: CompactionStep) -> str:
    """Why no history was replaced."""
    if step.outcome == "failed":
        return "The compaction failed, so there is no checkpoint: the history stayed as it was."
    return (
        "No checkpoint was recorded: the request was "
        f"{'answered' if step.requests[-1].execution.status == 'completed' else 'not answered'}, "
        "but no new history was installed."
    )


def token_words(index: TraceIndex, step: CompactionStep) -> str:
    """The exact figures: what the provider counted at the calls before and after, with all they were sent."""
    before, after = step.last_before, step.first_after
    if before is None:
        told = "no call before"
    elif before.usage is None:
        told = f"not told at {call_name(index, before)}"
    else:
        usage = before.usage
        told = f"{usage.input_tokens:,} in + {usage.output_tokens:,} out at {call_name(index, before)}"
    if after is None:
        then = "no call after"
    elif after.usage is None:
        then = f"not told at {call_name(index, after)}"
    else:
        then = f"{after.usage.input_tokens:,} in at {call_name(index, after)} (with tools)"
    return f"exact tok  {told} {glyphs.active().becomes} {then}"


def source_words(index: TraceIndex, step: CompactionStep) -> list[str]:
    """How the compaction is known, in one line or two."""
    if step.compaction is not None:
        request = f"asked for at seq {step.start_seq}, " if step.requests else ""
        return [f"{request}installed at seq {step.seq}, {clock(step.compaction.installed_at_unix_ms)}"]
    rewrite = step.rewrite
    if rewrite is None:
        return []
    before, after = call_name(index, rewrite.before), call_name(index, rewrite.after)
    count = len(rewrite.before.request_item_ids)
    lines = [f"{after} begins with {rewrite.shared} of the {plural(count, 'item')} of {before}, then differs"]
    lost = unseen_outputs(index, rewrite)
    if lost:
        lines.append(f"the output of {plural(lost, 'tool call')} after {before} reached no request")
    return lines
