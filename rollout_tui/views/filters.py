"""The language of row filters: `pytest`, `!mcp`, `kind:tool status:failed`, `agent:builder "exit 1"`.

A filter is terms with blanks between them, and a row passes if all of them hold. A term is a text that the
row must contain, whatever the case, or `kind:`, `status:` or `agent:` with a value, or with several and `|`
between them, of which one must hold. `!` before a term turns it round. Quotes keep blanks in a text, and keep
`!` and `:` from meaning anything: `"!"`, `"kind:x"`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from difflib import get_close_matches
from typing import TypeVar

from msgspec import Struct

from reducer import ObjectRef
from reducer.model import ExecutionWindow
from reducer.model.objects import GraphType, is_graph_type, objects_of
from reducer.wire.events import WaitAgent
from rollout_tui.insight.failures.definition import failure_of
from rollout_tui.insight.timeline.entries import Entry
from rollout_tui.insight.timeline.trees import Tree, tree_of_depths
from rollout_tui.language.refused import InputRefused
from rollout_tui.lines.spans import spans_text
from rollout_tui.safe_text import SafeText, safe_text
from rollout_tui.views.entry_rows import Entries, EntryRows
from rollout_tui.views.tree_rows import TreeNode

KINDS = (
    "turn", "call", "tool", "command", "stdin", "patch", "mcp", "web", "image", "other", "exec", "nested",
    "wait", "spawn", "task", "message", "close", "closed", "result", "agent", "incoming", "request",
    "compact", "rewrite", "event", "error", "warning", "aborted", "back", "problem",
)  # fmt: skip
"""The values of `kind:`: the words that rows of the timeline begin with, and six that stand for several of
them: `tool`, `agent`, `incoming`, `event`, `nested` for what a code cell ran, `other` for tools of no kind of
their own."""

STATUSES = ("running", "completed", "failed", "cancelled", "aborted")
"""The values of `status:`. `failed` is true of every failure; `cancelled` of what was aborted, too."""

Asked = Mapping[str, tuple[str, ...]]
"""What can be asked of the rows of one list: keys, and the values of each; none where any text is one."""

OF_TIMELINE: Asked = {"kind": KINDS, "status": STATUSES, "agent": ()}
"""What can be asked of a row of the timeline."""

_TERM = re.compile(r'(?P<not>!*)(?:(?P<key>\w+):)?(?P<value>(?:[^\s"]|"[^"]*")*)')
_QUOTED_WHOLE = re.compile(r'!*"')
_THAT_RUN: frozenset[GraphType] = frozenset({"Turn", "InferenceCall", "CodeCell", "CompactionRequest"})
_AGENT_TYPES = frozenset({"spawn", "task", "message", "close"})


class RowFacts(Struct, frozen=True):
    """What a filter can ask of a row.

    Attributes:
        text: what the row says.
        kinds: the words for its kind, from `KINDS`.
        statuses: the states that are true of it, from `STATUSES`; empty for what has none.
        agent: the path of its agent, such as `/root/builder`.
    """

    text: str
    kinds: frozenset[str] = frozenset()
    statuses: frozenset[str] = frozenset()
    agent: str = ""


class Term(Struct, frozen=True):
    """One condition.

    Attributes:
        key: what is asked: `kind`, `status`, `agent`, or empty for the text.
        values: in lower case; one of them must hold.
        negated: whether none of them may hold.
    """

    key: str
    values: tuple[str, ...]
    negated: bool = False

    def holds(self, facts: RowFacts) -> bool:
        """Whether the condition is true of a row."""
        return any(self._is(value, facts) for value in self.values) != self.negated

    def _is(self, value: str, facts: RowFacts) -> bool:
        if self.key == "kind":
            return value in facts.kinds
        if self.key == "status":
            return value in facts.statuses
        if self.key == "agent":
            path = facts.agent.lower()
            return value in (path if "/" in value else path.rpartition("/")[2])
        return value in facts.text.lower()


class Filter(Struct, frozen=True):
    """Terms that must all hold.

    Attributes:
        text: as it was typed.
        terms: the conditions; without any, every row passes.
    """

    text: str = ""
    terms: tuple[Term, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.terms)

    def matches(self, facts: RowFacts) -> bool:
        """Whether a row passes."""
        return all(term.holds(facts) for term in self.terms)

    def describe(self, shown: int, total: int) -> SafeText:
        """The filter for a heading: `3 of 120  &pytest`; empty without one."""
        return safe_text(f"{shown} of {total}  &{self.text}" if self else "")


def parse_filter(text: str, asked: Asked = OF_TIMELINE) -> Filter:
    """Read a filter; an empty one lets every row pass.

    Args:
        text: as it was typed.
        asked: what can be asked of the rows.

    Raises:
        InputRefused: a quote is not closed, a term is empty, or a key or value is none of those there are.
    """
    if text.count('"') % 2:
        raise InputRefused("A quote is not closed.")
    terms: list[Term] = []
    position = 0
    while position < len(text):
        if text[position].isspace():
            position += 1
            continue
        found = _TERM.match(text, position)
        assert found is not None  # it matches the empty text
        terms.append(_term(found, asked))
        position = found.end()
    return Filter(text.strip(), tuple(terms))


def _term(found: re.Match[str], asked: Asked) -> Term:
    """One term; a word with a colon is a text unless it could be meant as a key."""
    key, value = found["key"], found["value"]
    negated = len(found["not"]) % 2 == 1
    if key is not None and key.lower() in asked:
        return Term(key.lower(), _values(key.lower(), value, asked), negated)
    if key is not None:
        meant = get_close_matches(key.lower(), asked, 1, 0.8)
        if meant:
            raise InputRefused(
                f'There is no {key}:, but {meant[0]}:. For the text, write "{key}:{_bare(value)}".'
            )
        value = f"{key}:{value}"
    words = _bare(value).lower()
    if not words:
        raise InputRefused("There is nothing after !, or between the quotes.")
    return Term("", (words,), negated)


def _values(key: str, value: str, asked: Asked) -> tuple[str, ...]:
    """The values of a key, each checked to be one."""
    values = tuple(filter(None, _bare(value).lower().split("|")))
    allowed = asked[key]
    if not values:
        example = allowed[2] if allowed else "root"
        raise InputRefused(f"After {key}: there must be a value, as in {key}:{example}.")
    for one in values:
        if allowed and one not in allowed:
            meant = get_close_matches(one, allowed, 1, 0.6)
            hint = f"; did you mean {meant[0]}?" if meant else f": there are {', '.join(allowed)}."
            raise InputRefused(f"{one} is no {key}{hint}")
    return values


def _bare(value: str) -> str:
    return value.replace('"', "")


def completions(text: str, agents: Sequence[str] = (), asked: Asked = OF_TIMELINE) -> list[str]:
    """What the last term of an unfinished filter could become, as whole filters.

    Args:
        text: what was typed so far.
        agents: names of the agents there are.
        asked: what can be asked of the rows.
    """
    head, last = re.fullmatch(r"(.*?)([^\s]*)", text, re.DOTALL).groups()  # type: ignore[union-attr]
    sign = "!" if last.startswith("!") else ""
    key, colon, value = last.removeprefix("!").partition(":")
    if not colon:
        return [f"{head}{sign}{one}:" for one in asked if key and one.startswith(key)]
    known = tuple(agents) if key == "agent" else asked.get(key, ())
    return [f"{head}{sign}{key}:{one}" for one in known if one.startswith(value) and one != value]


# Rows of the timeline


class EntryFacts:
    """Says of entries of the timeline what a filter can ask."""

    def __init__(self, entries: Entries) -> None:
        self._index = entries.index
        self._words = EntryRows(entries, with_thread=False)

    def of(self, entry: Entry) -> RowFacts:
        """The facts of an entry; its text is the row as the timeline shows it, states and times included."""
        row = self._words.row(TreeNode(entry, 0))
        label = row.spans[1].text.split()[0]
        text = spans_text(row.spans) + " " + " ".join(piece.text for piece in row.tail)
        agent = self._index.thread_path(entry.thread_id)
        return RowFacts(text, self._kinds(entry.ref, label), self._statuses(entry), agent)

    def _kinds(self, ref: ObjectRef, label: str) -> frozenset[str]:
        kinds = {label}
        if ref.type == "ToolCall":
            call = self._index.trace.tool_calls[ref.id]
            kinds.add("tool")
            if label in _AGENT_TYPES or isinstance(call.kind, WaitAgent):
                kinds.add("agent")
            if self._index.cell_around(call) is not None:
                kinds.add("nested")
            if label == "tool":
                kinds.add("other")
        elif ref.type == "InteractionEdge" or ref.type == "ConversationItem":
            kinds |= {"incoming", "agent"}
        elif ref.type == "Event":
            kinds.add("agent" if self._index.is_report(int(ref.id)) else "event")
        return frozenset(kinds)

    def _statuses(self, entry: Entry) -> frozenset[str]:
        window = self._window(entry.ref)
        # A command that failed may be completed as well: the tool did its work.
        statuses: set[str] = set() if window is None else {window.status}
        failure = failure_of(self._index, entry.ref)
        if failure is not None:
            statuses.add("failed")
        if "aborted" in statuses or (failure is not None and failure.verdict == "aborted"):
            statuses |= {"aborted", "cancelled"}
        return frozenset(statuses)

    def _window(self, ref: ObjectRef) -> ExecutionWindow | None:
        """When an object ran; an `exec` call runs as long as its cell."""
        trace = self._index.trace
        if ref.type == "ToolCall":
            call = trace.tool_calls[ref.id]
            return (self._index.cell_of_call(call) or call).execution
        known = objects_of(trace, ref.type) if is_graph_type(ref.type) and ref.type in _THAT_RUN else {}
        window: ExecutionWindow | None = known[ref.id].execution if ref.id in known else None
        return window


T = TypeVar("T")


def kept_of(tree: Tree[T], key: Callable[[T], Hashable], keep: Callable[[T], bool]) -> Tree[T]:
    """The values of a tree that pass, each under the nearest one above it that passes as well.

    Args:
        tree: the tree.
        key: identifies a value.
        keep: whether a value passes.
    """
    kept: list[tuple[T, int]] = []
    above: list[int] = []  # how deep the kept ancestors stand in the whole tree
    for place, value in enumerate(tree.values):
        depth = tree.depth(place)
        while above and above[-1] >= depth:
            above.pop()
        if keep(value):
            kept.append((value, len(above)))
            above.append(depth)
    return tree_of_depths(kept, key)
