"""How a step of a pilot ends: once nothing is left to do, and with all that is to be drawn drawn once.

Textual's own pilot waits until the process has used little time for 20 ms, twice for each key: that is long
where there is nothing to do, and wrong where a busy machine does not let the process do what there is. Its
screens draw for each key several times what no terminal sees. Here the loop itself says whether anything is
left.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic
from weakref import WeakSet

import pytest
from patience import PATIENCE
from textual import _wait
from textual._context import active_app
from textual.app import App
from textual.pilot import Pilot
from textual.screen import Screen

ROUNDS = 3
"""So many times in a row there must be nothing to do."""

LOOK_SECONDS = 0.001
"""Between two looks while a key waits for its turn, or a new size to be told of."""


def end_steps_when_quiet(patch: pytest.MonkeyPatch) -> None:
    """Let pilots do so, until the patch is undone."""
    draw = Screen._compositor_refresh
    undrawn: WeakSet[Screen[object]] = WeakSet()

    def draw_later(screen: Screen[object]) -> None:
        if screen is screen.app.screen and screen.app.is_headless:
            # What is dirty is kept where it is, and grows.
            undrawn.add(screen)
            screen._dirty_widgets.clear()
        else:
            draw(screen)

    async def step_over(min_sleep: float = 0.0, max_sleep: float = 1.0) -> None:
        app = active_app.get()
        await _quiet(app, lambda: _on_with(app))
        if any(not worker.is_finished for worker in app.workers):
            await _wait.wait_for_idle(min_sleep, max_sleep)
            await _quiet(app, lambda: _on_with(app))
        if app.is_running and app.screen in undrawn:
            undrawn.discard(app.screen)
            draw(app.screen)

    wait_for_screen = Pilot._wait_for_screen

    async def wait_for_what_is_at_work(pilot: Pilot[object], timeout: float = PATIENCE) -> bool:
        # It sends a message to every widget: several times as many as a key does, at rest for nothing.
        return _is_at_rest(pilot.app) or await wait_for_screen(pilot, timeout)

    patch.setattr(Screen, "_compositor_refresh", draw_later)
    patch.setattr(Pilot, "_wait_for_screen", wait_for_what_is_at_work)
    patch.setattr("textual.app.wait_for_idle", step_over)
    patch.setattr("textual.pilot.wait_for_idle", step_over)


async def _quiet(app: App[object], go_on: Callable[[], bool]) -> None:
    """Wait until the loop has nothing to do but to wait: for time, for a thread, for a key."""
    loop, end, quiet = asyncio.get_running_loop(), monotonic() + PATIENCE, 0
    while quiet < ROUNDS:
        assert monotonic() < end, "it never comes to rest"
        await asyncio.sleep(0)
        if loop._ready:  # type: ignore[attr-defined]
            quiet = 0
        elif _waits(app):
            quiet = 0
            await asyncio.sleep(LOOK_SECONDS)
        elif go_on():
            quiet = 0
        else:
            quiet += 1


def _is_at_rest(app: App[object]) -> bool:
    """Whether the app and all widgets of the screen wait for messages, and none is there."""
    if not app.is_running or not app.screen_stack:
        return False
    readies = (node._message_queue.ready_event for node in (app, *app.screen.walk_children(with_self=True)))
    return all(ready._waiters and not ready.is_set() for ready in readies)  # type: ignore[attr-defined]


def _waits(app: App[object]) -> bool:
    """Whether keys wait for their turn, or a new size to be told of."""
    served = getattr(app, "_typed", None) or getattr(app, "_serving", None)
    return app.is_running and bool(served or app._resize_timer)


def _on_with(app: App[object]) -> bool:
    """Let the screen do what it would do at its next tick; whether there was anything."""
    if not app.is_running or not app.screen_stack:
        return False
    screen = app.screen
    waits = (
        screen._layout_required,
        screen._scroll_required,
        screen._repaint_required,
        screen._recompose_required,
        screen._dirty_widgets,
        screen._callbacks,
    )
    if not any(waits) or not screen.is_mounted:
        return False
    screen._on_timer_update()
    return True
