"""`rollout-tui reduce`: the reduced graph of a bundle as a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import msgspec

from reducer import Problem, Reduction, Refused, open_bundle, reduce_bundle, state_pieces
from rollout_tui.commands.output import CLEAN, PROBLEMS, complain, print_path, report, write_json
from rollout_tui.commands.results import STANDARD_OUTPUT, Form, Result, print_result, write_result
from rollout_tui.trace_root import one_bundle

MAX_PROBLEMS = 100
"""Problems listed line by line; a damaged log has as many as it has events. `--json` lists all."""


def reduce_to_file(path: Path, output: str | None, *, strict: bool, as_json: bool) -> int:
    """Reduce a bundle and write its `state.json`.

    Args:
        path: A bundle directory or a file in it.
        output: Where to write, `-` for standard output; by default `state.json` in the bundle.
        strict: Refuse at the first problem instead of listing problems.
        as_json: Say what came of it as one JSON object instead of lines.

    Returns:
        The exit status.

    Raises:
        BundleError: There is no bundle, or its log cannot be read.
        CommandError: The result could not be written.
    """
    bundle = open_bundle(one_bundle(path))
    try:
        reduction = reduce_bundle(bundle, strict=strict)
    except Refused as refused:
        _say_refused(refused.problem, output, as_json)
        return PROBLEMS
    written = _write(reduction, output)
    if as_json:
        _say_json(output, path=written, refused=False, problems=reduction.problems)
    else:
        if written is not None:
            print_path(str(written))
        _list_problems(reduction.problems)
    return PROBLEMS if reduction.problems else CLEAN


def _write(reduction: Reduction, output: str | None) -> Path | None:
    """Write the graph; where it was written, None for standard output."""
    result = Result(state_pieces(reduction.trace), Form.JSON)
    if output in STANDARD_OUTPUT:
        print_result(result)
        return None
    target = reduction.bundle.state_path if output is None else Path(output)
    write_result(result, target, reduction.bundle, is_typed=output is not None)
    return target


def _list_problems(problems: list[Problem]) -> None:
    for problem in problems[:MAX_PROBLEMS]:
        report(_in_one_line(problem))
    if len(problems) > MAX_PROBLEMS:
        report(f"and {len(problems) - MAX_PROBLEMS} more of {len(problems)} problems; --json lists them all")


def _say_refused(problem: Problem, output: str | None, as_json: bool) -> None:
    if as_json:
        _say_json(output, path=None, refused=True, problems=[problem])
        return
    complain(f"refused: {_in_one_line(problem)}")
    complain("nothing was written; without --strict everything sound is reduced")


def _in_one_line(problem: Problem) -> str:
    return f"{problem.where()}: {problem.reason}"


def _say_json(output: str | None, *, path: Path | None, refused: bool, problems: list[Problem]) -> None:
    """One JSON object, on standard error if the graph went to standard output.

    It is ASCII: an escape sequence in an id, or a path that is not UTF-8, comes out escaped.
    """
    said: dict[str, Any] = {
        "path": None if path is None else str(path),
        "refused": refused,
        "problems": [msgspec.structs.asdict(problem) for problem in problems],
    }
    stream = sys.stderr if output in STANDARD_OUTPUT else sys.stdout
    write_json(stream, said)
