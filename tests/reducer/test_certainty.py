"""What is not exact about objects: noted, taken back, and as it was at one time."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reducer.certainty import EXACT, Certainties, Certainty

IDS = st.sampled_from(["item:1", "item:2", "call_a", "item:7"])
NAMES = st.lists(st.sampled_from(["status", "usage", "start"]), max_size=2, unique=True).map(tuple)
Step = tuple[str, str, tuple[str, ...], tuple[str, ...], bool]
STEPS = st.tuples(st.sampled_from(["note", "clear", "forget"]), IDS, NAMES, NAMES, st.booleans())


@given(st.lists(STEPS), st.integers(0, 20))
def test_it_is_what_was_noted(steps: list[Step], at: int) -> None:
    certainty, then = Certainties(), Certainties()
    plain: dict[str, Certainty] = {}
    plain_then: dict[str, Certainty] = {}
    for number, (what, one, rebuilt, missing, inferred) in enumerate(steps):
        if number == at:
            then, plain_then = certainty.copy(), dict(plain)
        known = plain.get(one, EXACT)
        if what == "note":
            certainty.note(one, rebuilt=rebuilt, not_recorded=missing, inferred=inferred)
            plain[one] = Certainty(
                tuple(dict.fromkeys(known.rebuilt + rebuilt)),
                tuple(dict.fromkeys(known.not_recorded + missing)),
                known.inferred or inferred,
            )
        elif what == "clear" and missing:
            certainty.clear(one, not_recorded=missing[0])
            if missing[0] in known.not_recorded:
                left = tuple(name for name in known.not_recorded if name != missing[0])
                plain[one] = Certainty(known.rebuilt, left, known.inferred)
        elif what == "forget":
            certainty.forget(one)
            plain.pop(one, None)
    for made, expected in ((certainty, plain), (then, plain_then)):
        assert dict(made.items()) == expected
        assert {one: made.of(one) for one in expected} == expected
        assert made.of("never noted") == EXACT
