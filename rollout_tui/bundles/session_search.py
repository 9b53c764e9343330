"""Looks for a text in session files without rebuilding: lines are searched, and only hits looked into."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from reducer.sessions.provenance import SHOWN_AGAIN
from reducer.sessions.sources import LineSource, SourceFault
from reducer.storage.confinement import BundleFolder
from rollout_tui.bundles.text_search import Hit, TextHits, TextPattern, excerpt_of

_HEAD = 4_000
"""Bytes of a line in which its kind stands."""

_RECORD = re.compile(rb'"type":\s*"(\w+)",\s*"payload":\s*\{(?:\s*"type":\s*"(\w+)")?')
_ITEM = re.compile(rb'"item":\s*\{\s*"type":\s*"(\w+)"')

_REPEATING = SHOWN_AGAIN | {"compacted"}
"""Records that say once more what came in with another one."""


def search_session(home: Path, files: Iterable[str], pattern: TextPattern) -> TextHits:
    """Look for a text in the files of a run.

    Args:
        home: the directory that they are below; no link in it is followed.
        files: their paths in it.
        pattern: the text.
    """
    folder, found = BundleFolder(home), TextHits()
    for file in files:
        number = 0
        try:
            for number, (data, _, _) in enumerate(LineSource(folder, file).split(0), 1):
                place = pattern.find(data)
                if place is not None:
                    record = _record(data)
                    excerpt = excerpt_of(data, *place)
                    found.hits.append(
                        Hit(None, record, None, "", excerpt, record in _REPEATING, file, number)
                    )
        except SourceFault as error:
            found.unread.append(f"{file}: after line {number} {error}")
    found.hits.sort(key=lambda hit: hit.only_carries)
    return found


def _record(line: bytes) -> str:
    """What a line is, as `reducer.sessions` names records; empty where that cannot be seen."""
    found = _RECORD.search(line, 0, _HEAD)
    if found is None:
        return ""
    item = _ITEM.search(line, found.end(), found.end() + _HEAD) if found[2] == b"item_completed" else None
    words = (found[1], found[2], None if item is None else item[1])
    return b" ".join(word for word in words if word is not None).decode()
