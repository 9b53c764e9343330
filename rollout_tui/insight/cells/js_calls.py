"""Where in the JavaScript of a code cell a nested tool call was written: told only when it is certain.

A script calls tools as `tools.NAME(...)`. The log has the calls, not their places, so a place is told by
reasoning about the text alone, and only from what holds for every run of it:

- a tool with one call site: all its calls come from there;
- as many calls as sites, none of them in a loop or a function: each site made exactly one, in order;
- a script without loops, functions and branches: its first calls come from its first sites.

A call is made when its arguments are known, so sites stand in the order of their closing parentheses. Where
the text is beyond this module (another use of `tools`, `eval`, text that does not tokenise), nothing is told.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

from msgspec import Struct

from rollout_tui.insight.cells.js_regions import regions
from rollout_tui.insight.cells.js_tokens import Unclear, brackets, is_member, tokens

_BACK_DOORS = frozenset({"globalThis", "global", "window", "self", "eval", "Function", "import", "with"})
"""Names through which a script could reach `tools` without spelling it."""
_FRAME = re.compile(r"exec_main\.mjs:(\d{1,9}):(\d{1,9})")


class CallSite(Struct, frozen=True):
    """One `tools.NAME(...)` in a script.

    Attributes:
        name: the tool as the script spells it.
        start: where `tools` begins, as an offset in the script.
        end: where the name ends.
        closed: where its closing parenthesis stands.
        repeats: whether it stands in a loop or a function, and so may be run any number of times.
        conditional: whether it may be passed over.
    """

    name: str
    start: int
    end: int
    closed: int
    repeats: bool = False
    conditional: bool = False


class IssuedCall(Struct, frozen=True):
    """A nested tool call as the log has it.

    Attributes:
        names: how a script may spell the tool.
        number: which call of its cell it is, from 1, as the runtime counted; None where it did not tell.
        began: sequence number of its start.
        returned: sequence number of its end, if it ended.
    """

    names: frozenset[str]
    number: int | None
    began: int
    returned: int | None


def match_calls(source: str, calls: Sequence[IssuedCall]) -> list[CallSite | str]:
    """The call site of each call, or in words why it is not known.

    Args:
        source: the script.
        calls: all nested calls of its cell.

    Returns:
        One entry per call, in the order given.
    """
    try:
        sites = call_sites(source)
    except Unclear as doubt:
        return [str(doubt)] * len(calls)
    own_sites: dict[str, list[CallSite]] = defaultdict(list)
    for site in sites:
        own_sites[site.name].append(site)
    found: list[CallSite | str] = []
    by_name: dict[str, list[int]] = defaultdict(list)
    for place, call in enumerate(calls):
        names = [name for name in call.names if name in own_sites]
        if len(names) == 1:
            by_name[names[0]].append(place)
        found.append(
            "the script does not spell this call out" if not names else "several tools fit this call"
        )
    for name, places in by_name.items():
        own = own_sites[name]
        for place, known in zip(places, _assign(own, [calls[place] for place in places]), strict=True):
            found[place] = known or f"called from {len(own)} places"
    for place, site in _assign_from_the_top(sites, calls).items():
        found[place] = site
    return found


def uncalled_sites(
    source: str, calls: Sequence[IssuedCall], matches: Sequence[CallSite | str]
) -> list[CallSite]:
    """The call sites of a script from which no logged call came, as far as that is certain.

    Args:
        source: the script.
        calls: all nested calls of its cell.
        matches: what `match_calls` says about them.
    """
    try:
        sites = call_sites(source)
    except Unclear:
        return []
    if all(isinstance(match, CallSite) for match in matches):
        return [site for site in sites if site not in matches]
    called = set().union(*(call.names for call in calls))
    return [site for site in sites if site.name not in called]


def call_sites(source: str) -> list[CallSite]:
    """Every place of a script that calls a tool, in the order in which straight code runs them.

    Raises:
        Unclear: the script is beyond what can be told from its text.
    """
    code = tokens(source)
    closers = brackets(code)
    repeats, conditional = regions(code, closers)
    sites = []
    for place, token in enumerate(code):
        if not token.is_word or is_member(code, place):
            continue
        if token.text in _BACK_DOORS:
            raise Unclear(f"the script uses {token.text}")
        if token.text == "tools":
            following = [one.text for one in code[place + 1 : place + 4]]
            if len(following) < 3 or following[0] != "." or following[2] != "(":
                raise Unclear("the script does more with tools than call them")
            name, closer = code[place + 2], closers[place + 3]
            closed = code[closer].start
            sites.append(
                CallSite(name.text, token.start, name.end, closed, repeats[place] > 0, conditional[place] > 0)
            )
    return sorted(sites, key=lambda site: site.closed)


def thrown_at(source: str, error_text: str) -> int | None:
    """The offset in a script at which an error says that it was thrown: its innermost frame in the script."""
    frame = _FRAME.search(error_text)
    if frame is None:
        return None
    line, column = int(frame[1]) - 1, int(frame[2]) - 1
    lines = source.split("\n")
    if not 0 <= line < len(lines):
        return None
    start = sum(len(one) + 1 for one in lines[:line])
    return start + (column if 0 <= column < len(lines[line]) else 0)


def _assign(sites: Sequence[CallSite], calls: Sequence[IssuedCall]) -> list[CallSite] | list[None]:
    """The sites of the calls of one tool, if they can be told."""
    if len(sites) == 1:
        return [sites[0]] * len(calls)
    order = _order(calls)
    if order is None or len(sites) != len(calls) or any(site.repeats for site in sites):
        return [None] * len(calls)
    by_call = dict(zip(order, sites, strict=True))
    return [by_call[place] for place in range(len(calls))]


def _order(calls: Sequence[IssuedCall]) -> list[int] | None:
    """The calls in the order in which the script made them; None where that is not certain."""
    numbers = {call.number for call in calls}
    if None not in numbers and len(numbers) == len(calls):
        return sorted(range(len(calls)), key=lambda place: calls[place].number or 0)
    order = sorted(range(len(calls)), key=lambda place: calls[place].began)
    for one, other in pairwise(order):
        returned = calls[one].returned
        if returned is None or returned > calls[other].began:
            # Calls that overlap may be logged in another order than they were made in.
            return None
    return order


def _assign_from_the_top(sites: Sequence[CallSite], calls: Sequence[IssuedCall]) -> dict[int, CallSite]:
    """The sites of all calls of a straight script, of which perhaps only the beginning was run."""
    if len(calls) > len(sites) or any(site.repeats or site.conditional for site in sites):
        return {}
    order = sorted(range(len(calls)), key=lambda place: calls[place].number or 0)
    if [calls[place].number for place in order] != list(range(1, len(calls) + 1)):
        return {}
    pairs = dict(zip(order, sites, strict=False))
    return pairs if all(site.name in calls[place].names for place, site in pairs.items()) else {}
