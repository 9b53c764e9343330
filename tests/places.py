"""Where things are, for tests."""

import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]

PROGRAM = (sys.executable, "-m", "rollout_tui")
"""The program as users start it, but with the code of this checkout."""
