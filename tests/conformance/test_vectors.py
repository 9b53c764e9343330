"""Every test vector and every recorded bundle: the reference's bytes, or a refusal where it refuses."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from reference_cases import cases, name_of

from reducer import BundleError, Refused, reduce_bundle, state_json

Record = Callable[[str, object], None]


@pytest.mark.parametrize("case", cases("vectors/*", "bundles/*"), ids=name_of)
def test_equals_the_reference(case: str, shared_dir: Path, record_property: Record) -> None:
    """Strict reduction gives the bytes of `state.json`, or refuses what has an `error.txt` instead."""
    directory = shared_dir / case
    assert case, f"no vectors and no bundles in {shared_dir}"
    try:
        found: bytes | None = state_json(reduce_bundle(directory / "bundle", strict=True).trace)
    except (BundleError, Refused):
        found = None
    expected = None if refused(directory) else (directory / "state.json").read_bytes()
    outcome = "different" if found != expected else "equal" if found else "refused as the reference"
    record_property("conformance", outcome)
    assert found == expected


def refused(directory: Path) -> bool:
    """Whether the reference refused the bundle; it says so with an exit status of 1."""
    if not (directory / "error.txt").exists():
        return False
    said = (directory / "error.txt").read_text()
    assert re.search(r"^exit (?:code|status) 1$", said, re.MULTILINE)
    return True
