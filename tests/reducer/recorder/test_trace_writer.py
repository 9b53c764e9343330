"""The bundle on disk as the writer makes it: bytes, order, threads, and everything that can go wrong."""

from __future__ import annotations

import errno
import json
import logging
import os
import random
import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import Raw
from recorder_fixtures import CHILD, ROOT, START, events, payload, ticking_clock
from shard_reading import finished, shards

from reducer import reduce_bundle
from reducer.recorder import Ids, Limits, SessionMetadata, SessionTrace, ToolInvocation
from reducer.recorder.encoding import pretty_json
from reducer.recorder.payload_writers import UNLIMITED
from reducer.recorder.writer import NullWriter, SchemaNumber, TraceWriter, open_writer
from reducer.schemas.v1 import CodeCellStarted, ThreadEnded
from reducer.schemas.v2 import RecordingCompleted
from reducer.schemas.v3 import HistoryItemAcceptedV3, InferenceStartedV3
from reducer.storage.bundle import open_bundle
from reducer.wire.events import Mcp
from reducer.wire.payload_refs import FileRef, PayloadKind, PayloadRef

TRACE = "00000000-0000-4000-8000-000000000001"


SCHEMAS: list[SchemaNumber] = [2, 3]


@pytest.fixture(params=SCHEMAS)
def schema(request: pytest.FixtureRequest) -> SchemaNumber:
    """The schemas that have what these tests are about; where it matters, a test says which one."""
    number: SchemaNumber = request.param
    return number


def writer_of(directory: Path, schema: SchemaNumber = 3, limits: Limits = UNLIMITED) -> TraceWriter:
    return TraceWriter(
        directory, trace_id=TRACE, root_thread_id=ROOT, clock=ticking_clock(), schema=schema, limits=limits
    )


@pytest.fixture
def writer(tmp_path: Path, schema: SchemaNumber) -> Iterator[TraceWriter]:
    made = writer_of(tmp_path / "bundle", schema)
    yield made
    made.close()


def content(bundle: Path, reference: PayloadRef | None) -> Any:
    assert reference is not None
    return payload(bundle, msgspec.to_builtins(reference))


