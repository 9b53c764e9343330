"""A walk through the timeline and all that its entries show, in a pseudo-terminal."""

from __future__ import annotations

from pty_terminal import Terminal

QUIET = 0.08
"""Seconds of quiet between two steps."""

MAX_ROWS = 80
"""More than the timeline has; the walk ends where the cursor stays."""

TABS = 6
"""More than any object has."""


class Walk:
    """Steps through the inspector, each drawn before the next."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal

    def step(self, *keys: str) -> tuple[list[str], list[int]]:
        """Press keys; what is on the screen then, and where the cursors are."""
        self.terminal.press(*keys, quiet=QUIET)
        return self.terminal.screen, self.terminal.marked

    def tabs(self) -> None:
        """The beginning and the end of every tab of the detail pane."""
        before = self.step("4")
        for _ in range(TABS):
            self.step("G")
            after = self.step("l")
            if after == before:
                break
            before = after
        self.terminal.send(b"h" * TABS)
        self.terminal.wait_until_quiet(QUIET)

    def timeline(self, stride: int = 1) -> int:
        """Every entry of the timeline, or every so many; how many steps that were."""
        previous = self.step("2", "g")
        for count in range(1, MAX_ROWS):
            self.tabs()
            self.step("3", "G")
            self.step("2")
            rows = self.step(*["j"] * stride)
            if rows == previous:
                return count
            previous = rows
        raise AssertionError("the timeline has no end")
