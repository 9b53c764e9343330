"""Files, links and log lines that no recorder writes, for the hostile bundle."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from demo_traces.attacks import Attacker
from demo_traces.identities import Clock

ESCAPING_PATHS = (
    "/etc/passwd",
    "/dev/zero",
    "/dev/stdin",
    "/dev/tty",
    "/proc/self/environ",
    "../quickstart/manifest.json",
    "payloads/../../team/manifest.json",
    "payloads/..",
    "..",
    ".",
    "",
    "payloads",
    "payloads/",
    "manifest.json",
    "trace.jsonl",
    "payloads/1.json/../../../../pyproject.toml",
    "payloads/1.json\x00.txt",
    "~/.ssh/id_ed25519",
    "file:///etc/passwd",
    "C:\\Windows\\win.ini",
    "\\\\evil.example\\share",
    "CON",
    "payloads/" + "a" * 300 + ".json",
    "payloads/\x1b]0;title\x07\x1b[2J.json",
    "payloads/\u202enosj.1",
    "payloads/link-out.json",
    "payloads/link-up.json",
    "payloads/link-loop.json",
)
"""Paths of payloads: out of the bundle, to devices, to no regular file, or to no file at all."""

LINKS = {
    "link-out.json": "/etc/passwd",
    "link-up.json": "../../quickstart/manifest.json",
    "link-loop.json": "link-loop.json",
}

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


def plant_payloads(payloads: Path) -> None:
    """Put links and broken JSON among the payload files of a bundle."""
    for name, target in LINKS.items():
        (payloads / name).symlink_to(target)
    for name, data in BAD_JSON.items():
        (payloads / f"bad-{name}.json").write_bytes(data)


def append_what_no_recorder_writes(
    log: Path, *, thread_id: str, codex_turn_id: str, evil: Attacker, clock: Clock
) -> None:
    """Go on with a log: well-formed events with forged references first, then less and less of an event."""
    lines: list[bytes] = []
    first = log.read_bytes().count(b"\n") + 1
    for seq, body in enumerate(_bodies(thread_id, codex_turn_id, evil), first):
        envelope = {
            "schema_version": 2,
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
    lines.append(b'{"schema_version":2,"seq":"\x1b]0;title\x07\xff\xfe')
    with open(log, "ab") as stream:
        stream.write(b"\n".join(lines))


def _bodies(thread_id: str, codex_turn_id: str, evil: Attacker) -> Iterator[dict[str, Any]]:
    paths = [*ESCAPING_PATHS, *(f"payloads/bad-{name}.json" for name in BAD_JSON)]
    for number, path in enumerate(paths, 1000):
        payload_id = f"raw_payload:{number} {evil.text('payload id', 1)}"
        yield {
            "type": "protocol_event_observed",
            "event_type": evil.text("event type"),
            "event_payload": _reference(payload_id, "protocol_event", path),
        }
    yield {
        "type": "inference_started",
        "inference_call_id": evil.text("inference id"),
        "thread_id": thread_id,
        "codex_turn_id": codex_turn_id,
        "model": evil.text("model"),
        "provider_name": evil.text("provider"),
        "request_payload": _reference("raw_payload:2000", "inference_request", "/etc/passwd"),
    }
    yield {
        "type": "history_item_accepted",
        "item_id": evil.text("item id"),
        "agent_message_payload": _reference(
            "raw_payload:2001", "protocol_event", "payloads/bad-surrogate.json"
        ),
    }
    yield {"type": evil.text("unknown kind"), evil.text("key"): evil.all("value")}
    yield {"type": "thread_ended", "thread_id": evil.text("unknown thread"), "status": "completed"}
    half = {"runtime_cell_id": "HALF A PAIR", "model_visible_call_id": "x", "source_js": "1"}
    yield {"type": "code_cell_started", **half}


def _reference(payload_id: str, kind: str, path: str) -> dict[str, Any]:
    return {"raw_payload_id": payload_id, "kind": {"type": kind}, "path": path}
