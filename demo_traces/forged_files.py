"""Files, links and references to payload files that no recorder writes; for `hostile-2`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from demo_traces.attacks import Attacker
from demo_traces.forgery import BAD_JSON, Body, events_that_cannot_be, inference, observed

ESCAPING_PATHS = (
    "/etc/passwd",
    "/dev/zero",
    "/dev/stdin",
    "/dev/tty",
    "/proc/self/environ",
    "../schema-2/manifest.json",
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
    "link-up.json": "../../schema-2/manifest.json",
    "link-loop.json": "link-loop.json",
}


def plant_payloads(payloads: Path) -> None:
    """Put links and broken JSON among the payload files of a bundle."""
    for name, target in LINKS.items():
        (payloads / name).symlink_to(target)
    for name, data in BAD_JSON.items():
        (payloads / f"bad-{name}.json").write_bytes(data)


def forged_bodies(evil: Attacker, *, thread_id: str, codex_turn_id: str) -> Iterator[Body]:
    """Events with forged references first, then less and less of an event."""
    paths = [*ESCAPING_PATHS, *(f"payloads/bad-{name}.json" for name in BAD_JSON)]
    for number, path in enumerate(paths, 1000):
        payload_id = f"raw_payload:{number} {evil.text('payload id', 1)}"
        yield observed(_reference(payload_id, "protocol_event", path), evil)
    request = _reference("raw_payload:2000", "inference_request", "/etc/passwd")
    yield inference(request, evil, thread_id=thread_id, codex_turn_id=codex_turn_id)
    yield {
        "type": "history_item_accepted",
        "item_id": evil.text("item id"),
        "agent_message_payload": _reference(
            "raw_payload:2001", "protocol_event", "payloads/bad-surrogate.json"
        ),
    }
    yield from events_that_cannot_be(evil)


def _reference(payload_id: str, kind: str, path: str) -> Body:
    return {"raw_payload_id": payload_id, "kind": {"type": kind}, "path": path}
