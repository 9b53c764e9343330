"""Colours of patches: those of the `apply_patch` tool, and unified diffs, alone or within other text. Pure.

Only what is a diff is coloured: a hunk says how many lines it has, and a patch of the tool where it ends, so
that a list with dashes after it stays plain.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rollout_tui.lines.spans import StyleName

BEGIN_PATCH, END_PATCH = "*** Begin Patch", "*** End Patch"

_HUNK = re.compile(r"@@ -\d{1,9}(?:,(\d{1,9}))? \+\d{1,9}(?:,(\d{1,9}))? @@")
_UNIFIED = re.compile(r"^--- [^\n]*\r?\n\+\+\+ [^\n]*\r?\n@@ -\d", re.MULTILINE)
_PATCH = re.compile(r"^\*\*\* Begin Patch[ \t]*\r?$", re.MULTILINE)
_FILE_LINES = (
    "diff --git ", "index ", "new file mode ", "deleted file mode ", "old mode ", "new mode ",
    "similarity index ", "rename from ", "rename to ", "--- ", "+++ ",
)  # fmt: skip
_LOOKED_AT = 200_000


def holds_diff(text: str) -> bool:
    """Whether a text is or holds a patch; only the beginning of a long one is looked at."""
    beginning = text[:_LOOKED_AT]
    return _PATCH.search(beginning) is not None or _UNIFIED.search(beginning) is not None


def diff_spans(text: str) -> Iterator[tuple[int, int, StyleName]]:
    """What of a text is lines of a diff: where each begins and ends, and its style, in order."""
    state = _Plain()
    start = 0
    while start < len(text):
        newline = text.find("\n", start)
        end = len(text) if newline < 0 else newline
        style = state.style(text[start:end], text[end + 1 : end + 5])
        if style is not None and end > start:
            yield start, end, style
        start = end + 1


class _Plain:
    """What the lines so far say of the next one."""

    def __init__(self) -> None:
        self._in_patch = False
        self._in_file = False
        self._old = self._new = 0  # lines of the hunk that are still to come

    def style(self, line: str, following: str) -> StyleName | None:
        """The style of a line; None for what is no part of a diff.

        Args:
            line: the line without its end.
            following: the first characters of the next one.
        """
        if line.rstrip() == BEGIN_PATCH:
            self._in_patch = True
            return "strong"
        if self._in_patch:
            return self._patch_line(line)
        if self._old > 0 or self._new > 0:
            return self._hunk_line(line)
        return self._file_line(line, following)

    def _patch_line(self, line: str) -> StyleName | None:
        if line.startswith("*** "):
            self._in_patch = line.rstrip() != END_PATCH
            return "strong"
        return "accent" if line.startswith("@@") else _CHANGES.get(line[:1])

    def _hunk_line(self, line: str) -> StyleName | None:
        mark = line[:1]
        if mark == "\\":  # no newline at the end of the file
            return "muted"
        self._old -= mark != "+"
        self._new -= mark != "-"
        return _CHANGES.get(mark)

    def _file_line(self, line: str, following: str) -> StyleName | None:
        hunk = _HUNK.match(line)
        if hunk is not None:
            self._old, self._new = (1 if one is None else int(one) for one in hunk.groups())
            return "accent"
        begins = line.startswith("diff --git ") or (line.startswith("--- ") and following.startswith("+++ "))
        self._in_file = begins or (self._in_file and line.startswith(_FILE_LINES))
        return "strong" if self._in_file else None


_CHANGES: dict[str, StyleName] = {"+": "added", "-": "removed"}
