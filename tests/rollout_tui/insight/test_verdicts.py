"""What became of every item of a history: the verdicts, case by case."""

from __future__ import annotations

from collections import Counter

import pytest
from compaction_cases import call_item, item, output_item, plain_summary, sealed, verdicts

from reducer.model import Body, EncodedPart, JsonPart, PayloadRefPart, TextPart
from rollout_tui.insight.compaction.verdicts import compare_checkpoint, compare_contexts
from rollout_tui.insight.contexts.item_sizes import ItemSize, item_size, total_size
from rollout_tui.views.contexts.size_table import size_table


def test_the_same_responses_id_is_kept_for_certain() -> None:
    before, after = item(1, "go on"), item(2, "go on", responses_item_id="id_1")
    found = compare_checkpoint([before], [after, sealed(3)])
    assert verdicts(found) == (["kept"], ["carried over", "new"])
    assert found.before[0].basis == found.after[0].basis == "same id"
    assert (found.before[0].partner, found.after[0].partner) == (0, 0)


def test_one_item_in_both_histories_is_kept() -> None:
    one = item(1, "go on")
    assert verdicts(compare_contexts([one], [one, plain_summary(2)])) == (["kept"], ["carried over", "new?"])


def test_one_item_without_an_id_is_kept_by_judgement() -> None:
    one = item(1, "go on", responses_item_id=None)
    found = compare_contexts([one], [one])
    assert verdicts(found) == (["kept?"], ["carried over?"])
    assert found.before[0].basis == "same item"


@pytest.mark.parametrize(("before_id", "after_id"), [(None, None), ("id_1", None), (None, "id_2")])
def test_the_same_text_without_a_contradicting_id_is_kept_by_judgement(
    before_id: str | None, after_id: str | None
) -> None:
    before = item(1, "go on", responses_item_id=before_id)
    after = item(2, "go on", responses_item_id=after_id)
    found = compare_checkpoint([before], [after, sealed(3)])
    assert verdicts(found) == (["kept?"], ["carried over?", "new"])
    assert found.before[0].basis == "same text, no id"


def test_the_same_text_under_a_new_id_is_replaced_and_reinserted_by_judgement() -> None:
    found = compare_checkpoint([item(1, "rules", "developer")], [item(2, "rules", "developer"), sealed(3)])
    assert verdicts(found) == (["replaced?"], ["re-inserted?", "new"])
    assert found.before[0].basis == "same text, new id"


def test_other_text_under_the_same_id_is_replaced_for_certain() -> None:
    found = compare_checkpoint(
        [item(1, "a very long message")], [item(2, "a very", responses_item_id="id_1"), sealed(3)]
    )
    assert verdicts(found) == (["replaced"], ["re-inserted", "new"])
    assert found.before[0].basis == "same id, other text"


def test_equal_texts_are_paired_one_to_one_in_order() -> None:
    before = [item(1, "keep going"), item(2, "keep going"), item(3, "keep going")]
    after = [item(4, "keep going", responses_item_id="id_3"), item(5, "keep going"), sealed(6)]
    found = compare_checkpoint(before, after)
    assert verdicts(found) == (["replaced?", "summarised", "kept"], ["carried over", "re-inserted?", "new"])
    assert [one.partner for one in found.after] == [2, 0, None]


def test_an_item_that_stands_twice_is_paired_twice() -> None:
    one = item(1, "go on")
    found = compare_contexts([one, one], [one, one, one])
    assert verdicts(found) == (["kept", "kept"], ["carried over", "carried over", "new"])


def test_work_is_summarised_when_there_is_a_summary() -> None:
    before = [
        item(1, "task"),
        item(2, "thinking", "assistant", kind="reasoning"),
        call_item(3),
        output_item(4, 3),
    ]
    found = compare_checkpoint(before, [item(5, "task", responses_item_id="id_1"), sealed(6)])
    assert verdicts(found)[0] == ["kept", "summarised", "summarised", "summarised"]
    assert {one.partner for one in found.before[1:]} == {1}
    assert [one.item_id for one in found.gone] == [one.item_id for one in before[1:]]


def test_all_that_is_gone_is_dropped_without_a_summary() -> None:
    before = [item(1, "task"), call_item(2), output_item(3, 2)]
    found = compare_contexts(before, [before[0]])
    assert verdicts(found)[0] == ["kept", "dropped", "dropped"]
    assert found.summary is None


def test_an_earlier_summary_is_replaced_by_the_new_one() -> None:
    found = compare_checkpoint([sealed(1)], [item(2, "task"), sealed(3)])
    assert verdicts(found)[0] == ["replaced"]
    assert found.before[0].basis == "earlier summary"
    assert found.before[0].partner == 1


def test_a_new_summary_in_the_words_of_the_earlier_one_is_new() -> None:
    found = compare_checkpoint([plain_summary(1)], [plain_summary(2)])
    assert verdicts(found) == (["replaced"], ["new?"])


def test_instructions_and_context_that_are_gone_are_dropped_by_judgement() -> None:
    before = [
        item(1, "You are careful.", "developer"),
        item(2, "<turn_aborted>\nstopped\n</turn_aborted>"),
        item(3, "<b>bold</b> is what I want"),
    ]
    found = compare_checkpoint(before, [sealed(4)])
    assert verdicts(found)[0] == ["dropped?", "dropped?", "summarised"]


