"""Log lines and JSON that no recorder writes, in hostile bundles of any schema."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from demo_traces.attacks import Attacker
from demo_traces.identities import Clock

Body = dict[str, Any]

BAD_JSON = {
    "surrogate": b'{\n  "output": "half of a pair: \\ud800 and the other: \\udc00"\n}',
    "nul": b'{"output": "a\\u0000b\\u001b]0;title\\u0007"}',
    "raw-controls": b'{"output": "\x1b]0;title\x07\x00"}',
    "bytes": b'{"output": "\xff\xfe\x9b31m\xc0\xaf\xed\xa0\x80"}',
    "truncated": b'{"output": ["\\u001b[31m',
    "numbers": b'{"huge": 1e400, "long": 123456789012345678901234567890, "nan": NaN, "inf": -Infinity}',
    "repeated": b'{"type": "reasoning", "type": "\\u001b[2J", "type": null}',
    "deep": b"[" * 5000 + b"]" * 5000,
    "wide": b"[" + b",".join([b"{}"] * 3000) + b"]",
    "empty": b"",
    "bom": b'\xef\xbb\xbf{"output": 1}',
    "no-json": b"#!/bin/sh\nprintf '\\033]0;title\\007'\n",
}


def append_what_no_recorder_writes(
    log: Path,
    bodies: Iterable[Body],
    evil: Attacker,
    *,
    schema: int,
    thread_id: str,
    codex_turn_id: str,
    clock: Clock,
) -> None:
    """Go on with a log: well-formed events with these bodies, and at last lines that are no events."""
    lines: list[bytes] = []
    first = log.read_bytes().count(b"\n") + 1
    for seq, body in enumerate(bodies, first):
        envelope = {
            "schema_version": schema,
            "seq": seq,
            "wall_time_unix_ms": clock(),
            "rollout_id": thread_id,
            "thread_id": thread_id,
            "codex_turn_id": codex_turn_id,
            "payload": body,
        }
        line = json.dumps(envelope, ensure_ascii=False, separators=(",", ":")).encode()
        lines.append(line.replace(b"HALF A PAIR", b"\\ud800"))
    lines.append(evil.text("no event at all").encode())
    lines.append(b'{"schema_version":%d,"seq":"\x1b]0;title\x07\xff\xfe' % schema)
    with open(log, "ab") as stream:
        stream.write(b"\n".join(lines))


def observed(reference: Body, evil: Attacker) -> Body:
    """An event about which nobody reads more than that its payload is there."""
    return {
        "type": "protocol_event_observed",
        "event_type": evil.text("event type"),
        "event_payload": reference,
    }


def inference(
    request: Body, evil: Attacker, *, thread_id: str, codex_turn_id: str, prompt: Body | None = None
) -> Body:
    """A call with a forged request, which has to be read."""
    return {
        "type": "inference_started",
        "inference_call_id": evil.text("inference id"),
        "thread_id": thread_id,
        "codex_turn_id": codex_turn_id,
        "model": evil.text("model"),
        "provider_name": evil.text("provider"),
        "request_payload": request,
        **({} if prompt is None else {"prepared_prompt_payload": prompt}),
    }


def events_that_cannot_be(evil: Attacker) -> Iterator[Body]:
    """A kind that nobody knows, a thread that never was, and half a pair of surrogates."""
    yield {"type": evil.text("unknown kind"), evil.text("key"): evil.all("value")}
    yield {"type": "thread_ended", "thread_id": evil.text("unknown thread"), "status": "completed"}
    half = {"runtime_cell_id": "HALF A PAIR", "model_visible_call_id": "x", "source_js": "1"}
    yield {"type": "code_cell_started", **half}
