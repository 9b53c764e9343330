from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shard_builder import (
    CUT,
    GONE,
    fragments,
    frame,
    record,
    ref,
    refusal,
    says,
    whole,
    with_records,
    write_shard,
)

from reducer.storage import assembly
from reducer.storage.assembly import Assembly
from reducer.storage.confinement import BundleFolder
from reducer.storage.shard_store import ShardStore
from reducer.wire.payload_refs import ShardRef


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    (tmp_path / "bundle").mkdir()
    return tmp_path / "bundle"


def test_parts_stand_between_fragments_at_any_depth_and_in_any_shard(bundle: Path) -> None:
    write_shard(bundle, 1, frame(record("p", fragments('{"input":[', ",", '],"é":"\\n"}'))))
    write_shard(bundle, 2, frame(record("q", fragments("[", "]")), record("r", b' "r" ')))
    store = ShardStore(BundleFolder(bundle), strict=True)
    one = ref("p", ref("q", ref("r", shard=2), shard=2), ref("r", shard=2))
    text = '{"input":[[ "r" ], "r" ],"é":"\\n"}'.encode()
    assert whole(store, one) == text
    assert store.size(one) == len(text)
    assert store.own_json(one) == '{"input":[null,null],"é":"\\n"}'.encode()
    assert store.fragments(one) == ['{"input":[', ",", '],"é":"\\n"}']
    assert store.record(one) == fragments('{"input":[', ",", '],"é":"\\n"}')


@pytest.mark.parametrize("strict", [True, False])
def test_a_lost_part_is_replaced_and_what_it_consists_of_is_not_looked_at(bundle: Path, strict: bool) -> None:
    store = with_records(bundle, strict, p=fragments("[", ",", "]"), q=fragments("{", "}"), cut=b"abc")
    missing = ref("missing", shard=None)
    one = ref(
        "p", ref("q", ref('om"itted', missing, shard=None, capture=GONE)), ref("cut", missing, capture=CUT)
    )
    stand_ins = rb'[{{"$trace_unavailable":"om\"itted"}},{"$trace_unavailable":"cut"}]'
    assert whole(store, one) == stand_ins
    assert store.size(one) == len(stand_ins)


@pytest.mark.parametrize("texts", [[], ["{}"], ["", "", ""]])
def test_fragments_are_one_more_than_parts_which_is_checked_before_parts_are_read(
    bundle: Path, texts: list[str]
) -> None:
    store = with_records(bundle, p=fragments(*texts))
    assert says(store, ref("p", ref("missing", shard=77))) == "invalid payload fragment count"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b'{"a":1}', "invalid type: map, expected a sequence at line 1 column 0"),
        (b"null", "invalid type: null, expected a sequence at line 1 column 4"),
        (b"12", "invalid type: integer `12`, expected a sequence at line 1 column 2"),
        (b'["a",12]', "invalid type: integer `12`, expected a string at line 1 column 7"),
        (b'["\\"",true]', "invalid type: boolean `true`, expected a string at line 1 column 10"),
        (b'["a",{}]', "invalid type: map, expected a string at line 1 column 5"),
        (b'["a",["b"]]', "invalid type: sequence, expected a string at line 1 column 5"),
        (b"[1.5]", None),
        (b'"a"', None),
        (b'["a", 1]', None),
        (b'["a","b"] x', None),
        (b"", None),
        (b'["a\xff","b"]', None),
        (b'["\\ud800","b"]', None),
    ],
)
def test_fragments_are_a_list_of_texts(bundle: Path, data: bytes, said: str | None) -> None:
    store = with_records(bundle, p=data)
    assert says(store, ref("p", ref("missing", shard=77))) == said
    assert refusal(store.own_json, ref("p", ref("missing", shard=77))).reference_says == said


def test_a_payload_is_not_put_together_beyond_the_limit(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = b'"' + b"x" * 100_000 + b'"'
    store = with_records(bundle, p=fragments(*[""] * 20_001), a=part)
    one = ref("p", *[ref("a")] * 20_000)  # 2 GB
    assert str(refusal(store.pieces, one)).startswith("larger than 256 MiB as a whole")
    assert store.size(one) is None
    monkeypatch.setattr(assembly, "MAX_PAYLOAD_BYTES", 20_000 * len(part))
    assert store.size(one) == 20_000 * len(part)
    assert len({id(piece) for piece in store.pieces(one)}) == 1


def test_records_of_a_payload_together_are_bounded_even_if_they_give_nothing(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assembly, "MAX_PAYLOAD_BYTES", 70)
    store = with_records(bundle, p=fragments("", "", ""), q=b'["","' + b"\\u0041" * 10 + b'"]', a=b"")
    assert whole(store, ref("q", ref("a"))) == b"A" * 10
    part = ref("q", ref("a"))
    assert "too large" in str(refusal(store.pieces, ref("p", part, part)))


def test_parts_in_parts_are_followed_only_so_deep(bundle: Path) -> None:
    store = with_records(bundle, p=fragments("(", ")"), a=b"a")

    def nested(levels: int) -> ShardRef:
        one = ref("a")
        for _ in range(levels):
            one = ref("p", one)
        return one

    assert whole(store, nested(64)) == b"(" * 64 + b"a" + b")" * 64
    assert str(refusal(store.pieces, nested(65))) == "has parts in parts in more than 64 levels"
    assert str(refusal(store.pieces, nested(500))) == "has parts in parts in more than 64 levels"


@pytest.mark.parametrize("strict", [True, False])
def test_the_part_that_comes_first_is_refused_first(bundle: Path, strict: bool) -> None:
    write_shard(bundle, 1, frame(record("p", fragments("", "", ""))))
    write_shard(bundle, 2, b"no shard")
    store = ShardStore(BundleFolder(bundle), strict)
    first, last = ref("b", shard=2), ref("a", shard=1)
    assert says(store, ref("p", first, last)) == f"decompress shard {bundle}/payloads/000002.zst"
    assert says(store, ref("p", last, first)) == "missing payload a in shard 1"


texts = st.text(st.characters(codec="utf-8"), max_size=5)


@st.composite
def payloads(draw: st.DrawFn, records: dict[str, bytes], depth: int = 3) -> tuple[ShardRef, str]:
    """A reference, whose records are noted, and the text that it must give."""
    name = f"r{len(records)}"
    records[name] = b""
    parts = draw(st.lists(payloads(records, depth - 1), max_size=3)) if depth else []
    if not parts:
        text = draw(texts)
        records[name] = text.encode()
        return ref(name), text
    between = draw(st.lists(texts, min_size=len(parts) + 1, max_size=len(parts) + 1))
    records[name] = json.dumps(between).encode()
    joined = between[0] + "".join(text + after for (_, text), after in zip(parts, between[1:], strict=True))
    return ref(name, *(part for part, _ in parts)), joined


@pytest.mark.slow
@given(st.data())
def test_any_tree_of_parts_gives_its_texts_in_order(data: st.DataObject) -> None:
    records: dict[str, bytes] = {}
    one, text = data.draw(payloads(records))
    pieces = Assembly(lambda part: records[part.raw_payload_id]).of(one)
    assert b"".join(pieces).decode() == text
