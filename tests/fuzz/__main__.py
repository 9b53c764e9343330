"""The command; see the docstring of the package."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.fuzz.cases import Origins
from tests.fuzz.outcomes import EQUAL, Outcome, run_sample
from tests.fuzz.shrink import shrink
from tests.places import SHARED

_AT_ONCE = 2
_SHOWN = 5


def main() -> int:
    """Run the cases, print what came of them; the status is 1 if something is different."""
    options = _options()
    origins = Origins(options.shared, options.schema)
    numbers = range(options.first, options.first + options.cases)

    def run(number: int) -> tuple[int, str, list[str], Outcome]:
        path, sample = origins.case(options.seed, number)
        return number, path.parent.name, sample.done, run_sample(sample, options.codex)

    counts: Counter[str] = Counter()
    different: dict[str, list[int]] = {}
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        for number, name, done, found in threads.map(run, numbers):
            counts[found.kind] += 1
            if found.is_different:
                different.setdefault(found.sort, []).append(number)
                if len(different[found.sort]) <= _SHOWN:
                    print(f"case {number} of {name} after {', '.join(done)}: {found}", flush=True)
            elif options.unknown_words and found.ours is not None:
                print(f"case {number}: {found.theirs} | {found.ours}")
    print("".join(_summary(counts, different)), end="")
    if options.keep is not None:
        for sort, cases in different.items():
            keep(origins, options, cases[0], sort)
    return 1 if different else 0


def keep(origins: Origins, options: argparse.Namespace, number: int, sort: str) -> None:
    """Write a case, made as small as it gets."""
    path, sample = origins.case(options.seed, number)
    small = shrink(sample, lambda one: run_sample(one, options.codex).sort == sort)
    target = options.keep / f"{options.seed}-{number}"
    small.write(target / "bundle")
    about = {"origin": path.parent.name, "changes": sample.done, "outcome": sort}
    (target / "about.json").write_text(json.dumps(about, indent=1) + "\n")


def _summary(counts: Counter[str], different: dict[str, list[int]]) -> Iterator[str]:
    total = sum(counts.values())
    for kind, count in counts.most_common():
        yield f"{count:6} {kind}\n"
    yield f"{total:6} cases, {counts[EQUAL] / max(total, 1):.0%} of them reduced by the reference\n"
    for sort, cases in sorted(different.items(), key=lambda one: -len(one[1])):
        yield f"{len(cases):4} times, such as case {cases[0]}: {sort}\n"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--schema", type=int, choices=(1, 2, 3), default=3)
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--codex", type=Path, required=True, help="the reference for the schema")
    parser.add_argument("--shared", type=Path, default=SHARED, help="where recordings and vectors are")
    parser.add_argument("--keep", type=Path, help="write one small case of each difference here")
    parser.add_argument(
        "--unknown-words", action="store_true", help="show refusals whose words are not known"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
