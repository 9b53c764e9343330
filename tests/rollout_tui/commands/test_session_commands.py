"""Sessions that codex keeps by itself: as a bundle, and as a graph."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[bytes]]

THREAD = "01a208d0-0000-7000-8000-000000000001"
TURN = "01a208d0-0000-7000-8000-000000000002"


def line(type_: str, **payload: object) -> str:
    return json.dumps({"timestamp": "2026-11-28T13:52:17.578Z", "type": type_, "payload": payload})


@pytest.fixture
def session(tmp_path: Path) -> Path:
    """One turn with one answer."""
    said = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "why?"}]}
    answer = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "so"}]}
    usage = {"input_tokens": 10, "cached_input_tokens": 0, "output_tokens": 2, "total_tokens": 12}
    lines = [
        line("session_meta", id=THREAD, cwd="/w", cli_version="0.171.0", originator="t", source="exec"),
        line("event_msg", type="task_started", turn_id=TURN),
        line("turn_context", turn_id=TURN, cwd="/w", model="gpt-5.5"),
        line("response_item", **said),
        line("response_item", **answer),
        line("event_msg", type="token_count", info={"total_token_usage": usage, "last_token_usage": usage}),
        line("event_msg", type="task_complete", turn_id=TURN),
    ]
    path = tmp_path / f"rollout-2026-11-28T13-52-17-{THREAD}.jsonl"
    path.write_text("".join(f"{one}\n" for one in lines))
    return path


def test_a_session_becomes_a_bundle_that_is_read_like_any_other(
    call_program: Run, session: Path, tmp_path: Path
) -> None:
    bundle = tmp_path / "made/bundle"
    done = call_program("convert", str(session), "-o", str(bundle))
    assert (done.returncode, done.stdout.decode().strip()) == (0, str(bundle)), done.stderr
    assert json.loads((bundle / "manifest.json").read_text())["rebuilt_from"] == "session"
    shown = call_program("show", str(bundle), "calls", "--json")
    assert len(json.loads(shown.stdout)["calls"]) == 1
    assert call_program("reduce", str(bundle), "--strict").returncode == 0


def test_what_is_there_is_not_written_over(call_program: Run, session: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    refused = call_program("convert", str(session), "-o", str(tmp_path / "taken"))
    assert refused.returncode == 2
    assert b"cannot write" in refused.stderr
    assert not any((tmp_path / "taken").iterdir())


def test_the_graph_of_a_session_says_what_is_rebuilt(
    call_program: Run, session: Path, tmp_path: Path
) -> None:
    done = call_program("reduce", str(session), "-o", str(tmp_path / "state.json"))
    assert done.returncode == 0, done.stderr
    state = json.loads((tmp_path / "state.json").read_text())
    assert state["rebuilt_from"] == "session"
    assert set(state["certainty"]) & set(state["inference_calls"])


def test_a_session_is_not_written_over_itself(call_program: Run, session: Path) -> None:
    before = session.read_bytes()
    for target in (session, session.with_name("link.jsonl")):
        if target is not session:
            target.symlink_to(session)
        refused = call_program("reduce", str(session), "-o", str(target))
        assert refused.returncode == 2, refused
        assert b"it is evidence" in refused.stderr
    assert session.read_bytes() == before


@pytest.mark.parametrize("arguments", [[], ["--strict", "-o", "x.json"]], ids=["nowhere", "strict"])
def test_what_a_session_cannot_is_said(call_program: Run, session: Path, arguments: list[str]) -> None:
    refused = call_program("reduce", str(session), *arguments)
    assert refused.returncode == 2
    assert b"a session file of codex" in refused.stderr


def test_only_sessions_are_converted(
    call_program: Run, demo_trace: Callable[[str], Path], tmp_path: Path
) -> None:
    for path, words in (
        (demo_trace("quickstart"), b"not a session file of codex"),
        (tmp_path / "none.jsonl", b"no such file"),
    ):
        refused = call_program("convert", str(path), "-o", str(tmp_path / "made"))
        assert refused.returncode == 2
        assert words in refused.stderr, refused.stderr
    assert not (tmp_path / "made").exists()


def test_problems_are_named_with_file_and_line(call_program: Run, session: Path, tmp_path: Path) -> None:
    with session.open("a") as log:
        log.write("\x1b[31m not json\n")
    done = call_program("convert", str(session), "-o", str(tmp_path / "made"))
    assert done.returncode == 1
    assert f"{session.name} line 8".encode() in done.stderr or b"line 8" in done.stderr
    assert b"\x1b" not in done.stderr
    shutil.rmtree(tmp_path / "made")


def test_check_says_what_a_session_can_tell(call_program: Run, session: Path) -> None:
    done = call_program("check", str(session))
    assert done.returncode == 0, done.stderr
    said = done.stdout.decode()
    assert "1 session file, 7 records" in said
    assert "~ execution (its start): of all" in said
    assert "- request (tools, parameters, headers): of all" in said
    assert "Kinds of records: all are known" in said
    found = json.loads(call_program("check", str(session), "--json").stdout)
    assert (found["clean"], found["rebuilt_from"]) == (True, "session")
    [calls] = [one for one in found["told"] if one["type"] == "InferenceCall"]
    assert calls["objects"] == 1
    assert calls["rebuilt"]["request_item_ids"] == 1


def test_check_tells_drift_from_damage(call_program: Run, session: Path) -> None:
    with session.open("a") as log:
        log.write(line("hologram", type="x") + "\n")
        log.write(line("event_msg", type="token_count", info=None, phase_of_the_moon="new") + "\n")
        log.write("no json\n")
    done = call_program("check", str(session), "--json")
    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert [(one["what"], one["line"]) for one in found["unknown_kinds"]] == [("record type hologram", 8)]
    assert [one["what"] for one in found["unknown_fields"]] == ["field token_count.phase_of_the_moon"]
    assert [one["line"] for one in found["problems"]] == [10]
    said = call_program("check", str(session)).stdout.decode()
    assert "problem: unknown record type hologram" in said
    assert "note: unknown field token_count.phase_of_the_moon" in said
    assert "2 problems, 1 note" in said


def test_a_session_is_shown_like_a_bundle(call_program: Run, session: Path, tmp_path: Path) -> None:
    shown = call_program("show", str(session), "call", "1")
    assert shown.returncode == 0, shown.stderr
    assert b"so" in shown.stdout
    taken = call_program("show", str(session), "call", "1", "-o", str(tmp_path / "call.md"))
    assert taken.returncode == 0
    assert (tmp_path / "call.md").read_bytes() == shown.stdout
    refused = call_program("show", str(session), "call", "1", "-o", str(session))
    assert refused.returncode == 2
    assert b"it is evidence" in refused.stderr
