"""`rollout-tui report --redact` and `--bundle`, and the same from inside."""

from __future__ import annotations

import html
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from inspecting import Inspection, inspecting
from patience import until
from places import REPOSITORY
from planting import plant_in_files
from secret_samples import SECRETS
from textual.widgets import Input

from reducer import Bundle, open_bundle, reduce_bundle
from rollout_tui.progress import Cancelled, Progress
from rollout_tui.redaction.lines import Lines
from rollout_tui.redaction.whole import LIST
from rollout_tui.screens.write_form import WriteForm, write_export

Call = Callable[..., subprocess.CompletedProcess[bytes]]
Demo = Callable[[str], Path]
SESSION = next((REPOSITORY / "demo_traces/both/sessions").rglob("*.jsonl"))


def sentences_of(bundle: Path) -> list[str]:
    """Texts of items that are long enough to be told from words of the program."""
    items = reduce_bundle(bundle).trace.conversation_items.values()
    texts = (getattr(part, "text", "") for item in items for part in item.body.parts)
    lines = {line.strip() for text in texts for line in text.split("\n")}
    codex = ("Process ", "Wall time", "Original token", "Total output", "Script ", "Chunk ID")
    return [line for line in lines if len(line) > 24 and line.count(" ") > 2 and not line.startswith(codex)]


@pytest.mark.parametrize("form", ["html", "md"])
def test_a_redacted_report_quotes_nothing(
    form: str, demo_trace: Demo, call_program: Call, tmp_path: Path
) -> None:
    bundle, target = demo_trace("team"), tmp_path / f"r.{form}"
    done = call_program("report", bundle, "--redact", "-o", target)
    assert done.returncode == 0, done.stderr
    assert done.stdout.decode().split() == [str(target)]
    assert b"replaced: " in done.stderr
    page = html.unescape(target.read_text())
    plain = tmp_path / f"plain.{form}"
    assert call_program("report", bundle, "-o", plain).returncode == 0
    quoted = [one for one in sentences_of(bundle) if one in html.unescape(plain.read_text())]
    assert len(quoted) > 10
    assert [one for one in quoted if one in page] == []
    assert "10 failures" in page
    assert "values by place" in page
    assert "Redacted: text-N" in page
    assert "as the recording has it" not in page


def test_a_redacted_report_goes_to_standard_output(demo_trace: Demo, call_program: Call) -> None:
    done = call_program("report", demo_trace("quickstart"), "--redact")
    assert done.returncode == 0
    assert done.stdout.startswith(b"# Report of a run")
    assert b"## Redaction" in done.stdout


def test_a_bundle_and_a_report_of_it(demo_trace: Demo, call_program: Call, tmp_path: Path) -> None:
    bundle, copy, page = demo_trace("schema-2"), tmp_path / "copy", tmp_path / "r.md"
    plant_in_files(bundle, SECRETS["OpenAI key"])
    done = call_program("report", bundle, "--bundle", copy, "-o", page)
    assert done.returncode == 0, done.stderr
    assert done.stdout.decode().split() == [str(copy), str(page)]
    assert b"1 OpenAI key" in done.stderr
    assert SECRETS["OpenAI key"] not in page.read_text()
    assert json.loads((copy / LIST).read_bytes())["secrets"] == {"OpenAI key": 1}
    shown = call_program("show", copy, "calls")
    assert shown.returncode == 0
    assert b"14 calls" in shown.stdout
    again = call_program("report", bundle, "--bundle", copy)
    assert again.returncode == 2
    assert again.stderr.decode().count("\n") == 1


