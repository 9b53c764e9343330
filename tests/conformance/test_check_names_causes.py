"""`check` on bundles that the reference judged: the report names what the reference names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from reference_cases import cases, name_of

from reducer import BundleError, open_bundle
from reducer.check import Report, check_bundle
from rollout_tui.commands.check import report_json, report_lines

pytestmark = pytest.mark.slow

_PARSER_WORDS = re.compile(
    r"^(missing field|unknown variant|invalid (character|type|utf-8)|agent_name|absolute agent"
    r"|expected .+ at line|trailing characters|EOF while)"
)
"""Messages that are the bare words of the reference's parser: they name a field or a value, but no object."""

_NAMED = re.compile(
    r"raw_payload:\w+|payload p\b|line \d+|trace event \d+|schema \d+"
    r"|(?:thread|turn|call|exec|response_id|cell|edge|request|compaction|install|receipt|type|role|id|operation|for|both|and|start)"
    r" (?:from )?([\w-]*[\d:][\w:-]*|t\b|ghost\S*|critic|hologram|configuration_update|output_text)"
)


def first_line(directory: Path) -> str | None:
    """What the reference says, without `Error: `; None for a bundle it accepts or crashes on."""
    file = directory / "error.txt"
    found = re.search(r"^Error: (.*)$", file.read_text(), re.MULTILINE) if file.exists() else None
    return None if found is None else found[1].replace(f"{directory.name}/", "<bundle>/")


def key_parts(said: str) -> set[str]:
    """The ids, numbers and payloads that a message of the reference names."""
    if _PARSER_WORDS.match(said):
        return set(re.findall(r"^missing field `(\w+)`", said))
    words = said.partition(" as protocol payload")[0]
    return {found.group(0).split(" ")[-1] for found in _NAMED.finditer(words)}


_JSON_PARSER_ALONE = re.compile(r"^(expected .+|EOF while .+|trailing characters) at line 1 column \d+$")
"""What the reference's JSON parser says of fragments that are no JSON, and nothing of whose they are."""

JUDGED = cases("vectors/*", "vectors-v1/*", "vectors-v3/*", "damaged-v3/*")
OTHERWISE = {
    "damaged-v3/version-1",  # a sound manifest of schema 1: its own reference judges it
    "damaged-v3/shard-is-directory",  # the directory was empty, and so it is not in the copy
}


@pytest.mark.parametrize("case", [case for case in JUDGED if case not in OTHERWISE], ids=name_of)
def test_check_names_what_the_reference_names(case: str, shared_dir: Path) -> None:
    said = first_line(shared_dir / case)
    path = shared_dir / case / "bundle"
    try:
        report = check_bundle(open_bundle(path))
    except BundleError as error:
        refusal = error
    else:
        if said is not None:
            assert_the_report_names(report, said, str(path))
        elif not case.startswith("vectors-v1"):  # schema 1 lets pass much that is worth a remark
            assert not report.replay, "the reference reduces it"
        return
    assert re.search(r"manifest\.json|trace\.jsonl", str(refusal))
    assert (refusal.reference_says or "").replace(str(path), "<bundle>") == said


def assert_the_report_names(report: Report, said: str, path: str) -> None:
    assert not report.is_clean
    assert report.replay, "the reference refuses it, so the replay has a problem"
    own_words = "\n".join(f"{problem.where()}: {problem.reason}" for problem in report.replay)
    for part in key_parts(said):
        assert part in own_words
    assert len(report_json(report, "bundle")["replay"]) == len(report.replay)
    if _JSON_PARSER_ALONE.match(said):
        return
    causes = [problem.reference_says for problem in report.replay]
    assert said in [cause.replace(path, "<bundle>") for cause in causes if cause is not None]
    printed = re.sub(r"\s+", "", "".join(report_lines(report, "bundle"))).replace(path, "<bundle>")
    assert re.sub(r"\s+", "", said)[:800] in printed


def test_there_are_refused_vectors(shared_dir: Path) -> None:
    """Most messages name something to look for: the test above does look."""
    said = [line for case in JUDGED if (line := first_line(shared_dir / case)) is not None]
    assert len(said) > 400
    assert sum(bool(key_parts(line)) for line in said) > 0.7 * len(said)
