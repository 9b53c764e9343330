"""A program that records itself with our recorder, for tests of `rollout-tui record`. Run as a script.

Its arguments: how many turns, the exit status, and what it does in between: `-` nothing; a number to sleep so
many seconds in every turn; a path to wait after the first turn until that file is there.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType

from reducer.recorder import SessionMetadata, start_session


def say(line: str) -> None:
    """Write a line in one piece: tests look for it whole, and the inspector may open between two pieces.

    It is also for signal handlers, which may come while a line is being written.
    """
    os.write(1, f"{line}\n".encode())


def main(turns: int, status: int, pause: str) -> int:
    def interrupted(number: int, _frame: FrameType | None) -> None:
        say(f"got signal {number}")
        raise SystemExit(status)

    if status == 33:
        signal.signal(signal.SIGINT, interrupted)
        signal.signal(signal.SIGTERM, interrupted)
    session = start_session(SessionMetadata(thread_id="host", cwd="/", model="m"))
    say(f"host begins {sys.stdin.isatty()}")
    for number in range(1, turns + 1):
        turn = session.root.start_turn(f"turn-{number}")
        items = [
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": f"do {number}"}]}
        ]
        call = turn.start_inference(model="m", provider_name="p", request={"model": "m", "input": items})
        answer = [
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "done"}]}
        ]
        call.complete(answer, response_id=f"r{number}")
        turn.end()
        say(f"turn {number} is over")
        if pause.startswith("/"):
            while not Path(pause).exists():
                time.sleep(0.02)
        elif pause != "-":
            time.sleep(float(pause))
    session.root.end()
    session.end()
    session.complete()
    say("host ends")
    return status


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
