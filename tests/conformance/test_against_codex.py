"""`rollout-tui reduce --strict` next to the real codex, file by file.

That is codex 0.171.0 for bundles of schema 3, 0.169.0 for those of schema 2, 0.164.0 for those of schema 1.
"""

from __future__ import annotations

import filecmp
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from called_program import call
from places import REPOSITORY
from reference_cases import cases, name_of

pytestmark = pytest.mark.slow

Record = Callable[[str, object], None]


def compare(bundle: Path, codex: Path, work: Path) -> str:
    """Let both reduce a bundle; the outcome is `equal`, `refused as the reference` or `different`."""
    home = work / "home"
    home.mkdir()
    theirs, ours = work / "theirs.json", work / "ours.json"
    reference = subprocess.run(
        [codex, "debug", "trace-reduce", bundle, "-o", theirs],
        env={"HOME": str(home), "CODEX_HOME": str(home), "PATH": os.environ["PATH"]},
        capture_output=True,
        timeout=60,
    )
    finished = call(("reduce", bundle, "--strict", "-o", ours), home, {})
    if reference.returncode == 0 and finished.returncode == 0:
        return "equal" if filecmp.cmp(theirs, ours, shallow=False) else "different"
    both = reference.returncode == finished.returncode == 1 and not theirs.exists() and not ours.exists()
    return "refused as the reference" if both else "different"


@pytest.mark.parametrize("case", cases("bundles/*", "vectors/*-whole-session"), ids=name_of)
def test_reduces_a_recorded_bundle_as_codex(
    case: str, shared_dir: Path, codex_169: Path, tmp_path: Path, record_property: Record
) -> None:
    assert case, f"no recorded bundles in {shared_dir}"
    outcome = compare(shared_dir / case / "bundle", codex_169, tmp_path)
    record_property("conformance", f"codex 0.169.0: {outcome}")
    assert outcome != "different"


@pytest.mark.parametrize("case", cases("bundles-v1/*", "vectors-v1/*-scenario-*"), ids=name_of)
def test_reduces_a_recorded_bundle_of_schema_1_as_codex(
    case: str, shared_dir: Path, codex_164: Path, tmp_path: Path, record_property: Record
) -> None:
    assert case, f"no recorded bundles of schema 1 in {shared_dir}"
    outcome = compare(shared_dir / case / "bundle", codex_164, tmp_path)
    record_property("conformance", f"codex 0.164.0: {outcome}")
    assert outcome != "different"


@pytest.mark.parametrize("case", cases("bundles-v3/*", "vectors-v3/*-whole-session"), ids=name_of)
def test_reduces_a_recorded_bundle_of_schema_3_as_codex(
    case: str, shared_dir: Path, codex_171: Path, tmp_path: Path, record_property: Record
) -> None:
    assert case, f"no recorded bundles of schema 3 in {shared_dir}"
    outcome = compare(shared_dir / case / "bundle", codex_171, tmp_path)
    record_property("conformance", f"codex 0.171.0: {outcome}")
    assert outcome != "different"


@pytest.mark.parametrize("name", ["quickstart", "team", "capped", "both/bundle"])
def test_reduces_a_demo_trace_as_codex(
    name: str, codex_171: Path, tmp_path: Path, record_property: Record
) -> None:
    outcome = compare(REPOSITORY / "demo_traces" / name, codex_171, tmp_path)
    record_property("conformance", f"codex 0.171.0: {outcome}")
    assert outcome == "equal"


def test_reduces_the_demo_trace_of_schema_2_as_codex(
    codex_169: Path, tmp_path: Path, record_property: Record
) -> None:
    outcome = compare(REPOSITORY / "demo_traces/schema-2", codex_169, tmp_path)
    record_property("conformance", f"codex 0.169.0: {outcome}")
    assert outcome == "equal"


def test_reduces_the_demo_trace_of_schema_1_as_codex(
    codex_164: Path, tmp_path: Path, record_property: Record
) -> None:
    outcome = compare(REPOSITORY / "demo_traces/schema-1", codex_164, tmp_path)
    record_property("conformance", f"codex 0.164.0: {outcome}")
    assert outcome == "equal"
