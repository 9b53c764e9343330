"""Where the tokens went as rows: by agent, turn, call, tool, item, and what repeats."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from rich.cells import cell_len

from reducer import ObjectRef
from rollout_tui.insight.agents.names import agent_label
from rollout_tui.insight.certainty import marked, rebuilt_figures
from rollout_tui.insight.index import TraceIndex
from rollout_tui.insight.tokens.contexts import CallContext
from rollout_tui.insight.tokens.filling import BEFORE, Filling, GroupFilling
from rollout_tui.insight.tokens.prices import Prices, cost_of
from rollout_tui.insight.tokens.run_tokens import TokensPart
from rollout_tui.insight.tokens.sums import AgentTokens, TokenSum, TurnTokens
from rollout_tui.language.asking import By
from rollout_tui.lines.rows import Row, blank
from rollout_tui.lines.spans import Span, span
from rollout_tui.safe_text import SafeText, clip_start, safe_text
from rollout_tui.texts.short_forms import count, plural
from rollout_tui.views.answer_rows import AnswerRow, AnyRow, Column, LaterRow
from rollout_tui.views.figures import about, context_size, cost_words, figure, share
from rollout_tui.views.naming import named, percent
from rollout_tui.views.token_curve import look
from rollout_tui.views.token_table import MAIN, Cells, Field, Table
from rollout_tui.views.token_words import cause_words, filling_words, group_words, items_words

VIEWS: tuple[By, ...] = ("agent", "turn", "call", "tool", "item", "repeat")
"""What tokens are told by, in the order in which one key goes through it."""

WORDS = 42
"""Cells that it keeps where it is said in words, or by a text."""

WORDS_FROM = 76
"""Cells of a row from which it does: below that one figure is worth more."""

CAUSE = 52
"""Cells that a call keeps for why its cache broke, where there is room."""

CALL = 12
"""Cells of its number and its marks."""

BAR_FROM, BAR_LEAST, BAR_MOST = 150, 10, 40
"""Cells of a row behind which those of a bar begin, and how many of these there are."""

BROAD = 100
"""Cells of a row from which names of agents have as many as they need."""

NAME_IF_NARROW = 12
"""Cells of these names below that."""

T = TypeVar("T")


def table_of(
    part: TokensPart, by: By, prices: Prices | None, width: int, *, adds_children: bool, is_tree: bool
) -> Table[Any]:
    """What there is to tell of some agents, by one of several views of them.

    Args:
        part: the agents.
        by: by what.
        prices: what tokens cost, by model; None for no prices.
        width: cells of a row.
        adds_children: whether the figures of an agent are those with its children.
        is_tree: whether agents stand in their order below each other, and not sorted by a figure.
    """
    tables = _Tables(part, prices, width)
    match by:
        case "agent":
            return tables.agents(adds_children=adds_children, is_tree=is_tree)
        case "turn":
            return tables.turns()
        case "call":
            return tables.calls()
        case "tool":
            return tables.tools()
        case "item":
            return tables.items()
        case "repeat":
            return tables.repeats()


class _Tables:
    """The tables of some agents."""

    def __init__(self, part: TokensPart, prices: Prices | None, width: int) -> None:
        self._part, self._prices, self._width = part, prices, width
        self._index: TraceIndex = part.run.index
        self._whole = part.whole.input
        most = NAME_IF_NARROW if width < BROAD else MAIN
        labels = (cell_len(safe_text(agent_label(self._index, id_))) for id_ in part.thread_ids)
        self._label_width = min(max(labels, default=0), most)
        self._words = WORDS if width >= WORDS_FROM else MAIN
        self._names_agents = len(part.thread_ids) > 1

    def _sums(
        self,
        items: Sequence[T],
        tokens: Callable[[T], TokenSum],
        models: Callable[[T], Mapping[str, TokenSum]],
    ) -> list[Field[T]]:
        """The figures of whatever made calls."""

        def told(name: str, words: Callable[[TokenSum], str], by: Callable[[TokenSum], float]) -> Field[T]:
            return _field(
                name, 6, lambda one: figure(tokens(one), words(tokens(one))), lambda one: by(tokens(one))
            )

        found = [
            told("in", lambda one: count(one.input), lambda one: one.input),
            told("cached", lambda one: percent(one.cached, one.input), lambda one: one.cached),
            told("new", lambda one: count(one.new), lambda one: one.new),
            told("out", lambda one: count(one.output), lambda one: one.output),
            told("share", lambda one: percent(one.input, self._whole), lambda one: one.input),
            *self._bars(items, lambda one: tokens(one).input),
        ]
        prices = self._prices
        if prices is not None:
            found.append(
                _field(
                    "cost",
                    9,
                    lambda one: cost_words(models(one), prices),
                    lambda one: cost_of(models(one), prices) or 0.0,
                )
            )
        return found

    def _bars(self, items: Sequence[T], part: Callable[[T], float]) -> list[Field[T]]:
        """The share once more as a bar beside the largest, where names and figures leave that much room."""
        cells, most = min(BAR_MOST, self._width - BAR_FROM), max(map(part, items), default=0)
        if cells < BAR_LEAST or not most:
            return []

        def drawn(one: T) -> str:
            return look().new * round(cells * part(one) / most)

        return [Field(Column("", cells, is_number=False), drawn, part)]

    def _share(self, one: Filling | GroupFilling) -> str:
        return share(one.paid, self._whole, is_told=one.is_told)

    def _is_rebuilt(self, thread_id: str) -> bool:
        """Whether it is rebuilt how many calls an agent made."""
        return "calls" in rebuilt_figures(self._index, thread_id)

    def _agent(self, thread_id: str) -> tuple[Span, ...]:
        """The name of an agent before what is its own, if there are several."""
        if not self._names_agents:
            return ()
        name = clip_start(safe_text(agent_label(self._index, thread_id)), self._label_width)
        return (Span(SafeText(name + blank(self._label_width - cell_len(name) + 2)), "link"),)

    def agents(self, *, adds_children: bool, is_tree: bool) -> Table[AgentTokens]:
        index, run = self._index, self._part.run

        def of(one: AgentTokens) -> TokenSum:
            return one.with_children if adds_children else one.own

        def models(one: AgentTokens) -> Mapping[str, TokenSum]:
            if not adds_children:
                return one.by_model
            return run.part(run.below(one.thread_id)).by_model

        def rows(one: AgentTokens, cells: Cells) -> Iterable[AnyRow]:
            depth = index.depth[one.thread_id] if is_tree else 0
            words = span("  " * min(20, depth) + agent_label(index, one.thread_id), "link")
            ref = ObjectRef("Thread", one.thread_id)
            yield LaterRow(ref, lambda: Row(ref, (words,), cells(), min_main=MAIN), ref, one.thread_id)

        def rebuilt(one: AgentTokens) -> bool:
            ids = run.below(one.thread_id) if adds_children else [one.thread_id]
            return any(self._is_rebuilt(id_) for id_ in ids)

        sizes, items = run.contexts, [run.agents[id_] for id_ in self._part.thread_ids]
        fields = [
            *self._sums(items, of, models),
            _field("now", 6, lambda one: context_size(sizes[one.thread_id].now, one.own),
                   lambda one: sizes[one.thread_id].now or 0),
            _field("most", 6, lambda one: context_size(sizes[one.thread_id].most, one.own),
                   lambda one: sizes[one.thread_id].most or 0),
            *_counts(of, rebuilt),
        ]  # fmt: skip
        subject = "agent with its children" if adds_children else "agent by itself"
        return Table(items, fields, rows, "tree", subject)

    def turns(self) -> Table[TurnTokens]:
        def rows(one: TurnTokens, cells: Cells) -> Iterable[AnyRow]:
            name = "calls of no known turn" if one.number is None else f"turn {one.number}"
            main = (*self._agent(one.thread_id), span(name))
            ref = one.ref if one.number is not None else None
            yield LaterRow(one.ref, lambda: Row(one.ref, main, cells(), min_main=MAIN), ref, one.thread_id)

        fields: list[Field[TurnTokens]] = [
            *self._sums(self._part.turns, lambda one: one.tokens, lambda one: one.by_model),
            *_counts(lambda one: one.tokens, lambda one: self._is_rebuilt(one.thread_id)),
        ]
        return Table(self._part.turns, fields, rows, "time", "turn")

    def calls(self) -> Table[CallContext]:
        index, name = self._index, self._label_width + 2 if self._names_agents else 0
        main_cells = CAUSE if self._width >= BROAD else max(MAIN, name + CALL)

        def rows(one: CallContext, cells: Cells) -> Iterable[AnyRow]:
            def row() -> Row:
                main = (*self._agent(one.thread_id), span(f"call {one.number:<4} "), *self._marks(one))
                return Row(one.ref, main, cells(), min_main=main_cells)

            yield LaterRow(one.ref, row, one.ref, one.thread_id)

        def of(one: CallContext) -> TokenSum:
            return one.tokens

        def models(one: CallContext) -> Mapping[str, TokenSum]:
            return {one.model: one.tokens}

        context, cached, new, out, shares, *more = self._sums(self._part.calls, of, models)
        bars = [one for one in more if not one.column.name]
        fields: list[Field[CallContext]] = [
            _field("context", 8, context.text, context.by),
            *(cached, new, out, *(one for one in more if one.column.name)),
            _field("lost", 6, _lost, _lost_tokens),
            *(shares, *bars),
            _field("items", 6, lambda one: items_words(index, one), lambda one: one.items),
            _field("seq", 6, lambda one: str(one.seq), lambda one: -one.seq),
            _reasoning(of),
        ]
        return Table(self._part.calls, fields, rows, "time", "call", main_cells)

    def _marks(self, one: CallContext) -> tuple[Span, ...]:
        """What happened to the context before a call, and why its cache broke: marks first, then words."""
        marks, found = look(), one.cache_break
        words = []
        if found is not None:
            is_said = one.is_compacted and found.cause == "compaction"
            words.append("the cache is broken by it" if is_said else cause_words(self._index, found))
        return (
            span(marks.compaction if one.is_compacted else " ", "special"),
            span(f"{marks.cache_break} " if found is not None else "  ", "warn"),
            span("compacted" if one.is_compacted else "", "special"),
            span(f"{'; ' if one.is_compacted and words else ''}{''.join(words)}", "warn"),
        )

    def tools(self) -> Table[GroupFilling]:
        def rows(one: GroupFilling, cells: Cells) -> Iterable[AnyRow]:
            ref = None if one.largest.type == BEFORE else one.largest
            main = (span(group_words(one.group)),)
            yield LaterRow(one.group, lambda: Row(one.group, main, cells(), min_main=self._words), ref)

        fields: list[Field[GroupFilling]] = [
            _field("paid for", 9, lambda one: about(one.paid, is_told=one.is_told), lambda one: one.paid),
            _field("share", 6, self._share, lambda one: one.paid),
            *self._bars(self._part.groups, lambda one: one.paid),
            _field("tokens", 8, lambda one: about(one.tokens, is_told=one.is_told), lambda one: one.tokens),
            _field("items", 6, lambda one: str(one.items), lambda one: one.items),
            _field("tool calls", 11, lambda one: _some(one.tool_calls), lambda one: one.tool_calls),
        ]
        return Table(
            self._part.groups, fields, rows, "paid for", "what fills the contexts, by tool", self._words
        )

    def items(self) -> Table[Filling]:
        index = self._index

        def rows(one: Filling, cells: Cells) -> Iterable[AnyRow]:
            ref = None if one.ref.type == BEFORE else one.ref
            key = (one.thread_id, one.ref)

            def row() -> Row:
                main = (*self._agent(one.thread_id), span(filling_words(index, one)))
                return Row(key, main, cells(), min_main=self._words)

            yield LaterRow(key, row, ref, one.thread_id)

        fields: list[Field[Filling]] = [
            _field("paid for", 9, lambda one: about(one.paid, is_told=one.is_told), lambda one: one.paid),
            _field("share", 6, self._share, lambda one: one.paid),
            *self._bars(self._part.fillings, lambda one: one.paid),
            _field("tokens", 7, lambda one: about(one.tokens, is_told=one.is_told), lambda one: one.tokens),
            _field("carried", 7, lambda one: str(one.calls), lambda one: one.calls),
            _field("seq", 6, lambda one: _seq(index, one.ref), lambda one: -(index.first_seq(one.ref) or 0)),
        ]
        return Table(
            self._part.fillings, fields, rows, "paid for", "what fills the contexts, by item", self._words
        )

    def repeats(self) -> Table[_Done]:
        index = self._index

        def rows(one: _Done, cells: Cells) -> Iterable[AnyRow]:
            first = one.calls[0]
            words = (span(one.words), span(f"  {one.note}" if one.note else "", "warn"))
            key = ("repeat", one.kind, first)
            yield LaterRow(key, lambda: Row(key, words, cells(), min_main=MAIN), first)
            for ref in one.calls:
                call = index.trace.tool_calls[ref.id]
                agent = span(agent_label(index, call.thread_id), "link")
                main = (span(f"seq {_seq(index, ref):<6}", "muted"), agent)
                yield AnswerRow(Row((one.kind, first, ref), main, depth=1), ref, call.thread_id)

        fields: list[Field[_Done]] = [
            _field("times", 6, lambda one: str(len(one.calls)), lambda one: len(one.calls)),
            _field("agents", 7, lambda one: str(one.agents), lambda one: one.agents),
            _field("result", 8, lambda one: one.result, lambda one: one.result == "same"),
        ]
        return Table(_done(self._part), fields, rows, "times", "what was done more than once")


class _Done(NamedTuple):
    """What was done more than once.

    Attributes:
        kind: `call` for the same tool call, `file` for a file that was read again.
        words: what it was; evidence.
        note: what else is to be said.
        calls: the tool calls, in order.
        agents: of how many agents they are.
        result: whether they gave the same.
    """

    kind: str
    words: str
    note: str
    calls: list[ObjectRef]
    agents: int
    result: str


_SAME = {True: "same", False: "other", None: "?"}


def _done(part: TokensPart) -> list[_Done]:
    """What some agents did more than once: what was done most often first, then files."""
    index = part.run.index
    calls = [
        _Done("call", named(index, one.calls[0]), "", one.calls, len(one.agents), _SAME[one.is_same_result])
        for one in part.repeats
    ]
    files = [
        _Done("file", f"file {one.path}", f"read again: the compaction at seq {one.seq} had taken it away",
              [one.first, one.again], 1, "")
        for one in part.again
    ]  # fmt: skip
    return sorted([*calls, *files], key=lambda one: -len(one.calls))


def _field(name: str, width: int, text: Callable[[T], str], by: Callable[[T], float]) -> Field[T]:
    return Field(Column(name, width), text, by)


def _reasoning(of: Callable[[T], TokenSum]) -> Field[T]:
    return _field(
        "reasoning",
        10,
        lambda one: figure(of(one), _some(of(one).reasoning)),
        lambda one: of(one).reasoning,
    )


def _counts(of: Callable[[T], TokenSum], is_rebuilt: Callable[[T], bool]) -> list[Field[T]]:
    """Calls of whatever made some, and how much of what came out was reasoning."""
    calls: Field[T] = _field(
        "calls", 6, lambda one: marked(str(of(one).calls), is_rebuilt(one)), lambda one: of(one).calls
    )
    return [calls, _reasoning(of)]


def _some(number: int) -> str:
    return count(number) if number else ""


def _lost_tokens(one: CallContext) -> int:
    return 0 if one.cache_break is None else one.cache_break.lost


def _lost(one: CallContext) -> str:
    return _some(_lost_tokens(one))


def _seq(index: TraceIndex, ref: ObjectRef) -> str:
    seq = None if ref.type == BEFORE else index.first_seq(ref)
    return "" if seq is None else str(seq)


def repeats_words(part: TokensPart) -> str:
    """How much there is that was done more than once."""
    words = [plural(len(part.repeats), "repeated tool call")] if part.repeats else []
    words += [f"{plural(len(part.again), 'file')} read again"] if part.again else []
    return ", ".join(words)
