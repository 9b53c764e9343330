"""Which functions of the program the tests of a run call, and which they do not: a plugin of pytest.

    pytest -q -n 2 --dist worksteal -m "not slow" -p tests.benchmarks.functions_called

says at its end how many functions of each package were called, and names those that were not. What runs in
processes of their own is not seen. It takes about half as long again as without.
"""

from __future__ import annotations

import ast
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest
from places import REPOSITORY

PACKAGES = ("reducer", "rollout_tui")

_called: set[CodeType] = set()
_by_workers: set[str] = set()


def _note(frame: FrameType, _event: str, _argument: Any) -> None:
    _called.add(frame.f_code)


def pytest_collection_finish() -> None:
    """From here on, in every thread; what modules do when they are imported is no function."""
    threading.settrace(_note)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Iterator[None]:
    """Hypothesis and debuggers want to be the only ones to trace: only while a test runs."""
    sys.settrace(_note)
    try:
        return (yield)
    finally:
        sys.settrace(None)


def _name(code: CodeType) -> str | None:
    file = Path(code.co_filename)
    if code.co_name.startswith("<") or not file.is_relative_to(REPOSITORY):
        return None
    place = file.relative_to(REPOSITORY)
    return f"{place}:{code.co_firstlineno} {code.co_qualname}" if place.parts[0] in PACKAGES else None


def _functions(place: Path, node: ast.AST, around: str = "") -> Iterator[str]:
    """The functions that do something; what protocols and base classes only declare is none."""
    for inner in ast.iter_child_nodes(node):
        if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef):
            if not all(map(_does_nothing, inner.body)):
                line = min(one.lineno for one in (inner, *inner.decorator_list))
                yield f"{place}:{line} {around}{inner.name}"
            yield from _functions(place, inner, f"{around}{inner.name}.<locals>.")
        elif isinstance(inner, ast.ClassDef):
            yield from _functions(place, inner, f"{around}{inner.name}.")
        else:
            yield from _functions(place, inner, around)


def _does_nothing(line: ast.stmt) -> bool:
    if isinstance(line, ast.Expr):
        return isinstance(line.value, ast.Constant)
    return isinstance(line, ast.Pass) or (isinstance(line, ast.Raise) and "NotImpl" in ast.dump(line))


def _there() -> set[str]:
    files = [file for package in PACKAGES for file in (REPOSITORY / package).rglob("*.py")]
    return {
        name
        for file in files
        for name in _functions(file.relative_to(REPOSITORY), ast.parse(file.read_bytes()))
    }


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker hands over what it saw."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["called"] = sorted(name for code in _called if (name := _name(code)))


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """A worker is through."""
    _by_workers.update(getattr(node, "workeroutput", {}).get("called", ()))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Numbers of each package, and the names of what was not called."""
    there = _there()
    called = there & (_by_workers | {name for code in _called if (name := _name(code))})
    of_all, of_called = Counter(map(_package, there)), Counter(map(_package, called))
    terminalreporter.section("functions called")
    for package, number in sorted(of_all.items()):
        terminalreporter.line(f"{of_called[package]:5} of {number:5}  {package}")
    terminalreporter.line(f"{len(called):5} of {len(there):5}  in all; not called:")
    for name in sorted(there - called):
        terminalreporter.line(f"  {name}")


def _package(name: str) -> str:
    return str(Path(name.partition(":")[0]).parent)
