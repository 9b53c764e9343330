"""What all tests share: a fixed environment, and where bundles and the reference program are."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from places import PROGRAM, REPOSITORY, SHARED

OWN_OF_PYTHON = ("PYTHONPATH", "PYTHONPYCACHEPREFIX")
"""Variables of Python that say what tests say, or nothing about what a program does."""


def _fix_environment() -> None:
    """Let nothing of the machine reach what tests compare: zone, locale, size, trace root, Python's ways."""
    os.environ.update(
        PYTHONPATH=str(REPOSITORY),
        TZ="UTC",
        LC_ALL="C.UTF-8",
        TERM="xterm-256color",
        COLORTERM="truecolor",
        TEXTUAL_ANIMATIONS="none",
        XDG_STATE_HOME=str(REPOSITORY / "tests/no-such-directory"),
        CODEX_HOME=str(REPOSITORY / "tests/no-such-directory"),
    )
    unwanted = ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "LANGUAGE", "CODEX_ROLLOUT_TRACE_ROOT")
    textual = [name for name in os.environ if name.startswith("TEXTUAL") and name != "TEXTUAL_ANIMATIONS"]
    python = [name for name in os.environ if name.startswith("PYTHON") and name not in OWN_OF_PYTHON]
    for name in (*unwanted, "TMUX", "STY", "PAGER", "ROLLOUT_TUI_DEBUG", *textual, *python):
        os.environ.pop(name, None)
    time.tzset()


def _keep_bytecode() -> None:
    """Let nobody compile twice, though the machine may want nothing written beside sources.

    Otherwise each of the many programs that tests start would compile all that it imports, and each process
    that runs tests all tests.
    """
    if sys.dont_write_bytecode:
        sys.dont_write_bytecode = False
        sys.pycache_prefix = sys.pycache_prefix or str(REPOSITORY / ".cache/bytecode")
        os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix


def _collect_seldom() -> None:
    """Let the collector of cycles look through what tests made seldom: it took half of the time of screens.

    By such thresholds alone a worker would grow to gigabytes: what tests left is freed once it is much.
    """
    gc.set_threshold(100_000, 20, 20)


GROWTH_BETWEEN_COLLECTIONS = 128 << 20
"""Bytes. Most tests leave nothing that only the collector could free: to look after so many is in vain."""

_held_then = 0


def pytest_runtest_teardown() -> None:
    """Free what the last tests left once it is much.

    What stays is put aside: programs under test collect, too, and would look through all of it each time.
    """
    global _held_then
    if _bytes_held() > _held_then + GROWTH_BETWEEN_COLLECTIONS:
        gc.unfreeze()
        gc.collect()
        gc.freeze()
        _held_then = _bytes_held()


def _bytes_held() -> int:
    return int(Path("/proc/self/statm").read_bytes().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _heed_interrupts() -> None:
    """Let programs that tests start be interrupted: shells have what runs in the background ignore that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGQUIT) is signal.SIG_IGN:
        signal.signal(signal.SIGQUIT, signal.SIG_DFL)


# Before anything imports Textual, which reads some of these once.
_fix_environment()
_keep_bytecode()
_collect_seldom()
_heed_interrupts()

import conformance_summary  # noqa: E402
import hypothesis  # noqa: E402
import pytest  # noqa: E402
import running_order  # noqa: E402
from snapshot_support import (  # noqa: E402, F401
    pytest_sessionfinish,
    pytest_terminal_summary,
    pytest_testnodedown,
)

hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("repeatable")


def pytest_configure(config: pytest.Config) -> None:
    """Let every run say its sums, also where only workers load the tests, and share the tests well."""
    config.pluginmanager.register(conformance_summary)
    config.pluginmanager.register(running_order)


CODEX_VARIABLES = {
    "0.171.0": "ROLLOUT_TUI_CODEX_0_171",
    "0.169.0": "ROLLOUT_TUI_CODEX_0_169",
    "0.164.0": "ROLLOUT_TUI_CODEX_0_164",
}


def missing(what: str) -> NoReturn:
    """Skip a test for want of something; where everything must be there, fail it."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what}, and CI is true")
    pytest.skip(what)


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The directory with recorded bundles and test vectors."""
    if not (SHARED / "bundles").is_dir():
        missing(f"no recorded bundles in {SHARED}; ROLLOUT_TUI_SHARED names their directory")
    return SHARED


@pytest.fixture(scope="session")
def codex_171() -> Path:
    """The real codex 0.171.0, the reference for trace schema 3."""
    return codex("0.171.0")


@pytest.fixture(scope="session")
def codex_169() -> Path:
    """The real codex 0.169.0, the reference for trace schema 2."""
    return codex("0.169.0")


@pytest.fixture(scope="session")
def codex_164() -> Path:
    """The real codex 0.164.0, the reference for trace schema 1."""
    return codex("0.164.0")


def codex(version: str) -> Path:
    """The real codex of a version, where its variable or the cache of `.ci/run` has it."""
    variable = CODEX_VARIABLES[version]
    named = os.environ.get(variable)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    program = Path(named) if named else cache / f"rollout-tui/codex/{version}/codex"
    if not os.access(program, os.X_OK):
        missing(f"no codex {version} at {program}; {variable} names it")
    return program


@pytest.fixture
def demo_trace(tmp_path: Path) -> Callable[[str], Path]:
    """Gives a private copy of a bundle under `demo_traces` by its name, the same one every time."""

    def copy(name: str) -> Path:
        target = tmp_path / "demo" / name
        if not target.exists():
            shutil.copytree(REPOSITORY / "demo_traces" / name, target, symlinks=True)
        return target

    return copy


@pytest.fixture
def run_program(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[bytes]]:
    """Runs `rollout-tui` with arguments, without a terminal, in an empty directory."""
    directory = tmp_path / "cwd"
    directory.mkdir()

    def run(*arguments: str | bytes | Path, **options: Any) -> subprocess.CompletedProcess[bytes]:
        environment = {**os.environ, **options.pop("environment", {})}
        defaults: dict[str, Any] = {"cwd": directory, "stdin": subprocess.DEVNULL, "timeout": 60}
        if "stdout" not in options:
            defaults |= {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.run([*PROGRAM, *arguments], env=environment, **(defaults | options))

    return run
