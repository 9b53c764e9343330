"""Which parts of a script may run more than once, and which may not run; in doubt a part is too large."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rollout_tui.insight.cells.js_tokens import Token, Unclear, is_member

MAX_HEADER = 64
"""Tokens looked at between a keyword and its body."""

_NO_FUNCTIONS = frozenset({"if", "for", "while", "switch", "catch", "with", "await"})
"""What stands before the parenthesis of a `(...) {` that is no function."""
_SHORT_CIRCUITS = frozenset({"?", "?.", "&&", "||", "??", "&&=", "||=", "??="})
_REPEATING = frozenset({"for", "while", "do", "function", "class"})
_BRANCHING = frozenset({"if", "else", "switch", "try", "catch", "finally"})
_WITHOUT_HEADER = frozenset({"do", "else", "try", "finally"})


def regions(code: Sequence[Token], closers: dict[int, int]) -> tuple[list[int], list[int]]:
    """For each token, in how many repeated and in how many conditional regions it stands.

    Args:
        code: the tokens of a script.
        closers: which token closes each opening bracket.

    Raises:
        Unclear: a statement of the script is beyond this module.
    """
    shape = _Shape(code, closers)
    repeated: list[tuple[int, int]] = []
    conditional: list[tuple[int, int]] = []
    for place, token in enumerate(code):
        text = token.text
        if token.is_word and not is_member(code, place):
            if text in _REPEATING:
                repeated.append((place, shape.body_end(place)))
            elif text in _BRANCHING:
                conditional.append((shape.header_end(place) + 1, shape.body_end(place)))
            elif text in ("break", "continue"):
                # It may lead out of any block, past whatever stands behind it.
                conditional.append((place, len(code)))
        elif text == "=>":
            repeated.append(shape.arrow_function(place))
        elif text in _SHORT_CIRCUITS:
            conditional.append((place, shape.statement_end[place]))
        elif text == "{" and shape.is_method_body(place):
            repeated.append((shape.openers[place - 1], closers[place]))
        if text in ("{", "[") and shape.is_pattern(place):
            # A default value in a pattern is computed only if it is needed.
            conditional.append((place, closers[place]))
    return _depths(repeated, len(code)), _depths(conditional, len(code))


class _Shape:
    """Where the brackets, statements and bodies of a script end.

    Attributes:
        openers: which token opened each closing bracket.
        block_end: for each token, where the brackets around it close; the end of the script outside of all.
        statement_end: for each token, the next semicolon on its level, or else its `block_end`.
    """

    def __init__(self, code: Sequence[Token], closers: dict[int, int]) -> None:
        self._code = code
        self._closers = closers
        self.openers = {closer: opener for opener, closer in closers.items()}
        length = len(code)
        self.block_end = [length] * length
        self.statement_end = [length] * length
        blocks, statements = [length], [length]
        for place in range(length - 1, -1, -1):
            if place in closers:
                blocks.pop()
                statements.pop()
            self.block_end[place], self.statement_end[place] = blocks[-1], statements[-1]
            if place in self.openers:
                blocks.append(place)
                statements.append(place)
            elif code[place].text == ";":
                statements[-1] = place

    def _text(self, place: int) -> str:
        return self._code[place].text if 0 <= place < len(self._code) else ""

    def header_end(self, keyword: int) -> int:
        """The last token of what stands between a keyword and its body: a name, a parenthesis, nothing.

        Raises:
            Unclear: there is too much of it.
        """
        if self._text(keyword) in _WITHOUT_HEADER:
            return keyword
        for place in range(keyword, min(keyword + MAX_HEADER, len(self._code) - 1)):
            following = self._code[place + 1]
            if following.text == "(":
                return self._closers[place + 1]
            if not following.is_word and following.text != "*":
                return place
        if keyword + MAX_HEADER < len(self._code):
            raise Unclear("the script does not read as JavaScript")
        return len(self._code) - 1

    def body_end(self, keyword: int) -> int:
        """Where the body after a keyword ends; without braces, at the end of the block around it."""
        body = self._class_body(keyword) if self._text(keyword) == "class" else self.header_end(keyword) + 1
        return self._closers[body] if self._text(body) == "{" else self.block_end[keyword]

    def _class_body(self, keyword: int) -> int:
        """The brace that opens a class, behind whatever it extends."""
        place = keyword + 1
        for _step in range(MAX_HEADER):
            if self._text(place) in ("{", ""):
                return place
            place = self._closers.get(place, place) + 1
        raise Unclear("the script does not read as JavaScript")

    def arrow_function(self, arrow: int) -> tuple[int, int]:
        """An arrow function from its parameters to its end."""
        braced = self._text(arrow + 1) == "{"
        end = self._closers[arrow + 1] if braced else self.statement_end[arrow]
        return self.openers.get(arrow - 1, arrow), end

    def is_method_body(self, brace: int) -> bool:
        """Whether an opening brace follows the parameters of a function or method."""
        opener = self.openers.get(brace - 1)
        if opener is None or self._text(brace - 1) != ")":
            return False
        return self._text(opener - 1) not in _NO_FUNCTIONS

    def is_pattern(self, opener: int) -> bool:
        """Whether something is assigned to what a bracket opens, as in `const {a = b} = c`."""
        closer = self._closers[opener]
        return self._text(closer + 1) == "=" and self._text(closer + 2) != "="


def _depths(spans: Iterable[tuple[int, int]], length: int) -> list[int]:
    """For each of `length` places, how many of the spans (first and last place) hold it."""
    changes = [0] * (length + 2)
    for first, last in spans:
        if first <= last:
            changes[min(first, length)] += 1
            changes[min(last, length) + 1] -= 1
    depth = 0
    depths = []
    for change in changes[:length]:
        depth += change
        depths.append(depth)
    return depths
