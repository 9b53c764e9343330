"""What the real codex writes, in the list: its bundle and its session are one run, live while it works."""

from __future__ import annotations

from pathlib import Path

import pytest
from codex_home import CodexHome
from patience import PATIENCE
from responses_server import Gate, ResponsesServer
from scripted_sessions import COMPACT_ABOVE, GATES, TEAM_PROMPT, tools_child_compaction

from rollout_tui.bundles import liveness
from rollout_tui.bundles.root import RunList

pytestmark = pytest.mark.slow


def test_a_run_of_codex_is_one_row_by_its_bundle_and_its_session(
    tmp_path: Path, codex_171: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(liveness, "FRESH_SECONDS", -1.0)  # what is live is so by who has it open
    gates = {name: Gate() for name in GATES}
    with ResponsesServer(tools_child_compaction(gates)) as server:
        codex = CodexHome(tmp_path / "codex", codex_171, server, compact_above=COMPACT_ABOVE)
        runs = RunList(codex.trace_root, codex.home)
        sessions = RunList(None, codex.home)
        with codex.started(TEAM_PROMPT) as running:
            assert gates["tools"].reached.wait(PATIENCE)
            [row] = runs.look()
            assert (row.evidence, row.summary.status) == ("both", "live")
            [kept] = sessions.look()
            assert (kept.evidence, kept.summary.status) == ("session", "live")
            for gate in gates.values():
                gate.open()
            assert running.wait(PATIENCE) == 0
        assert server.complaints == []
    [row], [kept] = runs.look(), sessions.look()
    assert row.evidence == "both"
    assert row.session is not None
    assert row.session == kept.session
    bundle, session = row.summary, kept.summary
    assert bundle.status == session.status == "completed"
    for name in ("root_thread_id", "calls", "tokens", "agents", "turns", "compactions", "model", "cwd"):
        assert getattr(bundle, name) == getattr(session, name), name
    assert session.instruction == bundle.instruction == TEAM_PROMPT
    assert len(row.session.files) == 2, "its child is no row of its own"
