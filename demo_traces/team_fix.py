"""The later turns of the team: the fix and its proof, a turn cut short, and the end of the day."""

from __future__ import annotations

from typing import Any

from demo_traces import team_texts as texts
from demo_traces import wire
from demo_traces.agent import Agent
from demo_traces.cells import Cell, WaitForCell
from demo_traces.outputs import say, think
from demo_traces.story import Story
from demo_traces.teamwork import FollowUp, Interrupt
from demo_traces.tooluse import CiCall, Command, Hunk, Patch

SUMMARY = (
    "The nightly failure of test_refresh_survives_a_sweep came from sweep() in quaycache/ttl.py: it listed "
    "expired keys without the lock and could drop a key renewed meanwhile (41 of 5000 stress rounds). Fixed "
    "by one lock around all of it; 20000 rounds and 400 runs of the test are clean. /tmp/stress_sweep.py has "
    "the stress test. The docs were not changed: the user stopped that."
)


def fix_it(story: Story, reader: Agent) -> None:
    """The second turn: a patch, and the proof that it holds."""
    root = story.root
    root.user(
        "Good. Fix it, and prove it with a longer run. Let the reader check who calls sweep() meanwhile."
    )
    follow_up = FollowUp(
        root,
        reader,
        "Who calls sweep(), on all branches? I am about to hold the lock for the whole of it; tell me if "
        "somebody calls it while holding the lock already.",
    )
    misfit = Patch(root, _fix("        now = self._clock()\n        stale = [k for k, (_, until)"))
    root.ask(
        think(
            "One lock around all of it",
            "Look and drop under the same lock. It is not re-entrant, so a caller that holds it would hang; "
            "the reader can check that while I patch.",
            story.names,
        ),
        follow_up,
        misfit,
        seconds=8.8,
    )
    follow_up.run()
    misfit.reject(
        "Failed to find expected lines in /home/mara/src/quaycache/quaycache/ttl.py:\n"
        "        now = self._clock()\n"
        "        stale = [k for k, (_, until) in self._entries.items() if now >= until]"
    )
    callers = Command(reader, "python tools/callers.py --all-branches sweep", yield_time_ms=120_000)
    reader.ask(say("The repository has a script for that."), callers, seconds=4.1)
    callers.begin()

    exact = Command(root, "sed -n 29,36p quaycache/ttl.py")
    root.ask(say("The lines read a little differently; I look before I patch again."), exact, seconds=2.7)
    exact.run("\n".join(texts.TTL_SOURCE.split("\n")[11:19]) + "\n", seconds=0.04)
    patch = Patch(root, _fix("        now = self._clock()\n        stale = [key for key, (_, until)"))
    root.ask(patch, seconds=4.3)
    patch.apply()
    _prove_it(story, reader, callers)


def _fix(beginning: str) -> Hunk:
    now, stale = beginning.split("\n")
    rest = " in self._entries.items() if now >= until]"
    return Hunk(
        "quaycache/ttl.py",
        31,
        f"""
-{now}
-{stale}{rest}
-        for key in stale:
-            with self._lock:
-                self._entries.pop(key, None)
+        with self._lock:
+            now = self._clock()
+            stale = [key for key, (_, until){rest}
+            for key in stale:
+                del self._entries[key]
         return stale
""",
    )


def _prove_it(story: Story, reader: Agent, callers: Command) -> None:
    root = story.root
    stress_cmd = "python /tmp/stress_sweep.py --rounds 20000"
    suite_cmd = "python -m pytest -q --count 400 tests/test_sweeper.py"
    cell = Cell(
        root,
        f"""
text("the fix is in; now for the long run");
yield_control();
const stress = await tools.exec_command({{cmd: "{stress_cmd}", yield_time_ms: 300000}});
text(stress.output);
const suite = await tools.exec_command({{cmd: "{suite_cmd}", yield_time_ms: 600000}});
text(suite.output);
""",
    )
    root.ask(cell, seconds=3.8)
    cell.start()
    cell.yield_control("the fix is in; now for the long run")
    stress = Command(root, stress_cmd, cell=cell, yield_time_ms=300_000).begin()
    early_wait = WaitForCell(root, cell, 60_000)
    root.ask(early_wait, seconds=1.5)
    early_wait.start()
    story.clock.sleep(60.0)
    early_wait.in_vain()

    interrupt = Interrupt(root, reader)
    found = Command(root, "rg -n 'sweep\\(' --glob '*.py'")
    root.ask(
        think(
            "The reader takes its time",
            "It walks all branches. A plain search of this one answers what matters now.",
            story.names,
        ),
        interrupt,
        found,
        seconds=4.9,
    )
    interrupt.run(callers)
    found.run(
        "quaycache/sweeper.py:20:            self.last_swept = self._cache.sweep()\n"
        "quaycache/ttl.py:29:    def sweep(self):\n"
        "tests/test_ttl.py:44:    assert cache.sweep() == ['berth']\n",
        seconds=0.06,
    )
    wait = WaitForCell(root, cell, 600_000)
    root.ask(say("Two callers, neither holds the lock. Back to the long run."), wait, seconds=2.4)
    wait.start()
    stress.run(texts.STRESS_AFTER, seconds=22.0)
    suite = Command(root, suite_cmd, cell=cell, yield_time_ms=600_000)
    suite.run(texts.LONG_RUN, seconds=404.1)
    cell.complete_later(wait, texts.STRESS_AFTER, texts.LONG_RUN)

    root.compact()
    root.answer(
        "Fixed in `quaycache/ttl.py`: `sweep()` now looks and drops under one lock. 20000 stress rounds lose "
        "no refresh (before: 41 of 5000), and 400 runs of the test in a row pass. Only the sweeper thread "
        "and one test call `sweep()`, neither holds the lock. I stopped the reader before it had been "
        "through all branches, so that is about this branch only.",
        seconds=6.9,
    )


