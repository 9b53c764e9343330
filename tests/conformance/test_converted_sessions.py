"""Every session of the corpus as a bundle: codex reduces it, and its graph is that of the session."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from beside_bundle import differences
from reference_cases import name_of
from session_cases import case_names
from session_expectations import runs_of

from reducer import reduce_bundle, state_json
from reducer.model import RolloutTrace
from reducer.sessions.convert import convert_session

pytestmark = pytest.mark.slow

KEPT = ("context of", "turn of", "model of", "tokens of", "response id of", "number of", "turns")
"""What a bundle can say of calls as the session does."""


@pytest.mark.parametrize("case", case_names() or [""], ids=name_of)
def test_codex_reduces_a_converted_session(
    case: str, shared_dir: Path, codex_171: Path, tmp_path: Path
) -> None:
    """Strictly, and to the same bytes; contexts, tokens and compactions are those of the session."""
    assert case, f"no sessions in {shared_dir}"
    for number, session in enumerate(runs_of(shared_dir / "sessions" / case)):
        bundle = tmp_path / str(number) / "bundle"
        convert_session(session, bundle)
        assert json.loads((bundle / "manifest.json").read_text())["rebuilt_from"] == "session"
        reduction = reduce_bundle(bundle, strict=True)
        state = tmp_path / f"{number}.json"
        command = [codex_171, "debug", "trace-reduce", bundle, "-o", state]
        ran = subprocess.run(command, capture_output=True, timeout=60)
        assert ran.returncode == 0, ran.stderr.decode()
        assert state.read_bytes() == state_json(reduction.trace)
        assert reduction.trace.inference_calls.keys() == session.trace.inference_calls.keys()
        assert len(reduction.trace.compactions) == len(session.trace.compactions)
        assert ends_of(reduction.trace) == ends_of(session.trace)
        found = differences([reduction], session)
        assert [one for one in found if one.startswith(KEPT)] == []


def ends_of(graph: RolloutTrace) -> dict[str, str]:
    """How the threads of a graph ended; the recorder has one word for cancelled and aborted."""
    ends = {one.thread_id: one.execution.status for one in graph.threads.values()}
    return {thread_id: "aborted" if end == "cancelled" else end for thread_id, end in ends.items()}
