"""Every test vector and every recorded bundle: the reference's bytes, or a refusal where it refuses.

Bundles of schema 3 are compared with what codex 0.171.0 made of them, those of schema 2 with 0.169.0, those
of schema 1 with 0.164.0.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from reference_cases import cases, name_of

from reducer import BundleError, Refused, reduce_bundle, state_json

pytestmark = pytest.mark.slow

Record = Callable[[str, object], None]
CRASHED = "exit 101"

OTHER_EVIDENCE = {
    "shard-is-directory": "what keeps these files keeps no empty directory, which is what makes the case",
    "version-1": "the manifest says schema 1, whose reference says other words than that of schema 3",
}
"""Cases whose refusal is not that of the reference for schema 3, and why."""

_PARSER_WORDS = re.compile("missing field|invalid type|expected|trailing|EOF while")
"""Where the reference says only the bare words of its parser, ours need not be known."""


@pytest.mark.parametrize("case", cases("vectors/*", "bundles/*"), ids=name_of)
def test_equals_the_reference(case: str, shared_dir: Path, record_property: Record) -> None:
    """Strict reduction gives the bytes of `state.json`, or refuses what has an `error.txt` instead."""
    assert case, f"no vectors and no bundles in {shared_dir}"
    outcome = compare(shared_dir / case)
    record_property("conformance", f"schema 2: {outcome}")
    assert outcome in ("equal", "refused as the reference")


@pytest.mark.parametrize("case", cases("vectors-v1/*", "bundles-v1/*"), ids=name_of)
def test_equals_the_reference_for_schema_1(case: str, shared_dir: Path, record_property: Record) -> None:
    """The same for bundles of schema 1; lenient reduction gives the same bytes where nothing is refused."""
    assert case, f"no vectors and no bundles of schema 1 in {shared_dir}"
    outcome = compare(shared_dir / case)
    record_property("conformance", f"schema 1: {outcome}")
    assert outcome in ("equal", "refused as the reference", "reduced where the reference crashes")
    if outcome == "equal":
        lenient = state_json(reduce_bundle(shared_dir / case / "bundle").trace)
        assert lenient == (shared_dir / case / "state.json").read_bytes()


@pytest.mark.parametrize("case", cases("vectors-v3/*", "bundles-v3/*", "damaged-v3/*"), ids=name_of)
def test_equals_the_reference_for_schema_3(case: str, shared_dir: Path, record_property: Record) -> None:
    """The same for bundles of schema 3, damaged ones too; a prefix of it is what lenient reduction gives."""
    assert case, f"no vectors and no bundles of schema 3 in {shared_dir}"
    outcome = compare(shared_dir / case)
    what = "damaged" if case.startswith("damaged") else "schema 3"
    record_property("conformance", f"{what}: {outcome}")
    assert outcome in ("equal", "refused as the reference")
    if outcome == "equal":
        lenient = reduce_bundle(shared_dir / case / "bundle")
        assert not lenient.problems
        assert state_json(lenient.trace) == (shared_dir / case / "state.json").read_bytes()


def compare(directory: Path) -> str:
    """Reduce a case strictly and say how that compares with the reference."""
    try:
        found = state_json(reduce_bundle(directory / "bundle", strict=True).trace)
    except BundleError as error:
        return compare_refusal(directory, error.reference_says)
    except Refused as refused:
        return compare_refusal(directory, refused.problem.reference_says)
    if (directory / "error.txt").exists():
        crashed = (directory / "error.txt").read_text().startswith(CRASHED)
        return "reduced where the reference crashes" if crashed else "different"
    return "equal" if found == (directory / "state.json").read_bytes() else "different"


def compare_refusal(directory: Path, said: str | None) -> str:
    """Whether the reference refused a case, too, and with the words that are known of it."""
    if not (directory / "error.txt").exists():
        return "different"
    text = (directory / "error.txt").read_text()
    assert re.search(r"^exit (?:code |status |)1$", text, re.MULTILINE)
    (expected,) = re.findall(r"^Error: (.*)$", text, re.MULTILINE)
    ours = None if said is None else said.replace(str(directory / "bundle"), "<bundle>")
    if directory.name in OTHER_EVIDENCE:
        return "refused as the reference"
    # Damaged bundles were reduced under their own names.
    expected = re.sub(rf"(?<= ){re.escape(directory.name)}(?=/)", "<bundle>", expected)
    if said is None and _PARSER_WORDS.match(expected):
        return "refused as the reference"
    return "refused as the reference" if ours == expected else f"refused with {ours}, not {expected}"
