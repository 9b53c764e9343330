"""What leaves the inspector by key: copies of values, ids, paths and contexts, and files."""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from inspecting import NARROW, WIDE, Inspection, inspecting

from reducer import open_bundle, reduce_bundle, state_json
from rollout_tui.clipboard import MAX_BYTES
from rollout_tui.exports import exports_of, writable_directory
from rollout_tui.screens.prompt import Prompt
from rollout_tui.screens.write_form import WriteForm
from rollout_tui.session import Session

Demo = Callable[[str], Path]
SIZES = pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
_STEP = re.compile(r'\.([A-Za-z_]\w*)|\.?\[(\d+)\]|\.?\[("(?:[^"\\]|\\.)*")\]')


class Terminal:
    """What a terminal gets on its clipboard."""

    def __init__(self, inspection: Inspection, monkeypatch: pytest.MonkeyPatch) -> None:
        self._written: list[str] = []
        monkeypatch.setattr(inspection.app, "send_to_terminal", self._written.append)

    @property
    def clipboard(self) -> str | None:
        """What was put there since the last time, or None."""
        found = [one for text in self._written for one in re.findall(r"\x1b\]52;c;([^\x07]*)\x07", text)]
        self._written.clear()
        return base64.b64decode(found[-1]).decode() if found else None


def said(inspection: Inspection) -> str:
    return inspection.said


def value_at(data: Any, jq_filter: str) -> Any:
    """What a jq filter of plain steps gives."""
    position = 0
    while position < len(jq_filter) and jq_filter != ".":
        found = _STEP.match(jq_filter, position)
        assert found is not None, jq_filter[position:]
        name, place, key = found.groups()
        data = data[int(place)] if place else data[name or json.loads(key)]
        position = found.end()
    return data


# Copies


