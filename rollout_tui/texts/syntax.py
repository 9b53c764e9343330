"""In what languages texts are written that are shown."""

from __future__ import annotations

from typing import Literal

Language = Literal["text", "javascript", "bash", "diff", "json"]
