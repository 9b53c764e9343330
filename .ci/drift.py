"""Says in what the newest codex records differently from what this program knows.

Usage: drift.py [PROGRAM | VERSION] [--keep DIRECTORY]

The codex is a program by its path, or a version on npm, by default the newest, fetched into the cache of
`.ci/run`. It records two scripted sessions against a server on 127.0.0.1, and this checkout looks at them:
what does `rollout-tui check` not know or find wrong, and does `rollout-tui reduce --strict` give the graph
that this codex gives?
Exit status: 0 no drift; 3 drift was found; 1 it could not be found out, for want of the network or of time.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
TESTS = REPOSITORY / "tests"
sys.path[:0] = [str(REPOSITORY), str(TESTS), str(TESTS / "end_to_end")]

from codex_home import CodexHome, RefusedByCodex  # noqa: E402
from responses_server import ResponsesServer, Script  # noqa: E402
from scripted_sessions import (  # noqa: E402
    COMPACT_ABOVE,
    SHELL_PROMPT,
    TEAM_PROMPT,
    picture_and_cell,
    shell_tools,
    tools_child_compaction,
)

from reducer.schemas import SCHEMAS  # noqa: E402
from rollout_tui.safe_text import clip, safe_text  # noqa: E402

LIMIT_SECONDS = 110
"""All of it must be over by then."""

STEP_SECONDS = 60.0
"""The longest that one program may take."""

STOP_SECONDS = 5.0
"""How long a program that is told to end has for cleaning up."""

MAX_LISTED = 8
"""Unknown things of one kind, and differences of graphs, that are listed; `--keep` keeps the bundles."""

MAX_PROBLEMS = 3
"""Problems of the replay that are listed: the first ones cause most of the others."""

MAX_CELLS = 200
"""Cells of a line; names, ids and reasons come from recordings."""

MAX_VALUE = 60
"""Characters of a value of a graph."""

NOTHING = object()
"""What stands in a graph where a key is missing."""

UNKNOWN = {
    "unknown_kind": "unknown kind of event",
    "unknown_field": "unknown field",
    "unknown_name": "unknown name",
    "unknown_manifest_key": "unknown key of the manifest",
    "more_unknown": "unknown",
}
"""The rules of the check that tell of drift, in the words of the report."""

NO_DRIFT, CANNOT_WORK, DRIFT = 0, 1, 3


class CannotWork(Exception):  # noqa: N818 - not a fault of this program
    """It cannot be found out whether there is drift; says why."""


@dataclass(frozen=True)
class Session:
    """A session to record: its name, the instruction, the answers, and whether it has code cells."""

    name: str
    prompt: str
    scripts: list[Script]
    code_mode: bool = False


def main(arguments: Sequence[str]) -> int:
    """Find out, print the report, and give the exit status."""
    parser = argparse.ArgumentParser(description="Says in what codex records differently from what is known.")
    parser.add_argument("codex", nargs="?", help="path of a program or version; by default the newest on npm")
    parser.add_argument("--keep", type=Path, metavar="DIRECTORY", help="where to leave the bundles")
    asked = parser.parse_args(arguments)
    for number in (signal.SIGALRM, signal.SIGTERM):
        signal.signal(number, _out_of_time)
    signal.alarm(LIMIT_SECONDS)
    try:
        codex = program_of(asked.codex)
        if asked.keep is not None:
            asked.keep.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="rollout-tui-drift.", ignore_cleanup_errors=True) as work:
            drift = compare_all(codex, Path(work), asked.keep)
    except (CannotWork, OSError, subprocess.TimeoutExpired) as reason:
        say(f"cannot tell whether codex drifted: {reason}")
        return CANNOT_WORK
    return DRIFT if drift else NO_DRIFT


def compare_all(codex: Path, work: Path, keep: Path | None) -> bool:
    """Record the sessions and report on each; whether there is drift."""
    _status, version, _err = run([str(codex), "--version"])
    say(f"{last_line(version)}; this program knows the trace schemas {', '.join(map(str, sorted(SCHEMAS)))}")
    sessions = [
        Session("shell tools", SHELL_PROMPT, shell_tools()),
        Session("team", TEAM_PROMPT, tools_child_compaction(between=picture_and_cell()), code_mode=True),
    ]
    drift = False
    for number, session in enumerate(sessions, 1):
        findings = list(findings_of(session, codex, work / str(number), keep))
        say(f"session '{session.name}': {'drift' if findings else 'no drift'}")
        for finding in findings:
            say(f"  {finding}")
        drift = drift or bool(findings)
    return drift


def findings_of(session: Session, codex: Path, work: Path, keep: Path | None) -> Iterator[str]:
    """Record a session; everything in which it is not as this program expects, a line each."""
    with ResponsesServer(session.scripts) as server:
        home = CodexHome(work, codex, server, compact_above=COMPACT_ABOVE, code_mode=session.code_mode)
        try:
            ran = home.run(session.prompt, seconds=STEP_SECONDS)
        except subprocess.TimeoutExpired:
            yield f"it ran for more than {STEP_SECONDS:.0f} s"
        else:
            if ran.returncode != 0:
                yield f"codex ended with status {ran.returncode}: {last_line(ran.stderr)}"
    yield from server.complaints
    bundles = home.bundles()
    if len(bundles) != 1:
        yield f"{len(bundles)} bundles were recorded, and not one"
    for bundle in bundles:
        yield from findings_of_check(bundle)
        yield from findings_of_reduction(bundle, home, work)
        if keep is not None:
            shutil.copytree(bundle, keep / bundle.name, dirs_exist_ok=True)


def findings_of_check(bundle: Path) -> Iterator[str]:
    """What `rollout-tui check` does not know or finds wrong in a bundle."""
    status, out, err = run([sys.executable, "-m", "rollout_tui", "check", "--json", str(bundle)])
    try:
        report: dict[str, Any] = json.loads(out)
    except ValueError:
        yield f"rollout-tui check ended with status {status}: {last_line(err)}"
        return
    if report["schema_version"] not in SCHEMAS:
        yield f"trace schema {report['schema_version']} is not known"
    # What is amiss in the graph follows from what is amiss in the log, if anything is.
    parts = ("log", "payloads") if report["replay"] else ("log", "payloads", "lifecycles", "graph")
    for finding in (one for part in parts for one in report[part]):
        if finding["rule"] in UNKNOWN:
            words = UNKNOWN[finding["rule"]]
            yield from listed(f"{words}: {one['text']}{at_line(one)}" for one in finding["places"])
        elif finding["severity"] == "problem":
            yield f"problem: {finding['summary']} ({finding['count']})"
    problems = [f"problem: {one['reason']}{at_line(one)}" for one in report["replay"]]
    yield from listed(problems, MAX_PROBLEMS)


def findings_of_reduction(bundle: Path, home: CodexHome, work: Path) -> Iterator[str]:
    """In what the graph of `rollout-tui reduce --strict` is not that of codex."""
    state = work / "state.json"
    status, _out, err = run(
        [sys.executable, "-m", "rollout_tui", "reduce", "--strict", str(bundle), "-o", str(state)]
    )
    try:
        reference = home.reduced(bundle, STEP_SECONDS)
    except RefusedByCodex as refusal:
        yield f"codex refuses its own recording: {error_line(str(refusal))}"
        return
    if status != 0:
        yield f"rollout-tui reduce --strict ended with status {status}: {error_line(err.decode())}"
    elif state.read_bytes() != reference:
        yield from listed(graph_words(json.loads(state.read_bytes()), json.loads(reference)))


def graph_words(ours: Any, theirs: Any) -> list[str]:
    """In what our parsed graph is not that of codex, a line for each place that objects of a kind have."""
    found: dict[str, list[str]] = {}
    for place, how in differences(ours, theirs, ()):
        found.setdefault(place, []).append(how)
    if not found:
        return ["the graph is that of codex, but its bytes are not"]
    return [
        f"the graph differs at {place}: {hows[0]}" + (f", and {len(hows) - 1} more" if len(hows) > 1 else "")
        for place, hows in found.items()
    ]


def differences(ours: Any, theirs: Any, path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """The differences of two parsed values.

    Args:
        ours: what this program has.
        theirs: what codex has.
        path: the keys that lead there; in place of ids and indexes it has a star.

    Yields:
        Where, and what each of them has there.
    """
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in [*theirs, *(key for key in ours if key not in theirs)]:
            # The objects of the graph stand by their ids in the maps of the first level.
            below = (*path, "*" if len(path) == 1 else key)
            yield from differences(ours.get(key, NOTHING), theirs.get(key, NOTHING), below)
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for one, other in zip(ours, theirs, strict=True):
            yield from differences(one, other, (*path, "*"))
    elif ours != theirs:
        yield ".".join(path), f"{brief(ours)}, codex has {brief(theirs)}"


def brief(value: Any) -> str:
    """A value of a graph in a few words."""
    return "nothing" if value is NOTHING else json.dumps(value)[:MAX_VALUE]


def program_of(asked: str | None) -> Path:
    """The program that was asked for.

    Raises:
        CannotWork: there is none, or it could not be fetched.
    """
    if asked is not None and os.sep in asked:
        return Path(asked).absolute()
    return fetched(asked or newest_version())


def newest_version() -> str:
    """The newest version of codex on npm."""
    status, out, err = run(["npm", "view", "@openai/codex", "version"])
    version = out.decode(errors="replace").strip()
    if status != 0 or not re.fullmatch(r"\d[\w.+-]*", version):
        raise CannotWork(f"npm does not say which codex is the newest: {last_line(err)}")
    return version


def fetched(version: str) -> Path:
    """The program of a version, from the cache or from npm."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rollout-tui" / "codex"
    status, out, err = run([str(REPOSITORY / ".ci" / "fetch-codex"), version, str(cache)])
    if status != 0:
        raise CannotWork(f"codex {version} could not be fetched: {last_line(err)}")
    return Path(os.fsdecode(out.rstrip(b"\n")))


