"""What a run of Python imports."""

from __future__ import annotations

import subprocess
import sys


def modules_after(*arguments: str) -> set[str]:
    """Top-level modules that a run of Python with `-X importtime` imported."""
    return {name.partition(".")[0] for name in whole_names_after(*arguments)}


def whole_names_after(*arguments: str) -> set[str]:
    """The modules that a run of Python with `-X importtime` imported, by their whole names."""
    finished = subprocess.run(
        [sys.executable, "-X", "importtime", *arguments], capture_output=True, text=True, timeout=60
    )
    lines = [line for line in finished.stderr.splitlines() if line.startswith("import time:")]
    assert lines, finished.stderr
    return {line.rpartition("|")[2].strip() for line in lines}
