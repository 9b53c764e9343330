"""Requests that rewrite the history: which of them are compactions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from compaction_cases import call_item, item, output_item, plain_summary, sealed

from reducer.model import ConversationItem, ExecutionWindow, InferenceCall
from rollout_tui.insight.compaction.rewrites import rewrite_between, unseen_outputs
from rollout_tui.insight.index import TraceIndex


class History:
    """A graph of one thread, from contexts of items made by hand."""

    def __init__(self, team: TraceIndex) -> None:
        self._items: dict[str, ConversationItem] = {}
        self.index = _Items(team, self._items)

    def call(
        self, request: Sequence[ConversationItem], response: Sequence[ConversationItem]
    ) -> InferenceCall:
        self._items.update({one.item_id: one for one in (*request, *response)})
        return InferenceCall(
            inference_call_id=f"call_{len(self._items)}",
            thread_id="thread",
            codex_turn_id="turn",
            execution=ExecutionWindow(0, len(self._items), 1, len(self._items), "completed"),
            model="m",
            provider_name="p",
            response_id=None,
            upstream_request_id=None,
            request_item_ids=[one.item_id for one in request],
            response_item_ids=[one.item_id for one in response],
            tool_call_ids_started_by_response=[],
            usage=None,
            raw_request_payload_id="raw_payload:1",
        )


class _Items(TraceIndex):
    def __init__(self, team: TraceIndex, items: dict[str, ConversationItem]) -> None:
        super().__init__(team.reduction)
        self._by_id = items

    def items(self, item_ids: Any) -> list[ConversationItem]:
        return [self._by_id[item_id] for item_id in item_ids]


USERS = [item(number, f"message {number}") for number in range(1, 4)]
FIRST = [item(10, "You are one model.", "developer"), USERS[0]]
WORK = [call_item(20), output_item(21, 20), item(22, "done", "assistant")]
SECOND = [USERS[1], call_item(23), output_item(24, 23)]


def kind_of(
    team: TraceIndex,
    seen: Sequence[ConversationItem],
    answer: Sequence[ConversationItem],
    now: Sequence[ConversationItem],
) -> tuple[str, int, tuple[str, ...]] | None:
    history = History(team)
    before, after = history.call(seen, answer), history.call(now, [])
    found = rewrite_between(history.index, before, after)
    return None if found is None else (found.kind, found.shared, found.summary_ids)


def test_a_context_that_goes_on_is_no_rewrite(team: TraceIndex) -> None:
    assert kind_of(team, FIRST, WORK[:1], [*FIRST, *WORK, USERS[1]]) is None
    assert kind_of(team, FIRST, [], FIRST) is None


def test_a_call_repeated_without_the_failed_answer_is_no_rewrite(team: TraceIndex) -> None:
    assert kind_of(team, FIRST, WORK[:1], [*FIRST, USERS[1]]) is None


def test_a_new_summary_makes_a_rewrite_a_compaction(team: TraceIndex) -> None:
    for summary in (sealed(30), plain_summary(30)):
        now = [FIRST[0], USERS[0], USERS[1], summary, USERS[2]]
        assert kind_of(team, [*FIRST, *WORK, *SECOND], [], now) == ("compacted", 2, ())


def test_a_rollback_is_no_compaction(team: TraceIndex) -> None:
    seen = [*FIRST, *WORK, *SECOND]
    assert kind_of(team, seen, [], [*FIRST, *WORK, USERS[2]]) == ("cut back", 5, ())
    assert kind_of(team, seen, [], FIRST) == ("cut back", 2, ())


def test_a_rollback_behind_an_earlier_summary_is_no_compaction(team: TraceIndex) -> None:
    seen = [FIRST[0], USERS[0], plain_summary(30), *SECOND]
    assert kind_of(team, seen, [], [FIRST[0], USERS[0], seen[2], USERS[2]]) == ("cut back", 3, ())


def test_small_edits_are_no_compaction(team: TraceIndex) -> None:
    seen = [*FIRST, *WORK, *SECOND]
    other_model = item(31, "You are another model.", "developer")
    assert kind_of(team, seen, [], [other_model, *seen[1:], USERS[2]]) == ("edited", 0, ())
    without_output = [*FIRST, WORK[0], WORK[2], *SECOND]
    assert kind_of(team, seen, [], without_output) == ("edited", 3, ())
    beside_a_summary = [FIRST[0], USERS[0], plain_summary(30), *SECOND]
    assert kind_of(team, beside_a_summary, [], [other_model, *beside_a_summary[1:]]) == ("edited", 0, ())


def test_a_summary_that_nothing_marks_is_told_by_its_place(team: TraceIndex) -> None:
    now = [FIRST[0], USERS[0], USERS[1], item(32, "In short: done."), USERS[2]]
    assert kind_of(team, [*FIRST, *WORK, *SECOND], [], now) == ("compacted", 2, ("conversation_item:32",))


def test_a_second_summary_in_the_same_words_is_one_item_and_still_a_compaction(team: TraceIndex) -> None:
    summary = plain_summary(30)
    seen = [FIRST[0], USERS[0], summary, *SECOND]
    now = [FIRST[0], USERS[0], USERS[1], summary]
    assert kind_of(team, seen, [], now) == ("compacted", 2, ())


def test_outputs_that_no_request_shows_are_counted(team: TraceIndex) -> None:
    history = History(team)
    before = history.call([*FIRST, *WORK], [item(22, "x", "assistant"), call_item(23), call_item(40)])
    after = history.call([FIRST[0], USERS[0], plain_summary(30), output_item(24, 23)], [])
    found = rewrite_between(history.index, before, after)
    assert found is not None
    assert unseen_outputs(history.index, found) == 1