def test_context_under_the_same_tag_is_replaced_by_the_new_one() -> None:
    before = [
        item(1, "<environment_context>\n/a\n</environment_context>"),
        item(2, "task"),
        item(3, "<environment_context>\n/b\n</environment_context>"),
    ]
    after = [item(4, "<environment_context>\n/c\n</environment_context>"), sealed(5)]
    found = compare_checkpoint(before, after)
    assert verdicts(found) == (["replaced?", "summarised", "replaced?"], ["re-inserted?", "new"])
    assert [one.partner for one in found.before] == [0, 1, 0]
    assert found.after[0].partner == 2


def test_earlier_context_is_replaced_by_the_context_that_came_back_as_it_was() -> None:
    old, last = (
        "<environment_context>\n/a\n</environment_context>",
        "<environment_context>\n/b\n</environment_context>",
    )
    found = compare_checkpoint([item(1, old), item(2, last)], [item(3, last), sealed(4)])
    assert [(one.verdict, one.basis, one.partner) for one in found.before] == [
        ("replaced", "same sort", 0),
        ("replaced", "same text, new id", 0),
    ]


def test_instructions_without_a_tag_are_replaced_in_order() -> None:
    before = [item(1, "You are one model.", "developer"), item(2, "<skills>\nold", "developer")]
    after = [item(3, "<model_switch>\nx", "developer"), item(4, "You are another.", "developer"), sealed(5)]
    found = compare_checkpoint(before, after)
    assert verdicts(found) == (["replaced?", "dropped?"], ["new", "re-inserted?", "new"])
    assert found.before[0].partner == 1


def test_messages_of_a_user_are_not_paired_by_a_tag_they_only_begin_with() -> None:
    found = compare_checkpoint([item(1, "<image> look at this")], [item(2, "<image> and at that"), sealed(3)])
    assert verdicts(found) == (["summarised"], ["new", "new"])


def test_images_are_the_same_by_their_hash_whatever_payload_they_stand_in() -> None:
    before = item(1, PayloadRefPart("input_image", "raw_payload:4", "aa"))
    after = item(2, PayloadRefPart("input_image", "raw_payload:9", "aa"), responses_item_id="id_1")
    other = item(2, PayloadRefPart("input_image", "raw_payload:9", "bb"), responses_item_id="id_1")
    assert compare_checkpoint([before], [after]).before[0].verdict == "kept"
    assert compare_checkpoint([before], [other]).before[0].verdict == "replaced"


def test_a_message_at_the_end_of_a_checkpoint_is_taken_for_the_summary_if_nothing_is_marked() -> None:
    found = compare_checkpoint([item(1, "task"), call_item(2)], [item(3, "task"), item(4, "Summary: fine")])
    assert verdicts(found) == (["replaced?", "summarised"], ["re-inserted?", "new?"])
    assert found.after[1].summary == "place"
    assert found.summary is found.after[1]


def test_the_last_message_is_no_summary_if_it_was_there_before() -> None:
    found = compare_checkpoint([item(1, "task"), call_item(2)], [item(3, "task", responses_item_id="id_1")])
    assert found.summary is None
    assert verdicts(found)[0] == ["kept", "dropped"]


def test_what_a_user_says_behind_the_summary_is_new_whatever_it_says() -> None:
    before = [item(1, "continue"), call_item(2), output_item(3, 2), item(4, "continue")]
    after = [before[0], plain_summary(5), item(6, "continue")]
    assert verdicts(compare_contexts(before, after)) == (
        ["kept", "summarised", "summarised", "summarised"],
        ["carried over", "new?", "new"],
    )


def test_the_summary_stands_only_for_what_was_compacted() -> None:
    before = [item(1, "task"), call_item(2), call_item(3)]
    compacted = {"conversation_item:1", "conversation_item:2"}
    found = compare_contexts(before, [item(4, "task", responses_item_id="id_1"), sealed(5)], (), compacted)
    assert verdicts(found)[0] == ["kept", "summarised", "dropped"]
    assert found.before[2].basis == "not compacted"


def test_histories_may_be_empty() -> None:
    assert verdicts(compare_checkpoint([], [])) == ([], [])
    assert verdicts(compare_checkpoint([call_item(1)], [])) == (["dropped"], [])
    assert verdicts(compare_contexts([], [sealed(1)])) == ([], ["new"])


@pytest.mark.slow
def test_the_cost_is_linear_where_all_texts_are_alike() -> None:
    many = 30_000
    before = [item(number, "same") for number in range(many)]
    after = [item(many + number, "same") for number in range(many)]
    found = compare_checkpoint(before, [*after, sealed(2 * many)])
    assert Counter(one.verdict for one in found.before) == {"replaced": many}


def test_sizes_keep_apart_what_can_be_counted_and_what_cannot() -> None:
    body = Body(
        [
            TextPart("12345"),
            EncodedPart("encrypted_content", "x" * 100),
            JsonPart('{"a":"aa...', "raw_payload:1"),
            PayloadRefPart("input_image", "raw_payload:1", "aa"),
        ]
    )
    size = item_size(item(1, body=body))
    assert size == ItemSize(1, 16, 100, 1, 1)
    assert size.tokens_estimate == 4
    assert total_size([item(1, body=body), item(2, "1234567")]) == ItemSize(2, 23, 100, 1, 1)
    assert size_table({"one": size, "none": ItemSize()}) == [
        "one    1 item  >16 chars  est. >4 tok  100 B encrypted  1 not text",
        "none  0 items    0 chars   est. 0 tok",
    ]
