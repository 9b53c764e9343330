"""Frees screens that were closed, although views are kept from the collector of cycles.

Making a view puts everything there is out of the collector's sight (`feed`): also the screens that are open
just then, which have cycles. Once they are closed everything is looked through again, in a quiet moment.
"""

from __future__ import annotations

import gc
from collections.abc import Collection
from time import monotonic
from weakref import WeakSet

from textual.screen import Screen

LOOK_SECONDS = 2.0
"""Seconds between two looks at whether there is something to free."""

QUIET_SECONDS = 5.0
"""Seconds without a key after which it may be freed."""

QUIET_SHARE = 100
"""And so many times as long as it took the time before: with a large graph everything stops for a while."""


class KeptScreens:
    """The screens of one application that the collector of cycles does not see."""

    def __init__(self) -> None:
        self._kept: WeakSet[Screen[object]] = WeakSet()
        self._tried: WeakSet[Screen[object]] = WeakSet()
        self._took = 0.0
        self._last_key = monotonic()

    def note(self, screens: Collection[Screen[object]]) -> None:
        """A view was made while these were open."""
        self._kept.update(screens)

    def key_came(self) -> None:
        """Somebody types."""
        self._last_key = monotonic()

    def look(self, still_open: Collection[Screen[object]]) -> None:
        """Free the closed ones if nobody types."""
        closed = self._kept.difference(still_open)
        quiet = monotonic() - self._last_key
        # One that something else still holds is tried again when the next one was closed.
        if closed.difference(self._tried) and quiet >= max(QUIET_SECONDS, QUIET_SHARE * self._took):
            self._tried = closed
            self.free()

    def free(self) -> None:
        """Free what is closed, now."""
        began = monotonic()
        gc.unfreeze()
        gc.collect()
        gc.freeze()
        self._took = monotonic() - began
