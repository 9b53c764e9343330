"""The one table of colours: it has every style name, and no widget has Textual work out looks of its own."""

from __future__ import annotations

import importlib
import pkgutil

from textual.widget import Widget

import rollout_tui
from rollout_tui.lines.spans import STYLE_NAMES
from rollout_tui.widgets.looks import LOOKS


def _modules() -> None:
    for module in pkgutil.walk_packages(rollout_tui.__path__, "rollout_tui."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)


def _below(kind: type) -> list[type]:
    return [one for sub in kind.__subclasses__() for one in (sub, *_below(sub))]


def test_every_style_name_has_a_look() -> None:
    assert list(LOOKS) == list(STYLE_NAMES)


def test_looks_have_no_colour_but_the_terminals_own_sixteen_and_no_background() -> None:
    colours = [look.color for look in LOOKS.values() if look.color is not None]

    assert all(colour.number is not None and colour.number < 16 for colour in colours)
    assert all(look.bgcolor is None for look in LOOKS.values())


def test_no_widget_has_component_classes_which_are_worked_out_for_each_of_them_anew() -> None:
    _modules()
    ours = [one for one in _below(Widget) if one.__module__.startswith("rollout_tui.")]

    assert ours
    assert [one.__name__ for one in ours if vars(one).get("COMPONENT_CLASSES")] == []
