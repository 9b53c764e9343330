"""What a terminal of some size has room for, from 40x10 up.

As room gets short this goes, in this order:

1. below 120x18 two of the four panes: the list with the keys and the detail stay, side by side;
2. below 100 columns the other pane, too: one is left, with a line above it that says where it is;
3. keys of the footer and pieces of the lines above lists, those that matter least first; help stays, and of
   the header the failures, the state and the name go last;
4. columns at the right of rows, from the right, and columns of the bundles. A verdict is never cut;
5. below 60x23 the frame of what opens above the panes, which then takes the whole screen;
6. below 76 columns the other column of a checkpoint; below 20 rows its totals, and what the stepper of a cell
   shows beside the part that has the keys;
7. below 14 rows the line that says where the pane is, and the lines about a state of a compaction.

Sentences and help are broken into lines, not cut. Below 40x10 one sentence stands instead of everything.
"""

from __future__ import annotations

from textual.geometry import Size

SMALLEST = Size(40, 10)
"""Below this nothing useful fits."""

FOUR_PANES = Size(120, 18)
"""From here all panes are on the screen."""

TWO_PANES = 100
"""Columns from which two of them are."""

FRAMED = Size(60, 23)
"""From here what opens above the panes leaves some of them to be seen."""

BROAD = 76
"""Columns from which two texts stand side by side in a stepper."""

TALL = 20
"""Rows from which a stepper shows several parts one above the other."""

WHERE_LINES = 14
"""Rows from which there are lines that say where one is."""


def has_room(size: Size, needed: Size) -> bool:
    """Whether a size is at least another in both directions."""
    return size.width >= needed.width and size.height >= needed.height


def panes_at_once(size: Size) -> int:
    """How many panes there is room for: four, two or one."""
    if has_room(size, FOUR_PANES):
        return 4
    return 2 if size.width >= TWO_PANES else 1
