"""How long an agent waits for `show … --json`: processor time, in starts of Python and in floors."""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from places import PROGRAM, REPOSITORY

WHAT = ("calls", "failures", "summary", "tokens")

FLOOR = str(Path(__file__).with_name("floor.py"))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", type=Path, nargs="?", default=REPOSITORY / "demo_traces/quickstart")
    parser.add_argument("--what", nargs="+", default=list(WHAT))
    parser.add_argument("--repeat", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        state = Path(directory) / "state.json"
        # An installed program is compiled once. So is this one, in a directory of its own.
        environment = {
            **os.environ,
            "PYTHONPYCACHEPREFIX": f"{directory}/compiled",
            "PYTHONDONTWRITEBYTECODE": "",
        }
        subprocess.run([*PROGRAM, "reduce", options.bundle, "-o", state], env=environment, check=True)

        def measured(*command: str) -> float:
            return processor_time(command, environment, options.repeat)

        nothing = measured(sys.executable, "-c", "pass")
        floor = measured(sys.executable, FLOOR, str(options.bundle), str(state), f"{directory}/out")
        print(f"{options.bundle}: least of {options.repeat}, ms of processor time")
        print(f"{'python -c pass':<24}{1000 * nothing:7.0f}")
        print(f"{'floor':<24}{1000 * floor:7.0f}  {floor / nothing:5.1f} starts of Python")
        for what in options.what:
            took = measured(*PROGRAM, "show", str(options.bundle), *what.split(), "--json")
            starts = f"{took / nothing:5.1f} starts of Python, {took / floor:4.1f} floors"
            print(f"{f'show {what} --json':<24}{1000 * took:7.0f}  {starts}")


def processor_time(command: tuple[str, ...], environment: dict[str, str], repeat: int) -> float:
    """The least processor time of several runs, in seconds; the first, which compiles, does not count."""
    times = []
    for _ in range(repeat + 1):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(times[1:])


if __name__ == "__main__":
    main()
