"""`quickstart`: one agent and a few tools. A test fails since yesterday's merge; why, and the fix."""

from __future__ import annotations

from pathlib import Path

from demo_traces import wire
from demo_traces.outputs import say, think
from demo_traces.story import Story
from demo_traces.tooluse import Command, Hunk, Patch

START_MS = 1_795_424_531_207
"""23 November 2026, in the morning."""

FAILING_RUN = """\
..F..                                                                    [100%]
=================================== FAILURES ===================================
______________________ test_entry_is_gone_at_its_deadline ______________________

    def test_entry_is_gone_at_its_deadline():
        clock = FakeClock()
        cache = TTLCache(ttl=10, clock=clock)
        cache.put("berth", 7)
        clock.advance(10)
>       assert cache.get("berth") is None
E       AssertionError: assert 7 is None
E        +  where 7 = get('berth')
E        +    where get = <quaycache.ttl.TTLCache object at 0x7f2c1d0a4e50>.get

tests/test_ttl.py:31: AssertionError
=========================== short test summary info ============================
FAILED tests/test_ttl.py::test_entry_is_gone_at_its_deadline - AssertionError: assert 7 is None
1 failed, 4 passed in 0.06s
"""

TTL_BEFORE = """\
    def put(self, key, value):
        with self._lock:
            self._entries[key] = (value, self._clock() + self.ttl)

    def get(self, key, default=None):
        with self._lock:
            entry = self._entries.get(key)
            if entry is None or self._clock() > entry[1]:
                return default
            return entry[0]

    def sweep(self):
        \"\"\"Drop what has expired; returns how many entries that were.\"\"\"
        now = self._clock()
        stale = [key for key, (_, until) in self._entries.items() if now >= until]
"""

LOG = """\
3c9d1e7 Merge branch 'read-path'
a81f0b2 get(): look the entry up once instead of twice
5e02c44 Add sweep() and the background sweeper
90b7d13 TTLCache with an injectable clock
"""

DIFF = """\
diff --git a/quaycache/ttl.py b/quaycache/ttl.py
index 7be1f0c..2d94a61 100644
--- a/quaycache/ttl.py
+++ b/quaycache/ttl.py
@@ -24,8 +24,8 @@ class TTLCache:
     def get(self, key, default=None):
         with self._lock:
-            if key not in self._entries or self._clock() >= self._entries[key][1]:
-                return default
-            return self._entries[key][0]
+            entry = self._entries.get(key)
+            if entry is None or self._clock() > entry[1]:
+                return default
+            return entry[0]
"""

CHANGELOG = """\
# Changelog

## Unreleased

- `sweep()` and a background sweeper.

## 0.3.0

- `TTLCache` takes a clock, so that tests need not sleep.
"""


def tell(directory: Path) -> None:
    """Record the story as a bundle."""
    story = Story(directory, seed="quickstart", start_ms=START_MS, tools=wire.SOLO_TOOLS, source="cli")
    _find_and_fix(story)
    story.clock.sleep(74.0)
    _changelog(story)
    story.clock.sleep(12.0)
    story.finish()


def _find_and_fix(story: Story) -> None:
    agent = story.root
    agent.user(
        "tests/test_ttl.py::test_entry_is_gone_at_its_deadline fails since yesterday's merge. Please find "
        "out why and fix it."
    )
    first = Command(agent, "python -m pytest -q tests/test_ttl.py")
    agent.ask(
        think("Seeing it fail", "One named test, so I start there and read the assertion.", story.names),
        say("I will run that test first and see how it fails."),
        first,
        seconds=3.8,
    )
    first.run(FAILING_RUN, seconds=1.4, exit_code=1)

    source = Command(agent, "sed -n 18,32p quaycache/ttl.py")
    log = Command(agent, "git log --oneline -4 -- quaycache/ttl.py")
    agent.ask(source, log, seconds=2.1)
    source.run(TTL_BEFORE, seconds=0.05)
    log.run(LOG, seconds=0.09)

    merged = Command(agent, "git show --format= a81f0b2 -- quaycache/ttl.py")
    agent.ask(
        think(
            "A comparison that changed",
            "`get` keeps an entry while now <= until, `sweep` drops it once now >= until. At the deadline "
            "itself the two disagree. The read-path commit touched that line; its diff will tell.",
            story.names,
        ),
        merged,
        seconds=5.2,
    )
    merged.run(DIFF, seconds=0.07)

    patch = Patch(
        agent,
        Hunk(
            "quaycache/ttl.py",
            24,
            """
             entry = self._entries.get(key)
-            if entry is None or self._clock() > entry[1]:
+            if entry is None or self._clock() >= entry[1]:
                 return default
""",
        ),
    )
    agent.ask(
        say(
            "The read-path commit turned `>=` into `>` on its way. I put it back, which is what `sweep` uses."
        ),
        patch,
        seconds=4.4,
    )
    patch.apply()

    everything = Command(agent, "python -m pytest -q && git diff --stat")
    agent.ask(everything, seconds=1.9)
    everything.run(
        ".............                                                            [100%]\n"
        "13 passed in 0.48s\n"
        " quaycache/ttl.py | 2 +-\n 1 file changed, 1 insertion(+), 1 deletion(-)\n",
        seconds=2.2,
    )
    agent.answer(
        "`get` returned an entry at the very moment it expires. Commit a81f0b2 rewrote the look-up and "
        "turned `>=` into `>`; `sweep` still uses `>=`. I put `>=` back in `quaycache/ttl.py`, one line. "
        "All 13 tests pass."
    )


def _changelog(story: Story) -> None:
    agent = story.root
    agent.user("Thanks. Add a line to the changelog, too.")
    look = Command(agent, "head -n 9 CHANGELOG.md")
    agent.ask(look, seconds=1.7)
    look.run(CHANGELOG, seconds=0.04)
    patch = Patch(
        agent,
        Hunk(
            "CHANGELOG.md",
            3,
            """
 ## Unreleased

 - `sweep()` and a background sweeper.
+- Fixed: `get()` returned an entry at the moment of its deadline.
""",
        ),
    )
    agent.ask(patch, seconds=2.6)
    patch.apply()
    agent.answer('Added under Unreleased: "Fixed: `get()` returned an entry at the moment of its deadline."')
