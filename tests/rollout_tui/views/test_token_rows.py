"""Rows of tokens: sums add up and are those of `show --json`, columns stand below heads, text is safe."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from places import REPOSITORY
from rich.cells import cell_len

from reducer import ObjectRef
from rollout_tui import glyphs
from rollout_tui.insight.tokens.contexts import CacheBreak, CallContext
from rollout_tui.insight.tokens.limits import Budget, Limits
from rollout_tui.insight.tokens.prices import read_prices
from rollout_tui.insight.tokens.run_tokens import RunTokens, TokensPart, run_tokens
from rollout_tui.insight.tokens.sums import TokenSum
from rollout_tui.language.asking import AnswerTo
from rollout_tui.lines.rows import lay_out
from rollout_tui.lines.spans import Span, spans_text, spans_width
from rollout_tui.session import Session
from rollout_tui.showing.answers import answer_document
from rollout_tui.views.answer_rows import Column
from rollout_tui.views.explained import TOKENS
from rollout_tui.views.token_curve import Curve
from rollout_tui.views.token_head import (
    Curves,
    by_spans,
    note_lines,
    one_line,
    total_pieces,
)
from rollout_tui.views.token_rows import VIEWS, table_of
from rollout_tui.views.token_table import Order, Table
from rollout_tui.views.token_words import budget_words

PRICES = read_prices(b'{"gpt-5.5": {"in": 1, "cached": 0.1, "out": 8}}')
WIDTHS = (39, 79, 119, 199)


def load(path: Path) -> tuple[Session, RunTokens]:
    session = Session(path)
    timelines = session.load(lambda _done, _total: None)
    return session, run_tokens(timelines.links, session.json, session.told_by)


@pytest.fixture(scope="module")
def team() -> RunTokens:
    return load(REPOSITORY / "demo_traces" / "team")[1]


def whole(found: RunTokens) -> TokensPart:
    return found.part(list(found.agents))


def table(part: TokensPart, by: Any, width: int = 119, **more: Any) -> Table[Any]:
    return table_of(part, by, PRICES, width, **{"adds_children": False, "is_tree": True, **more})


# Figures


def test_figures_of_calls_turns_and_agents_add_up(team: RunTokens) -> None:
    for ids in ([*team.agents], [*team.agents][1:3], team.below([*team.agents][1])):
        part = team.part(ids)
        for sums in (
            [one.tokens for one in part.calls],
            [one.tokens for one in part.turns],
            [team.agents[id_].own for id_ in ids],
        ):
            assert sum(sums, TokenSum()) == part.whole
        told = part.whole.input
        assert sum(one.paid for one in part.fillings) == pytest.approx(told)
        assert sum(one.paid for one in part.groups) == pytest.approx(told)
        assert sum(one.items for one in part.groups) == len(part.fillings)
        assert sum(part.by_model.values(), TokenSum()) == part.whole


def test_an_agent_with_its_children_is_what_its_part_sums_up_to(team: RunTokens) -> None:
    for id_, one in team.agents.items():
        assert team.part(team.below(id_)).whole == one.with_children


@pytest.mark.parametrize("name", ["team", "capped", "quickstart", "hostile"])
def test_figures_are_those_of_show(name: str) -> None:
    session, found = load(REPOSITORY / "demo_traces" / name)
    assert session.timelines is not None

    def told(by: Any) -> Any:
        document = answer_document(session, session.timelines.links, AnswerTo("tokens", by=by))
        return document.data[f"by_{by}"]

    def same(tokens: TokenSum, data: dict[str, Any]) -> bool:
        told = tuple(data[name] for name in ("input", "cached", "output", "calls"))
        figures = (tokens.input, tokens.cached, tokens.output) if tokens.is_told else (None,) * 3
        return (*figures, tokens.calls) == told

    part = whole(found)
    agents = told("agent")
    assert len(agents) == len(found.agents)
    for one, data in zip(found.agents.values(), agents, strict=True):
        assert same(one.own, data["tokens"])
        assert same(one.with_children, data["with_children"])
        size = found.contexts[one.thread_id]
        assert (size.now, size.most) == (data["context_now"], data["context_most"])
        assert found.limits.windows.get(one.thread_id) == data["context_window"]
    for turn, data in zip(part.turns, told("turn"), strict=True):
        assert same(turn.tokens, data["tokens"])
    for call, data in zip(part.calls, told("call"), strict=True):
        assert same(call.tokens, data["tokens"])
        assert (call.number, call.seq, call.items) == (data["number"], data["seq"], data["items"])
        lost = None if call.cache_break is None else call.cache_break.lost
        assert lost == (data["cache_break"] and data["cache_break"]["lost"])
    for group, data in zip(part.groups, told("tool"), strict=True):
        assert (round(group.paid, 1) if group.is_told else None) == data["paid_estimate"]
    for item, data in zip(part.fillings, told("item"), strict=True):
        paid = round(item.paid, 1) if item.is_told else None
        assert (item.ref.id, item.calls, paid) == (data["object"]["id"], data["calls"], data["paid_estimate"])
        assert item.calls - item.told == data["calls_without_figures"]
    for repeat, data in zip(part.repeats, told("repeat"), strict=True):
        assert [ref.id for ref in repeat.calls] == [ref["id"] for ref in data["calls"]]


@pytest.mark.parametrize("by", VIEWS)
def test_every_order_sorts_by_its_column_and_loses_no_row(team: RunTokens, by: str) -> None:
    shown = table(whole(team), by)
    keys = {one.row.key for one in shown.answer(Order())}
    for place, name in enumerate(shown.orders):
        for is_turned in (False, True):
            order = Order(place, is_turned)
            assert {one.row.key for one in shown.answer(order)} == keys
            field = next((one for one in shown.fields if one.column.name == name), None)
            if field is None or (place == 0 and by == "repeat"):
                continue
            numbers = [field.by(one) for one in shown.in_order(order)]
            assert numbers == sorted(numbers, reverse=not is_turned), name


@pytest.mark.parametrize("by", [one for one in VIEWS if one != "repeat"])
def test_where_there_is_room_a_share_is_a_bar_beside_the_largest(team: RunTokens, by: str) -> None:
    part = whole(team)
    assert all(field.column.name for field in table(part, by, 149).fields)
    shown = table(part, by, 199)
    (bar,) = (field for field in shown.fields if not field.column.name)
    (share,) = (field for field in shown.fields if field.column.name == "share")
    assert "" not in shown.orders
    lengths = {len(bar.text(one)): bar.by(one) for one in shown.items}
    assert max(lengths) == bar.column.width
    assert sorted(lengths) == sorted(lengths, key=lambda length: lengths[length])
    assert all(bar.by(one) == share.by(one) for one in shown.items)


# Rows


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("by", VIEWS)
@pytest.mark.parametrize("name", ["team", "hostile", "hostile-2", "capped"])
def test_rows_fit_and_numbers_stand_below_their_heads(name: str, by: str, width: int) -> None:
    part = whole(load(REPOSITORY / "demo_traces" / name)[1])
    for adds_children in (False, True):
        shown = table(part, by, width, adds_children=adds_children)
        head = lay_out(shown.head(Order(1)), width)
        assert spans_width(head) == width
        ends = ends_of_columns(shown, spans_text(head))
        assert ends, "at least one figure has room at any width"
        rows = shown.answer(Order(1))
        assert len({one.row.key for one in rows}) == len(rows)
        for one in rows:
            spans = lay_out(one.row, width)
            assert spans_width(spans) <= width
            text = spans_text(spans)
            assert text.isprintable()
            if one.row.tail:
                assert all(cells_at(text, end) for end in ends), (text, ends)


def ends_of_columns(shown: Table[Any], head: str) -> list[int]:
    """The cell behind each column that is shown."""
    found, start = [], 0
    for one in shown.fields:
        place = head.find(one.column.name, start)
        if place >= 0:
            start = place + len(one.column.name)
            found.append(start)
    return found


def cells_at(text: str, end: int) -> bool:
    """Whether a column that ends at a cell is set to the right: a blank follows, or the end of the row."""
    cells = [one for one in text for _ in range(cell_len(one))]
    return end >= len(cells) or cells[end] == " "


def test_wide_characters_take_the_cells_that_they_have() -> None:
    column = Column("名前", 6)
    for text in ("", "ab", "漢字", "漢字漢字漢字", "e\u0301\u202e"):
        assert spans_width([column.cell(text)]) == 6
        assert spans_width([column._replace(is_number=False).cell(text)]) == 6


def test_what_is_told_by_one_agent_names_no_agent(team: RunTokens) -> None:
    one = [*team.agents][1]
    among = [row for row in table(whole(team), "call").answer(Order()) if row.thread_id == one]
    assert among
    assert all("/root/repro" in spans_text(row.row.spans) for row in among)
    alone = table(team.part([one]), "call").answer(Order())
    assert alone
    assert not any("/root" in spans_text(row.row.spans) for row in alone)


def test_costs_are_left_out_without_prices_and_where_one_is_not_known(team: RunTokens) -> None:
    names = [one.column.name for one in table(whole(team), "agent").fields]
    assert "cost" in names
    without = table_of(whole(team), "agent", None, 119, adds_children=False, is_tree=True)
    assert "cost" not in [one.column.name for one in without.fields]
    other = table_of(whole(team), "agent", read_prices(b'{"x": {"in": 1, "out": 1}}'), 119,
                     adds_children=False, is_tree=True)  # fmt: skip
    cost = next(one for one in other.fields if one.column.name == "cost")
    assert {cost.text(one) for one in other.items} == {""}


def test_every_column_and_mark_is_explained(team: RunTokens) -> None:
    explained = {word for term, _ in TOKENS for word in term().split(", ")}
    for by in VIEWS:
        assert {one.column.name for one in table(whole(team), by).fields} <= explained
    assert all(meaning[0].islower() and not meaning.endswith(".") for _, meaning in TOKENS)


def test_what_was_done_twice_has_each_time_below_it(shared_dir: Path) -> None:
    part = whole(load(shared_dir / "bundles" / "interrupted-with-children" / "bundle")[1])
    rows = table(part, "repeat").answer(Order())
    heads = [one for one in rows if not one.row.depth]
    assert len(heads) == len(part.repeats) + len(part.again) > 0
    assert len(rows) - len(heads) == sum(len(one.calls) for one in part.repeats) + 2 * len(part.again)
    assert all(one.ref is not None and part.run.index.has(one.ref) for one in rows)


# The curve


def context(number: int, cached: int, new: int, out: int = 0, **more: Any) -> CallContext:
    tokens = TokenSum(1, 0, cached + new, cached, out, 0)
    ref = ObjectRef("InferenceCall", f"call-{number}")
    return CallContext(
        ref, "t", number, number * 10, "m", 3, tokens, more.get("compacted", False), more.get("broken")
    )


def texts(lines: list[list[Span]]) -> list[str]:
    return [spans_text(line) for line in lines]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("count", [1, 2, 7, 40, 73, 200, 1000])
def test_a_curve_fits_whatever_the_number_of_calls(width: int, count: int) -> None:
    calls = [context(number, 100 * number, 50, 20) for number in range(1, count + 1)]
    curve = Curve(calls, width)
    for here in (None, 0, count // 2, count - 1):
        lines = texts(curve.lines(6, here))
        assert len(lines) == 7
        assert all(cell_len(line) <= width for line in lines)
        if here is not None:
            assert f"call {here + 1}" in lines[-1]
            assert "▲" in lines[-1]
    assert (curve.per_column > 1) == (count > width - 7)
    if curve.per_column > 1:
        assert f"a column is {curve.per_column} calls" in texts(curve.lines(6))[-1] or width < 80


def test_bars_are_as_high_as_contexts_are_large_and_say_what_was_cached() -> None:
    calls = [
        context(1, 0, 800),
        context(2, 400, 400),
        context(3, 0, 100),
        context(4, 0, 400, 400),
        context(5, 0, 0),
    ]
    lines = texts(Curve(calls, 60).lines(8))
    columns = [[line[7 + 8 * place] for line in lines[:8]] for place in range(5)]
    assert columns[0] == ["█"] * 8
    assert columns[1] == ["█"] * 4 + ["░"] * 4
    assert columns[2] == [" "] * 7 + ["█"]
    assert columns[3] == ["▒"] * 4 + ["█"] * 4
    assert columns[4] == [" "] * 8


def test_a_small_context_is_no_nothing_and_halves_are_halves() -> None:
    calls = [context(1, 0, 100_000), context(2, 0, 1), context(3, 0, 56_250)]
    lines = texts(Curve(calls, 60).lines(8))
    assert [line[15] for line in lines[:8]] == [" "] * 7 + ["▁"]
    assert [line[23] for line in lines[:8]] == [" "] * 3 + ["▄"] + ["█"] * 4


def test_compactions_and_breaks_are_marked_below_their_calls_also_in_groups() -> None:
    broken = CacheBreak(900, "tools")
    calls = [context(number, 500, 10, compacted=number == 150, broken=broken if number == 90 else None)
             for number in range(1, 201)]  # fmt: skip
    for width in (40, 107, 207):
        curve = Curve(calls, width)
        *_, compacted, cache, _axis = texts(curve.lines(4))
        assert compacted.index("▼") == 7 + 149 // curve.per_column
        assert cache.index("!") == 7 + 89 // curve.per_column


def test_without_colours_and_in_ascii_parts_still_differ() -> None:
    calls = [context(1, 400, 400, 400, compacted=True, broken=CacheBreak(9, "model"))]
    glyphs.use(glyphs.ASCII)
    try:
        lines = texts(Curve(calls, 60).lines(9, 0))
    finally:
        glyphs.use(glyphs.UNICODE)
    assert all(line.isascii() for line in lines)
    assert [line[7] for line in lines[:9]] == ["o"] * 3 + ["#"] * 3 + ["."] * 3
    assert [line[7] for line in lines[9:]] == ["v", "!", "^"]


# The lines above the rows


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("height", [10, 19, 20, 24, 40, 60])
def test_lines_above_are_as_many_for_every_row(team: RunTokens, width: int, height: int) -> None:
    part, curves = whole(team), Curves(team)
    counts = set()
    for id_, calls in team.calls.items():
        for at in (None, *(one.ref for one in calls)):
            lines = [*curves.lines(id_, at, width, height), *note_lines(part, id_, at, width, height)]
            assert all(spans_width(line) <= width for line in lines)
            counts.add(len(lines))
    assert len(counts) == 1
    assert counts.pop() <= height // 2
    for by in VIEWS:
        assert spans_width(by_spans(by, "paid for", width, is_turned=True)) <= max(width, 38)
    for id_ in team.agents:
        assert spans_width(one_line(total_pieces(part, id_, PRICES), width)) <= width


def test_the_window_and_the_budget_are_told_where_they_were_recorded(shared_dir: Path) -> None:
    found = load(shared_dir / "bundles" / "crash-kill9" / "bundle")[1]
    assert set(found.limits.windows.values()) == {258_400}
    assert found.limits.budgets == ()
    assert budget_words(found.limits) == ""
    limits = Limits({}, (Budget(34.4, 300, 1_795_351_244), Budget(99, None, None)))
    assert budget_words(limits).startswith(
        "rate limits: 34% of 5h00m used, resets 2026-11-22 12:40:44 UTC; 99% used"
    )


def test_limits_of_a_session_are_read_from_its_own_records(shared_dir: Path, tmp_path: Path) -> None:
    source = next(iter(sorted((shared_dir / "sessions" / "simple-chat").rglob("rollout-*.jsonl"))))
    copy = tmp_path / source.name
    told = '"primary":{"used_percent":12.5,"window_minutes":300,"resets_at":1795351244}'
    copy.write_text(source.read_text().replace('"primary":null', told))
    assert told in copy.read_text()
    found = load(copy)[1]
    assert found.limits.budgets == (Budget(12.5, 300, 1_795_351_244),)
    assert set(found.limits.windows) == set(found.agents)


def test_an_untold_call_has_no_figures(team: RunTokens) -> None:
    shown = table(whole(team), "call")
    untold = [one for one in shown.items if one.tokens.untold]
    assert untold
    for one in untold:
        cells = {field.column.name: field.text(one) for field in shown.fields}
        names = ("context", "cached", "new", "out", "cost", "share", "reasoning")
        assert {cells[name] for name in names} == {"?"}


@pytest.mark.parametrize("width", WIDTHS)
def test_marks_of_a_call_are_never_cut(team: RunTokens, width: int) -> None:
    marked = {one.ref: (one.is_compacted, one.cache_break is not None) for one in whole(team).calls}
    assert (True, True) in marked.values()
    for row in table(whole(team), "call", width).answer(Order()):
        text = spans_text(lay_out(row.row, width))
        assert row.ref is not None
        assert ("▼" in text, "!" in text) == marked[row.ref]


@pytest.mark.parametrize("width", range(39, 200))
def test_what_a_context_may_hold_goes_before_how_large_it_is(team: RunTokens, width: int) -> None:
    text = spans_text(one_line(total_pieces(whole(team), next(iter(team.agents)), PRICES), width))
    assert "context now" in text or "of 258k" not in text


def test_numbers_of_calls_go_up(team: RunTokens) -> None:
    for calls in team.calls.values():
        assert all(one.number < other.number for one, other in pairwise(calls))