def docs_cut_short(story: Story) -> None:
    """The third turn: the user thinks better of it."""
    root = story.root
    root.user("Now rewrite docs/sweeping.md, and explain the lock in it.")
    look = Command(root, "cat docs/sweeping.md")
    root.ask(look, seconds=1.9)
    look.run(texts.DOCS, seconds=0.04)
    root.ask_until_interrupted(
        think(
            "How much to say",
            "The page promises that sweeping is safe, which was not true. A section on what the lock covers, "
            "then the cost of holding it.",
            story.names,
        ),
        seconds=21.4,
    )


def wrap_up(story: Story) -> None:
    """The fourth turn: the end of the day, with a history that was tidied up first."""
    root = story.root

    def tidy_up() -> None:
        root.compact(summary=SUMMARY, failing_first="server_is_overloaded: try again later")

    root.user(
        "Leave the docs. Add a changelog entry, start the nightly job on this branch, and sum it up with the "
        "numbers.",
        first=tidy_up,
    )
    broken = Cell(
        root,
        """
const tag = await tools.exec_command({cmd: "git describe --tags"});
text(tag.stdout.trim());
""",
    )
    root.ask(broken, seconds=3.0)
    broken.start()
    Command(root, "git describe --tags", cell=broken).run("v0.3.0-5-gf40c2aa\n", seconds=0.05)
    undefined = "TypeError: Cannot read properties of undefined (reading 'trim')"
    broken.throw(f"{undefined}\n    at exec_main.mjs:2:17")
    _changelog_and_rerun(root)
    root.answer(
        "Done. The changelog has the entry, and nightly run 2254 is queued on this branch, five times.\n\n"
        "| | before | after |\n|---|---|---|\n| refreshes lost under stress | 41 of 5000 | 0 of 20000 |\n"
        "| runs of the test | fails after 51 | 400 pass |\n| nightly | 3 of 60 fail | queued |\n\n"
        "Uncommitted: `quaycache/ttl.py`, `CHANGELOG.md`.",
        think("Numbers, then what is open", "They asked for a summary with numbers.", root.names),
        seconds=7.1,
    )


def _changelog_and_rerun(root: Agent) -> None:
    hunk = Hunk(
        "CHANGELOG.md",
        5,
        """
 - `sweep()` and a background sweeper.
 - Fixed: `get()` returned an entry at the moment of its deadline.
+- Fixed: `sweep()` could drop an entry that was being renewed.
""",
    )
    rerun: dict[str, Any] = {"job": "nightly-linux", "ref": "sweep-lock", "times": 5}
    cell = Cell(
        root,
        f"""
const log = await tools.exec_command({{cmd: "head -6 CHANGELOG.md"}});
text(log.output);
await tools.apply_patch({wire.compact(Patch(root, hunk).arguments)});
const run = await tools.mcp__ci__rerun({wire.compact(rerun)});
text(JSON.stringify(run.structuredContent));
""",
    )
    root.ask(say("`output`, not `stdout`. Once more, with the rest in one go."), cell, seconds=4.6)
    cell.start()
    Command(root, "head -6 CHANGELOG.md", cell=cell).run(texts.CHANGELOG, seconds=0.04)
    Patch(root, hunk, cell=cell).apply()
    queued = {"run": 2254, "job": "nightly-linux", "ref": "sweep-lock", "times": 5, "state": "queued"}
    CiCall(root, "rerun", rerun, cell=cell).answer(queued, seconds=1.7)
    cell.complete(texts.CHANGELOG, wire.compact(queued))
