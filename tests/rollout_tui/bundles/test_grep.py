"""`rollout-tui grep`: a text in all bundles of a root, newest first, as places that open."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from places import REPOSITORY

from reducer import ObjectRef, open_bundle
from rollout_tui.bundles.text_search import TextPattern, search_bundle
from rollout_tui.session import Session

Run = Callable[..., subprocess.CompletedProcess[bytes]]
DEMOS = REPOSITORY / "demo_traces"


def copied(tmp_path: Path, *names: str) -> Path:
    """Some demos as a trace root; each is newer than the one before it."""
    root = tmp_path / "root"
    for number, name in enumerate(names):
        shutil.copytree(DEMOS / name, root / f"{number}-{name}")
        manifest = root / f"{number}-{name}/manifest.json"
        told = json.loads(manifest.read_text())
        told["started_at_unix_ms"] = 1_000_000 + number
        manifest.write_text(json.dumps(told))
    return root


def test_the_newest_bundle_comes_first_and_places_open(run_program: Run, tmp_path: Path) -> None:
    root = copied(tmp_path, "quickstart", "team", "capped")
    finished = run_program("grep", "sweep()", root, "--json")
    assert finished.returncode == 0, finished.stderr
    bundles = json.loads(finished.stdout)["runs"]
    names = [Path(one["path"]).name for one in bundles]
    assert names == sorted(names, reverse=True)
    assert "1-team" in names
    for one in bundles:
        assert one["places"]
        for place in one["places"]:
            bundle, _, seq = place["place"].rpartition("#")
            assert bundle == one["path"]
            assert "sweep" in place["excerpt"].lower()
            line = next(
                line
                for line in (Path(bundle) / "trace.jsonl").read_text().splitlines()
                if json.loads(line)["seq"] == int(seq)
            )
            if place["raw_payload_id"] is not None:
                assert f'"{place["raw_payload_id"]}"' in line
            else:
                assert "sweep" in line


def test_a_place_is_the_first_event_that_brought_the_text(shared_dir: Path) -> None:
    path = shared_dir / "bundles/multi-agent-v2/bundle"
    found = search_bundle(open_bundle(path), TextPattern("BETA RESULT"))
    first, *_ = found.places(3)
    events = [json.loads(line) for line in (path / "trace.jsonl").read_text().splitlines()]

    def has(event: dict[str, Any]) -> bool:
        refs = (value for value in event["payload"].values() if isinstance(value, dict) and "path" in value)
        texts = [json.dumps(event), *((path / ref["path"]).read_text() for ref in refs)]
        return any("BETA RESULT" in text for text in texts)

    having = [event["seq"] for event in events if has(event)]
    assert first.seq == having[0]
    assert {hit.seq for hit in found.hits} == set(having)
    assert not any(hit.only_carries for hit in found.places(100)[1:])
    assert len({hit.seq for hit in found.places(100)}) == len(found.places(100))


@pytest.mark.parametrize("name", ["team", "capped"])
def test_payloads_in_parts_are_found_as_well(name: str) -> None:
    """Whatever an item of the graph says in one line is found in the bundle."""
    index = Session(DEMOS / name).load(lambda _done, _total: None).index
    bundle = open_bundle(DEMOS / name)
    looked = 0
    for item in [*index.trace.conversation_items.values()][::9]:
        for part in item.body.parts:
            text = getattr(part, "text", "")[:40]
            if len(text) < 10:
                continue
            looked += 1
            found = search_bundle(bundle, TextPattern(text))
            seen = index.first_seq(ObjectRef("ConversationItem", item.item_id))
            assert found.hits, text
            assert found.hits[0].seq is not None
            assert seen is not None
            assert found.hits[0].seq <= seen
    assert looked > 3


@pytest.mark.parametrize(
    ("text", "data", "is_found"),
    [
        ("Exit", b'{"a":"Exit"}', True),
        ("Exit", b'{"a":"exit"}', False),
        ("exit", b'{"a":"EXIT"}', True),
        ('say "x"', b'{"a":"say \\"x\\""}', True),
        ('say "x"', b'{"a":"{\\"b\\":\\"say \\\\\\"x\\\\\\"\\"}"}', True),
        ("two\nlines", b'{"a":"two\\nlines"}', True),
        ("naïve", '{"a":"naïve"}'.encode(), True),
        ("naïve", b'{"a":"na\\u00efve"}', True),
        ("absent", b'{"a":"here"}', False),
    ],
)
def test_a_text_is_found_in_the_forms_that_json_gives_it(text: str, data: bytes, is_found: bool) -> None:
    assert (TextPattern(text).find(data) is not None) == is_found


def test_nothing_found_is_status_1_and_said(run_program: Run, tmp_path: Path) -> None:
    root = copied(tmp_path, "quickstart")
    finished = run_program("grep", "no such text anywhere", root)
    assert (finished.returncode, finished.stdout) == (1, b"")
    assert b"is in no run of" in finished.stderr
    empty = run_program("grep", "", root)
    assert empty.returncode == 2
    assert b"the text is empty" in empty.stderr


def test_one_bad_bundle_hides_no_other(run_program: Run, tmp_path: Path) -> None:
    root = copied(tmp_path, "quickstart", "team")
    (root / "1-team/manifest.json").write_text("{")
    (root / "0-quickstart/payloads/000001.zst").write_bytes(b"no shard")
    finished = run_program("grep", "rollout_started", root)
    assert finished.returncode == 0
    assert b"0-quickstart#1 " in finished.stdout
    assert b"1-team: " in finished.stderr
    assert b"0-quickstart: " in finished.stderr


def test_hostile_bundles_are_searched_without_leaving_them(run_program: Run) -> None:
    for name in ("hostile", "hostile-2"):
        finished = run_program("grep", "e", DEMOS / name, "--limit", "1000")
        assert finished.returncode in (0, 1)
        assert not any(byte < 32 and byte != 10 for byte in finished.stdout + finished.stderr)
        said = finished.stdout.decode() + finished.stderr.decode()
        assert not {"\u009b", "\u202e", "\x7f"}.intersection(said)
