"""What a list says of sessions without rebuilding a graph, and how they are merged with bundles."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from listed_sessions import OTHER, age, family, session, spawned_by
from nobody import as_nobody
from session_builder import CHILD, FORK, ROOT, SessionWriter, plain_session
from work_ratio import assert_grows_linearly
from written_bundles import Recording

from reducer import BundleError
from reducer.sessions import SessionReduction, read_session
from rollout_tui.bundles import session_scan
from rollout_tui.bundles.listing import ListedRun
from rollout_tui.bundles.places import runs_in
from rollout_tui.bundles.root import RunList
from rollout_tui.bundles.session_files import holds_sessions, home_of
from rollout_tui.bundles.session_scan import SessionScan
from rollout_tui.bundles.trace_root import bundle_directory

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


def only(home: Path) -> ListedRun:
    [found] = RunList(None, home).look()
    return found


# The same as the graph


def runs_of(case: Path) -> Iterator[tuple[list[str], SessionReduction]]:
    """The files of each run of a folder, and its graph."""
    seen: set[str] = set()
    for file in sorted(path for path in case.rglob("rollout-*") if path.is_file()):
        name = str(file.relative_to(case))
        if name not in seen:
            reduction = read_session(file)
            names = [str(path.relative_to(case)) for path in reduction.recording.log_paths]
            seen |= set(names)
            yield names, reduction


def test_its_rows_are_runs_and_say_what_their_graphs_say(shared_dir: Path) -> None:
    compared = 0
    for case in sorted((shared_dir / "sessions").iterdir()):
        if not case.is_dir():
            continue
        listed = {run.session.files: run.session for run in RunList(None, case).look() if run.session}
        by_file = {frozenset(files): summary for files, summary in listed.items()}
        for names, reduction in runs_of(case):
            found = by_file.get(frozenset(names))
            assert found is not None, (case.name, names)
            trace = reduction.trace
            answered = [call for call in trace.inference_calls.values() if call.usage is not None]
            # A response without tokens, of a request that was cut, is known to the graph alone.
            assert found.calls is not None
            assert len(answered) <= found.calls <= len(trace.inference_calls), case.name
            told = sum(call.usage.input_tokens + call.usage.output_tokens for call in answered if call.usage)
            assert (found.tokens or 0) == told, case.name
            assert found.turns == len(trace.codex_turns), case.name
            assert found.compactions == len(trace.compactions), case.name
            assert found.root_thread_id == trace.root_thread_id, case.name
            compared += 1
    assert compared > 40


def test_a_row_has_what_a_reader_looks_for(tmp_path: Path) -> None:
    writer = plain_session(tmp_path)
    age(writer.path)
    found = only(tmp_path)
    summary = found.summary
    assert (found.evidence, summary.status, summary.instruction) == ("session", "completed", "look")
    assert (summary.calls, summary.turns, summary.tokens, summary.agents) == (2, 1, 24, 1)
    assert (summary.cwd, summary.model) == ("/w", "gpt-5.5")
    assert summary.bytes == writer.path.stat().st_size


def test_what_failed_is_counted_as_far_as_records_tell(tmp_path: Path) -> None:
    writer = session(tmp_path)
    done = {"type": "CommandExecution", "id": "c", "exit_code": 1, "status": "failed"}
    writer.event("item_completed", turn_id=writer.turn, item=done)
    said = {"type": "McpToolCall", "id": "d", "status": "completed", "result": {"status": "failed"}}
    writer.event("item_completed", turn_id=writer.turn, item=said)
    writer.end_turn(error={"message": "too much"})
    age(writer.path)
    assert only(tmp_path).summary.failures_at_least == 2
    assert only(tmp_path).summary.status == "failed"


def test_what_a_child_copied_is_not_its_own(tmp_path: Path) -> None:
    session(tmp_path, ROOT, "first", calls=3).end_turn()
    child = SessionWriter(tmp_path, CHILD, at=5)
    child.meta(parent_thread_id=ROOT, forked_from_id=ROOT, source=spawned_by(ROOT))
    child.line("session_meta", {"id": ROOT, "cwd": "/w"})
    child.turn = ROOT  # as old as that thread
    child.event("task_started", turn_id=child.turn)
    child.user("first")
    child.assistant("copied")
    child.usage("resp_copied")
    child.turn = "01a22225-0001-7000-8000-000000000009"
    child.event("task_started", turn_id=child.turn)
    child.assistant("own")
    child.usage("resp_own")
    child.end_turn()
    found = only(tmp_path).summary
    assert (found.calls, found.turns, found.agents) == (4, 2, 2)


# Runs


def test_children_and_forks_are_no_rows_of_their_own(tmp_path: Path) -> None:
    made = family(tmp_path)
    found = RunList(None, tmp_path).look()
    assert [one.summary.instruction for one in found] == ["instruction of other", "instruction of root"]
    assert [one.summary.agents for one in found] == [1, 3]
    run = found[1].session
    assert run is not None
    assert run.path == made["root"].path
    assert set(run.thread_ids) == {ROOT, CHILD, FORK}
    assert len(run.files) == 3


def test_a_child_without_its_parent_stands_by_itself(tmp_path: Path) -> None:
    family(tmp_path)["root"].path.unlink()
    found = RunList(None, tmp_path).look()
    assert {one.summary.root_thread_id for one in found} == {OTHER, CHILD, FORK}


def test_archived_and_compressed_files_count_once(tmp_path: Path) -> None:
    made = family(tmp_path)
    other = made["other"].path
    archived = tmp_path / "archived_sessions"
    archived.mkdir()
    (archived / f"{other.name}.zst").write_bytes(zstd.compress(other.read_bytes()))
    assert len(RunList(None, tmp_path).look()) == 2
    other.unlink()
    found = RunList(None, tmp_path).look()
    assert [one.summary.instruction for one in found] == ["instruction of other", "instruction of root"]
    assert str(found[0].summary.path).endswith(".zst")


# Merged with bundles


def test_a_bundle_and_a_session_of_one_thread_are_one_row(tmp_path: Path) -> None:
    family(tmp_path / "home")
    traces = tmp_path / "traces"
    for name, thread, started in (("first", ROOT, 5), ("again", ROOT, 6), ("alone", "t", 7)):
        recording = Recording(traces, name, started=started, thread=thread)
        recording.begin()
        recording.call([f"said in {name}"])
        recording.end()
        recording.age()
    found = {str(one.summary.path.name): one for one in RunList(traces, tmp_path / "home").look()}
    assert {name: one.evidence for name, one in found.items() if "rollout" not in name} == {
        "first": "both",
        "again": "both",
        "alone": "bundle",
    }
    assert found["first"].summary.instruction == "said in first", "the bundle is the better evidence"
    [rest] = [one for name, one in found.items() if "rollout" in name]
    assert (rest.evidence, rest.summary.root_thread_id) == ("session", OTHER)
    assert found["again"].session is not None
    assert found["again"].session.path.name.endswith(f"{ROOT}.jsonl")


def test_a_bundle_of_a_child_belongs_to_the_session_of_its_run(tmp_path: Path) -> None:
    family(tmp_path / "home")
    Recording(tmp_path / "traces", "reviewer", started=5, thread=CHILD).begin()
    found = RunList(tmp_path / "traces", tmp_path / "home").look()
    assert sorted(one.evidence for one in found) == ["both", "session"]


def test_missing_places_are_empty_beside_others(tmp_path: Path) -> None:
    family(tmp_path / "home")
    assert len(RunList(tmp_path / "none", tmp_path / "home").look()) == 2
    with pytest.raises(FileNotFoundError):
        RunList(tmp_path / "none", tmp_path / "neither").look()


# As it grows


def test_what_is_added_is_read_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = family(tmp_path)
    runs = RunList(None, tmp_path)
    before = runs.look()
    read: list[int] = []
    take = SessionScan._take

    def counted(scan: SessionScan, data: bytes, **how: Any) -> None:
        read.append(len(data))
        take(scan, data, **how)

    monkeypatch.setattr(SessionScan, "_take", counted)
    assert runs.look() is before
    assert read == []
    line = made["root"].usage("resp_more")
    assert line is None
    found = runs.look()
    assert len(read) == 1
    assert found[1].summary.calls == (before[1].summary.calls or 0) + 1


def test_a_torn_line_waits_for_its_rest(tmp_path: Path) -> None:
    writer = session(tmp_path)
    whole = writer.path.read_bytes()
    writer.end_turn()
    line = writer.path.read_bytes()[len(whole) :]
    writer.path.write_bytes(whole + line[:20])
    runs = RunList(None, tmp_path)
    age(writer.path)
    assert runs.look()[0].summary.status == "stopped"
    writer.raw(line[20:])
    age(writer.path)
    assert runs.look()[0].summary.status == "completed"


def test_a_file_that_ends_in_its_header_has_said_whose_it_is(tmp_path: Path) -> None:
    writer = session(tmp_path)
    line = writer.path.read_bytes().split(b"\n")[0]
    writer.path.write_bytes(line[:-10])
    age(writer.path)
    found = only(tmp_path).summary
    assert (found.status, found.root_thread_id, found.cwd, found.calls) == ("stopped", ROOT, "/w", 0)


def test_a_file_that_was_replaced_is_read_anew(tmp_path: Path) -> None:
    writer = session(tmp_path, calls=5)
    runs = RunList(None, tmp_path)
    assert runs.look()[0].summary.calls == 5
    writer.path.unlink()
    session(tmp_path, calls=1)
    assert runs.look()[0].summary.calls == 1


def test_a_session_is_live_while_its_turn_is_fresh_or_a_process_writes_it(tmp_path: Path) -> None:
    writer = session(tmp_path)
    runs = RunList(None, tmp_path)
    assert runs.look()[0].summary.status == "live"
    age(writer.path)
    assert runs.look()[0].summary.status == "stopped"
    script = "import sys; log = open(sys.argv[1], 'a'); print('open', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", script, str(writer.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert runs.look()[0].summary.status == "live"
        process.communicate()
    assert runs.look()[0].summary.status == "stopped"


def test_of_the_bundles_of_a_session_that_goes_on_the_newest_is_live(tmp_path: Path) -> None:
    """Its later process may not be traced, or may have a bundle of its own."""
    writer = session(tmp_path / "home")
    for name, started in (("first", 1_000), ("again", 2_000)):
        recording = Recording(tmp_path / "traces", name, started=started, thread=ROOT)
        recording.begin()
        recording.end()
        recording.age()
    runs = RunList(tmp_path / "traces", tmp_path / "home")
    statuses = {run.summary.path.name: run.summary.status for run in runs.look()}
    assert statuses == {"first": "completed", "again": "live"}
    age(writer.path)
    assert {run.summary.status for run in runs.look()} == {"completed"}


def test_of_a_very_large_file_the_middle_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = session(tmp_path, calls=2000)
    writer.end_turn()
    age(writer.path)
    size = writer.path.stat().st_size
    monkeypatch.setattr(session_scan, "MAX_SCANNED", size // 4)
    monkeypatch.setattr(session_scan, "TAIL", size // 8)
    summary = only(tmp_path).summary
    assert summary.tokens_are_estimated
    assert summary.calls == pytest.approx(2000, rel=0.05)
    assert summary.status == "completed", "its end is looked at"


# What cannot be used


def hostile_name(home: Path) -> Path:
    path = home / "sessions/2026/11/28/rollout-\x1b]0;owned\x07\nx.jsonl"
    path.write_text('{"type":"session_meta","payload":{}}\n')
    return path


def linked(home: Path) -> Path:
    secret = home.parent / "secret.jsonl"
    secret.write_text("{}")
    path = home / f"sessions/2026/11/28/rollout-2026-11-28T12-00-00-{CHILD}.jsonl"
    path.symlink_to(secret)
    return path


def linked_folder(home: Path) -> Path:
    (home.parent / "away").mkdir()
    path = home / "sessions/2027"
    path.symlink_to(home.parent / "away")
    return path


def piped(home: Path) -> Path:
    path = home / f"sessions/2026/11/28/rollout-2026-11-28T12-00-00-{CHILD}.jsonl"
    os.mkfifo(path)
    return path


def empty(home: Path) -> Path:
    path = home / f"sessions/2026/11/28/rollout-2026-11-28T12-00-00-{CHILD}.jsonl"
    path.touch()
    return path


def torn(home: Path) -> Path:
    path = home / f"sessions/2026/11/28/rollout-2026-11-28T12-00-00-{CHILD}.jsonl.zst"
    path.write_bytes(b"\x28\xb5\x2f\xfdxx")
    return path


def barred(home: Path) -> Path:
    path = empty(home)
    path.chmod(0)
    return path


def barred_folder(home: Path) -> Path:
    path = home / "sessions/2027"
    path.mkdir()
    path.chmod(0)
    return path


BAD = {
    hostile_name: "no session_meta",
    linked: "a link, which is not followed",
    linked_folder: "a link, which is not followed",
    piped: "not a regular file",
    empty: "no session_meta",
    torn: "compressed data",
    barred: "permission denied",
    barred_folder: "permission denied",
}


@pytest.mark.parametrize("make", BAD, ids=lambda make: make.__name__)
def test_what_cannot_be_used_is_a_row_with_the_reason(open_home: Path, make: Any) -> None:
    path = make(open_home)
    with as_nobody():
        found = {one.summary.path: one.summary for one in RunList(None, open_home).look()}
    assert len(found) == 2
    assert found[path].status == "unusable"
    assert BAD[make] in (found[path].problem or "").lower()
    [good] = [one for one in found.values() if one.path != path]
    assert good.status == "completed"
    if make in (barred, barred_folder):
        path.chmod(0o700)


@pytest.fixture
def open_home() -> Iterator[Path]:
    """A home of codex with one session, which everybody may enter."""
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory) / "home"
        writer = session(home)
        writer.end_turn()
        age(writer.path)
        Path(directory).chmod(0o755)
        yield home


def test_nothing_is_written_locked_or_opened_but_session_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    family(tmp_path)
    for name in ("state_5.sqlite", "state_5.sqlite-wal", "session_index.jsonl", "auth.json"):
        (tmp_path / name).write_text("theirs")
    before = tree(tmp_path)
    opened: list[tuple[str, int]] = []
    real = os.open

    def watched(path: Any, flags: int, *rest: Any, **more: Any) -> int:
        opened.append((os.fspath(path), flags))
        return real(path, flags, *rest, **more)

    monkeypatch.setattr(os, "open", watched)
    runs = RunList(None, tmp_path)
    runs.look()
    assert [len(page) for page in runs.pages()] == [2]
    assert tree(tmp_path) == before
    assert any("rollout-" in path for path, _ in opened)
    writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
    assert not [path for path, flags in opened if flags & writing]
    assert not [path for path, _ in opened if "sqlite" in path or "auth" in path or "index" in path]


def tree(home: Path) -> dict[str, tuple[int, int, bytes]]:
    """Every file and folder with its times and contents, but for when it was last read."""
    return {
        str(path.relative_to(home)): (
            path.lstat().st_mtime_ns,
            path.lstat().st_ctime_ns,
            path.read_bytes() if path.is_file() else b"",
        )
        for path in sorted(home.rglob("*"))
    }


# Which directory has sessions


def test_a_directory_is_known_by_its_sessions(tmp_path: Path) -> None:
    made = family(tmp_path / "home")
    home, file = tmp_path / "home", made["other"].path
    for directory in (home, home / "sessions", home / "sessions/2026", file.parent):
        assert holds_sessions(directory)
        assert runs_in(directory).traces is None
        assert "instruction of other" in [one.summary.instruction for one in runs_in(directory).look()]
    assert home_of(file) == home
    for directory in (tmp_path, tmp_path / "none"):
        assert not holds_sessions(directory)
    Recording(home, "bundle", started=1, thread="t").begin()
    assert {one.evidence for one in runs_in(home).look()} == {"bundle", "session"}


# By the beginning of an id


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """A home of codex and a trace root with one bundle of the run in it."""
    family(tmp_path / "home")
    recording = Recording(
        tmp_path / "traces", f"trace-77aa0000-0000-7000-8000-000000000001-{ROOT}", started=5
    )
    manifest = recording.path / "manifest.json"
    manifest.write_text(manifest.read_text().replace("t-root", ROOT))
    return {"CODEX_HOME": str(tmp_path / "home"), "CODEX_ROLLOUT_TRACE_ROOT": str(tmp_path / "traces")}


def test_an_id_leads_to_the_bundle_of_its_run_or_else_to_the_session(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    [bundle] = (tmp_path / "traces").iterdir()
    for asked in (ROOT, CHILD, FORK, "77aa", "trace-of"):
        assert bundle_directory(Path(asked), environ) == bundle, asked
    found = bundle_directory(Path(OTHER[:13]), environ)
    assert found.name.endswith(f"{OTHER}.jsonl")
    for asked in ("77ab", "01a", "sess", "no-such"):
        assert bundle_directory(Path(asked), environ) == Path(asked)


def test_several_runs_are_named_in_one_line(environ: dict[str, str]) -> None:
    with pytest.raises(BundleError) as refused:
        bundle_directory(Path("01a22225"), environ)
    words = str(refused.value)
    assert "2 runs begin so: " in words
    assert OTHER in words
    assert "\n" not in words


# Very many


@pytest.mark.slow
def test_work_grows_with_the_sessions_there_are(tmp_path: Path) -> None:
    homes = {}
    for size in (40, 320):
        homes[size] = tmp_path / str(size)
        for number in range(size):
            session(homes[size], f"01a2{number:04x}-0001-7000-8000-000000000001").end_turn()
    assert_grows_linearly(lambda size: RunList(None, homes[size]).look(), 40, times=8)
