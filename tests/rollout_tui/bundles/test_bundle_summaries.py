"""What a list says of a bundle without reducing it: the same as the graph, at a fraction of the cost."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from written_bundles import Recording

from reducer import reduce_bundle
from reducer.storage.shard_store import ShardStore
from reducer.wire.payload_refs import shard_path
from rollout_tui.bundles import summary as summary_module
from rollout_tui.bundles.liveness import logs_being_written
from rollout_tui.bundles.log_scan import LogScan
from rollout_tui.bundles.root import RunList
from rollout_tui.bundles.summary import BundleSummary, Summariser
from rollout_tui.views.bundle_rows import what_words

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


def summary_of(bundle: Path) -> BundleSummary:
    return Summariser(bundle).summary()


RECORDED = (
    *("simple-chat", "multi-agent-v2", "compaction-remote", "compaction-failing", "crash-kill9"),
    *("crash-midstream", "everything-ws", "long-200", "review-app", "interrupted-with-children"),
)


@pytest.mark.slow
@pytest.mark.parametrize("name", RECORDED)
def test_it_says_what_the_graph_says(shared_dir: Path, name: str) -> None:
    bundle = shared_dir / "bundles" / name / "bundle"
    found, trace = summary_of(bundle), reduce_bundle(bundle).trace
    usages = [call.usage for call in trace.inference_calls.values() if call.usage is not None]
    assert found.calls == len(trace.inference_calls)
    assert found.agents == len(trace.threads)
    assert found.turns == len(trace.codex_turns)
    assert found.compactions == len(trace.compactions)
    assert found.tokens == sum(one.input_tokens + one.output_tokens for one in usages)
    assert not found.tokens_are_estimated
    assert found.status == ("stopped" if trace.status == "running" else trace.status)
    assert found.recording_completed == trace.recording_complete
    assert found.model == trace.threads[trace.root_thread_id].default_model
    files = [file for file in bundle.rglob("*") if file.is_file()]
    assert found.bytes == sum(file.stat().st_size for file in files)


def test_schema_1_is_read_as_well(shared_dir: Path) -> None:
    for directory in sorted((shared_dir / "bundles-v1").iterdir())[:6]:
        found = summary_of(directory / "bundle")
        assert found.schema_version == 1
        assert found.calls
        assert found.tokens
        assert found.instruction


@pytest.mark.parametrize(
    ("said", "instruction"),
    [
        (["<environment_context>\n<cwd>/w</cwd>\n</environment_context>", "fix the test"], "fix the test"),
        (["# AGENTS.md instructions for /w\n\n...", "fix it", "<turn_aborted>x</turn_aborted>"], "fix it"),
        (["what was asked first", "answered", "what is asked now"], "what is asked now"),
        (["a < b and <b> is no tag of Codex"], "a < b and <b> is no tag of Codex"),
        ([], ""),
    ],
)
def test_the_instruction_is_the_last_thing_that_a_user_says(
    tmp_path: Path, said: list[str], instruction: str
) -> None:
    recording = Recording(tmp_path, "one", started=1)
    recording.begin()
    recording.call(said)
    assert summary_of(recording.path).instruction == instruction


def test_a_text_that_looks_like_an_event_is_none(tmp_path: Path) -> None:
    recording = Recording(tmp_path, "one", started=1)
    recording.begin()
    forged = '","payload":{"type":"inference_started"},"x":"'
    recording.event("history_item_accepted", item_id=forged)
    recording.write('{"seq":1,"payload": {"x": 1, "type": "codex_turn_started"}}\n')
    recording.write('not json\n[1]\n{"payload":{"type":7}}\n\n')
    found = summary_of(recording.path)
    assert (found.calls, found.turns) == (0, 1)


def test_a_log_that_grows_is_read_on_from_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[bytes] = []
    take = LogScan._take
    monkeypatch.setattr(LogScan, "_take", lambda scan, data: (taken.append(data), take(scan, data))[1])
    recording = Recording(tmp_path, "one", started=1)
    recording.begin()
    summariser = Summariser(recording.path)
    assert summariser.summary().calls == 0
    before = len(taken)
    line = recording.line("inference_started", inference_call_id="c", thread_id="t-root", request_payload={})
    recording.write(line[:40])
    assert summariser.summary().calls == 0
    recording.write(line[40:] + "\n")
    recording.call(["now there is one"], tokens=40)
    found = summariser.summary()
    assert (found.calls, found.tokens, found.instruction) == (2, 41, "now there is one")
    assert len(taken) == before + 3
    # A log that was begun anew is read anew.
    (recording.path / "trace.jsonl").write_text("")
    assert summariser.summary().calls == 0


def test_tokens_of_very_many_calls_are_estimated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summary_module, "MAX_RESPONSES", 4)
    recording = Recording(tmp_path, "one", started=1)
    recording.begin()
    for _ in range(8):
        recording.call(["x"], tokens=99)
    found = summary_of(recording.path)
    assert (found.tokens, found.tokens_are_estimated) == (800, True)


def test_what_cannot_be_read_is_said_and_does_not_end_the_list(tmp_path: Path) -> None:
    good = Recording(tmp_path, "good", started=1)
    good.begin()
    broken = Recording(tmp_path, "broken", started=2)
    (broken.path / "manifest.json").write_text("{")
    without_log = Recording(tmp_path, "without", started=3)
    (without_log.path / "trace.jsonl").unlink()
    escaping = Recording(tmp_path, "escaping", started=4)
    escaping.event(
        "thread_started",
        thread_id="t-root",
        agent_path="/root",
        metadata_payload={"path": "../../good/payloads/1.json"},
    )
    found = {one.summary.path.name: one.summary for one in RunList(tmp_path).look()}
    assert found["broken"].status == "unusable"
    assert "manifest" in (found["broken"].problem or "")
    assert "no event log" in (found["without"].problem or "")
    assert found["escaping"].model == ""
    assert found["good"].model == "m"


def test_a_payload_of_any_size_holds_nobody_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summary_module, "MAX_READ", 500)
    recording = Recording(tmp_path, "one", started=1)
    recording.begin()
    recording.call(["x" * 1000], tokens=7)
    found = summary_of(recording.path)
    assert (found.instruction, found.tokens, found.model) == ("", 8, "m")


# Status


@pytest.mark.parametrize("status", ["completed", "failed", "aborted"])
def test_an_end_is_the_status(tmp_path: Path, status: str) -> None:
    recording = Recording(tmp_path, "one", started=1)
    recording.end(status)
    [found] = RunList(tmp_path).look()
    assert found.summary.status == status


def test_without_an_end_it_is_live_while_it_is_fresh_and_stopped_later(tmp_path: Path) -> None:
    recording = Recording(tmp_path, "one", started=1)
    root = RunList(tmp_path)
    assert root.look()[0].summary.status == "live"
    recording.age()
    assert root.look()[0].summary.status == "stopped"


def test_a_log_that_a_process_has_open_for_writing_is_live(tmp_path: Path) -> None:
    recording = Recording(tmp_path, "one", started=1)
    recording.age()
    log = recording.path / "trace.jsonl"
    script = "import sys; log = open(sys.argv[1], sys.argv[2]); print('open', flush=True); sys.stdin.read()"
    for mode, expected in (("a", "live"), ("r", "stopped")):
        command = [sys.executable, "-c", script, str(log), mode]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            assert RunList(tmp_path).look()[0].summary.status == expected
            process.communicate()
    assert logs_being_written({log}, tmp_path / "no-proc") == set()


# Sessions


def test_bundles_of_one_session_stand_together(tmp_path: Path) -> None:
    for name, started, thread, source, told in (
        ("alone", 50, "a", "exec", {}),
        ("first", 10, "s", "exec", {}),
        ("resumed", 20, "s", "exec", {}),
        ("fork", 30, "f", "vscode", {"forked_from_id": "s"}),
        ("review", 60, "r", {"subagent": "review"}, {"session_id": "f", "parent_thread_id": "f"}),
        ("newest", 55, "n", "cli", {}),
    ):
        recording = Recording(tmp_path, name, started=started, thread=thread)
        recording.begin(source, **told)
        recording.age()
    found = RunList(tmp_path).look()
    assert [(one.summary.path.name, one.relation) for one in found] == [
        ("review", "review"),
        ("fork", "fork"),
        ("resumed", "resumed"),
        ("first", ""),
        ("newest", ""),
        ("alone", ""),
    ]
    assert [(one.place, one.group_size) for one in found] == [(0, 4), (1, 4), (2, 4), (3, 4), (0, 1), (0, 1)]


@pytest.mark.slow
def test_a_thousand_bundles_are_read_once(tmp_path: Path) -> None:
    for number in range(1000):
        recording = Recording(tmp_path, f"b{number}", started=number, thread=f"t{number}")
        recording.begin()
        recording.call([f"instruction {number}"])
        recording.end()
    root = RunList(tmp_path)
    seen: list[tuple[int, int]] = []
    begin = time.process_time()
    found = root.look(lambda done, total: seen.append((done, total)))
    first = time.process_time() - begin
    begin = time.process_time()
    assert root.look() == found
    again = time.process_time() - begin
    assert len(found) == 1000
    assert found[0].summary.instruction == "instruction 999"
    assert seen[0] == (0, 1000)
    assert set(seen) == {(done, 1000) for done in range(1000)}
    assert again < first / 4


# Schema 3: payloads in shards


@pytest.mark.slow
def test_of_schema_3_it_says_what_the_graph_says_too(shared_dir: Path) -> None:
    statuses = set()
    for state in sorted((shared_dir / "bundles-v3").glob("*/state.json")):
        bundle = state.parent / "bundle"
        found, trace = summary_of(bundle), reduce_bundle(bundle).trace
        usages = [call.usage for call in trace.inference_calls.values() if call.usage is not None]
        assert found.calls == len(trace.inference_calls), bundle
        assert found.agents == len(trace.threads)
        assert (found.tokens or 0) == sum(one.input_tokens + one.output_tokens for one in usages)
        assert not found.tokens_are_estimated
        assert found.recording_status == trace.recording_status
        assert found.model == (trace.threads[trace.root_thread_id].default_model or "")
        assert found.bytes == sum(file.stat().st_size for file in bundle.rglob("*") if file.is_file())
        statuses.add(found.recording_status)
    assert statuses == {"unclosed", "complete", "closed_with_partial_payloads"}


class ShardedRecording(Recording):
    """The same of schema 3; each payload goes into a frame of its own in the shard that is `shard`."""

    schema = 3
    shard = 1

    def payload(self, value: Any, kind: str) -> dict[str, Any]:
        self._payloads += 1
        name, data = f"raw_payload:{self._payloads}", json.dumps(value).encode()
        with (self.path / shard_path(self.shard)).open("ab") as file:
            file.write(zstd.compress(struct.pack("<HQ", len(name), len(data)) + name.encode() + data))
        return {"raw_payload_id": name, "kind": {"type": kind}, "shard": self.shard}


def test_a_recording_that_lost_no_payload_is_complete_whatever_its_texts_say(tmp_path: Path) -> None:
    recording = ShardedRecording(tmp_path, "one", started=1)
    recording.event("history_item_accepted", item_id='"capture":{"status":"truncated"')
    whole = {**recording.payload({}, "protocol_event"), "capture": {"status": "complete"}}
    recording.event("protocol_event_observed", event_type="x", event_payload=whole)
    assert summary_of(recording.path).recording_status == "unclosed"
    recording.event("recording_completed")
    assert summary_of(recording.path).recording_status == "complete"
    part = {**whole, "capture": {"original_bytes": 9, "status": "truncated", "retained_bytes": 2}}
    outer = {**recording.payload(["", ""], "protocol_event"), "parts": [part]}
    recording.event("protocol_event_observed", event_type="x", event_payload=outer)
    assert summary_of(recording.path).recording_status == "closed_with_partial_payloads"


def test_few_shards_are_decoded_for_the_tokens_of_many_calls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(summary_module, "MAX_SHARDS", 3)
    decoded: set[int] = set()
    shard = ShardStore.shard
    monkeypatch.setattr(
        ShardStore, "shard", lambda store, number: (decoded.add(number), shard(store, number))[1]
    )
    recording = ShardedRecording(tmp_path, "one", started=1)
    recording.begin()
    for number in range(1, 10):
        recording.shard = number
        recording.call(["x"], tokens=99)
    summariser = Summariser(recording.path)
    found = summariser.summary()
    assert (found.tokens, found.tokens_are_estimated) == (900, True)
    assert decoded == {1, 4, 7}
    decoded.clear()
    assert summariser.summary() == found
    assert decoded == set()  # what was read is remembered, but no shard is


def test_requests_are_counted_and_only_the_first_one_of_the_root_is_parsed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[str] = []
    note = LogScan._note
    monkeypatch.setattr(
        LogScan, "_note", lambda scan, body: (parsed.append(body["type"]), note(scan, body))[1]
    )
    recording = ShardedRecording(tmp_path, "one", started=1)
    for thread, said in (("t-child", "to the child"), ("t-root", "to the root"), ("t-root", "more")):
        recording.thread = thread
        recording.call([said])
    found = summary_of(recording.path)
    assert (found.calls, found.instruction) == (3, "to the root")
    assert parsed.count("inference_started") == 1


def test_the_first_request_may_go_on_from_one_that_was_not_recorded(tmp_path: Path) -> None:
    recording = ShardedRecording(tmp_path, "one", started=1)
    context = recording.payload({"input": [{"role": "user", "content": "all of it"}]}, "warmup_context")
    recording.event(
        "inference_started",
        inference_call_id="c",
        thread_id="t-root",
        request_payload=recording.payload({"input": []}, "inference_request"),
        warmup_context_payload=context,
    )
    assert summary_of(recording.path).instruction == "all of it"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("limit-payload-0", "(payloads cut, no instruction is left)"),
        ("limit-payload-300", "(payloads cut) one"),
        ("exec-sigint", "(recording unfinished) go"),
        ("crash-kill9", "first command, then a long one"),  # its status says as much
        ("simple-chat", "hi there"),
    ],
)
def test_a_row_says_what_of_the_recording_is_missing(shared_dir: Path, name: str, words: str) -> None:
    [found] = RunList(shared_dir / "bundles-v3" / name).look()
    assert what_words(found) == words
