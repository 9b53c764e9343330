"""Bundles written event by event, for lists of them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

LONG_AGO = 1_700_000_000


class Recording:
    """A bundle that is written by hand, event by event, as a process would."""

    schema = 2

    def __init__(self, root: Path, name: str, *, started: int, thread: str = "t-root") -> None:
        self.path = root / name
        self.thread = thread
        (self.path / "payloads").mkdir(parents=True)
        manifest = {
            "schema_version": self.schema,
            "trace_id": f"trace-of-{name}",
            "rollout_id": thread,
            "root_thread_id": thread,
            "started_at_unix_ms": started,
            "raw_event_log": "trace.jsonl",
            "payloads_dir": "payloads",
        }
        (self.path / "manifest.json").write_text(json.dumps(manifest))
        self._seq = self._payloads = 0
        self.event("rollout_started", trace_id="t", root_thread_id=thread)

    def payload(self, value: Any, kind: str) -> dict[str, Any]:
        self._payloads += 1
        path = f"payloads/{self._payloads}.json"
        (self.path / path).write_text(json.dumps(value))
        return {"raw_payload_id": f"raw_payload:{self._payloads}", "kind": {"type": kind}, "path": path}

    def line(self, type_: str, **fields: Any) -> str:
        self._seq += 1
        envelope = {
            "schema_version": self.schema,
            "seq": self._seq,
            "wall_time_unix_ms": 1,
            "rollout_id": self.thread,
            "thread_id": None,
            "codex_turn_id": None,
        }
        event = {**envelope, "payload": {"type": type_, **fields}}
        return json.dumps(event, separators=(",", ":"), ensure_ascii=False)

    def event(self, type_: str, **fields: Any) -> None:
        self.write(self.line(type_, **fields) + "\n")

    def write(self, text: str) -> None:
        with (self.path / "trace.jsonl").open("a") as log:
            log.write(text)

    def begin(self, source: Any = "exec", **configured: Any) -> None:
        """The root thread and its configuration."""
        told = {"thread_id": self.thread, "session_source": source, "model": "m", "cwd": "/w"}
        self.event(
            "thread_started",
            thread_id=self.thread,
            agent_path="/root",
            metadata_payload=self.payload(told, "session_metadata"),
        )
        values = {"type": "session_configured", "session_id": self.thread, "thread_id": self.thread}
        self.event(
            "protocol_event_observed",
            event_type="session_configured",
            event_payload=self.payload({**values, **configured}, "protocol_event"),
        )

    def call(self, said: list[str], tokens: int | None = 10) -> None:
        """A call with its answer; the user says these texts."""
        call_id = f"call-{self._seq}"
        items = [{"role": "user", "content": [{"type": "input_text", "text": text}]} for text in said]
        self.event(
            "inference_started",
            inference_call_id=call_id,
            thread_id=self.thread,
            codex_turn_id="turn",
            model="m",
            provider_name="p",
            request_payload=self.payload({"input": items}, "inference_request"),
        )
        usage = None if tokens is None else {"input_tokens": tokens, "output_tokens": 1}
        self.event(
            "inference_completed",
            inference_call_id=call_id,
            response_payload=self.payload({"token_usage": usage}, "inference_response"),
        )

    def end(self, status: str = "completed") -> None:
        self.event("rollout_ended", status=status)
        self.event("recording_completed")

    def age(self) -> None:
        """As if it had been written long ago."""
        os.utime(self.path / "trace.jsonl", (LONG_AGO, LONG_AGO))
