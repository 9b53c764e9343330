"""Bundles in which something is planted wherever a text can stand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import shard_reading

from reducer.recorder.shard_writer import packed_shard


def planted(value: Any, seed: str) -> Any:
    """A value with a text put into every text, into new keys, into JSON in texts, and into a picture."""
    if isinstance(value, dict):
        return {
            **{
                key: planted(one, seed) if key in _TEXTS else _inside(one, seed) for key, one in value.items()
            },
            seed: {"type": seed, "password": seed, "n": 1},
            "note": [seed, json.dumps({seed: [seed, {"cmd": seed}]})],
            "image_url": f"data:image/png;base64,{seed}",
        }
    if isinstance(value, list):
        return [planted(one, seed) for one in value]
    return f"{value} {seed}" if isinstance(value, str) else value


_TEXTS = frozenset(
    {"text", "content", "input", "output_items", "instructions", "tools", "description", "stdout"}
)


def _inside(value: Any, seed: str) -> Any:
    return planted(value, seed) if isinstance(value, list) else value


def plant_in_files(bundle: Path, seed: str) -> None:
    """Plant a text in the payload files and in the log of a bundle."""
    for file in (bundle / "payloads").glob("*.json"):
        file.write_text(json.dumps(planted(json.loads(file.read_bytes()), seed)))
    _plant_in_log(bundle, seed)


def plant_in_shards(bundle: Path, seed: str) -> None:
    """Plant a text in the records of the shards, but not between their parts, and in the log of a bundle."""
    for file in shard_reading.shards(bundle):
        records = shard_reading.records(file)
        file.write_bytes(packed_shard((name, _planted_record(data, seed)) for name, data in records))
    _plant_in_log(bundle, seed)


def _planted_record(data: bytes, seed: str) -> bytes:
    try:
        value = json.loads(data)
    except ValueError:
        return data  # a limit of the recorder cut it
    return json.dumps(planted(value, seed)).encode() if isinstance(value, dict) else data


def _plant_in_log(bundle: Path, seed: str) -> None:
    log = bundle / "trace.jsonl"
    lines = log.read_bytes().splitlines()
    head, *rest = [json.loads(line) for line in lines]
    events = [{**event, seed: seed, "payload": {**event["payload"], "new": {seed: seed}}} for event in rest]
    version, rollout = head["schema_version"], head["rollout_id"]
    unknown = {
        "schema_version": version, "seq": len(lines) + 1, "wall_time_unix_ms": 1, "rollout_id": rollout,
        "payload": {"type": f"new_{seed}", "status": seed, "model": seed, "thread_id": seed},
    }  # fmt: skip
    written = [json.dumps(one) for one in (head, *events, unknown)]
    written += [f"{{damaged {seed}", json.dumps({"torn": seed})[:-2]]
    log.write_text("\n".join(written))
