"""The marks the program draws itself: one-cell glyphs, those that a Linux console has, and plain ASCII.

Meaning is carried by these marks, never by colour alone. One set is active for the whole process; it is
chosen once, when the program starts.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace


class GlyphSet(Struct, frozen=True):
    """Every mark of the inspector. Each is one terminal cell wide; in columns states have `state_width`."""

    ascii_only: bool
    """Whether evidence, too, must be shown in ASCII alone."""
    has_pictures: bool
    """Whether there are pictures of control characters; they are `^[` otherwise."""
    ellipsis: str
    """Something was cut off here."""
    replacement: str
    """A character of the evidence which must not or cannot be shown."""
    fold_open: str
    fold_closed: str
    branch: str
    """A child that has siblings after it."""
    last_branch: str
    """The last child."""
    trunk: str
    """A line that passes a row on its way to a later sibling."""
    rule: str
    strong_rule: str
    """The rule behind the title of the pane that has the keys."""
    nested: str
    """Beside rows which are shown inside the value above them."""
    wrapped: str
    """Beside a row that continues the line above it."""
    succeeded: str
    failed: str
    running: str
    cancelled: str
    unknown: str
    warning: str
    added: str
    kept: str
    dropped: str
    restored: str
    """Put back by a compaction."""
    edge_out: str
    """An edge to another agent leaves here."""
    edge_in: str
    """An edge from another agent arrives here."""
    becomes: str
    about: str
    """Before a number that is an estimate."""
    separator: str
    dot: str
    """Between the parts of a title."""
    up: str
    down: str
    left: str
    right: str
    line_feed: str
    """A line end in the text of a row; two cells where there is no glyph for it."""
    orphan_base: str
    """What a combining mark without a letter sits on."""

    @property
    def states(self) -> tuple[str, ...]:
        """How something is or ended."""
        return self.succeeded, self.failed, self.running, self.cancelled, self.unknown, self.warning

    @property
    def state_width(self) -> int:
        """Cells of a column of states."""
        return max(map(len, self.states))


UNICODE = GlyphSet(
    ascii_only=False,
    has_pictures=True,
    ellipsis="…",
    replacement="\ufffd",
    fold_open="▾",
    fold_closed="▸",
    branch="├",
    last_branch="└",
    trunk="│",
    rule="─",
    strong_rule="━",
    nested="┊",
    wrapped="↪",
    succeeded="✓",
    failed="✗",
    running="◦",
    cancelled="⊘",
    unknown="?",
    warning="!",
    added="+",
    kept="=",
    dropped="-",
    restored="»",
    edge_out="⇢",
    edge_in="⇠",
    becomes="→",
    about="≈",
    separator="›",
    dot="·",
    up="↑",
    down="↓",
    left="←",
    right="→",
    line_feed="⏎",
    orphan_base="◌",
)

ASCII = GlyphSet(
    ascii_only=True,
    has_pictures=False,
    ellipsis="~",
    replacement="?",
    fold_open="v",
    fold_closed=">",
    branch="|",
    last_branch="`",
    trunk="|",
    rule="-",
    strong_rule="=",
    nested=":",
    wrapped="\\",
    succeeded="ok",
    failed="x",
    running="..",
    cancelled="/",
    unknown="?",
    warning="!",
    added="+",
    kept="=",
    dropped="-",
    restored="&",
    edge_out=">",
    edge_in="<",
    becomes=">",
    about="~",
    separator=">",
    dot="-",
    up="^",
    down="v",
    left="<",
    right=">",
    line_feed="\\n",
    orphan_base=".",
)

CONSOLE = replace(
    ASCII,
    ascii_only=False,
    fold_open="▼",
    fold_closed="▶",
    branch="├",
    last_branch="└",
    trunk="│",
    rule="─",
    strong_rule="═",
    restored="»",
    edge_out="→",
    edge_in="←",
    becomes="→",
    about="≈",
    dot="·",
    up="↑",
    down="↓",
    left="←",
    right="→",
    line_feed="¶",
)
"""For the Linux console: what is both in the font that the kernel has built in (code page 437) and in those
of Debian for Latin scripts. There is no tick in both, nor an ellipsis."""

_active = UNICODE


def active() -> GlyphSet:
    """The set in use."""
    return _active


def use(glyphs: GlyphSet) -> None:
    """Make `glyphs` the set in use. To be called before anything is drawn: drawn lines are kept."""
    global _active
    _active = glyphs


def for_terminal(encoding: str | None, ascii_wanted: bool = False, term: str | None = None) -> GlyphSet:
    """The set that suits a terminal.

    Args:
        encoding: The encoding of standard output, as Python names it; `None` when it has none.
        ascii_wanted: The user asked for ASCII.
        term: What kind of terminal it is, as `$TERM` names it.

    Returns:
        `ASCII` if it is wanted or the terminal is not UTF-8, else `CONSOLE` for the Linux console, `UNICODE`
        for any other.
    """
    is_utf8 = (encoding or "").lower().replace("-", "").replace("_", "") in {"utf8", "utf8sig", "cp65001"}
    if ascii_wanted or not is_utf8:
        return ASCII
    return CONSOLE if (term or "").split("-")[0] == "linux" else UNICODE
