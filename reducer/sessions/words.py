"""Words that stand in very many places, by numbers."""

from __future__ import annotations


class Words:
    """Gives each word a number, and one to that there is none."""

    def __init__(self) -> None:
        self._numbers: dict[str | None, int] = {}
        self._words: list[str | None] = []

    def number(self, word: str | None) -> int:
        """The number of a word."""
        known = self._numbers.setdefault(word, len(self._words))
        if known == len(self._words):
            self._words.append(word)
        return known

    def word(self, number: int) -> str | None:
        """The word with a number."""
        return self._words[number]
