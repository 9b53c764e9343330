"""What a hostile bundle holds, so that it can be looked for in what a terminal was sent."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

from escape_audit import escape_audit, smuggled

from reducer import UnreadablePayload, open_bundle, reduce_bundle
from reducer.wire.payload_refs import ShardRef

_STRING_LITERAL = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)


def evidence(bundle: Path) -> Iterator[str]:
    """Every text of a bundle as it is meant: each JSON string decoded; each file and payload as it stands."""
    for file in sorted(bundle.rglob("*")):
        yield file.name
        if file.is_symlink() or not file.is_file():
            continue
        yield from texts(file.read_bytes())
    for ref in reduce_bundle(bundle).trace.raw_payloads.values():
        if isinstance(ref, ShardRef):
            with contextlib.suppress(UnreadablePayload):
                yield from texts(open_bundle(bundle).read_payload(ref))


def texts(data: bytes) -> Iterator[str]:
    """What is in a file or payload: all of it as it stands, and each JSON string in it."""
    yield data.decode("utf-8", "replace")
    for literal in _STRING_LITERAL.findall(data):
        with contextlib.suppress(ValueError, UnicodeDecodeError):
            yield json.loads(literal, strict=False)


def assert_harmless(output: bytes, bundle: Path) -> None:
    """Nothing that was sent is obeyed, comes raw from the evidence, or comes from outside the bundle."""
    audit = escape_audit(output)
    assert not audit.violations, audit.describe()
    assert smuggled(evidence(bundle), output) == []
    assert not re.search(r"root:x:0:0", audit.text)
