"""What a terminal is sent of a result, piece by piece."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from rollout_tui.commands.terminal_forms import escaped_json, escaped_pieces


@given(st.text(), st.lists(st.integers(0, 60), max_size=4))
def test_json_in_pieces_is_escaped_as_in_one(text: str, cuts: list[int]) -> None:
    """Pieces may end within a character."""
    data = json.dumps([text], ensure_ascii=False).encode("utf-8", "surrogatepass")
    places = [0, *sorted(cuts), len(data)]
    pieces = [data[begin:end] for begin, end in pairwise(places)]
    if b"".join(pieces) == data:
        assert b"".join(escaped_pieces(pieces)) == escaped_json(data)


def test_a_piece_is_given_before_the_next_one_is_taken() -> None:
    taken = 0

    def pieces() -> Iterator[bytes]:
        nonlocal taken
        for piece in ('["é', '"]'):
            taken += 1
            yield piece.encode()

    shown = escaped_pieces(pieces())
    assert (next(shown), taken) == (b'["\\u00e9', 1)
    assert b"".join(shown) == b'"]'
