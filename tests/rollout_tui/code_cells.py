"""Bundles with code cells, read by the program and, beside it, straight from their files."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from reducer import BundleError, open_bundle
from reducer.wire.payload_refs import read_ref
from rollout_tui.insight.cells.steps import CellSteps, Step, cell_steps, cells_in_order
from rollout_tui.insight.index import TraceIndex
from rollout_tui.session import Session


@cache
def opened(bundle: Path) -> tuple[Session, TraceIndex]:
    """A bundle and its graph."""
    session = Session(bundle)
    return session, session.load(lambda done, total: None).index


def steps_of(bundle: Path, number: int) -> CellSteps:
    """The steps of a cell, counted from 1 as the stepper counts."""
    _session, index = opened(bundle)
    return cell_steps(index, cells_in_order(index)[number - 1])


def kinds(steps: CellSteps) -> list[tuple[str, int | None]]:
    """Kind and sequence number of each step."""
    return [(step.kind, step.seq) for step in steps.steps]


def text_of(bundle: Path, step: Step) -> str:
    """All texts of a step."""
    session, _index = opened(bundle)
    return "\n".join(session.text(section) for section in step.sections)


def raw_events(bundle: Path) -> list[dict[str, Any]]:
    """The events of a log."""
    lines = (bundle / "trace.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines if line.strip()]


def raw_payload(bundle: Path, ref: dict[str, Any]) -> Any:
    """A payload, by the reference in an event."""
    found = read_ref(ref)
    assert found is not None
    return json.loads(open_bundle(bundle).read_payload(found))


def with_cells(root: Path) -> list[Path]:
    """The bundles in a directory in which a code cell started, as far as the reducer knows their schema."""
    found = []
    for log in sorted(root.glob("*/bundle/trace.jsonl")) + sorted(root.glob("*/trace.jsonl")):
        if b'"code_cell_started"' in log.read_bytes():
            try:
                open_bundle(log.parent)
            except BundleError:
                continue
            found.append(log.parent)
    return found
