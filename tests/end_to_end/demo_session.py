"""A run for the demos: high water is announced an hour early. Two agents look for the cause.

What there is to see: commands of which three fail, a code cell that runs two of them and is waited for, an
agent that gets a message, one that gets a second task, a compaction, and a patch.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from responses_server import Answer, Script, agent, call, cell, message, reasoning, shell

PROMPT = (
    "TIDES: since Sunday the harbour board shows every high water an hour early. "
    "Find the cause and mend it. The tests are `python3 -m unittest -q`."
)
"""What the user asks."""

DATA_TASK = (
    "CHECK-DATA: does harmonics.csv have the hours of the almanac, in which zone? Look, change nothing."
)
CLOCK_TASK = "CHECK-CLOCK: find what tides.py does with time zones, and on which days that is wrong."
SECOND_TASK = "Which of the tests would have caught it? Name the one that is missing."

INSTRUCTIONS = """\
You repair small programs together with other agents. Look before you change anything, change as little as you
can, run the tests afterwards, and say in the end in a few sentences what was wrong, what you did, and how you
know.
"""
"""The base instructions."""

NOTE = "NOTE: a row that is missing is worth a line in your report."

AGENT_HINT = (
    "Agents of this team report in their last message. A message to an agent is delivered while it works."
)
"""What each agent is told of the team."""

COMPACT_ABOVE = 8_950
"""Tokens above which the history is compacted: those of the root's call that saw all reports first."""

_FIRST = datetime(2026, 3, 20, 1, 10)
_FROM_TIDE_TO_TIDE = timedelta(hours=12, minutes=25)
_ROWS, _LOST_ROW = 60, 31

_TIDES = '''\
"""High waters for the board at the harbour master's office."""

import csv
from datetime import datetime, timedelta

STANDARD = timedelta(hours=1)


def high_waters(path):
    """Local times of high water."""
    with open(path, newline="") as file:
        return [local(datetime.fromisoformat(row["utc"])) for row in csv.DictReader(file)]


def local(utc):
    """Local time, from UTC."""
    return utc + STANDARD


def board(times):
    """The lines of the board."""
    return [f"{one:%a %d %b  %H:%M}" for one in times]
'''

_MENDED = """\
*** Begin Patch
*** Update File: tides.py
@@
 import csv
-from datetime import datetime, timedelta
-
-STANDARD = timedelta(hours=1)
+from datetime import datetime, timezone
+from zoneinfo import ZoneInfo
+
+HARBOUR = ZoneInfo("Europe/Berlin")
@@
     \"\"\"Local time, from UTC.\"\"\"
-    return utc + STANDARD
+    return utc.replace(tzinfo=timezone.utc).astimezone(HARBOUR).replace(tzinfo=None)
*** End Patch
"""

_TESTS = """\
import unittest
from datetime import datetime

from tides import board, local


class Tides(unittest.TestCase):
    def test_winter(self):
        self.assertEqual(local(datetime(2026, 1, 12, 4, 10)), datetime(2026, 1, 12, 5, 10))

    def test_summer(self):
        self.assertEqual(local(datetime(2026, 7, 12, 4, 10)), datetime(2026, 7, 12, 6, 10))

    def test_board(self):
        self.assertEqual(board([datetime(2026, 7, 12, 6, 10)]), ["Sun 12 Jul  06:10"])
"""

_CELL = """\
const rows = await tools.exec_command({cmd: "tail -n +2 harmonics.csv | wc -l"});
text("rows: " + rows.output);
yield_control();
const gaps = await tools.exec_command({cmd: "sleep 2; python3 gaps.py harmonics.csv"});
text("gaps: " + gaps.output);
"""

_GAPS = """\
import csv
import sys
from datetime import datetime

times = [datetime.fromisoformat(row["utc"]) for row in csv.DictReader(open(sys.argv[1]))]
odd = [(a, b) for a, b in zip(times, times[1:]) if not 12 < (b - a).total_seconds() / 3600 < 13]
print(f"{len(times)} high waters, {len(odd)} gaps that are no tide")
sys.exit(bool(odd))
"""


