"""How payloads are kept: in files, and in shards with parts, sharing, limits and holes."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any, cast

import pytest
from shard_reading import all_records, finished

from reducer.recorder.encoding import compact_json
from reducer.recorder.payload_writers import UNLIMITED, FilePayloads, Limits, ShardPayloads, payload_writer
from reducer.wire.payload_refs import COMPLETE, FileRef, Omitted, PayloadKind, ShardRef, Truncated

PICTURE = "data:image/png;base64,iVBORw0KGgo="


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    (tmp_path / "payloads").mkdir()
    return tmp_path


def ignore(_: Exception) -> None:
    """What failed shows in what is there."""


class Writer:
    """Shards under limits, with the failures that were told."""

    def __init__(self, bundle: Path, **limits: Any) -> None:
        self.bundle = bundle
        self.failures: list[Exception] = []
        self.payloads = ShardPayloads(bundle, Limits(**limits), self.failures.append)

    def write(self, kind: Any, value: object, others: int = 0) -> ShardRef:
        return cast("ShardRef", self.payloads.prepared(kind, value)(others))

    def record(self, ref: ShardRef) -> bytes:
        assert ref.shard is not None
        return all_records(self.bundle)[ref.shard, ref.raw_payload_id]

    def text(self, ref: ShardRef) -> str:
        if not ref.parts:
            return self.record(ref).decode()
        first, *rest = json.loads(self.record(ref))
        return str(first) + "".join(
            self.text(part) + fragment for part, fragment in zip(ref.parts, rest, strict=True)
        )


def message(text: str, *pictures: str) -> dict[str, Any]:
    content: list[dict[str, Any]] = [{"type": "input_text", "text": text}]
    content += [{"type": "input_image", "image_url": url} for url in pictures]
    return {"type": "message", "role": "user", "content": content}


def noise(length: int) -> str:
    """Text that compresses badly."""
    return random.Random(length).randbytes(length).hex()


def number(ref: ShardRef) -> int:
    return int(ref.raw_payload_id.removeprefix("raw_payload:"))


def test_a_payload_is_a_file_or_a_record(bundle: Path) -> None:
    files = FilePayloads(bundle, UNLIMITED, ignore)
    value = {"b": [1.5, None], "a": "é"}
    assert files.prepared("tool_result", value)(0) == FileRef(
        "raw_payload:1", PayloadKind("tool_result"), "payloads/1.json"
    )
    assert files.size == (bundle / "payloads" / "1.json").stat().st_size
    assert files.close()
    (bundle / "payloads" / "1.json").unlink()
    writer = Writer(bundle)
    ref = writer.write("tool_result", value)
    assert (ref.raw_payload_id, ref.kind.type, ref.shard, ref.capture, ref.parts) == (
        "raw_payload:1",
        "tool_result",
        1,
        COMPLETE,
        (),
    )
    assert writer.record(ref) == '{"b":[1.5,null],"a":"é"}'.encode()


def test_a_reference_has_the_form_that_codex_gives_it(bundle: Path) -> None:
    writer = Writer(bundle)
    assert compact_json(writer.write("prepared_prompt", {"input": ["x"]})) == (
        b'{"raw_payload_id":"raw_payload:2","kind":{"type":"prepared_prompt"},"shard":1,"parts":'
        b'[{"raw_payload_id":"raw_payload:1","kind":{"type":"model_item"},"shard":1}]}'
    )
    capped = Writer(bundle.parent / "none", max_payload_bytes=3, max_bytes=0)
    assert compact_json(capped.write("tool_result", "x" * 8)) == (
        b'{"raw_payload_id":"raw_payload:1","kind":{"type":"tool_result"},"shard":null,'
        b'"capture":{"status":"omitted","original_bytes":10}}'
    )


def test_parts_come_before_what_they_are_parts_of(bundle: Path) -> None:
    writer = Writer(bundle)
    prompt = writer.write("prepared_prompt", {"input": [message("a", PICTURE), message("b")], "tools": []})
    first, second = prompt.parts
    (picture,) = first.parts
    assert [number(ref) for ref in (picture, first, second, prompt)] == [1, 2, 3, 4]
    assert [ref.shard for ref in (picture, first, second, prompt)] == [1, 2, 2, 2]
    assert json.loads(writer.text(prompt)) == {"input": [message("a", PICTURE), message("b")], "tools": []}


def test_items_and_pictures_are_stored_once(bundle: Path) -> None:
    writer = Writer(bundle)
    items = [message("a", PICTURE), message("b")]
    request = writer.write("inference_request", {"input": items})
    first = writer.write("prepared_prompt", {"input": items})
    second = writer.write("prepared_prompt", {"input": [*items, message("c"), items[0]]})
    assert second.parts[:2] == first.parts
    assert second.parts[3] == first.parts[0]
    assert first.parts[0].parts == request.parts
    assert len(all_records(bundle)) == 7


def test_other_payloads_are_stored_each_time(bundle: Path) -> None:
    writer = Writer(bundle)
    refs = [writer.write("tool_result", {"output": "x"}) for _ in range(2)]
    assert [number(ref) for ref in refs] == [1, 2]


def test_a_long_payload_is_cut_at_the_limit_even_inside_a_character(bundle: Path) -> None:
    writer = Writer(bundle, max_payload_bytes=4)
    ref = writer.write("tool_result", "aaé")
    assert ref.capture == Truncated(original_bytes=6, retained_bytes=4)
    assert writer.record(ref) == b'"aa\xc3'
    assert writer.write("tool_result", "aa").capture == COMPLETE
    nothing = Writer(bundle.parent / "bundle", max_payload_bytes=0)
    (nothing.bundle / "payloads").mkdir(parents=True)
    assert nothing.write("tool_result", "").capture == Truncated(original_bytes=2, retained_bytes=0)


def test_what_is_around_cut_parts_stays_whole(bundle: Path) -> None:
    writer = Writer(bundle, max_payload_bytes=100)
    long = "long text " * 20
    output = {"type": "function_call_output", "output": long}
    body = {"input": [message(long, PICTURE * 5), output, message("short")], "tools": ["t" * 200]}
    request = writer.write("inference_request", body)
    assert request.capture == COMPLETE
    assert writer.record(request) == compact_json(
        ['{"input":[', ",", ",", '],"tools":["' + "t" * 200 + '"]}']
    )
    shown, cut, short = request.parts
    assert (shown.capture, short.capture) == (COMPLETE, COMPLETE)
    assert [part.capture for part in shown.parts] == [
        Truncated(len(compact_json(long)), 100),
        Truncated(len(compact_json(PICTURE * 5)), 100),
    ]
    assert cut.capture == Truncated(len(compact_json(output)), 100)
    assert writer.record(cut) == compact_json(output)[:100]
    again = writer.write("prepared_prompt", body)
    assert again.parts == request.parts


def test_what_does_not_fit_into_the_bundle_is_left_out_and_uses_up_a_number(bundle: Path) -> None:
    writer = Writer(bundle, max_bytes=3000)
    kept = writer.write("tool_result", noise(500), others=1000)
    left_out = writer.write("tool_result", noise(2000), others=1000)
    small = writer.write("tool_result", "x", others=1000)
    assert [number(ref) for ref in (kept, left_out, small)] == [1, 2, 3]
    assert (left_out.shard, left_out.capture) == (None, Omitted(4002))
    assert (kept.capture, small.capture) == (COMPLETE, COMPLETE)
    assert writer.write("tool_result", "x", others=3000).capture == Omitted(3)
    assert writer.payloads.close()
    assert finished(bundle) == [True, True]
    assert writer.payloads.size == sum(file.stat().st_size for file in (bundle / "payloads").iterdir()) < 2000
    assert writer.failures == []


def test_a_prompt_that_does_not_fit_still_names_its_items(bundle: Path) -> None:
    writer = Writer(bundle, max_bytes=2000)
    prompt = writer.write("prepared_prompt", {"input": [message("a")], "tools": noise(2000)})
    assert (prompt.shard, [part.shard for part in prompt.parts]) == (None, [1])
    assert isinstance(prompt.capture, Omitted)


def test_an_item_that_did_not_fit_is_left_out_once(bundle: Path) -> None:
    writer = Writer(bundle, max_bytes=2000)
    item = message(noise(2000))
    first = writer.write("prepared_prompt", {"input": [item]})
    second = writer.write("prepared_prompt", {"input": [item, message("b")]})
    assert first.parts[0].shard is None
    assert second.parts[0] == first.parts[0]


def test_a_payload_that_cannot_be_written_is_a_hole(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise OSError("no write")

    writer = Writer(bundle)
    prompt = {"input": [message("a")]}
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", refuse)
        lost = writer.write("prepared_prompt", prompt)
    assert isinstance(lost.capture, Omitted)
    assert [part.capture for part in lost.parts] == [Omitted(len(compact_json(message("a"))))]
    assert [str(error) for error in writer.failures] == ["no write"] * 2
    kept = writer.write("prepared_prompt", prompt)
    assert json.loads(writer.text(kept)) == prompt
    assert writer.payloads.close()


def test_a_file_that_cannot_be_written_is_taken_back(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise OSError("no write")

    files = FilePayloads(bundle, UNLIMITED, ignore)
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", refuse)
        with pytest.raises(OSError, match="no write"):
            files.prepared("tool_result", {})(0)
    assert list((bundle / "payloads").iterdir()) == []
    assert files.prepared("tool_result", {})(0).raw_payload_id == "raw_payload:2"


def test_what_is_no_json_is_refused_before_anything_is_written(bundle: Path) -> None:
    for writer in (FilePayloads(bundle, UNLIMITED, ignore), ShardPayloads(bundle, UNLIMITED, ignore)):
        with pytest.raises(TypeError):
            writer.prepared("tool_result", object())
    assert list((bundle / "payloads").iterdir()) == []


def test_the_form_of_references_says_how_payloads_are_kept(bundle: Path) -> None:
    for form in (FileRef, ShardRef):
        assert isinstance(
            payload_writer(form, bundle, UNLIMITED, ignore).prepared("tool_result", {})(0), form
        )


def test_files_know_no_limits(bundle: Path) -> None:
    with pytest.raises(ValueError, match="no limits"):
        payload_writer(FileRef, bundle, Limits(max_bytes=1), ignore)
