"""What is told of every kind of event: what is missing when it is lost, and what it does."""

from __future__ import annotations

import pytest
from places import REPOSITORY

from reducer.consequences import NOT_APPLIED, consequence_of_losing
from reducer.schemas import SCHEMAS

KINDS = sorted({kind for schema in SCHEMAS.values() for kind in schema.events})

LOSES_NOTHING = {"other"}
"""Kinds that never change the graph."""


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in LOSES_NOTHING])
def test_what_is_missing_without_an_event_is_said_for_its_kind(kind: str) -> None:
    assert consequence_of_losing(kind) != NOT_APPLIED


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_of_the_reducer_has_every_kind(kind: str) -> None:
    assert f"`{kind}`" in (REPOSITORY / "reducer/README.md").read_text()
