"""The program called instead of started: what a command says, without another process for each time."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

import pytest

from rollout_tui import glyphs
from rollout_tui.cli import main
from rollout_tui.outcomes import INTERRUPTED


def call(
    arguments: Sequence[str | bytes | Path], directory: Path, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[bytes]:
    """Call the program in this process, as if it were started.

    Args:
        arguments: its arguments.
        directory: where it runs.
        environment: variables beside those of the test.

    Returns:
        The exit status and what it said.
    """
    words = [os.fsdecode(argument) for argument in arguments]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors, open(os.devnull) as nothing:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(glyphs, "_active", glyphs._active)
            patch.chdir(directory)
            for name, value in environment.items():
                patch.setenv(name, value)
            patch.setattr(sys, "stdin", nothing)
            patch.setattr(sys, "stdout", _stream(out, "surrogateescape"))
            patch.setattr(sys, "stderr", _stream(errors, "backslashreplace"))
            status = main(words)
            if status == INTERRUPTED:
                raise KeyboardInterrupt  # it was meant for the tests
            sys.stdout.flush()
            sys.stderr.flush()
            sys.stdout.detach()
            sys.stderr.detach()
        return subprocess.CompletedProcess(words, status, _content(out), _content(errors))


def _stream(file: BinaryIO, errors: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(file, "utf-8", errors, newline="\n")


def _content(file: BinaryIO) -> bytes:
    file.seek(0)
    return file.read()
