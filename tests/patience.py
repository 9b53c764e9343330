"""How long tests wait for what must come: the one patience of all of them, and two ways to wait with it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import NoReturn

PATIENCE = 60.0
"""Seconds: what has not come by then will not come. It may be many: only a test that fails takes them all."""

STAYS = 10 * PATIENCE
"""Seconds for what must not end by itself while a test looks: a sleep, a gate that is held."""

LOOK_SECONDS = 0.02
"""Seconds between two looks at whether it has come."""


class Late(AssertionError):  # noqa: N818 - a finding of a test
    """What a test waits for did not come in time."""


def wait_until(holds: Callable[[], object], tell: str | Callable[[], str] = "") -> None:
    """Wait until something is so.

    Args:
        holds: whether it is.
        tell: what to say if it never is.

    Raises:
        Late: it did not come to be so.
    """
    end = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > end:
            _give_up(tell)
        time.sleep(LOOK_SECONDS)


async def until(
    holds: Callable[[], object],
    tell: str | Callable[[], str] = "",
    pause: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> None:
    """Wait until something is so, and let the program go on meanwhile.

    Args:
        holds: whether it is.
        tell: what to say if it never is.
        pause: lets some seconds pass; `Pilot.pause` also draws what is to be drawn.

    Raises:
        Late: it did not come to be so.
    """
    end = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > end:
            _give_up(tell)
        await pause(LOOK_SECONDS)


def _give_up(tell: str | Callable[[], str]) -> NoReturn:
    raise Late(f"not in {PATIENCE:.0f} s: {tell if isinstance(tell, str) else tell()}")
