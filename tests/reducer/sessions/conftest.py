"""What tests of sessions share."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """What would be the home of codex."""
    directory = tmp_path / "home"
    directory.mkdir()
    return directory
