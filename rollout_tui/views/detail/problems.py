"""A problem, the line of the log that it is about, and the objects that this line touches."""

from __future__ import annotations

from reducer import ObjectRef
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.items.sections import TextSection
from rollout_tui.insight.problems.line import LinePlace
from rollout_tui.views.detail.facts import Detail, Evidence, titled


def describe_problem(index: TraceIndex, ref: ObjectRef) -> Detail | None:
    """A problem with all that is known of it; its line and its objects once `read_problem` was asked."""
    problem = index.problem(ref.id)
    if problem is None:
        return None
    detail = titled(ref, "problem")
    detail.add("where", problem.where())
    detail.add("reason", problem.reason, style="bad")
    detail.add("consequence", problem.consequence)
    detail.add("codex says", problem.reference_says)
    detail.add("payload", problem.raw_payload_id)
    detail.texts.append(TextSection("problem", "text", f"{problem.reason}\n\n{problem.consequence}"))
    detail.add_payload(index, "payload", problem.raw_payload_id)
    read = index.problem_lines.get(ref.id)
    if read is None:
        return detail
    for words, target in read.objects:
        detail.add(words, _name(index, target), target)
    detail.payloads += [Evidence(payload.raw_payload_id, payload) for payload in read.payloads]
    detail.log_line = None if read.offset is None else LinePlace(read.offset, problem.file or "")
    return detail


def _name(index: TraceIndex, ref: ObjectRef) -> str:
    return index.thread_path(ref.id) if ref.type == "Thread" else ref.id
