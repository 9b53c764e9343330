"""Where the tokens went: totals, the curve of contexts, rows by agent, turn, call, tool, item, repeat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from textual.geometry import Size

from rollout_tui import keys
from rollout_tui.insight.agents.links import AgentLinks
from rollout_tui.insight.tokens.prices import Prices
from rollout_tui.insight.tokens.run_tokens import RunTokens, TokensPart, run_tokens
from rollout_tui.language.asking import By
from rollout_tui.lines.rows import lay_out
from rollout_tui.lines.spans import Piece, Span, span
from rollout_tui.screens.answer_screen import AnswerHost, AnswerPlace, AnswerScreen
from rollout_tui.screens.speaking import Actions
from rollout_tui.views.answer_rows import AnyRow
from rollout_tui.views.token_head import (
    Curves,
    budget_lines,
    by_spans,
    note_lines,
    one_line,
    scope_words,
    total_pieces,
)
from rollout_tui.views.token_rows import VIEWS, table_of
from rollout_tui.views.token_table import Order, Table


class Choice(NamedTuple):
    """What the reader wants to see.

    Attributes:
        by: by what.
        orders: how each of these is sorted, as far as it is not by its own order.
        thread_id: the agent of which it is told; None for all.
        adds_children: whether agents count with their children.
    """

    by: By = "agent"
    orders: Mapping[By, Order] = {}
    thread_id: str | None = None
    adds_children: bool = True

    @property
    def order(self) -> Order:
        """How it is sorted."""
        return self.orders.get(self.by, Order())


class TokensScreen(AnswerScreen[RunTokens]):
    """Where the tokens of a run went; its result is the call, item or agent that the reader goes to."""

    BINDINGS = [*keys.bindings(keys.Scope.TOKENS)]
    own_focus = keys.Focus.TOKENS
    name_of_answer = "Tokens"

    def __init__(
        self,
        host: AnswerHost,
        left_at: AnswerPlace | None = None,
        prices: Prices | None = None,
    ) -> None:
        """Prepare to answer.

        Args:
            host: what it is told from.
            left_at: where the reader was when it was left before.
            prices: what tokens cost, by model; None for no prices.
        """
        self._choice = Choice()
        self._prices = prices
        self._part: TokensPart | None = None
        self._table: Table[Any] | None = None
        self._curves: Curves | None = None
        super().__init__(host, left_at)

    # What is shown

    def find_out(self, links: AgentLinks) -> RunTokens:
        """All of it, whatever is looked at first."""
        return run_tokens(links, self.host.session.json, self.host.session.told_by)

    def choice(self) -> Choice:
        """What the reader wants to see."""
        return self._choice

    def take_choice(self, choice: Any) -> None:
        """See that again."""
        self._choice = choice

    @property
    def _agent_id(self) -> str | None:
        """The agent that was chosen, if the graph that is shown has it: the past may not."""
        chosen = self._choice.thread_id
        return chosen if self.found is not None and chosen in self.found.agents else None

    def _part_of(self, found: RunTokens) -> TokensPart:
        chosen = self._agent_id
        if chosen is None:
            return found.part(list(found.agents))
        return found.part(found.below(chosen) if self._choice.adds_children else [chosen])

    def _shown_thread(self, found: RunTokens) -> str | None:
        """The agent of which the curve is: that of the row, or else the first one that is told of."""
        of_row = None if self.row is None else self.row.thread_id
        first = next(iter(found.agents), None)
        return of_row if of_row in found.agents else self._agent_id or first

    def title_pieces(self, found: RunTokens) -> Sequence[Piece]:
        """Of whom it is told."""
        words = scope_words(found, self._agent_id, adds_children=self._choice.adds_children)
        return [Piece(0, [span(f" {words}")])] if found.agents else []

    def rows(self, found: RunTokens, width: int) -> Sequence[AnyRow]:
        """The rows of what is looked at, sorted."""
        choice = self._choice
        self._part = self._part_of(found)
        self._table = table_of(
            self._part,
            choice.by,
            self._prices,
            width,
            adds_children=choice.adds_children,
            is_tree=choice.order.place == 0,
        )
        return self._table.answer(choice.order)

    def head(self, found: RunTokens, size: Size) -> list[list[Span]]:
        """Totals, views, the curve of the agent under the cursor, and the heads of the columns."""
        part, table, choice = self._part, self._table, self._choice
        thread_id = self._shown_thread(found)
        if part is None or table is None or thread_id is None:
            return []
        width = size.width - 1
        at = self.row.ref if self.row is not None and choice.by == "call" else None
        curves = self._curves
        if curves is None or curves.run is not found:
            curves = self._curves = Curves(found)
        sorted_by = table.sorted_by(choice.order)
        return [
            one_line(total_pieces(part, thread_id, self._prices), width),
            *budget_lines(found, width),
            by_spans(choice.by, sorted_by, width, is_turned=choice.order.is_turned),
            *curves.lines(thread_id, at, width, size.height),
            *note_lines(part, thread_id, at, width, size.height),
            lay_out(table.head(choice.order), width),
        ]

    def cursor_on(self, row: AnyRow) -> None:
        """The curve is of the agent of the row, with a mark at its call."""
        del row
        self.draw_head()

    def why_empty(self) -> str:
        """That nothing repeats is an answer, too."""
        if self._choice.by == "repeat":
            return "No tool call was made twice, and no file was read again after a compaction."
        return "No call was made."

    # Keys

    @property
    def actions(self) -> Actions:
        """What its keys do."""
        return {
            **super().actions,
            "next_view": lambda: self._turn_view(1),
            "previous_view": lambda: self._turn_view(-1),
            "sort_tokens": self._sort,
            "turn_order": self._turn_order,
            "with_children": self._turn_children,
            "one_agent": self._turn_agent,
        }

    def _choose(self, choice: Choice, *, from_top: bool = True) -> None:
        self._choice = choice
        self.draw()
        if from_top:
            self.list.jump(0)

    def _turn_view(self, by: int) -> None:
        place = (VIEWS.index(self._choice.by) + by) % len(VIEWS)
        self._choose(self._choice._replace(by=VIEWS[place]))

    def _reorder(self, order: Order) -> None:
        orders = {**self._choice.orders, self._choice.by: order}
        self._choose(self._choice._replace(orders=orders))

    def _sort(self) -> None:
        if self._table is not None:
            place = (self._choice.order.place + 1) % len(self._table.orders)
            self._reorder(Order(place))

    def _turn_order(self) -> None:
        order = self._choice.order
        self._reorder(order._replace(is_turned=not order.is_turned))

    def _turn_children(self) -> None:
        adds = not self._choice.adds_children
        self._choose(self._choice._replace(adds_children=adds), from_top=False)
        if self._choice.by != "agent" and self._agent_id is None:
            self.say("that is about agents: tab leads to them, a chooses one")

    def _turn_agent(self) -> None:
        """Only the agent of the row; or all again, with the cursor on that agent."""
        if self._agent_id is not None:
            self._choose(self._choice._replace(thread_id=None), from_top=False)
        elif self.row is None or self.row.thread_id is None:
            self.say("this row is about no single agent")
        else:
            self._choose(self._choice._replace(thread_id=self.row.thread_id), from_top=False)
