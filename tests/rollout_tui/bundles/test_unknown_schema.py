"""A bundle of a schema that is not known: all screens say so, nothing is guessed, the events are there."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from growing_pieces import Pieces, told
from inspecting import NARROW, WIDE, Inspection, inspecting

from rollout_tui.bundles.root import RunList
from rollout_tui.bundles.summary import Summariser
from rollout_tui.lines.spans import spans_text
from rollout_tui.views.bundle_rows import bundle_row, columns_for, what_words

Demo = Callable[[str], Path]
Run = Callable[..., subprocess.CompletedProcess[bytes]]

WORDS = "trace schema 4 is not known to this version"


def renumber(bundle: Path, number: int, **keys: Any) -> Path:
    """Give a bundle another schema, and its manifest keys of its own."""
    file, log = bundle / "manifest.json", bundle / "trace.jsonl"
    file.write_text(json.dumps({**json.loads(file.read_text()), "schema_version": number, **keys}))
    log.write_bytes(
        re.sub(rb"(?m)^{\"schema_version\":\d,", b'{"schema_version":%d,' % number, log.read_bytes())
    )
    return bundle


@pytest.fixture
def unknown(demo_trace: Demo) -> Path:
    return renumber(demo_trace("team"), 4)


@pytest.fixture
def private(demo_trace: Demo) -> Path:
    """Of a fork of codex that keeps a number and keys of its own."""
    return renumber(demo_trace("team"), 9001, shared_run={"id": "run-7", "store": "../runs"}, fork="acme")


async def command(inspection: Inspection, text: str) -> None:
    await inspection.press(":")
    await inspection.press(*text, "enter")


def test_the_list_says_so_and_counts_nothing(unknown: Path) -> None:
    [found] = RunList(unknown.parent).look()
    summary = found.summary
    assert (summary.status, summary.is_schema_known, summary.schema_version) == ("unknown", False, 4)
    assert (summary.agents, summary.turns, summary.calls, summary.compactions) == (None,) * 4
    assert (summary.tokens, summary.instruction, summary.recording_status) == (None, "", None)
    assert summary.bytes > 0
    row = spans_text(bundle_row(found, columns_for(120, with_name=True)).spans)
    assert "? unknown" in row
    assert row.endswith("schema 4, not known here")


def test_it_is_live_only_while_a_process_writes_it(unknown: Path) -> None:
    root = RunList(unknown.parent)
    assert root.look()[0].summary.status == "unknown"
    script = "import sys; log = open(sys.argv[1], 'a'); print(flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", script, str(unknown / "trace.jsonl")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        [found] = root.look()
        process.communicate()
    assert (found.summary.status, found.summary.is_schema_known) == ("live", False)
    assert what_words(found) == "schema 4, not known here"


def test_events_of_a_known_schema_tell_how_to_read_a_manifest_that_is_not(demo_trace: Demo) -> None:
    bundle = demo_trace("team")
    manifest = bundle / "manifest.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "schema_version": 4}))
    summary = Summariser(bundle).summary()
    assert (summary.status, summary.is_schema_known, summary.agents) == ("completed", True, 4)


def test_a_log_without_events_decides_nothing_yet(demo_trace: Demo) -> None:
    bundle = demo_trace("team")
    lines = (bundle / "trace.jsonl").read_bytes()
    renumber(bundle, 4)
    (bundle / "trace.jsonl").write_bytes(b"")
    summariser = Summariser(bundle)
    assert not summariser.summary().is_schema_known
    (bundle / "trace.jsonl").write_bytes(lines)
    assert summariser.summary().is_schema_known


def test_ls_marks_it(run_program: Run, private: Path) -> None:
    assert b"schema 9001, not known here" in run_program("ls", private.parent).stdout
    [found] = json.loads(run_program("ls", private.parent, "--json").stdout)["runs"]
    assert (found["is_schema_known"], found["schema_version"], found["calls"]) == (False, 9001, None)


def test_check_says_one_thing(run_program: Run, private: Path) -> None:
    finished = run_program("check", private)
    text = finished.stdout.decode()
    assert finished.returncode == 1
    assert "trace schema 9001 is not one this program knows" in text
    assert text.splitlines()[-1] == "1 problem, 0 notes"
    assert not {"Payloads", "Lifecycles", "Graph"} & set(text.split())
    report = json.loads(run_program("check", private, "--json").stdout)
    assert report["schema_known"] is False
    assert not report["log"]


@pytest.mark.parametrize("size", [WIDE, NARROW])
async def test_every_pane_says_so_and_the_events_are_there_as_they_are(
    unknown: Path, size: tuple[int, int]
) -> None:
    async with inspecting(unknown, size) as inspection:
        header = inspection.screen_text()[0]
        assert "schema 4 is not known" in header
        assert "1 problem" in header
        assert "agent" not in header
        screen = inspection.screen
        assert str(screen.threads.list.empty).startswith(WORDS)
        assert str(screen.context.list.empty).startswith(WORDS)
        assert any("raw events: trace schema 4" in line for line in inspection.screen_text())
        rows = inspection.rows(screen.timeline.list)
        lines = (unknown / "trace.jsonl").read_bytes().splitlines()
        assert len(rows) == len(lines)
        assert rows[0].split() == ["1", "event", "rollout_started"]


@pytest.mark.slow
async def test_numbers_lead_to_events_and_payloads(unknown: Path) -> None:
    async with inspecting(unknown) as inspection:
        await command(inspection, "line 5")
        entry = inspection.screen.timeline.entry
        assert entry is not None
        assert entry.seq == 5
        await command(inspection, "payload 1")
        entry = inspection.screen.timeline.entry
        assert entry is not None
        with_first = next(
            number
            for number, line in enumerate((unknown / "trace.jsonl").read_bytes().splitlines(), start=1)
            if b'"raw_payload:1"' in line
        )
        assert entry.seq == with_first
        await command(inspection, "seq 7")
        entry = inspection.screen.timeline.entry
        assert entry is not None
        assert entry.seq == 7
        inspection.screen.reader.look_back(7)
        await inspection.settle()
        assert "as of seq 7 of" in inspection.screen_text()[0]
        assert len(inspection.rows(inspection.screen.timeline.list)) == 7


def test_a_log_that_grows_is_listed_as_one_that_is_whole(unknown: Path) -> None:
    pieces, whole = Pieces(unknown), Pieces(unknown)
    for line in (1, 2, 40, 41, 80):
        grown = [*told(*pieces.read_to(line))]
    assert grown == [*told(*whole.read_to(80))]
    assert len(grown) > 80
