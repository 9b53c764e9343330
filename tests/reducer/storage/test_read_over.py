"""A payload that is put in the place of another one: how much of it has stayed."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from bundle_builder import BundleBuilder, file_ref
from hypothesis import given, settings
from hypothesis import strategies as st

from reducer import Bundle, UnreadablePayload, open_bundle
from reducer.storage.payloads import Payloads

PAYLOAD = "payloads/one.json"
TEXTS = st.lists(st.sampled_from([b"a", b"b", b"ab" * 5, b"\x00"]), max_size=12).map(b"".join)


def bundle_with(path: Path, data: bytes) -> Bundle:
    b = BundleBuilder(path)
    (b.path / PAYLOAD).write_bytes(data)
    return open_bundle(b.write())


def read_over(bundle: Bundle, text: bytearray, room: int, path: str = PAYLOAD) -> int:
    """Read a payload through a room of so many bytes."""
    store = bundle.open_payloads(strict=True)
    store.files._rooms.append(bytearray(room))
    return Payloads(store).read_over(file_ref(path), text)


def common_length(one: bytes | bytearray, other: bytes) -> int:
    """How many bytes at the beginning of both are the same."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (left, right) in pairs if left != right), min(len(one), len(other)))


@pytest.mark.slow
@settings(max_examples=200)
@given(before=TEXTS, after=TEXTS, room=st.integers(1, 40))
def test_it_is_the_payload_and_what_has_stayed_is_exact(before: bytes, after: bytes, room: int) -> None:
    with TemporaryDirectory() as directory:
        text = bytearray(before)
        same = read_over(bundle_with(Path(directory) / "bundle", after), text, room)
    assert text == after
    assert same == common_length(before, after)


def test_a_payload_that_grows_is_read_as_far_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle, real = bundle_with(tmp_path / "bundle", b"0123456789"), os.readv

    def growing(descriptor: int, buffers: list[bytearray]) -> int:
        with (bundle.path / PAYLOAD).open("ab") as stream:
            stream.write(b"more")
        return real(descriptor, buffers)

    monkeypatch.setattr(os, "readv", growing)
    for before, same in ((b"0123456789more", 10), (b"0123", 4), (b"", 0)):
        (bundle.path / PAYLOAD).write_bytes(b"0123456789")
        text = bytearray(before)
        assert read_over(bundle, text, 4) == same
        assert text == b"0123456789"


def test_only_files_of_the_bundle_are_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = bundle_with(tmp_path / "bundle", b"{}")
    (tmp_path / "secret.json").write_bytes(b"{}")
    (bundle.path / "payloads/out.json").symlink_to(tmp_path / "secret.json")
    os.mkfifo(bundle.path / "payloads/fifo")
    opened: list[str] = []
    real = os.open

    def noted(path: str, flags: int, *arguments: int, **options: int) -> int:
        descriptor = real(path, flags, *arguments, **options)
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            opened.append(path)
        return descriptor

    monkeypatch.setattr(os, "open", noted)
    for name in ("payloads/out.json", "payloads/fifo", "payloads/none", "payloads", "../secret.json"):
        with pytest.raises(UnreadablePayload):
            read_over(bundle, bytearray(), 10, name)
    assert not opened
