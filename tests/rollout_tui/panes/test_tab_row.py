"""The tabs of an object, without a screen: which is shown, what the reader opened, what a view lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from reducer.wire.payload_refs import PayloadRef
from rollout_tui import glyphs
from rollout_tui.lines.spans import spans_text
from rollout_tui.panes.detail_tabs import OBJECT, Tab
from rollout_tui.panes.tab_row import TabRow
from rollout_tui.session import Session
from rollout_tui.views.detail.facts import Evidence


@pytest.fixture
def refs(demo_trace: Callable[[str], Path]) -> list[PayloadRef]:
    session = Session(demo_trace("team"))
    return list(session.load(lambda _done, _total: None).index.trace.raw_payloads.values())


def payload_tab(ref: PayloadRef) -> Tab:
    return Tab("request", evidence=Evidence("request", ref))


def names(row: TabRow) -> list[str]:
    return [tab.name for tab in row.all]


def test_a_payload_of_the_object_has_its_tab_already(refs: list[PayloadRef]) -> None:
    row = TabRow()
    row.all = [Tab(OBJECT), payload_tab(refs[0])]
    assert row.for_payload(refs[0]) is row.all[1]
    assert not row.opened


def test_another_payload_is_opened_in_place_of_the_one_opened_before(refs: list[PayloadRef]) -> None:
    row = TabRow()
    row.all = [Tab(OBJECT), payload_tab(refs[0])]
    row.for_payload(refs[1])
    row.for_payload(refs[2])
    shown = [tab.evidence.ref for tab in row.all if tab.evidence is not None]
    assert shown == [refs[0], refs[2]]
    assert [tab.evidence.ref for tab in row.opened if tab.evidence is not None] == [refs[2]]
    row.leave()
    assert not row.opened


def test_a_value_and_a_payload_are_open_side_by_side(refs: list[PayloadRef]) -> None:
    row = TabRow()
    row.shown = row.for_payload(refs[0])
    row.open_value("$.model", "gpt")
    row.open_value("$.input", "[]")
    assert names(row)[-1] == "value"
    assert names(row).count("value") == 1
    assert len(row.opened) == 2


def test_from_a_value_the_way_leads_back_to_its_payload(refs: list[PayloadRef]) -> None:
    row = TabRow()
    row.shown = payload = row.for_payload(refs[0])
    row.leave_value()
    assert row.shown is payload, "it is no value"
    row.shown = row.open_value("$.model", "gpt")
    row.shown = row.open_value("$.model.name", "x")
    row.leave_value()
    assert row.shown is payload
    assert not row.opened


def test_a_tab_that_a_newer_view_does_not_have_stays_and_is_gone(refs: list[PayloadRef]) -> None:
    row = TabRow()
    row.all = [Tab(OBJECT), payload_tab(refs[0])]
    row.shown = row.all[1]
    assert row.stay() is row.all[1]
    row.all = [Tab(OBJECT)]
    assert row.stay().is_gone
    assert names(row) == [OBJECT, "request"]
    assert row.place == 1
    row.all = [Tab(OBJECT), payload_tab(refs[0])]
    assert not row.stay().is_gone, "it is there again"


def test_the_row_ends_on_both_sides(refs: list[PayloadRef]) -> None:
    row = TabRow()
    row.all = [Tab(OBJECT), payload_tab(refs[0])]
    row.shown = row.all[0]
    assert row.beside(-1) is None
    assert row.beside(1) is row.all[1]
    row.shown = row.all[1]
    assert row.beside(1) is None


def test_the_shown_name_is_marked_and_left_out_last(refs: list[PayloadRef]) -> None:
    row = TabRow()
    row.all = [Tab(OBJECT), payload_tab(refs[0]), Tab("origin")]
    row.shown = row.all[1]
    mark = glyphs.active().fold_closed
    assert [spans_text(piece.spans) for piece in row.pieces()] == [" Object ", f"{mark}request ", " origin "]
    assert [piece.rank for piece in row.pieces()] == [1, 0, 1]
