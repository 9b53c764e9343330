"""Writes small bundles for tests: one call is one event, payloads are written as they are mentioned."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from reducer import Bundle, BundleError, Reduction, Refused, RolloutTrace, reduce_bundle, state_json
from reducer.storage.stored_payloads import StoredPayloads
from reducer.wire.payload_refs import FileRef, PayloadKind, PayloadRef

ROOT = "00000000-0000-4000-8000-00000000000a"
CHILD = "00000000-0000-4000-8000-00000000000b"
OTHER = "00000000-0000-4000-8000-00000000000c"

Json = Any


class ReadBy(StoredPayloads):
    """Payloads that a function gives."""

    def __init__(self, path: Path, read: Callable[[PayloadRef], bytes]) -> None:
        super().__init__(path, strict=False)
        self.own_json = read  # type: ignore[method-assign]

    def pieces(self, ref: PayloadRef) -> Iterator[bytes]:
        yield self.own_json(ref)

    def size(self, ref: PayloadRef) -> int:
        return len(self.own_json(ref))

    def identity(self, ref: PayloadRef) -> str:
        return ref.place


class WholePayloads(Bundle):
    """A bundle for tests that change what `read_payload` gives: everything is read by it."""

    def open_payloads(self, *, strict: bool) -> StoredPayloads:
        return ReadBy(self.folder, self.read_payload)


def file_ref(path: str) -> FileRef:
    """A reference to a payload file."""
    return FileRef("raw_payload:1", PayloadKind("protocol_event"), path)


def compact(value: Json) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def text(value: str) -> Json:
    return {"type": "input_text", "text": value}


def message(value: str, role: str = "user", **more: Json) -> Json:
    return {"type": "message", "role": role, "content": [text(value)], **more}


def letter(value: str, author: str, recipient: str, **more: Json) -> Json:
    return {
        "type": "agent_message",
        "author": author,
        "recipient": recipient,
        "content": [text(value)],
        **more,
    }


def exec_item(call_id: str, source: str = "1") -> Json:
    return {"type": "custom_tool_call", "call_id": call_id, "name": "exec", "input": source}


NOT_IN_SCHEMA_1 = ("recording_completed", "history_item_accepted", "thread_resumed")


class BundleBuilder:
    """A bundle directory that grows event by event; event N has seq N and comes at time 1000 + N.

    In schema 1 it leaves out what that has no event for.
    """

    def __init__(self, path: Path, schema: int = 2) -> None:
        self.path = path
        self.schema = schema
        self.lines: list[bytes] = []
        self.manifest: Json = {
            "schema_version": schema,
            "trace_id": "trace",
            "rollout_id": "rollout",
            "root_thread_id": ROOT,
            "started_at_unix_ms": 1000,
            "raw_event_log": "trace.jsonl",
            "payloads_dir": "payloads",
        }
        self._payloads = 0
        (path / "payloads").mkdir(parents=True)
        self.turns: dict[str, str] = {}

    def payload(self, content: Json, kind: str = "protocol_event") -> Json:
        """Write a payload file; bytes go in as they are. Gives the reference to it."""
        self._payloads += 1
        path = f"payloads/{self._payloads}.json"
        (self.path / path).write_bytes(content if isinstance(content, bytes) else compact(content))
        return {"raw_payload_id": f"raw_payload:{self._payloads}", "kind": {"type": kind}, "path": path}

    def event(self, type_: str, thread: str | None = None, turn: str | None = None, /, **fields: Json) -> int:
        """Add an event; gives its sequence number, or 0 when the schema has no such event."""
        if self.schema == 1 and type_ in NOT_IN_SCHEMA_1:
            return 0
        return self.raw({"type": type_, **fields}, thread_id=thread, codex_turn_id=turn)

    def raw(self, payload: Json, **envelope: Json) -> int:
        """Add an event by its body; envelope fields replace the usual ones."""
        seq = len(self.lines) + 1
        self.line(
            compact(
                {
                    "schema_version": self.schema,
                    "seq": seq,
                    "wall_time_unix_ms": 1000 + seq,
                    "rollout_id": "rollout",
                    "thread_id": None,
                    "codex_turn_id": None,
                    **envelope,
                    "payload": payload,
                }
            )
        )
        return seq

    def line(self, data: bytes) -> None:
        self.lines.append(data)

    # Shorthands

    def thread(self, thread: str = ROOT, path: str = "/root", metadata: Json = None) -> int:
        ref = None if metadata is None else self.payload(metadata, "session_metadata")
        return self.event("thread_started", thread_id=thread, agent_path=path, metadata_payload=ref)

    def turn(self, turn: str = "turn", thread: str = ROOT) -> int:
        self.turns[thread] = turn
        return self.event("codex_turn_started", thread, turn, codex_turn_id=turn, thread_id=thread)

    def turn_ended(self, status: str = "completed", turn: str = "turn", thread: str = ROOT) -> int:
        return self.event("codex_turn_ended", thread, turn, codex_turn_id=turn, status=status)

    def accepted(self, item_id: str, announced: Json = None, thread: str = ROOT) -> int:
        more = {} if announced is None else {"agent_message_payload": self.payload(announced)}
        turn = self.turns.get(thread)
        return self.event("history_item_accepted", thread, turn, item_id=item_id, **more)

    def request(self, call: str, items: list[Json], thread: str = ROOT, **body: Json) -> int:
        turn = self.turns[thread]
        return self.event(
            "inference_started",
            thread,
            turn,
            inference_call_id=call,
            thread_id=thread,
            codex_turn_id=turn,
            model="m",
            provider_name="p",
            request_payload=self.payload({**body, "input": items}, "inference_request"),
        )

    def response(
        self, call: str, items: list[Json], response_id: str | None = None, usage: Json = None
    ) -> int:
        body = {"output_items": items, "token_usage": usage}
        return self.event(
            "inference_completed",
            inference_call_id=call,
            response_id=response_id,
            upstream_request_id=None,
            response_payload=self.payload(body, "inference_response"),
        )

    def tool(
        self,
        tool_call: str,
        kind: Json = "web",
        thread: str = ROOT,
        *,
        call_id: str | None = None,
        cell: str | None = None,
        invocation: Json = None,
    ) -> int:
        requester = {"type": "model"} if cell is None else {"type": "code_cell", "runtime_cell_id": cell}
        ref = None if invocation is None else self.payload(invocation, "tool_invocation")
        return self.event(
            "tool_call_started",
            thread,
            self.turns.get(thread),
            tool_call_id=tool_call,
            model_visible_call_id=call_id,
            code_mode_runtime_tool_id=None,
            requester=requester,
            kind=kind_of(kind),
            summary={"type": "generic", "label": "tool", "input_preview": None, "output_preview": None},
            invocation_payload=ref,
        )

    def runtime_started(self, tool_call: str, kind: Json, content: Json) -> int:
        told = {} if self.schema == 1 else {"kind": kind_of(kind)}
        return self.event(
            "tool_call_runtime_started",
            tool_call_id=tool_call,
            **told,
            runtime_payload=self.payload(content, "tool_runtime_event"),
        )

    def runtime_ended(self, tool_call: str, content: Json, status: str = "completed") -> int:
        ref = self.payload(content, "tool_runtime_event")
        return self.event(
            "tool_call_runtime_ended", tool_call_id=tool_call, status=status, runtime_payload=ref
        )

    def tool_ended(self, tool_call: str, result: Json = None, status: str = "completed") -> int:
        ref = None if result is None else self.payload(result, "tool_result")
        return self.event("tool_call_ended", tool_call_id=tool_call, status=status, result_payload=ref)

    def cell(self, call_id: str, runtime_id: str = "1", thread: str = ROOT, source: str = "1") -> int:
        return self.event(
            "code_cell_started",
            thread,
            self.turns.get(thread),
            runtime_cell_id=runtime_id,
            model_visible_call_id=call_id,
            source_js=source,
        )

    def cell_response(self, status: str = "running", runtime_id: str = "1", thread: str = ROOT) -> int:
        ref = self.payload({"response": {}}, "tool_result")
        return self.event(
            "code_cell_initial_response",
            thread,
            runtime_cell_id=runtime_id,
            status=status,
            response_payload=ref,
        )

    def cell_ended(self, status: str = "completed", runtime_id: str = "1", thread: str = ROOT) -> int:
        return self.event("code_cell_ended", thread, runtime_cell_id=runtime_id, status=status)

    def installed(self, compaction: str, before: list[Json], after: list[Json], thread: str = ROOT) -> int:
        body = {"input_history": before, "replacement_history": after}
        ref = self.payload(body, "compaction_checkpoint")
        turn = self.turns.get(thread)
        return self.event(
            "compaction_installed", thread, turn, compaction_id=compaction, checkpoint_payload=ref
        )

    # Results

    def write(self, ending: bytes = b"\n") -> Path:
        """Write manifest and log as they are now."""
        manifest = self.manifest if isinstance(self.manifest, bytes) else compact(self.manifest)
        (self.path / "manifest.json").write_bytes(manifest)
        log = b"\n".join(self.lines) + (ending if self.lines else b"")
        (self.path / "trace.jsonl").write_bytes(log)
        return self.path

    def reduce(self, *, strict: bool = False) -> Reduction:
        return reduce_bundle(self.write(), strict=strict)

    def graph(self) -> RolloutTrace:
        """The graph, which must be built without any problem."""
        return self.reduce(strict=True).trace

    def refusal(self) -> str:
        """Why the bundle is refused; it must be."""
        try:
            self.reduce(strict=True)
        except (Refused, BundleError) as error:
            return str(error)
        raise AssertionError("the bundle was not refused")

    def only_problem(self) -> str:
        """Place and reason of the only problem; there must be exactly one, and strict must refuse for it."""
        (problem,) = self.reduce().problems
        said = f"{problem.where()}: {problem.reason}"
        assert self.refusal() == said
        return said


def kind_of(kind: Json) -> Json:
    return {"type": kind} if isinstance(kind, str) else kind


def state(trace: RolloutTrace) -> Json:
    return json.loads(state_json(trace))
