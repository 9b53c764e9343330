"""Every case of the session corpus: all that it says a session holds, is in the graph of its session.

Each case was made from the reference's graph of a bundle that was recorded in the same run, so this compares
what is rebuilt with what was. What only the bundle has, is counted in the table at the end of the run, and
said in its last column.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from reference_cases import name_of
from session_cases import case_names
from session_expectations import METRICS, Comparison

pytestmark = pytest.mark.slow

Record = Callable[[str, object], None]


@pytest.mark.parametrize("case", case_names() or [""], ids=name_of)
def test_a_session_tells_what_its_bundle_does(case: str, shared_dir: Path, record_property: Record) -> None:
    """Threads, turns, calls with their contexts and tokens, tools, cells, compactions and edges."""
    assert case, f"no sessions in {shared_dir}"
    compared = Comparison(shared_dir / "sessions" / case)
    version = compared.expected["codex"]
    for metric in METRICS:
        record_property("sessions", f"{version}|{metric}|{compared.met[metric]}|{compared.stated[metric]}")
    assert not compared.differences
