"""Compares the reducer with the reference on bundles that were changed at random.

    python -m tests.fuzz --schema 3 --cases 5000 --seed 1 --codex PATH/TO/codex [--keep DIR]

The bundles that are changed are the recorded ones and the test vectors. A case is told by seed and number
alone.
"""