def run(command: Sequence[str]) -> tuple[int, bytes, bytes]:
    """Run a program to its end, and nothing that it started any longer; its status and what it said."""
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    try:
        process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise CannotWork(f"{command[0]}: {error.strerror}") from None
    with process:
        try:
            out, err = process.communicate(timeout=STEP_SECONDS)
        except subprocess.TimeoutExpired:
            raise CannotWork(f"{Path(command[0]).name} took more than {STEP_SECONDS:.0f} s") from None
        finally:
            _end_group(process)
    return process.returncode, out, err


def _end_group(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)


def listed(lines: Iterable[str], most: int = MAX_LISTED) -> Iterator[str]:
    """The first of some lines, and how many more there are."""
    everything = list(lines)
    yield from everything[:most]
    if len(everything) > most:
        yield f"and {len(everything) - most} more like this"


def at_line(place: dict[str, Any]) -> str:
    """Where in the log something is, or came first."""
    return "" if place.get("line") is None else f" (line {place['line']})"


def error_line(output: str) -> str:
    """The first thing that a reducer complains of; codex warns of its surroundings before."""
    lines = [line for line in output.splitlines() if line.strip() and not line.startswith("WARNING")]
    return lines[0] if lines else "it said nothing"


def last_line(output: bytes) -> str:
    """The last line that a program said, which says most."""
    lines = output.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"


def say(text: str) -> None:
    """A line of the report; what stands in a recording reaches the terminal as nothing but text."""
    sys.stdout.write(clip(safe_text(text), MAX_CELLS) + "\n")
    sys.stdout.flush()


def _out_of_time(_number: int, _frame: FrameType | None) -> None:
    raise CannotWork(f"it was told to end, or took more than {LIMIT_SECONDS} s")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
