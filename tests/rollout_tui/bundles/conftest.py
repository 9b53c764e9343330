"""What commands say of bundles is asked for in this process: to start one takes longer than to answer."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import pytest


@pytest.fixture(name="run_program")
def _run_program(
    call_program: Callable[..., subprocess.CompletedProcess[bytes]],
) -> Callable[..., subprocess.CompletedProcess[bytes]]:
    return call_program
