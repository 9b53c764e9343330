"""`rollout-tui grep`: a text in all bundles of a trace root, as places that open."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reducer import BundleError, open_bundle
from rollout_tui.bundles.text_search import BundleHits, Hit, TextPattern, open_to_search
from rollout_tui.bundles.trace_root import FoundBundle, bundle_directory, bundles_under, started_at
from rollout_tui.bundles.what_is import Kind, what_is
from rollout_tui.commands.output import complain, report, write_json, write_line
from rollout_tui.default_root import default_root
from rollout_tui.language.locations import format_location
from rollout_tui.outcomes import CLEAN, PROBLEMS, CommandError, plain_reason
from rollout_tui.safe_text import safe_text
from rollout_tui.texts.short_forms import plural


def grep(text: str, root: Path | None, *, limit: int, as_json: bool) -> int:
    """Print where a text is, the newest bundle first, each place as `BUNDLE#812`.

    Args:
        text: what to look for: capitals count if there are any.
        root: a trace root, or a bundle; None for the default root.
        limit: how many places of a bundle to print at most; what is left out is counted.
        as_json: print one JSON document.

    Returns:
        The exit status: 1 if it is nowhere.

    Raises:
        BundleError: there is no such directory.
        CommandError: there is nothing to look for.
    """
    if not text:
        raise CommandError("there is nothing to look for: the text is empty")
    path = root if root is not None else default_root(os.environ)
    pattern, told, is_any = TextPattern(text), [], False
    for one in _bundles(path):
        found = _search(one, pattern)
        for words in found.unread:
            report(f"{one.path.name}: {words}")
        if found.hits:
            is_any = True
            if as_json:
                told.append(_data(one, found, limit))
            else:
                _print(one, found, limit)
    if as_json:
        write_json(sys.stdout, {"root": str(path), "text": text, "bundles": told})
    elif not is_any:
        complain(f"{text[:60]!r} is in no bundle of {path}")
    return CLEAN if is_any else PROBLEMS


def _bundles(path: Path) -> Iterator[FoundBundle]:
    directory = bundle_directory(path)
    if what_is(directory).kind is Kind.BUNDLE:
        yield FoundBundle(directory, started_at(directory))
        return
    try:
        yield from bundles_under(directory)
    except OSError as error:
        raise BundleError(f"{directory}: {plain_reason(error)}") from None


def _search(one: FoundBundle, pattern: TextPattern) -> BundleHits:
    try:
        return open_to_search(open_bundle(one.path), pattern)
    except BundleError as error:
        return BundleHits(unread=[str(error)])


def _print(one: FoundBundle, found: BundleHits, limit: int) -> None:
    places = found.places(limit)
    for number, hit in enumerate(places, 1):
        more = len(found.hits) - len(places)
        words = f"  (and in {plural(more, 'more event')})" if more and number == len(places) else ""
        what = " ".join(filter(None, (hit.event, hit.kind or hit.payload or "")))
        line = f"{format_location(one.path, hit.seq)}  {what}  {hit.excerpt}{words}"
        write_line(sys.stdout, safe_text(line))


def _data(one: FoundBundle, found: BundleHits, limit: int) -> dict[str, Any]:
    places = found.places(limit)
    return {
        "path": str(one.path),
        "started_at_unix_ms": one.started_at_unix_ms,
        "found_in": len(found.hits),
        "places": [_hit_data(one, hit) for hit in places],
    }


def _hit_data(one: FoundBundle, hit: Hit) -> dict[str, Any]:
    return {
        "place": format_location(one.path, hit.seq),
        "seq": hit.seq,
        "event": hit.event,
        "raw_payload_id": hit.payload,
        "payload_kind": hit.kind,
        "excerpt": hit.excerpt.encode("utf-8", "replace").decode(),
    }
