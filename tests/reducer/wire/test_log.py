from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reducer.errors import Malformed
from reducer.log_order import LogOrder, Order
from reducer.schemas.v1 import ThreadEnded, ToolCallStarted
from reducer.schemas.v2 import SCHEMA_2, RecordingCompleted
from reducer.wire.events import RawEvent
from reducer.wire.log import decode_event, is_blank

ENVELOPE = '{"schema_version":2,"seq":1,"wall_time_unix_ms":5,"rollout_id":"r","payload":'


def decoded(data: bytes) -> RawEvent:
    return decode_event(data, SCHEMA_2.line)


def line(payload: str, before: str = ENVELOPE, after: str = "}") -> bytes:
    return (before + payload + after).encode()


@pytest.mark.parametrize(
    "blank", ["", " ", "\t\r", "\x0b\x0c", "\x85", "\xa0", "\u1680\u2003\u2028\u2029\u202f\u205f\u3000"]
)
def test_white_space_is_blank(blank: str) -> None:
    assert is_blank(blank.encode())


@pytest.mark.parametrize("other", ["\x1c", "\x1f", "\u200b", "\u180e", "\ufeff", "x", " {"])
def test_other_characters_are_not_blank(other: str) -> None:
    assert not is_blank(other.encode())
    assert not is_blank(b"\xff")


def test_the_type_may_stand_anywhere() -> None:
    raw = decoded(line('{"status":"failed","thread_id":"t","type":"thread_ended"}'))
    assert raw.payload == ThreadEnded("t", "failed")
    assert raw.payload.name_of_type == "thread_ended"
    assert (raw.thread_id, raw.codex_turn_id) == (None, None)


def test_white_space_around_the_object_does_no_harm() -> None:
    assert decoded(b" \t" + line('{"type":"recording_completed"}') + b"\r").payload == RecordingCompleted()


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ('{"type":"unheard_of"}', "invalid value 'unheard_of' at payload.type"),
        ('{"thread_id":"t"}', "object missing required field type at payload"),
        ('{"type":"thread_resumed"}', "object missing required field thread_id at payload"),
        ('{"type":"thread_resumed","thread_id":null}', "expected text, got null at payload.thread_id"),
        ('{"type":"thread_ended","thread_id":"t","status":"paused"}', "invalid enum value 'paused' at"),
        ('{"type":"recording_completed","type":"recording_completed"}', "repeats the key type"),
        ('{"type":"recording_completed","x":"\\ud800"}', "unpaired surrogate"),
        ("null", "expected object, got null at payload"),
    ],
)
def test_what_is_no_event_is_refused(payload: str, reason: str) -> None:
    with pytest.raises(Malformed) as caught:
        decoded(line(payload))
    assert reason in str(caught.value)


@pytest.mark.parametrize("bad", ["5.0", "-1", "null", '"1"', "true", "-0"])
def test_numbers_of_the_envelope_are_integers(bad: str) -> None:
    text = '{"type":"recording_completed"}'
    with pytest.raises(Malformed):
        decoded(line(text, ENVELOPE.replace('"seq":1', f'"seq":{bad}')))


def test_payload_kinds_tolerate_a_null_value_only() -> None:
    ref = '{"raw_payload_id":"p","kind":{"type":"tool_result","value":%s},"path":"x"}'
    event = '{"type":"tool_call_ended","tool_call_id":"t","status":"completed","result_payload":%s}'
    assert decoded(line(event % (ref % "null")))
    with pytest.raises(Malformed):
        decoded(line(event % (ref % "1")))


def test_absent_and_null_are_the_same_for_nullable_fields() -> None:
    event = (
        '{"type":"tool_call_started","tool_call_id":"t","requester":{"type":"model"},"kind":{"type":"web"},'
        '"summary":{"type":"wait_agent"%s}%s}'
    )
    nulls = ',"target_agent_path":null,"timeout_ms":null', ',"model_visible_call_id":null'
    payload = decoded(line(event % ("", ""))).payload
    assert isinstance(payload, ToolCallStarted)
    assert payload == decoded(line(event % nulls)).payload


def places(*numbers: int) -> list[Order]:
    order = LogOrder()
    return [order.place(number) for number in numbers]


def test_contiguous_numbers_follow_each_other() -> None:
    assert places(1, 2, 3) == [Order.NEXT] * 3


def test_a_gap_is_noticed_once_and_its_numbers_may_still_come() -> None:
    assert places(1, 5, 6) == [Order.NEXT, Order.AFTER_GAP, Order.NEXT]
    assert places(5, 1, 3, 3, 4, 2, 2)[1:] == [
        *[Order.LATE] * 2,
        Order.REPEATED,
        *[Order.LATE] * 2,
        Order.REPEATED,
    ]


def test_nothing_counts_from_zero() -> None:
    assert places(0, 0, 1, 0) == [Order.LATE, Order.REPEATED, Order.NEXT, Order.REPEATED]


def test_numbers_may_be_huge() -> None:
    assert places(2**64 - 1, 2**63, 2**63) == [Order.AFTER_GAP, Order.LATE, Order.REPEATED]


def test_an_unreadable_line_explains_a_gap_of_its_size() -> None:
    order = LogOrder()
    order.place(1)
    order.place_unreadable()
    assert order.place(3) is Order.NEXT
    assert order.place(5) is Order.AFTER_GAP
    order.place_unreadable()
    assert order.place(8) is Order.AFTER_GAP
    assert order.place(2) is Order.LATE


@given(st.lists(st.integers(0, 12), max_size=30))
def test_every_number_is_new_exactly_once(numbers: list[int]) -> None:
    order, seen = LogOrder(), set[int]()
    for number in numbers:
        expected = max(seen | {0}) + 1
        assert order.expected == expected
        found = order.place(number)
        if number in seen:
            assert found is Order.REPEATED
        elif number < expected:
            assert found is Order.LATE
        else:
            assert found is (Order.NEXT if number == expected else Order.AFTER_GAP)
        seen.add(number)
