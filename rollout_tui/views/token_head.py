"""The lines above the rows of tokens: totals, what they are told by, the curve, what is at the cursor."""

from __future__ import annotations

from collections.abc import Sequence

from reducer import ObjectRef
from rollout_tui.insight.agents.names import agent_label
from rollout_tui.insight.tokens.contexts import CallContext
from rollout_tui.insight.tokens.prices import Prices, cost_of
from rollout_tui.insight.tokens.run_tokens import RunTokens, TokensPart
from rollout_tui.language.asking import By
from rollout_tui.lines.spans import Piece, Span, drop_to_fit, fit, span, wrap
from rollout_tui.texts.short_forms import count, plural
from rollout_tui.views.figures import money
from rollout_tui.views.naming import percent
from rollout_tui.views.token_curve import Curve, legend, look
from rollout_tui.views.token_rows import VIEWS, repeats_words
from rollout_tui.views.token_words import break_words, budget_words, cause_words

NEARLY = 0.9
"""The part of a limit from which that it is near stands out."""

CURVE_FROM = 20
"""Lines of a terminal from which there is room for a curve."""

_BARS_LEAST, _BARS_MOST = 3, 12
_OTHER_LINES = 16
"""Lines that the bars leave to everything else, twice as many of which are rows."""


def scope_words(run: RunTokens, thread_id: str | None, *, adds_children: bool) -> str:
    """Of which agents something is told."""
    if thread_id is None:
        return (
            "of all agents" if len(run.agents) > 1 else f"of {agent_label(run.index, next(iter(run.agents)))}"
        )
    name = agent_label(run.index, thread_id)
    if len(run.below(thread_id)) == 1:
        return f"of {name}"
    return f"of {name} {'with its children' if adds_children else 'without its children'}"


def total_pieces(part: TokensPart, thread_id: str, prices: Prices | None) -> list[Piece]:
    """The sums of some agents, and how large the contexts of one of them are.

    Args:
        part: the agents.
        thread_id: the one.
        prices: what tokens cost, by model; None for no prices.
    """
    whole, size = part.whole, part.run.contexts[thread_id]
    if not whole.is_told:
        return [Piece(0, [span(" not recorded", "warn"), span(f"  {plural(whole.calls, 'call')}", "muted")])]
    thought = f" ({count(whole.reasoning)} reasoning)" if whole.reasoning else ""
    untold = f", {whole.untold} without figures" if whole.untold else ""
    pieces = [
        Piece(0, [span(f" {count(whole.input)} in", "strong")]),
        Piece(1, [span(f": {count(whole.cached)} cached ({percent(whole.cached, whole.input) or '0%'})")]),
        Piece(2, [span(f", {count(whole.new)} new")]),
        Piece(0, [span(f"  {count(whole.output)} out", "strong")]),
        Piece(5, [span(thought)]),
    ]
    if prices is not None:
        cost = cost_of(part.by_model, prices)
        words = f"  costs {money(cost)}" if cost is not None else "  no price of a model that was used"
        pieces.append(Piece(1, [span(words, "special" if cost is not None else "warn")]))
    if size.most is not None and size.now is not None:
        pieces.append(Piece(3, [span(f"  context now {count(size.now)}, most {count(size.most)}")]))
        window = part.run.limits.windows.get(thread_id)
        if window is not None:
            words = f" of {count(window)} ({percent(size.most, window)})"
            pieces.append(Piece(4, [span(words, "warn" if size.most > NEARLY * window else "text")]))
    repeated = repeats_words(part)
    pieces.append(Piece(6, [span(f"  {plural(whole.calls, 'call')}{untold}", "muted")]))
    pieces.append(Piece(7, [span(f"  {repeated}" if repeated else "", "muted")]))
    return pieces


def budget_lines(run: RunTokens, width: int) -> list[list[Span]]:
    """The same as a line above the rows; none where there is nothing to say."""
    words = budget_words(run.limits)
    worst = max((one.used for one in run.limits.budgets), default=0.0)
    return [fit([span(f" {words}", "warn" if worst > 100 * NEARLY else "muted")], width)] if words else []


def by_spans(by: By, sorted_by: str, width: int, *, is_turned: bool) -> list[Span]:
    """By what it is told, and how it is sorted."""
    words = [span(" by", "muted")]
    words += [span(f" [{one}]", "accent") if one == by else span(f" {one}", "muted") for one in VIEWS]
    turned = ", turned round" if is_turned else ""
    pieces = [Piece(0, words), Piece(1, [span(f"   sorted by {sorted_by}{turned}", "muted")])]
    return drop_to_fit(pieces, width)


