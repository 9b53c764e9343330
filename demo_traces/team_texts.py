"""What commands, files and the build server print in the story of the team."""

from __future__ import annotations

FAILURE_CHART = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAHgAAAAYCAMAAAAGTsm6AAAADFBMVEX///9aWlrIKCg8llBUPo"
    "8DAAAAMklEQVR42mNgGAWjYIQDJirpYBq1eNTiUYtHLR61mASLmUmCTCSqx6Vj1OIRYTHjAAEAdEAENmWzfJ0AAAAASUVORK"
    "5CYII="
)
"""Sixty nights of a job as bars, three of them red; 120 by 24 pixels."""

CI_FAILURES = {
    "job": "nightly-linux",
    "runs": 60,
    "failures": [
        {"run": 2217, "night": "2026-10-18", "test": "tests/test_sweeper.py::test_refresh_survives_a_sweep"},
        {"run": 2242, "night": "2026-11-12", "test": "tests/test_sweeper.py::test_refresh_survives_a_sweep"},
        {"run": 2253, "night": "2026-11-23", "test": "tests/test_sweeper.py::test_refresh_survives_a_sweep"},
    ],
    "last_lines": [
        '>           assert cache.get("buoy") == "fresh"',
        "E           AssertionError: assert None == 'fresh'",
    ],
}

GIT_LOG = """\
f40c2aa get(): an entry is gone at its deadline
3c9d1e7 Merge branch 'read-path'
a81f0b2 get(): look the entry up once instead of twice
5e02c44 Add sweep() and the background sweeper
90b7d13 TTLCache with an injectable clock
1d6e9f8 First light
"""

GIT_FILES = """\
CHANGELOG.md
README.md
docs/sweeping.md
pyproject.toml
quaycache/__init__.py
quaycache/sweeper.py
quaycache/ttl.py
tests/test_sweeper.py
tests/test_ttl.py
tools/callers.py
"""

SWEEPER_TEST = """\
import time

from quaycache import Sweeper, TTLCache


def test_refresh_survives_a_sweep():
    cache = TTLCache(ttl=0.02)
    cache.put("buoy", "old")
    with Sweeper(cache, every=0.001) as sweeper:
        for _ in range(50):
            time.sleep(0.02)
            cache.put("buoy", "fresh")
            assert cache.get("buoy") == "fresh"
"""

TTL_SOURCE = """\
    def put(self, key, value):
        with self._lock:
            self._entries[key] = (value, self._clock() + self.ttl)

    def get(self, key, default=None):
        with self._lock:
            entry = self._entries.get(key)
            if entry is None or self._clock() >= entry[1]:
                return default
            return entry[0]

    def sweep(self):
        \"\"\"Drop what has expired; returns the keys that were dropped.\"\"\"
        now = self._clock()
        stale = [key for key, (_, until) in self._entries.items() if now >= until]
        for key in stale:
            with self._lock:
                self._entries.pop(key, None)
        return stale
"""

SWEEPER_SOURCE = """\
class Sweeper:
    \"\"\"Sweeps a cache from a thread of its own, every so many seconds.\"\"\"

    def __init__(self, cache, every):
        self._cache = cache
        self._every = every
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.last_swept = []

    def _run(self):
        while not self._stop.wait(self._every):
            self.last_swept = self._cache.sweep()
"""

QUIET_RUNS = "".join(f"1 passed in {1.04 + step % 7 / 100:.2f}s\n" for step in range(40))

PDB_STOP = (
    "." * 42 + "F\r\n"
    ">>>>>>>>>>>>>>>>>>>>>>>>>>>>>> traceback >>>>>>>>>>>>>>>>>>>>>>>>>>>>>>\r\n"
    "E           AssertionError: assert None == 'fresh'\r\n"
    "tests/test_sweeper.py:13: AssertionError\r\n"
    ">>>>>>>>>>>>>>>>>>>>>>>>>>>> entering PDB >>>>>>>>>>>>>>>>>>>>>>>>>>>>>\r\n"
    "> /home/mara/src/quaycache/tests/test_sweeper.py(13)test_refresh_survives_a_sweep()\r\n"
    '-> assert cache.get("buoy") == "fresh"\r\n'
    "(Pdb) "
)

STRESS_SCRIPT = """\
cat > /tmp/stress_sweep.py <<'EOF'
import argparse, sys, threading
from quaycache import TTLCache

parser = argparse.ArgumentParser()
parser.add_argument("--rounds", type=int, default=5000)
rounds = parser.parse_args().rounds
sys.setswitchinterval(1e-6)
lost = 0
for n in range(1, rounds + 1):
    now = [0.0]
    cache = TTLCache(ttl=1, clock=lambda: now[0])
    cache.put("buoy", "old")
    now[0] = 1.0
    sweeper = threading.Thread(target=cache.sweep)
    sweeper.start()
    cache.put("buoy", "fresh")
    sweeper.join()
    lost += cache.get("buoy") != "fresh"
    if n % (rounds // 5) == 0:
        print(f"{n} rounds, {lost} refreshes lost", flush=True)
EOF
python /tmp/stress_sweep.py --rounds 5000"""

STRESS_BEFORE = """\
1000 rounds, 7 refreshes lost
2000 rounds, 16 refreshes lost
3000 rounds, 25 refreshes lost
4000 rounds, 31 refreshes lost
5000 rounds, 41 refreshes lost
"""

STRESS_AFTER = """\
4000 rounds, 0 refreshes lost
8000 rounds, 0 refreshes lost
12000 rounds, 0 refreshes lost
16000 rounds, 0 refreshes lost
20000 rounds, 0 refreshes lost
"""

LONG_RUN = (
    "".join("." * 72 + f" [{percent:3d}%]\n" for percent in (18, 36, 54, 72, 90)) + "." * 40 + " [100%]\n"
    "400 passed in 402.77s\n"
)

DOCS = """\
# Sweeping

Entries that have expired stay in memory until somebody asks for them or `sweep()` runs.

    with Sweeper(cache, every=5.0):
        serve()

Sweeping is safe while other threads read and write.
"""

CHANGELOG = """\
# Changelog

## Unreleased

- `sweep()` and a background sweeper.
- Fixed: `get()` returned an entry at the moment of its deadline.
"""
