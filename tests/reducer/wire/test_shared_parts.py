"""Lines of prompts are decoded over the lines before them, and nobody can tell."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reducer.errors import Malformed
from reducer.schemas.v3 import SCHEMA_3
from reducer.wire import shared_parts
from reducer.wire.log import decode_event
from reducer.wire.shared_parts import SharedParts

Json = Any


@pytest.fixture(autouse=True)
def short_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the lines of these tests be worth the trouble."""
    monkeypatch.setattr(shared_parts, "_WORTHWHILE", 0)


def ref(number: int, kind: str = "model_item", **more: Json) -> Json:
    return {"raw_payload_id": f"raw_payload:{number}", "kind": {"type": kind}, "shard": 1, **more}


def line(
    parts: list[Json], thread: str = "t", *, spaced: bool = False, images: list[Json] | None = None
) -> bytes:
    event = {
        "type": "inference_started",
        "inference_call_id": "i",
        "thread_id": thread,
        "codex_turn_id": "u",
        "model": "m",
        "provider_name": "p",
        "request_payload": ref(1, "inference_request", **({"parts": images} if images else {})),
        "prepared_prompt_payload": ref(2, "prepared_prompt", parts=parts),
    }
    envelope = {
        "schema_version": 3,
        "seq": 1,
        "wall_time_unix_ms": 0,
        "rollout_id": "r",
        "thread_id": thread,
        "codex_turn_id": "u",
        "payload": event,
    }
    return json.dumps(envelope, separators=None if spaced else (",", ":")).encode()


def decoded_bytes(lines: list[bytes], monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bytes of each line were decoded; each must give what decoding the whole line gives."""
    sizes = []

    def watched(data: bytes, type_: Any) -> Any:
        sizes.append(len(data))
        return decode_event(data, type_)

    reader = SharedParts(SCHEMA_3.line)
    monkeypatch.setattr(shared_parts, "decode_event", watched)
    for one in lines:
        assert reader.decode(one) == decode_event(one, SCHEMA_3.line)
    return sizes


def test_only_new_parts_are_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = [ref(number) for number in range(10, 500)]
    first, same, more, cut = decoded_bytes(
        [line(parts[:-1]), line(parts[:-1]), line(parts), line(parts[:200])], monkeypatch
    )
    assert first > 30_000
    assert same == cut < 700
    assert same < more < 800


def test_a_part_that_changed_ends_what_is_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = [ref(number) for number in range(10, 110)]
    changed = [*parts[:50], ref(7), *parts[51:]]
    whole, rest = decoded_bytes([line(parts), line(changed)], monkeypatch)
    assert whole * 0.4 < rest < whole * 0.6


def test_threads_share_nothing_with_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = [ref(number) for number in range(10, 110)]
    sizes = decoded_bytes([line(parts), line(parts, "other"), line(parts), line(parts, "other")], monkeypatch)
    assert sizes[0] == sizes[1] - 8 > 5 * sizes[2]
    assert sizes[3] < sizes[1] / 5


def test_a_key_of_that_name_elsewhere_is_not_taken_for_parts() -> None:
    reader = SharedParts(SCHEMA_3.line)
    parts = [ref(number) for number in range(10, 20)]
    first = line(parts)
    for odd in (
        first.replace(b'"model":"m"', b'"model":"m","x":{"prepared_prompt_payload":{"parts":[{}]}}'),
        first.replace(b'"model":"m"', b'"model":"m\\"prepared_prompt_payload"'),
        first.replace(b'"request_payload":', b'"y":[1],"request_payload":'),
        line(parts, spaced=True),
    ):
        reader.decode(first)
        assert reader.decode(odd) == decode_event(odd, SCHEMA_3.line)


def test_what_is_no_event_is_refused_after_a_sound_line() -> None:
    reader = SharedParts(SCHEMA_3.line)
    parts = [ref(number) for number in range(10, 20)]
    reader.decode(line(parts))
    for broken in (
        line(parts)[:-2],
        line([*parts, {"raw_payload_id": 5}]),
        line([*parts, ref(3, "unheard_of")]),
    ):
        with pytest.raises(Malformed) as ours:
            reader.decode(broken)
        with pytest.raises(Malformed):
            decode_event(broken, SCHEMA_3.line)
        assert str(ours.value)
        reader.decode(line(parts))


PARTS = st.lists(
    st.one_of(
        st.integers(10, 14).map(ref),
        st.integers(10, 14).map(lambda number: ref(number, parts=[ref(9, "content_value")])),
        st.integers(10, 14).map(lambda number: ref(number, capture={"status": "complete"})),
        st.integers(10, 14).map(
            lambda number: {
                **ref(number),
                "shard": None,
                "capture": {"status": "omitted", "original_bytes": 5},
            }
        ),
    ),
    max_size=8,
)
LINES = st.builds(
    line,
    PARTS,
    st.sampled_from(["t", "u", "ü"]),
    spaced=st.booleans(),
    images=st.lists(st.integers(3, 5).map(lambda number: ref(number, "content_value")), max_size=2),
)


@pytest.mark.slow
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(LINES, max_size=8))
def test_decoding_over_the_line_before_is_decoding_the_line(lines: list[bytes]) -> None:
    reader = SharedParts(SCHEMA_3.line)
    for one in lines:
        assert reader.decode(one) == decode_event(one, SCHEMA_3.line)
