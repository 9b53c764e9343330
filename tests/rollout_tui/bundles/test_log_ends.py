"""Logs whose last line is not ended, and lines that are longer than is read of them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from bundle_builder import BundleBuilder
from hypothesis import given, settings
from hypothesis import strategies as st
from places import REPOSITORY

from reducer import open_bundle, reduce_bundle, state_json
from reducer.storage import bundle as bundle_module
from rollout_tui.bundles.log_scan import LogScan, scan_log
from rollout_tui.feed import Feed

DEMOS = REPOSITORY / "demo_traces"


def copied(demo: str, into: Path, ending: bytes) -> Path:
    copy = shutil.copytree(DEMOS / demo, into / demo)
    log = copy / "trace.jsonl"
    log.write_bytes(log.read_bytes().rstrip(b"\n") + ending)
    return copy


@pytest.mark.parametrize("ending", [b"\n", b"", b"\n\n"], ids=["ended", "not ended", "blank"])
@pytest.mark.parametrize("demo", ["quickstart", "schema-2", "schema-1"])
def test_as_of_each_of_the_last_events_is_the_log_up_to_it(tmp_path: Path, demo: str, ending: bytes) -> None:
    path = copied(demo, tmp_path, ending)
    feed = Feed(open_bundle(path))
    last = feed.read(lambda done, total: None).last_seq
    lines = (path / "trace.jsonl").read_bytes().splitlines()
    for seq in (last, last - 1, 1, last):
        view = feed.as_of(seq, lambda done, total: None)
        assert view.last_seq == seq
        cut = shutil.copytree(path, tmp_path / f"{seq}-{len(list(tmp_path.iterdir()))}")
        kept = [line for line in lines if line and json.loads(line)["seq"] <= seq]
        (cut / "trace.jsonl").write_bytes(b"\n".join(kept) + (b"\n" if seq < last else ending))
        assert state_json(view.timelines.index.trace) == state_json(reduce_bundle(cut).trace)


def test_what_still_waits_for_its_end_is_not_part_of_the_past(tmp_path: Path) -> None:
    """A line that was not an event of what is shown, since its end is missing, is none of the past either."""
    builder = BundleBuilder(tmp_path / "bundle")
    builder.thread()
    builder.turn()
    builder.line(b'{"schema_version":2,"seq":3,"wall')
    feed = Feed(open_bundle(builder.write(b"")))
    assert feed.read(lambda done, total: None).last_seq == 2
    view = feed.as_of(2, lambda done, total: None)
    assert view.last_seq == 2
    assert view.timelines.index.reduction.problems == []


LIMIT = 200
"""Bytes that are read of a line in these tests."""


def line_of(size: int) -> bytes:
    """An event that is so much longer than it need be."""
    body = {"type": "codex_turn_started", "codex_turn_id": "x" * size}
    return json.dumps({"payload": body}, separators=(",", ":")).encode()


LINES = st.lists(
    st.one_of(
        st.integers(0, 3 * LIMIT).map(line_of),
        st.integers(-3, 3).map(lambda more: line_of(LIMIT - len(line_of(0)) + more)),
        st.sampled_from([b"", b"no json", b"\xff" * 5, b"{" * (LIMIT + 1)]),
    ),
    max_size=12,
)


@pytest.mark.slow
@settings(max_examples=120, deadline=None)
@given(lines=LINES, cuts=st.lists(st.integers(0, 8000), max_size=4), ends=st.booleans())
def test_a_log_that_is_scanned_in_pieces_is_scanned_as_one(
    lines: list[bytes], cuts: list[int], ends: bool
) -> None:
    """Wherever it was left: no line is read twice, none in part, and none is left out."""
    with pytest.MonkeyPatch.context() as patch, TemporaryDirectory() as directory:
        patch.setattr(bundle_module, "MAX_LINE_BYTES", LIMIT)
        path = BundleBuilder(Path(directory) / "bundle").write()
        data = b"\n".join(lines) + (b"\n" if ends and lines else b"")
        log, scan = path / "trace.jsonl", LogScan(open_bundle(path))
        for cut in [*sorted(cuts), len(data)]:
            log.write_bytes(data[:cut])
            scan = scan_log(open_bundle(path), scan)
            assert scan.offset == data[:cut].rfind(b"\n") + 1
        whole = scan_log(open_bundle(path))
        assert (scan.kinds, scan.offset, scan._number) == (whole.kinds, whole.offset, whole._number)
        ended = data.split(b"\n")[:-1]
        assert scan.kinds.total() == sum(b'"codex_turn_started"' in line[:LIMIT] for line in ended)
