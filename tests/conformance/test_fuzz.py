"""Bundles that were changed at random, few and always the same ones: `python -m tests.fuzz` runs more."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.fuzz.cases import Origins
from tests.fuzz.outcomes import EQUAL, REFUSED, run_sample

pytestmark = pytest.mark.slow

CASES = 60
SEED = 171
CODEX = {1: "codex_164", 2: "codex_169", 3: "codex_171"}


@pytest.mark.parametrize("schema", CODEX)
def test_changed_bundles_go_as_the_reference_has_it(
    schema: int, shared_dir: Path, request: pytest.FixtureRequest
) -> None:
    codex = request.getfixturevalue(CODEX[schema])
    origins = Origins(shared_dir, schema)
    counts: Counter[str] = Counter()
    for number in range(CASES):
        path, sample = origins.case(SEED, number)
        found = run_sample(sample, codex)
        assert not found.is_different, f"case {number} of {path.parent.name} after {sample.done}: {found}"
        counts[found.kind] += 1
    # Rules show only where bundles are accepted, refusals only where they are not.
    assert counts[EQUAL] >= CASES / 5
    assert counts[REFUSED] >= CASES / 5
