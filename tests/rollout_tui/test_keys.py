"""The table of actions: no key twice, nothing without a word, everything derived from it consistent."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from inspecting import SCREENS, inspecting
from places import REPOSITORY
from rich.cells import cell_len
from textual import actions
from textual.binding import Binding

from rollout_tui import glyphs, keys
from rollout_tui.keys import ACTIONS, SCOPES, Action, Focus, Scope
from rollout_tui.screens.inspector import InspectorScreen
from rollout_tui.screens.speaking import SpeakingScreen
from rollout_tui.session import Session
from rollout_tui.widgets.json_tree import JsonTree
from rollout_tui.widgets.line_view import LineView
from rollout_tui.widgets.text_view import TextView
from rollout_tui.widgets.virtual_list import VirtualList


@pytest.mark.parametrize("focus", Focus)
def test_no_key_has_two_meanings_in_a_pane(focus: Focus) -> None:
    bound = [key for action in keys.actions_in(*SCOPES[focus]) for key in action.keys]
    assert len(bound) == len(set(bound))


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_every_action_has_a_valid_name_a_key_and_words(action: Action) -> None:
    assert action.name.isidentifier()
    assert action.keys
    assert action.label
    assert action.help
    assert action.help[0].islower()
    assert not action.help.endswith(".")
    assert actions.parse(action.action)
    assert cell_len(action.help) <= 60, "help must fit beside its keys in 80 columns"


def test_names_are_unique_and_every_scope_has_a_focus() -> None:
    assert len({action.name for action in ACTIONS}) == len(ACTIONS)
    reachable = {scope for scopes in SCOPES.values() for scope in scopes}
    assert {action.scope for action in ACTIONS} <= reachable
    assert reachable <= set(Scope)


def test_plain_keys_only() -> None:
    # Nothing needs alt, a function key or a chord: what has such a key has a plain one, too.
    for action in ACTIONS:
        assert not any("alt+" in key for key in action.keys)
        assert any(key != "f1" for key in action.keys)


def test_the_keys_of_the_first_screens_are_all_there() -> None:
    expected = set("jkgGhl1234zwW?qQRia") | {
        *("down", "up", "ctrl+d", "ctrl+u", "pageup", "pagedown", "home", "end", "left", "right"),
        *("tab", "shift+tab", "enter", "escape", "f1", "ctrl+c"),
    }
    assert expected <= {key for action in ACTIONS for key in action.keys}


def test_bindings_are_what_textual_expects() -> None:
    for scope in Scope:
        made = list(Binding.make_bindings(keys.bindings(scope)))
        assert len(made) == sum(len(action.keys) for action in keys.actions_in(scope))
    made = Binding.make_bindings(keys.bindings(Scope.EVERYWHERE, Scope.PANES))
    by_key = {binding.key: binding for binding in made}
    assert by_key["question_mark"].action == "app.help"
    assert by_key["1"].action == "do('pane_threads')"
    assert by_key["ctrl+c"].priority
    assert not by_key["Q" if "Q" in by_key else "upper_q"].priority


def test_no_two_groups_of_the_inspector_do_the_same_action(demo_trace: Callable[[str], Path]) -> None:
    screen = InspectorScreen(Session(demo_trace("team")))
    done = [name for group in screen.groups for name in group.actions]
    assert len(done) == len(set(done)) == len(screen.actions)


DONE_BY_WIDGETS = {Scope.LINES, Scope.TEXT, Scope.HISTORY}

OPENED = {**{name: how for name, (how, _) in SCREENS.items()}, "scrubber": ("T",)}


@pytest.mark.slow
@pytest.mark.parametrize("name", OPENED)
async def test_each_screen_has_an_action_for_every_key_of_it_and_no_other(
    name: str, demo_trace: Callable[[str], Path]
) -> None:
    async with inspecting(demo_trace("team")) as inspection:
        await inspection.press(*OPENED[name])
        screen = inspection.app.screen
        assert isinstance(screen, SpeakingScreen)
        scopes = set(SCOPES[screen.focus_name()]) - DONE_BY_WIDGETS - {Scope.EVERYWHERE}
        assert set(screen.actions) == {action.name for action in keys.actions_in(*scopes)}


@pytest.mark.parametrize(("widget", "scope"), [(LineView, Scope.LINES), (TextView, Scope.TEXT)])
def test_widgets_carry_out_what_their_scopes_bind(widget: type[LineView], scope: Scope) -> None:
    for action in keys.actions_in(scope):
        assert callable(getattr(widget, f"action_{action.action}", None)), action.name


@pytest.mark.parametrize("widget", [VirtualList, JsonTree, TextView])
def test_every_view_moves_by_the_same_keys(widget: type[LineView]) -> None:
    bound = widget()._bindings.key_to_bindings
    for action in keys.actions_in(Scope.LINES):
        for key in action.keys:
            assert any(name in bound for name in (key, f"upper_{key.lower()}")), key


@pytest.mark.parametrize("focus", Focus)
@pytest.mark.parametrize("width", [0, 1, 6, 7, 20, 80, 120, 400])
def test_the_footer_fits_and_always_offers_help(focus: Focus, width: int) -> None:
    footer = keys.footer_text(focus, width)
    assert cell_len(footer) <= width
    if width >= 7:
        assert footer.endswith("F1 help" if focus in keys.TYPING else "? help")
    if width >= 20 and Scope.LINES in SCOPES[focus]:
        assert footer.startswith("s/S st" if focus in (Focus.COMPACTION, Focus.EXEC) else "j/k move")
    if width == 400:
        shown = [
            action
            for action in keys.actions_in(*SCOPES[focus])
            if action.rank is not None
            and (focus not in keys.TYPING or any(len(key) > 1 for key in action.keys))
        ]
        assert all(action.label in footer for action in shown)


@pytest.mark.parametrize("focus", Focus)
def test_ranks_of_a_footer_are_distinct(focus: Focus) -> None:
    ranks = [action.rank for action in keys.actions_in(*SCOPES[focus]) if action.rank is not None]
    assert len(ranks) == len(set(ranks))


@pytest.mark.parametrize("focus", sorted(keys.TYPING))
def test_no_character_is_offered_as_a_key_where_it_is_text(focus: Focus) -> None:
    rows = keys.help_rows(focus)
    assert {"tab", "esc", "F1"} <= {key for row in rows for key in row.keys.split()}
    assert not any(len(key) == 1 and key.isascii() for row in rows for key in row.keys.split())


def test_the_table_has_every_key_of_the_design_but_those_of_a_live_log() -> None:
    expected = set("jkgGhl1234JK}{)(eEfF[]cCxXsSdavWz/nN&:m'ywpRi?qQY")
    assert expected <= {key for action in ACTIONS for key in action.keys}


def test_help_lists_every_key_of_the_pane_with_its_own_first() -> None:
    rows = keys.help_rows(Focus.TIMELINE)
    scopes = [row.scope for row in rows]
    assert scopes[0] is Scope.PANES
    assert scopes == sorted(scopes, key=SCOPES[Focus.TIMELINE].index)
    text = {row.text: row.keys for row in rows}
    assert text["down one row"] == "j ↓"
    assert text["down one page"] == "PgDn"
    assert "wrap long lines, or cut them at the edge" not in text
    assert "wrap long lines, or cut them at the edge" in {row.text for row in keys.help_rows(Focus.TEXT)}


def test_key_names_in_ascii() -> None:
    glyphs.use(glyphs.ASCII)
    try:
        names = [keys.key_name(key) for action in ACTIONS for key in action.keys]
    finally:
        glyphs.use(glyphs.UNICODE)
    assert all(name.isascii() for name in names)
    assert "down" in names


def test_the_palette_offers_each_action_once_with_its_key() -> None:
    entries = keys.palette_entries()
    offered = [entry.action for entry in entries]
    assert len(offered) == len(set(offered))
    assert {"do('zoom')", "do('write')", "do('reload')", "app.help", "app.quit", "wrap"} <= set(offered)
    assert "do('pane_context')" in offered
    assert "cursor_down" not in offered
    assert next(entry.title for entry in entries if entry.action == "app.quit") == "quit  (Q)"
    assert "wrap" not in {entry.action for entry in keys.palette_entries([Focus.TIMELINE])}


@pytest.mark.parametrize(
    "action", [one for one in ACTIONS if len(one.keys[0]) == 1], ids=lambda one: one.name
)
def test_the_readme_names_every_key_that_is_a_character(action: Action) -> None:
    assert f"`{action.keys[0]}`" in (REPOSITORY / "README.md").read_text()
