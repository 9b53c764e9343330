"""Which recorded bundles the reference reduces."""

from __future__ import annotations

from pathlib import Path


def recorded_bundles(shared: Path) -> list[Path]:
    """The recordings of both schemas for which there is a graph of the reference."""
    states = [*(shared / "bundles").glob("*/state.json"), *(shared / "bundles-v1").glob("*/state.json")]
    return sorted(state.parent / "bundle" for state in states)
