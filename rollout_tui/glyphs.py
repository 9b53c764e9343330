"""The marks the program draws itself: one set of one-cell glyphs, and one of plain ASCII.

Meaning is carried by these marks, never by colour alone. One set is active for the whole process; it is
chosen once, when the program starts.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GlyphSet:
    """Every mark of the inspector. Each is exactly one terminal cell wide."""

    ascii_only: bool
    """Whether evidence, too, must be shown in ASCII alone."""
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
    up: str
    down: str
    left: str
    right: str


UNICODE = GlyphSet(
    ascii_only=False,
    ellipsis="…",
    replacement="\ufffd",
    fold_open="▾",
    fold_closed="▸",
    branch="├",
    last_branch="└",
    trunk="│",
    rule="─",
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
    up="↑",
    down="↓",
    left="←",
    right="→",
)

ASCII = GlyphSet(
    ascii_only=True,
    ellipsis="~",
    replacement="?",
    fold_open="v",
    fold_closed=">",
    branch="|",
    last_branch="`",
    trunk="|",
    rule="-",
    nested=":",
    wrapped="\\",
    succeeded="o",
    failed="x",
    running=".",
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
    up="^",
    down="v",
    left="<",
    right=">",
)

_active = UNICODE


def active() -> GlyphSet:
    """The set in use."""
    return _active


def use(glyphs: GlyphSet) -> None:
    """Make `glyphs` the set in use. To be called before anything is drawn: drawn lines are kept."""
    global _active
    _active = glyphs


def for_terminal(encoding: str | None, ascii_wanted: bool = False) -> GlyphSet:
    """The set that suits a terminal.

    Args:
        encoding: The encoding of standard output, as Python names it; `None` when it has none.
        ascii_wanted: The user asked for ASCII.

    Returns:
        `UNICODE` for a UTF-8 terminal unless ASCII is wanted, else `ASCII`.
    """
    is_utf8 = (encoding or "").lower().replace("-", "").replace("_", "") in {"utf8", "utf8sig", "cp65001"}
    return UNICODE if is_utf8 and not ascii_wanted else ASCII