class Curves:
    """The curves of the contexts of the agents of a run, each drawn once for a width.

    Attributes:
        run: the run.
    """

    def __init__(self, run: RunTokens) -> None:
        self.run = run
        self._drawn: dict[tuple[str, int], Curve] = {}
        everything = [call for own in run.calls.values() for call in own]
        self._has_calls = bool(everything)
        self._has_compactions = any(call.is_compacted for call in everything)
        self._has_breaks = any(call.cache_break is not None for call in everything)
        self._places = {call.ref: call.number - 1 for call in everything}

    def lines(self, thread_id: str, at: ObjectRef | None, width: int, height: int) -> list[list[Span]]:
        """The curve of an agent, with what it means; nothing where there is no room for it.

        It has as many lines whichever agent it is of, so that the rows below it stay where they are.

        Args:
            thread_id: the agent.
            at: the call that the reader is at, if it is one.
            width: cells there are.
            height: lines of the terminal.
        """
        if height < CURVE_FROM or not self._has_calls:
            return []
        if (thread_id, width) not in self._drawn:
            self._drawn[thread_id, width] = Curve(self.run.calls[thread_id], width)
        lines = self._drawn[thread_id, width].lines(
            max(_BARS_LEAST, min(_BARS_MOST, (height - _OTHER_LINES) // 3)),
            None if at is None else self._places.get(at),
            with_compactions=self._has_compactions,
            with_breaks=self._has_breaks,
        )
        label = agent_label(self.run.index, thread_id)
        name = [span(" contexts of ", "muted"), span(label, "link"), span("   ")]
        explained = [Piece(rank, [one]) for rank, one in enumerate(legend(), 1)]
        return [one_line([Piece(0, name), *explained], width), *lines]


def note_lines(
    part: TokensPart, thread_id: str, at: ObjectRef | None, width: int, height: int
) -> list[list[Span]]:
    """What is to be said of the call that the reader is at, or else of the breaks of the cache.

    There are as many lines whatever is said.

    Args:
        part: the agents.
        thread_id: the agent of the curve.
        at: the call that the reader is at, if it is one.
        width: cells there are.
        height: lines of the terminal.
    """
    if height < CURVE_FROM:
        return []
    most = 2 if height >= 2 * CURVE_FROM else 1
    calls = part.run.calls[thread_id]
    call = next((one for one in calls if one.ref == at), None)
    said = _breaks_words(part, calls) if call is None else _call_words(part, call)
    lines = wrap([span(" "), *said], width, most) if said else []
    return [*lines, *([[]] * (most - len(lines)))]


def _call_words(part: TokensPart, call: CallContext) -> list[Span]:
    tokens, found = call.tokens, call.cache_break
    figures = (
        "no figures were told"
        if tokens.untold
        else f"{count(tokens.cached)} cached, {count(tokens.new)} new, {count(tokens.output)} out"
    )
    words = [span(f"call {call.number} at seq {call.seq}", "strong"), span(f"  {figures}")]
    if call.is_compacted:
        words.append(span(f"  {look().compaction} compacted", "special"))
    if found is not None:
        words.append(span(f"  {look().cache_break} {break_words(part.run.index, found)}", "warn"))
    return words


def _breaks_words(part: TokensPart, calls: Sequence[CallContext]) -> list[Span]:
    """The breaks of the cache of an agent, the dearest first."""
    broken = [call for call in calls if call.cache_break is not None]
    if not broken:
        has_cache = any(call.tokens.cached for call in calls)
        words = "no cache break" if has_cache else "nothing was cached for this agent"
        return [span(words, "muted")] if calls else []
    dearest = sorted(broken, key=lambda one: -(one.cache_break.lost if one.cache_break else 0))
    lost = sum(one.cache_break.lost for one in broken if one.cache_break is not None)
    said = [
        f"call {one.number}: {cause_words(part.run.index, one.cache_break)} ({count(one.cache_break.lost)})"
        for one in dearest
        if one.cache_break is not None
    ]
    head = f"{look().cache_break} {plural(len(broken), 'cache break')}, {count(lost)} tok not cached"
    return [span(head, "warn"), span(f"  {'; '.join(said)}")]


def one_line(pieces: Sequence[Piece], width: int) -> list[Span]:
    """As many pieces as fit."""
    return fit(drop_to_fit(pieces, width), width)
