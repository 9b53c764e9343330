"""`rollout-tui grep` in session files, alone and beside the bundles of the same runs."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from inspecting import inspecting
from listed_sessions import family, session
from places import REPOSITORY
from session_builder import CHILD, ROOT

from rollout_tui.language.locations import parse_location

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

Run = Callable[..., subprocess.CompletedProcess[bytes]]
BOTH = REPOSITORY / "demo_traces/both"


def found(run_program: Run, text: str, root: Path) -> list[dict[str, Any]]:
    finished = run_program("grep", text, root, "--json")
    assert finished.returncode in (0, 1), finished.stderr
    runs: list[dict[str, Any]] = json.loads(finished.stdout)["runs"]
    return runs


def line_at(place: str) -> str:
    file, _, number = place.rpartition("#L")
    data = Path(file).read_bytes()
    data = zstd.decompress(data) if file.endswith(".zst") else data
    return data.decode().split("\n")[int(number) - 1]


def test_runs_come_newest_first_and_places_name_file_and_line(run_program: Run, tmp_path: Path) -> None:
    family(tmp_path)
    runs = found(run_program, "instruction of", tmp_path)
    assert len(runs) == 2, "the child and the fork belong to the root's run"
    ages = [one["started_at_unix_ms"] for one in runs]
    assert ages == sorted(ages, reverse=True)
    for one in runs:
        assert (one["kind"], one["bundle"]) == ("session", None)
        for place in one["places"]:
            assert "instruction of" in line_at(place["place"])
    [other] = found(run_program, "instruction of fork", tmp_path)
    assert "#L" in other["places"][0]["place"]


def test_a_compressed_file_is_searched_too(run_program: Run, tmp_path: Path) -> None:
    writer = session(tmp_path, asked="needle in a packed file")
    packed = writer.path.with_name(f"{writer.path.name}.zst")
    packed.write_bytes(zstd.compress(writer.path.read_bytes()))
    writer.path.unlink()
    [run] = found(run_program, "needle in", tmp_path)
    assert "needle in" in line_at(run["places"][0]["place"])


def test_what_repeats_an_item_is_no_place_of_its_own(run_program: Run) -> None:
    [run] = found(run_program, "I look at the program and run its tests", BOTH / "sessions")
    assert [one["event"] for one in run["places"]] == ["response_item message"]
    assert run["found_in"] > 1


def test_a_run_of_which_there_are_both_is_searched_once(run_program: Run) -> None:
    [run] = found(run_program, "summer time is never added", BOTH)
    assert run["kind"] == "both"
    assert run["path"] == run["bundle"] == str(BOTH / "bundle")
    assert run["session"].endswith(".jsonl")
    assert all(one["seq"] for one in run["places"])


def test_what_only_the_session_has_is_found_there(run_program: Run, tmp_path: Path) -> None:
    """A later process of it may not have been traced."""
    home = shutil.copytree(BOTH, tmp_path / "both")
    file = min((home / "sessions").rglob("rollout-*"))
    with file.open("a") as log:
        log.write(
            '{"timestamp":"2026-11-29T02:00:00Z","type":"event_msg","payload":{"type":"late needle"}}\n'
        )
    [run] = found(run_program, "late needle", home)
    assert (run["kind"], run["path"]) == ("both", str(file))
    assert run["places"][0]["place"] == f"{file}#L{len(file.read_text().splitlines())}"


def test_one_session_file_stands_for_its_run(run_program: Run, tmp_path: Path) -> None:
    made = family(tmp_path)
    [run] = found(run_program, "instruction of root", made["child"].path)
    assert run["places"][0]["place"].startswith(str(made["root"].path))
    assert found(run_program, "instruction of other", made["child"].path) == []


def test_no_link_is_followed_and_no_control_character_reaches_the_terminal(
    run_program: Run, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.jsonl"
    secret.write_text('{"type":"event_msg","payload":{"type":"needle"}}\n')
    home = tmp_path / "home"
    writer = session(home, asked="needle \x1b]0;title\x07 \u202e")
    writer.path.with_name(f"rollout-2026-11-28T12-00-00-{CHILD}.jsonl").symlink_to(secret)
    finished = run_program("grep", "needle", home)
    assert finished.returncode == 0
    assert b"secret" not in finished.stdout
    assert finished.stdout.count(b"\n") == 1
    assert not {0x1B, 0x07} & set(finished.stdout)
    assert "\u202e" not in finished.stdout.decode()
    assert ROOT in finished.stdout.decode()


async def test_a_place_opens(run_program: Run) -> None:
    [run] = found(run_program, "STANDARD is one hour, whatever", BOTH / "sessions")
    location = parse_location(run["places"][0]["place"])
    async with inspecting(location.bundle, at=location.place) as inspection:
        entry = inspection.screen.panes.timeline.entry
        assert entry is not None
        index = inspection.screen.session.timelines.index
        assert index.thread_path(entry.thread_id) == "/root/clock"
        call = index.trace.inference_calls[entry.ref.id]
        said = [str(part) for item in index.items(call.response_item_ids) for part in item.body.parts]
        assert any("STANDARD is one hour" in text for text in said), inspection.said