def test_only_a_bundle_if_no_report_is_asked_for(
    demo_trace: Demo, call_program: Call, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    done = call_program("report", demo_trace("quickstart"), "--redact", "--bundle", copy)
    assert done.returncode == 0
    assert done.stdout.decode().split() == [str(copy)]


def test_a_session_is_redacted_as_the_bundle_that_it_makes(call_program: Call, tmp_path: Path) -> None:
    copy, page = tmp_path / "copy", tmp_path / "r.md"
    done = call_program("report", SESSION, "--bundle", copy, "-o", page)
    assert done.returncode == 0, done.stderr
    assert b"made of a session file" in done.stderr
    assert "made of a session file" in page.read_text()
    assert open_bundle(copy).manifest.schema_version == 3
    texts = sentences_of(REPOSITORY / "demo_traces/both/bundle")
    assert [one for one in texts if one in page.read_text()] == []


def test_what_makes_no_sense_is_refused_in_a_line(
    demo_trace: Demo, call_program: Call, tmp_path: Path
) -> None:
    bundle = demo_trace("quickstart")
    for arguments in (
        ("--redact", "-o", tmp_path / "r.pdf"),
        ("--bundle", bundle / "payloads/copy"),
        ("--bundle", tmp_path / "no-such-directory/copy"),
    ):
        done = call_program("report", bundle, *arguments)
        assert done.returncode == 2
        assert done.stderr.decode().count("\n") == 1
        assert not any(tmp_path.glob("*.pdf"))


def test_a_report_that_quotes_something_is_not_written(
    demo_trace: Demo, call_program: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rollout_tui.redaction.whole.fault_of", lambda *_arguments: None)
    monkeypatch.setattr(Lines, "_piece", lambda self, piece: self._placeholders.text(piece) and piece)
    target = tmp_path / "r.html"
    done = call_program("report", demo_trace("quickstart"), "--redact", "-o", target)
    assert done.returncode == 2
    assert b"something of the original is left in the report" in done.stderr
    assert done.stderr.decode().count("\n") == 1
    assert not target.exists()


def test_a_leak_ends_the_command_without_a_copy(
    demo_trace: Demo, call_program: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Lines, "_piece", lambda _self, piece: piece)
    done = call_program("report", demo_trace("quickstart"), "--bundle", tmp_path / "copy")
    assert done.returncode == 2
    assert done.stderr.decode().count("\n") == 1
    assert not (tmp_path / "copy").exists()


def numbers(value: Any) -> Any:
    """A document of `show` without its texts, and without what is told of these."""
    if isinstance(value, dict):
        return {key: numbers(one) for key, one in value.items() if key not in ("chars", "sha256")}
    if isinstance(value, list):
        return [numbers(one) for one in value]
    return None if isinstance(value, str) else value


def test_a_copy_tells_the_same_of_time_failures_and_compactions(
    demo_trace: Demo, call_program: Call, tmp_path: Path
) -> None:
    bundle, copy = demo_trace("team"), tmp_path / "copy"
    assert call_program("report", bundle, "--bundle", copy).returncode == 0
    for what in ("failures", "time", "waits", "path", "compactions", "edges", "cells", "tools", "calls"):
        told = [json.loads(call_program("show", one, what, "--json").stdout) for one in (bundle, copy)]
        assert numbers(told[0]) == numbers(told[1]), what


# From inside


async def form_of(kind: str, at: Inspection) -> WriteForm:
    await at.press("w")
    form = at.app.screen
    assert isinstance(form, WriteForm)
    while form.export.kind != kind:
        await at.press("down")
    return form


async def test_both_are_among_what_can_be_written(tmp_path: Path) -> None:
    async with inspecting(REPOSITORY / "demo_traces/quickstart") as at:
        form = await form_of("redacted bundle", at)
        assert form.export.path.name == "quickstart.redacted"
        copy = tmp_path / "copy"
        sentence, is_written = write_export(form.export, copy, lambda _done, _total: None)
        assert is_written, sentence
        assert open_bundle(copy).manifest.schema_version == 3
        sentence, is_written = write_export(form.export, copy, lambda _done, _total: None)
        assert not is_written
        assert "something is there already" in sentence
        while form.export.kind != "redacted report":
            await at.press("up")
        page = tmp_path / "r.html"
        assert write_export(form.export, page, lambda _done, _total: None)[1]
        assert page.read_bytes().startswith(b"<!DOCTYPE html>")


async def test_a_directory_needs_a_new_name(tmp_path: Path) -> None:
    async with inspecting(REPOSITORY / "demo_traces/quickstart") as at:
        form = await form_of("redacted bundle", at)
        form.query_one(Input).value = str(tmp_path)
        await at.settle()
        assert any("this needs a name that is new" in line for line in at.screen_text())
        await at.press("enter")
        assert at.app.screen is form
        assert any("something is there already" in line for line in at.screen_text())


async def test_esc_ends_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    began, ended = Event(), Event()

    def endless(_bundle: Bundle, target: Path, progress: Progress) -> None:
        began.set()
        try:
            while True:
                progress(1, 2)
        except Cancelled:
            ended.set()
            raise

    monkeypatch.setattr("rollout_tui.reporting.redacted.redact_bundle", endless)
    async with inspecting(REPOSITORY / "demo_traces/quickstart") as at:
        form = await form_of("redacted bundle", at)
        form.query_one(Input).value = str(tmp_path / "copy")
        await at.pilot.press("enter")
        await until(began.is_set, "it never began")
        await until(lambda: any("50%, esc cancels" in line for line in at.screen_text()), "no progress")
        await at.pilot.press("escape")
        await until(ended.is_set, "it never ended")
        assert at.app.screen is at.screen
    assert not (tmp_path / "copy").exists()
