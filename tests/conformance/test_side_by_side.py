"""Runs of which there are a bundle and a session: both tell the same, where a session can; where not, why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

import pytest
from beside_bundle import differences, rows_shown

from reducer import open_bundle, reduce_bundle
from reducer.sessions import read_session

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Apart:
    """What is otherwise in the session of a run.

    Attributes:
        values: how what differs in the graph begins.
        rows: the words of rows that are in one of the timelines only: `-` in that of the bundle, `+` in that
            of the session.
    """

    values: Sequence[str] = ()
    rows: Sequence[str] = ()


ABORTED = (
    # The session knows why from what the model was shown, the bundle from how the turn ended.
    "-command sleep 60  its turn was ended",
    "+command sleep 60  aborted by user",
    # No protocol event of it is kept; the turn says it.
    "-aborted interrupted",
)

RUNS = {
    "background-terminal": Apart(),
    "crash-kill9": Apart(),
    "inject-outputs": Apart(),
    # Of what a command printed codex keeps 64 KiB.
    "shell-tools": Apart(values=("tool call_00026",)),
    "sigterm": Apart(rows=ABORTED),
    # The model of a compaction is not recorded.
    "compaction-remote": Apart(
        rows=4 * ("-request compaction by gpt-5.5", "+request compaction, by a model that is not recorded")
    ),
    "multi-agent-v2": Apart(
        # A command that was killed at the end: its exit code is not noted.
        values=("tool call_00046",),
        rows=(
            # Errors are no items; the turn says how it failed.
            '-error   {"error": {"message": "the child\'s model refuses", "type": "invalid_request_error"}}',
            # A tool that is not there: codex noted no receiver.
            "-spawn   ⇢ gamma  GAMMA-TASK: grandchild work  unsupported call: collaborationspawn_agent",
            "+spawn   ⇢   GAMMA-TASK: grandchild work  unsupported call: collaborationspawn_agent",
            *ABORTED,
        ),
    ),
}
"""Runs by the name that both recordings have."""


@pytest.mark.parametrize("name", RUNS)
def test_a_session_tells_what_the_bundle_of_its_run_does(name: str, shared_dir: Path) -> None:
    """Threads, turns, contexts, tokens, tools, cells, compactions, edges, and the timelines as shown."""
    bundle = open_bundle(shared_dir / "bundles-v3" / name / "bundle")
    thread_id = bundle.manifest.root_thread_id
    [file] = (shared_dir / "sessions" / name).rglob(f"rollout-*{thread_id}*")
    found = differences([reduce_bundle(bundle)], read_session(file))
    known = RUNS[name].values
    assert len(found) == len(known), found
    assert all(one.startswith(begins) for one, begins in zip(found, known, strict=True)), found
    rows = [f"{change[0]}{words}" for change, words in _changed(rows_shown(bundle.path), rows_shown(file))]
    assert sorted(rows) == sorted(RUNS[name].rows)


def _changed(
    bundle: Sequence[tuple[str, str, str]], session: Sequence[tuple[str, str, str]]
) -> list[tuple[str, str]]:
    """The rows that only one of two timelines has: in which it is, and its words."""
    words = {str(row): row[1] for row in (*bundle, *session)}
    lines = unified_diff(list(map(str, bundle)), list(map(str, session)), lineterm="", n=0)
    return [(line[0], words[line[1:]]) for line in lines if line[1:] in words]
