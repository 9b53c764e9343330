"""Runs that are recorded while they are looked at, and an inspector that follows them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from inspecting import Inspection, inspector_of
from patience import until
from textual.pilot import Pilot

from reducer.recorder import TRACE_ROOT_VARIABLE, SessionMetadata, SessionTrace, start_session
from rollout_tui.app import RolloutApp


class Host:
    """A program that records itself, a step at a time."""

    def __init__(self, root: Path) -> None:
        self.session: SessionTrace = start_session(
            SessionMetadata(thread_id="root-thread", cwd="/w", model="m"),
            environ={TRACE_ROOT_VARIABLE: str(root)},
        )
        self.turn = self.session.root.start_turn("turn-1")
        self.history: list[dict[str, Any]] = []
        self.calls = 0
        [self.bundle] = root.iterdir()

    def call(self) -> None:
        self.calls += 1
        text = {"type": "input_text", "text": f"question {self.calls}"}
        self.history.append({"type": "message", "id": f"q{self.calls}", "role": "user", "content": [text]})
        call = self.turn.start_inference(model="m", provider_name="p", request={"input": self.history})
        answer = {"type": "output_text", "text": f"answer {self.calls}"}
        item = {"type": "message", "id": f"a{self.calls}", "role": "assistant", "content": [answer]}
        call.complete([item], response_id=f"r{self.calls}")
        self.history.append(item)

    def child(self) -> None:
        child = self.session.root.spawn("child-thread", "helper")
        child.start_turn("turn-c")

    def finish(self) -> None:
        self.turn.end()
        self.session.root.end()
        self.session.end()
        self.session.complete()


class LiveInspection(Inspection):
    """An inspector whose worker does not end while it follows."""

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def until(self, holds: Callable[[], bool]) -> None:
        await until(holds, lambda: "\n".join(self.screen_text()), self.pilot.pause)

    async def until_shown(self, text: str) -> None:
        await self.until(lambda: text in self.header())

    def timeline(self) -> list[str]:
        return self.rows(self.screen.timeline.list)

    def header(self) -> str:
        return self.screen_text()[0]


async def opened(pilot: Pilot[int], app: RolloutApp) -> LiveInspection:
    inspection = LiveInspection(app, pilot)
    await inspection.until(
        lambda: (
            inspector_of(app).session.timelines is not None and not inspector_of(app).reader.state.is_reading
        )
    )
    return inspection
