"""Where things are, for tests."""

import os
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]

SHARED = Path(os.environ.get("ROLLOUT_TUI_SHARED") or REPOSITORY.parent / "shared").resolve()
"""Recorded bundles, vectors, sessions; without links and `..`, as programs say paths that tests compare."""

PROGRAM = (sys.executable, "-m", "rollout_tui")
"""The program as users start it, but with the code of this checkout."""
