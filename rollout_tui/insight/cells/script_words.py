"""What a script says that it does, in a line: the tools it calls, or the first line that means something."""

from __future__ import annotations

import re
from functools import lru_cache

from rollout_tui.insight.cells.js_calls import call_sites
from rollout_tui.insight.cells.js_tokens import Unclear
from rollout_tui.texts.short_forms import first_line, one_line

LOOKED_AT = 20_000
"""Characters of a script at its beginning that are looked at."""

_ARGUMENTS = 200
_COMMENT = re.compile(r"\s*(?://[^\n]*(?:\n|\Z)|/\*.*?\*/|\Z)", re.DOTALL)
_MEANS_NOTHING = re.compile(
    r"(?:\W|\b(?:try|do|else|async|await|return|finally|function|use strict)\b)*", re.DOTALL
)
"""A line of brackets and of words that only hold others together."""


@lru_cache(maxsize=512)
def script_words(source: str) -> str:
    """The first tool call as it is written, and how many more there are: `tools.web__search("x") +2`.

    Where the text does not say what it calls, the first line beside comments and brackets stands for it. It
    is evidence: not safe for a terminal.
    """
    try:
        sites = sorted(call_sites(source[:LOOKED_AT]), key=lambda site: site.start)
    except Unclear:
        sites = []
    if not sites:
        return _first_line(source[:LOOKED_AT])
    first = sites[0]
    words = one_line(source[first.start : min(first.closed + 1, first.end + _ARGUMENTS)])
    return f"{words} +{len(sites) - 1}" if len(sites) > 1 else words


def _first_line(source: str) -> str:
    rest = source
    while rest and (comment := _COMMENT.match(rest)) is not None and comment.end():
        rest = rest[comment.end() :]
    lines = (line for line in rest.splitlines() if not _MEANS_NOTHING.fullmatch(line))
    return first_line(next(lines, "")) or first_line(rest) or first_line(source)
