"""Benchmarks; see the README beside this file."""

import sys
from pathlib import Path

# As for the tests: their terminal, and what it needs, is found by its bare name.
TESTS = Path(__file__).parents[1]
sys.path += [str(TESTS), str(TESTS / "end_to_end")]
