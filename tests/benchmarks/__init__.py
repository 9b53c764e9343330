"""Benchmarks; see the README beside this file."""

import sys
from pathlib import Path

# As for the tests: their terminal is found by its bare name.
sys.path.append(str(Path(__file__).parents[1] / "end_to_end"))
