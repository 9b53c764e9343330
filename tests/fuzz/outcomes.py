"""What comes of one bundle: the reference beside the reducer."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from reducer import BundleError, Refused, reduce_bundle, state_json
from tests.fuzz.sample import Sample

TIMEOUT_SECONDS = 20
_ERROR = re.compile(r"^Error: (.*)$", re.MULTILINE)
_PARSER_WORDS = re.compile(
    "missing field|unknown variant|unknown field|duplicate field|expected|trailing|EOF while|recursion limit"
    "|invalid (type|value|length|number|unicode|escape|character)"
    "|control character|lone leading|key must be|number out of range"
)
"""How the bare words of the reference's parser begin; ours need not be known then."""

EQUAL = "equal"
REFUSED = "refused alike"
UNWORDED = "refused, in words of its parser that are not known here"
OF_SEVERAL = "refused at the end, for another one of several faulty payloads of a shard"
CRASHED = "the reference crashes"


@dataclass(frozen=True)
class Outcome:
    """How a bundle went.

    Attributes:
        kind: one of the above, or what is different.
        theirs: what the reference says when it refuses.
        ours: what we say.
    """

    kind: str
    theirs: str | None = None
    ours: str | None = None

    @property
    def is_different(self) -> bool:
        """Whether something is to be mended."""
        return self.kind not in (EQUAL, REFUSED, UNWORDED, OF_SEVERAL, CRASHED)

    @property
    def sort(self) -> str:
        """The same for outcomes that are likely to have one reason: without ids and numbers."""
        said = re.sub(r"/\S*/", "", f"{self.kind} | reference: {self.theirs} | here: {self.ours}")
        return re.sub(r"[\w:-]*\d[\w:-]*", "#", said)[:240]


def run_sample(sample: Sample, codex: Path) -> Outcome:
    """Write a bundle somewhere and let both reduce it."""
    with TemporaryDirectory(prefix="rollout-tui-fuzz-") as directory:
        work = Path(directory)
        sample.write(work / "bundle")
        return outcome(work / "bundle", codex, work)


def outcome(bundle: Path, codex: Path, work: Path) -> Outcome:
    """Let both reduce a bundle and compare.

    Args:
        bundle: the bundle directory.
        codex: the program of the reference.
        work: an empty directory for what it writes.
    """
    accepted, said, state = _reference(bundle, codex, work)
    if not accepted and said is None:
        return Outcome(CRASHED)
    try:
        strict = state_json(reduce_bundle(bundle, strict=True).trace)
    except BundleError as error:
        return _compare_refusals(accepted, said, error.reference_says, str(error))
    except Refused as refused:
        found = _compare_refusals(accepted, said, refused.problem.reference_says, str(refused))
        if found.is_different and refused.problem.line is None and said in _said_at_end(bundle):
            return Outcome(OF_SEVERAL)
        return found if found.is_different else _with_lenient(bundle, found, None)
    except Exception as error:  # what is looked for
        return Outcome("strict reduction raises", said, repr(error))
    if not accepted:
        return Outcome("reduced what the reference refuses", said)
    if strict != state:
        return Outcome("other bytes")
    return _with_lenient(bundle, Outcome(EQUAL), strict)


def _reference(bundle: Path, codex: Path, work: Path) -> tuple[bool, str | None, bytes]:
    """Whether the reference reduces a bundle, what it says if not, and the bytes."""
    home, state = work / "home", work / "state.json"
    home.mkdir()
    try:
        finished = subprocess.run(
            [codex, "debug", "trace-reduce", bundle, "-o", state],
            env={"HOME": str(home), "CODEX_HOME": str(home), "PATH": os.environ["PATH"]},
            capture_output=True,
            timeout=TIMEOUT_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return False, None, b""
    if finished.returncode == 0:
        return True, None, state.read_bytes()
    found = _ERROR.search(finished.stderr.decode(errors="replace"))
    is_crash = finished.returncode != 1 or found is None
    return False, None if is_crash or found is None else found[1], b""


def _compare_refusals(accepted: bool, theirs: str | None, ours: str | None, reason: str) -> Outcome:
    if accepted:
        return Outcome("refused what the reference reduces", None, reason)
    first = None if ours is None else ours.split("\n")[0]
    if first == theirs:
        return Outcome(REFUSED, theirs)
    if first is None and _PARSER_WORDS.match(theirs or ""):
        return Outcome(UNWORDED, theirs, reason)
    return Outcome("refused with other words", theirs, ours or f"(unknown) {reason}")


def _said_at_end(bundle: Path) -> list[str | None]:
    """What the reference may say at the end: of many payloads, it does not look at them in order of ids."""
    problems = reduce_bundle(bundle).problems
    return [problem.reference_says for problem in problems if problem.line is None]


def _with_lenient(bundle: Path, found: Outcome, strict: bytes | None) -> Outcome:
    """The same, unless lenient reduction does not do what it promises."""
    try:
        lenient = reduce_bundle(bundle)
        state = state_json(lenient.trace)
    except Exception as error:  # what is looked for
        return Outcome("lenient reduction raises", found.theirs, repr(error))
    if strict is None:
        return found if lenient.problems else Outcome("lenient reduction has no problem", found.theirs)
    # Of schema 1, lenient reduction remarks on more than the reference looks at.
    remarks = lenient.trace.schema_version == 1
    problems = [one for one in lenient.problems if one.reference_says is not None or not remarks]
    if problems:
        return Outcome("lenient reduction has a problem", None, problems[0].reason)
    return found if state == strict else Outcome("lenient reduction gives other bytes")
