"""Numbered placeholders: the same for the same text, and never the same for two."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

FILLER = "."
"""What a placeholder is filled up with to the length of what it stands for."""

PLACEHOLDER = re.compile(
    r"text-\d+\.*|t\d+|blob-\d+-*|secret-\d+|key-\d+|model-\d+|name_\d+|part_\d+|agent_\d+"
)
"""All placeholders but those of ids."""


class Numbers:
    """Numbers texts of one sort, each from its first appearance on."""

    def __init__(self) -> None:
        """Nothing has a number yet."""
        self.known: dict[str, int] = {}

    def of(self, text: str) -> int:
        """The number of a text, from 1."""
        return self.known.setdefault(text, len(self.known) + 1)


class Placeholders:
    """The placeholders of one recording.

    Attributes:
        texts: stretches of lines, as they were.
        secrets: the secrets, as they were.
        words: names, keys, parts of paths and so on, by the word of their placeholder.
    """

    def __init__(self) -> None:
        """Nothing was replaced yet."""
        self.texts = Numbers()
        self.secrets = Numbers()
        self.words: dict[str, Numbers] = {}
        self._forms: Counter[str] = Counter()

    @property
    def forms(self) -> Counter[str]:
        """How many different secrets there are of each form."""
        return self._forms

    def originals(self) -> Iterator[str]:
        """All that was replaced, as it was."""
        for numbers in (self.texts, self.secrets, *self.words.values()):
            yield from numbers.known

    def text(self, text: str) -> str:
        """For a stretch of a line: as long as it is, unless it is too short for its number."""
        number = self.texts.of(text)
        placeholder = f"text-{number}"
        return placeholder.ljust(len(text), FILLER) if len(placeholder) <= len(text) else f"t{number}"

    def blob(self, text: str) -> str:
        """For letters of base64: of such letters, and as long."""
        return f"blob-{self.texts.of(text)}".ljust(len(text), "-")

    def secret(self, text: str, form: str) -> str:
        """For a secret: nothing tells its length.

        Args:
            text: the secret.
            form: what it was told by.
        """
        before = len(self.secrets.known)
        number = self.secrets.of(text)
        if number > before:
            self._forms[form] += 1
        return f"secret-{number}"

    def word(self, sort: str, text: str) -> str:
        """For a text that must stay in one word.

        Args:
            sort: the placeholder without its number, such as `name_`.
            text: what it stands for.
        """
        return f"{sort}{self.words.setdefault(sort, Numbers()).of(text)}"
