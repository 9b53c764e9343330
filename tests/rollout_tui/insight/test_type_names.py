"""The words for the types of objects."""

from __future__ import annotations

from typing import get_args

from reducer.model.objects import GraphType, OtherType
from rollout_tui.insight.type_names import TYPE_NAMES
from rollout_tui.views.hit_rows import KIND_WIDTH


def test_every_type_has_words() -> None:
    assert set(TYPE_NAMES) == {*get_args(GraphType), *get_args(OtherType)}


def test_labels_fit_into_their_column() -> None:
    assert all(len(names.label) < KIND_WIDTH for names in TYPE_NAMES.values())
