"""What is said of something typed that means nothing."""

from __future__ import annotations


class InputRefused(ValueError):  # noqa: N818 - not a fault of the program
    """What was typed means nothing; the text is one sentence."""
