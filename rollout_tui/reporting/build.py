"""A run as a report: the answers of `show`, and the evidence behind each."""

from __future__ import annotations

from collections.abc import Sequence

from reducer import ObjectRef
from rollout_tui.insight.agents.links import AgentLinks
from rollout_tui.insight.agents.names import agent_label
from rollout_tui.insight.agents.table import AgentSummary
from rollout_tui.insight.compaction.steps import compaction_steps
from rollout_tui.insight.failures.definition import Failure, failures
from rollout_tui.insight.overview import overview_of
from rollout_tui.insight.timing.run_time import run_time
from rollout_tui.language.asking import AllOf, Answer, AnswerTo, By, OneOf
from rollout_tui.redaction.tally import Replaced
from rollout_tui.reporting.bounds import Room, fitting
from rollout_tui.reporting.parts import Chapter, DrawnLane, Fold, Report
from rollout_tui.reporting.replaced import replaced_document
from rollout_tui.safe_text import safe_text
from rollout_tui.session import Session
from rollout_tui.showing.answers import answer_document
from rollout_tui.showing.document import Document, row_text
from rollout_tui.showing.failures import failures_document
from rollout_tui.showing.lists import list_document
from rollout_tui.showing.objects import object_document, thread_document
from rollout_tui.showing.steppers import compaction_document
from rollout_tui.views.failure_rows import failure_row
from rollout_tui.views.summary_words import answer_words

MAX_FOLDS = 200
"""Failures, agents or compactions that have their evidence folded in."""
COLUMNS = 400
"""Columns of the picture of what agents did."""

READING = (
    "A place is a sequence number of the log, seq N: rollout-tui BUNDLE#N opens it, "
    "show BUNDLE seq N prints it.",
    "An agent, a turn, a call, a tool call, an item by its number: show BUNDLE and that.",
    "≈ is an estimate; ~ is rebuilt by a rule from other records; not recorded is said where nothing tells.",
    "Order comes from the log, durations from its clocks.",
)
"""How a report is to be read."""
AS_RECORDED = "All else is as the recording has it."
REDACTED = (
    "Redacted: text-N, name_N and so on stand each for one text of the recording, the same for the same; "
    "their lengths are those of the texts, but for secrets. Chapter redaction counts what was replaced."
)


def report_of(session: Session, links: AgentLinks, replaced: Replaced | None = None) -> Report:
    """All that is told of a run.

    Args:
        session: reads the evidence.
        links: the graph, with what went between its agents.
        replaced: what was replaced in it before; None if it is the recording itself.

    Raises:
        InputRefused: the schema of the bundle is not known.
    """
    made = _Made(session, links)
    redacted = [] if replaced is None else [Chapter("redaction", [replaced_document(replaced)])]
    return Report(
        safe_text(session.recording.path.name),
        (*READING, AS_RECORDED if replaced is None else REDACTED),
        [
            Chapter("overview", [made.answer("summary")]),
            made.failures(),
            made.agents(),
            made.tokens(),
            made.time(),
            made.compactions(),
            *redacted,
        ],
    )


class _Made:
    """Makes the chapters of one report."""

    def __init__(self, session: Session, links: AgentLinks) -> None:
        self._session, self._links, self._index = session, links, links.index
        self._room = Room()

    def answer(self, what: Answer, by: By | None = None) -> Document:
        """An answer as `show` tells it."""
        wish = AnswerTo(what, by=by)
        return fitting(
            answer_document(self._session, self._links, wish), what if by is None else f"{what} by {by}"
        )

    def failures(self) -> Chapter:
        """What failed, the newest first, each with its texts."""
        found = failures(self._index)[::-1]
        document = failures_document(self._index, None)
        document.sections.clear()  # the folds have these rows
        folds = [self._failure(one) for one in found[:MAX_FOLDS]]
        return Chapter(
            "failures", [fitting(document, "failures")], folds, left_out=_left_out(found, "failures")
        )

    def _failure(self, failure: Failure) -> Fold:
        document = object_document(self._session, self._index, failure.ref)
        place = f"seq {failure.seq}"
        words = safe_text(row_text(failure_row(self._index, failure)).removeprefix(place).strip())
        return Fold(place, words, self._room.folded(document, place))

    def agents(self) -> Chapter:
        """Each agent with its task, its answer, and all it was sent."""
        found = overview_of(self._links, self._session.json).run.agents
        folds = [self._agent(one) for one in found[:MAX_FOLDS]]
        threads = list_document(self._index, AllOf("threads"))
        return Chapter("agents", [fitting(threads, "threads")], folds, left_out=_left_out(found, "threads"))

    def _agent(self, one: AgentSummary) -> Fold:
        document = thread_document(self._session, self._index, ObjectRef("Thread", one.thread_id))
        answer = None if one.answer is None else object_document(self._session, self._index, one.answer)
        if one.task is not None:
            at = "" if one.task.seq is None else f", seq {one.task.seq}"
            rebuilt = ", ≈ as its sender wrote it" if one.task.is_rebuilt else ""
            document.add_text(f"task{at}{rebuilt}", one.task.text)
        if answer is not None:
            seq = None if one.answer is None else self._index.first_seq(one.answer)
            for section in answer.sections:
                document.add_text(f"answer, seq {seq}: {section.heading}", "\n".join(section.lines))
        seq = self._index.first_seq(ObjectRef("Thread", one.thread_id))
        place = "no place in the log" if seq is None else f"seq {seq}"
        words = safe_text(f"{agent_label(self._index, one.thread_id)}  answered: {answer_words(one)}")
        return Fold(place, words, self._room.folded(document, f"thread, of {place}"))

    def tokens(self) -> Chapter:
        """Where the tokens went."""
        folds = [
            Fold(f"tokens by {by}", safe_text(f"tokens by {by}"), self.answer("tokens", by))
            for by in _IN_FULL
        ]
        return Chapter("tokens", [self.answer("tokens")], folds)

    def time(self) -> Chapter:
        """Where the time went: lanes, critical path, waits."""
        found = run_time(self._links)
        columns = found.whole.columns(COLUMNS)
        lanes = [
            DrawnLane(safe_text(agent_label(self._index, id_)), one.columns(found.whole, columns))
            for id_, one in list(found.lanes.items())[:MAX_FOLDS]
        ]
        documents = [self.answer("time"), self.answer("path"), self.answer("waits")]
        return Chapter("time", documents, lanes=lanes, left_out=_left_out(list(found.lanes), "time"))

    def compactions(self) -> Chapter:
        """What each compaction kept and dropped."""
        steps = compaction_steps(self._index)
        whole = list_document(self._index, AllOf("compactions"))
        folds = []
        for number, step in enumerate(steps[:MAX_FOLDS], 1):
            document = compaction_document(self._index, OneOf("compaction", str(number)))
            words = safe_text(document.title)
            folds.append(Fold(f"seq {step.seq}", words, self._room.folded(document, f"compaction {number}")))
        return Chapter(
            "compactions", [fitting(whole, "compactions")], folds, left_out=_left_out(steps, "compactions")
        )


_IN_FULL: tuple[By, ...] = ("turn", "call", "tool", "item", "repeat")
"""What tokens are told by behind a fold."""


def _left_out(found: Sequence[object], what: str) -> str:
    """Says that not all have their evidence here; empty if they have."""
    if len(found) <= MAX_FOLDS:
        return ""
    return f"{MAX_FOLDS} of {len(found):,} are here: show {what} prints the rest"
