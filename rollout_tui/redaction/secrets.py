"""Finds what must not even be told the length of: keys, tokens and passwords, by their forms and by chance.

Everything around them is replaced as well; what is found here is counted by itself, and gets a placeholder
that says nothing of how long it was.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

_FORMS = {
    "private key": r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
    r"(?:.*?-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|.*)",
    "authorization header": r"(?i:(?:proxy-)?authorization\W{1,4}(?:bearer|basic|token|digest)?\s{0,3})"
    r"[^\s\"',]+",
    "bearer token": r"(?i:\bbearer\s{1,3})[A-Za-z0-9._~+/=-]{6,}",
    "JSON web token": r"\beyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{6,}(?:\.[A-Za-z0-9_-]*)?"
    r"|\beyJ[A-Za-z0-9_-]{60,}",
    "OpenAI key": r"\bsk-[A-Za-z0-9_-]{8,}",
    "GitHub token": r"\bgh[pousr]_[A-Za-z0-9]{16,}|\bgithub_pat_\w{16,}",
    "GitLab token": r"\bgl(?:pat|ptt|dt|rt)-[A-Za-z0-9_-]{10,}",
    "AWS key": r"\b(?:AKIA|ASIA|ABIA|ACCA|AROA|AIDA)[A-Z0-9]{12,}",
    "Google key": r"\bAIza[\w-]{30,}|\bya29\.[\w-]{10,}",
    "Slack token": r"\bxox[a-z]-[A-Za-z0-9-]{8,}|https://hooks\.slack\.com/\S+",
    "other token": r"\b(?:[sr]k_(?:live|test)_\w{8,}|npm_\w{20,}|hf_\w{20,}|pypi-[\w-]{20,}|dop_v1_\w{20,}"
    r"|SG\.[\w-]{10,}\.[\w-]{10,})",
    "password in an address": r"\b[a-zA-Z][a-zA-Z0-9+.-]{0,20}://[^\s/@\"']{1,200}@",
    "assigned secret": r"(?i:(?:passw(?:or)?d|passphrase|secret|token|api[_-]?key|access[_-]?key"
    r"|private[_-]?key|credential|cookie)[\w-]{0,20}[\"']?\s{0,3}[:=]\s{0,3})[\"']?[^\s\"',;]{4,}",
}
_NAMES = {f"f{place}": name for place, name in enumerate(_FORMS)}
_PATTERN = re.compile(
    "|".join(f"(?P<f{place}>{form})" for place, form in enumerate(_FORMS.values())), re.DOTALL
)

BY_CHANCE = "random letters"
"""What a secret is called that is told by its letters alone."""

_RUN = re.compile(r"[A-Za-z0-9+/_=-]{20,}")
LONGEST = 256
"""Letters up to which a run of them may be a secret: a longer one is a file."""
_FILE = re.compile(rf"[A-Za-z0-9+/_=-]{{{LONGEST + 1},}}")
_HEAD = 80
"""Letters of such a run in which a form is looked for."""
_GOES_ON = re.compile(r"[A-Za-z0-9+/_=.~-]*")
_LEAST_BITS = 3.6
"""Bits for each letter that text does not have: words and paths have less, random letters more."""
_WORDS = re.compile(r"[A-Za-z0-9]+")
_LETTERS_BETWEEN_SLASHES = 16
"""Letters of base64 among which there is hardly more than one slash; in paths there are more."""


class Secret(NamedTuple):
    """A stretch of a text.

    Attributes:
        start: where it begins.
        end: where it ends.
        form: what it was told by.
    """

    start: int
    end: int
    form: str


def secrets_in(text: str) -> Iterator[Secret]:
    """The secrets of a text in order; none overlaps another."""
    end = 0
    for found in sorted((*_by_form(text), *_by_chance(text))):
        if found.start >= end:
            yield found
            end = found.end
        elif found.end > end:
            yield Secret(end, found.end, found.form)
            end = found.end


def _by_form(text: str) -> Iterator[Secret]:
    """What has the form of a secret; of a file in letters of base64, only the beginning is looked at."""
    start = 0
    while start < len(text):
        file = _FILE.search(text, start)
        end = len(text) if file is None else file.start() + _HEAD
        for found in _PATTERN.finditer(text, start, end):
            goes_on = _GOES_ON.match(text, end) if found.end() == end else None
            stop = found.end() if goes_on is None else goes_on.end()
            yield Secret(found.start(), stop, _NAMES[found.lastgroup or ""])
        start = len(text) if file is None else file.end()


def _by_chance(text: str) -> Iterator[Secret]:
    for found in _RUN.finditer(text):
        if found.end() - found.start() <= LONGEST and looks_random(found[0]):
            yield Secret(found.start(), found.end(), BY_CHANCE)


def looks_random(run: str) -> bool:
    """Whether letters are mixed as no word or path mixes them."""
    if all(part.isalpha() or part.isdigit() for part in _WORDS.findall(run)):
        return False
    if run.count("/") * _LETTERS_BETWEEN_SLASHES > len(run):
        return False
    counts = Counter(run).values()
    bits = -sum(count / len(run) * math.log2(count / len(run)) for count in counts)
    return bits >= _LEAST_BITS
