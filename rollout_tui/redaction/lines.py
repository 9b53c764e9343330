"""Placeholders for texts, line by line: what codex says around them stays, secrets are told from the rest."""

from __future__ import annotations

from rollout_tui.redaction.codex_words import KEPT_LINE, MARKS, PUNCTUATION
from rollout_tui.redaction.placeholders import Placeholders
from rollout_tui.redaction.secrets import secrets_in

_BLANKS = " \t\r"


class Lines:
    """Replaces texts line by line."""

    def __init__(self, placeholders: Placeholders) -> None:
        """Nothing was replaced yet.

        Args:
            placeholders: of the recording.
        """
        self._placeholders = placeholders

    def replaced(self, text: str) -> tuple[str, bool]:
        """What stands for a text, and whether there was a secret in it."""
        pieces, start = [], 0
        for secret in secrets_in(text):
            pieces.append(self._plain(text[start : secret.start]))
            pieces.append(self._placeholders.secret(text[secret.start : secret.end], secret.form))
            start = secret.end
        pieces.append(self._plain(text[start:]))
        return "".join(pieces), start > 0

    def _plain(self, text: str) -> str:
        return "\n".join(map(self._line, text.split("\n"))) if text else ""

    def _line(self, line: str) -> str:
        if not line or KEPT_LINE.fullmatch(line.strip(_BLANKS)) is not None:
            return line
        if MARKS.search(line) is None:
            return self._piece(line)
        return "".join(one if place % 2 else self._piece(one) for place, one in enumerate(MARKS.split(line)))

    def _piece(self, piece: str) -> str:
        """A stretch of a line: the blanks around it and the brackets of code stay."""
        core = piece.strip(_BLANKS)
        if not core or PUNCTUATION.fullmatch(core) is not None:
            return piece
        start = piece.index(core)
        return piece[:start] + self._placeholders.text(core) + piece[start + len(core) :]
