"""A whole bundle at once: open it, feed its log to a replay, check its payloads."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from reducer.recording import Reduction
from reducer.replay import Replay
from reducer.storage.bundle import Bundle, open_bundle

Progress = Callable[[int, int], None]
"""Called now and then with the bytes of the log that were read, and the bytes it has."""

PROGRESS_EVERY = 64
"""Lines between two calls of `Progress`: seldom enough to cost nothing, often enough to cancel at once."""


def reduce_bundle(
    bundle: Bundle | Path, *, strict: bool = False, progress: Progress | None = None
) -> Reduction:
    """Reduce a bundle.

    Args:
        bundle: an open bundle, or a path for `open_bundle`.
        strict: refuse at the first problem, as the reference does, instead of listing problems.
        progress: called while the log is read and payloads are checked; what it raises ends the reduction.

    Raises:
        BundleError: there is no bundle, or its log cannot be read.
        Refused: strict, and there is a problem.
    """
    if isinstance(bundle, Path):
        bundle = open_bundle(bundle)
    replay = Replay(bundle, strict=strict)
    total = bundle.log_size()
    with without_cyclic_gc():
        for line in bundle.lines():
            replay.feed(line)
            if progress is not None and line.number % PROGRESS_EVERY == 0:
                progress(line.offset + len(line.data), total)
        trace = replay.graph()
        replay.verify_payloads(None if progress is None else lambda: progress(total, total))
    return Reduction(bundle, trace, replay.problems, replay.provenance)


@contextmanager
def without_cyclic_gc() -> Iterator[None]:
    """The graph has no cycles to find, and looking for some doubles the cost of building it."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
