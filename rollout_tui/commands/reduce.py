"""`rollout-tui reduce`: the reduced graph of a bundle as a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import msgspec

from reducer import Problem, Reduction, Refused, open_bundle, reduce_bundle, state_pieces
from rollout_tui.bundles.trace_root import one_bundle
from rollout_tui.bundles.what_is import Kind, what_is
from rollout_tui.commands.output import complain, print_path, report, write_json
from rollout_tui.commands.results import STANDARD_OUTPUT, print_result, write_result
from rollout_tui.outcomes import CLEAN, PROBLEMS, CommandError
from rollout_tui.showing.result import Form, Result

MAX_PROBLEMS = 100
"""Problems listed line by line; a damaged log has as many as it has events. `--json` lists all."""


def reduce_to_file(path: Path, output: str | None, *, strict: bool, as_json: bool) -> int:
    """Reduce a bundle and write its `state.json`.

    Args:
        path: A bundle directory or a file in it, or a session file of codex.
        output: Where to write, `-` for standard output; by default `state.json` in the bundle. A session
            has no default.
        strict: Refuse at the first problem instead of listing problems.
        as_json: Say what came of it as one JSON object instead of lines.

    Returns:
        The exit status.

    Raises:
        BundleError: There is no bundle, or its log cannot be read.
        CommandError: The result could not be written.
    """
    if what_is(path).kind is Kind.SESSION_FILE:
        return _reduce_session(path, output, strict=strict, as_json=as_json)
    bundle = open_bundle(one_bundle(path))
    try:
        reduction = reduce_bundle(bundle, strict=strict)
    except Refused as refused:
        _say_refused(refused.problem, output, as_json)
        return PROBLEMS
    return _say_written(_write(reduction, output), output, reduction.problems, as_json=as_json)


def _reduce_session(path: Path, output: str | None, *, strict: bool, as_json: bool) -> int:
    """Likewise for a session: there is no bundle to write into, and no reference that refuses one."""
    from rollout_tui.commands.sessions import open_session, write_session

    if output is None or strict:
        missing = "--strict is for bundles" if strict else "-o FILE says where its graph is to be written"
        raise CommandError(f"{path}: a session file of codex; {missing}")
    session = open_session(path)
    return _say_written(write_session(session, output), output, session.problems, as_json=as_json)


def _say_written(written: Path | None, output: str | None, problems: list[Problem], *, as_json: bool) -> int:
    if as_json:
        _say_json(output, path=written, refused=False, problems=problems)
    else:
        if written is not None:
            print_path(str(written))
        list_problems(problems)
    return PROBLEMS if problems else CLEAN


def _write(reduction: Reduction, output: str | None) -> Path | None:
    """Write the graph; where it was written, None for standard output."""
    result = Result(state_pieces(reduction.trace), Form.JSON)
    if output in STANDARD_OUTPUT:
        print_result(result)
        return None
    recording = reduction.recording
    target = recording.state_path if output is None else Path(output)
    if target is None:
        raise CommandError(f"{recording.path}: -o FILE says where its graph is to be written")
    write_result(result, target, recording, is_typed=output is not None)
    return target


def list_problems(problems: list[Problem]) -> None:
    """Say what is wrong on standard error, a line each, but not without end."""
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
