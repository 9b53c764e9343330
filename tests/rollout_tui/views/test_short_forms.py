"""Numbers and times in few characters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollout_tui.texts.short_forms import clock, count, duration, first_line, moment, one_line, plural, size


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (None, ""),
        (0, "0.0s"),
        (49, "0.0s"),
        (51, "0.1s"),
        (38_100, "38.1s"),
        (59_949, "59.9s"),
        (59_950, "1m00s"),
        (724_000, "12m04s"),
        (3_599_400, "59m59s"),
        (3_600_000, "1h00m"),
        (11_100_000, "3h05m"),
        (-1_500, "-1.5s"),
    ],
)
def test_duration(ms: int | None, text: str) -> None:
    assert duration(ms) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (999, "999"),
        (1000, "1.0k"),
        (7_049, "7.0k"),
        (412_345, "412k"),
        (1_234_567, "1.2M"),
        (999_999, "1.0M"),
        (2**63, "1.0E"),
    ],
)
def test_count(number: int, text: str) -> None:
    assert count(number) == text


@pytest.mark.parametrize(
    ("number", "text"), [(84, "84 B"), (1_234, "1.2 kB"), (84_000, "84 kB"), (1_200_000, "1.2 MB")]
)
def test_size(number: int, text: str) -> None:
    assert size(number) == text


def test_plural() -> None:
    assert [plural(number, "call") for number in (0, 1, 2)] == ["0 calls", "1 call", "2 calls"]


@given(st.integers())
def test_any_time_can_be_shown(unix_ms: int) -> None:
    assert clock(unix_ms)
    assert moment(unix_ms)


def test_times_are_utc() -> None:
    assert clock(1_750_000_000_007) == "15:06:40.007"
    assert moment(1_750_000_000_007) == "2025-06-15 15:06:40 UTC"


def test_one_line_folds_white_space_and_first_line_stops_at_the_first_line() -> None:
    assert one_line("  a\n\tb   c\n") == "a b c"
    assert first_line("\n\n  first\nsecond") == "first"
    assert len(one_line("x" * 10_000_000, 50)) == 50
