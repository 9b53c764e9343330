"""Redacted copies of recordings: this program and the real codex make graphs of the same shape of them."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from places import REPOSITORY
from reference_cases import cases, name_of
from state_shapes import shape_of

from reducer import open_bundle, reduce_bundle, state_json
from rollout_tui.redaction.whole import redact_bundle

pytestmark = pytest.mark.slow

TOO_LONG = ("long-200", "big-payloads", "followed-big")
"""Recordings that take seconds each, and have nothing that others have not but length."""
RECORDED = [
    case for case in cases("bundles/*", "bundles-v1/*", "bundles-v3/*") if not case.endswith(TOO_LONG)
]

ASKED_OF_CODEX = {
    "0.171.0": (
        "multi-agent-v2",
        "code-mode",
        "limit-payload-300",
        "mcp-tools",
        "agents-v1",
        "inject-outputs",
    ),
    "0.169.0": ("multi-agent-v2", "everything-ws", "compaction-remote", "resumed-compacted"),
    "0.164.0": ("codex-0.164.0-multi-agent-v2", "codex-0.125.0-code-mode", "codex-0.164.0-compaction-local"),
}
FOLDERS = {"0.171.0": "bundles-v3", "0.169.0": "bundles", "0.164.0": "bundles-v1"}


def redacted(bundle: Path, target: Path) -> Path:
    """The copy, which this program itself finds nothing wrong with."""
    made = redact_bundle(open_bundle(bundle), target, lambda _done, _total: None)
    assert made.difference is None
    return target


def own_shape(bundle: Path) -> tuple[Any, list[int | None]]:
    """The shape of the graph that this program makes, and the lines at which it has problems."""
    reduction = reduce_bundle(bundle)
    shape = shape_of(json.loads(state_json(reduction.trace)))
    return shape, [problem.line for problem in reduction.problems]


@pytest.mark.parametrize("case", RECORDED, ids=name_of)
def test_a_copy_has_the_shape_of_the_recording(case: str, shared_dir: Path, tmp_path: Path) -> None:
    assert case, f"no recorded bundles in {shared_dir}"
    bundle = shared_dir / case / "bundle"
    copy = redacted(bundle, tmp_path / "copy")
    assert own_shape(copy) == own_shape(bundle)


@pytest.mark.parametrize(
    ("version", "name"), [(version, name) for version, names in ASKED_OF_CODEX.items() for name in names]
)
def test_codex_makes_the_same_of_a_copy(
    version: str, name: str, shared_dir: Path, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    codex = request.getfixturevalue(f"codex_{version[2:5]}")
    bundle = shared_dir / FOLDERS[version] / name / "bundle"
    copy = redacted(bundle, tmp_path / "copy")
    theirs = state_of_codex(codex, copy, tmp_path)
    assert theirs == state_json(reduce_bundle(copy).trace)
    assert shape_of(json.loads(theirs)) == shape_of(json.loads((bundle.parent / "state.json").read_bytes()))


@pytest.mark.parametrize(
    ("version", "name"), [("0.171.0", "team"), ("0.169.0", "schema-2"), ("0.164.0", "schema-1")]
)
def test_codex_makes_the_same_of_a_copy_of_a_demo(
    version: str, name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    codex = request.getfixturevalue(f"codex_{version[2:5]}")
    copy = redacted(REPOSITORY / "demo_traces" / name, tmp_path / "copy")
    assert state_of_codex(codex, copy, tmp_path) == state_json(reduce_bundle(copy).trace)


def state_of_codex(codex: Path, bundle: Path, work: Path) -> bytes:
    """The graph that the real codex writes."""
    home, state = work / "home", work / "theirs.json"
    home.mkdir()
    subprocess.run(
        [codex, "debug", "trace-reduce", bundle, "-o", state],
        env={"HOME": str(home), "CODEX_HOME": str(home), "PATH": os.environ["PATH"]},
        check=True,
        capture_output=True,
        timeout=60,
    )
    return state.read_bytes()
