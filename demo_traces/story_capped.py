"""`capped`: a recording with limits on its size. A nightly backup stopped half-way; why?

What there is to see: holes. A text of the user, outputs, a patch and a compaction are longer than the limit,
and of one runtime event there is nothing, because the bundle was nearly full. One answer is lost as a whole,
so that the call in it shows only in the next request. Besides, a child on a connection that was warmed up; it
ends and is resumed.
"""

from __future__ import annotations

from pathlib import Path

from demo_traces import wire
from demo_traces.agent import Agent
from demo_traces.cells import Cell, WaitForCell
from demo_traces.outputs import say, think
from demo_traces.sending import WebSocket
from demo_traces.story import Story
from demo_traces.teamwork import FollowUp, Spawn, WaitAgent
from demo_traces.tooluse import Command, Hunk, Patch
from reducer.recorder import Limits

START_MS = 1_795_597_310_552
"""25 November 2026, in the morning."""

LIMITS = Limits(max_payload_bytes=32_000, max_bytes=128_000)
"""So small that a story can reach them. The bytes are those that are left for the very last calls."""


def _log(first: int, last: int) -> str:
    """Lines of the backup's log; a second and 58 bytes each."""
    return "".join(
        f"02:{second // 60:02d}:{second % 60:02d} copy /srv/berths/{second:05d}.db -> vault/{second:05d}.db\n"
        for second in range(first, last)
    )


STOPPED = "02:10:00 the vault says no\n02:10:00 stop: no token\n"


def tell(directory: Path) -> None:
    """Record the story as a bundle."""
    story = Story(
        directory, seed="capped", start_ms=START_MS, tools=wire.TEAM_TOOLS, source="cli", limits=LIMITS
    )
    reader = _read_the_log(story)
    story.clock.sleep(47.0)
    _try_it(story, reader)
    story.clock.sleep(9.0)
    story.finish()


def _read_the_log(story: Story) -> Agent:
    root = story.root
    root.user(f"The backup stopped half-way. Why? This is its log so far:\n\n{_log(0, 600)}{STOPPED}")
    script = Command(root, "cat tools/backup.py tools/vault_paths.py")
    root.ask(
        think("The last two lines", "It says no, for want of a token. The script must say why.", story.names),
        script,
        seconds=4.2,
    )
    script.run(
        "def run(paths, vault):\n    for path in paths:\n        vault.copy(path)\n\n\n"
        + "".join(f"PATH_{number} = 'vault/{number:05d}.db'\n" for number in range(1160)),
        seconds=0.1,
    )
    spawn = Spawn(root, "reader", "How does vault.copy() get its token, and when is it renewed?")
    root.ask(spawn, seconds=2.9)
    reader = spawn.run("Hamilton")
    reader.transport = WebSocket(story.names)
    wait = WaitAgent(root, 300_000)
    root.ask(wait, seconds=1.6)
    wait.begin()
    report = _child_reads(reader)
    wait.finish()
    root.receive(reader, report)
    _answer_that_is_lost(root)
    root.answer(
        "The token lives for ten minutes and is never renewed; the 601st file needs a new one.", seconds=3.0
    )
    reader.trace.end()
    return reader


def _child_reads(reader: Agent) -> str:
    look = Command(reader, "cat quaycache/vault.py")
    reader.ask(look, seconds=1.8)
    look.run("".join(f"# page {number} of the terms of the vault\n" for number in range(900)), seconds=0.1)
    read = Command(reader, "rg -n token quaycache/vault.py")
    reader.ask(say("Rather only what matters."), read, seconds=2.2)
    read.run("12:    token = login(lifetime=600)\n31:    def copy(self, path, token=token):\n", seconds=0.05)
    return reader.answer("`login` is called once, when the module is imported.", seconds=3.1)


def _answer_that_is_lost(root: Agent) -> None:
    """Neither the thought nor the words are longer than the limit, but both together are."""
    check = Command(root, "rg -c ok backup.log")
    root.ask(
        think("How far it came", f"I go through the lines.\n{_log(0, 320)}", root.names),
        say(f"These were copied twice:\n{_log(290, 600)}"),
        check,
        seconds=12.5,
    )
    check.run("600\n", seconds=0.04)


def _try_it(story: Story, reader: Agent) -> None:
    root = story.root
    root.user("Renew it before each file, and try with the first twenty.", first=root.compact)
    follow_up = FollowUp(root, reader, "Does anything else use that token?")
    table = "\n".join(f"+    {number}: 'vault/{number:05d}.db'," for number in range(1200))
    patch = Patch(root, Hunk("tools/vault_paths.py", 1, f"-PATHS = {{}}\n+PATHS = {{\n{table}\n+}}"))
    root.ask(follow_up, patch, seconds=21.0)
    follow_up.started()
    reader.trace.resume()
    reader.transport = WebSocket(story.names)
    follow_up.run()
    patch.apply()
    root.receive(reader, reader.answer("Nothing else does.", seconds=2.3))
    cell = Cell(
        root,
        """
const tried = tools.exec_command({cmd: "python tools/backup.py --first 20"});
yield_control();
text((await tried).output);
""",
    )
    root.ask(cell, seconds=3.4)
    cell.start()
    tried = Command(root, "python tools/backup.py --first 20", cell=cell).begin()
    cell.yield_control()
    wait = WaitForCell(root, cell, 20_000)
    root.ask(wait, seconds=1.2)
    wait.started()
    tried.run(_log(0, 20), seconds=8.1)
    cell.complete_later(wait, _log(0, 20))
    dump = Command(root, "base64 vault/00019.db")
    root.ask(dump, seconds=1.9)
    _print_more_than_is_shown(dump)
    root.answer("Twenty files are copied, each with a token of its own.", seconds=2.4)


def _print_more_than_is_shown(dump: Command) -> None:
    dump.begin()
    dump.agent.clock.sleep(0.2)
    dump.printed = dump.agent.names.sealed(36_000)
    dump.exit(0)
    dump.show(f"{dump.printed[:40]}\n... 48 kB, of which this is the beginning\n", 0)
