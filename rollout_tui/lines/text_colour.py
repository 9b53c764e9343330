"""Colours for a text in some language, found bit by bit. Pure.

Only the beginning of a text is coloured, only lines of sensible length, and only for so long: the patterns of
a lexer were not written for hostile input. What is not coloured is shown all the same.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterator
from time import thread_time
from typing import TYPE_CHECKING

from rollout_tui.lines.diff_colour import diff_spans
from rollout_tui.lines.spans import StyleName
from rollout_tui.texts.syntax import Language

if TYPE_CHECKING:
    from pygments.lexer import Lexer
    from pygments.token import _TokenType

MAX_CHARS = 200_000
"""Characters from the beginning that get colours."""

MAX_LINE = 5_000
"""A text with a longer line among these gets none: no person wrote it, and lexers are slow on such lines."""

MAX_SECONDS = 2.0
"""Processor time after which the rest stays plain."""

STEP_TOKENS = 200
"""Tokens between two pauses."""


class TextColours:
    """Which stretches of a text have which style. Grows while `build` runs."""

    def __init__(self, text: str, language: Language) -> None:
        """Colour nothing yet."""
        self._text = text
        self._language = language
        self._starts = array("Q")
        self._ends = array("Q")
        self._styles: list[StyleName] = []

    def build(self) -> Iterator[None]:
        """Find the colours, pausing by `yield` now and then."""
        text = self._text[:MAX_CHARS]
        if self._language == "diff":
            yield from self._build_diff(text)
            return
        if self._language == "text" or any(len(line) > MAX_LINE for line in text.split("\n")):
            return
        deadline = thread_time() + MAX_SECONDS
        styles: dict[_TokenType, StyleName] = {}
        # Lexers take for granted that the last line has an end.
        tokens = _lexer(self._language).get_tokens_unprocessed(text + "\n")
        for count, (start, kind, value) in enumerate(tokens):
            style = styles.get(kind)
            if style is None:
                style = styles[kind] = _style(kind)
            if style != "text" and value:
                self._starts.append(start)
                self._ends.append(start + len(value))
                self._styles.append(style)
            if not count % STEP_TOKENS:
                if thread_time() > deadline:
                    return
                yield

    def _build_diff(self, text: str) -> Iterator[None]:
        for count, (start, end, style) in enumerate(diff_spans(text)):
            self._starts.append(start)
            self._ends.append(end)
            self._styles.append(style)
            if not count % STEP_TOKENS:
                yield

    def between(self, start: int, end: int) -> Iterator[tuple[int, int, StyleName]]:
        """The styled stretches that reach into `start` to `end`, cut to it, in order."""
        known = len(self._styles)
        at = max(0, bisect_right(self._starts, start, 0, known) - 1)
        while at < known and self._starts[at] < end:
            first, last = max(start, self._starts[at]), min(end, self._ends[at])
            if first < last:
                yield first, last, self._styles[at]
            at += 1


def _lexer(language: Language) -> Lexer:
    """The lexer of a language."""
    # Imported where they are used: lexer modules take long to load, and few sessions need them all.
    if language == "javascript":
        from pygments.lexers.javascript import JavascriptLexer

        return JavascriptLexer()
    if language == "bash":
        from pygments.lexers.shell import BashLexer

        return BashLexer()
    from pygments.lexers.data import JsonLexer

    return JsonLexer()


def _style(kind: _TokenType) -> StyleName:
    """The style of a kind of token: that of the nearest kind above it which has one."""
    from pygments.token import Comment, Keyword, Name, Number, Operator, String

    styles: dict[_TokenType, StyleName] = {
        Comment: "comment",
        Keyword: "keyword",
        Keyword.Constant: "literal",
        Name.Tag: "key",
        Name.Builtin: "accent",
        Name.Variable: "accent",
        Operator.Word: "keyword",
        Number: "number",
        String: "string",
    }
    above: _TokenType | None = kind
    while above is not None:
        if above in styles:
            return styles[above]
        above = above.parent
    return "text"