def write_workspace(directory: Path) -> None:
    """Write the files that the run is about."""
    waters = [_FIRST + number * _FROM_TIDE_TO_TIDE for number in range(_ROWS) if number != _LOST_ROW]
    (directory / "tides.py").write_text(_TIDES)
    (directory / "test_tides.py").write_text(_TESTS)
    (directory / "gaps.py").write_text(_GAPS)
    (directory / "harmonics.csv").write_text(
        "utc,metres\n" + "".join(f"{one:%Y-%m-%dT%H:%M},3.4\n" for one in waters)
    )


def scripts() -> list[Script]:
    """What the model answers to the root and to its agents."""
    return [
        Script(PROMPT, _root()),
        Script(DATA_TASK, _data()),
        Script(CLOCK_TASK, _clock()),
    ]


def _root() -> list[Answer]:
    return [
        Answer(
            [
                reasoning("**Where to begin**\n\nThe program is small: its files, then the tests."),
                message("I look at the program and run its tests.", "commentary"),
                shell("ls && cat tides.py"),
                shell("python3 -m unittest -q"),
            ]
        ),
        Answer(
            [
                reasoning(
                    "**Two causes are possible**\n\nThe table may be in local time, or the offset is wrong."
                ),
                agent("spawn_agent", task_name="data", message=DATA_TASK, fork_turns="none"),
                agent("spawn_agent", task_name="clock", message=CLOCK_TASK, fork_turns="none"),
            ]
        ),
        Answer(
            [
                shell("cat harmonics.csv test_tides.py gaps.py"),
                agent("send_message", target="data", message=NOTE),
            ]
        ),
        Answer([agent("wait_agent", timeout_ms=60_000)]),
        Answer([agent("followup_task", target="clock", message=SECOND_TASK)]),
        Answer([agent("wait_agent", timeout_ms=60_000)]),
        Answer([agent("wait_agent", timeout_ms=60_000)]),
        Answer(
            [
                reasoning("**It is the offset**\n\nThe table is in UTC; summer time is never added."),
                shell("grep -rn STANDARD --include='*.py' . && python3 -c 'import zoneinfo'"),
            ]
        ),
        Answer(
            [
                message("All of it is in `local`. I mend it there.", "commentary"),
                {"type": "custom_tool_call", "name": "apply_patch", "input": _MENDED},
            ]
        ),
        Answer([shell("python3 -m unittest -q")]),
        Answer(
            [
                message(
                    "The board added one hour to UTC all the year, so it was an hour early since summer time "
                    "began. `local` now asks the zone of the harbour. All three tests pass; that of July "
                    "failed before.",
                    "final_answer",
                )
            ]
        ),
    ]


def _data() -> list[Answer]:
    return [
        Answer([reasoning("**The table**\n\nCount its rows, and look for gaps."), cell(_CELL)]),
        Answer([call("wait", cell_id="1", yield_time_ms=10_000)]),
        Answer([shell("tide-almanac --zone harmonics.csv")]),
        Answer(
            [
                message(
                    "The header of harmonics.csv says utc, and its rows go on through the last Sunday in "
                    "March without a step of an hour: the table is in UTC. One row is missing in April. "
                    "There is no tide-almanac here to compare with (exit 127).",
                    "final_answer",
                )
            ]
        ),
    ]


def _clock() -> list[Answer]:
    return [
        Answer([shell("grep -n 'STANDARD\\|local' tides.py")]),
        Answer(
            [
                reasoning("**A constant**\n\nSTANDARD is one hour, whatever the day is."),
                shell("TZ=Europe/Berlin date -d '2026-07-12 04:10 UTC' +%H:%M"),
            ]
        ),
        Answer(
            [
                message(
                    "tides.py adds STANDARD, one hour, to every UTC time. That is wrong from the last Sunday "
                    "in March to the last one in October, when it should be two.",
                    "final_answer",
                )
            ]
        ),
        Answer([shell("grep -n 'def test' test_tides.py")]),
        Answer(
            [
                message(
                    "test_summer catches it and fails today. What is missing is a test of the night of the "
                    "change itself.",
                    "final_answer",
                )
            ]
        ),
    ]
