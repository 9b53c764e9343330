"""Styles that are parsed once for all tests: each app would parse those of all its widgets anew."""

from __future__ import annotations

from typing import Any

import pytest
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet

_PARSED: dict[object, list[RuleSet]] = {}


def parse_once(patch: pytest.MonkeyPatch) -> None:
    """Let apps share the rules they parsed, until the patch is undone; rules are only read."""
    parse = Stylesheet._parse_rules

    def parsed(stylesheet: Stylesheet, *arguments: Any, **options: Any) -> list[RuleSet]:
        variables = frozenset(stylesheet._variables.items())
        key = (arguments, tuple(options.items()), variables)
        if key not in _PARSED:
            _PARSED[key] = parse(stylesheet, *arguments, **options)
        return _PARSED[key]

    patch.setattr(Stylesheet, "_parse_rules", parsed)
