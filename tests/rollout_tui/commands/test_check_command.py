"""`rollout-tui check`: its text, its JSON, its exit status."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.cells import cell_len

from rollout_tui.commands.check import MAX_PLACES
from rollout_tui.commands.report_lines import MAX_PROBLEMS, WIDTH

Run = Callable[..., subprocess.CompletedProcess[bytes]]
Demo = Callable[[str], Path]


def test_a_clean_bundle(call_program: Run, demo_trace: Demo) -> None:
    done = call_program("check", demo_trace("quickstart"))
    assert (done.returncode, done.stderr) == (0, b"")
    lines = done.stdout.decode().splitlines()
    assert lines[0].endswith("quickstart")
    assert "Replay: every event was applied" in lines
    assert "Log: nothing to remark" in lines
    assert lines[-1].startswith("clean")
    assert any(line.startswith("  tokens: ") for line in lines)


def test_problems_are_told_with_reason_consequence_and_what_codex_says(
    call_program: Run, demo_trace: Demo
) -> None:
    bundle = demo_trace("quickstart")
    log = bundle / "trace.jsonl"
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join([*lines[:5], b"{torn\n", *lines[6:]]))
    done = call_program("check", bundle)
    assert done.returncode == 1
    words = " ".join(done.stdout.decode().split())
    assert "trace.jsonl line 6" in words
    assert "codex says: parse trace event line 6" in words
    assert "problem: lines that cannot be read" in words
    report = json.loads(call_program("check", bundle, "--json").stdout)
    assert report["clean"] is False
    assert report["replay"][0]["line"] == 6
    assert report["log"][0]["rule"] == "unreadable_line"
    assert report["log"][0]["places"][0]["line"] == 6
    assert set(report) >= {"log", "payloads", "lifecycles", "graph", "totals", "schema_version"}


def test_what_is_no_bundle(call_program: Run, tmp_path: Path) -> None:
    done = call_program("check", tmp_path)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"manifest.json" in done.stderr


def test_long_lists_are_cut_and_json_has_all(call_program: Run, demo_trace: Demo) -> None:
    bundle = demo_trace("schema-2")
    for number in range(500):
        (bundle / f"payloads/x{number}.json").write_text("{}")
    with (bundle / "trace.jsonl").open("ab") as log:
        log.write(b"{torn\n" * 300)
    done = call_program("check", bundle)
    text = done.stdout.decode()
    assert f"and {500 - MAX_PLACES} more; --json has all 500" in text
    assert f"and {300 - MAX_PROBLEMS} more; --json has all 300" in text
    report = json.loads(call_program("check", bundle, "--json").stdout)
    assert len(report["replay"]) == 300
    (unreferenced,) = [one for one in report["payloads"] if one["rule"] == "unreferenced"]
    assert len(unreferenced["places"]) == 500
    assert all(len(line) <= 80 for line in text.splitlines()[1:])


@pytest.mark.slow
@pytest.mark.parametrize("demo", ["hostile", "hostile-2"])
def test_nothing_of_a_hostile_bundle_reaches_the_terminal(
    call_program: Run, demo_trace: Demo, demo: str
) -> None:
    bundle = demo_trace(demo)
    (bundle / "payloads" / "\x1b]0;owned\x07.json").write_text("{}")
    with (bundle / "trace.jsonl").open("ab") as log:
        log.write('{"payload":{"type":"\u202ex\\u001b[31m","thread_id":"\u4e2d\u6587"}}\n'.encode())
    for options in ([], ["--json"]):
        done = call_program("check", bundle, *options)
        assert done.returncode == 1
        text = done.stdout.decode()
        assert all(char.isprintable() or char == "\n" for char in text)
        if options:
            assert text.isascii()
        else:
            assert all(cell_len(line) <= WIDTH for line in text.splitlines()[1:])


def test_the_bundle_stays_as_it_is(call_program: Run, demo_trace: Demo) -> None:
    bundle = demo_trace("team")
    before = {path: path.stat().st_mtime_ns for path in bundle.rglob("*")}
    call_program("check", bundle)
    assert {path: path.stat().st_mtime_ns for path in bundle.rglob("*")} == before
