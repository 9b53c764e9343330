"""Blobs by type and size, JSON within strings, and patches within texts."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reducer import ObjectRef
from reducer.model import PayloadRefPart
from rollout_tui.insight.contexts.request_parts import RequestParts, request_parts
from rollout_tui.insight.items.blobs import Blob, blob_of, without_data_urls
from rollout_tui.lines.diff_colour import diff_spans, holds_diff
from rollout_tui.session import Session
from rollout_tui.views.detail.describe import describe
from rollout_tui.views.detail.readable import UNFOLDED, language_of, readable


def png(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = b"IHDR" + header
    rows = zlib.compress(b"\0" * height * (3 * width + 1))
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body)) + rows


def jpeg(width: int, height: int) -> bytes:
    preview = b"\xff\xe1" + struct.pack(">H", 5002) + b"\xff\xc0" * 2500
    frame = b"\xff\xc0" + struct.pack(">HBHHB", 11, 8, height, width, 1) + b"\1\x11\0"
    return b"\xff\xd8" + preview + frame + b"\xff\xd9"


def url(media_type: str, data: bytes) -> str:
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


@pytest.mark.parametrize(
    ("media_type", "data", "pixels"),
    [
        ("image/png", png(640, 480), (640, 480)),
        ("image/jpeg", jpeg(1024, 33), (1024, 33)),
        ("image/gif", b"GIF89a" + struct.pack("<HH", 7, 9) + b"\0" * 80, (7, 9)),
        ("image/webp", b"RIFF\0\0\0\0WEBP" + b"\0" * 80, None),
        ("image/png", b"not a picture at all, " * 8, None),
    ],
)
def test_a_data_url_is_a_blob(media_type: str, data: bytes, pixels: tuple[int, int] | None) -> None:
    assert blob_of(url(media_type, data)) == Blob(media_type, len(data), pixels)


def test_bare_base64_is_a_blob_if_its_first_bytes_tell() -> None:
    data = png(30, 40)
    assert blob_of(base64.b64encode(data).decode()) == Blob("image/png", len(data), (30, 40))
    assert blob_of("a" * 400) is None
    assert blob_of("iVBORw0KGgo=") is None, "too short to matter"


def test_data_urls_within_a_text_are_replaced() -> None:
    data = png(640, 480)
    text = f"see ![shot]({url('image/png', data)}) and go on"
    words = Blob("image/png", len(data), (640, 480)).words
    assert without_data_urls(text) == f"see ![shot](({words})) and go on"
    assert without_data_urls("data:image/png is a type") == "data:image/png is a type"


@given(st.text())
def test_any_text_has_a_readable_form(text: str) -> None:
    blob_of(text)
    without_data_urls(text)
    list(diff_spans(text))
    assert isinstance(readable({"a": [text]}), str)


@given(st.binary(max_size=200))
def test_any_header_is_looked_at_without_harm(data: bytes) -> None:
    for magic in (b"", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"GIF89a"):
        blob = blob_of(url("image/jpeg", magic + data))
        assert blob is None or blob.bytes == len(magic + data)


def test_json_in_strings_is_unfolded_and_says_so() -> None:
    text = readable({"output": '{"exit": 0, "lines": ["a"]}', "encrypted_content": "x" * 5000})
    first, _, rest = text.partition("\n")
    assert first == UNFOLDED
    assert json.loads(rest) == {
        "output": {"exit": 0, "lines": ["a"]},
        "encrypted_content": "(encrypted, 5.0 kB)",
    }
    assert json.loads(readable({"output": "{not json"})) == {"output": "{not json"}
    assert readable("plain") == "plain"


def test_deep_values_do_not_harm() -> None:
    deep: list[object] = []
    for _ in range(126):  # payloads that nest deeper are not parsed
        deep = [deep]
    assert readable(deep).count("[") == 127
    folded = json.dumps(deep)
    for _ in range(6):
        folded = json.dumps([folded])
    assert readable(json.loads(folded)).count("[") == 133


PATCH = "*** Begin Patch\n*** Update File: a.py\n@@ def f():\n-old\n+new\n same\n*** End Patch\n- a list\n"
UNIFIED = "ran git diff\n--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n same\n-old\n+new\n- a list\n"


def styles(text: str) -> dict[str, str]:
    return {text[start:end]: style for start, end, style in diff_spans(text)}


def test_patches_of_the_tool_are_coloured_as_far_as_they_go() -> None:
    assert styles(PATCH) == {
        "*** Begin Patch": "strong",
        "*** Update File: a.py": "strong",
        "@@ def f():": "accent",
        "-old": "removed",
        "+new": "added",
        "*** End Patch": "strong",
    }


def test_unified_diffs_within_other_text_are_coloured_as_far_as_they_go() -> None:
    assert styles(UNIFIED) == {
        "--- a/x": "strong",
        "+++ b/x": "strong",
        "@@ -1,2 +1,2 @@": "accent",
        "-old": "removed",
        "+new": "added",
    }
    assert holds_diff(UNIFIED)
    assert not holds_diff("- a list\n+ of things\n--- and a rule\n")


def test_the_language_is_told_by_what_was_read() -> None:
    assert language_of(PATCH, "json") == "diff"
    assert language_of(UNIFIED, "text") == "diff"
    assert language_of('{"a": 1}', "json") == "json"
    assert language_of("words", "json") == "text"
    assert language_of(json.dumps({"input": PATCH}), "json") == "json"
    assert language_of(PATCH, "javascript") == "javascript"


def test_the_parts_of_a_request() -> None:
    image = {"type": "input_image", "image_url": url("image/png", png(640, 480))}
    request = {
        "instructions": "x" * 400,
        "tools": [{"name": "a"}, {"name": "b"}],
        "input": [{"type": "message", "content": [{"type": "input_text", "text": "see"}, image]}, "stray"],
    }
    parts = request_parts(request)
    assert parts.words("instructions") == "400 chars, est. 100 tok"
    assert parts.words("tools") == "2 tools, 27 chars, est. 7 tok"
    assert list(parts.blobs.values()) == [blob_of(image["image_url"]).words]  # type: ignore[union-attr]
    assert request_parts([]) == RequestParts()
    assert request_parts({"input": 7}).words("tools") == "not in this request"


def test_an_image_of_a_recorded_bundle_says_what_it_is(shared_dir: Path) -> None:
    session = Session(shared_dir / "bundles/inputs/bundle")
    index = session.load(lambda done, total: None).index
    item = next(
        one
        for one in index.trace.conversation_items.values()
        if any(isinstance(part, PayloadRefPart) for part in one.body.parts)
    )
    detail = describe(index, ObjectRef("ConversationItem", item.item_id))
    assert detail is not None
    texts = [session.text(section) for section in detail.texts]
    assert any(text.startswith("(image: image/png, ") and text.endswith("x10)") for text in texts), texts
    parts = session.request_parts(next(iter(index.trace.inference_calls.values())))
    refs = [part for part in item.body.parts if isinstance(part, PayloadRefPart)]
    assert all(ref.content_sha256 in parts.blobs for ref in refs)
