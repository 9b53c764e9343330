"""Redacted copies of bundles: of the same shape, with nothing of the original, or not there at all."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import shard_reading
from planting import plant_in_files, plant_in_shards
from secret_samples import SECRETS
from state_shapes import shape_of

from reducer import open_bundle, reduce_bundle, state_json
from rollout_tui.progress import Cancelled
from rollout_tui.redaction.check import fault_of
from rollout_tui.redaction.lines import Lines
from rollout_tui.redaction.names import Names
from rollout_tui.redaction.refused import NotRedacted
from rollout_tui.redaction.shape import difference
from rollout_tui.redaction.unfinished import unfinished
from rollout_tui.redaction.whole import LIST, Redaction, redact_bundle

Demo = Callable[[str], Path]

DEMOS = ("team", "quickstart", "capped", "schema-1", "schema-2", "both/bundle")
OF_CODEX = (b"Process ", b"Wall time", b"Original token count", b"Total output lines", b"Script ")
"""How lines begin that codex puts before an output; they have nothing else but numbers."""
SEED = SECRETS["GitHub token"]


def redacted(bundle: Path, target: Path) -> Redaction:
    return redact_bundle(open_bundle(bundle), target, lambda _done, _total: None)


def all_bytes(bundle: Path) -> bytes:
    """All that a bundle holds: names and contents of files, and of records."""
    pieces = []
    for file in bundle.rglob("*"):
        pieces.append(str(file.relative_to(bundle)).encode())
        if file.suffix == ".zst":
            pieces += [part for name, data in shard_reading.records(file) for part in (name.encode(), data)]
        elif file.is_file():
            pieces.append(file.read_bytes())
    return b"\n".join(pieces)


def texts_of(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set().union(*map(texts_of, value.values()))
    if isinstance(value, list):
        return set().union(*map(texts_of, value))
    return {value} if isinstance(value, str) else set()


@pytest.mark.parametrize("name", DEMOS)
def test_a_copy_has_the_shape_of_the_demo(name: str, demo_trace: Demo, tmp_path: Path) -> None:
    bundle, copy = demo_trace(name), tmp_path / "copy"
    made = redacted(bundle, copy)
    assert made.difference is None
    before, after = reduce_bundle(bundle), reduce_bundle(copy)
    states = [json.loads(state_json(one.trace)) for one in (before, after)]
    assert shape_of(states[0]) == shape_of(states[1])
    assert [one.line for one in before.problems] == [one.line for one in after.problems]


@pytest.mark.parametrize("name", ["hostile-2", pytest.param("hostile", marks=pytest.mark.slow)])
def test_a_copy_of_what_is_hostile_has_its_shape(name: str, demo_trace: Demo, tmp_path: Path) -> None:
    """But for the order of payloads, whose ids are texts there."""
    bundle, copy = demo_trace(name), tmp_path / "copy"
    assert redacted(bundle, copy).difference is None
    before, after = ({one.line for one in reduce_bundle(at).problems} for at in (bundle, copy))
    assert after <= before


@pytest.mark.parametrize("name", ["team", "schema-2"])
def test_no_sentence_of_the_demo_is_in_the_copy(name: str, demo_trace: Demo, tmp_path: Path) -> None:
    bundle, copy = demo_trace(name), tmp_path / "copy"
    redacted(bundle, copy)
    state = json.loads(state_json(reduce_bundle(bundle).trace))
    lines = {line.strip() for text in texts_of(state) for line in text.split("\n")}
    sentences = [line.encode() for line in lines if len(line) > 20 and line.count(" ") > 2]
    assert len(sentences) > 30
    left = all_bytes(copy)
    assert [one for one in sentences if one in left and not one.startswith(OF_CODEX)] == []


@pytest.mark.parametrize(("name", "plant"), [("schema-2", plant_in_files), ("capped", plant_in_shards)])
def test_what_is_planted_anywhere_is_nowhere(
    name: str, plant: Callable[[Path, str], None], demo_trace: Demo, tmp_path: Path
) -> None:
    bundle, copy = demo_trace(name), tmp_path / "copy"
    seed = "\n".join(SECRETS.values())
    plant(bundle, seed)
    before = all_bytes(bundle)
    redacted(bundle, copy)
    left = all_bytes(copy)
    for line in seed.split("\n"):
        assert line.encode() in before
        assert line.encode() not in left
    assert b"new_" not in left


def test_names_of_files_are_replaced(demo_trace: Demo, tmp_path: Path) -> None:
    bundle, copy = demo_trace("schema-2"), tmp_path / "copy"
    log = bundle / "trace.jsonl"
    (bundle / "payloads/2.json").rename(bundle / f"payloads/{SEED}.json")
    log.write_text(log.read_text().replace('"payloads/2.json"', f'"payloads/{SEED}.json"'))
    (bundle / "payloads/not-named-by-anything.json").write_text(SEED)
    made = redacted(bundle, copy)
    assert made.difference is None
    assert SEED.encode() not in all_bytes(copy)
    assert [file.name for file in (copy / "payloads").glob("part_*")] == ["part_1"]
    assert not (copy / "payloads/not-named-by-anything.json").exists()


@pytest.mark.parametrize("path", ["payloads/../../outside.json", "{}/outside.json", "payloads/link.json"])
def test_nothing_outside_is_read_or_written(path: str, demo_trace: Demo, tmp_path: Path) -> None:
    bundle, copy, outside = demo_trace("schema-2"), tmp_path / "copy", tmp_path / "outside.json"
    before, payloads = {*tmp_path.iterdir()}, len([*bundle.glob("payloads/*.json")])
    outside.write_text(kept := json.dumps({"output": SEED}))
    (bundle / "payloads/link.json").symlink_to(outside)
    log = bundle / "trace.jsonl"
    log.write_text(log.read_text().replace("payloads/1.json", path.format(tmp_path)))
    redacted(bundle, copy)
    assert outside.read_text() == kept
    assert SEED.encode() not in all_bytes(copy)
    assert len([*copy.rglob("payloads/*")]) == payloads - 1, "what leads out is missing in the copy"
    assert {*tmp_path.iterdir()} == before | {copy, outside}


def test_an_event_that_calls_the_log_a_payload_does_not_cost_it(demo_trace: Demo, tmp_path: Path) -> None:
    bundle, copy = demo_trace("schema-2"), tmp_path / "copy"
    log = bundle / "trace.jsonl"
    log.write_text(log.read_text().replace('"payloads/2.json"', '"trace.jsonl"'))
    redacted(bundle, copy)
    assert len((copy / "trace.jsonl").read_bytes().splitlines()) == len(log.read_bytes().splitlines())


def test_ids_keep_their_order(demo_trace: Demo, tmp_path: Path) -> None:
    bundle, copy = demo_trace("team"), tmp_path / "copy"
    redacted(bundle, copy)
    before, after = (reduce_bundle(one).trace for one in (bundle, copy))
    for field in ("threads", "codex_turns", "tool_calls", "inference_calls"):
        maps = [getattr(trace, field) for trace in (before, after)]
        assert not set(maps[0]) & set(maps[1])
        sorted_by_id = [[maps_of[key].execution.started_seq for key in sorted(maps_of)] for maps_of in maps]
        assert sorted_by_id[0] == sorted_by_id[1]


def test_the_list_counts_what_was_replaced_and_tells_none_of_it(demo_trace: Demo, tmp_path: Path) -> None:
    bundle, copy = demo_trace("schema-2"), tmp_path / "copy"
    plant_in_files(bundle, SEED)
    made = redacted(bundle, copy)
    told = json.loads((copy / LIST).read_bytes())
    assert told == made.replaced.data()
    assert told["secrets"]["GitHub token"] == 1
    assert told["replaced_by_rule"]["damaged line"] == 2
    assert sum(told["replaced_by_rule"].values()) == sum(
        count for rules in told["replaced_by_place"].values() for count in rules.values()
    )
    assert SEED not in json.dumps(told)
    assert "event of a kind that is not known (unknown field)" in told["replaced_by_place"]
    assert open_bundle(copy).manifest.schema_version == 2


# Fails closed


def leftovers(directory: Path) -> list[str]:
    return [file.name for file in directory.iterdir() if file.name not in ("demo", "cwd")]


def test_a_text_that_slips_through_is_found_and_nothing_is_left(
    demo_trace: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = demo_trace("schema-2")
    with monkeypatch.context() as patch:
        patch.setattr(Lines, "_piece", lambda _self, piece: piece)
        with pytest.raises(NotRedacted, match="something of the original is left in"):
            redacted(bundle, tmp_path / "copy")
    assert leftovers(tmp_path) == []


def test_a_name_that_slips_through_is_found(
    demo_trace: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = demo_trace("schema-2")
    log = bundle / "trace.jsonl"
    (bundle / "payloads/2.json").rename(bundle / "payloads/plan-for-acme.json")
    log.write_text(log.read_text().replace('"payloads/2.json"', '"payloads/plan-for-acme.json"'))
    monkeypatch.setattr(Names, "_segment", lambda _self, segment: segment)
    with pytest.raises(NotRedacted):
        redacted(bundle, tmp_path / "copy")
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize(
    "text", ["The quarterly numbers of Acme", "short", "rm -rf x", "text-1 but also this", "Bearer x"]
)
def test_the_check_finds_what_is_written_into_a_copy(text: str, demo_trace: Demo, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    made = redacted(demo_trace("schema-2"), copy)
    (copy / LIST).unlink()
    assert fault_of(copy, made.redactor, lambda _size: None) is None
    file = copy / "payloads/3.json"
    for value in ({"text": text}, {text: 1}, {"arguments": json.dumps({"cmd": text})}, [text]):
        file.write_text(json.dumps(value))
        assert fault_of(copy, made.redactor, lambda _size: None) == (
            "something of the original is left in payloads/3.json"
        )
    file.write_text(text)
    assert fault_of(copy, made.redactor, lambda _size: None) is not None


def test_work_that_is_given_up_leaves_nothing(demo_trace: Demo, tmp_path: Path) -> None:
    calls = 0

    def progress(done: int, total: int) -> None:
        nonlocal calls
        assert 0 <= done <= total
        calls += 1
        if calls > 300:
            raise Cancelled

    with pytest.raises(Cancelled):
        redact_bundle(open_bundle(demo_trace("schema-2")), tmp_path / "copy", progress)
    assert leftovers(tmp_path) == []


def test_what_a_killed_program_left_is_removed_and_what_is_worked_on_is_not(tmp_path: Path) -> None:
    left = tmp_path / ".rollout-tui-0123456789abcdef.redacting"
    (left / "payloads").mkdir(parents=True)
    with unfinished(tmp_path / "one") as first:
        assert not left.exists()
        with unfinished(tmp_path / "two") as second:
            (second / "file").write_text("x")
            assert first.is_dir()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["one", "two"]


def test_of_a_log_that_grows_meanwhile_the_beginning_is_copied(demo_trace: Demo, tmp_path: Path) -> None:
    bundle, copy = demo_trace("schema-2"), tmp_path / "copy"
    log = bundle / "trace.jsonl"
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(lines[:40]))

    def grow(_done: int, _total: int) -> None:
        log.write_bytes(b"".join(lines[:60]))

    made = redact_bundle(open_bundle(bundle), copy, grow)
    assert made.difference is None
    assert any("grew meanwhile" in note for note in made.replaced.notes)
    assert len((copy / "trace.jsonl").read_bytes().splitlines()) == 40


def test_nothing_is_written_over(demo_trace: Demo, tmp_path: Path) -> None:
    target = tmp_path / "there"
    target.mkdir()
    with pytest.raises(FileExistsError):
        redacted(demo_trace("schema-2"), target)
    assert list(target.iterdir()) == []


def test_a_schema_that_is_not_known_is_refused(demo_trace: Demo, tmp_path: Path) -> None:
    bundle = demo_trace("schema-2")
    for name in ("manifest.json", "trace.jsonl"):
        file = bundle / name
        file.write_text(
            file.read_text().replace('"schema_version":2', '"schema_version":99')
            .replace('"schema_version": 2', '"schema_version": 99')
        )  # fmt: skip
    with pytest.raises(NotRedacted, match="schema"):
        redacted(bundle, tmp_path / "copy")


# The comparison of shapes


def test_graphs_that_differ_are_told_apart(demo_trace: Demo) -> None:
    bundle = demo_trace("schema-2")
    original = reduce_bundle(bundle)
    assert difference(original, reduce_bundle(bundle)) is None
    for change in (
        lambda one: one.conversation_items.popitem(),
        lambda one: next(iter(one.threads.values())).conversation_item_ids.reverse(),
        lambda one: one.tool_calls.update({"more": next(iter(one.tool_calls.values()))}),
        lambda one: setattr(one, "status", "failed"),
        lambda one: setattr(next(iter(one.inference_calls.values())), "response_id", None),
    ):
        other = reduce_bundle(bundle)
        change(other.trace)
        assert difference(original, other) is not None


def test_an_id_that_stands_for_two_is_a_difference(demo_trace: Demo) -> None:
    bundle = demo_trace("schema-2")
    original, other = reduce_bundle(bundle), reduce_bundle(bundle)
    first, second, *_ = other.trace.inference_calls.values()
    second.response_id = first.response_id
    assert difference(original, other) is not None
    assert difference(other, original) is not None
