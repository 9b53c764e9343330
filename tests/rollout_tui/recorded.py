"""Recorded bundles as graphs, whole or cut off, for tests of views."""

from __future__ import annotations

import json
import shutil
from functools import lru_cache
from pathlib import Path
from typing import Any

from reducer import reduce_bundle
from reducer.model import InferenceCall, Thread
from rollout_tui.insight.index import TraceIndex


@lru_cache(maxsize=64)
def index_of(bundle: Path) -> TraceIndex:
    """The graph of a bundle, made once."""
    return TraceIndex(reduce_bundle(bundle))


def recorded(shared: Path, name: str) -> TraceIndex:
    """The graph of a recorded bundle by its name."""
    return index_of(shared / "bundles" / name / "bundle")


def cut_off(bundle: Path, last_seq: int, into: Path, *, ends: bool = False) -> TraceIndex:
    """The graph of a bundle as if its log ended after a sequence number.

    Args:
        bundle: the bundle.
        last_seq: the last event that is kept.
        into: an empty directory for the copy.
        ends: add the end of the session behind it.
    """
    copy = into / "bundle"
    shutil.copytree(bundle, copy)
    log = copy / "trace.jsonl"
    kept = [line for line in log.read_text().splitlines() if json.loads(line)["seq"] <= last_seq]
    if ends:
        last = json.loads(kept[-1])
        end = {"type": "rollout_ended", "status": "completed"}
        event = {**last, "seq": last_seq + 1, "thread_id": None, "codex_turn_id": None, "payload": end}
        kept.append(json.dumps(event))
    log.write_text("\n".join(kept) + "\n")
    return TraceIndex(reduce_bundle(copy))


def thread_at(index: TraceIndex, agent_path: str) -> Thread:
    """The agent with a path."""
    return next(thread for thread in index.threads if thread.agent_path == agent_path)


def call_at(index: TraceIndex, agent_path: str, number: int) -> InferenceCall:
    """A call of an agent, from 1."""
    return index.contents[thread_at(index, agent_path).thread_id].calls[number - 1]


def raw_requests(bundle: Path) -> list[tuple[int, str, str]]:
    """Sequence number, thread id and text of all that was sent to a model, straight from the log."""
    requests = []
    for line in (bundle / "trace.jsonl").read_text().splitlines():
        event: dict[str, Any] = json.loads(line)
        if event["payload"]["type"] == "inference_started":
            text = (bundle / event["payload"]["request_payload"]["path"]).read_text()
            requests.append((event["seq"], event["thread_id"], text))
    return requests
