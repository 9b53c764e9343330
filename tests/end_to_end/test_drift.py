"""The script that tells in what a codex records differently from what this program knows."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from places import REPOSITORY

pytestmark = pytest.mark.slow

DRIFT = REPOSITORY / ".ci" / "drift.py"


def drift(*arguments: str | Path, path: str | None = None) -> subprocess.CompletedProcess[str]:
    environment = os.environ if path is None else {**os.environ, "PATH": path}
    return subprocess.run(
        [sys.executable, DRIFT, *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=110,
    )


def script(place: Path, text: str) -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(f"#!/bin/sh\n{text}\n")
    place.chmod(0o755)
    return place


def test_a_codex_that_is_known_has_not_drifted(codex_171: Path, tmp_path: Path) -> None:
    found = drift(codex_171, "--keep", tmp_path / "kept")
    assert found.returncode == 0, found.stdout + found.stderr
    first, *sessions = found.stdout.splitlines()
    assert first.startswith("codex-cli 0.171.0; ")
    assert sessions == ["session 'shell tools': no drift", "session 'team': no drift"]
    assert len(list((tmp_path / "kept").glob("trace-*/trace.jsonl"))) == 2


def test_what_is_new_in_a_recording_is_told(codex_171: Path, tmp_path: Path) -> None:
    newer = script(
        tmp_path / "codex",
        f"""'{codex_171}' "$@" || exit
case $1 in
exec)
    sed -i 's/"type":"thread_ended"/&,"mood":"fine"/; s/"type":"rollout_started"/&,"weather":"rain"/' \\
        "$CODEX_ROLLOUT_TRACE_ROOT"/*/trace.jsonl
    sed -i 's/{{/&"author":"somebody",/' "$CODEX_ROLLOUT_TRACE_ROOT"/*/manifest.json
    ;;
debug) sed -i 's/"agent_path": "[^"]*"/"agent_path": "elsewhere"/' "$5" ;;
esac""",
    )
    found = drift(newer)
    assert found.returncode == 3, found.stdout + found.stderr
    assert "session 'shell tools': drift" in found.stdout
    assert "unknown field: payload.mood of thread_ended (line " in found.stdout
    assert "unknown field: payload.weather of rollout_started (line 1)" in found.stdout
    assert "unknown key of the manifest: author" in found.stdout
    assert [line for line in found.stdout.splitlines() if "the graph" in line] == [
        '  the graph differs at threads.*.agent_path: "/root", codex has "elsewhere"',
        '  the graph differs at threads.*.agent_path: "/root", codex has "elsewhere", and 1 more',
    ]


def test_a_codex_that_cannot_be_driven_is_told(tmp_path: Path) -> None:
    found = drift(script(tmp_path / "codex", "echo 'no such \033[31moption' >&2; exit 7"))
    assert found.returncode == 3
    assert "codex ended with status 7: no such ␛[31moption" in found.stdout
    assert "0 bundles were recorded, and not one" in found.stdout


def test_without_the_registry_nothing_can_be_told(tmp_path: Path) -> None:
    npm = script(tmp_path / "bin" / "npm", "echo no network >&2; exit 1")
    found = drift(path=f"{npm.parent}:{os.environ['PATH']}")
    assert found.returncode == 1
    assert found.stdout.splitlines() == [
        "cannot tell whether codex drifted: npm does not say which codex is the newest: no network"
    ]
