"""Screens that were closed are freed, also those that were open while a view was made."""

from __future__ import annotations

import weakref

import pytest
from inspecting import Inspection, inspecting
from places import REPOSITORY

from rollout_tui import screens_kept

TEAM = REPOSITORY / "demo_traces/team"

DIALOGS = {"help": "question_mark", "search": "ctrl+f", "cells": "x", "writing": "w"}


async def opened_while_read(at: Inspection, key: str) -> weakref.ref[object]:
    """A dialog that was open while a view was made, and is closed."""
    await at.press(key)
    assert at.app.screen is not at.screen
    dialog = weakref.ref[object](at.app.screen)
    at.screen.reader.read()
    await at.settle()
    while at.app.screen is not at.screen:
        await at.press("escape")
    await at.settle()
    return dialog


@pytest.mark.slow
@pytest.mark.parametrize("key", DIALOGS.values(), ids=DIALOGS)
async def test_a_dialog_that_was_open_while_a_view_was_made_is_freed(key: str) -> None:
    async with inspecting(TEAM) as at:
        dialogs = [await opened_while_read(at, key) for _ in range(3)]
        # One may be held for a while: as the screen in whose name Textual last did something.
        for _ in range(20):
            at.app.kept_screens.free()
            held = [one() for one in dialogs if one() is not None]
            if len(held) <= 1:
                break
            held.clear()
            await at.pilot.pause(0.05)
        assert len(held) <= 1


async def test_nothing_is_freed_while_somebody_types_or_without_need(monkeypatch: pytest.MonkeyPatch) -> None:
    freed: list[bool] = []
    async with inspecting(TEAM) as at:
        kept = at.app.kept_screens
        monkeypatch.setattr(kept, "free", lambda: freed.append(True))
        await opened_while_read(at, "question_mark")
        kept.look(at.app.screen_stack)
        assert freed == []
        monkeypatch.setattr(screens_kept, "QUIET_SECONDS", 0.0)
        kept.look(at.app.screen_stack)
        assert freed == [True]
    freed.clear()
    async with inspecting(TEAM) as at:
        kept = at.app.kept_screens
        monkeypatch.setattr(kept, "free", lambda: freed.append(True))
        kept.look(at.app.screen_stack)
        assert freed == []