@SIZES
async def test_the_second_key_is_waited_for_with_a_hint(
    demo_trace: Demo, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    async with inspecting(demo_trace("team"), size, at=40) as inspection:
        terminal = Terminal(inspection, monkeypatch)
        await inspection.press("y")
        assert said(inspection).startswith("copy: y value  i id  p path  q jq filter  c context")
        await inspection.press("escape")
        assert said(inspection) == "nothing was copied"
        assert terminal.clipboard is None
        await inspection.press("y", "j")
        assert said(inspection).startswith("there is nothing under y j")
        assert inspection.screen.timeline.entry.seq == 40  # type: ignore[union-attr]


@pytest.mark.quick
async def test_values_and_ids_are_copied_from_every_pane(
    demo_trace: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with inspecting(demo_trace("team"), at=46) as inspection:
        terminal = Terminal(inspection, monkeypatch)
        screen = inspection.screen
        entry = screen.timeline.entry
        assert entry is not None
        await inspection.press("y", "i")
        assert terminal.clipboard == entry.ref.id
        assert said(inspection).startswith("id: sent to the terminal's clipboard")
        await inspection.press("y", "y")
        assert "reproduce" in (terminal.clipboard or "").lower()
        await inspection.press("y", "p")
        shard, _, payload_id = (terminal.clipboard or "none").partition("#")
        assert (demo_trace("team") / shard).is_file()
        assert payload_id.startswith("raw_payload:")
        await inspection.press("y", "q")
        needs = "a jq filter needs a value of a raw payload: open the request or response tab"
        assert said(inspection) == needs
        await inspection.press("1", "y", "y")
        assert terminal.clipboard == "/root"
        await inspection.press("y", "i")
        assert terminal.clipboard == screen.timeline.thread_id
        await inspection.press("3", "y", "i")
        assert screen.context.seen is not None
        assert screen.context.seen.ref is not None
        assert terminal.clipboard == screen.context.seen.ref.id
        await inspection.press("y", "y")
        assert len(terminal.clipboard or "") > 10


@pytest.mark.quick
async def test_paths_and_filters_lead_to_the_value(demo_trace: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    async with inspecting(demo_trace("team"), at=40) as inspection:
        terminal = Terminal(inspection, monkeypatch)
        detail = inspection.screen.detail
        await inspection.press("4", "l", "l", "l")
        assert detail.shows_raw
        await inspection.press("y", "p")
        path = terminal.clipboard
        assert path is not None
        assert detail.payload is not None
        assert path == detail.payload.place
        payload = json.loads(open_bundle(demo_trace("team")).read_payload(detail.payload))
        await inspection.press("y", "i")
        assert (terminal.clipboard or "").startswith("raw_payload:")
        await inspection.press("/", *"input_text", "enter", "y", "q")
        jq_filter = terminal.clipboard
        assert jq_filter is not None
        assert value_at(payload, jq_filter) == "input_text"
        await inspection.press("y", "p")
        assert terminal.clipboard == "$" + jq_filter
        await inspection.press("y", "y")
        assert terminal.clipboard == "input_text"


@pytest.mark.quick
async def test_the_whole_context_is_copied_as_markdown(
    demo_trace: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with inspecting(demo_trace("quickstart")) as inspection:
        terminal = Terminal(inspection, monkeypatch)
        await inspection.press(")", "y", "c")
        text = terminal.clipboard
        assert text is not None
        assert text.startswith("# Context of call 1 of ")
        call = inspection.screen.context.view.call  # type: ignore[union-attr]
        assert text.count("\n### ") == len(call.request_item_ids) + len(call.response_item_ids)
        assert "context: sent to" in said(inspection)


@pytest.mark.quick
async def test_what_is_too_large_is_offered_to_a_file_or_the_pager(
    demo_trace: Demo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("rollout_tui.clipboard.MAX_BYTES", 1000)
    monkeypatch.setenv("PAGER", f"tee {tmp_path / 'paged'}")
    async with inspecting(demo_trace("quickstart")) as inspection:

        @contextmanager
        def suspended() -> Any:
            yield

        monkeypatch.setattr(inspection.app, "suspend", suspended)
        terminal = Terminal(inspection, monkeypatch)
        await inspection.press(")", "y", "c")
        assert terminal.clipboard is None
        assert "too much for a terminal's clipboard" in said(inspection)
        await inspection.press("p")
        assert (tmp_path / "paged").read_text().startswith("# Context of call 1")
        await inspection.press("y", "c", "w")
        assert isinstance(inspection.app.screen, WriteForm)
        await inspection.press("enter")
        written = (tmp_path / "quickstart.copy.txt").read_text()
        assert written.startswith("# Context of call 1")
        await inspection.press("y", "c", "escape")
        assert said(inspection) == "nothing was copied"
    assert MAX_BYTES == 74_994


# Files


async def choose(inspection: Inspection, words: str) -> WriteForm:
    """Open the form, and choose with the keys what has these words."""
    await inspection.press("w")
    form = inspection.app.screen
    assert isinstance(form, WriteForm)
    while words not in form.export.words:
        await inspection.press("down")
    return form


@pytest.mark.slow
@SIZES
async def test_everything_there_is_can_be_written(
    demo_trace: Demo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, size: tuple[int, int]
) -> None:
    monkeypatch.chdir(tmp_path)
    bundle = demo_trace("team")
    async with inspecting(bundle, size, at=40) as inspection:
        form = await choose(inspection, "state.json")
        assert form.export.path == bundle / "state.json"
        await inspection.press("enter")
        assert (bundle / "state.json").read_bytes() == state_json(reduce_bundle(bundle).trace)
        payload = inspection.screen.detail.payload
        assert payload is not None
        form = await choose(inspection, "byte for byte")
        target = form.export.path
        assert target.parent == tmp_path
        await inspection.press("enter")
        assert target.read_bytes() == open_bundle(bundle).read_payload(payload)
        assert f"to {target}"[:40] in said(inspection)
        form = await choose(inspection, "as Markdown")
        target = form.export.path
        assert target.name == "team.root.call-3.context.md"
        await inspection.press("enter")
        assert target.read_text().startswith("# Context of call 3 of 20, `/root`")
        form = await choose(inspection, "as JSON")
        target = form.export.path
        await inspection.press("enter")
        document = json.loads(target.read_bytes())
        assert document["call_number"] == 3
        assert document["tools"] == json.loads(open_bundle(bundle).read_payload(payload))["tools"]


@pytest.mark.quick
async def test_the_form_keeps_what_was_typed_and_asks_before_it_overwrites(
    demo_trace: Demo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    mine = tmp_path / "mine.txt"
    mine.write_text("mine")
    async with inspecting(demo_trace("team"), at=40) as inspection:
        await inspection.press("w")
        form = inspection.app.screen
        assert isinstance(form, WriteForm)
        field = form.query_one("#path")
        field.value = str(mine)  # type: ignore[attr-defined]
        await inspection.press("tab", "up", "down")
        assert field.value == str(mine)  # type: ignore[attr-defined]
        assert "byte for byte" in form.export.words
        await inspection.press("enter")
        assert mine.read_text() == "mine"
        assert any("Overwrite mine.txt?" in line for line in inspection.screen_text())
        await inspection.press("f1", "escape")
        await inspection.press("enter")
        assert mine.read_bytes().startswith(b"{")


def test_where_nothing_can_be_written_the_next_place_is_offered(
    demo_trace: Demo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bundle, elsewhere, home = demo_trace("quickstart"), tmp_path / "work", tmp_path / "home"
    elsewhere.mkdir()
    home.mkdir()
    monkeypatch.chdir(elsewhere)
    monkeypatch.setenv("HOME", str(home))
    session = Session(bundle)
    assert exports_of(session, None, None) == []
    session.load(lambda done, total: None)
    refused: set[Path] = set()
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) not in refused and access(path, mode))
    places = []
    for one in (None, bundle, elsewhere, home):
        refused |= set() if one is None else {one}
        places.append(exports_of(session, None, None)[0].path)
    assert places[0] == bundle / "state.json"
    assert places[1] == elsewhere / "quickstart.state.json"
    assert places[2] == home / "quickstart.state.json"
    assert places[3].name == "quickstart.state.json"
    assert places[3].parent not in (bundle, elsewhere, home)
    assert writable_directory([]) == elsewhere


async def command(inspection: Inspection, text: str) -> None:
    await inspection.press(":")
    assert isinstance(inspection.app.screen, Prompt)
    inspection.app.screen.input.value = text
    await inspection.press("enter")


@pytest.mark.quick
async def test_commands_write_at_once_or_ask(
    demo_trace: Demo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    async with inspecting(demo_trace("team"), at=40) as inspection:
        await command(inspection, f"write {tmp_path}/a b.json")
        expected = state_json(reduce_bundle(demo_trace("team")).trace)
        assert (tmp_path / "a b.json").read_bytes() == expected
        assert "Wrote" in said(inspection)
        await command(inspection, "export state")
        assert isinstance(inspection.app.screen, WriteForm)
        await inspection.press("escape")
        await command(inspection, "export payload payload.json")
        assert json.loads((tmp_path / "payload.json").read_bytes())["model"]
        await command(inspection, "export context context.md")
        assert (tmp_path / "context.md").read_text().startswith("# Context")
        await command(inspection, "export context context.json")
        assert json.loads((tmp_path / "context.json").read_bytes())["agent_path"] == "/root"
        await command(inspection, "export context context.md")
        form = inspection.app.screen
        assert isinstance(form, WriteForm), "what is there is not overwritten without a question"
        assert form.export.kind == "context.md"
        await inspection.press("escape")
        log = demo_trace("team") / "trace.jsonl"
        before = log.read_bytes()
        await command(inspection, f"export state {log}")
        await inspection.press("enter", "enter")
        assert any("Not written: it is evidence" in line for line in inspection.screen_text())
        assert log.read_bytes() == before
        await inspection.press("escape")
        await command(inspection, "export state /nowhere/state.json")
        assert said(inspection).startswith("Not written: No such file")


async def test_what_is_not_there_cannot_be_written(demo_trace: Demo) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        await inspection.press("g")
        inspection.screen.context.show(inspection.screen.session.timelines.index, None)  # type: ignore[union-attr]
        await command(inspection, "export context")
        assert said(inspection) == "there is no context here to be written"


def test_state_json_is_that_of_the_whole_log_whatever_is_shown(demo_trace: Demo) -> None:
    bundle = demo_trace("quickstart")
    session = Session(bundle)
    log = bundle / "trace.jsonl"
    whole = log.read_bytes()
    log.write_bytes(b"".join(whole.splitlines(keepends=True)[:20]))
    session.load(lambda done, total: None)
    log.write_bytes(whole)
    expected = state_json(reduce_bundle(bundle).trace)
    written = bundle.parent / "written.json"
    exports_of(session, None, None)[0].write(written, lambda _done, _total: None)
    assert written.read_bytes() == expected