@contextmanager
def disk_full_after(size: int) -> Iterator[None]:
    """No file grows beyond `size` bytes: the kernel takes the part that fits, then refuses."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def warnings_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


def test_the_manifest_is_codex_s_to_the_byte(writer: TraceWriter, schema: SchemaNumber) -> None:
    assert (writer.directory / "manifest.json").read_text() == (
        "{\n"
        f'  "schema_version": {schema},\n'
        f'  "trace_id": "{TRACE}",\n'
        f'  "rollout_id": "{ROOT}",\n'
        f'  "root_thread_id": "{ROOT}",\n'
        f'  "started_at_unix_ms": {START},\n'
        '  "raw_event_log": "trace.jsonl",\n'
        '  "payloads_dir": "payloads"\n'
        "}"
    )


def test_a_bundle_of_nothing_is_a_bundle(writer: TraceWriter) -> None:
    assert list(open_bundle(writer.directory).lines()) == []


def test_a_line_is_codex_s_to_the_byte(writer: TraceWriter, schema: SchemaNumber) -> None:
    assert writer.append(HistoryItemAcceptedV3("msg_é"), thread_id=CHILD, codex_turn_id="turn")
    assert writer.append(ThreadEnded(CHILD, "completed"))
    assert (writer.directory / "trace.jsonl").read_text() == (
        f'{{"schema_version":{schema},"seq":1,"wall_time_unix_ms":{START + 10},"rollout_id":"{ROOT}",'
        f'"thread_id":"{CHILD}","codex_turn_id":"turn",'
        '"payload":{"type":"history_item_accepted","item_id":"msg_é"}}\n'
        f'{{"schema_version":{schema},"seq":2,"wall_time_unix_ms":{START + 20},"rollout_id":"{ROOT}",'
        '"thread_id":null,"codex_turn_id":null,'
        f'"payload":{{"type":"thread_ended","thread_id":"{CHILD}","status":"completed"}}}}\n'
    )


@pytest.mark.parametrize("schema", [2])
def test_a_payload_file_is_codex_s_to_the_byte(writer: TraceWriter) -> None:
    value = {"z": [1.5904e-05, None, True], "a": {}, "b": [], "text": "é\x7f\x1b\n\u2028"}
    assert writer.write_payload("tool_result", value) == FileRef(
        "raw_payload:1", PayloadKind("tool_result"), "payloads/1.json"
    )
    assert (writer.directory / "payloads" / "1.json").read_text() == (
        "{\n"
        '  "z": [\n    0.000015904,\n    null,\n    true\n  ],\n'
        '  "a": {},\n'
        '  "b": [],\n'
        '  "text": "é\x7f\\u001b\\n\u2028"\n'
        "}"
    )


def test_ready_made_json_stays_as_it_is() -> None:
    value = {"model": "m", "input": [{"a": 1}], "tools": Raw(b'[{"name":"x"},{}]'), "store": False}
    assert pretty_json(value).decode() == (
        '{\n  "model": "m",\n  "input": [\n    {\n      "a": 1\n    }\n  ],\n'
        '  "tools": [{"name":"x"},{}],\n  "store": false\n}'
    )


def test_ready_made_json_that_is_none_is_not_written(writer: TraceWriter) -> None:
    assert writer.write_payload("inference_request", {"tools": Raw(b"[{]")}) is None


def test_recorded_payloads_are_written_again_to_the_same_bytes(shared_dir: Path) -> None:
    files = sorted((shared_dir / "bundles").glob("*/bundle/payloads/*.json"))
    assert len(files) > 1000
    for file in files[::7]:
        data = file.read_bytes()
        value = json.loads(data)
        tools = [line for line in data.split(b"\n") if line.startswith(b'  "tools": [')]
        if isinstance(value.get("tools"), list) and tools:
            value["tools"] = Raw(tools[0].removeprefix(b'  "tools": ').rstrip(b","))
        assert pretty_json(value) == data, file


def test_half_a_surrogate_pair_does_not_cost_the_text_around_it(writer: TraceWriter) -> None:
    reference = writer.write_payload("tool_result", {"output": ["caf\udce9", "\ud83d\ude00"]})
    assert reference is not None
    assert content(writer.directory, reference) == {"output": ["caf\ufffd", "😀"]}
    assert writer.append(HistoryItemAcceptedV3("msg_\ud800"))
    assert events(writer.directory)[0]["payload"]["item_id"] == "msg_\ufffd"


def test_what_has_no_json_form_is_dropped(writer: TraceWriter, caplog: pytest.LogCaptureFixture) -> None:
    loop: dict[str, object] = {}
    loop["self"] = loop
    for value in (object(), {"a": {object()}}, loop):
        assert writer.write_payload("tool_result", value) is None
    assert list((writer.directory / "payloads").iterdir()) == []
    assert len(warnings_of(caplog)) == 1


def test_a_malformed_event_never_gets_into_the_log(writer: TraceWriter) -> None:
    assert not writer.append(ThreadEnded(CHILD, "exploded"))  # type: ignore[arg-type]
    assert not writer.append(ThreadEnded(None, "completed"))  # type: ignore[arg-type]
    assert writer.append(ThreadEnded(CHILD, "failed"))
    assert [event["seq"] for event in events(writer.directory)] == [1]


@pytest.mark.slow
def test_threads_share_one_writer(writer: TraceWriter) -> None:
    threads, each = 8, 60
    ready = threading.Barrier(threads)

    def hammer(number: int) -> None:
        ready.wait()
        for step in range(each):
            text = f"{number}:{step} " + "x" * (step * 37 % 5000)
            reference = writer.write_payload("protocol_event", {"type": "agent_message", "text": text})
            assert writer.append(
                HistoryItemAcceptedV3(f"{number}:{step}", reference), thread_id=f"thread-{number}"
            )

    running = [threading.Thread(target=hammer, args=(number,)) for number in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()

    found = events(writer.directory)
    assert len(found) == threads * each
    steps: dict[str, list[str]] = {}
    payload_ids = set()
    for event in found:
        item_id = event["payload"]["item_id"]
        reference = event["payload"]["agent_message_payload"]
        assert payload(writer.directory, reference)["text"].startswith(f"{item_id} ")
        payload_ids.add(reference["raw_payload_id"])
        steps.setdefault(event["thread_id"], []).append(item_id)
    assert payload_ids == {f"raw_payload:{number}" for number in range(1, threads * each + 1)}
    for number in range(threads):
        assert steps[f"thread-{number}"] == [f"{number}:{step}" for step in range(each)]


def test_a_disk_that_fills_up_leaves_whole_lines(
    writer: TraceWriter, caplog: pytest.LogCaptureFixture
) -> None:
    assert writer.append(HistoryItemAcceptedV3("before"))
    size = (writer.directory / "trace.jsonl").stat().st_size
    with disk_full_after(size + 100):
        assert not writer.append(HistoryItemAcceptedV3("torn"))
        assert not writer.append(HistoryItemAcceptedV3("torn again"))
        assert (writer.directory / "trace.jsonl").stat().st_size == size
        lost = writer.write_payload("tool_result", {"output": random.Random(1).randbytes(5000).hex()})
        assert lost is None or lost.is_lost
    assert list((writer.directory / "payloads").iterdir()) == []
    assert writer.append(HistoryItemAcceptedV3("after"))
    assert [event["payload"]["item_id"] for event in events(writer.directory)] == ["before", "after"]
    (warning,) = warnings_of(caplog)
    assert "an event could not be recorded" in warning


def test_a_torn_line_that_cannot_be_taken_back_ends_the_log(
    writer: TraceWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert writer.append(HistoryItemAcceptedV3("before"))

    def refuse(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", refuse)
        patch.setattr(os, "ftruncate", refuse)
        assert not writer.append(HistoryItemAcceptedV3("lost"))
    assert not writer.append(HistoryItemAcceptedV3("too late"))
    assert writer.write_payload("tool_result", {}) is None
    assert [event["payload"]["item_id"] for event in events(writer.directory)] == ["before"]


def test_short_writes_are_finished(writer: TraceWriter, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda descriptor, data: whole(descriptor, bytes(data)[:7]))
        assert writer.append(CodeCellStarted("1", "call", "text(1);" * 20), codex_turn_id="turn")
        reference = writer.write_payload("tool_result", {"output": "y" * 100})
    assert events(writer.directory)[0]["payload"]["source_js"] == "text(1);" * 20
    assert content(writer.directory, reference) == {"output": "y" * 100}


def test_each_event_is_on_disk_at_once(writer: TraceWriter) -> None:
    for count in range(1, 4):
        writer.append(HistoryItemAcceptedV3(str(count)))
        assert len(events(writer.directory)) == count


def test_a_clock_that_breaks_costs_an_event(tmp_path: Path) -> None:
    times = iter([1, 2])
    writer = TraceWriter(tmp_path / "bundle", trace_id=TRACE, root_thread_id=ROOT, clock=lambda: next(times))
    assert writer.append(HistoryItemAcceptedV3("a"))
    assert not writer.append(HistoryItemAcceptedV3("b"))
    assert len(events(writer.directory)) == 1


def test_nothing_is_written_after_the_end(writer: TraceWriter, caplog: pytest.LogCaptureFixture) -> None:
    assert writer.append(RecordingCompleted())
    writer.close()
    writer.close()
    assert not writer.append(HistoryItemAcceptedV3("late"))
    assert writer.write_payload("tool_result", {}) is None
    assert len(events(writer.directory)) == 1
    assert warnings_of(caplog) == []


def test_a_bundle_is_named_after_the_trace_and_its_root_thread(tmp_path: Path) -> None:
    sink = open_writer(tmp_path / "new" / "root", trace_id=TRACE, root_thread_id=ROOT)
    assert isinstance(sink, TraceWriter)
    assert sink.directory == tmp_path / "new" / "root" / f"trace-{TRACE}-{ROOT}"
    sink.close()


@pytest.mark.parametrize("thread_id", ["a/../../elsewhere", "a\0b", "x" * 300])
def test_a_thread_id_that_is_no_file_name_turns_recording_off(
    tmp_path: Path, thread_id: str, caplog: pytest.LogCaptureFixture
) -> None:
    root = tmp_path / "root"
    root.mkdir()
    assert isinstance(open_writer(root, trace_id=TRACE, root_thread_id=thread_id), NullWriter)
    assert [path.name for path in tmp_path.rglob("*")] == ["root"]
    assert len(warnings_of(caplog)) == 1


def test_a_bundle_that_is_there_already_is_left_alone(tmp_path: Path) -> None:
    first = open_writer(tmp_path, trace_id=TRACE, root_thread_id=ROOT)
    assert first.append(HistoryItemAcceptedV3("mine"))
    assert isinstance(open_writer(tmp_path, trace_id=TRACE, root_thread_id=ROOT), NullWriter)
    assert len(events(tmp_path / f"trace-{TRACE}-{ROOT}")) == 1
    first.close()


def test_a_disk_that_is_full_from_the_start_leaves_no_half_bundle(tmp_path: Path) -> None:
    with disk_full_after(10):
        assert isinstance(open_writer(tmp_path, trace_id=TRACE, root_thread_id=ROOT), NullWriter)
    assert list(tmp_path.iterdir()) == []


def test_schema_1_leaves_out_what_it_has_no_event_for(tmp_path: Path) -> None:
    directory = tmp_path / "bundle"
    made = TraceWriter(directory, trace_id=TRACE, root_thread_id=ROOT, clock=ticking_clock(), schema=1)
    metadata = SessionMetadata(thread_id=ROOT, cwd="/w", model="m")
    session = SessionTrace(made, TRACE, metadata, Ids())
    turn = session.root.start_turn("turn")
    turn.accept_item({"type": "agent_message", "id": "m"})
    call = turn.start_tool_call("c", ToolInvocation.function("ask", "{}"))
    call.start_runtime({"invocation": {"server": "s", "tool": "t"}}, kind=Mcp("s", "t"))
    turn.end()
    session.root.end()
    session.root.resume()
    session.complete()
    lines = [json.loads(line) for line in (directory / "trace.jsonl").read_bytes().splitlines()]
    assert [line["payload"]["type"] for line in lines] == [
        "rollout_started",
        "thread_started",
        "codex_turn_started",
        "tool_call_started",
        "tool_call_runtime_started",
        "codex_turn_ended",
        "thread_ended",
    ]
    assert {line["schema_version"] for line in lines} == {1}
    assert [line["seq"] for line in lines] == list(range(1, 8))
    assert "kind" not in lines[4]["payload"]
    assert json.loads((directory / "manifest.json").read_bytes())["schema_version"] == 1
    reduction = reduce_bundle(directory)
    assert reduction.problems == []
    assert reduction.trace.tool_calls["c"].kind == Mcp("s", "t")
    referred = {ref.path for ref in reduction.trace.raw_payloads.values()}
    assert referred == {f"payloads/{path.name}" for path in (directory / "payloads").iterdir()}


def test_only_what_the_schema_has_is_kept(tmp_path: Path) -> None:
    oldest, older, newest = (writer_of(tmp_path / str(number), number) for number in (1, 2, 3))
    writers = (oldest, older, newest, NullWriter())
    assert [writer.keeps(HistoryItemAcceptedV3) for writer in writers] == [False, True, True, False]
    for event_type, field in (
        (HistoryItemAcceptedV3, "tool_output_payload"),
        (InferenceStartedV3, "prepared_prompt_payload"),
    ):
        assert [writer.keeps(event_type, field) for writer in writers] == [False, False, True, False]
    assert not oldest.append(HistoryItemAcceptedV3("m"))


# Schema 3


def test_shards_are_finished_before_the_log_says_that_it_is_complete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = writer_of(tmp_path / "bundle")
    writer.write_payload("tool_result", {})
    whole = os.write
    at_the_end = []

    def watching(descriptor: int, data: bytes) -> int:
        if b"recording_completed" in bytes(data):
            at_the_end.append(finished(writer.directory))
        return whole(descriptor, data)

    monkeypatch.setattr(os, "write", watching)
    assert writer.append(RecordingCompleted())
    assert at_the_end == [[True]]
    writer.close()


def test_a_recording_whose_payloads_cannot_be_finished_is_not_complete(tmp_path: Path) -> None:
    writer = writer_of(tmp_path / "bundle")
    writer.write_payload("tool_result", "x" * 1000)
    with disk_full_after(shards(writer.directory)[0].stat().st_size):
        assert not writer.append(RecordingCompleted())
        writer.close()
    assert events(writer.directory) == []


def test_a_writer_that_is_closed_early_leaves_finished_shards(tmp_path: Path) -> None:
    writer = writer_of(tmp_path / "bundle")
    writer.write_payload("tool_result", {})
    writer.close()
    assert finished(writer.directory) == [True]
    assert writer.write_payload("tool_result", {}) is None


def test_recording_stops_where_the_log_does_not_fit_any_more(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    limit = 4000
    writer = writer_of(tmp_path / "bundle", limits=Limits(max_bytes=limit))
    kept = 0
    while writer.write_payload("tool_result", random.Random(kept).randbytes(60).hex()) is not None:
        if not writer.append(ThreadEnded(CHILD, "completed")):
            break
        kept += 1
    assert len(events(writer.directory)) == kept > 5
    files = [path for path in writer.directory.rglob("*") if path.is_file()]
    assert limit - 1000 < sum(path.stat().st_size for path in files) <= limit
    assert all(finished(writer.directory))
    assert writer.write_payload("tool_result", {}) is None
    assert not writer.append(RecordingCompleted())
    (warning,) = warnings_of(caplog)
    assert "larger than 4000 bytes" in warning


@pytest.mark.parametrize(("schema", "limit"), [(3, 100), (2, 10**6)])
def test_limits_that_cannot_be_kept_turn_recording_off(
    schema: SchemaNumber, limit: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    limits = Limits(max_bytes=limit)
    sink = open_writer(tmp_path, trace_id=TRACE, root_thread_id=ROOT, schema=schema, limits=limits)
    assert isinstance(sink, NullWriter)
    assert list(tmp_path.iterdir()) == []
    assert len(warnings_of(caplog)) == 1
